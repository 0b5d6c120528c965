"""OpenAI image edits: a form with pictures, or JSON that points at them; answers are those of image generation.

The API takes both for the same thing, so a form for an upstream of another protocol is first written as the JSON that it stands for.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

import msgspec

from laidian.errors import BadRequest
from laidian.protocol.dialect import Answer, Peek
from laidian.protocol.document import Fields
from laidian.protocol.form import Edit, Form, Part
from laidian.protocol.openai_fields import checked_model
from laidian.protocol.openai_images import MAX_IMAGES, ImageTap, OpenAIImages, held_tokens

NO_FIELDS = Fields(b"{}")

MOST_INLINE_BYTES = 15_000_000
"""Pictures of one request that are written into a body: 20 MB in base64, which is what Google takes beside its file store
(ai.google.dev file-input guide, seen 2026-11)."""

_NUMBERS = frozenset({"n", "output_compression", "partial_images"})
_PICTURES = re.compile(r"image(?:\[[0-9]*\])?")
_SIGNATURES = ((b"\x89PNG", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"RIFF", "image/webp"))


class OpenAIImageEdits:
    """The `FormDialect` of /v1/images/edits."""

    _generation = OpenAIImages()

    def peek(self, body: bytes, path: str) -> Peek:
        """The JSON form, whose `images[]` stay as they are."""
        return self._generation.peek(body, path)

    def peek_form(self, form: Form, path: str) -> Peek:
        """Raises BadRequest naming the field that is wrong; parts may come in any order."""
        if not form.files():
            raise BadRequest(
                "The form holds no picture. Send it as the field `image`.",
                param="image",
                code="missing_image",
            )
        pictures, model = _count(form.text("n")), checked_model(form.text("model"))
        return Peek(
            NO_FIELDS,
            model,
            stream=form.flag("stream"),
            output_limit=pictures * held_tokens(model),
            choices=pictures,
            wants_usage=True,
            service_tier="default",
            text_only=False,
            form=form,
        )

    def path(self, peek: Peek, model: str) -> str:
        return "/images/edits"

    def splice(self, peek: Peek, model: str) -> bytes:
        return self._generation.splice(peek, model)

    def edits(self, peek: Peek, model: str) -> tuple[Edit, ...]:
        return renamed(peek, model)

    def read_answer(self, peek: Peek, body: bytes) -> Answer:
        return self._generation.read_answer(peek, body)

    def tap(self, peek: Peek) -> ImageTap:
        return ImageTap(peek.choices)


def as_json(peek: Peek, content: Callable[[Part], bytes]) -> Peek:
    """The same request in JSON, with its pictures inside. Raises BadRequest when they are too large for that, or no text is one."""
    form = peek.form
    assert form is not None
    size = sum(part.end - part.start for part in form.files())
    if size > MOST_INLINE_BYTES:
        raise BadRequest(
            f"The pictures have {size:,} bytes; the upstream of this model takes at most {MOST_INLINE_BYTES:,} in one request. Send "
            "smaller ones.",
            param="image",
            code="image_too_large",
        )
    body: dict[str, object] = {}
    pictures: list[dict[str, str]] = []
    for part in form.parts:
        if part.filename is None:
            body[part.name] = _value(part.name, form.text(part.name) or "")
        elif _PICTURES.fullmatch(part.name):
            pictures.append({"image_url": _data_url(part, content(part))})
        else:
            body[part.name] = part.filename
    fields = Fields(msgspec.json.encode({**body, "images": pictures}))
    return msgspec.structs.replace(peek, fields=fields, form=None)


def _value(name: str, text: str) -> object:
    if name == "stream":
        return text == "true"
    return int(text) if name in _NUMBERS and text.isascii() and text.isdigit() else text


def _data_url(part: Part, content: bytes) -> str:
    """Many clients send pictures as application/octet-stream, so what it is says its beginning."""
    found = next((mime for mark, mime in _SIGNATURES if content.startswith(mark)), "")
    mime = found or (part.content_type if part.content_type.startswith("image/") else "image/png")
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"


def renamed(peek: Peek, model: str) -> tuple[Edit, ...]:
    """The model's name in a form, where an upstream has another one."""
    if peek.form is None or peek.model == model:
        return ()
    return peek.form.replaced("model", model.encode())


def _count(text: str | None) -> int:
    if text is None:
        return 1
    if not text.isascii() or not text.isdigit() or len(text) > 3 or not 1 <= int(text) <= MAX_IMAGES:
        raise BadRequest(
            f"`n` must be a number from 1 to {MAX_IMAGES}; got {text[:20]}.", param="n", code="invalid_value"
        )
    return int(text)
