"""Wire types of usage: records, receipts, sums."""

from __future__ import annotations

from typing import Literal

import msgspec

from laidian.admin.schema.words import Grouping


class UsageQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which records; empty filters nothing. On the wire these are query parameters."""

    since: str = ""
    """A `When`; a duration goes back from now: "24h"."""
    until: str = ""
    key: str = ""
    model: str = ""
    group: str = ""
    upstream: str = ""
    ended: str = ""
    status: str = ""
    """"429", "4xx", "5xx", "ok" (below 400) or "error" (400 and above, and lost ones)."""
    request_id: str = ""
    """Its beginning."""
    operation: str = ""
    client: str = ""
    """A part of the client's name."""
    text: str = ""
    """A part of the request id, a model's name, the error's code or the client's name."""
    kind: str = ""
    """accepted or refused; empty: both."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One upstream that was tried for a request."""

    upstream: str
    credential: str
    outcome: str
    """`ok`, or the kind of fault."""
    status: int
    duration_ms: int
    message: str


class UsageRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One request: accepted and settled, or refused by a gate before it cost anything."""

    request_id: str
    kind: Literal["accepted", "refused"] = "accepted"
    """refused: no upstream was asked, nothing was charged; `quota`, `upstream` and `ended` are empty."""
    key: str
    """Of a refused request with a credential of nobody: how that begins, or empty."""
    group: str
    quota: str
    upstream: str
    """Empty: none answered."""
    operation: str
    model: str
    asked_model: str
    """As the client named it, before the group's alias."""
    upstream_model: str
    stream: bool
    started_at: str
    """With milliseconds."""
    first_byte_ms: int | None
    duration_ms: int
    status: int
    """HTTP status; 0: the process died."""
    ended: str
    """complete, client_closed, upstream_fault, refused, cancelled, cut, lost."""
    error_code: str
    usage_from: Literal["upstream", "estimated", "none"]
    input_tokens: int
    """All classes of the prompt, cached ones included."""
    cached_tokens: int
    """Of these, read from the provider's cache."""
    output_tokens: int
    """All classes of the answer, reasoning included."""
    usage: dict[str, int]
    """Quantities by unit, only those above 0; disjoint."""
    multiplier: str
    cost_usd: str
    """What was charged."""
    shortfall_usd: str
    """What it cost beyond what the quota still had: the operator's loss."""
    client: str
    message: str = ""
    """Why it failed or was refused, in a sentence; empty when it did not, or when nobody said."""
    retries: int = 0
    """Upstreams that were tried before the last one."""


class ReceiptLine(msgspec.Struct, frozen=True, kw_only=True):
    unit: str
    quantity: int
    usd_per_million: str
    """Before the multiplier."""
    cost_usd: str
    """quantity x rate x multiplier, rounded once."""


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The price calculation of a request; the lines add up to `amount_usd`."""

    lines: tuple[ReceiptLine, ...]
    """Empty where the price knew no rate for a unit: then the amount is what was held."""
    multiplier: str
    amount_usd: str
    charged_usd: str
    """The amount less the shortfall."""
    service_tier: str
    note: str
    """What stood in for a missing rate, or why the amount is not the sum of the lines; empty when nothing did."""
    price_version: str
    price_source: str
    price_source_date: str


class UsageDetail(msgspec.Struct, frozen=True, kw_only=True):
    record: UsageRecord
    receipt: Receipt
    held_usd: str
    """What had been set aside."""
    attempts: tuple[Attempt, ...]


class UsageRow(msgspec.Struct, frozen=True, kw_only=True):
    """Records added up."""

    name: str
    """Day (YYYY-MM-DD, UTC), hour (2026-11-22T10:00Z), model, status class (2xx, 4xx, 5xx, lost), or name of key, group or
    upstream; empty in the total."""
    requests: int
    failed: int
    """With a status of 400 or above, or lost."""
    estimated: int
    """Whose usage the upstream did not report."""
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    cost_usd: str
    shortfall_usd: str
    first_byte_p50_ms: int | None = None
    first_byte_p95_ms: int | None = None
    """Likely, from a histogram of 16 classes; None: nothing was measured, or the grouping (by key) keeps none."""
    duration_p50_ms: int | None = None
    duration_p95_ms: int | None = None


class UsageSummary(msgspec.Struct, frozen=True, kw_only=True):
    by: Grouping
    rows: tuple[UsageRow, ...]
    """Days and hours: newest first; the others: dearest first."""
    total: UsageRow
    refused: int = 0
    """Requests that a gate refused in this time, as far as they are kept; in no row."""
