"""Another gateway's upstreams, groups, quotas, keys and prices, taken in: all in one transaction, each by its name.

What is here already stays as it is, so that an import can be run again after something was mended. One thing that cannot be taken does
not keep the others out; it is told. The rule a newcomer would break: a trial run is the same run, undone, so that what it says is true.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager

from laidian.admin.schema import (
    Carried,
    CarriedKey,
    CarriedKind,
    CarriedOutcome,
    CarriedThing,
    Carry,
    PriceSet,
)
from laidian.admin.service.groups import create_group
from laidian.admin.service.moments import parse_expiry
from laidian.admin.service.names import checked_name
from laidian.admin.service.operations import note
from laidian.admin.service.prices import set_price
from laidian.admin.service.quotas import create_quota
from laidian.admin.service.reading import amount_or_none
from laidian.admin.service.upstreams import add_upstream
from laidian.errors import BadRequest, LaidianError, NotFound
from laidian.store.connection import Connection
from laidian.store.database import bump_catalog
from laidian.store.groups import read_groups
from laidian.store.keys import KeyValues, digest_known, insert_key, key_names
from laidian.store.quotas import read_quotas
from laidian.store.upstreams import read_upstreams
from laidian.store.vault import Vault


class TrialRun(Exception):
    """Undoes the transaction of a trial run, and carries its outcome out."""

    def __init__(self, carried: Carried) -> None:
        super().__init__("a trial run")
        self.carried = carried


def carry(
    connection: Connection,
    vault: Vault,
    wanted: Carry,
    *,
    now_ms: int,
    price_of: Callable[[str], str | None],
    who: str,
) -> Carried:
    """What is made is noted in the operator's journal. `price_of` names what prices a model now, or None. Raises TrialRun unless `wanted.apply`."""
    things: list[CarriedThing] = []

    def each(kind: CarriedKind, name: str, known: bool, make: Callable[[], object]) -> None:
        things.append(_thing(connection, kind, name, known, make))

    known = {row.name for row in read_upstreams(connection)}
    for upstream in wanted.upstreams:
        each(
            "upstream", upstream.name, upstream.name in known,
            lambda new=upstream: add_upstream(connection, vault, new, now_ms=now_ms),
        )  # fmt: skip
    known = {row.name for row in read_groups(connection)}
    for group in wanted.groups:
        each(
            "group",
            group.name,
            group.name in known,
            lambda new=group: create_group(connection, new, now_ms=now_ms),
        )
    known = {row.name for row in read_quotas(connection)}
    for quota in wanted.quotas:
        each(
            "quota",
            quota.name,
            quota.name in known,
            lambda new=quota: create_quota(connection, new, now_ms=now_ms),
        )
    things += _keys(connection, wanted.keys, now_ms)
    for price in wanted.prices:
        things.append(_price(connection, price, price_of, now_ms))
    carried = Carried(applied=wanted.apply, things=tuple(things))
    if not wanted.apply:
        raise TrialRun(carried)
    for thing in things:
        if thing.outcome == "made":
            action = "price.set" if thing.kind == "price" else f"{thing.kind}.create"
            note(connection, action, thing.name, None, who=who, now_ms=now_ms)
    return carried


def _thing(
    connection: Connection, kind: CarriedKind, name: str, known: bool, make: Callable[[], object]
) -> CarriedThing:
    if known:
        return _told(
            kind, name, "kept", f"there is a {kind} of that name already, and what refers to it uses that one"
        )
    try:
        with _alone(connection):
            make()
    except LaidianError as error:
        return _told(kind, name, "refused", error.message)
    return _told(kind, name, "made")


def _keys(connection: Connection, keys: tuple[CarriedKey, ...], now_ms: int) -> Iterator[CarriedThing]:
    """Names, groups and quotas are read once: a gateway has thousands of keys."""
    names = key_names(connection)
    groups = {row.name: row.id for row in read_groups(connection)}
    quotas = {row.name: row.id for row in read_quotas(connection)}
    for key in keys:
        if key.name in names:
            yield _told("key", key.name, "kept", "there is a key of that name already")
            continue
        if digest_known(connection, bytes.fromhex(key.digest)):
            yield _told(
                "key", key.name, "kept", "its credential is here already, under another name or deleted"
            )
            continue
        try:
            values = KeyValues(
                name=checked_name(key.name, "a key"),
                group_id=_id(groups, "group", key.group),
                quota_id=_id(quotas, "quota", key.quota),
                enabled=key.enabled,
                expires_at_ms=parse_expiry(key.expires_at, now_ms),
                limit_nano=amount_or_none(key.limit_usd, "limit_usd"),
            )
        except LaidianError as error:
            yield _told("key", key.name, "refused", error.message)
            continue
        if not key.display.isprintable():
            yield _told("key", key.name, "refused", BadRequest("its display form does not print.").message)
            continue
        insert_key(connection, values, bytes.fromhex(key.digest), key.display, now_ms)
        names.add(key.name)
        yield _told("key", key.name, "made")
    bump_catalog(connection)


def _price(
    connection: Connection, price: PriceSet, price_of: Callable[[str], str | None], now_ms: int
) -> CarriedThing:
    source = price_of(price.model)
    if source is not None:
        return _told("price", price.model, "kept", f"it is priced already: {source}")
    return _thing(
        connection, "price", price.model, False, lambda: set_price(connection, price, now_ms=now_ms)
    )


def _id(known: dict[str, int], what: str, name: str) -> int:
    if name not in known:
        raise NotFound(f"its {what} `{name}` is not here and did not come with it.")
    return known[name]


@contextmanager
def _alone(connection: Connection) -> Generator[None]:
    """What fails leaves nothing, and what was done before it stays."""
    connection.execute("SAVEPOINT carried")
    try:
        yield
    except LaidianError:
        connection.execute("ROLLBACK TO carried")
        raise
    finally:
        connection.execute("RELEASE carried")


def _told(kind: CarriedKind, name: str, outcome: CarriedOutcome, reason: str = "") -> CarriedThing:
    return CarriedThing(kind=kind, name=name, outcome=outcome, reason=reason)
