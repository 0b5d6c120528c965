"""Groups: made, shown, changed, deleted."""

from __future__ import annotations

from typing import cast

import msgspec
from msgspec import UNSET

from laidian.admin.schema import AbortPolicy, Group, GroupCreate, GroupEdit
from laidian.admin.service.moments import iso
from laidian.admin.service.names import checked_name, in_use, of_config, taken, unknown
from laidian.admin.service.reading import checked, multiplier, printable
from laidian.domain.group import CAPABILITIES
from laidian.domain.money import format_multiplier
from laidian.errors import BadRequest
from laidian.store import groups as rows
from laidian.store.connection import Connection
from laidian.store.database import bump_catalog
from laidian.store.groups import GroupRow, GroupValues, Ranked
from laidian.store.upstreams import read_upstreams


def list_groups(connection: Connection) -> tuple[Group, ...]:
    """Every group by name."""
    ranks = rows.read_ranks(connection)
    return tuple(_group(row, ranks.get(row.id, [])) for row in rows.read_groups(connection))


def show_group(connection: Connection, name: str) -> Group:
    """Raises NotFound."""
    return _shown(connection, find_group(connection, name).id)


def find_group(connection: Connection, name: str) -> GroupRow:
    known = rows.read_groups(connection)
    for row in known:
        if row.name == name:
            return row
    raise unknown("group", name, (row.name for row in known), param="group")


def create_group(
    connection: Connection, change: GroupCreate, *, now_ms: int, from_config: bool = False
) -> Group:
    """Raises BadRequest, NotFound for an unknown upstream, Conflict for a taken name."""
    change = checked(change)
    checked_name(change.name, "a group")
    if any(row.name == change.name for row in rows.read_groups(connection)):
        raise taken("group", change.name)
    values = GroupValues(
        name=change.name,
        enabled=change.enabled,
        allow=change.allow,
        deny=change.deny,
        aliases=change.aliases,
        capabilities=capabilities(change.capabilities),
        multiplier_ppm=multiplier(change.multiplier),
        requests_per_minute=change.requests_per_minute,
        tokens_per_minute=change.tokens_per_minute,
        concurrent_requests=change.concurrent_requests,
        on_abort=change.on_abort,
        from_config=from_config,
    )
    _check(values)
    ranks = _ranks(connection, change.upstreams)
    group_id = rows.insert_group(connection, values, now_ms)
    rows.replace_ranks(connection, group_id, ranks)
    bump_catalog(connection)
    return _shown(connection, group_id)


def edit_group(connection: Connection, name: str, change: GroupEdit) -> Group:
    """Raises BadRequest, NotFound, or Conflict for a taken name and for a group that config.toml provisions."""
    change = checked(change)
    row = find_group(connection, name)
    if row.from_config:
        raise of_config("group", name)
    if change.name is not UNSET and change.name != row.name:
        checked_name(change.name, "a group")
        if any(one.name == change.name for one in rows.read_groups(connection)):
            raise taken("group", change.name)
    return apply_edit(connection, row, change, from_config=False)


def apply_edit(connection: Connection, row: GroupRow, change: GroupEdit, *, from_config: bool) -> Group:
    """Writes what a checked edit changes; used by the provisioning, too."""
    values = _edited(row, change, from_config)
    _check(values)
    if change.upstreams is not UNSET:
        rows.replace_ranks(connection, row.id, _ranks(connection, change.upstreams))
    rows.update_group(connection, row.id, values)
    bump_catalog(connection)
    return _shown(connection, row.id)


def delete_group(connection: Connection, name: str, *, now_ms: int) -> Group:
    """The group as it was. Raises NotFound, or Conflict while keys use it or config.toml provisions it."""
    row = find_group(connection, name)
    if row.from_config:
        raise of_config("group", name)
    if users := rows.keys_of_group(connection, row.id):
        raise in_use("group", name, "the keys" if len(users) > 1 else "the key", users)
    gone = _shown(connection, row.id)
    rows.delete_group(connection, row.id, now_ms)
    bump_catalog(connection)
    return gone


def _edited(row: GroupRow, change: GroupEdit, from_config: bool) -> GroupValues:
    decode = msgspec.json.decode
    old = _group(row, [])
    return GroupValues(
        name=row.name if change.name is UNSET else change.name,
        enabled=old.enabled if change.enabled is UNSET else change.enabled,
        allow=old.allow if change.allow is UNSET else change.allow,
        deny=old.deny if change.deny is UNSET else change.deny,
        aliases=decode(row.aliases, type=dict[str, str]) if change.aliases is UNSET else change.aliases,
        capabilities=old.capabilities if change.capabilities is UNSET else capabilities(change.capabilities),
        multiplier_ppm=row.multiplier_ppm if change.multiplier is UNSET else multiplier(change.multiplier),
        requests_per_minute=row.requests_per_minute
        if change.requests_per_minute is UNSET
        else change.requests_per_minute,
        tokens_per_minute=row.tokens_per_minute
        if change.tokens_per_minute is UNSET
        else change.tokens_per_minute,
        concurrent_requests=row.concurrent_requests
        if change.concurrent_requests is UNSET
        else change.concurrent_requests,
        on_abort=row.on_abort if change.on_abort is UNSET else change.on_abort,
        from_config=from_config,
    )


def _check(values: GroupValues) -> None:
    printable(values.allow, "allow")
    printable(values.deny, "deny")
    printable([*values.aliases, *values.aliases.values()], "aliases")


def capabilities(asked: tuple[str, ...] | None) -> tuple[str, ...]:
    """In the order of CAPABILITIES; None means every one."""
    if asked is None:
        return CAPABILITIES
    for name in asked:
        if name not in CAPABILITIES:
            raise BadRequest(unknown("capability", name, CAPABILITIES).message, param="capabilities")
    return tuple(name for name in CAPABILITIES if name in asked)


def normal_upstreams(text: str) -> str:
    """`b + a , c` as it will be shown: `a+b,c`."""
    if not text.strip():
        return ""
    return ",".join(
        "+".join(sorted(part.strip() for part in together.split("+"))) for together in text.split(",")
    )


def _ranks(connection: Connection, text: str) -> list[tuple[int, int]]:
    """`a,b+c` as (upstream id, rank): a first, then b and c sharing. Empty text means all."""
    if not text.strip():
        return []
    ids = {row.name: row.id for row in read_upstreams(connection)}
    ranks: dict[int, int] = {}
    for rank, together in enumerate(text.split(",")):
        for name in (part.strip() for part in together.split("+")):
            if not name:
                raise BadRequest(
                    f"The upstreams {text[:80]!a} have an empty place; write a,b in order, or a+b to share.",
                    param="upstreams",
                )
            if name not in ids:
                raise unknown("upstream", name, ids, param="upstreams")
            if ids[name] in ranks:
                raise BadRequest(f"The upstream `{name}` is named twice; name it once.", param="upstreams")
            ranks[ids[name]] = rank
    return list(ranks.items())


def _spelled(ranks: list[Ranked]) -> str:
    places: dict[int, list[str]] = {}
    for one in ranks:
        places.setdefault(one.rank, []).append(one.upstream)
    return ",".join("+".join(names) for _, names in sorted(places.items()))


def _shown(connection: Connection, group_id: int) -> Group:
    return _group(rows.read_group(connection, group_id), rows.read_ranks(connection).get(group_id, []))


def _group(row: GroupRow, ranks: list[Ranked]) -> Group:
    decode = msgspec.json.decode
    return Group(
        name=row.name,
        enabled=bool(row.enabled),
        upstreams=_spelled(ranks),
        allow=decode(row.allow, type=tuple[str, ...]),
        deny=decode(row.deny, type=tuple[str, ...]),
        aliases=decode(row.aliases, type=dict[str, str]),
        capabilities=decode(row.capabilities, type=tuple[str, ...]),
        multiplier=format_multiplier(row.multiplier_ppm),
        requests_per_minute=row.requests_per_minute,
        tokens_per_minute=row.tokens_per_minute,
        concurrent_requests=row.concurrent_requests,
        on_abort=cast(AbortPolicy, row.on_abort),
        from_config=bool(row.from_config),
        keys=row.keys,
        created_at=iso(row.created_at_ms),
    )
