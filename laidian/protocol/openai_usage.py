"""OpenAI's usage objects, read into disjoint classes.

`prompt_tokens` contains the cached, written, audio and image ones; `completion_tokens` contains reasoning and audio
(protocol.md 7.1). Whatever is not an integer, negative or absurd counts as not said, so that an upstream's nonsense never
becomes a charge or a credit.
"""

from __future__ import annotations

import msgspec

from laidian.domain.usage import Usage
from laidian.protocol.document import said

ABSURD_TOKENS = 100_000_000
"""More than any context window times any number of choices; beyond it a figure is taken for junk."""


class _Details(msgspec.Struct):
    cached_tokens: msgspec.Raw = msgspec.Raw()
    cache_write_tokens: msgspec.Raw = msgspec.Raw()
    audio_tokens: msgspec.Raw = msgspec.Raw()
    image_tokens: msgspec.Raw = msgspec.Raw()
    reasoning_tokens: msgspec.Raw = msgspec.Raw()


class _Usage(msgspec.Struct):
    prompt_tokens: msgspec.Raw = msgspec.Raw()
    completion_tokens: msgspec.Raw = msgspec.Raw()
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None
    prompt_cache_hit_tokens: msgspec.Raw = msgspec.Raw()
    """DeepSeek's name for cached input (api-docs.deepseek.com, seen in genai-prices 0.2.3)."""


_decode = msgspec.json.Decoder(_Usage).decode
_decode_int = msgspec.json.Decoder(int).decode
_NONE = _Details()


def read_usage(raw: bytes) -> Usage | None:
    """The usage of a chat, completions or embeddings answer; None when it says nothing that can be believed."""
    try:
        usage = _decode(raw)
        prompt = _count(usage.prompt_tokens)
        completion = _count(usage.completion_tokens, missing=0)
        into = usage.prompt_tokens_details or _NONE
        out = usage.completion_tokens_details or _NONE
        cached = _count(into.cached_tokens, missing=0) or _count(usage.prompt_cache_hit_tokens, missing=0)
        written = _count(into.cache_write_tokens, missing=0)
        audio_in, image_in = _count(into.audio_tokens, missing=0), _count(into.image_tokens, missing=0)
        reasoning, audio_out = _count(out.reasoning_tokens, missing=0), _count(out.audio_tokens, missing=0)
        image_out = _count(out.image_tokens, missing=0)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    plain_in = prompt - cached - written - audio_in - image_in
    plain_out = completion - reasoning - audio_out - image_out
    if plain_in < 0 or plain_out < 0:
        # parts larger than the whole: trust the wholes, which decide the bill's size
        return Usage(input=prompt, output=completion)
    return Usage(
        input=plain_in, cached_input=cached, cache_write=written, image_input=image_in, audio_input=audio_in,
        output=plain_out, reasoning=reasoning, image_output=image_out, audio_output=audio_out,
    )  # fmt: skip


def _count(raw: msgspec.Raw, missing: int | None = None) -> int:
    value = said(raw)
    if value is None:
        if missing is None:
            raise ValueError("missing")
        return missing
    number = _decode_int(value)
    if not 0 <= number <= ABSURD_TOKENS:
        raise ValueError("absurd")
    return number
