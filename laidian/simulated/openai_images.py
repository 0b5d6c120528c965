"""OpenAI image generation: a picture of one pixel, and the usage a gpt-image model would report.

Output tokens per image by quality are those of a 1024x1024 gpt-image-1 picture (OpenAI's image guide: 272,
1,056 and 4,160), for every size: the simulated provider's rule, not a price list.
"""

from __future__ import annotations

import base64
import re
import struct
import zlib
from collections.abc import Iterator

from .call import Call, Operation, with_usage
from .directives import read_directives
from .openai_chat_checks import IMAGE_TOKENS as INPUT_IMAGE_TOKENS
from .openai_checks import Rule, check_parameters, invalid, maybe_integer, maybe_string
from .openai_errors import bearer, openai_error, openai_model
from .streaming import stream_events
from .tokens import TOKENS_PER_MESSAGE, count_tokens
from .values import Event, Json, JsonObject, Refusal, Usage

QUALITIES = ("low", "medium", "high", "xhigh", "max", "auto", "standard", "hd")
PARAMETERS: dict[str, Rule] = {
    "prompt": Rule("string", required=True),
    "background": Rule("string", values=("transparent", "opaque", "auto")),
    "complexity": Rule("string", values=("low", "medium", "high")),
    "frame_count": Rule("integer", 1),
    "frame_duration_ms": Rule("integer", 1),
    "model": Rule("string"),
    "moderation": Rule("string", values=("low", "auto")),
    "n": Rule("integer", 1, 10),
    "output_compression": Rule("integer", 0, 100),
    "output_format": Rule("string", values=("png", "webp", "jpeg", "gif", "svg")),
    "partial_images": Rule("integer", 0, 3),
    "quality": Rule("string", values=QUALITIES),
    "response_format": Rule("string", values=("url", "b64_json")),
    "safety_identifier": Rule("string"),
    "size": Rule("string"),
    "stream": Rule("boolean"),
    "style": Rule("string", values=("vivid", "natural")),
    "svg": Rule("object"),
    "user": Rule("string"),
}
IMAGE_TOKENS = {"low": 272, "medium": 1_056, "high": 4_160}
_SIZE = re.compile(r"auto|[1-9][0-9]{1,3}x[1-9][0-9]{1,3}")


def _pixel() -> str:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0\x33\x99\x66"))
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND", b"")).decode()


PIXEL_B64 = _pixel()
"""A valid PNG of 1x1."""


BLOCKED = "[[blocked]]"
"""In a prompt: the picture is refused for what it shows."""


async def answer_generation(call: Call, match: re.Match[str]) -> None:
    await answer_pictures(call, call.object(), PARAMETERS, "image_generation", 0)


async def answer_pictures(
    call: Call, body: JsonObject, rules: dict[str, Rule], kind: str, pictures: int
) -> None:
    """Make pictures, from so many others. `kind` is what the events of a stream begin with."""
    call.model = maybe_string(body, "model") or "gpt-image-2"
    check_parameters(body, rules)
    model = openai_model(call.model, "image", "v1/images/generations")
    size = maybe_string(body, "size") or "auto"
    if _SIZE.fullmatch(size) is None:
        raise invalid("size", f"Invalid size '{size}'. Expected 'auto' or WIDTHxHEIGHT.")
    prompt = str(body["prompt"])
    if not prompt:
        raise invalid("prompt", "Invalid 'prompt': string too short.", "string_below_min_length")
    directives = read_directives(prompt)
    usage = image_usage(prompt, body, pictures)
    await call.begin(model.id, stream=body.get("stream") is True, fault=directives.fault)
    if BLOCKED in prompt:
        message = "Your request was rejected by the safety system."
        raise Refusal(400, message, kind="image_generation_user_error", code="moderation_blocked")
    await call.think(usage.until(0), directives.delay_ms)
    shape = _Shape(call, body, usage, size, kind)
    if call.stream:
        await stream_events(call, list(shape.events()), usage, shape.error_event, pace_ms=directives.pace_ms)
        return
    call.usage = usage
    await call.answer(shape.whole())


def image_usage(prompt: str, body: JsonObject, pictures: int) -> Usage:
    """Input by the package's rule, the prompt being one message; output by quality and number of images."""
    seen = pictures * INPUT_IMAGE_TOKENS
    images = maybe_integer(body, "n") or 1
    per_image = IMAGE_TOKENS[_quality(body)]
    return Usage(
        input_tokens=count_tokens(prompt) + TOKENS_PER_MESSAGE + seen,
        input_image_tokens=seen,
        output_tokens=images * per_image,
        output_image_tokens=images * per_image,
        images=images,
    )


def _quality(body: JsonObject) -> str:
    quality = maybe_string(body, "quality") or "auto"
    if quality in ("high", "xhigh", "max", "hd"):
        return "high"
    return "low" if quality == "low" else "medium"


class _Shape:
    def __init__(self, call: Call, body: JsonObject, usage: Usage, size: str, kind: str) -> None:
        self._call = call
        self._kind = kind
        self._usage = usage
        self._partial_images = maybe_integer(body, "partial_images") or 0
        self._common: JsonObject = {
            "background": "opaque",
            "output_format": maybe_string(body, "output_format") or "png",
            "quality": _quality(body),
            "size": "1024x1024" if size == "auto" else size,
        }

    def whole(self) -> Json:
        body: JsonObject = {
            "created": self._call.started_s,
            **self._common,
            "data": [{"b64_json": PIXEL_B64} for _ in range(self._usage.images)],
        }
        return with_usage(body, "usage", self._usage_report())

    def events(self) -> Iterator[Event]:
        for index in range(self._partial_images):
            yield self._event(f"{self._kind}.partial_image", {"partial_image_index": index}, 0)
        for _ in range(self._usage.images):
            usage = self._usage_report()
            extra: JsonObject = {"usage": usage} if usage is not None else {}
            yield self._event(f"{self._kind}.completed", extra, self._usage.output_tokens)

    def error_event(self, refusal: Refusal) -> Event:
        return Event(openai_error(refusal, self._call.request_id), "error")

    def _event(self, kind: str, extra: JsonObject, output_tokens: int) -> Event:
        head: JsonObject = {"type": kind, "b64_json": PIXEL_B64, "created_at": self._call.started_s}
        done = kind.endswith("completed")
        return Event(head | self._common | extra, kind, output_tokens, content=True, terminal=done)

    def _usage_report(self) -> JsonObject | None:
        usage = self._usage
        text_tokens = usage.input_tokens - usage.input_image_tokens
        return self._call.distorted(
            {
                "input_tokens": usage.input_tokens,
                "input_tokens_details": {
                    "text_tokens": text_tokens,
                    "image_tokens": usage.input_image_tokens,
                },
                "output_tokens": usage.output_tokens,
                "output_tokens_details": {"text_tokens": 0, "image_tokens": usage.output_image_tokens},
                "total_tokens": usage.input_tokens + usage.output_tokens,
            }
        )


OPERATIONS = (
    Operation(
        "POST",
        re.compile(r"/v1/images/generations"),
        answer_generation,
        "openai-images",
        openai_error,
        bearer,
    ),
)
