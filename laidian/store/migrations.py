"""The schema, as numbered steps that are only ever appended.

Each step runs in one transaction with the number it leaves in `user_version`, so a crash leaves the old schema or the new
one. A released step is never edited. Table names are plural (`group` and `key` are SQL words); columns carry their units.
"""

from __future__ import annotations

STEPS: tuple[str, ...] = (
    # 1: the ground
    """
    CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    INSERT INTO meta VALUES ('catalog_version', 1), ('first_start_done', 0);

    CREATE TABLE upstreams (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, base_url TEXT NOT NULL,
        enabled INTEGER NOT NULL DEFAULT 1, priority INTEGER NOT NULL DEFAULT 0, weight INTEGER NOT NULL DEFAULT 1,
        max_concurrent INTEGER, proxy_sealed BLOB, proxy_shown TEXT NOT NULL DEFAULT '', models TEXT NOT NULL DEFAULT '[]', aliases TEXT NOT NULL DEFAULT '{}',
        connect_timeout_s REAL NOT NULL DEFAULT 10,
        first_byte_timeout_s REAL NOT NULL DEFAULT 300, idle_timeout_s REAL NOT NULL DEFAULT 300,
        from_config INTEGER NOT NULL DEFAULT 0, created_at_ms INTEGER NOT NULL, deleted_at_ms INTEGER
    ) STRICT;
    CREATE UNIQUE INDEX upstreams_name ON upstreams (name) WHERE deleted_at_ms IS NULL;
    CREATE TABLE credentials (
        id INTEGER PRIMARY KEY, upstream_id INTEGER NOT NULL REFERENCES upstreams (id), label TEXT NOT NULL,
        sealed BLOB, fingerprint TEXT NOT NULL, enabled INTEGER NOT NULL DEFAULT 1, created_at_ms INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX credentials_upstream ON credentials (upstream_id);
    CREATE TABLE discovered_models (
        upstream_id INTEGER NOT NULL REFERENCES upstreams (id), model TEXT NOT NULL, seen_at_ms INTEGER NOT NULL,
        PRIMARY KEY (upstream_id, model)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE probes (
        id INTEGER PRIMARY KEY, upstream_id INTEGER NOT NULL REFERENCES upstreams (id), at_ms INTEGER NOT NULL,
        ok INTEGER NOT NULL, status INTEGER, duration_ms INTEGER NOT NULL, models INTEGER, reason TEXT NOT NULL
    ) STRICT;
    CREATE INDEX probes_upstream ON probes (upstream_id, id);
    CREATE TABLE circuits (
        upstream_id INTEGER NOT NULL REFERENCES upstreams (id), credential_id INTEGER NOT NULL, model TEXT NOT NULL,
        open_until_ms INTEGER NOT NULL, failures INTEGER NOT NULL, reason TEXT NOT NULL, changed_at_ms INTEGER NOT NULL,
        PRIMARY KEY (upstream_id, credential_id, model)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE groups (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL, enabled INTEGER NOT NULL DEFAULT 1,
        allow TEXT NOT NULL DEFAULT '[]', deny TEXT NOT NULL DEFAULT '[]', aliases TEXT NOT NULL DEFAULT '{}',
        capabilities TEXT NOT NULL, multiplier_ppm INTEGER NOT NULL DEFAULT 1000000 CHECK (multiplier_ppm >= 0),
        requests_per_minute INTEGER, tokens_per_minute INTEGER, concurrent_requests INTEGER,
        on_abort TEXT NOT NULL DEFAULT 'cancel', from_config INTEGER NOT NULL DEFAULT 0,
        created_at_ms INTEGER NOT NULL, deleted_at_ms INTEGER
    ) STRICT;
    CREATE UNIQUE INDEX groups_name ON groups (name) WHERE deleted_at_ms IS NULL;
    CREATE TABLE group_upstreams (
        group_id INTEGER NOT NULL REFERENCES groups (id), upstream_id INTEGER NOT NULL REFERENCES upstreams (id),
        rank INTEGER NOT NULL, PRIMARY KEY (group_id, upstream_id)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE quotas (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('prepaid', 'plan', 'unlimited')),
        enabled INTEGER NOT NULL DEFAULT 1, expires_at_ms INTEGER, limits_nano TEXT NOT NULL DEFAULT '{}',
        credited_nano INTEGER NOT NULL DEFAULT 0, held_nano INTEGER NOT NULL DEFAULT 0 CHECK (held_nano >= 0),
        spent_nano INTEGER NOT NULL DEFAULT 0 CHECK (spent_nano >= 0),
        created_at_ms INTEGER NOT NULL, deleted_at_ms INTEGER,
        CHECK (kind <> 'prepaid' OR credited_nano - held_nano - spent_nano >= 0)
    ) STRICT;
    CREATE UNIQUE INDEX quotas_name ON quotas (name) WHERE deleted_at_ms IS NULL;
    CREATE TABLE credits (
        id INTEGER PRIMARY KEY, quota_id INTEGER NOT NULL REFERENCES quotas (id), amount_nano INTEGER NOT NULL,
        note TEXT NOT NULL, at_ms INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX credits_quota ON credits (quota_id);
    CREATE TABLE plan_windows (
        quota_id INTEGER NOT NULL REFERENCES quotas (id), kind TEXT NOT NULL, start_ms INTEGER NOT NULL,
        held_nano INTEGER NOT NULL DEFAULT 0 CHECK (held_nano >= 0),
        spent_nano INTEGER NOT NULL DEFAULT 0 CHECK (spent_nano >= 0),
        PRIMARY KEY (quota_id, kind, start_ms)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE keys (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL, digest BLOB NOT NULL, display TEXT NOT NULL,
        group_id INTEGER NOT NULL REFERENCES groups (id), quota_id INTEGER NOT NULL REFERENCES quotas (id),
        enabled INTEGER NOT NULL DEFAULT 1, expires_at_ms INTEGER, limit_nano INTEGER,
        held_nano INTEGER NOT NULL DEFAULT 0 CHECK (held_nano >= 0),
        spent_nano INTEGER NOT NULL DEFAULT 0 CHECK (spent_nano >= 0),
        last_used_at_ms INTEGER, created_at_ms INTEGER NOT NULL, deleted_at_ms INTEGER
    ) STRICT;
    CREATE UNIQUE INDEX keys_name ON keys (name) WHERE deleted_at_ms IS NULL;
    CREATE UNIQUE INDEX keys_digest ON keys (digest);
    CREATE TABLE rate_windows (
        key_id INTEGER NOT NULL, minute INTEGER NOT NULL, requests INTEGER NOT NULL, tokens INTEGER NOT NULL,
        PRIMARY KEY (key_id, minute)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE price_books (
        source TEXT PRIMARY KEY, source_date TEXT NOT NULL, adopted_at_ms INTEGER NOT NULL, data BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE prices (
        version TEXT PRIMARY KEY, model TEXT NOT NULL, effective_from_ms INTEGER NOT NULL,
        origin TEXT NOT NULL CHECK (origin IN ('book', 'operator', 'config')),
        source TEXT NOT NULL, source_date TEXT NOT NULL, rates TEXT NOT NULL,
        context_tokens INTEGER, max_output_tokens INTEGER, created_at_ms INTEGER NOT NULL, retired_at_ms INTEGER
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE workers (id TEXT PRIMARY KEY, pid INTEGER NOT NULL, started_at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE holds (
        request_id TEXT PRIMARY KEY, owner TEXT NOT NULL, key_id INTEGER NOT NULL REFERENCES keys (id),
        group_id INTEGER NOT NULL, quota_id INTEGER NOT NULL REFERENCES quotas (id), amount_nano INTEGER NOT NULL CHECK (amount_nano >= 0),
        operation TEXT NOT NULL, model TEXT NOT NULL, asked_model TEXT NOT NULL, price_version TEXT NOT NULL REFERENCES prices (version),
        multiplier_ppm INTEGER NOT NULL, stream INTEGER NOT NULL, input_tokens INTEGER NOT NULL, rate_tokens INTEGER NOT NULL,
        windows TEXT NOT NULL, created_at_ms INTEGER NOT NULL,
        upstream_id INTEGER, output_tokens INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX holds_key ON holds (key_id);

    CREATE TABLE usage_records (
        id INTEGER PRIMARY KEY, request_id TEXT NOT NULL UNIQUE, key_id INTEGER NOT NULL REFERENCES keys (id),
        group_id INTEGER NOT NULL, quota_id INTEGER NOT NULL REFERENCES quotas (id), upstream_id INTEGER, credential_id INTEGER,
        operation TEXT NOT NULL, model TEXT NOT NULL, asked_model TEXT NOT NULL, upstream_model TEXT NOT NULL, stream INTEGER NOT NULL,
        started_at_ms INTEGER NOT NULL, first_byte_ms INTEGER, duration_ms INTEGER NOT NULL,
        status INTEGER NOT NULL, ended TEXT NOT NULL, error_code TEXT NOT NULL, usage_from TEXT NOT NULL,
        input INTEGER NOT NULL, cached_input INTEGER NOT NULL, cache_write INTEGER NOT NULL, cache_write_1h INTEGER NOT NULL,
        image_input INTEGER NOT NULL, cached_image_input INTEGER NOT NULL, audio_input INTEGER NOT NULL, cached_audio_input INTEGER NOT NULL,
        output INTEGER NOT NULL, reasoning INTEGER NOT NULL, image_output INTEGER NOT NULL, audio_output INTEGER NOT NULL,
        images INTEGER NOT NULL, seconds INTEGER NOT NULL, characters INTEGER NOT NULL, web_searches INTEGER NOT NULL,
        price_version TEXT NOT NULL REFERENCES prices (version), service_tier TEXT NOT NULL, multiplier_ppm INTEGER NOT NULL,
        amount_nano INTEGER NOT NULL CHECK (amount_nano >= 0), shortfall_nano INTEGER NOT NULL CHECK (shortfall_nano >= 0),
        held_nano INTEGER NOT NULL, windows TEXT NOT NULL, attempts TEXT NOT NULL, client TEXT NOT NULL
    ) STRICT;
    CREATE INDEX usage_records_key ON usage_records (key_id, id);
    CREATE INDEX usage_records_quota ON usage_records (quota_id, id);
    CREATE INDEX usage_records_started ON usage_records (started_at_ms);
    CREATE INDEX usage_records_key_started ON usage_records (key_id, started_at_ms);

    CREATE TABLE objects (
        kind TEXT NOT NULL, id TEXT NOT NULL, key_id INTEGER NOT NULL REFERENCES keys (id),
        upstream_id INTEGER NOT NULL, credential_id INTEGER NOT NULL,
        created_at_ms INTEGER NOT NULL, expires_at_ms INTEGER, meta TEXT NOT NULL DEFAULT '{}',
        PRIMARY KEY (kind, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX objects_key ON objects (key_id, kind, created_at_ms, id);
    CREATE INDEX objects_expires ON objects (expires_at_ms) WHERE expires_at_ms IS NOT NULL;
    """,
    # 2: probes by the hour (store.uptime), begun with those that are kept singly
    """
    CREATE TABLE probe_hours (
        upstream_id INTEGER NOT NULL REFERENCES upstreams (id), hour INTEGER NOT NULL, probes INTEGER NOT NULL, good INTEGER NOT NULL,
        PRIMARY KEY (upstream_id, hour)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO probe_hours SELECT upstream_id, at_ms / 3600000, count(*), sum(ok) FROM probes GROUP BY 1, 2;
    """,
    # 3: answers that a provider makes in the background; the hold stays until it says what they came to
    """
    CREATE TABLE awaited (
        request_id TEXT PRIMARY KEY, response_id TEXT NOT NULL, upstream_id INTEGER NOT NULL, credential_id INTEGER NOT NULL,
        upstream_model TEXT NOT NULL, first_byte_ms INTEGER, attempts TEXT NOT NULL, client TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX awaited_response ON awaited (response_id);
    """,
    # 4: what was refused, who changed what, and a word to the worker that owns a request
    """
    CREATE TABLE refusals (
        id INTEGER PRIMARY KEY, request_id TEXT NOT NULL, at_ms INTEGER NOT NULL, after_id INTEGER NOT NULL,
        key_id INTEGER, shown TEXT NOT NULL, group_id INTEGER, operation TEXT NOT NULL, model TEXT NOT NULL,
        status INTEGER NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL, duration_ms INTEGER NOT NULL, client TEXT NOT NULL
    ) STRICT;
    CREATE INDEX refusals_after ON refusals (after_id);
    CREATE INDEX refusals_at ON refusals (at_ms);
    CREATE INDEX refusals_request ON refusals (request_id);
    INSERT INTO meta VALUES ('refusals_dropped', 0);

    CREATE TABLE operations (
        id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, who TEXT NOT NULL, action TEXT NOT NULL, name TEXT NOT NULL, sentence TEXT NOT NULL
    ) STRICT;

    ALTER TABLE holds ADD COLUMN end_asked_at_ms INTEGER;
    """,
    # 5: records added up, folded behind a watermark (store.rollups), and indexes for looking through the records themselves
    """
    CREATE TABLE usage_minutes (
        minute INTEGER NOT NULL, upstream_id INTEGER NOT NULL, class INTEGER NOT NULL,
        requests INTEGER NOT NULL, failed INTEGER NOT NULL, estimated INTEGER NOT NULL, input_tokens INTEGER NOT NULL,
        cached_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, charged_nano INTEGER NOT NULL, shortfall_nano INTEGER NOT NULL,
        duration_ms INTEGER NOT NULL, first_byte_ms INTEGER NOT NULL, first_bytes INTEGER NOT NULL,
        t0 INTEGER NOT NULL, t1 INTEGER NOT NULL, t2 INTEGER NOT NULL, t3 INTEGER NOT NULL, t4 INTEGER NOT NULL, t5 INTEGER NOT NULL, t6 INTEGER NOT NULL, t7 INTEGER NOT NULL, t8 INTEGER NOT NULL, t9 INTEGER NOT NULL, t10 INTEGER NOT NULL, t11 INTEGER NOT NULL, t12 INTEGER NOT NULL, t13 INTEGER NOT NULL, t14 INTEGER NOT NULL, t15 INTEGER NOT NULL,
        f0 INTEGER NOT NULL, f1 INTEGER NOT NULL, f2 INTEGER NOT NULL, f3 INTEGER NOT NULL, f4 INTEGER NOT NULL, f5 INTEGER NOT NULL, f6 INTEGER NOT NULL, f7 INTEGER NOT NULL, f8 INTEGER NOT NULL, f9 INTEGER NOT NULL, f10 INTEGER NOT NULL, f11 INTEGER NOT NULL, f12 INTEGER NOT NULL, f13 INTEGER NOT NULL, f14 INTEGER NOT NULL, f15 INTEGER NOT NULL,
        PRIMARY KEY (minute, upstream_id, class)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE usage_hours (
        hour INTEGER NOT NULL, model TEXT NOT NULL, upstream_id INTEGER NOT NULL, class INTEGER NOT NULL,
        requests INTEGER NOT NULL, failed INTEGER NOT NULL, estimated INTEGER NOT NULL, input_tokens INTEGER NOT NULL,
        cached_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, charged_nano INTEGER NOT NULL, shortfall_nano INTEGER NOT NULL,
        duration_ms INTEGER NOT NULL, first_byte_ms INTEGER NOT NULL, first_bytes INTEGER NOT NULL,
        t0 INTEGER NOT NULL, t1 INTEGER NOT NULL, t2 INTEGER NOT NULL, t3 INTEGER NOT NULL, t4 INTEGER NOT NULL, t5 INTEGER NOT NULL, t6 INTEGER NOT NULL, t7 INTEGER NOT NULL, t8 INTEGER NOT NULL, t9 INTEGER NOT NULL, t10 INTEGER NOT NULL, t11 INTEGER NOT NULL, t12 INTEGER NOT NULL, t13 INTEGER NOT NULL, t14 INTEGER NOT NULL, t15 INTEGER NOT NULL,
        f0 INTEGER NOT NULL, f1 INTEGER NOT NULL, f2 INTEGER NOT NULL, f3 INTEGER NOT NULL, f4 INTEGER NOT NULL, f5 INTEGER NOT NULL, f6 INTEGER NOT NULL, f7 INTEGER NOT NULL, f8 INTEGER NOT NULL, f9 INTEGER NOT NULL, f10 INTEGER NOT NULL, f11 INTEGER NOT NULL, f12 INTEGER NOT NULL, f13 INTEGER NOT NULL, f14 INTEGER NOT NULL, f15 INTEGER NOT NULL,
        PRIMARY KEY (hour, model, upstream_id, class)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE usage_days (
        day INTEGER NOT NULL, model TEXT NOT NULL, upstream_id INTEGER NOT NULL, class INTEGER NOT NULL,
        requests INTEGER NOT NULL, failed INTEGER NOT NULL, estimated INTEGER NOT NULL, input_tokens INTEGER NOT NULL,
        cached_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, charged_nano INTEGER NOT NULL, shortfall_nano INTEGER NOT NULL,
        duration_ms INTEGER NOT NULL, first_byte_ms INTEGER NOT NULL, first_bytes INTEGER NOT NULL,
        t0 INTEGER NOT NULL, t1 INTEGER NOT NULL, t2 INTEGER NOT NULL, t3 INTEGER NOT NULL, t4 INTEGER NOT NULL, t5 INTEGER NOT NULL, t6 INTEGER NOT NULL, t7 INTEGER NOT NULL, t8 INTEGER NOT NULL, t9 INTEGER NOT NULL, t10 INTEGER NOT NULL, t11 INTEGER NOT NULL, t12 INTEGER NOT NULL, t13 INTEGER NOT NULL, t14 INTEGER NOT NULL, t15 INTEGER NOT NULL,
        f0 INTEGER NOT NULL, f1 INTEGER NOT NULL, f2 INTEGER NOT NULL, f3 INTEGER NOT NULL, f4 INTEGER NOT NULL, f5 INTEGER NOT NULL, f6 INTEGER NOT NULL, f7 INTEGER NOT NULL, f8 INTEGER NOT NULL, f9 INTEGER NOT NULL, f10 INTEGER NOT NULL, f11 INTEGER NOT NULL, f12 INTEGER NOT NULL, f13 INTEGER NOT NULL, f14 INTEGER NOT NULL, f15 INTEGER NOT NULL,
        PRIMARY KEY (day, model, upstream_id, class)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE group_days (
        day INTEGER NOT NULL, group_id INTEGER NOT NULL, model TEXT NOT NULL, class INTEGER NOT NULL,
        requests INTEGER NOT NULL, failed INTEGER NOT NULL, estimated INTEGER NOT NULL, input_tokens INTEGER NOT NULL,
        cached_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, charged_nano INTEGER NOT NULL, shortfall_nano INTEGER NOT NULL,
        duration_ms INTEGER NOT NULL, first_byte_ms INTEGER NOT NULL, first_bytes INTEGER NOT NULL,
        PRIMARY KEY (day, group_id, model, class)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE key_hours (
        hour INTEGER NOT NULL, key_id INTEGER NOT NULL, group_id INTEGER NOT NULL, model TEXT NOT NULL,
        requests INTEGER NOT NULL, failed INTEGER NOT NULL, estimated INTEGER NOT NULL, input_tokens INTEGER NOT NULL,
        cached_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, charged_nano INTEGER NOT NULL, shortfall_nano INTEGER NOT NULL,
        duration_ms INTEGER NOT NULL, first_byte_ms INTEGER NOT NULL, first_bytes INTEGER NOT NULL,
        PRIMARY KEY (hour, key_id, group_id, model)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE key_days (
        key_id INTEGER NOT NULL, day INTEGER NOT NULL, group_id INTEGER NOT NULL, model TEXT NOT NULL,
        requests INTEGER NOT NULL, failed INTEGER NOT NULL, estimated INTEGER NOT NULL, input_tokens INTEGER NOT NULL,
        cached_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, charged_nano INTEGER NOT NULL, shortfall_nano INTEGER NOT NULL,
        duration_ms INTEGER NOT NULL, first_byte_ms INTEGER NOT NULL, first_bytes INTEGER NOT NULL,
        PRIMARY KEY (key_id, day, group_id, model)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE key_totals (
        key_id INTEGER NOT NULL, day INTEGER NOT NULL,
        requests INTEGER NOT NULL, failed INTEGER NOT NULL, estimated INTEGER NOT NULL, input_tokens INTEGER NOT NULL,
        cached_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, charged_nano INTEGER NOT NULL, shortfall_nano INTEGER NOT NULL,
        duration_ms INTEGER NOT NULL, first_byte_ms INTEGER NOT NULL, first_bytes INTEGER NOT NULL,
        PRIMARY KEY (key_id, day)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE usage_spans (hour INTEGER PRIMARY KEY, first_id INTEGER NOT NULL, last_id INTEGER NOT NULL) STRICT;
    INSERT INTO meta VALUES
        ('folded_to', 0),
        ('minutes_from', CAST(strftime('%s', 'now') AS INTEGER) / 60 - 180),
        ('key_hours_from', CAST(strftime('%s', 'now') AS INTEGER) / 3600 - 216);

    DROP INDEX usage_records_quota;
    CREATE INDEX usage_records_model ON usage_records (model, id);
    CREATE INDEX usage_records_trouble ON usage_records (id)
        WHERE status >= 400 OR status = 0 OR ended <> 'complete' OR instr(attempts, '},{') > 0;
    """,
    # 6: what keys came to by the hour instead of the day, so that any time of all keys is one subtraction each; all sums are folded anew
    """
    DROP TABLE key_totals;
    CREATE TABLE key_totals (
        key_id INTEGER NOT NULL, hour INTEGER NOT NULL,
        requests INTEGER NOT NULL, failed INTEGER NOT NULL, estimated INTEGER NOT NULL, input_tokens INTEGER NOT NULL,
        cached_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, charged_nano INTEGER NOT NULL, shortfall_nano INTEGER NOT NULL,
        duration_ms INTEGER NOT NULL, first_byte_ms INTEGER NOT NULL, first_bytes INTEGER NOT NULL,
        PRIMARY KEY (key_id, hour)
    ) STRICT, WITHOUT ROWID;
    DELETE FROM usage_minutes;
    DELETE FROM usage_hours;
    DELETE FROM usage_days;
    DELETE FROM group_days;
    DELETE FROM key_hours;
    DELETE FROM key_days;
    DELETE FROM usage_spans;
    UPDATE meta SET value = 0 WHERE name = 'folded_to';
    UPDATE meta SET value = CAST(strftime('%s', 'now') AS INTEGER) / 3600 - 768 WHERE name = 'key_hours_from';
    """,
    # 7: groups by the hour, what each key has come to until now in one short table; indexes for the trouble of one key and for counting keys
    """
    CREATE TABLE group_hours (
        hour INTEGER NOT NULL, group_id INTEGER NOT NULL, model TEXT NOT NULL, class INTEGER NOT NULL,
        requests INTEGER NOT NULL, failed INTEGER NOT NULL, estimated INTEGER NOT NULL, input_tokens INTEGER NOT NULL,
        cached_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, charged_nano INTEGER NOT NULL, shortfall_nano INTEGER NOT NULL,
        duration_ms INTEGER NOT NULL, first_byte_ms INTEGER NOT NULL, first_bytes INTEGER NOT NULL,
        PRIMARY KEY (hour, group_id, model, class)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO group_hours
        SELECT r.started_at_ms / 3600000, r.group_id, r.model, r.status / 100,
               count(*), sum(r.status = 0 OR r.status >= 400), sum(r.usage_from = 'estimated'),
               sum(r.input + r.cached_input + r.cache_write + r.cache_write_1h + r.image_input + r.cached_image_input + r.audio_input
                   + r.cached_audio_input),
               sum(r.cached_input + r.cached_image_input + r.cached_audio_input),
               sum(r.output + r.reasoning + r.image_output + r.audio_output), sum(r.amount_nano - r.shortfall_nano), sum(r.shortfall_nano),
               sum(r.duration_ms), sum(coalesce(r.first_byte_ms, 0)), sum(r.first_byte_ms IS NOT NULL)
        FROM usage_records r WHERE r.id <= (SELECT value FROM meta WHERE name = 'folded_to') GROUP BY 1, 2, 3, 4;
    CREATE TABLE key_sums (
        key_id INTEGER PRIMARY KEY, hour INTEGER NOT NULL,
        requests INTEGER NOT NULL, failed INTEGER NOT NULL, estimated INTEGER NOT NULL, input_tokens INTEGER NOT NULL,
        cached_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, charged_nano INTEGER NOT NULL, shortfall_nano INTEGER NOT NULL,
        duration_ms INTEGER NOT NULL, first_byte_ms INTEGER NOT NULL, first_bytes INTEGER NOT NULL
    ) STRICT;
    INSERT INTO key_sums SELECT * FROM key_totals t WHERE hour = (SELECT max(hour) FROM key_totals WHERE key_id = t.key_id);
    CREATE INDEX keys_group ON keys (group_id) WHERE deleted_at_ms IS NULL;
    CREATE INDEX keys_quota ON keys (quota_id) WHERE deleted_at_ms IS NULL;
    CREATE INDEX usage_records_key_trouble ON usage_records (key_id, id)
        WHERE status >= 400 OR status = 0 OR ended <> 'complete' OR instr(attempts, '},{') > 0;
    """,
)
"""`user_version` N means that steps 1 to N ran."""
