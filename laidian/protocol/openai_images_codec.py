"""OpenAI's Images API in front of models that draw in an answer: a request for pictures becomes a turn, the answer's pictures its data.

Only asked with: no upstream is ever spoken to in it by a client of another protocol. The rule a newcomer would break: what such a
model cannot be told is refused by name where the picture would be another one (a mask, a transparent background, several pictures),
and named in `dropped` where it would only be a little better or worse (protocol.md 6.6).
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from typing import Literal

import msgspec

from laidian.domain.usage import Usage
from laidian.errors import BadRequest, LaidianError
from laidian.protocol.canonical import (
    Event,
    Finished,
    Image,
    ImageMade,
    Message,
    Request,
    Started,
    Text,
    TextDelta,
    Used,
)
from laidian.protocol.dialect import Peek
from laidian.protocol.document import Fields, said
from laidian.protocol.openai_family import OpenAIFamily

EventKind = Literal["image_generation", "image_edit"]
"""What the events of a stream begin with."""

MAX_IMAGES = 16
"""Pictures that one edit starts from (openai 3.54.0, image_edit_params.py)."""
SAID_CHARS = 300

_SIZE = re.compile(r"([1-9][0-9]{1,4})x([1-9][0-9]{1,4})")
_DATA = re.compile(r"data:([a-z]+/[a-z0-9.+-]+);base64,", re.IGNORECASE)
_FORMATS = {"image/png": "png", "image/jpeg": "jpeg", "image/webp": "webp"}

_HINTS = ("quality", "style", "moderation", "input_fidelity", "output_compression", "partial_images")
"""They make the same picture a little better, smaller or stricter."""
_HARMLESS = {"quality": "auto", "moderation": "auto", "style": "vivid", "input_fidelity": "low", "partial_images": 0}  # fmt: skip
"""What the API does when nothing is said."""
_REFUSED = ("svg", "frame_count", "frame_duration_ms", "complexity", "mask", "markup")

_WHY = {
    "svg": "the model draws in pixels",
    "frame_count": "the model draws single pictures",
    "frame_duration_ms": "the model draws single pictures",
    "complexity": "the model draws in pixels",
    "mask": "the model cannot be told which part to change; say it in the prompt",
    "markup": "the model cannot be told which part to change; say it in the prompt",
}

_items = msgspec.json.Decoder(list[msgspec.Raw]).decode


class OpenAIImagesCodec:
    """The `Asking` of /v1/images/generations and /v1/images/edits."""

    def __init__(self, kind: EventKind) -> None:
        self._kind: EventKind = kind

    def decode_request(self, peek: Peek) -> Request:
        """Raises BadRequest naming the field that a model which draws in an answer cannot be told."""
        fields = peek.fields
        _refuse(fields, peek.choices)
        prompt = fields.get("prompt", str)
        if not prompt:
            raise BadRequest("The request holds no `prompt`.", param="prompt", code="missing_prompt")
        pictures = _pictures(fields) if self._kind == "image_edit" else ()
        user = fields.get("safety_identifier", str) or fields.get("user", str) or ""
        return Request(
            messages=(Message("user", (*pictures, Text(prompt))),),
            modalities=("text", "image"),
            image_size=_size(fields),
            user=user,
            stream=peek.stream,
            dropped=_dropped(fields),
            names={"modalities": "model", "image_size": "size", "messages": "images", "choices": "n"},
        )

    def writer(self, peek: Peek, request: Request) -> PictureWriter:
        return PictureWriter(self._kind)

    def write_whole(self, peek: Peek, request: Request, events: list[Event]) -> bytes:
        """Raises BadRequest when the model made no picture."""
        seen = _Seen()
        seen.see(events)
        if seen.nothing is not None:
            raise seen.nothing
        body: dict[str, object] = {
            "created": seen.created_s,
            "data": [{"b64_json": picture.data} for picture in seen.pictures],
            **_look(seen.pictures[0]),
            "usage": _usage(seen.usage),
        }
        return msgspec.json.encode(body)


class PictureWriter:
    """The `StreamWriter` of pictures, which come whole and at the end: there are no partial ones."""

    def __init__(self, kind: EventKind) -> None:
        self._kind: EventKind = kind
        self._seen = _Seen()

    def write(self, events: list[Event]) -> bytes:
        self._seen.see(events)
        return b""

    def failure(self, error: LaidianError) -> None:
        """The family's error event will do."""

    def end(self) -> bytes:
        seen = self._seen
        if seen.nothing is not None:
            return OpenAIFamily().error_event(seen.nothing)
        last = len(seen.pictures) - 1
        # the usage of all stands in the last one, so that whoever adds them up is right
        return b"".join(
            self._event(picture, seen.usage if place == last else Usage())
            for place, picture in enumerate(seen.pictures)
        )

    def _event(self, picture: ImageMade, usage: Usage) -> bytes:
        name = f"{self._kind}.completed"
        body: dict[str, object] = {
            "type": name,
            "b64_json": picture.data,
            "created_at": self._seen.created_s,
            **_look(picture),
            "usage": _usage(usage),
        }
        return b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode(body) + b"\n\n"


class _Seen:
    """What an answer came to."""

    def __init__(self) -> None:
        self.pictures: list[ImageMade] = []
        self.usage = Usage()
        self.created_s = 0
        self._text = ""
        self._blocked = False

    def see(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case Started():
                    self.created_s = event.created_s
                case ImageMade():
                    self.pictures.append(event)
                case TextDelta(text):
                    self._text = (self._text + text)[:SAID_CHARS]
                case Finished(reason):
                    self._blocked = reason == "content_filter"
                case Used(usage):
                    self.usage = usage
                case _:
                    pass

    @property
    def nothing(self) -> BadRequest | None:
        """Why there is no picture; None when there is one."""
        if self.pictures:
            return None
        if self._blocked:
            return BadRequest(
                "The model refused to draw this: its safety system blocked the prompt or the picture. The tokens it used are charged.",
                param="prompt",
                code="content_policy_violation",
            )
        words = f" It said: {self._text.strip()}" if self._text.strip() else ""
        return BadRequest(
            f"The model made no picture; ask for one more plainly, or use a model that draws. The tokens it used are charged.{words}",
            param="prompt",
            code="no_image_generated",
        )


def _refuse(fields: Fields, choices: int) -> None:
    if choices > 1:
        raise _cannot("n", "one picture is drawn for each request; ask once for each")
    for name in _REFUSED:
        raw = fields.raw.get(name)
        if raw is not None and said(raw) is not None:
            raise _cannot(name, _WHY[name])
    if fields.get("background", str) == "transparent":
        raise _cannot("background", "the model draws no transparency")
    if fields.get("response_format", str) == "url":
        raise _cannot("response_format", "pictures are kept nowhere, so they come as b64_json")
    if fields.get("output_format", str) in ("gif", "svg"):
        raise _cannot("output_format", "the model draws still pictures in pixels")


def _dropped(fields: Fields) -> tuple[str, ...]:
    named: list[str] = []
    for name in _HINTS:
        raw = fields.raw.get(name)
        value = None if raw is None else said(raw)
        if value is not None and value != msgspec.json.encode(_HARMLESS.get(name)):
            named.append(name)
    if fields.get("output_format", str) not in (None, "png"):
        named.append("output_format")
    return tuple(named)


def _size(fields: Fields) -> tuple[int, int] | None:
    size = fields.get("size", str)
    if size in (None, "auto"):
        return None
    found = _SIZE.fullmatch(size)
    if found is None:
        raise BadRequest(
            f"`size` must be auto or WIDTHxHEIGHT; got {size[:20]!r}.", param="size", code="invalid_value"
        )
    return int(found[1]), int(found[2])


def _pictures(fields: Fields) -> tuple[Image, ...]:
    raw = fields.raw.get("images")
    value = None if raw is None else said(raw)
    items = () if value is None or value[:1] != b"[" else tuple(_items(value))
    if not 1 <= len(items) <= MAX_IMAGES:
        raise BadRequest(
            f"`images` must hold 1 to {MAX_IMAGES} pictures; got {len(items)}.",
            param="images",
            code="missing_image",
        )
    return tuple(_picture(bytes(item), f"images[{place}]") for place, item in enumerate(items))


def _picture(raw: bytes, at: str) -> Image:
    fields = Fields(raw) if raw[:1] == b"{" else None
    url = None if fields is None else fields.get("image_url", str)
    if fields is None or url is None:
        if fields is not None and fields.get("file_id", str) is not None:
            raise _cannot(f"{at}.file_id", "files are kept by another provider; send the picture itself")
        raise BadRequest(f"`{at}` must hold an `image_url`.", param=at, code="invalid_value")
    found = _DATA.match(url)
    if found is not None:
        return Image(data=url[found.end() :], mime=found[1].lower())
    if not url.startswith(("https://", "http://")):
        raise BadRequest(
            f"`{at}.image_url` must be an http address or a data URL in base64.",
            param=f"{at}.image_url",
            code="invalid_value",
        )
    return Image(url=url)


def _look(picture: ImageMade) -> dict[str, object]:
    """What can be said of a picture by looking at it."""
    look: dict[str, object] = {"background": "opaque"}
    if picture.mime in _FORMATS:
        look["output_format"] = _FORMATS[picture.mime]
    size = _png_size(picture.data)
    if size is not None:
        look["size"] = f"{size[0]}x{size[1]}"
    return look


def _png_size(data: str) -> tuple[int, int] | None:
    """From the head of a PNG; None for anything else."""
    try:
        head = base64.b64decode(data[:32], validate=True)
    except (ValueError, binascii.Error):
        return None
    if len(head) < 24 or not head.startswith(b"\x89PNG\r\n\x1a\n"):
        return None
    width, height = struct.unpack(">II", head[16:24])
    return width, height


def _usage(usage: Usage) -> dict[str, object]:
    pictures_in, pictures_out = usage.image_input + usage.cached_image_input, usage.image_output
    total_in, total_out = usage.total_input_tokens, usage.total_output_tokens
    return {
        "input_tokens": total_in,
        "input_tokens_details": {"text_tokens": total_in - pictures_in, "image_tokens": pictures_in},
        "output_tokens": total_out,
        "output_tokens_details": {"text_tokens": total_out - pictures_out, "image_tokens": pictures_out},
        "total_tokens": total_in + total_out,
    }


def _cannot(name: str, why: str) -> BadRequest:
    message = (
        f"`{name}` cannot be carried to the upstream of this model, which speaks another protocol: {why}."
    )
    return BadRequest(message, param=name, code="unsupported_parameter")
