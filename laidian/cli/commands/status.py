"""`laidian status`: one screen on what works now."""

from __future__ import annotations

from collections.abc import Sequence

import click
import msgspec

from laidian.admin.schema import Status, UpstreamStatus
from laidian.cli.call import Call, Command, with_call
from laidian.cli.clock import now
from laidian.cli.exits import Exit
from laidian.cli.output import put_one, put_table
from laidian.cli.reach import ask, target
from laidian.cli.table import Column
from laidian.cli.text import dollars, duration, moment


class Standing(Status, frozen=True, kw_only=True):
    """The API's `Status`, and what only the one who asked can know."""

    serving: bool
    """False: no server runs, and this is what the data folder says."""
    problems: tuple[str, ...]
    """Why the exit code is not 0."""


@click.command(cls=Command)
@with_call
def status(call: Call) -> int:
    """Show whether it serves, what works, and what today cost.

    \b
    laidian status
    laidian status --json

    Exit code 3 if something keeps requests from being served as they should.
    """
    whom = target(call)
    serving = whom.folder is None or whom.folder.served()
    found = ask(call, lambda client: client.status())
    problems = _problems(found, serving=serving)
    standing = Standing(
        serving=serving,
        problems=problems,
        **msgspec.structs.asdict(found),
    )
    if put_one(call, standing, _lines(standing)) and found.upstreams:
        click.echo()
        put_table(call, found.upstreams, _columns())
    for problem in problems:
        call.narrate(f"problem: {problem}")
    return Exit.PROBLEMS if problems else Exit.DONE


def _problems(found: Status, *, serving: bool) -> tuple[str, ...]:
    """What an operator has to look at; an upstream that was disabled on purpose is none."""
    problems: list[str] = []
    if not serving:
        problems.append("no server runs from this data folder; start it with laidian serve.")
    if found.stopping:
        problems.append("the server is stopping.")
    if not found.upstreams:
        problems.append("there is no upstream; add one with laidian upstream add.")
    for one in found.upstreams:
        if one.state not in ("up", "disabled", "deleted"):
            problems.append(f"upstream {one.name} is {one.state}: {one.reason or 'no reason given'}.")
    if found.upstreams and all(one.state == "disabled" for one in found.upstreams):
        problems.append("every upstream is disabled.")
    return tuple(problems)


def _lines(standing: Standing) -> list[tuple[str, str]]:
    if standing.serving:
        server = f"serving {standing.base_url} for {duration(standing.uptime_s)}"
        server += f", {standing.workers} worker{'s' if standing.workers != 1 else ''}"
    else:
        server = "not serving"
    sqlite = standing.sqlite
    return [
        ("server", server),
        ("version", standing.version),
        ("data", f"{standing.data} (schema {standing.schema})"),
        (
            "today",
            f"{dollars(standing.spent_today_usd)}, {standing.requests_today} requests, {standing.failed_today} failed",
        ),
        ("in flight", f"{standing.in_flight} requests, {dollars(standing.held_usd)} held"),
        ("keys", str(standing.keys)),
        ("price book", standing.price_book or "none"),
        ("sqlite", f"{sqlite.version}: {sqlite.verdict}"),
    ]


def _columns() -> Sequence[Column[UpstreamStatus]]:
    at = now()
    return (
        Column("upstream", lambda one: one.name),
        Column("state", lambda one: one.state, colored=True),
        Column("kind", lambda one: one.kind),
        Column("in flight", lambda one: str(one.in_flight), right=True),
        Column(
            "next try", lambda one: moment(one.until, at), short=lambda one: moment(one.until, at, short=True)
        ),
        Column("reason", lambda one: one.reason or "-"),
    )
