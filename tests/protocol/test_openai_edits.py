"""OpenAI image edits: forms in any order, JSON beside them, one value changed."""

import pytest

from laidian.domain.estimate import MEDIA_TOKENS
from laidian.errors import BadRequest
from laidian.protocol.form import Edit, Form, FormReader
from laidian.protocol.openai_edits import OpenAIImageEdits
from laidian.protocol.openai_images import IMAGE_TOKENS, ImageTap

EDITS = OpenAIImageEdits()
PATH = "/v1/images/edits"


def form(*fields: tuple[str, str] | tuple[str, str, bytes]) -> tuple[Form, bytes]:
    body = b""
    for name, value, *content in fields:
        head = f'--b\r\nContent-Disposition: form-data; name="{name}"'
        body += (head + (f'; filename="{value}"' if content else "") + "\r\n\r\n").encode()
        body += (content[0] if content else value.encode()) + b"\r\n"
    reader = FormReader(b"multipart/form-data; boundary=b")
    reader.feed(body + b"--b--\r\n")
    return reader.form(), body + b"--b--\r\n"


IMAGE = ("image", "a.png", b"png")


def test_a_form_is_read_whatever_its_order():
    asked = [("model", "gpt-image-2"), ("prompt", "a hat"), ("n", "2"), ("stream", "true")]
    for fields in ((*asked, IMAGE), (IMAGE, *asked)):
        peek = EDITS.peek_form(form(*fields)[0], PATH)
        assert (peek.model, peek.choices, peek.stream) == ("gpt-image-2", 2, True)
        assert peek.output_limit == 2 * IMAGE_TOKENS
    assert EDITS.path(peek, "x") == "/images/edits"
    assert isinstance(EDITS.tap(peek), ImageTap)


def test_every_picture_and_the_mask_count_as_input():
    one = EDITS.peek_form(form(("model", "m"), IMAGE)[0], PATH)
    three = EDITS.peek_form(
        form(
            ("model", "m"), ("image[]", "a.png", b"x"), ("image[]", "b.png", b"y" * 10), ("mask", "m", b"z")
        )[0],
        PATH,
    )
    more = three.bound_input_tokens() - one.bound_input_tokens()
    assert 2 * MEDIA_TOKENS <= more < 2 * MEDIA_TOKENS + 4
    large = EDITS.peek_form(form(("model", "m"), ("image", "a.png", bytes(4_000_000)))[0], PATH)
    assert large.bound_input_tokens() < 11_000


def test_the_model_is_the_one_edit():
    read, body = form(("prompt", "gpt"), IMAGE, ("model", "gpt"))
    peek = EDITS.peek_form(read, PATH)
    assert EDITS.edits(peek, "gpt") == ()
    (edit,) = EDITS.edits(peek, "other")
    assert edit == Edit(body.rindex(b"gpt"), body.rindex(b"gpt") + 3, b"other")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ((("model", "m"),), "image"),
        ((IMAGE,), "model"),
        ((IMAGE, ("model", "")), "model"),
        ((IMAGE, ("model", "m"), ("model", "m")), "model"),
        ((IMAGE, ("model", "file.txt", b"m")), "model"),
        ((IMAGE, ("model", "m"), ("n", "0")), "n"),
        ((IMAGE, ("model", "m"), ("n", "11")), "n"),
        ((IMAGE, ("model", "m"), ("n", "-1")), "n"),
        ((IMAGE, ("model", "m"), ("n", "٣")), "n"),
        ((IMAGE, ("model", "m"), ("n", "9" * 5_000)), "n"),
        ((IMAGE, ("model", "m"), ("stream", "1")), "stream"),
    ],
)
def test_a_wrong_field_is_named(fields: tuple[tuple[str, str] | tuple[str, str, bytes], ...], param: str):
    with pytest.raises(BadRequest) as refused:
        EDITS.peek_form(form(*fields)[0], PATH)
    assert refused.value.param == param


def test_the_json_form_passes_but_for_its_model():
    body = b'{"images":[{"image_url":"data:image/png;base64,aGk="}], "model":"a","prompt":"p"}'
    peek = EDITS.peek(body, PATH)
    assert peek.form is None
    assert EDITS.splice(peek, "a") is body
    assert EDITS.splice(peek, "b") == body.replace(b'"a"', b'"b"')
    assert EDITS.edits(peek, "b") == ()
