"""Gemini's usageMetadata, read into disjoint classes and written from them.

`promptTokenCount` contains the cached tokens; tool results and thoughts stand beside prompt and candidates (protocol.md 2.4). The
details say which tokens are pictures or sound; video and documents are priced like text and stay in `input`.
What is negative, absurd or no integer counts as not said, so that an upstream's nonsense never becomes a charge or a credit.
"""

from __future__ import annotations

import msgspec

from laidian.domain.usage import Usage

ABSURD_TOKENS = 100_000_000
"""More than any context window times any number of candidates; beyond it a figure is taken for junk."""

_TIERS = {"ON_DEMAND_PRIORITY": "priority", "ON_DEMAND_FLEX": "flex", "STANDARD": "default"}
"""`trafficType` and `serviceTier` to the tiers of the price book (google-genai 3.4.0, types.py)."""


class Modality(msgspec.Struct, rename="camel"):
    modality: str = ""
    token_count: int = 0


Details = list[Modality]


class _Metadata(msgspec.Struct, rename="camel"):
    prompt_token_count: int | None = None
    cached_content_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None
    total_token_count: int | None = None
    prompt_tokens_details: Details | None = None
    cache_tokens_details: Details | None = None
    candidates_tokens_details: Details | None = None
    tool_use_prompt_tokens_details: Details | None = None


class _Tier(msgspec.Struct, rename="camel"):
    service_tier: str | None = None
    traffic_type: str | None = None


class UsageMetadata(msgspec.Struct, rename="camel", omit_defaults=True):
    """What a client gets. Counts of zero that Google always says are said."""

    prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    total_token_count: int | None = None
    cached_content_token_count: int = 0
    thoughts_token_count: int = 0
    prompt_tokens_details: tuple[Modality, ...] = ()
    cache_tokens_details: tuple[Modality, ...] = ()
    candidates_tokens_details: tuple[Modality, ...] = ()
    service_tier: str = ""


_decode = msgspec.json.Decoder(_Metadata).decode
_decode_tier = msgspec.json.Decoder(_Tier).decode


def read_usage(raw: bytes, web_searches: int = 0) -> Usage | None:
    """The usage of an answer or of one chunk; None when it says nothing that can be believed.

    `web_searches` stands elsewhere in an answer, in the candidates' groundingMetadata, and is added.
    """
    try:
        metadata = _decode(raw)
        if metadata.prompt_token_count is None:
            return None
        return _split(metadata, web_searches)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None


def read_tier(raw: bytes) -> str:
    """The tier that the upstream billed, in the price book's word; `default` when it does not say."""
    try:
        tier = _decode_tier(raw)
    except (msgspec.DecodeError, RecursionError):
        return "default"
    return tier_of(tier.service_tier) if tier.service_tier else _TIERS.get(tier.traffic_type or "", "default")


def tier_of(service_tier: str | None) -> str:
    """Gemini's word for a tier in the price book's: `standard` and `unspecified` are `default`."""
    word = (service_tier or "").lower()
    return "default" if word in ("", "standard", "unspecified") else word


def _split(metadata: _Metadata, web_searches: int) -> Usage:
    prompt, tool = _count(metadata.prompt_token_count), _count(metadata.tool_use_prompt_token_count)
    thoughts = _count(metadata.thoughts_token_count)
    candidates = _candidates(metadata, prompt, tool, thoughts)
    cached = min(_count(metadata.cached_content_token_count), prompt)
    whole = prompt + tool
    # parts larger than the whole are cut: the wholes decide the bill's size
    image = min(_both(metadata, "IMAGE"), whole)
    audio = min(_both(metadata, "AUDIO"), whole - image)
    image_out = min(_of(metadata.candidates_tokens_details, "IMAGE"), candidates)
    audio_out = min(_of(metadata.candidates_tokens_details, "AUDIO"), candidates - image_out)
    text = whole - image - audio
    cached_image = min(_of(metadata.cache_tokens_details, "IMAGE"), image, cached)
    cached_audio = min(_of(metadata.cache_tokens_details, "AUDIO"), audio, cached - cached_image)
    cached_text = min(cached - cached_image - cached_audio, text)
    # what is left over was cached without a word which: pictures first, they cost what text does
    more = min(cached - cached_image - cached_audio - cached_text, image - cached_image)
    cached_image += more
    cached_audio = cached - cached_text - cached_image
    return Usage(
        input=text - cached_text, cached_input=cached_text, image_input=image - cached_image,
        cached_image_input=cached_image, audio_input=audio - cached_audio, cached_audio_input=cached_audio,
        output=candidates - image_out - audio_out, reasoning=thoughts, image_output=image_out, audio_output=audio_out,
        web_searches=web_searches,
    )  # fmt: skip


def _candidates(metadata: _Metadata, prompt: int, tool: int, thoughts: int) -> int:
    """Answer tokens without the thoughts; some servers count those in, which the total gives away."""
    total = _count(metadata.total_token_count)
    if metadata.candidates_token_count is None:
        return max(0, total - prompt - tool - thoughts)
    candidates = _count(metadata.candidates_token_count)
    inclusive = 0 < thoughts <= candidates and total == prompt + tool + candidates
    return candidates - thoughts if inclusive else candidates


def _count(number: int | None) -> int:
    if number is None:
        return 0
    if not 0 <= number <= ABSURD_TOKENS:
        raise ValueError("absurd")
    return number


def _both(metadata: _Metadata, modality: str) -> int:
    """Of the prompt and of the tools' results."""
    return _of(metadata.prompt_tokens_details, modality) + _of(
        metadata.tool_use_prompt_tokens_details, modality
    )


def _of(details: Details | None, modality: str) -> int:
    return sum(_count(one.token_count) for one in details or () if one.modality == modality)


def write_usage(usage: Usage, service_tier: str) -> UsageMetadata:
    """In Google's terms: cached tokens inside the prompt, thoughts beside the candidates."""
    prompt, output = usage.total_input_tokens, usage.total_output_tokens
    cached_image, cached_audio = usage.cached_image_input, usage.cached_audio_input
    cached = usage.cached_input + cached_image + cached_audio
    image, audio = usage.image_input + cached_image, usage.audio_input + cached_audio
    visible = output - usage.reasoning
    return UsageMetadata(
        prompt_token_count=prompt,
        candidates_token_count=visible,
        total_token_count=prompt + output,
        cached_content_token_count=cached,
        thoughts_token_count=usage.reasoning,
        prompt_tokens_details=_modalities(prompt, image, audio),
        cache_tokens_details=_modalities(cached, cached_image, cached_audio),
        candidates_tokens_details=_modalities(visible, usage.image_output, usage.audio_output),
        service_tier="" if service_tier in ("", "default", "auto") else service_tier,
    )


def _modalities(whole: int, image: int, audio: int) -> tuple[Modality, ...]:
    split = (("TEXT", whole - image - audio), ("IMAGE", image), ("AUDIO", audio))
    return tuple(Modality(modality, tokens) for modality, tokens in split if tokens)
