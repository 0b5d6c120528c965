"""Columns of usage records: the same on the dashboard, among the live requests and in the usage explorer."""

from __future__ import annotations

from laidian.admin.schema import UsageRecord
from tui.cells import Cell
from tui.columns import Column
from tui.idiom import Idiom
from tui.text import clock, count, milliseconds, short_dollars


def status(record: UsageRecord, _: Idiom) -> Cell:
    if record.status == 0:
        return Cell("-", "bad")
    return Cell(
        str(record.status), "bad" if record.status >= 500 else "warn" if record.status >= 400 else "plain"
    )


def cost(record: UsageRecord, _: Idiom) -> str:
    """An estimate is marked as one."""
    return short_dollars(record.cost_usd) + ("~" if record.usage_from == "estimated" else "")


def upstream(record: UsageRecord, _: Idiom) -> str:
    return record.upstream or "-"


RECORD = (
    Column[UsageRecord]("time", lambda w: w.table.time, lambda one, _: clock(one.started_at), width=8),
    Column[UsageRecord]("key", lambda w: w.table.key, lambda one, _: one.key, width=11, grow=2, most=28),
    Column[UsageRecord]("model", lambda w: w.table.model, lambda one, _: one.model or one.asked_model, width=14, grow=2, most=36),
    Column[UsageRecord]("upstream", lambda w: w.table.upstream, upstream, width=9, grow=1, most=20, rank=3),
    Column[UsageRecord]("path", lambda w: w.table.path, lambda one, _: one.operation, width=16, wide=True),
    Column[UsageRecord]("status", lambda w: w.table.status, status, width=6),
    Column[UsageRecord]("in", lambda w: w.table.input, lambda one, _: count(one.input_tokens), width=8, right=True, rank=2),
    Column[UsageRecord]("cached", lambda w: w.table.cached, lambda one, _: count(one.cached_tokens), width=7, right=True, wide=True),
    Column[UsageRecord]("out", lambda w: w.table.output, lambda one, _: count(one.output_tokens), width=7, right=True, rank=2),
    Column[UsageRecord]("cost", lambda w: w.table.cost, cost, width=9, right=True),
    Column[UsageRecord](
        "first", lambda w: w.table.first_byte, lambda one, _: "-" if one.first_byte_ms is None else milliseconds(one.first_byte_ms),
        width=7, right=True, rank=4,
    ),
    Column[UsageRecord]("took", lambda w: w.table.took, lambda one, _: milliseconds(one.duration_ms), width=7, right=True, rank=1),
    Column[UsageRecord]("ended", lambda w: w.table.ended, lambda one, idiom: idiom.ended(one.ended), width=14, rank=5),
    Column[UsageRecord]("client", lambda w: w.table.client, lambda one, _: one.client, width=16, grow=1, most=30, wide=True),
    Column[UsageRecord]("request_id", lambda w: w.table.request_id, lambda one, _: one.request_id, width=20, wide=True),
)  # fmt: skip


def faulty(record: UsageRecord) -> bool:
    """Whether somebody did not get what they asked for."""
    return record.status >= 400 or record.status == 0 or record.kind == "refused"


def why(record: UsageRecord, idiom: Idiom) -> str:
    """In words: the server's sentence, or at least how it ended and what that is called."""
    if record.message:
        return record.message
    return " ".join(part for part in (idiom.ended(record.ended or record.kind), record.error_code) if part)
