"""The usage of the Responses API, read into disjoint classes and written back from them.

`input_tokens` contains the cached and the written ones, `output_tokens` the reasoning ones (openai-python 3.54.0, response_usage.py,
read 2026-11-22). Hosted tools stand apart in `tool_usage`: searches are sold by the piece, and the pictures of the image tool are
tokens of another model, which count as image tokens here so that a receipt shows them rather than nothing.
Whatever is not an integer, negative or absurd counts as not said, as in openai_usage.py.
"""

from __future__ import annotations

import msgspec

from laidian.domain.usage import Usage
from laidian.protocol.document import said
from laidian.protocol.openai_usage import ABSURD_TOKENS


class _Written(msgspec.Struct):
    ttl_30m_tokens: msgspec.Raw = msgspec.Raw()
    ttl_12h_tokens: msgspec.Raw = msgspec.Raw()
    ttl_30m: msgspec.Raw = msgspec.Raw()
    ttl_12h: msgspec.Raw = msgspec.Raw()


class _InputDetails(msgspec.Struct):
    cached_tokens: msgspec.Raw = msgspec.Raw()
    cache_write_tokens: msgspec.Raw = msgspec.Raw()
    """A number in the SDK; an object of lifetimes in what was seen of the service itself (protocol.md 7.1): both are read."""
    cache_write_tokens_details: msgspec.Raw = msgspec.Raw()
    audio_tokens: msgspec.Raw = msgspec.Raw()
    image_tokens: msgspec.Raw = msgspec.Raw()
    text_tokens: msgspec.Raw = msgspec.Raw()


class _OutputDetails(msgspec.Struct):
    reasoning_tokens: msgspec.Raw = msgspec.Raw()
    audio_tokens: msgspec.Raw = msgspec.Raw()
    image_tokens: msgspec.Raw = msgspec.Raw()


class _Usage(msgspec.Struct):
    input_tokens: msgspec.Raw = msgspec.Raw()
    output_tokens: msgspec.Raw = msgspec.Raw()
    input_tokens_details: _InputDetails | None = None
    output_tokens_details: _OutputDetails | None = None


class _CachedPictures(msgspec.Struct):
    cached_image_tokens: msgspec.Raw = msgspec.Raw()
    cached_text_tokens: msgspec.Raw = msgspec.Raw()


class _Pictures(msgspec.Struct):
    input_tokens: msgspec.Raw = msgspec.Raw()
    output_tokens: msgspec.Raw = msgspec.Raw()
    input_tokens_details: _InputDetails | None = None
    cached_tokens_details: _CachedPictures | None = None


class _Searches(msgspec.Struct):
    num_requests: msgspec.Raw = msgspec.Raw()


class _ToolUsage(msgspec.Struct):
    image_gen: msgspec.Raw = msgspec.Raw()
    web_search: msgspec.Raw = msgspec.Raw()


_decode = msgspec.json.Decoder(_Usage).decode
_decode_int = msgspec.json.Decoder(int).decode
_decode_written = msgspec.json.Decoder(_Written).decode
_decode_tools = msgspec.json.Decoder(_ToolUsage).decode
_decode_pictures = msgspec.json.Decoder(_Pictures).decode
_decode_searches = msgspec.json.Decoder(_Searches).decode
_UNREADABLE = (msgspec.DecodeError, ValueError, RecursionError)
_NO_INPUT = _InputDetails()
_NO_OUTPUT = _OutputDetails()
_NO_CACHED = _CachedPictures()


def read_responses_usage(usage: bytes | None, tool_usage: bytes | None = None) -> Usage | None:
    """The usage of a response object and of its hosted tools; None when the first says nothing that can be believed."""
    tokens = None if usage is None else _tokens(usage)
    if tokens is None or tool_usage is None:
        return tokens
    try:
        tools = _decode_tools(tool_usage)
    except _UNREADABLE:
        return tokens
    return _with_pictures(_with_searches(tokens, said(tools.web_search)), said(tools.image_gen))


def _tokens(raw: bytes) -> Usage | None:
    try:
        usage = _decode(raw)
        total_in = _count(usage.input_tokens)
        total_out = _count(usage.output_tokens, missing=0)
        into = usage.input_tokens_details or _NO_INPUT
        out = usage.output_tokens_details or _NO_OUTPUT
        cached = _count(into.cached_tokens, missing=0)
        written, written_12h = _written(into)
        audio_in, image_in = _count(into.audio_tokens, missing=0), _count(into.image_tokens, missing=0)
        reasoning, audio_out = _count(out.reasoning_tokens, missing=0), _count(out.audio_tokens, missing=0)
        image_out = _count(out.image_tokens, missing=0)
    except _UNREADABLE:
        return None
    plain_in = total_in - cached - written - written_12h - audio_in - image_in
    plain_out = total_out - reasoning - audio_out - image_out
    if plain_in < 0 or plain_out < 0:
        # parts larger than the whole: trust the wholes, which decide the bill's size
        return Usage(input=total_in, output=total_out)
    return Usage(
        input=plain_in, cached_input=cached, cache_write=written, cache_write_1h=written_12h, image_input=image_in,
        audio_input=audio_in, output=plain_out, reasoning=reasoning, image_output=image_out, audio_output=audio_out,
    )  # fmt: skip


def _written(details: _InputDetails) -> tuple[int, int]:
    """(30 minutes, 12 hours). Raises ValueError or DecodeError for nonsense."""
    plain = said(details.cache_write_tokens)
    parts = said(details.cache_write_tokens_details)
    if plain is not None and plain.startswith(b"{"):
        plain, parts = None, plain
    short, long = (0, 0) if parts is None else _lifetimes(parts)
    if plain is None:
        return short, long
    total = _number(plain)
    if short + long > total:
        return total, 0  # the split contradicts the sum, which is the older field
    return total - long, long  # what no lifetime claims was written for the short one


def _lifetimes(raw: bytes) -> tuple[int, int]:
    parts = _decode_written(raw)
    return (
        _count(parts.ttl_30m_tokens, missing=0) or _count(parts.ttl_30m, missing=0),
        _count(parts.ttl_12h_tokens, missing=0) or _count(parts.ttl_12h, missing=0),
    )


def _with_searches(usage: Usage, raw: bytes | None) -> Usage:
    if raw is None:
        return usage
    try:
        searches = _count(_decode_searches(raw).num_requests, missing=0)
    except _UNREADABLE:
        return usage
    return msgspec.structs.replace(usage, web_searches=searches)


def _with_pictures(usage: Usage, raw: bytes | None) -> Usage:
    if raw is None:
        return usage
    try:
        pictures = _decode_pictures(raw)
        total_in = _count(pictures.input_tokens, missing=0)
        made = _count(pictures.output_tokens, missing=0)
        cached = pictures.cached_tokens_details or _NO_CACHED
        cached_image = _count(cached.cached_image_tokens, missing=0)
        cached_text = _count(cached.cached_text_tokens, missing=0)
        text = _count((pictures.input_tokens_details or _NO_INPUT).text_tokens, missing=0)
    except _UNREADABLE:
        return usage
    plain_text = text - cached_text
    image = total_in - text - cached_image
    if plain_text < 0 or image < 0:
        plain_text, cached_text, image, cached_image = 0, 0, total_in, 0
    return msgspec.structs.replace(
        usage,
        input=usage.input + plain_text,
        cached_input=usage.cached_input + cached_text,
        image_input=usage.image_input + image,
        cached_image_input=usage.cached_image_input + cached_image,
        image_output=usage.image_output + made,
    )


def _count(raw: msgspec.Raw, missing: int | None = None) -> int:
    value = said(raw)
    if value is not None:
        return _number(value)
    if missing is None:
        raise ValueError("missing")
    return missing


def _number(value: bytes) -> int:
    number = _decode_int(value)
    if not 0 <= number <= ABSURD_TOKENS:
        raise ValueError("absurd")
    return number


class CacheWriteDetails(msgspec.Struct, frozen=True):
    ttl_30m_tokens: int
    ttl_12h_tokens: int


class InputTokensDetails(msgspec.Struct, frozen=True):
    cached_tokens: int
    cache_write_tokens: int
    cache_write_tokens_details: CacheWriteDetails | msgspec.UnsetType = msgspec.UNSET


class OutputTokensDetails(msgspec.Struct, frozen=True):
    reasoning_tokens: int


class ResponseUsage(msgspec.Struct, frozen=True):
    """`usage` as a client of the Responses API expects it: inclusive sums."""

    input_tokens: int
    input_tokens_details: InputTokensDetails
    output_tokens: int
    output_tokens_details: OutputTokensDetails
    total_tokens: int


def response_usage(usage: Usage) -> ResponseUsage:
    """The classes added up again: total = input + output, cached <= input, reasoning <= output."""
    into, out = usage.total_input_tokens, usage.total_output_tokens
    lifetimes = (
        CacheWriteDetails(usage.cache_write, usage.cache_write_1h) if usage.cache_write_1h else msgspec.UNSET
    )
    return ResponseUsage(
        into,
        InputTokensDetails(
            usage.cached_input + usage.cached_image_input + usage.cached_audio_input,
            usage.cache_write + usage.cache_write_1h,
            lifetimes,
        ),
        out,
        OutputTokensDetails(usage.reasoning),
        into + out,
    )
