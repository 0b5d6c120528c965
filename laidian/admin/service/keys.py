"""Keys: made, shown, changed, rotated, deleted. The only place that hands out a credential, once."""

from __future__ import annotations

from msgspec import UNSET

from laidian.admin.schema import Key, KeyCreate, KeyCreated, KeyEdit, KeyState
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
from laidian.store.keys import KeyRow, KeyValues
from laidian.store.quotas import read_quotas
from laidian.store.usage import Today, today_by_key

_SHORTEST_START = len(PREFIX) + 4
"""`sk-` and the four characters that a display form begins with."""
_WHOLE = 20
"""A text of this length that begins like a key is taken for a whole credential."""
_NOTHING = Today(0, 0, 0)


def list_keys(connection: Connection, now_ms: int) -> tuple[Key, ...]:
    """Every key by name."""
    today = today_by_key(connection, day_start_ms(now_ms))
    return tuple(_key(row, today.get(row.id, _NOTHING), now_ms) for row in rows.read_keys(connection))


def show_key(connection: Connection, address: str, now_ms: int) -> Key:
    """Raises NotFound, or Conflict when the address means several."""
    return _shown(connection, find_key(connection, address).id, now_ms)


def find_key(connection: Connection, address: str) -> KeyRow:
    """A key by name, id, start of its display form, or whole credential, in this order.

    Raises NotFound, or Conflict when several begin like that. A credential is never repeated in a message.
    """
    known = rows.read_keys(connection)
    for row in known:
        if row.name == address:
            return row
    found: list[KeyRow] = []
    if address.isascii() and address.isdecimal():
        found = [row for row in known if str(row.id) == address]
    elif address.startswith(PREFIX):
        found = _by_credential(connection, known, address)
    if len(found) > 1:
        names = ", ".join(row.name for row in found)
        raise Conflict(f"Several keys begin like that: {names}. Use the name.", param="key")
    if not found:
        secret = len(address) >= _WHOLE and address.startswith(PREFIX)
        raise unknown(
            "key", display(address) if secret else address, (row.name for row in known), param="key"
        )
    return found[0]


def _by_credential(connection: Connection, known: list[KeyRow], address: str) -> list[KeyRow]:
    if len(address) >= _WHOLE and "…" not in address:
        key_id = rows.key_id_of_digest(connection, digest(address))
        return [row for row in known if row.id == key_id]
    if len(address) < _SHORTEST_START:
        return []
    return [row for row in known if row.display.startswith(address)]


def create_key(connection: Connection, change: KeyCreate, *, entropy: bytes, now_ms: int) -> KeyCreated:
    """A new key and its credential, which is shown now and never again. `entropy`: 32 random bytes.

    Raises BadRequest, NotFound for an unknown group or quota, Conflict for a taken name.
    """
    change = checked(change)
    known = rows.read_keys(connection)
    _check_name(change.name, known)
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
        _check_name(change.name, rows.read_keys(connection))
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


def _check_name(name: str, known: list[KeyRow]) -> None:
    checked_name(name, "a key")
    if name.startswith(PREFIX):
        raise BadRequest(
            f"A key's name cannot begin with {PREFIX}, which is how credentials begin.", param="name"
        )
    if any(row.name == name for row in known):
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
    today = today_by_key(connection, day_start_ms(now_ms)).get(key_id, _NOTHING)
    return _key(row, today, now_ms)


def _key(row: KeyRow, today: Today, now_ms: int) -> Key:
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
    )


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
