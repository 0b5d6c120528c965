"""Wire types of groups: what a key may use."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from laidian.admin.schema.words import AbortPolicy, Aliases, Count, Name, Patterns


class Group(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    enabled: bool
    upstreams: str
    """`a,b` in order, `a+b` sharing; empty: all, by their own priority."""
    allow: tuple[str, ...]
    """Shell patterns of model names; empty: all."""
    deny: tuple[str, ...]
    aliases: dict[str, str]
    """Public model name to the name that is priced and routed."""
    capabilities: tuple[str, ...]
    multiplier: str
    requests_per_minute: int | None
    """Of each key; None: no limit."""
    tokens_per_minute: int | None
    concurrent_requests: int | None
    on_abort: AbortPolicy
    from_config: bool
    """Provisioned by config.toml: change it there."""
    keys: int
    """Keys that use it."""
    created_at: str


class GroupCreate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    name: Name
    upstreams: str = ""
    allow: Patterns = ()
    deny: Patterns = ()
    aliases: Aliases = {}
    capabilities: tuple[str, ...] | None = None
    """None: every one."""
    multiplier: str = "1x"
    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None
    concurrent_requests: Count | None = None
    on_abort: AbortPolicy = "cancel"
    enabled: bool = True


class GroupEdit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Name | UnsetType = UNSET
    upstreams: str | UnsetType = UNSET
    allow: Patterns | UnsetType = UNSET
    deny: Patterns | UnsetType = UNSET
    aliases: Aliases | UnsetType = UNSET
    """Replaces them all."""
    capabilities: tuple[str, ...] | UnsetType | None = UNSET
    multiplier: str | UnsetType = UNSET
    requests_per_minute: Count | UnsetType | None = UNSET
    tokens_per_minute: Count | UnsetType | None = UNSET
    concurrent_requests: Count | UnsetType | None = UNSET
    on_abort: AbortPolicy | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
