"""What must be true of the ledger's rows at any instant, as SQL of its own: no rule of the product is used to judge it."""

from __future__ import annotations

import sqlite3

IDENTITIES: dict[str, str] = {
    "a prepaid quota has less than nothing left": """
        SELECT id, credited_nano - held_nano - spent_nano FROM quotas
        WHERE kind = 'prepaid' AND credited_nano - held_nano - spent_nano < 0
    """,
    "credited is not the sum of the credits": """
        SELECT q.id, q.credited_nano, (SELECT coalesce(sum(amount_nano), 0) FROM credits c WHERE c.quota_id = q.id) AS proven
        FROM quotas q WHERE q.credited_nano <> proven
    """,
    "a quota's held is not the sum of its holds": """
        SELECT q.id, q.held_nano, (SELECT coalesce(sum(amount_nano), 0) FROM holds h WHERE h.quota_id = q.id) AS proven
        FROM quotas q WHERE q.held_nano <> proven
    """,
    "a quota's spent is not the sum of its records": """
        SELECT q.id, q.spent_nano,
               (SELECT coalesce(sum(amount_nano - shortfall_nano), 0) FROM usage_records r WHERE r.quota_id = q.id) AS proven
        FROM quotas q WHERE q.spent_nano <> proven
    """,
    "a key's held is not the sum of its holds": """
        SELECT k.id, k.held_nano, (SELECT coalesce(sum(amount_nano), 0) FROM holds h WHERE h.key_id = k.id) AS proven
        FROM keys k WHERE k.held_nano <> proven
    """,
    "a key's spent is not the sum of its records": """
        SELECT k.id, k.spent_nano,
               (SELECT coalesce(sum(amount_nano - shortfall_nano), 0) FROM usage_records r WHERE r.key_id = k.id) AS proven
        FROM keys k WHERE k.spent_nano <> proven
    """,
    "a window's held is not the sum of its holds": """
        SELECT w.quota_id, w.kind, w.start_ms, w.held_nano,
               (SELECT coalesce(sum(h.amount_nano), 0) FROM holds h
                WHERE h.quota_id = w.quota_id AND json_extract(h.windows, '$."' || w.kind || '"') = w.start_ms) AS proven
        FROM plan_windows w WHERE w.held_nano <> proven
    """,
    "a window's spent is not the sum of its records": """
        SELECT w.quota_id, w.kind, w.start_ms, w.spent_nano,
               (SELECT coalesce(sum(r.amount_nano - r.shortfall_nano), 0) FROM usage_records r
                WHERE r.quota_id = w.quota_id AND json_extract(r.windows, '$."' || w.kind || '"') = w.start_ms) AS proven
        FROM plan_windows w WHERE w.spent_nano <> proven
    """,
    "a hold counts in a window that does not exist": """
        SELECT h.request_id, j.key, j.value FROM holds h, json_each(h.windows) j
        WHERE NOT EXISTS (SELECT 1 FROM plan_windows w
                          WHERE w.quota_id = h.quota_id AND w.kind = j.key AND w.start_ms = j.value)
    """,
    "two windows of one kind overlap": """
        SELECT a.quota_id, a.kind, a.start_ms, b.start_ms FROM plan_windows a JOIN plan_windows b
        ON b.quota_id = a.quota_id AND b.kind = a.kind AND b.start_ms > a.start_ms AND b.start_ms < a.start_ms + 18000000
        WHERE a.kind = '5h'
    """,
    "a request is held and settled": """
        SELECT h.request_id FROM holds h JOIN usage_records r ON r.request_id = h.request_id
    """,
    "a hold has no worker": "SELECT request_id, owner FROM holds WHERE owner NOT IN (SELECT id FROM workers)",
    "a record names a price that does not exist": """
        SELECT request_id, price_version FROM usage_records WHERE price_version NOT IN (SELECT version FROM prices)
    """,
    "a hold names a price that does not exist": """
        SELECT request_id, price_version FROM holds WHERE price_version NOT IN (SELECT version FROM prices)
    """,
}
"""Sentence to a query of the rows that break it."""

LIMITS: dict[str, str] = {
    "a key is above its limit": """
        SELECT id, limit_nano, held_nano, spent_nano FROM keys WHERE held_nano + spent_nano > limit_nano
    """,
    "a window is above its limit": """
        SELECT w.quota_id, w.kind, w.start_ms, w.held_nano, w.spent_nano, j.value FROM plan_windows w
        JOIN quotas q ON q.id = w.quota_id JOIN json_each(q.limits_nano) j ON j.key = w.kind
        WHERE w.held_nano + w.spent_nano > j.value
    """,
}
"""True as long as no operator lowers a limit below what is used already."""


def violations(connection: sqlite3.Connection, *, limits: bool = True, file: bool = True) -> list[str]:
    """Every identity that does not hold, with its rows, in one consistent view. Empty when all is well.

    `limits` also judges LIMITS, `file` also the file's own structure.
    """
    connection.execute("BEGIN")
    try:
        found: list[str] = []
        for sentence, query in (IDENTITIES | LIMITS if limits else IDENTITIES).items():
            rows = connection.execute(query).fetchall()
            if rows:
                found.append(f"{sentence}: {rows[:5]}")
        if not file:
            return found
        (verdict,) = connection.execute("PRAGMA quick_check").fetchone()
        return found if verdict == "ok" else [*found, f"the file is damaged: {verdict}"]
    finally:
        connection.execute("COMMIT")
