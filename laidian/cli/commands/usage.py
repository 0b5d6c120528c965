"""`laidian usage`: what was asked, what it cost, and the calculation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, get_args

import click

from laidian.admin.schema import (
    Attempt,
    Grouping,
    LiveRequest,
    ReceiptLine,
    UsageDetail,
    UsageRecord,
    UsageRow,
    UsageSummary,
)
from laidian.cli.call import Call, Command, ListCommand, Noun, with_call
from laidian.cli.clock import now
from laidian.cli.names import named
from laidian.cli.output import (
    csv_head,
    csv_line,
    put_json_line,
    put_list,
    put_one,
    put_table,
)
from laidian.cli.reach import ask, target
from laidian.cli.table import Column
from laidian.cli.text import clean, dollars, milliseconds, moment

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient, UsageFilter

PAGE = 200
"""Records asked for at once."""
POLL_S = 1.0
GROUPINGS: tuple[Grouping, ...] = get_args(Grouping)
REQUEST = click.argument("request_id")


@click.group(cls=Noun)
def usage() -> None:
    """Usage records: one for every accepted request. Alone: `list`.

    \b
    laidian usage --since 24h --group-by key
    laidian usage tail
    """


def _filters(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(
        [
            click.option("--since", metavar="WHEN", default="", help="`24h`, a date, or ISO 8601."),
            click.option("--until", metavar="WHEN", default=""),
            click.option("--key", metavar="KEY", default="", shell_complete=named("keys")),
            click.option("--model", metavar="MODEL", default=""),
            click.option("--group", metavar="GROUP", default="", shell_complete=named("groups")),
            click.option("--upstream", metavar="NAME", default="", shell_complete=named("upstreams")),
            click.option(
                "--ended",
                metavar="HOW",
                default="",
                help="complete, client_closed, upstream_fault, refused …",
            ),
            click.option("--status", type=int, metavar="N", help="HTTP status."),
        ]
    ):
        function = option(function)
    return function


@usage.command("list", cls=ListCommand)
@_filters
@click.option("--request-id", metavar="ID", default="", help="Or its start.")
@click.option(
    "--limit", type=click.IntRange(0), default=100, show_default=True, metavar="N", help="0: all there are."
)
@click.option("--group-by", type=click.Choice(GROUPINGS), help="Add up instead, as `summary` does.")
@with_call
def list_usage(call: Call, limit: int, group_by: Grouping | None, **given: Any) -> None:
    """List usage records, newest first.

    \b
    laidian usage --since 24h --key alice
    laidian usage --since 24h --group-by model
    laidian usage list --json --limit 0
    """
    if group_by is not None:
        if given.pop("request_id"):
            raise click.UsageError(
                "--request-id and --group-by exclude each other.", click.get_current_context()
            )
        _put_summary(call, group_by, given)
        return
    records, more = ask(call, lambda client: _collect(client, _only(given), limit))
    put_list(call, UsageRecord, records, _columns(), empty="no usage records.")
    if more:
        call.narrate(f"These are the newest {limit}; there are more (--limit N, or --limit 0 for all).")


async def _collect(client: AdminClient, only: UsageFilter, limit: int) -> tuple[list[UsageRecord], bool]:
    """Page by page until there are enough, and whether there are more. 0: all."""
    found: list[UsageRecord] = []
    cursor: str | None = None
    while True:
        wanted = PAGE if not limit else min(PAGE, limit - len(found))
        page = await client.usage(only, limit=wanted, cursor=cursor)
        found += page.items
        cursor = page.next
        if cursor is None or (limit and len(found) >= limit):
            return found, cursor is not None


@usage.command("show")
@REQUEST
@with_call
def show_usage(call: Call, request_id: str) -> None:
    """Show one request with its receipt: every line of the price, and which upstreams were tried.

    \b
    laidian usage show req_0123abcd

    The id is what the client saw in `x-request-id`.
    """
    detail = ask(call, lambda client: client.usage_detail(request_id))
    _put_detail(call, detail)


@usage.command("summary", cls=ListCommand)
@click.option(
    "--by",
    type=click.Choice(GROUPINGS),
    default="day",
    show_default=True,
    help="What to add up by.",
)
@_filters
@with_call
def summary(call: Call, by: Grouping, **given: Any) -> None:
    """Add usage records up.

    \b
    laidian usage summary --by model --since 30d
    laidian usage summary --by key --csv
    """
    _put_summary(call, by, given)


def _put_summary(call: Call, by: Grouping, given: dict[str, Any]) -> None:
    found = ask(call, lambda client: client.usage_summary(by, _only(given)))
    if call.json and not call.fields:
        put_one(call, found, [])
        return
    rows = found.rows if call.csv or call.json or call.fields else _with_total(found)
    put_list(call, UsageRow, rows, _row_columns(by), empty="no usage records.")


@usage.command("export")
@_filters
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "csv"]),
    default="jsonl",
    show_default=True,
    help="One JSON document a line, or comma-separated values.",
)
@with_call
def export(call: Call, form: str, **given: Any) -> None:
    """Write all usage records to stdout, one by one.

    \b
    laidian usage export --since 2026-11-01 --format csv > november.csv
    """

    async def write(client: AdminClient) -> int:
        count = 0
        if form == "csv":
            click.echo(csv_head(call, UsageRecord), nl=False)
        async for record in client.export_usage(_only(given)):
            if form == "csv":
                click.echo(csv_line(call, record), nl=False)
            else:
                put_json_line(call, record)
            count += 1
        return count

    count = ask(call, write)
    call.narrate(f"{count} records.")


@usage.command("tail", cls=Command)
@_filters
@click.option(
    "-n",
    "--last",
    type=click.IntRange(0, PAGE),
    default=10,
    show_default=True,
    metavar="N",
    help="Begin with so many.",
)
@with_call
def tail(call: Call, last: int, **given: Any) -> None:
    """Print requests as they are settled, until Ctrl-C. With --json one document a line.

    \b
    laidian usage tail
    laidian usage tail --key alice --json
    """

    async def follow(client: AdminClient) -> None:
        only = _only(given)
        page = await client.usage(only, limit=max(last, 1))
        seen = _Seen(page.items)
        for record in reversed(page.items[:last]):
            _put_line(call, record)
        whom = target(call)
        if whom.folder is not None and not whom.folder.served():
            call.narrate("No server runs from this data folder, so nothing more will come.")
            return
        while True:
            await asyncio.sleep(POLL_S)
            for record in await _newer(client, only, seen):
                _put_line(call, record)

    ask(call, follow)


class _Seen:
    """Which records were printed. Records come in the order they were settled, so the newest known one is where to stop."""

    def __init__(self, newest_first: Sequence[UsageRecord]) -> None:
        self._ids = {record.request_id for record in newest_first}

    def unknown(self, records: Sequence[UsageRecord]) -> list[UsageRecord]:
        return [record for record in records if record.request_id not in self._ids]

    def add(self, records: Sequence[UsageRecord]) -> None:
        self._ids |= {record.request_id for record in records}


async def _newer(client: AdminClient, only: UsageFilter, seen: _Seen) -> list[UsageRecord]:
    """Settled since the last look, oldest first; follows pages until one holds something known."""
    found: list[UsageRecord] = []
    cursor: str | None = None
    while True:
        page = await client.usage(only, limit=PAGE, cursor=cursor)
        new = seen.unknown(page.items)
        found += new
        cursor = page.next
        if cursor is None or len(new) < len(page.items):
            break
    seen.add(found)
    return found[::-1]


@usage.command("live", cls=ListCommand)
@with_call
def live(call: Call) -> None:
    """List requests in flight.

    \b
    laidian usage live
    """
    columns: tuple[Column[LiveRequest], ...] = (
        Column("request", lambda one: one.request_id),
        Column("key", lambda one: one.key),
        Column("model", lambda one: one.model),
        Column("upstream", lambda one: one.upstream or "-"),
        Column("age", lambda one: milliseconds(one.age_ms), right=True),
        Column("in", lambda one: str(one.input_tokens), right=True, optional=True),
        Column("out", lambda one: str(one.output_tokens), right=True),
        Column("held", lambda one: dollars(one.held_usd), right=True),
        Column("group", lambda one: one.group, optional=True),
    )
    put_list(
        call, LiveRequest, ask(call, lambda client: client.live()), columns, empty="no request is in flight."
    )


@usage.command("end")
@REQUEST
@with_call
def end(call: Call, request_id: str) -> None:
    """End a request in flight; it is settled for what it used.

    \b
    laidian usage end req_0123abcd
    """
    call.confirm(f"Request {request_id} is going to be cut off.", request_id)
    told = ask(call, lambda client: client.end_request(request_id))
    call.narrate(f"Request {told.request_id} was told to end.")
    if call.json:
        put_one(call, told, [])


def _only(given: dict[str, Any]) -> UsageFilter:
    from laidian.admin.client import UsageFilter

    return UsageFilter(**given)


def _columns() -> Sequence[Column[UsageRecord]]:
    at = now()
    return (
        Column(
            "when",
            lambda record: moment(record.started_at, at),
            short=lambda record: moment(record.started_at, at, short=True),
        ),
        Column("key", lambda record: record.key),
        Column("model", lambda record: record.model),
        Column("upstream", lambda record: record.upstream or "-"),
        Column("status", lambda record: str(record.status), right=True),
        Column("in", lambda record: str(record.input_tokens), right=True),
        Column("out", lambda record: str(record.output_tokens), right=True),
        Column("cost", lambda record: _cost(record), right=True),
        Column("took", lambda record: milliseconds(record.duration_ms), right=True, optional=True),
        Column("ended", lambda record: record.error_code or record.ended, optional=True, colored=True),
        Column("request", lambda record: record.request_id, optional=True),
    )


def _cost(record: UsageRecord) -> str:
    return dollars(record.cost_usd) + ("~" if record.usage_from == "estimated" else "")


def _put_line(call: Call, record: UsageRecord) -> None:
    if call.json:
        put_json_line(call, record)
        return
    if call.fields:
        click.echo(csv_line(call, record), nl=False)
        return
    words = (
        record.started_at,
        record.key,
        record.model,
        record.upstream or "-",
        str(record.status),
        f"{record.input_tokens} in",
        f"{record.output_tokens} out",
        _cost(record),
        milliseconds(record.duration_ms),
        record.error_code or record.ended,
        record.request_id,
    )
    click.echo(clean("  ".join(words)))


def _with_total(found: UsageSummary) -> tuple[UsageRow, ...]:
    return (*found.rows, found.total) if found.rows else ()


def _row_columns(by: Grouping) -> Sequence[Column[UsageRow]]:
    return (
        Column(by, lambda row: row.name or "total"),
        Column("requests", lambda row: str(row.requests), right=True),
        Column("failed", lambda row: str(row.failed), right=True),
        Column("estimated", lambda row: str(row.estimated), right=True, optional=True),
        Column("in", lambda row: str(row.input_tokens), right=True),
        Column("cached", lambda row: str(row.cached_tokens), right=True, optional=True),
        Column("out", lambda row: str(row.output_tokens), right=True),
        Column("cost", lambda row: dollars(row.cost_usd), right=True),
        Column("shortfall", lambda row: dollars(row.shortfall_usd), right=True, optional=True),
    )


def _put_detail(call: Call, detail: UsageDetail) -> None:
    record, receipt = detail.record, detail.receipt
    lines = [
        ("request", record.request_id),
        ("started", moment(record.started_at, now())),
        ("key, group, quota", ", ".join(name or "-" for name in (record.key, record.group, record.quota))),
        ("operation", f"{record.operation}{', stream' if record.stream else ''}"),
        (
            "model",
            record.model
            if record.asked_model == record.model
            else f"{record.model} (asked: {record.asked_model})",
        ),
        ("upstream", f"{record.upstream or '-'} ({record.upstream_model or '-'})"),
        (
            "status",
            ", ".join(
                word for word in (str(record.status), record.ended or record.kind, record.error_code) if word
            ),
        ),
        (
            "took",
            f"{milliseconds(record.duration_ms)}, first byte after {milliseconds(record.first_byte_ms)}",
        ),
        ("usage known from", record.usage_from),
        ("held", dollars(detail.held_usd)),
        ("amount", f"{dollars(receipt.amount_usd)} at {receipt.multiplier}"),
        ("charged", dollars(receipt.charged_usd)),
        ("shortfall", dollars(record.shortfall_usd)),
        ("client", record.client or "-"),
    ]
    if receipt.price_version:
        lines.append(
            ("price", f"{receipt.price_version} ({receipt.price_source} {receipt.price_source_date})")
        )
    if record.message:
        lines.append(("why", record.message))
    if receipt.note:
        lines.append(("note", receipt.note))
    if not put_one(call, detail, lines):
        return
    if receipt.lines:
        click.echo()
        put_table(call, receipt.lines, _receipt_columns(receipt.multiplier))
    if detail.attempts:
        click.echo()
        put_table(call, detail.attempts, _attempt_columns())


def _receipt_columns(multiplier: str) -> Sequence[Column[ReceiptLine]]:
    return (
        Column("unit", lambda line: line.unit),
        Column("quantity", lambda line: str(line.quantity), right=True),
        Column("usd per million", lambda line: dollars(line.usd_per_million), right=True),
        Column("multiplier", lambda _: multiplier, right=True),
        Column("cost", lambda line: dollars(line.cost_usd), right=True),
    )


def _attempt_columns() -> Sequence[Column[Attempt]]:
    return (
        Column("tried", lambda attempt: attempt.upstream),
        Column("credential", lambda attempt: attempt.credential),
        Column("outcome", lambda attempt: attempt.outcome, colored=True),
        Column("status", lambda attempt: str(attempt.status or "-"), right=True),
        Column("took", lambda attempt: milliseconds(attempt.duration_ms), right=True),
        Column("message", lambda attempt: attempt.message or "-"),
    )
