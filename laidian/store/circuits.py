"""Open circuits as rows, so that workers share them and a restart remembers."""

from __future__ import annotations

import sqlite3

from laidian.domain.circuit import Circuit, CircuitKey


def read_circuits(connection: sqlite3.Connection) -> dict[CircuitKey, Circuit]:
    rows = connection.execute(
        "SELECT upstream_id, credential_id, model, failures, open_until_ms, reason FROM circuits"
    )
    return {
        CircuitKey(upstream_id, credential_id, model): Circuit(failures, open_until_ms, reason)
        for upstream_id, credential_id, model, failures, open_until_ms, reason in rows
    }


def write_circuit(
    connection: sqlite3.Connection, key: CircuitKey, circuit: Circuit | None, now_ms: int
) -> None:
    """Keeps an opened circuit, or forgets a closed one."""
    where = (key.upstream_id, key.credential_id, key.model)
    if circuit is None:
        connection.execute(
            "DELETE FROM circuits WHERE upstream_id = ? AND credential_id = ? AND model = ?", where
        )
        return
    connection.execute(
        "INSERT INTO circuits (upstream_id, credential_id, model, open_until_ms, failures, reason, changed_at_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (upstream_id, credential_id, model) DO UPDATE SET "
        "open_until_ms = excluded.open_until_ms, failures = excluded.failures, reason = excluded.reason, "
        "changed_at_ms = excluded.changed_at_ms",
        (*where, circuit.open_until_ms, circuit.failures, circuit.reason, now_ms),
    )
