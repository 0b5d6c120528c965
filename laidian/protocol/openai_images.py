"""OpenAI image generation: JSON in; JSON, or a stream of partial and final pictures, out. Byte for byte but for the model's name.

Billed by its token classes. An event may hold a picture of many megabytes on one line, so the tap has no bound of its own beside
the answer's.
"""

from __future__ import annotations

import msgspec

from laidian.domain.usage import Usage
from laidian.protocol.dialect import Answer, Peek, StreamFault
from laidian.protocol.document import Fields, said
from laidian.protocol.event_stream import EventTap
from laidian.protocol.events import data_of
from laidian.protocol.openai_family import error_message
from laidian.protocol.openai_fields import choices, named_model

MAX_IMAGES = 10
"""`n` of image generation (OpenAI's OpenAPI document of 2026-08-21)."""

IMAGE_TOKENS = 16_384
"""Output tokens that one picture is held at. gpt-image-1 takes 6,240 for its largest (1024 x 1536, high; OpenAI's image guide, 2025),
and the current models have larger sizes; what a picture really took is what is billed."""

GEMINI_IMAGE_TOKENS = 4_096
"""The same for Gemini's models, whose largest picture (4K) takes 2,000 tokens and whose thoughts on the way a few hundred more (Google's
price list, seen 2026-11)."""

LIKELY_IMAGE_TOKENS = 4_160
"""What one picture is billed at where the upstream does not say: 1024 x 1024, high (OpenAI's image guide, 2025)."""

PARTIAL_IMAGE_TOKENS = 100
"""A partial picture is billed so (OpenAI's image guide, 2025)."""


class _Details(msgspec.Struct):
    """The Images API has no cached part in its answers, although prices for one are published (protocol.md 7.1)."""

    image_tokens: int | None = None


class _Usage(msgspec.Struct):
    input_tokens: int
    output_tokens: int
    input_tokens_details: _Details | None = None
    output_tokens_details: _Details | None = None


class _Answer(msgspec.Struct):
    type: str | None = None
    data: msgspec.Raw = msgspec.Raw()
    usage: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()


_decode = msgspec.json.Decoder(_Answer).decode
_decode_usage = msgspec.json.Decoder(_Usage).decode
_FINAL = frozenset({"image_generation.completed", "image_edit.completed"})


class OpenAIImages:
    """The `Dialect` of /v1/images/generations."""

    def peek(self, body: bytes, path: str) -> Peek:
        """Raises BadRequest naming the field that is wrong."""
        fields = Fields(body)
        pictures, model = choices(fields, most=MAX_IMAGES), named_model(fields)
        fields.check_unique()
        return Peek(
            fields,
            model,
            stream=bool(fields.get("stream", bool)),
            output_limit=pictures * held_tokens(model),
            choices=pictures,
            wants_usage=True,
            service_tier="default",
            text_only=False,
        )

    def path(self, peek: Peek, model: str) -> str:
        return "/images/generations"

    def splice(self, peek: Peek, model: str) -> bytes:
        if peek.model == model:
            return peek.fields.body
        return peek.fields.replaced({"model": msgspec.json.encode(model)})

    def read_answer(self, peek: Peek, body: bytes) -> Answer:
        """Raises StreamFault when the body holds no pictures."""
        answer = _read(body)
        if said(answer.data) is None:
            raise StreamFault("the upstream's answer holds no pictures")
        reported = said(answer.usage)
        usage = None if reported is None else read_image_usage(reported)
        return Answer(usage, "default", 0 if usage else peek.choices * LIKELY_IMAGE_TOKENS, body)

    def tap(self, peek: Peek) -> ImageTap:
        return ImageTap(peek.choices)


class ImageTap(EventTap):
    """Watches a stream of so many pictures; the last one is held for the end. See `Tap`.

    What several pictures report is not documented; the last report counts, as the sum of all.
    """

    begun_usage = None
    made_id = ""

    __slots__ = ("_final", "_missing", "ended", "finished", "service_tier")

    def __init__(self, pictures: int) -> None:
        super().__init__()
        self._final = b""
        self._missing = pictures
        self.service_tier = "default"
        self.finished = False
        self.ended = False

    def end(self) -> bytes:
        """The final picture's event, which is what a client takes for the end."""
        if not self._final:
            raise StreamFault("the upstream ended the stream before the picture was finished")
        return self._final

    def _see(self, event: bytes) -> bytes:
        if self.ended:
            return b""
        data = data_of(event)
        if data is None:
            return event
        if data.strip() == b"[DONE]":
            return b""  # no server of this API documents it, and no client waits for it
        picture = _read(data)
        if picture.type not in _FINAL:
            self.output_tokens += PARTIAL_IMAGE_TOKENS
            return event
        reported = said(picture.usage)
        self.usage = (None if reported is None else read_image_usage(reported)) or self.usage
        self.output_tokens += LIKELY_IMAGE_TOKENS
        self._missing -= 1
        self.finished = self.ended = self._missing < 1
        before, self._final = self._final, event
        return before


def held_tokens(model: str) -> int:
    """Output tokens that one picture is held at; by the name that the client knows, so an alias gets the larger figure."""
    return GEMINI_IMAGE_TOKENS if "gemini-" in model.lower() else IMAGE_TOKENS


def read_image_usage(raw: bytes) -> Usage | None:
    """Text and picture tokens of both sides; None when it says nothing that can be believed."""
    try:
        usage = _decode_usage(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    into, out = usage.input_tokens_details or _Details(), usage.output_tokens_details
    pictures_in = into.image_tokens or 0
    pictures_out = usage.output_tokens if out is None or out.image_tokens is None else out.image_tokens
    text_in, text_out = usage.input_tokens - pictures_in, usage.output_tokens - pictures_out
    if (
        min(text_in, text_out, pictures_in, pictures_out) < 0
        or usage.input_tokens + usage.output_tokens > 10**8
    ):
        return None
    return Usage(input=text_in, image_input=pictures_in, output=text_out, image_output=pictures_out)


def _read(body: bytes) -> _Answer:
    try:
        answer = _decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise StreamFault("the upstream's answer is not JSON of this operation") from None
    error = said(answer.error)
    if error is not None:
        raise StreamFault(error_message(error) or "the upstream answered 200 with an error inside")
    return answer
