"""OpenAI embeddings and moderations: JSON in, JSON out, nothing streamed, byte for byte but for the model's name."""

from __future__ import annotations

import msgspec

from laidian.domain.usage import Usage
from laidian.protocol.dialect import Answer, Peek, StreamFault
from laidian.protocol.document import Fields, said
from laidian.protocol.openai_family import error_message
from laidian.protocol.openai_fields import checked_model, named_model
from laidian.protocol.openai_usage import read_usage

MODERATION_MODEL = "omni-moderation-latest"
"""What OpenAI takes when a moderation names no model (SDK 3.54.0)."""


class _Answer(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw()
    results: msgspec.Raw = msgspec.Raw()
    usage: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()


_decode = msgspec.json.Decoder(_Answer).decode


class OpenAIEmbeddings:
    """The `Dialect` of /v1/embeddings. `input` may be text, texts, or token ids; it stays bytes."""

    def peek(self, body: bytes, path: str) -> Peek:
        fields = Fields(body)
        fields.check_unique()
        return _peek(fields, named_model(fields))

    def path(self, peek: Peek, model: str) -> str:
        return "/embeddings"

    def splice(self, peek: Peek, model: str) -> bytes:
        return _renamed(peek, model)

    def read_answer(self, peek: Peek, body: bytes) -> Answer:
        """Raises StreamFault when the body holds no embeddings."""
        answer = _read(body)
        if said(answer.data) is None:
            raise StreamFault("the upstream's answer holds no embeddings")
        reported = said(answer.usage)
        return Answer(None if reported is None else read_usage(reported), "default", 0, body)

    def tap(self, peek: Peek) -> None:
        """Nothing is streamed."""


class OpenAIModerations:
    """The `Dialect` of /v1/moderations, which is free."""

    def peek(self, body: bytes, path: str) -> Peek:
        fields = Fields(body)
        fields.check_unique()
        return _peek(fields, checked_model(fields.get("model", str) or MODERATION_MODEL))

    def path(self, peek: Peek, model: str) -> str:
        return "/moderations"

    def splice(self, peek: Peek, model: str) -> bytes:
        return _renamed(peek, model) if "model" in peek.fields.raw else peek.fields.body

    def read_answer(self, peek: Peek, body: bytes) -> Answer:
        """Raises StreamFault when the body holds no results."""
        if said(_read(body).results) is None:
            raise StreamFault("the upstream's answer holds no moderation results")
        return Answer(Usage(), "default", 0, body)

    def tap(self, peek: Peek) -> None:
        """Nothing is streamed."""


def _peek(fields: Fields, model: str) -> Peek:
    return Peek(
        fields, model, stream=False, output_limit=0, choices=1, wants_usage=False, service_tier="default"
    )


def _renamed(peek: Peek, model: str) -> bytes:
    if peek.model == model:
        return peek.fields.body
    return peek.fields.replaced({"model": msgspec.json.encode(model)})


def _read(body: bytes) -> _Answer:
    try:
        answer = _decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise StreamFault("the upstream's answer is not JSON of this operation") from None
    error = said(answer.error)
    if error is not None:
        raise StreamFault(error_message(error) or "the upstream answered 200 with an error inside")
    return answer
