"""Wire types of upstreams: accounts at providers, their credentials, circuits and probes."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from laidian.admin.schema.words import (
    Aliases,
    Count,
    Name,
    Patterns,
    Rank,
    Seconds,
    Secretive,
    SecretText,
    Text,
    UpstreamKind,
    UpstreamState,
    Weight,
)


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """A credential without the secret, which nobody can read again."""

    label: str
    fingerprint: str
    """First 8 hex digits of its SHA-256: tells two apart and is useless otherwise."""
    enabled: bool
    created_at: str


class Circuit(msgspec.Struct, frozen=True, kw_only=True):
    """An upstream, or part of one, that gets no traffic now."""

    upstream: str
    credential: str
    """Label; empty: whatever the credential."""
    model: str
    """The upstream's own name; empty: whatever the model."""
    state: Literal["open", "half_open"]
    """half_open: the time is over, and the next request tries it."""
    open_until: str
    failures: int
    """In a row."""
    reason: str
    changed_at: str


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """One check of an upstream: its model list was asked for."""

    upstream: str
    at: str
    ok: bool
    status: int | None
    """HTTP status; None: no answer came."""
    duration_ms: int
    models: int | None
    """How many it listed; None: no list."""
    reason: str
    """Why it failed; empty when ok."""


class Upstream(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    kind: UpstreamKind
    base_url: str
    enabled: bool
    state: UpstreamState
    priority: int
    """Lower is tried first."""
    weight: int
    max_concurrent: int | None
    proxy: str
    """Egress proxy without its credentials, `socks5://host:1080`; empty: none."""
    models: tuple[str, ...]
    """Shell patterns of what it serves; empty: what a probe found."""
    aliases: dict[str, str]
    """Our name of a model to its own."""
    discovered: int
    """How many models the last successful probe listed."""
    credentials: tuple[Credential, ...]
    circuits: tuple[Circuit, ...]
    groups: tuple[str, ...]
    """Groups that name it."""
    in_flight: int
    """Requests it is answering now, of all workers as far as known."""
    last_probe: Probe | None
    connect_timeout_s: float
    first_byte_timeout_s: float
    idle_timeout_s: float
    from_config: bool
    """Provisioned by config.toml: change it there."""
    created_at: str


class CredentialCreate(
    Secretive, msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    api_key: SecretText
    label: Name = ""
    """Empty: `key-1`, `key-2` …"""


class CredentialEdit(Secretive, msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    api_key: SecretText | UnsetType = UNSET
    """Replaces the secret at once; the old one is gone."""
    label: Name | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class UpstreamCreate(
    Secretive, msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    name: Name
    kind: UpstreamKind
    base_url: Text = ""
    """Empty: the provider's public endpoint. A missing `/v1` is added."""
    credentials: tuple[CredentialCreate, ...] = ()
    models: Patterns = ()
    aliases: Aliases = {}
    priority: Rank = 0
    weight: Weight = 1
    max_concurrent: Count | None = None
    proxy: SecretText = ""
    """`http://user:password@host:port`, `socks5://…` or `socks5h://…`."""
    connect_timeout_s: Seconds = 10.0
    first_byte_timeout_s: Seconds = 300.0
    idle_timeout_s: Seconds = 300.0
    enabled: bool = True


class UpstreamEdit(Secretive, msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Name | UnsetType = UNSET
    base_url: Text | UnsetType = UNSET
    models: Patterns | UnsetType = UNSET
    aliases: Aliases | UnsetType = UNSET
    """Replaces them all."""
    priority: Rank | UnsetType = UNSET
    weight: Weight | UnsetType = UNSET
    max_concurrent: Count | UnsetType | None = UNSET
    proxy: SecretText | UnsetType = UNSET
    """Empty: none."""
    connect_timeout_s: Seconds | UnsetType = UNSET
    first_byte_timeout_s: Seconds | UnsetType = UNSET
    idle_timeout_s: Seconds | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class UpstreamModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model that an upstream can be said to serve."""

    model: str
    """Our name."""
    upstream_model: str
    """Its own name."""
    known_from: Literal["configured", "alias", "probe"]
    priced: bool
    """Without a price it is refused."""


class CircuitsReset(msgspec.Struct, frozen=True, kw_only=True):
    reset: int
    """Circuits that were open or half-open and are closed now."""


class LatencyPoint(msgspec.Struct, frozen=True, kw_only=True):
    """What an upstream did in one stretch of time."""

    at: str
    """When it began."""
    requests: int
    failed: int
    first_byte_p50_ms: int | None
    """None: nothing was measured."""
    first_byte_p95_ms: int | None
    duration_p50_ms: int | None
    duration_p95_ms: int | None


class UpstreamHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How an upstream has been doing."""

    upstream: str
    state: UpstreamState
    reason: str
    """Why it is not up; empty when it is."""
    since: str | None
    """Since when it is not up, as far as known."""
    until: str | None
    """Of the next try of what rests."""
    last_probe: Probe | None
    next_probe_at: str | None
    """None: it is not probed by itself, because it is disabled or has no credential."""
    requests_24h: int
    failed_24h: int
    success_percent_24h: float | None
    """With one decimal; None: no requests."""
    first_byte_p50_ms: int | None
    """Of 24 hours, as the others."""
    first_byte_p95_ms: int | None
    hours: tuple[LatencyPoint, ...]
    """24, oldest first, empty ones included."""
    minutes: tuple[LatencyPoint, ...]
    """60, oldest first, empty ones included."""


class UpstreamError(msgspec.Struct, frozen=True, kw_only=True):
    """A try at an upstream that did not go well; the request may have been answered by another."""

    request_id: str
    at: str
    """When the request began."""
    key: str
    model: str
    credential: str
    outcome: str
    status: int
    message: str
    duration_ms: int
    answered: bool
    """Whether the client got its answer all the same."""
