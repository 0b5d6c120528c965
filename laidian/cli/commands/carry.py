"""`laidian import`: another gateway's upstreams, groups, quotas, keys and prices."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path

import click
import msgspec

from laidian.admin.schema import CarriedThing
from laidian.cli.call import Call, ListCommand, with_call
from laidian.cli.carry.bag import Bag, Left
from laidian.cli.output import put_list, put_one, put_table
from laidian.cli.reach import ask
from laidian.cli.table import Column
from laidian.errors import BadRequest

SOURCES = ("one-api", "new-api", "sub2api", "litellm", "uni-api", "cliproxyapi")


class Import(msgspec.Struct, frozen=True, kw_only=True):
    applied: bool
    things: tuple[CarriedThing, ...]
    left: tuple[Left, ...]
    """What is not carried over, and why."""


THINGS: Sequence[Column[CarriedThing]] = (
    Column("what", lambda one: one.kind),
    Column("name", lambda one: one.name),
    Column("outcome", lambda one: one.outcome, colored=True),
    Column("reason", lambda one: one.reason or "-"),
)
LEFT: Sequence[Column[Left]] = (
    Column("not carried", lambda one: one.kind),
    Column("name", lambda one: one.name),
    Column("why", lambda one: one.reason),
)


@click.command("import", cls=ListCommand)
@click.argument("source", type=click.Choice(SOURCES), metavar="SOURCE")
@click.argument("file")
@click.option(
    "--apply", is_flag=True, help="Do it. Without it everything is tried and told, and nothing stays."
)
@click.option("--keys", "keys_file", metavar="FILE", help="Of LiteLLM: rows of its key table, as JSON.")
@with_call
def import_command(call: Call, source: str, file: str, apply: bool, keys_file: str | None) -> None:
    """Take over what another gateway has: upstreams with their credentials, groups, quotas, keys and prices.

    \b
    laidian import new-api ./one-api.db
    laidian import new-api ./one-api.db --apply
    laidian import litellm ./config.yaml --keys keys.json --apply

    SOURCE is one-api or new-api (their SQLite file), sub2api (a plain pg_dump, or JSON of its tables), litellm, uni-api or cliproxyapi (their YAML).
    Keys come over as digests, so that their holders change only the base URL. What is here already, by its name, stays as it is, so an
    import can be run again. All of it is one transaction.
    """
    if keys_file and source != "litellm":
        raise BadRequest("--keys goes with litellm; the others hold their keys in the file itself.")
    bag = _read(source, Path(file).expanduser(), Path(keys_file).expanduser() if keys_file else None)
    carried = ask(call, lambda client: client.carry(bag.carry(apply=apply)), makes_data=True)
    done = Import(applied=carried.applied, things=carried.things, left=tuple(bag.left))
    if call.csv or (call.fields and not call.json):
        put_list(call, CarriedThing, done.things, THINGS, empty="nothing was found.")
    elif call.json:
        put_one(call, done, [])
    else:
        put_table(call, done.things, THINGS)
        if done.left:
            click.echo()
            put_table(call, done.left, LEFT)
    counts = {
        outcome: sum(one.outcome == outcome for one in done.things) for outcome in ("made", "kept", "refused")
    }
    told = f"{counts['made']} {'made' if apply else 'would be made'}, {counts['kept']} kept, {counts['refused']} refused, {len(done.left)} notes."
    call.narrate(told if apply else f"{told} Nothing was changed; do it with --apply.")


def _read(source: str, path: Path, keys: Path | None) -> Bag:
    """The module of one gateway is imported only for it."""
    if source in ("one-api", "new-api"):
        from laidian.cli.carry import one_api

        return one_api.read(path, source)
    if source == "litellm":
        from laidian.cli.carry import litellm

        return litellm.read(path, keys)
    module = importlib.import_module(f"laidian.cli.carry.{source.replace('-', '_')}")
    read: Callable[[Path], Bag] = module.read
    return read(path)
