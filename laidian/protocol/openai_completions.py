"""OpenAI's legacy completions: a prompt in, `text` out, forwarded byte for byte like chat.

Its stream is chat's in everything but the place of the text, so the tap is chat's. The rule a newcomer would break: one request makes
as many answers as it has prompts, times `n` or `best_of`, and all of them are billed.
"""

from __future__ import annotations

import msgspec

from laidian.domain.estimate import likely_tokens
from laidian.errors import BadRequest
from laidian.protocol.dialect import Answer, Peek, StreamFault
from laidian.protocol.document import Fields, said
from laidian.protocol.openai_chat import ChatTap, wants_usage, with_usage
from laidian.protocol.openai_family import error_message
from laidian.protocol.openai_fields import choices, named_model
from laidian.protocol.openai_usage import read_usage

DEFAULT_MAX_TOKENS = 16
"""Per answer, where the request names no limit (OpenAI's OpenAPI document of 2026-08-21)."""

MAX_PROMPTS = 2048
"""More prompts in one request than any server takes (OpenAI's embeddings, the largest list of inputs it documents)."""


class _Choice(msgspec.Struct):
    text: str | None = None


class _Answer(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()
    service_tier: str | None = None


_decode = msgspec.json.Decoder(_Answer).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


class OpenAICompletions:
    """The `Dialect` of /v1/completions."""

    def peek(self, body: bytes, path: str) -> Peek:
        """Raises BadRequest naming the field that is wrong."""
        fields = Fields(body)
        model = named_model(fields)
        number = max(choices(fields), choices(fields, "best_of")) * _prompts(fields)
        stream = bool(fields.get("stream", bool))
        limit = _limit(fields)
        fields.check_unique()
        return Peek(
            fields,
            model,
            stream=stream,
            output_limit=limit * number,
            choices=number,
            wants_usage=stream and wants_usage(fields),
            service_tier=fields.get("service_tier", str) or "default",
        )

    def path(self, peek: Peek, model: str) -> str:
        return "/completions"

    def splice(self, peek: Peek, model: str) -> bytes:
        """Its own model name, and in a stream usage switched on."""
        changes: dict[str, bytes] = {}
        if peek.model != model:
            changes["model"] = msgspec.json.encode(model)
        if peek.stream and not peek.wants_usage:
            raw = peek.fields.raw.get("stream_options")
            changes["stream_options"] = with_usage(None if raw is None else said(raw))
        return peek.fields.replaced(changes) if changes else peek.fields.body

    def read_answer(self, peek: Peek, body: bytes) -> Answer:
        """Raises StreamFault when the body is no completion."""
        try:
            answer = _decode(body)
        except (msgspec.DecodeError, RecursionError):
            raise StreamFault("the upstream's answer is not a completion") from None
        error = said(answer.error)
        if error is not None:
            raise StreamFault(error_message(error) or "the upstream answered 200 with an error inside")
        if answer.choices is None:
            raise StreamFault("the upstream's answer has no choices")
        reported = said(answer.usage)
        usage = None if reported is None else read_usage(reported)
        tokens = 0 if usage else likely_tokens("".join(one.text or "" for one in answer.choices).encode())
        return Answer(usage, answer.service_tier or "default", tokens, body)

    def tap(self, peek: Peek) -> ChatTap:
        """Hides the usage that only we asked for."""
        return ChatTap(hide_usage=not peek.wants_usage)


def _prompts(fields: Fields) -> int:
    """How many prompts there are: a text or a list of token ids is one, a list of texts or of lists as many as it has."""
    raw = fields.raw.get("prompt")
    value = None if raw is None else said(raw)
    if value is None or not value.startswith(b"["):
        return 1
    prompts = _decode_list(value)
    if not prompts or bytes(memoryview(prompts[0])[:1]) not in (b'"', b"["):
        return 1
    if len(prompts) > MAX_PROMPTS:
        raise BadRequest(
            f"`prompt` holds {len(prompts):,} prompts; at most {MAX_PROMPTS:,}.",
            param="prompt",
            code="invalid_value",
        )
    return len(prompts)


def _limit(fields: Fields) -> int:
    """Output tokens per answer. 0 is allowed: an echo with the probabilities of the prompt."""
    limit = fields.get("max_tokens", int)
    if limit is None:
        return DEFAULT_MAX_TOKENS
    if limit < 0:
        raise BadRequest(
            f"`max_tokens` must be 0 or more; got {limit}.", param="max_tokens", code="invalid_value"
        )
    return limit
