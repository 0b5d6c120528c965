"""Wire types of the dashboard's first screen: figures, upstreams, top keys, and what needs the operator."""

from __future__ import annotations

from typing import Literal

import msgspec

from laidian.admin.schema.words import UpstreamKind, UpstreamState

Screen = Literal[
    "overview", "keys", "groups", "quotas", "upstreams", "models", "live", "usage", "doctor", "settings"
]


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """One figure with its last hour."""

    now: int
    """Of the last full minute; of the spend, today in nano-USD; of the errors, the last five minutes."""
    before: int
    """The same an hour ago; of the spend, yesterday until this time of the day; of the errors, the five minutes an hour ago."""
    series: tuple[int, ...]
    """60 minutes, oldest first; the last one is still running. Nano-USD for the spend."""


class Cards(msgspec.Struct, frozen=True, kw_only=True):
    requests: Card
    tokens: Card
    spend: Card
    errors: Card
    """Accepted ones that failed and refused ones together."""
    spent_today_usd: str
    requests_5m: int
    """Accepted and refused, for the share of the errors."""
    last_error_status: int | None
    """Of the newest error in five minutes."""


class UpstreamRow(msgspec.Struct, frozen=True, kw_only=True):
    """One upstream in a line."""

    name: str
    kind: UpstreamKind
    state: UpstreamState
    reason: str
    until: str | None
    in_flight: int
    requests_per_minute: int
    """Of the last full minute."""
    success_percent_24h: float | None
    first_byte_p50_ms: int | None
    """Of the last hour."""
    first_byte_p95_ms: int | None
    requests: tuple[int, ...]
    """60 minutes, oldest first."""
    failed: tuple[int, ...]
    first_byte_ms: tuple[int | None, ...]
    """The mean of each of these minutes; None: nothing was measured."""


class TopKey(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    group: str
    requests_today: int
    spent_today_usd: str


class Attention(msgspec.Struct, frozen=True, kw_only=True):
    """Something that needs the operator."""

    id: str
    """Stable: the same trouble of the same thing has the same id."""
    severity: Literal["fail", "warn"]
    """fail: requests fail because of it now. warn: it will, or it is worth knowing."""
    what: str
    """A sentence with the values."""
    fix: str
    """What to do."""
    since: str | None
    screen: Screen
    """Where it is fixed."""
    name: str
    """Of the thing there; empty: the screen itself."""


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """How far the first run has come."""

    public_url: bool
    """It is set in config.toml."""
    upstreams: int
    probed: int
    """Upstreams whose last probe was good."""
    models: int
    """That could be had now."""
    groups: int
    quotas: int
    keys: int
    requests: bool
    """Some request was ever settled."""


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    at: str
    base_url: str
    version: str
    uptime_s: int
    in_flight: int
    held_usd: str
    keys: int
    stopping: bool
    cards: Cards
    upstreams: tuple[UpstreamRow, ...]
    top_keys: tuple[TopKey, ...]
    """Dearest first, at most ten."""
    attention: tuple[Attention, ...]
    """The worst first. Empty: nothing needs you."""
    setup: Setup
