"""Wire types of prices and of the price book."""

from __future__ import annotations

from typing import Literal

import msgspec

from laidian.admin.schema.words import Count, Origin, Pattern, Text, UpstreamState, When


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    unit: str
    """input, cached_input, cache_write, output, reasoning, images …"""
    usd_per_million: str
    service_tier: str = "default"
    above_input_tokens: int = 0
    """Holds for prompts longer than this."""


class Price(msgspec.Struct, frozen=True, kw_only=True):
    model: str
    """A name, or a shell pattern in the operator's own."""
    origin: Origin
    source: str
    source_date: str
    version: str
    """Names this very price on receipts."""
    effective_from: str | None
    """None: since ever."""
    rates: tuple[Rate, ...]
    context_tokens: int | None
    max_output_tokens: int | None


class PriceSet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    model: Pattern
    rates: dict[str, str]
    """Unit to USD per million: {"input": "1.25", "output": "10"}. A service tier and a prompt length may follow the unit:
    "input@flex", "input>200000", "output@priority>200000"."""
    source: Text = "operator"
    source_date: str = ""
    """YYYY-MM-DD; empty: today."""
    effective_from: When | None = None
    """None: now."""
    context_tokens: Count | None = None
    max_output_tokens: Count | None = None


class PriceFound(msgspec.Struct, frozen=True, kw_only=True):
    """What would price a model now."""

    model: str
    price: Price | None
    reason: str
    """Why this one, or why none and what to do."""


class PriceBookState(msgspec.Struct, frozen=True, kw_only=True):
    source: str
    """Adopted book, "genai-prices 0.2.3"; empty: none yet."""
    source_date: str
    adopted_at: str | None
    models: int
    shipped_source: str
    """The book that came with this program."""
    shipped_source_date: str
    differs: bool
    """The shipped book is another one; `diff` shows what would change."""


class PriceChange(msgspec.Struct, frozen=True, kw_only=True):
    provider: str
    model: str
    effective_from: str
    """Day, or empty: since ever."""
    change: Literal["added", "removed", "changed"]
    before: tuple[Rate, ...]
    after: tuple[Rate, ...]
    note: str
    """What else differs: names it answers to, output limit; empty when nothing does."""
    used: bool
    """Some usage record of ours was priced with this model of the book."""


class PriceDiff(msgspec.Struct, frozen=True, kw_only=True):
    from_source: str
    to_source: str
    changes: tuple[PriceChange, ...]
    """Those of used models first."""


class BookAdopt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    source: str
    """The shipped book's source as the diff showed it: nobody adopts what they did not see."""


class ModelServer(msgspec.Struct, frozen=True, kw_only=True):
    upstream: str
    state: UpstreamState
    """up: the next request for this model may go there."""
    reason: str


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A model that can be asked for, or was asked for and could not be had."""

    model: str
    state: Literal["up", "resting", "unpriced", "no_upstream", "no_group"]
    """no_upstream: nothing serves it. no_group: no enabled group lets it through."""
    reason: str
    """Why it cannot be had, with the next step; empty when up."""
    until: str | None
    served_by: tuple[ModelServer, ...]
    groups: tuple[str, ...]
    """Enabled ones that let it through."""
    price: Price | None
    kinds: tuple[str, ...]
    """Capabilities that it is priced for."""
    requests_24h: int
    failed_24h: int
    refused_24h: int
    spent_24h_usd: str
    first_byte_p50_ms: int | None
    """Of 24 hours."""
