"""`laidian reconcile`: our records against an upstream's own."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from laidian.cli.call import Call, ListCommand, with_call
from laidian.cli.carry.documents import json_of, text_of
from laidian.cli.clock import now
from laidian.cli.exits import Exit
from laidian.cli.output import put_list, put_one
from laidian.cli.reach import ask
from laidian.cli.reconcile.exports import openai_books, openrouter_book
from laidian.cli.reconcile.figures import Book, Figures, Row, Side, add, compare, days_between, usd_nano
from laidian.cli.secret import read_api_key
from laidian.cli.table import Column
from laidian.cli.text import dollars
from laidian.errors import BadRequest

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient
    from laidian.admin.schema import UsageRecord

SOURCES = ("openai", "openrouter", "relay", "new-api")
OPENROUTER = "https://openrouter.ai/api/v1"
OPENAI = "https://api.openai.com/v1"


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    source: str
    upstream: str
    since: str
    """First day, UTC."""
    until: str
    """Last day, UTC, included."""
    threshold_percent: str
    records: int
    """Of ours, that were compared."""
    estimated: int
    """Of these, whose usage the upstream did not report to us; they explain small differences."""
    differing: int
    """Rows with findings."""
    rows: tuple[Row, ...]


@click.command(cls=ListCommand)
@click.argument("source", type=click.Choice(SOURCES), metavar="SOURCE")
@click.argument("files", nargs=-1, metavar="[FILE...]")
@click.option("--upstream", metavar="NAME", required=True, help="Whose records of ours are compared.")
@click.option("--since", metavar="YYYY-MM-DD", help="First day, UTC; a week ago if not given.")
@click.option("--until", metavar="YYYY-MM-DD", help="Last day, included; yesterday if not given.")
@click.option("--threshold", metavar="PERCENT", default="1", show_default=True, help="How much may differ.")
@click.option("--base-url", metavar="URL", help="Where to ask, if not at the upstream's own.")
@click.option("--api-key-env", metavar="VAR", help="Ask, with the key in this variable.")
@click.option("--api-key-stdin", is_flag=True, help="Ask, with the key on standard input.")
@with_call
def reconcile(
    call: Call,
    source: str,
    files: tuple[str, ...],
    upstream: str,
    since: str | None,
    until: str | None,
    threshold: str,
    base_url: str | None,
    api_key_env: str | None,
    api_key_stdin: bool,
) -> int:
    """Compare our records with an upstream's own, by day and model: tokens, money, requests. Exit code 3 if they differ.

    \b
    laidian reconcile openai --upstream openai --api-key-stdin < admin.key
    laidian reconcile openai usage.json costs.json --upstream openai
    laidian reconcile openrouter activity.csv --upstream openrouter --since 2026-11-01
    laidian reconcile relay --upstream friend --api-key-env FRIENDS_KEY

    SOURCE is openai (its usage and costs: files, or asked with an admin key), openrouter (its activity: CSV, JSON, or asked with a
    management key), relay (another LaiDian or sub2api, asked with the very key of the upstream) or new-api (likewise).

    It shows tokens that were billed and not used, prices that are quietly multiplied, and models that were not asked for. Money is
    compared at the published price, before our multiplier. The account should have no other user in these days.
    """
    first, last = _days(since, until)
    part = _threshold(threshold)
    if bool(files) == bool(api_key_env or api_key_stdin):
        raise click.UsageError(
            "name the exported files, or ask with --api-key-stdin or --api-key-env.",
            click.get_current_context(),
        )
    theirs = _from_files(source, files) if files else None
    secret = None if files else read_api_key(call, stdin=api_key_stdin, variable=api_key_env)

    async def look(client: AdminClient) -> tuple[Book, Book, int, int]:
        found = await client.upstream(upstream)
        other = (
            theirs
            if secret is None
            else await _asked(source, base_url or found.base_url, secret, first, last)
        )
        assert other is not None
        ours, records, estimated = await _ours(client, upstream, first, last)
        return ours, other, records, estimated

    ours, other, records, estimated = ask(call, look)
    names = {day.isoformat() for day in days_between(first, last)}
    rows = compare(
        ours, {place: figures for place, figures in other.items() if place[0] in names}, threshold=part
    )
    done = Reconciliation(
        source=source, upstream=upstream, since=first.isoformat(), until=last.isoformat(), threshold_percent=threshold,
        records=records, estimated=estimated, differing=sum(bool(row.findings) for row in rows), rows=tuple(rows),
    )  # fmt: skip
    if call.json and not call.fields:
        put_one(call, done, [])
    else:
        put_list(call, Row, rows, COLUMNS, empty="neither side has anything in these days.")
    for row in rows:
        for finding in row.findings:
            call.narrate(f"{row.day} {row.model}: {finding}")
    call.narrate(
        f"{records} records of {first} to {last}, {estimated} of them estimated; {done.differing} of {len(rows)} rows differ."
    )
    return Exit.PROBLEMS if done.differing else Exit.DONE


def _from_files(source: str, files: Sequence[str]) -> Book:
    paths = [Path(file).expanduser() for file in files]
    if source == "openai":
        return openai_books([json_of(text_of(path), path) for path in paths])
    if source != "openrouter":
        raise click.UsageError(f"{source} has no export; ask it with its key.", click.get_current_context())
    book: Book = {}
    for path in paths:
        text = text_of(path)
        document = json_of(text, path) if text.lstrip()[:1] in ("{", "[") else None
        for (day, model), figures in openrouter_book(text, document).items():
            add(book, day, model, figures)
    return book


async def _asked(source: str, base_url: str, secret: str, since: datetime.date, until: datetime.date) -> Book:
    from laidian.cli.reconcile.asking import Asking

    asking = Asking(base_url or (OPENROUTER if source == "openrouter" else OPENAI), secret)
    try:
        if source == "openai":
            return await asking.openai(since, until)
        if source == "openrouter":
            return await asking.openrouter()
        return await (asking.relay(since, until) if source == "relay" else asking.new_api(since, until))
    finally:
        await asking.aclose()


async def _ours(
    client: AdminClient, upstream: str, since: datetime.date, until: datetime.date
) -> tuple[Book, int, int]:
    """Figures at the published price, how many records they are, and how many of those were estimated."""
    from laidian.admin.client import UsageFilter

    book: Book = {}
    records = estimated = 0
    only = UsageFilter(
        upstream=upstream, since=since.isoformat(), until=(until + datetime.timedelta(days=1)).isoformat()
    )
    async for record in client.export_usage(only):
        if not record.usage:
            continue
        records += 1
        estimated += record.usage_from == "estimated"
        figures = Figures(1, record.input_tokens, record.output_tokens, _published(record))
        add(book, record.started_at[:10], record.upstream_model or record.model, figures)
    return book, records, estimated


def _published(record: UsageRecord) -> int | None:
    """What the request would have cost at 1x; None where the multiplier is 0."""
    multiplier = Decimal(record.multiplier.removesuffix("x"))
    amount = (usd_nano(record.cost_usd) or 0) + (usd_nano(record.shortfall_usd) or 0)
    return None if not multiplier else int(amount / multiplier)


def _days(since: str | None, until: str | None) -> tuple[datetime.date, datetime.date]:
    """Whole days; today is not over, so that it cannot agree."""
    yesterday = now().date() - datetime.timedelta(days=1)
    last = _day(until, "--until") if until else yesterday
    first = _day(since, "--since") if since else last - datetime.timedelta(days=6)
    if first > last:
        raise BadRequest(f"{first} is after {last}.")
    if (last - first).days > 366:
        raise BadRequest("that is more than a year; compare it in parts.")
    return first, last


def _day(text: str, option: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise BadRequest(f"{option} takes a day like 2026-11-29, not {text!r}.") from None


def _threshold(text: str) -> Decimal:
    try:
        percent = Decimal(text.removesuffix("%").strip())
    except ArithmeticError:
        raise BadRequest(f"--threshold takes a number of percent, not {text!r}.") from None
    if not 0 <= percent <= 100:
        raise BadRequest("--threshold is between 0 and 100 percent.")
    return percent / 100


def _both(pick: str) -> tuple[Column[Row], Column[Row]]:
    def shown(side: Side) -> str:
        value = getattr(side, pick)
        return dollars(value) if pick == "cost_usd" else "-" if value is None else str(value)

    title = {"input_tokens": "in", "output_tokens": "out", "cost_usd": "cost"}.get(pick, pick)
    return (
        Column(title, lambda row: shown(row.ours), right=True),
        Column("theirs", lambda row: shown(row.theirs), right=True),
    )


COLUMNS: Sequence[Column[Row]] = (
    Column("day", lambda row: row.day),
    Column("model", lambda row: row.model),
    *_both("requests"),
    *_both("input_tokens"),
    *_both("output_tokens"),
    *_both("cost_usd"),
    Column("", lambda row: "differs" if row.findings else "ok", colored=True),
)
