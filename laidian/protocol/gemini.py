"""Native Gemini, forwarded byte for byte: generateContent, its streams, countTokens and embeddings.

The model stands in the path, so a body is touched only where it names the model a second time and the upstream calls it otherwise.
Of the query only the form of a stream counts; nothing of it is handed on, since `fields=` could make an upstream leave its usage out.
"""

from __future__ import annotations

import re

import msgspec

from laidian.domain.estimate import likely_tokens
from laidian.domain.usage import Usage
from laidian.errors import BadRequest, NotFound
from laidian.protocol.dialect import Answer, Peek, StreamFault
from laidian.protocol.document import Fields, said
from laidian.protocol.gemini_family import error_message
from laidian.protocol.gemini_path import (
    COUNT,
    EMBED,
    EMBED_BATCH,
    STREAM,
    VERBS,
    checked_model,
    read_path,
    wants_array,
    write_path,
)
from laidian.protocol.gemini_spelling import respelled
from laidian.protocol.gemini_tap import Chunk, GeminiTap
from laidian.protocol.gemini_usage import read_tier, read_usage, tier_of
from laidian.protocol.gemini_wire import misread

MAX_CANDIDATES = 128

_FREE = Usage()
_MEDIA = re.compile(rb'"(?:inline_?[dD]ata|file_?[dD]ata|cached_?[cC]ontent)"')
_MEDIA_MODELS = ("image", "tts", "audio", "live")
"""Parts of the names of models that answer with more than text even when nobody asks (prices.json, seen 2026-11)."""


class _Config(msgspec.Struct, rename="camel"):
    max_output_tokens: int | None = None
    candidate_count: int | None = None
    response_modalities: list[str] | None = None


class _Whole(Chunk, rename="camel"):
    total_tokens: int | None = None
    embedding: msgspec.Raw = msgspec.Raw()
    embeddings: msgspec.Raw = msgspec.Raw()


_decode_config = msgspec.json.Decoder(_Config, strict=False).decode
_decode_whole = msgspec.json.Decoder(_Whole).decode
_decode_items = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Gemini:
    """The `Dialect` of `…/models/{model}:{verb}`."""

    def peek(self, body: bytes, path: str) -> Peek:
        """`path` with its query, which says the form of a stream.

        Raises NotFound for another path, BadRequest naming the field that is wrong or that names another model than the path.
        """
        target = read_path(path)
        if target is None or target.verb not in VERBS:
            raise NotFound(
                f"{path.partition('?')[0][:200]} is not relayed. Gemini's models are called at "
                f"/v1beta/models/{{model}}:{{verb}} with one of {', '.join(VERBS)}.",
                code="unknown_url",
            )
        fields = Fields(body)
        fields.check_unique()  # refuses a field that stands twice, whichever it is
        model, verb = checked_model(target.model), target.verb
        _same_model(fields, model)
        config = _config(fields)
        choices = _positive(config.candidate_count, "candidateCount") or 1
        if choices > MAX_CANDIDATES:
            raise BadRequest(
                f"`generationConfig.candidateCount` must be at most {MAX_CANDIDATES}; got {choices}.",
                param="generationConfig.candidateCount",
                code="invalid_value",
            )
        limit = _positive(config.max_output_tokens, "maxOutputTokens")
        if verb in (COUNT, EMBED, EMBED_BATCH):
            limit = 0
        return Peek(
            fields=fields,
            model=model,
            stream=verb == STREAM,
            output_limit=None if limit is None else limit * choices,
            choices=choices,
            wants_usage=True,
            service_tier=tier_of(fields.get(_spelled(fields, "serviceTier"), str)),
            text_only=_text_only(model, config, body),
            verb=verb,
            array=verb == STREAM and wants_array(path),
        )

    def path(self, peek: Peek, model: str) -> str:
        return write_path(model, peek.verb)

    def splice(self, peek: Peek, model: str) -> bytes:
        """The body as it came; a model that it names is called as the upstream calls it."""
        if peek.model == model:
            return peek.fields.body
        changes = _renamed(peek.fields, model)
        raw = peek.fields.raw.get("requests")
        requests = None if raw is None else said(raw)
        if requests is not None:
            changes["requests"] = _renamed_each(requests, model)
        wrapped = _spelled(peek.fields, "generateContentRequest")
        inner = peek.fields.raw.get(wrapped)
        if inner is not None and (value := said(inner)) is not None:
            changes[wrapped] = _renamed_in(value, model)
        return peek.fields.replaced(changes) if changes else peek.fields.body

    def read_answer(self, peek: Peek, body: bytes) -> Answer:
        """Raises StreamFault when the body is no answer of the verb that was called."""
        try:
            answer = _decode_whole(body)
        except (msgspec.DecodeError, RecursionError):
            raise StreamFault("the upstream's answer is not one of Gemini's") from None
        error = said(answer.error)
        if error is not None:
            raise StreamFault(error_message(error) or "the upstream answered 200 with an error inside")
        if not _complete(peek.verb, answer):
            raise StreamFault(f"the upstream's answer is not one to {peek.verb}")
        if peek.verb == COUNT:
            return Answer(_FREE, "default", 0, body)
        raw = said(answer.usage_metadata)
        usage = None if raw is None else read_usage(raw, len(answer.queries()))
        tokens = 0 if usage else likely_tokens(answer.text().encode())
        return Answer(usage, "default" if raw is None else read_tier(raw), tokens, body)

    def tap(self, peek: Peek) -> GeminiTap:
        return GeminiTap(array=peek.array)


def _complete(verb: str, answer: _Whole) -> bool:
    match verb:
        case "countTokens":
            return answer.total_tokens is not None
        case "embedContent":
            return said(answer.embedding) is not None
        case "batchEmbedContents":
            return said(answer.embeddings) is not None
        case _:
            return answer.candidates is not None or answer.blocked()


def _spelled(fields: Fields, name: str) -> str:
    """The field's name as this body has it: Google takes underscores too. Raises BadRequest for both at once."""
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    if name in fields.raw and snake in fields.raw:
        raise BadRequest(
            f"`{name}` stands twice, once as `{snake}`. Send it once.", param=name, code="duplicate_field"
        )
    return snake if snake in fields.raw else name


def _config(fields: Fields) -> _Config:
    raw = fields.raw.get(_spelled(fields, "generationConfig"))
    value = None if raw is None else said(raw)
    if value is None:
        return _Config()
    try:
        return _decode_config(respelled(value))
    except (msgspec.DecodeError, RecursionError) as error:
        raise misread(error, "generationConfig") from None


def _text_only(model: str, config: _Config, body: bytes) -> bool:
    """Errs on the side of pictures and sound: it decides how much a hold sets aside."""
    answers = all(modality.upper() == "TEXT" for modality in config.response_modalities or ())
    return answers and not any(mark in model for mark in _MEDIA_MODELS) and not _MEDIA.search(body)


def _positive(number: int | None, name: str) -> int | None:
    if number is not None and number < 1:
        field = f"generationConfig.{name}"
        raise BadRequest(f"`{field}` must be at least 1; got {number}.", param=field, code="invalid_value")
    return number


def _same_model(fields: Fields, model: str) -> None:
    """What a body says of the model must be what the path says: the path's is the one that is admitted and billed."""
    _same(fields.get("model", str), model, "model")
    wrapped = _spelled(fields, "generateContentRequest")
    raw = fields.raw.get(wrapped)
    if raw is not None and (value := said(raw)) is not None:
        _same(Fields(value).get("model", str), model, f"{wrapped}.model")
    raw = fields.raw.get("requests")
    if raw is not None and (value := said(raw)) is not None:
        for place, item in enumerate(_items(value)):
            _same(Fields(bytes(item)).get("model", str), model, f"requests[{place}].model")


def _same(named: str | None, model: str, field: str) -> None:
    if named and named.removeprefix("models/") != model:
        raise BadRequest(
            f"`{field}` is {named[:64]}, but the path names {model[:64]}. Name the same model, or only the path's.",
            param=field,
            code="invalid_value",
        )


def _items(raw: bytes) -> list[msgspec.Raw]:
    try:
        return _decode_items(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise misread(error, "requests") from None


def _renamed(fields: Fields, model: str) -> dict[str, bytes]:
    named = fields.get("model", str)
    if not named:
        return {}
    prefix = "models/" if named.startswith("models/") and not model.startswith("tunedModels/") else ""
    return {"model": msgspec.json.encode(prefix + model)}


def _renamed_in(value: bytes, model: str) -> bytes:
    fields = Fields(value)
    changes = _renamed(fields, model)
    return fields.replaced(changes) if changes else value


def _renamed_each(requests: bytes, model: str) -> bytes:
    return b"[" + b",".join(_renamed_in(bytes(item), model) for item in _items(requests)) + b"]"
