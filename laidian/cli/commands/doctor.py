"""`laidian doctor` and `laidian operations`: is everything as it should be, and who changed what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from laidian.admin.schema import Check, Operation
from laidian.cli.call import Call, ListCommand, with_call
from laidian.cli.clock import now
from laidian.cli.exits import Exit
from laidian.cli.output import put_list, put_one
from laidian.cli.reach import ask
from laidian.cli.table import Column
from laidian.cli.text import moment

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient

PAGE = 200
MARKS = {"ok": "ok", "warn": "warn", "fail": "fail"}
CHECKS: tuple[Column[Check], ...] = (
    Column("check", lambda one: one.id),
    Column("state", lambda one: MARKS[one.state], colored=True),
    Column("found", lambda one: one.found),
)


@click.command(cls=ListCommand)
@click.option("--strict", is_flag=True, help="Exit code 3 for a warning, too.")
@with_call
def doctor(call: Call, strict: bool) -> int:
    """Examine the instance: configuration, database, disk, files, upstreams, prices. Exit code 3 if a check fails.

    \b
    laidian doctor
    laidian doctor --json --strict
    """
    found = ask(call, lambda client: client.doctor())
    if call.json and not call.fields:
        put_one(call, found, [])
    else:
        put_list(call, Check, found.checks, CHECKS, empty="there is nothing to examine.")
    wrong = [one for one in found.checks if one.state != "ok"]
    for one in wrong:
        call.narrate(f"\n{one.id}: {one.found}\n  {one.fix}".replace("\n  \n", "\n"))
    failed = [one for one in wrong if one.state == "fail" or strict]
    call.narrate(
        f"\n{len(found.checks)} checks: {len(found.checks) - len(wrong)} ok, {len(wrong)} to look at."
    )
    return Exit.PROBLEMS if failed else Exit.DONE


@click.command(cls=ListCommand)
@click.option(
    "--limit", type=click.IntRange(0), default=50, show_default=True, metavar="N", help="0: all there are."
)
@with_call
def operations(call: Call, limit: int) -> None:
    """List who changed what, newest first: keys, groups, quotas, upstreams, prices.

    \b
    laidian operations
    laidian operations --limit 0 --csv
    """
    found, more = ask(call, lambda client: _collect(client, limit))
    put_list(call, Operation, found, _columns(), empty="nothing was changed yet.")
    if more:
        call.narrate(f"These are the newest {limit}; there are more (--limit N, or --limit 0 for all).")


async def _collect(client: AdminClient, limit: int) -> tuple[list[Operation], bool]:
    found: list[Operation] = []
    cursor: str | None = None
    while True:
        page = await client.operations(
            limit=PAGE if not limit else min(PAGE, limit - len(found)), cursor=cursor
        )
        found += page.items
        cursor = page.next
        if cursor is None or (limit and len(found) >= limit):
            return found, cursor is not None


def _columns() -> Sequence[Column[Operation]]:
    at = now()
    return (
        Column("when", lambda one: moment(one.at, at), short=lambda one: moment(one.at, at, short=True)),
        Column("who", lambda one: one.who),
        Column("action", lambda one: one.action),
        Column("name", lambda one: one.name),
        Column("what", lambda one: one.sentence, optional=True),
    )
