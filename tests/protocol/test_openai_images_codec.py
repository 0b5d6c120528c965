"""OpenAI's Images API in front of a model that draws in an answer (protocol.md 6.6)."""

from __future__ import annotations

import base64
import json

import pytest

from laidian.domain.usage import Usage
from laidian.errors import BadRequest
from laidian.protocol.canonical import Event, Finished, Image, ImageMade, Started, Text, TextDelta, Used
from laidian.protocol.dialect import Peek
from laidian.protocol.form import Form, FormReader, Part
from laidian.protocol.gemini_codec import GeminiCodec
from laidian.protocol.openai_edits import MOST_INLINE_BYTES, OpenAIImageEdits, as_json
from laidian.protocol.openai_images import OpenAIImages
from laidian.protocol.openai_images_codec import OpenAIImagesCodec
from tests.translation.requests import PNG

GENERATION, EDIT = OpenAIImagesCodec("image_generation"), OpenAIImagesCodec("image_edit")
USAGE = Usage(input=9, image_input=85, output=7, reasoning=3, image_output=1_120)
DRAWN: list[Event] = [
    Started("x", "m", 1_795_000_000),
    TextDelta("Here it is."),
    ImageMade(PNG, "image/png"),
    Used(USAGE),
    Finished("stop"),
]


def read_form(*parts: tuple[str, str | None, bytes]) -> Form:
    """A form of (name, file name or None, content)."""
    reader = FormReader(b"multipart/form-data; boundary=b")
    for name, filename, content in parts:
        file = "" if filename is None else f'; filename="{filename}"'
        reader.feed(f'--b\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode())
        reader.feed(content + b"\r\n")
    reader.feed(b"--b--\r\n")
    return reader.form()


def asked(**fields: object) -> Peek:
    body = {"model": "gemini-3-pro-image-preview", "prompt": "a harbour", **fields}
    return OpenAIImages().peek(json.dumps(body).encode(), "/v1/images/generations")


def edited(**fields: object) -> Peek:
    body = {"model": "m", "prompt": "bluer", **fields}
    return OpenAIImageEdits().peek(json.dumps(body).encode(), "/v1/images/edits")


def to_gemini(
    codec: OpenAIImagesCodec, peek: Peek, model: str = "gemini-3-pro-image-preview"
) -> dict[str, object]:
    return json.loads(GeminiCodec().encode_request(codec.decode_request(peek), model).body)


def test_a_prompt_becomes_a_turn_that_may_be_answered_with_a_picture():
    body = to_gemini(GENERATION, asked(size="1536x1024"))
    assert body == {
        "contents": [{"role": "user", "parts": [{"text": "a harbour"}]}],
        "generationConfig": {
            "responseModalities": ["TEXT", "IMAGE"],
            "imageConfig": {"aspectRatio": "3:2", "imageSize": "1K"},
        },
    }
    older = to_gemini(GENERATION, asked(size="1024x1024"), "gemini-2.5-flash-image")
    assert older["generationConfig"] == {
        "responseModalities": ["TEXT", "IMAGE"],
        "imageConfig": {"aspectRatio": "1:1"},
    }


def test_pictures_stand_before_the_words():
    url = f"data:image/png;base64,{PNG}"
    request = EDIT.decode_request(
        edited(images=[{"image_url": url}, {"image_url": "https://a.example/b.png"}])
    )
    assert request.messages[0].parts == (
        Image(data=PNG, mime="image/png"),
        Image(url="https://a.example/b.png"),
        Text("bluer"),
    )


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"n": 2}, "n"),
        ({"background": "transparent"}, "background"),
        ({"response_format": "url"}, "response_format"),
        ({"output_format": "gif"}, "output_format"),
        ({"output_format": "svg"}, "output_format"),
        ({"svg": {"model": "x"}}, "svg"),
        ({"frame_count": 3}, "frame_count"),
        ({"mask": {"image_url": "https://a.example"}}, "mask"),
        ({"size": "large"}, "size"),
        ({"prompt": ""}, "prompt"),
    ],
)
def test_what_would_be_another_picture_is_refused_by_name(fields: dict[str, object], named: str):
    with pytest.raises(BadRequest) as refused:
        GENERATION.decode_request(asked(**fields))
    assert refused.value.param == named


@pytest.mark.parametrize(
    ("images", "named"),
    [
        (None, "images"),
        ([], "images"),
        ([{"file_id": "file-1"}], "images[0].file_id"),
        ([{"image_url": "ftp://a"}], "images[0].image_url"),
        (["x"], "images[0]"),
        ([{"image_url": "https://a.example"}] * 17, "images"),
    ],
)
def test_an_edit_without_a_picture_that_can_be_sent_is_refused_by_name(images: object, named: str):
    with pytest.raises(BadRequest) as refused:
        EDIT.decode_request(edited(images=images))
    assert refused.value.param == named


def test_hints_are_left_out_and_named_unless_they_ask_for_what_is_usual():
    usual = asked(
        quality="auto",
        moderation="auto",
        style="vivid",
        output_format="png",
        partial_images=0,
        background="auto",
    )
    assert GENERATION.decode_request(usual).dropped == ()
    hints = asked(
        quality="high", moderation="low", output_format="webp", output_compression=50, partial_images=2
    )
    assert GENERATION.decode_request(hints).dropped == (
        "quality",
        "moderation",
        "output_compression",
        "partial_images",
        "output_format",
    )


def test_the_answer_holds_the_picture_its_real_size_and_its_tokens_by_class():
    body = json.loads(GENERATION.write_whole(asked(), GENERATION.decode_request(asked()), DRAWN))
    assert body == {
        "created": 1_795_000_000,
        "data": [{"b64_json": PNG}],
        "background": "opaque",
        "output_format": "png",
        "size": "1x1",
        "usage": {
            "input_tokens": 94,
            "input_tokens_details": {"text_tokens": 9, "image_tokens": 85},
            "output_tokens": 1_130,
            "output_tokens_details": {"text_tokens": 10, "image_tokens": 1_120},
            "total_tokens": 1_224,
        },
    }


def test_a_stream_is_one_event_at_the_end_and_several_pictures_add_up_to_the_usage():
    writer = EDIT.writer(edited(), EDIT.decode_request(edited(images=[{"image_url": "https://a.example"}])))
    assert writer.write([*DRAWN[:3], DRAWN[2], *DRAWN[3:]]) == b""
    events = [json.loads(one.split(b"data: ")[1]) for one in writer.end().split(b"\n\n") if one]
    assert [one["type"] for one in events] == ["image_edit.completed"] * 2
    assert sum(one["usage"]["total_tokens"] for one in events) == 1_224


@pytest.mark.parametrize(
    ("events", "code"),
    [
        ([DRAWN[0], Used(USAGE), Finished("content_filter")], "content_policy_violation"),
        ([*DRAWN[:2], Used(USAGE), Finished("stop")], "no_image_generated"),
    ],
)
def test_no_picture_is_an_error_that_says_that_the_tokens_are_charged(events: list[Event], code: str):
    request = GENERATION.decode_request(asked())
    with pytest.raises(BadRequest) as refused:
        GENERATION.write_whole(asked(), request, events)
    assert refused.value.code == code
    assert "charged" in refused.value.message
    writer = GENERATION.writer(asked(), request)
    writer.write(events)
    assert code.encode() in writer.end()


def test_a_form_is_the_json_that_it_stands_for():
    picture = base64.b64decode(PNG)
    form = read_form(
        ("model", None, b"m"),
        ("image[]", "a.png", picture),
        ("prompt", None, b"bluer"),
        ("image[]", "b", picture),
        ("n", None, b"1"),
        ("stream", None, b"true"),
        ("quality", None, b"high"),
    )
    peek = as_json(OpenAIImageEdits().peek_form(form, ""), lambda part: picture)
    assert json.loads(peek.fields.body) == {
        "model": "m",
        "prompt": "bluer",
        "n": 1,
        "stream": True,
        "quality": "high",
        "images": [{"image_url": f"data:image/png;base64,{PNG}"}] * 2,
    }
    assert EDIT.decode_request(peek).stream


def test_a_mask_in_a_form_is_refused_by_name():
    form = read_form(
        ("model", None, b"m"), ("prompt", None, b"x"), ("image", "a.png", b"x"), ("mask", "m.png", b"x")
    )
    with pytest.raises(BadRequest) as refused:
        EDIT.decode_request(as_json(OpenAIImageEdits().peek_form(form, ""), lambda part: b"\x89PNG"))
    assert refused.value.param == "mask"


def test_pictures_that_are_too_large_for_one_request_are_refused_before_they_are_read():
    form = read_form(("model", None, b"m"), ("prompt", None, b"x"), ("image", "a.png", b"x"))
    large = (*form.parts[:2], Part("image", "a.png", "image/png", 0, MOST_INLINE_BYTES + 1, b""))
    peek = OpenAIImageEdits().peek_form(type(form)(form.content_type, large, form.size), "")

    def content(part: Part) -> bytes:
        raise AssertionError("it was read")

    with pytest.raises(BadRequest) as refused:
        as_json(peek, content)
    assert refused.value.code == "image_too_large"
