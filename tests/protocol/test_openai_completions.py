"""Legacy completions: as many answers as are billed are held, the stream is chat's, usage that only we asked for stays hidden."""

import json

import pytest

from laidian.domain.usage import Usage
from laidian.errors import BadRequest
from laidian.protocol.dialect import StreamFault
from laidian.protocol.openai_completions import DEFAULT_MAX_TOKENS, MAX_PROMPTS, OpenAICompletions

COMPLETIONS = OpenAICompletions()


def peek(**fields: object):
    return COMPLETIONS.peek(json.dumps({"model": "m", "prompt": "x", **fields}).encode(), "/v1/completions")


def event(**fields: object) -> bytes:
    return b"data: " + json.dumps(fields).encode() + b"\n\n"


def chunk(text: str, finish: str | None = None, **more: object) -> bytes:
    return event(choices=[{"index": 0, "text": text, "logprobs": None, "finish_reason": finish}], **more)


@pytest.mark.parametrize(
    ("fields", "answers"),
    [
        ({}, 1),
        ({"n": 3}, 3),
        ({"n": 2, "best_of": 5}, 5),
        ({"best_of": None}, 1),
        ({"prompt": ["a", "b"]}, 2),
        ({"prompt": ["a", "b"], "n": 2}, 4),
        ({"prompt": [1, 2, 3]}, 1),
        ({"prompt": [[1, 2], [3]]}, 2),
        ({"prompt": []}, 1),
        ({"prompt": None}, 1),
    ],
)
def test_every_answer_that_is_billed_is_held(fields: dict[str, object], answers: int):
    assert peek(**fields).choices == answers
    assert peek(**fields).output_limit == answers * DEFAULT_MAX_TOKENS
    assert peek(max_tokens=7, **fields).output_limit == answers * 7


def test_the_limit_may_be_0_for_an_echo():
    assert peek(max_tokens=0, echo=True, logprobs=1).output_limit == 0
    assert peek(max_tokens=None).output_limit == DEFAULT_MAX_TOKENS


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": None}, "model"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": "7"}, "max_tokens"),
        ({"n": 0}, "n"),
        ({"best_of": 129}, "best_of"),
        ({"stream": 1}, "stream"),
        ({"prompt": ["x"] * (MAX_PROMPTS + 1)}, "prompt"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, object], param: str):
    with pytest.raises(BadRequest) as refused:
        peek(**fields)
    assert refused.value.param == param


def test_only_model_and_usage_switch_change():
    body = b'{ "prompt":"x" , "model":"a","seed":1.0e0}'
    assert COMPLETIONS.splice(COMPLETIONS.peek(body, ""), "a") is body
    assert COMPLETIONS.splice(COMPLETIONS.peek(body, ""), "b") == body.replace(b'"a"', b'"b"')
    stream = body[:-1] + b',"stream":true}'
    assert COMPLETIONS.splice(COMPLETIONS.peek(stream, ""), "a") == (
        stream[:-1] + b',"stream_options":{"include_usage":true}}'
    )
    asked = stream[:-1] + b',"stream_options":{"include_usage":true}}'
    assert COMPLETIONS.splice(COMPLETIONS.peek(asked, ""), "a") is asked
    assert COMPLETIONS.path(peek(), "m") == "/completions"


def test_usage_of_an_answer_or_its_text():
    body = b'{"choices":[{"text":"hello there"},{"text":null}],"usage":{"prompt_tokens":3,"completion_tokens":4}}'
    assert COMPLETIONS.read_answer(peek(), body).usage == Usage(input=3, output=4)
    guessed = COMPLETIONS.read_answer(peek(), body.replace(b'"usage"', b'"x"'))
    assert (guessed.usage, guessed.output_tokens) == (None, 3)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"{}", b'{"choices":5}', b'{"choices":[],"error":{"message":"no"}}']
)
def test_what_is_no_completion_is_a_fault(body: bytes):
    with pytest.raises(StreamFault):
        COMPLETIONS.read_answer(peek(), body)


USAGE = event(choices=[], usage={"prompt_tokens": 3, "completion_tokens": 4})


@pytest.mark.parametrize("asked", [False, True])
def test_a_stream_shows_usage_only_to_who_asked(asked: bool):
    more = {"stream_options": {"include_usage": True}} if asked else {}
    tap = COMPLETIONS.tap(peek(stream=True, **more))
    text = chunk("hello there, world") + chunk("", "stop")
    assert tap.feed(text) == text
    assert tap.output_tokens == 5
    assert tap.feed(USAGE + b"data: [DONE]\n\n") == (USAGE if asked else b"")
    assert (tap.usage, tap.ended, tap.end()) == (Usage(input=3, output=4), True, b"data: [DONE]\n\n")


def test_a_stream_that_ends_early_is_a_fault():
    tap = COMPLETIONS.tap(peek(stream=True))
    tap.feed(chunk("hello"))
    with pytest.raises(StreamFault):
        tap.end()
