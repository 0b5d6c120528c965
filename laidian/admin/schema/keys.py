"""Wire types of keys: the client credentials."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from laidian.admin.schema.words import KeyState, Name, Secretive, When


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A client credential as everybody may see it."""

    id: int
    name: str
    display: str
    """`sk-AbCd…wXyZ`."""
    group: str
    quota: str
    enabled: bool
    state: KeyState
    expires_at: str | None
    """None: never."""
    limit_usd: str | None
    """What this key may spend in all, whatever its quota has left; None: no limit of its own."""
    left_usd: str | None
    """Of the key's own limit; None: no limit."""
    spent_usd: str
    held_usd: str
    """Set aside for requests in flight."""
    in_flight: int
    requests_today: int
    """Begun since 00:00 UTC and settled."""
    spent_today_usd: str
    last_used_at: str | None
    created_at: str
    used_percent: int | None = None
    """Of the key's own limit, spent and held together; None: no limit."""


class KeyQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which keys, and in what order. On the wire these are query parameters."""

    sort: str = "name"
    """name, last_used, spent, today, created; with `-` before it the other way round: `-spent`."""
    filter: str = ""
    """A part of the name, the display form or the group's name, whatever the case."""
    state: str = ""
    """A state, or `near`: active, with 90 % or more of its own limit used."""
    group: str = ""
    quota: str = ""


class KeyCreate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    name: Name
    group: str | None = None
    """None: `default`, or the only group there is."""
    quota: str | None = None
    """None: `unlimited`, or the only quota there is."""
    limit_usd: str | None = None
    expires_at: When | None = None
    enabled: bool = True


class KeyEdit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Name | UnsetType = UNSET
    group: str | UnsetType = UNSET
    quota: str | UnsetType = UNSET
    limit_usd: str | UnsetType | None = UNSET
    expires_at: When | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET


class KeyCreated(Secretive, msgspec.Struct, frozen=True, kw_only=True):
    """A new credential, readable here and never again."""

    key: Key
    secret: str
