"""Wire types of the instance: status, audit, what a start did."""

from __future__ import annotations

import msgspec

from laidian.admin.schema.keys import KeyCreated
from laidian.admin.schema.words import Secretive, UpstreamKind, UpstreamState


class SqliteState(msgspec.Struct, frozen=True, kw_only=True):
    version: str
    wal_reset_bug: bool
    """Older than 3.51.3, whose change log names the fix."""
    verdict: str


class UpstreamStatus(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    kind: UpstreamKind
    state: UpstreamState
    reason: str
    """Why it is not up; empty when it is."""
    until: str | None
    """Of the next try."""
    in_flight: int


class Status(msgspec.Struct, frozen=True, kw_only=True):
    version: str
    pid: int
    """Of the worker that answered."""
    workers: int
    """Alive now."""
    uptime_s: int
    base_url: str
    """For clients: ends with /v1."""
    data: str
    """The data folder."""
    schema: int
    catalog_version: int
    sqlite: SqliteState
    upstreams: tuple[UpstreamStatus, ...]
    keys: int
    """Not deleted."""
    in_flight: int
    held_usd: str
    requests_today: int
    """Begun since 00:00 UTC and settled."""
    failed_today: int
    spent_today_usd: str
    price_book: str
    stopping: bool


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Something in the ledger that does not add up."""

    check: str
    subject: str
    expected: str
    found: str
    message: str


class AuditReport(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger replayed."""

    clean: bool
    at: str
    quotas: int
    keys: int
    windows: int
    records: int
    holds: int
    credited_usd: str
    spent_usd: str
    held_usd: str
    shortfall_usd: str
    records_amount_usd: str
    orphaned_holds: int
    """Of dead workers; the orphan rule settles them at the next start or by another worker."""
    estimated_records: int
    lost_records: int
    unpriced_records: int
    """Charged at the hold because the price had no rate for a unit used: not recomputable, and said so."""
    differences: tuple[Difference, ...]
    """The first ones; `differences_total` counts all."""
    differences_total: int


class FirstStart(Secretive, msgspec.Struct, frozen=True, kw_only=True):
    """What the first start made, for the text it prints once."""

    price_book: str
    group: str
    quota: str
    upstreams: tuple[str, ...]
    """Made from variables of the environment."""
    key: KeyCreated | None
    """None: no upstream was found, so there is no key yet."""


class Provisioned(msgspec.Struct, frozen=True, kw_only=True):
    """What config.toml changed at this start; names with their kind, `upstream openai`."""

    created: tuple[str, ...]
    updated: tuple[str, ...]
    disabled: tuple[str, ...]
    """Vanished from the file."""
