"""A request's money, from the hold to the record. Values only; the ledger in the store moves them.

The word for how a request ended is one of ENDINGS; how its usage was known is one of USAGE_SOURCES.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from laidian.domain.group import RateLimits
from laidian.domain.hold import Demand
from laidian.domain.price import Price
from laidian.domain.quota import WindowKind
from laidian.domain.usage import Usage

Ending = Literal["complete", "client_closed", "upstream_fault", "refused", "cancelled", "cut", "lost"]
ENDINGS: dict[str, str] = {
    "complete": "the answer was delivered whole",
    "client_closed": "the client hung up first",
    "upstream_fault": "no upstream answered, or one broke off in the middle",
    "refused": "the upstream refused the request itself; it costs nothing",
    "cancelled": "the operator or a stopping server ended it",
    "cut": "the stream was ended because the quota could not carry more",
    "lost": "the process died; settled by the orphan rule",
}
UsageSource = Literal["upstream", "estimated", "none"]
USAGE_SOURCES: dict[str, str] = {
    "upstream": "the provider reported it",
    "estimated": "the provider did not say; counted from the bytes",
    "none": "nothing was used",
}


class HoldRequest(msgspec.Struct, frozen=True):
    """Everything the ledger needs to decide on and to write a hold."""

    request_id: str
    owner: str
    """Id of the worker that will settle it."""
    key_id: int
    group_id: int
    quota_id: int
    demand: Demand
    rates: RateLimits
    operation: str
    model: str
    asked_model: str
    price: Price
    store_price: bool
    """Whether the price has to be written first, because no record named it yet."""
    multiplier_ppm: int
    stream: bool
    input_tokens: int
    """Likely input, for the orphan rule."""
    rate_tokens: int
    """What the minute's token window is charged in advance; corrected by the settlement."""
    now_ms: int


class Hold(msgspec.Struct, frozen=True):
    """Money set aside for one request until it is settled. At most one per request id."""

    request_id: str
    amount_nano: int
    """Nano-USD, >= 0. A settlement is lower, or higher by at most what the quota then has left."""


RefusalGate = Literal[
    "key", "key_limit", "quota", "quota_expired", "balance", "window", "requests", "tokens", "concurrency"
]


class Refusal(msgspec.Struct, frozen=True):
    """Which gate was closed, with the figures for the sentence."""

    gate: RefusalGate
    name: str = ""
    """Name of the quota, or kind of the window."""
    limit: int = 0
    """The limit in the gate's unit: nano-USD, requests or tokens."""
    left_nano: int = 0
    held_nano: int = 0
    """Money of other requests in flight; when it is what is missing, waiting helps."""
    needed_nano: int = 0
    opens_at_ms: int | None = None
    """When the gate opens by itself."""


class Settlement(msgspec.Struct, frozen=True):
    """The single end of a hold: the usage record but for what the hold already knows."""

    request_id: str
    usage: Usage
    amount_nano: int
    """The receipt's total at the price and multiplier of the hold."""
    service_tier: str
    usage_from: UsageSource
    ended: Ending
    status: int
    """HTTP status the client got (or would have)."""
    error_code: str
    upstream_id: int | None
    credential_id: int | None
    upstream_model: str
    first_byte_ms: int | None
    duration_ms: int
    finished_at_ms: int
    attempts: str
    """JSON array, one object per upstream tried."""
    client: str
    """User-Agent, shortened."""


class Settled(msgspec.Struct, frozen=True):
    charged_nano: int
    shortfall_nano: int
    quota_unspent_nano: int | None
    """What a prepaid quota has not spent yet, holds of requests in flight included; None for the other kinds."""


class WindowRef(msgspec.Struct, frozen=True):
    """A plan window that a hold counts in."""

    kind: WindowKind
    start_ms: int
