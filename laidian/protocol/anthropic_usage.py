"""Anthropic's usage objects, read into disjoint classes, and written back.

`input_tokens` EXCLUDES what was read from and written to the cache; `output_tokens` contains thinking (protocol.md 3). In a stream the
input side comes with `message_start` and the rest with `message_delta`, which is cumulative: the last word of each field counts.
What is not an integer, negative or absurd makes its whole object unsaid, so that nonsense never becomes a charge or a credit.
"""

from __future__ import annotations

import msgspec

from laidian.domain.usage import Usage
from laidian.protocol.document import said

ABSURD_COUNT = 100_000_000
"""More than any context window; beyond it a figure is taken for junk."""


class _CacheCreation(msgspec.Struct):
    ephemeral_5m_input_tokens: int | None = None
    ephemeral_1h_input_tokens: int | None = None


class _OutputDetails(msgspec.Struct):
    thinking_tokens: int | None = None


class _ServerTools(msgspec.Struct):
    web_search_requests: int | None = None


class _Counts(msgspec.Struct):
    input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation: _CacheCreation | None = None
    output_tokens: int | None = None
    output_tokens_details: _OutputDetails | None = None
    server_tool_use: _ServerTools | None = None


class _Prices(msgspec.Struct):
    service_tier: str | None = None
    speed: str | None = None


_decode_counts = msgspec.json.Decoder(_Counts).decode
_decode_prices = msgspec.json.Decoder(_Prices).decode


class UsageReader:
    """Gathers the usage of one answer from one or more usage objects."""

    __slots__ = ("_counts", "service_tier")

    def __init__(self) -> None:
        self._counts = _Counts()
        self.service_tier = "default"
        """What the prices go by: `fast` when the answer was made at that speed, else the tier Anthropic names."""

    def see(self, raw: msgspec.Raw) -> None:
        """Takes one usage object; what it does not say keeps its earlier value."""
        value = said(raw)
        if value is None:
            return
        self._see_prices(value)
        try:
            counts = _decode_counts(value)
        except (msgspec.DecodeError, RecursionError):
            return
        if not _believable(counts):
            return
        known = self._counts
        if _input_side(counts):  # an input side of nothing is an omission: it never shrinks to 0
            known.input_tokens = _last(counts.input_tokens, known.input_tokens)
            known.cache_read_input_tokens = _last(
                counts.cache_read_input_tokens, known.cache_read_input_tokens
            )
            known.cache_creation_input_tokens = _last(
                counts.cache_creation_input_tokens, known.cache_creation_input_tokens
            )
            known.cache_creation = counts.cache_creation or known.cache_creation
        elif known.input_tokens is None:
            known.input_tokens = counts.input_tokens
        known.output_tokens = _last(counts.output_tokens, known.output_tokens)
        known.output_tokens_details = counts.output_tokens_details or known.output_tokens_details
        known.server_tool_use = counts.server_tool_use or known.server_tool_use

    def usage(self) -> Usage | None:
        """None while input or output have not been told."""
        counts = self._counts
        if counts.input_tokens is None or counts.output_tokens is None:
            return None
        details, tools = counts.output_tokens_details, counts.server_tool_use
        thinking = (details.thinking_tokens if details else None) or 0
        if thinking > counts.output_tokens:
            thinking = 0  # parts larger than the whole: trust the whole
        short, long = _cache_writes(counts)
        return Usage(
            input=counts.input_tokens,
            cached_input=counts.cache_read_input_tokens or 0,
            cache_write=short,
            cache_write_1h=long,
            output=counts.output_tokens - thinking,
            reasoning=thinking,
            web_searches=(tools.web_search_requests if tools else None) or 0,
        )

    def _see_prices(self, value: bytes) -> None:
        try:
            prices = _decode_prices(value)
        except (msgspec.DecodeError, RecursionError):
            return
        if prices.speed == "fast":
            self.service_tier = "fast"
        elif prices.service_tier and self.service_tier != "fast":
            self.service_tier = prices.service_tier


def _believable(counts: _Counts) -> bool:
    creation, details, tools = counts.cache_creation, counts.output_tokens_details, counts.server_tool_use
    figures = (
        counts.input_tokens,
        counts.cache_creation_input_tokens,
        counts.cache_read_input_tokens,
        counts.output_tokens,
        creation.ephemeral_5m_input_tokens if creation else None,
        creation.ephemeral_1h_input_tokens if creation else None,
        details.thinking_tokens if details else None,
        tools.web_search_requests if tools else None,
    )
    return all(figure is None or 0 <= figure <= ABSURD_COUNT for figure in figures)


def _input_side(counts: _Counts) -> int:
    return (
        (counts.input_tokens or 0)
        + (counts.cache_creation_input_tokens or 0)
        + (counts.cache_read_input_tokens or 0)
    )


def _cache_writes(counts: _Counts) -> tuple[int, int]:
    """(5 minutes, 1 hour). The total decides; the split says how much of it was the long kind."""
    split = counts.cache_creation
    short = (split.ephemeral_5m_input_tokens if split else None) or 0
    long = (split.ephemeral_1h_input_tokens if split else None) or 0
    total = counts.cache_creation_input_tokens
    if total is None:
        return short, long
    long = min(long, total)
    return total - long, long


def _last(new: int | None, old: int | None) -> int | None:
    return old if new is None else new


# Written


class CacheCreation(msgspec.Struct, frozen=True):
    ephemeral_5m_input_tokens: int = 0
    ephemeral_1h_input_tokens: int = 0


class OutputDetails(msgspec.Struct, frozen=True):
    thinking_tokens: int


class ServerTools(msgspec.Struct, frozen=True):
    web_search_requests: int
    web_fetch_requests: int = 0


class WrittenUsage(msgspec.Struct, frozen=True):
    """A usage object for a client; the fields that anthropic 2.12.0 requires are always there."""

    input_tokens: int
    cache_creation_input_tokens: int
    cache_read_input_tokens: int
    cache_creation: CacheCreation
    output_tokens: int
    output_tokens_details: OutputDetails | msgspec.UnsetType = msgspec.UNSET
    server_tool_use: ServerTools | msgspec.UnsetType = msgspec.UNSET
    service_tier: str = "standard"


def written_usage(usage: Usage, service_tier: str = "default") -> WrittenUsage:
    """Another provider's usage as Anthropic would say it; pictures and sound count with the text."""
    written = usage.cache_write + usage.cache_write_1h
    cached = usage.cached_input + usage.cached_image_input + usage.cached_audio_input
    return WrittenUsage(
        input_tokens=usage.total_input_tokens - cached - written,
        cache_creation_input_tokens=written,
        cache_read_input_tokens=cached,
        cache_creation=CacheCreation(usage.cache_write, usage.cache_write_1h),
        output_tokens=usage.total_output_tokens,
        output_tokens_details=OutputDetails(usage.reasoning) if usage.reasoning else msgspec.UNSET,
        server_tool_use=ServerTools(usage.web_searches) if usage.web_searches else msgspec.UNSET,
        service_tier=service_tier if service_tier in ("priority", "batch") else "standard",
    )
