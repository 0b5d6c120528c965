from __future__ import annotations

from pathlib import Path

import pytest

from laidian.domain.latency import CLASSES
from laidian.store import migrations
from laidian.store.connection import Connection
from laidian.store.database import connect, migrate
from laidian.store.upstreams import PROBES_KEPT, ProbeRow, insert_probe
from laidian.store.uptime import (
    DAYS_KEPT,
    HOUR_MS,
    Asked,
    Demand,
    HourRow,
    read_demand,
    read_hours,
)

START_MS = 1_795_341_600_000
"""2026-11-22T10:00:00Z, when an hour begins."""
HOUR = START_MS // HOUR_MS
UPSTREAM = "INSERT INTO upstreams (id, name, kind, base_url, created_at_ms) VALUES (?, 'up-' || ?, 'openai', 'http://127.0.0.1:9', 0)"


@pytest.fixture
def connection(tmp_path: Path) -> Connection:
    migrate(tmp_path / "laidian.db")
    connection = connect(tmp_path / "laidian.db")
    for number in (1, 2):
        connection.execute(UPSTREAM, (number, number))
    return connection


def probe(connection: Connection, at_ms: int, *, ok: bool = True, upstream: int = 1) -> None:
    insert_probe(connection, ProbeRow(upstream, at_ms, int(ok), 200 if ok else 500, 5, 3, "" if ok else "no"))


def test_probes_add_up_by_the_hour_and_upstream(connection: Connection):
    probe(connection, START_MS)
    probe(connection, START_MS + HOUR_MS - 1, ok=False)
    probe(connection, START_MS + HOUR_MS)
    probe(connection, START_MS, upstream=2, ok=False)
    assert read_hours(connection, 0) == [
        HourRow(1, HOUR, 2, 1),
        HourRow(1, HOUR + 1, 1, 1),
        HourRow(2, HOUR, 1, 0),
    ]
    assert read_hours(connection, HOUR + 1) == [HourRow(1, HOUR + 1, 1, 1)]


def test_an_hour_outlives_its_single_probes_and_goes_after_ninety_days(connection: Connection):
    for number in range(PROBES_KEPT + 10):
        probe(connection, START_MS + number)
    (kept,) = connection.execute("SELECT count(*) FROM probes").fetchone()
    assert kept == PROBES_KEPT
    assert read_hours(connection, 0) == [HourRow(1, HOUR, PROBES_KEPT + 10, PROBES_KEPT + 10)]
    probe(connection, START_MS + DAYS_KEPT * 24 * HOUR_MS)
    assert [row.hour for row in read_hours(connection, 0)] == [HOUR, HOUR + DAYS_KEPT * 24]
    probe(connection, START_MS + (DAYS_KEPT * 24 + 1) * HOUR_MS)
    assert HOUR not in [row.hour for row in read_hours(connection, 0)]


def test_a_database_from_before_begins_with_the_probes_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "old.db"
    (before,) = [number for number, step in enumerate(migrations.STEPS) if "TABLE probe_hours" in step]
    with monkeypatch.context() as patch:
        patch.setattr("laidian.store.database.STEPS", migrations.STEPS[:before])
        migrate(path)
    connection = connect(path)
    connection.execute(UPSTREAM, (1, 1))
    for at_ms, ok in ((START_MS, 1), (START_MS + 1, 0)):
        connection.execute(
            "INSERT INTO probes (upstream_id, at_ms, ok, duration_ms, reason) VALUES (1, ?, ?, 5, '')",
            (at_ms, ok),
        )
    connection.commit()
    connection.close()
    migrate(path)
    assert read_hours(connect(path), 0) == [HourRow(1, HOUR, 2, 1)]


def count(connection: Connection, table: str, **values: int | str) -> None:
    """A row of a rollup, zero where nothing is said."""
    columns = [name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")]
    row = [values.get(name, 0) for name in columns]
    connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)


def test_what_was_asked_of_a_model_is_told_by_hour_and_day(connection: Connection):
    day = HOUR // 24
    for table, period, at in (("usage_hours", "hour", HOUR), ("usage_days", "day", day)):
        for kind, requests in ((2, 6), (4, 2), (5, 1), (0, 1)):
            row = {
                period: at,
                "model": "m",
                "upstream_id": 1,
                "class": kind,
                "requests": requests,
                "f3": requests,
            }
            count(connection, table, **row)
        count(
            connection, table, **{period: at - 1, "model": "old", "upstream_id": 1, "class": 2, "requests": 9}
        )
    assert read_demand(connection, HOUR, day) == {
        "m": Demand(
            {HOUR: Asked(10, 8)},
            {day: Asked(10, 8)},
            tuple(6 if number == 3 else 0 for number in range(CLASSES)),
        )
    }
    assert set(read_demand(connection, 0, 0)) == {"m", "old"}
