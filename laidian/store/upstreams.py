"""Rows of upstreams, their sealed credentials, what probes found, and which circuits rest.

A sealed value never leaves this file but into a vault: rows that are read for people have no column for it.
"""

from __future__ import annotations

import msgspec

from laidian.store.connection import Connection
from laidian.store.uptime import add_probe

PROBES_KEPT = 1_000
"""Of each upstream: a week at one every ten minutes."""


class UpstreamRow(msgspec.Struct, frozen=True):
    id: int
    name: str
    kind: str
    base_url: str
    enabled: int
    priority: int
    weight: int
    max_concurrent: int | None
    proxy_shown: str
    models: str
    aliases: str
    """Both are JSON."""
    connect_timeout_s: float
    first_byte_timeout_s: float
    idle_timeout_s: float
    from_config: int
    created_at_ms: int
    discovered: int
    in_flight: int


class UpstreamValues(msgspec.Struct, frozen=True):
    """The columns an edit may change; the proxy apart, since it is sealed."""

    name: str
    base_url: str
    enabled: bool
    priority: int
    weight: int
    max_concurrent: int | None
    models: tuple[str, ...]
    aliases: dict[str, str]
    connect_timeout_s: float
    first_byte_timeout_s: float
    idle_timeout_s: float
    from_config: bool


class CredentialRow(msgspec.Struct, frozen=True):
    id: int
    upstream_id: int
    label: str
    fingerprint: str
    enabled: int
    created_at_ms: int


class ProbeRow(msgspec.Struct, frozen=True):
    upstream_id: int
    at_ms: int
    ok: int
    status: int | None
    duration_ms: int
    models: int | None
    reason: str


class CircuitRow(msgspec.Struct, frozen=True):
    upstream_id: int
    upstream: str
    credential: str
    """Label; empty for whatever credential."""
    model: str
    open_until_ms: int
    failures: int
    reason: str
    changed_at_ms: int


_SELECT = """
    SELECT u.id, u.name, u.kind, u.base_url, u.enabled, u.priority, u.weight, u.max_concurrent, u.proxy_shown, u.models, u.aliases,
           u.connect_timeout_s, u.first_byte_timeout_s, u.idle_timeout_s, u.from_config, u.created_at_ms,
           (SELECT count(*) FROM discovered_models d WHERE d.upstream_id = u.id),
           (SELECT count(*) FROM holds h WHERE h.upstream_id = u.id)
    FROM upstreams u
"""
_CREDENTIALS = "SELECT id, upstream_id, label, fingerprint, enabled, created_at_ms FROM credentials WHERE sealed IS NOT NULL"


def read_upstreams(connection: Connection) -> list[UpstreamRow]:
    """Every upstream that is not deleted, by name."""
    rows = connection.execute(f"{_SELECT} WHERE u.deleted_at_ms IS NULL ORDER BY u.name")
    return [UpstreamRow(*row) for row in rows]


def read_upstream(connection: Connection, upstream_id: int) -> UpstreamRow:
    return UpstreamRow(*connection.execute(f"{_SELECT} WHERE u.id = ?", (upstream_id,)).fetchone())


def insert_upstream(connection: Connection, values: UpstreamValues, kind: str, now_ms: int) -> int:
    """The new upstream's id."""
    cursor = connection.execute(
        "INSERT INTO upstreams (name, base_url, enabled, priority, weight, max_concurrent, models, aliases, connect_timeout_s, "
        "first_byte_timeout_s, idle_timeout_s, from_config, kind, created_at_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*_columns(values), kind, now_ms),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def update_upstream(connection: Connection, upstream_id: int, values: UpstreamValues) -> None:
    connection.execute(
        "UPDATE upstreams SET name = ?, base_url = ?, enabled = ?, priority = ?, weight = ?, max_concurrent = ?, models = ?, "
        "aliases = ?, connect_timeout_s = ?, first_byte_timeout_s = ?, idle_timeout_s = ?, from_config = ? WHERE id = ?",
        (*_columns(values), upstream_id),
    )


def replace_kind(connection: Connection, upstream_id: int, kind: str) -> None:
    """Only for what config.toml provisions: a person deletes and adds."""
    connection.execute("UPDATE upstreams SET kind = ? WHERE id = ?", (kind, upstream_id))


def replace_proxy(connection: Connection, upstream_id: int, sealed: bytes | None, shown: str) -> None:
    connection.execute(
        "UPDATE upstreams SET proxy_sealed = ?, proxy_shown = ? WHERE id = ?", (sealed, shown, upstream_id)
    )


def sealed_proxy(connection: Connection, upstream_id: int) -> bytes | None:
    (sealed,) = connection.execute(
        "SELECT proxy_sealed FROM upstreams WHERE id = ?", (upstream_id,)
    ).fetchone()
    return sealed


def delete_upstream(connection: Connection, upstream_id: int, now_ms: int) -> None:
    """Soft, since records name it; its secrets are erased."""
    connection.execute(
        "UPDATE upstreams SET deleted_at_ms = ?, enabled = 0, proxy_sealed = NULL WHERE id = ?",
        (now_ms, upstream_id),
    )
    connection.execute(
        "UPDATE credentials SET sealed = NULL, enabled = 0 WHERE upstream_id = ?", (upstream_id,)
    )
    connection.execute("DELETE FROM circuits WHERE upstream_id = ?", (upstream_id,))
    connection.execute("DELETE FROM discovered_models WHERE upstream_id = ?", (upstream_id,))


def groups_of_upstream(connection: Connection) -> dict[int, list[str]]:
    """Names of the groups that name an upstream, by upstream id."""
    names: dict[int, list[str]] = {}
    for upstream_id, group in connection.execute(
        "SELECT r.upstream_id, g.name FROM group_upstreams r JOIN groups g ON g.id = r.group_id "
        "WHERE g.deleted_at_ms IS NULL ORDER BY g.name"
    ):
        names.setdefault(upstream_id, []).append(group)
    return names


# Credentials


def read_credentials(connection: Connection) -> dict[int, list[CredentialRow]]:
    """Those that were not deleted, by upstream id, oldest first."""
    found: dict[int, list[CredentialRow]] = {}
    for row in connection.execute(f"{_CREDENTIALS} ORDER BY id"):
        credential = CredentialRow(*row)
        found.setdefault(credential.upstream_id, []).append(credential)
    return found


def insert_credential(
    connection: Connection, upstream_id: int, label: str, fingerprint: str, now_ms: int
) -> int:
    """The new credential's id, which its secret is then sealed for."""
    cursor = connection.execute(
        "INSERT INTO credentials (upstream_id, label, fingerprint, created_at_ms) VALUES (?, ?, ?, ?)",
        (upstream_id, label, fingerprint, now_ms),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def seal_credential(connection: Connection, credential_id: int, sealed: bytes, fingerprint: str) -> None:
    """Replaces the secret and forgets what was held against the old one."""
    connection.execute(
        "UPDATE credentials SET sealed = ?, fingerprint = ? WHERE id = ?",
        (sealed, fingerprint, credential_id),
    )
    connection.execute("DELETE FROM circuits WHERE credential_id = ?", (credential_id,))


def update_credential(connection: Connection, credential_id: int, label: str, *, enabled: bool) -> None:
    connection.execute(
        "UPDATE credentials SET label = ?, enabled = ? WHERE id = ?", (label, enabled, credential_id)
    )


def erase_credential(connection: Connection, credential_id: int) -> None:
    """The row stays for the records that name it; the secret does not."""
    connection.execute("UPDATE credentials SET sealed = NULL, enabled = 0 WHERE id = ?", (credential_id,))
    connection.execute("DELETE FROM circuits WHERE credential_id = ?", (credential_id,))


# Probes


def read_models(connection: Connection, upstream_id: int) -> list[str]:
    """What the last successful probe listed."""
    rows = connection.execute(
        "SELECT model FROM discovered_models WHERE upstream_id = ? ORDER BY model", (upstream_id,)
    )
    return [model for (model,) in rows]


def replace_models(connection: Connection, upstream_id: int, models: tuple[str, ...], now_ms: int) -> None:
    connection.execute("DELETE FROM discovered_models WHERE upstream_id = ?", (upstream_id,))
    connection.executemany(
        "INSERT OR IGNORE INTO discovered_models (upstream_id, model, seen_at_ms) VALUES (?, ?, ?)",
        [(upstream_id, model, now_ms) for model in models],
    )


def insert_probe(connection: Connection, probe: ProbeRow) -> None:
    """Keeps a probe, and the last PROBES_KEPT of its upstream; it counts in its hour for longer."""
    add_probe(connection, probe.upstream_id, probe.at_ms, ok=bool(probe.ok))
    connection.execute(
        "INSERT INTO probes (upstream_id, at_ms, ok, status, duration_ms, models, reason) VALUES (?, ?, ?, ?, ?, ?, ?)",
        msgspec.structs.astuple(probe),
    )
    connection.execute(
        "DELETE FROM probes WHERE upstream_id = ? AND id <= (SELECT id FROM probes WHERE upstream_id = ? "
        "ORDER BY id DESC LIMIT 1 OFFSET ?)",
        (probe.upstream_id, probe.upstream_id, PROBES_KEPT),
    )


def read_probes(connection: Connection, upstream_id: int, limit: int) -> list[ProbeRow]:
    """Newest first."""
    rows = connection.execute(
        "SELECT upstream_id, at_ms, ok, status, duration_ms, models, reason FROM probes WHERE upstream_id = ? "
        "ORDER BY id DESC LIMIT ?",
        (upstream_id, limit),
    )
    return [ProbeRow(*row) for row in rows]


def last_probes(connection: Connection) -> dict[int, ProbeRow]:
    """The newest of each upstream, by upstream id."""
    rows = connection.execute(
        "SELECT upstream_id, at_ms, ok, status, duration_ms, models, reason FROM probes "
        "WHERE id IN (SELECT max(id) FROM probes GROUP BY upstream_id)"
    )
    return {row[0]: ProbeRow(*row) for row in rows}


# Circuits


def list_circuits(connection: Connection) -> list[CircuitRow]:
    """Every open or half-open circuit, by upstream."""
    rows = connection.execute(
        "SELECT c.upstream_id, u.name, coalesce(k.label, ''), c.model, c.open_until_ms, c.failures, c.reason, c.changed_at_ms "
        "FROM circuits c JOIN upstreams u ON u.id = c.upstream_id LEFT JOIN credentials k ON k.id = c.credential_id "
        "WHERE u.deleted_at_ms IS NULL ORDER BY u.name, k.label, c.model"
    )
    return [CircuitRow(*row) for row in rows]


def reset_circuits(connection: Connection, upstream_id: int | None) -> int:
    """Closes all circuits, of one upstream or of every; returns how many there were."""
    cursor = connection.execute(
        "DELETE FROM circuits WHERE ? IS NULL OR upstream_id = ?", (upstream_id, upstream_id)
    )
    return cursor.rowcount


def _columns(values: UpstreamValues) -> tuple[object, ...]:
    return (
        values.name, values.base_url, values.enabled, values.priority, values.weight, values.max_concurrent,
        msgspec.json.encode(values.models).decode(), msgspec.json.encode(values.aliases).decode(),
        values.connect_timeout_s, values.first_byte_timeout_s, values.idle_timeout_s, values.from_config,
    )  # fmt: skip


def ids_by_name(connection: Connection) -> dict[str, int]:
    """Of the upstreams that are not deleted."""
    return dict(connection.execute("SELECT name, id FROM upstreams WHERE deleted_at_ms IS NULL").fetchall())
