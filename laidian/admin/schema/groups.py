"""Wire types of groups: what a key may use."""

from __future__ import annotations

from typing import Literal

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


class ServingCell(msgspec.Struct, frozen=True, kw_only=True):
    """What one upstream is for one model."""

    upstream: str
    rank: int
    """1 is tried first; equal ranks share. 0: it does not serve the model."""
    state: Literal["up", "resting", "no_credential", "disabled", "none"]
    """none: it does not serve the model."""
    reason: str
    until: str | None
    """Of the next try."""


class ServedModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model as a group's keys can have it now."""

    model: str
    available: bool
    gate: str
    """The first gate that is closed: group, upstream, price, capability, health; empty when available."""
    reason: str
    """A sentence with the next step; empty when available."""
    until: str | None
    """When it opens by itself."""
    served_by: str
    """The upstream that the next request would go to; empty: none."""
    input_usd: str | None
    """Per million tokens, before the group's multiplier; None: no price for it."""
    output_usd: str | None
    cells: tuple[ServingCell, ...]
    """One for each of `upstreams`, in that order."""


class GroupServing(msgspec.Struct, frozen=True, kw_only=True):
    """Who serves what now."""

    group: str
    multiplier: str
    upstreams: tuple[str, ...]
    """In the order in which they are tried."""
    models: tuple[ServedModel, ...]
