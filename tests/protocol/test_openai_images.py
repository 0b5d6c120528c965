"""OpenAI images: what is read of a request, what a stream of pictures shows when, what is billed."""

import json

import pytest

from laidian.domain.usage import Usage
from laidian.errors import BadRequest
from laidian.protocol.dialect import StreamFault
from laidian.protocol.event_stream import EVENT_BYTES
from laidian.protocol.openai_images import (
    IMAGE_TOKENS,
    LIKELY_IMAGE_TOKENS,
    PARTIAL_IMAGE_TOKENS,
    ImageTap,
    OpenAIImages,
    read_image_usage,
)

IMAGES = OpenAIImages()
PATH = "/v1/images/generations"
PEEK = IMAGES.peek(b'{"model":"gpt-image-2","prompt":"x"}', PATH)
USAGE = {
    "input_tokens": 60,
    "input_tokens_details": {"text_tokens": 10, "image_tokens": 50},
    "output_tokens": 300,
    "output_tokens_details": {"text_tokens": 28, "image_tokens": 272},
    "total_tokens": 360,
}


def event(kind: str, **more: object) -> bytes:
    body = json.dumps({"type": kind, "b64_json": "aGk=", **more}).encode()
    return b"event: " + kind.encode() + b"\ndata: " + body + b"\n\n"


PARTIAL = event("image_generation.partial_image", partial_image_index=0)
DONE = event("image_generation.completed", usage=USAGE)


def test_a_request_is_held_by_its_number_of_pictures():
    peek = IMAGES.peek(b'{"model":"m","prompt":"x","n":3,"stream":true}', PATH)
    assert (peek.model, peek.choices, peek.output_limit, peek.stream) == ("m", 3, 3 * IMAGE_TOKENS, True)
    assert not peek.text_only
    assert IMAGES.path(peek, "m") == "/images/generations"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b'{"prompt":"x"}', "model"),
        (b'{"model":"m","n":11}', "n"),
        (b'{"model":"m","n":0}', "n"),
        (b'{"model":"m","n":"2"}', "n"),
        (b'{"model":"m","stream":"true"}', "stream"),
        (b'{"model":"m","model":"n"}', "model"),
    ],
)
def test_a_wrong_field_is_named(body: bytes, param: str):
    with pytest.raises(BadRequest) as refused:
        IMAGES.peek(body, PATH)
    assert refused.value.param == param


def test_only_the_model_changes():
    body = b'{ "prompt":"\\u00e9", "model" : "a","x":1.0e1 }'
    peek = IMAGES.peek(body, PATH)
    assert IMAGES.splice(peek, "a") is body
    assert IMAGES.splice(peek, "b") == body.replace(b'"a"', b'"b"')


def test_usage_comes_apart_into_text_and_pictures():
    assert read_image_usage(json.dumps(USAGE).encode()) == Usage(
        input=10, image_input=50, output=28, image_output=272
    )
    without = {"input_tokens": 5, "output_tokens": 272}
    assert read_image_usage(json.dumps(without).encode()) == Usage(input=5, image_output=272)
    nulls = without | {
        "input_tokens_details": {"image_tokens": None, "cached_tokens": None},
        "output_tokens_details": None,
    }
    assert read_image_usage(json.dumps(nulls).encode()) == Usage(input=5, image_output=272)


@pytest.mark.parametrize(
    "more",
    [
        {"input_tokens": -1},
        {"output_tokens": "300"},
        {"output_tokens": 10**18},
        {"input_tokens_details": {"image_tokens": 61}},
        {"output_tokens_details": {"image_tokens": -1}},
    ],
)
def test_usage_that_cannot_be_is_as_good_as_none(more: dict[str, object]):
    assert read_image_usage(json.dumps(USAGE | more).encode()) is None


def test_an_answer_without_usage_is_estimated_by_its_pictures():
    peek = IMAGES.peek(b'{"model":"m","n":2}', PATH)
    answer = IMAGES.read_answer(peek, b'{"data":[{"b64_json":""}]}')
    assert (answer.usage, answer.output_tokens) == (None, 2 * LIKELY_IMAGE_TOKENS)
    assert IMAGES.read_answer(peek, json.dumps({"data": [], "usage": USAGE}).encode()).output_tokens == 0


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"{}", b"[]", b'{"data":null}', b'{"error":{"message":"no"}}']
)
def test_what_holds_no_pictures_is_a_fault(body: bytes):
    with pytest.raises(StreamFault):
        IMAGES.read_answer(PEEK, body)


def test_partial_pictures_pass_at_once_and_the_last_one_waits_for_the_end():
    tap = ImageTap(1)
    assert tap.feed(PARTIAL + b": comment\n\n") == PARTIAL + b": comment\n\n"
    assert (tap.output_tokens, tap.finished) == (PARTIAL_IMAGE_TOKENS, False)
    assert tap.feed(DONE[:40]) == b""
    assert tap.feed(DONE[40:] + b"data: [DONE]\n\n" + PARTIAL) == b""
    assert (tap.finished, tap.ended, tap.usage) == (True, True, read_image_usage(json.dumps(USAGE).encode()))
    assert tap.end() == DONE


def test_of_several_pictures_all_are_shown_and_only_the_last_waits():
    tap = ImageTap(3)
    assert tap.feed(DONE) == b""
    assert not tap.ended
    assert tap.feed(PARTIAL + DONE) == PARTIAL + DONE
    assert (tap.ended, tap.finished) == (False, False)
    assert tap.feed(DONE) == DONE
    assert (tap.ended, tap.finished) == (True, True)
    assert tap.end() == DONE


def test_fewer_pictures_than_asked_for_are_an_answer_when_the_stream_ends_in_good_order():
    tap = ImageTap(3)
    tap.feed(DONE)
    assert tap.end() == DONE
    assert not tap.finished, "a connection that breaks here has broken off"


def test_usage_is_kept_when_a_later_event_has_none():
    tap = ImageTap(2)
    tap.feed(DONE + event("image_generation.completed"))
    assert tap.usage is not None


@pytest.mark.parametrize(
    "sent",
    [b"data: <html>\n\n", b'data: {"error":{"message":"no"}}\n\n', event("x", error={"message": "no"})],
)
def test_a_broken_stream_is_a_fault_after_what_came_before_it(sent: bytes):
    tap = ImageTap(1)
    assert tap.feed(PARTIAL + sent) == PARTIAL
    assert tap.fault is not None
    with pytest.raises(StreamFault):
        tap.end()


def test_an_event_that_never_ends_is_a_fault():
    tap = ImageTap(1)
    piece = bytes(8 * 1024 * 1024)
    for _ in range(EVENT_BYTES // len(piece)):
        tap.feed(piece)
    assert tap.fault is None
    tap.feed(b"x")
    assert tap.fault is not None
