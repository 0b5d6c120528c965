"""What stands beside OpenAI's Responses: counting the tokens of a request, compacting a conversation, and decisions about one.

All take input as a response does and answer at once. They are dialects of their own, since no other protocol has them to translate to:
tokens are then counted here; a conversation is not compacted, and nothing is decided, at all.
"""

from __future__ import annotations

import msgspec

from laidian.domain.estimate import likely_tokens
from laidian.domain.usage import Usage
from laidian.protocol.dialect import Answer, Peek, StreamFault
from laidian.protocol.document import said
from laidian.protocol.openai_family import error_message
from laidian.protocol.openai_responses import OpenAIResponses
from laidian.protocol.openai_responses_usage import read_responses_usage


class _Counted(msgspec.Struct):
    input_tokens: int | None = None
    error: msgspec.Raw = msgspec.Raw()


class _Decided(msgspec.Struct):
    answers: list[msgspec.Raw] | None = None
    usage: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()
    service_tier: str | None = None


class _Compacted(msgspec.Struct):
    output: list[msgspec.Raw] | None = None
    usage: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()
    service_tier: str | None = None


_decode_counted = msgspec.json.Decoder(_Counted).decode
_decode_compacted = msgspec.json.Decoder(_Compacted).decode
_decode_decided = msgspec.json.Decoder(_Decided).decode

ANSWER_TOKENS = 256
"""Output tokens that the answer to one question is held at: a request of this kind names no limit, and an answer is at most a probability
for each choice or level (openai 3.54.0, decision.py)."""


class _Near:
    """What both have of a response: the request, which is never streamed."""

    _responses = OpenAIResponses()

    def peek(self, body: bytes, path: str) -> Peek:
        """Raises BadRequest naming the field that is wrong."""
        return msgspec.structs.replace(self._responses.peek(body, path), stream=False)

    def splice(self, peek: Peek, model: str) -> bytes:
        return self._responses.splice(peek, model)

    def tap(self, peek: Peek) -> None:
        """Nothing is streamed."""


class OpenAIInputTokens(_Near):
    """The `Dialect` of /v1/responses/input_tokens, which is free."""

    def path(self, peek: Peek, model: str) -> str:
        return "/responses/input_tokens"

    def read_answer(self, peek: Peek, body: bytes) -> Answer:
        """Raises StreamFault when the body holds no count."""
        try:
            answer = _decode_counted(body)
        except (msgspec.DecodeError, RecursionError):
            raise StreamFault("the upstream's answer is not a count of tokens") from None
        _check(answer.error)
        if answer.input_tokens is None:
            raise StreamFault("the upstream's answer holds no count of tokens")
        return Answer(Usage(), "default", 0, body)


class OpenAICompact(_Near):
    """The `Dialect` of /v1/responses/compact."""

    def path(self, peek: Peek, model: str) -> str:
        return "/responses/compact"

    def read_answer(self, peek: Peek, body: bytes) -> Answer:
        """Raises StreamFault when the body is no compacted conversation."""
        try:
            answer = _decode_compacted(body)
        except (msgspec.DecodeError, RecursionError):
            raise StreamFault("the upstream's answer is not a compacted conversation") from None
        _check(answer.error)
        if answer.output is None:
            raise StreamFault("the upstream's answer is a compacted conversation without output")
        usage = read_responses_usage(said(answer.usage), None)
        tokens = 0 if usage else likely_tokens(b"".join(bytes(one) for one in answer.output))
        return Answer(usage, answer.service_tier or "default", tokens, body)


class OpenAIDecisions(_Near):
    """The `Dialect` of /v1/decisions: questions about an input, answered by probabilities. Forwarded, not understood."""

    def peek(self, body: bytes, path: str) -> Peek:
        """Raises BadRequest naming the field that is wrong."""
        peek = super().peek(body, path)
        questions = peek.fields.get("questions", list[msgspec.Raw]) or ()
        return msgspec.structs.replace(peek, output_limit=max(1, len(questions)) * ANSWER_TOKENS)

    def path(self, peek: Peek, model: str) -> str:
        return "/decisions"

    def read_answer(self, peek: Peek, body: bytes) -> Answer:
        """Raises StreamFault when the body holds no answers."""
        try:
            answer = _decode_decided(body)
        except (msgspec.DecodeError, RecursionError):
            raise StreamFault("the upstream's answer is not a list of decisions") from None
        _check(answer.error)
        if answer.answers is None:
            raise StreamFault("the upstream's answer holds no decisions")
        usage = read_responses_usage(said(answer.usage), None)
        tokens = 0 if usage else likely_tokens(b"".join(bytes(one) for one in answer.answers))
        return Answer(usage, answer.service_tier or "default", tokens, body)


def _check(raw: msgspec.Raw) -> None:
    error = said(raw)
    if error is not None:
        raise StreamFault(error_message(error) or "the upstream answered 200 with an error inside")
