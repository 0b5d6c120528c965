"""What is new since a reader looked last: the rows behind the stream of events.

Ids rise in the order in which transactions are committed, since writers take turns (store.database), so "everything after this id" is
complete whenever it is asked.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import astuple

from laidian.store.connection import Connection
from laidian.store.operations import OperationRow, operations_after
from laidian.store.refusals import SELECT as SELECT_REFUSALS
from laidian.store.refusals import RefusalRow
from laidian.store.upstreams import ProbeRow
from laidian.store.usage import SELECT as SELECT_RECORDS
from laidian.store.usage import RecordRow, record_row


class Marks(msgspec.Struct, frozen=True):
    """The newest row of each kind that a reader has seen."""

    record_id: int
    refusal_id: int
    probe_id: int
    operation_id: int


class News(msgspec.Struct, frozen=True):
    marks: Marks
    records: list[RecordRow]
    refusals: list[RefusalRow]
    probes: list[tuple[str, ProbeRow]]
    """With the upstream's name."""
    operations: list[OperationRow]
    cut: bool
    """There was more than the limit of some kind: rows are left out. Or the reader has seen what is not there: another database."""


_MARKS = """
    SELECT coalesce((SELECT max(id) FROM usage_records), 0), coalesce((SELECT max(id) FROM refusals), 0),
           coalesce((SELECT max(id) FROM probes), 0), coalesce((SELECT max(id) FROM operations), 0)
"""


def read_marks(connection: Connection) -> Marks:
    return Marks(*connection.execute(_MARKS).fetchone())


def read_news(connection: Connection, seen: Marks, limit: int) -> News:
    """Everything after `seen`, oldest first; at most the newest `limit` of each kind."""
    marks = read_marks(connection)
    begin = Marks(*(max(then, now - limit) for then, now in zip(astuple(seen), astuple(marks), strict=True)))
    records = connection.execute(f"{SELECT_RECORDS} WHERE r.id > ? ORDER BY r.id", (begin.record_id,))
    refusals = connection.execute(f"{SELECT_REFUSALS} WHERE f.id > ? ORDER BY f.id", (begin.refusal_id,))
    probes = connection.execute(
        "SELECT u.name, p.upstream_id, p.at_ms, p.ok, p.status, p.duration_ms, p.models, p.reason FROM probes p "
        "JOIN upstreams u ON u.id = p.upstream_id WHERE p.id > ? ORDER BY p.id",
        (begin.probe_id,),
    )
    return News(
        marks=marks,
        records=[record_row(row) for row in records],
        refusals=[RefusalRow(*row) for row in refusals],
        probes=[(row[0], ProbeRow(*row[1:])) for row in probes],
        operations=operations_after(connection, begin.operation_id, limit),
        # behind: another database, one that was put back, has less than the reader has seen
        cut=begin != seen or any(now < then for now, then in zip(astuple(marks), astuple(seen), strict=True)),
    )
