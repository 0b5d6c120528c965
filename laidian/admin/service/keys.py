"""Keys: made, shown, changed, rotated, deleted. The only place that hands out a credential, once."""

from __future__ import annotations

import re

from msgspec import UNSET

from laidian.admin.schema import Key, KeyCreate, KeyCreated, KeyEdit, KeyQuery, KeyState, Page
from laidian.admin.service.moments import day_start_ms, iso, iso_or_none, parse_expiry
from laidian.admin.service.names import checked_name, taken, unknown
from laidian.admin.service.reading import amount_or_none, checked
from laidian.domain.key import PREFIX, digest, display, spell
from laidian.domain.money import format_usd
from laidian.errors import BadRequest, Conflict
from laidian.store import keys as rows
from laidian.store.connection import Connection
from laidian.store.database import bump_catalog
from laidian.store.groups import read_groups
from laidian.store.keys import KeyFilter, KeyRow, KeyValues
from laidian.store.quotas import read_quotas
from laidian.store.sums import Sum, SumFilter, add_up, charged_since

_SHORTEST_START = len(PREFIX) + 4
"""`sk-` and the four characters that a display form begins with."""
_WHOLE = 20
"""A text of this length that begins like a key is taken for a whole credential."""
_NOTHING = Sum(None, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (), ())
LARGEST_PAGE = 500
ORDERS = ("name", "last_used", "spent", "today", "created")
STATES = ("active", "near", "disabled", "expired", "used_up")
_CURSOR = re.compile(r"(-?)([0-9]{1,9})\.([0-9]{1,19})")


def list_keys(
    connection: Connection,
    query: KeyQuery,
    *,
    limit: int,
    cursor: str = "",
    offset: int | None = None,
    now_ms: int,
) -> Page[Key]:
    """One page of keys, and how many fit in all. Raises BadRequest for an order, state or cursor that does not exist."""
    query = checked(query)
    if not 1 <= limit <= LARGEST_PAGE:
        raise BadRequest(f"A page has 1 to {LARGEST_PAGE} keys, not {limit}.", param="limit")
    order, descending = query.sort.removeprefix("-"), query.sort.startswith("-")
    if order not in ORDERS:
        raise BadRequest(unknown("order", order, ORDERS).message, param="sort")
    if query.state not in ("", *STATES):
        raise BadRequest(unknown("state", query.state, STATES).message, param="state")
    wanted = KeyFilter(
        part=query.filter, group=query.group, quota=query.quota, state=query.state, now_ms=now_ms
    )
    if order == "today":
        spent = charged_since(connection, day_start_ms(now_ms))
        ids = rows.ordered_ids(connection, wanted, "name", descending=False)
        ids.sort(key=lambda key_id: spent.get(key_id, 0), reverse=descending)
    else:
        ids = rows.ordered_ids(connection, wanted, order, descending=descending)
    begin = _begin(ids, limit, cursor, offset)
    shown = ids[begin : begin + limit]
    today = _today(connection, tuple(shown), now_ms)
    return Page(
        items=tuple(
            _key(row, today.get(row.id, _NOTHING), now_ms) for row in rows.read_some(connection, shown)
        ),
        next=f"{begin + len(shown)}.{shown[-1]}" if begin + limit < len(ids) else None,
        previous=f"-{begin}.{shown[0]}" if begin and shown else None,
        total=len(ids),
    )


def _begin(ids: list[int], limit: int, cursor: str, offset: int | None) -> int:
    """Where a page begins: beyond a key, wherever that stands now, or where it stood when it is gone."""
    if offset is not None:
        if cursor:
            raise BadRequest("A page begins at a cursor or at an offset, not at both.", param="offset")
        return max(0, offset)
    if not cursor:
        return 0
    if not (parts := _CURSOR.fullmatch(cursor)):
        raise BadRequest("The cursor is not one that a page gave. Start again without it.", param="cursor")
    back, place, key_id = bool(parts[1]), int(parts[2]), int(parts[3])
    if key_id in ids:
        place = ids.index(key_id) + (not back)
    return max(0, place - limit) if back else place


def show_key(connection: Connection, address: str, now_ms: int) -> Key:
    """Raises NotFound, or Conflict when the address means several."""
    return _shown(connection, find_key(connection, address).id, now_ms)


def find_key(connection: Connection, address: str) -> KeyRow:
    """A key by name, id, start of its display form, or whole credential, in this order.

    Raises NotFound, or Conflict when several begin like that. A credential is never repeated in a message.
    """
    found = rows.ids_like(connection, name=address)
    if not found and address.isascii() and address.isdecimal() and len(address) < 19:
        found = rows.ids_like(connection, id_=int(address))
    elif not found and address.startswith(PREFIX):
        found = _by_credential(connection, address)
    if len(found) > 1:
        several = ", ".join(row.name for row in rows.read_some(connection, found[:LARGEST_PAGE]))
        raise Conflict(f"Several keys begin like that: {several}. Use the name.", param="key")
    if not found:
        secret = len(address) >= _WHOLE and address.startswith(PREFIX)
        raise unknown("key", display(address) if secret else address, rows.names(connection), param="key")
    return rows.read_key(connection, found[0])


def _by_credential(connection: Connection, address: str) -> list[int]:
    if len(address) >= _WHOLE and "…" not in address:
        key_id = rows.key_id_of_digest(connection, digest(address))
        return [] if key_id is None else [key_id]
    return [] if len(address) < _SHORTEST_START else rows.ids_like(connection, start=address)


def _today(connection: Connection, key_ids: tuple[int, ...], now_ms: int) -> dict[int, Sum]:
    """What was begun since 00:00 UTC and is settled, by key id."""
    wanted = SumFilter(since_ms=day_start_ms(now_ms), key_ids=key_ids)
    return {one.name: one for one in add_up(connection, wanted, "key") if isinstance(one.name, int)}


def create_key(connection: Connection, change: KeyCreate, *, entropy: bytes, now_ms: int) -> KeyCreated:
    """A new key and its credential, which is shown now and never again. `entropy`: 32 random bytes.

    Raises BadRequest, NotFound for an unknown group or quota, Conflict for a taken name.
    """
    change = checked(change)
    _check_name(connection, change.name)
    groups = {row.name: row.id for row in read_groups(connection)}
    quotas = {row.name: row.id for row in read_quotas(connection)}
    values = KeyValues(
        name=change.name,
        group_id=_chosen(groups, change.group, "group", "default"),
        quota_id=_chosen(quotas, change.quota, "quota", "unlimited"),
        enabled=change.enabled,
        expires_at_ms=parse_expiry(change.expires_at, now_ms),
        limit_nano=amount_or_none(change.limit_usd, "limit_usd"),
    )
    credential = spell(entropy)
    key_id = rows.insert_key(connection, values, digest(credential), display(credential), now_ms)
    bump_catalog(connection)
    return KeyCreated(key=_shown(connection, key_id, now_ms), secret=credential)


def edit_key(connection: Connection, address: str, change: KeyEdit, *, now_ms: int) -> Key:
    """Raises BadRequest, NotFound or Conflict."""
    change = checked(change)
    row = find_key(connection, address)
    values = KeyValues(
        row.name, row.group_id, row.quota_id, bool(row.enabled), row.expires_at_ms, row.limit_nano
    )
    values = _edited(connection, row, values, change, now_ms)
    rows.update_key(connection, row.id, values)
    bump_catalog(connection)
    return _shown(connection, row.id, now_ms)


def _edited(
    connection: Connection, row: KeyRow, values: KeyValues, change: KeyEdit, now_ms: int
) -> KeyValues:
    name, group_id, quota_id = values.name, values.group_id, values.quota_id
    if change.name is not UNSET and change.name != row.name:
        _check_name(connection, change.name)
        name = change.name
    if change.group is not UNSET:
        group_id = _chosen({one.name: one.id for one in read_groups(connection)}, change.group, "group", "")
    if change.quota is not UNSET:
        quota_id = _chosen({one.name: one.id for one in read_quotas(connection)}, change.quota, "quota", "")
    return KeyValues(
        name=name,
        group_id=group_id,
        quota_id=quota_id,
        enabled=values.enabled if change.enabled is UNSET else change.enabled,
        expires_at_ms=values.expires_at_ms
        if change.expires_at is UNSET
        else parse_expiry(change.expires_at, now_ms),
        limit_nano=values.limit_nano
        if change.limit_usd is UNSET
        else amount_or_none(change.limit_usd, "limit_usd"),
    )


def rotate_key(connection: Connection, address: str, *, entropy: bytes, now_ms: int) -> KeyCreated:
    """A new credential for the same key; the old one is dead with the commit. Requests in flight go on."""
    row = find_key(connection, address)
    credential = spell(entropy)
    rows.replace_credential(connection, row.id, digest(credential), display(credential))
    bump_catalog(connection)
    return KeyCreated(key=_shown(connection, row.id, now_ms), secret=credential)


def delete_key(connection: Connection, address: str, *, now_ms: int) -> Key:
    """The key as it was. Its usage history, holds and counters stay; its name is free again."""
    row = find_key(connection, address)
    gone = _shown(connection, row.id, now_ms)
    rows.delete_key(connection, row.id, now_ms)
    bump_catalog(connection)
    return gone


def _check_name(connection: Connection, name: str) -> None:
    checked_name(name, "a key")
    if name.startswith(PREFIX):
        raise BadRequest(
            f"A key's name cannot begin with {PREFIX}, which is how credentials begin.", param="name"
        )
    if rows.ids_like(connection, name=name):
        raise taken("key", name)


def _chosen(known: dict[str, int], name: str | None, what: str, usual: str) -> int:
    """The id behind a name; without one the usual, or the only one there is."""
    if name is not None:
        if name not in known:
            raise unknown(what, name, known, param=what)
        return known[name]
    if usual in known:
        return known[usual]
    if len(known) == 1:
        return next(iter(known.values()))
    raise BadRequest(
        f"Say which {what} the key belongs to: {', '.join(sorted(known)) or 'none exists yet'}.", param=what
    )


def _shown(connection: Connection, key_id: int, now_ms: int) -> Key:
    row = rows.read_key(connection, key_id)
    return _key(row, _today(connection, (key_id,), now_ms).get(key_id, _NOTHING), now_ms)


def _key(row: KeyRow, today: Sum, now_ms: int) -> Key:
    left_nano = None if row.limit_nano is None else row.limit_nano - row.held_nano - row.spent_nano
    return Key(
        id=row.id,
        name=row.name,
        display=row.display,
        group=row.group,
        quota=row.quota,
        enabled=bool(row.enabled),
        state=_state(row, now_ms),
        expires_at=iso_or_none(row.expires_at_ms),
        limit_usd=None if row.limit_nano is None else format_usd(row.limit_nano),
        left_usd=None if left_nano is None else format_usd(max(0, left_nano)),
        spent_usd=format_usd(row.spent_nano),
        held_usd=format_usd(row.held_nano),
        in_flight=row.in_flight,
        requests_today=today.requests,
        spent_today_usd=format_usd(today.charged_nano),
        last_used_at=iso_or_none(row.last_used_at_ms),
        created_at=iso(row.created_at_ms),
        used_percent=_percent(row),
    )


def _percent(row: KeyRow) -> int | None:
    if row.limit_nano is None:
        return None
    return (row.spent_nano + row.held_nano) * 100 // row.limit_nano if row.limit_nano else 100


def _state(row: KeyRow, now_ms: int) -> KeyState:
    if row.deleted_at_ms is not None:
        return "deleted"
    if not row.enabled:
        return "disabled"
    if row.expires_at_ms is not None and row.expires_at_ms <= now_ms:
        return "expired"
    if row.limit_nano is not None and row.spent_nano >= row.limit_nano:
        return "used_up"
    return "active"
