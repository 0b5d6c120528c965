"""OpenAI image edits: a form with pictures, or JSON that points at them; answers are those of image generation."""

from __future__ import annotations

from laidian.errors import BadRequest
from laidian.protocol.dialect import Answer, Peek
from laidian.protocol.document import Fields
from laidian.protocol.form import Edit, Form
from laidian.protocol.openai_fields import checked_model
from laidian.protocol.openai_images import IMAGE_TOKENS, MAX_IMAGES, ImageTap, OpenAIImages

NO_FIELDS = Fields(b"{}")


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
        pictures = _count(form.text("n"))
        return Peek(
            NO_FIELDS,
            checked_model(form.text("model")),
            stream=form.flag("stream"),
            output_limit=pictures * IMAGE_TOKENS,
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
