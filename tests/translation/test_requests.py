"""Every client's request reaches every upstream: accepted by its strict checker, and still meaning the same."""

from __future__ import annotations

import json

import msgspec
import pytest

from laidian.errors import BadRequest
from laidian.protocol.codec import Translation, translate
from tests.translation import requests
from tests.translation.codecs import BY_NAME, NOW_S, PAIRS, Body, Spoken, pair_id
from tests.translation.meaning import Wanted, wanted
from tests.translation.requests import (
    CITY,
    IMAGE,
    NAMED,
    PNG,
    REASONING,
    SCHEMA,
    STOP,
    TEXT,
    TOOLS,
    VERDICT,
    ZONE,
    asked,
)

OFFERED = (("get_weather", "The weather now", CITY), ("get_time", "", ZONE))
QUESTION = (("user", "Weather and time in Paris?"),)

SCENARIOS: dict[str, tuple[dict[str, Body], Wanted]] = {
    "text": (
        TEXT,
        Wanted(
            turns=(
                ("system", "Be brief."),
                ("user", "Hello, who are you?"),
                ("assistant", "A model."),
                ("user", "Say it in 中文\u2028please."),
            ),
            limit=300,
            temperature=0.5,
        ),
    ),
    "tools": (TOOLS, Wanted(QUESTION, OFFERED, ("required", ()))),
    "named tool": (
        {name: TOOLS[name] | NAMED[name] for name in TOOLS},
        Wanted(QUESTION, OFFERED, ("named", ("get_time",))),
    ),
    "structured output": (SCHEMA, Wanted((("user", "What colour is the sky?"),), schema=VERDICT, top_p=0.25)),
    "image input": (IMAGE, Wanted((("user", "What is this?", ("image", "image/png", PNG, "")),))),
    "reasoning": (REASONING, Wanted((("user", "Think hard."),), effort="high")),
}


def carried(client: Spoken, upstream: Spoken, body: Body, *, stream: bool = False) -> Translation:
    """The translation, with the upstream's strict judgement passed."""
    translation = client.translated(client.peek(body, stream=stream), upstream)
    upstream.check(json.loads(translation.encoded.body), stream)
    return translation


def arrived(upstream: Spoken, translation: Translation, *, stream: bool = False) -> Wanted:
    return wanted(upstream.codec.decode_request(upstream.read(translation.encoded.body, stream=stream)))


def expected(scenario: str, client: Spoken, *, stream: bool) -> Wanted:
    """Anthropic's clients always name an output limit."""
    want = SCENARIOS[scenario][1]
    limit = 300 if client.name == "anthropic" else want.limit
    return msgspec.structs.replace(want, limit=limit, stream=stream)


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(("client", "upstream"), PAIRS, ids=pair_id)
def test_a_request_reaches_the_upstream_with_its_meaning(
    client: Spoken, upstream: Spoken, stream: bool, scenario: str
):
    translation = carried(client, upstream, asked(SCENARIOS[scenario][0], client.name), stream=stream)
    want = expected(scenario, client, stream=stream)
    assert wanted(translation.request) == want
    got = arrived(upstream, translation, stream=stream)
    if want.limit is None:  # Anthropic's protocol cannot be spoken without one
        got = msgspec.structs.replace(got, limit=None)
    assert got == want


@pytest.mark.parametrize(("client", "upstream"), PAIRS, ids=pair_id)
def test_nothing_that_was_said_is_dropped_in_silence(client: Spoken, upstream: Spoken):
    """What these requests say, all dialects can say, but for the manner of thinking beside its effort."""
    for scenario, (bodies, _) in SCENARIOS.items():
        translation = carried(client, upstream, asked(bodies, client.name))
        assert not set(translation.dropped) - {"include", "reasoning.summary", "thinking"}, (
            scenario,
            translation.dropped,
        )


@pytest.mark.parametrize(("client", "upstream"), PAIRS, ids=pair_id)
def test_stop_words_are_carried_or_refused_by_their_name(client: Spoken, upstream: Spoken):
    if client.name == "responses":
        assert "stop" not in TEXT["responses"]  # its clients cannot say any
        return
    body = asked(STOP, client.name)
    if upstream.name == "responses":
        with pytest.raises(BadRequest) as caught:
            carried(client, upstream, body)
        names = {"chat": "stop", "gemini": "generationConfig.stopSequences", "anthropic": "stop_sequences"}
        assert caught.value.param == names[client.name]
        return
    assert arrived(upstream, carried(client, upstream, body)).stop == ("END", "\n\nHuman")


@pytest.mark.parametrize("upstream", BY_NAME.values(), ids=pair_id)
def test_several_choices_are_refused_by_name(upstream: Spoken):
    body = asked(TEXT, "chat") | {"n": 2}
    with pytest.raises(BadRequest) as caught:
        carried(BY_NAME["chat"], upstream, body)
    assert caught.value.param == "n"


@pytest.mark.parametrize("upstream", BY_NAME.values(), ids=pair_id)
def test_a_field_without_a_counterpart_is_named_when_it_is_dropped(upstream: Spoken):
    body = asked(TEXT, "chat") | {
        "logit_bias": {"50256": -100},
        "prediction": {"type": "content", "content": "x"},
    }
    assert {"logit_bias", "prediction"} <= set(carried(BY_NAME["chat"], upstream, body).dropped)


@pytest.mark.parametrize(("client", "upstream"), PAIRS, ids=pair_id)
def test_the_upstream_is_asked_for_its_own_name_of_the_model(client: Spoken, upstream: Spoken):
    translation = translate(
        client.codec, upstream.codec, client.peek(asked(TEXT, client.name)), "up/stream-7", NOW_S
    )
    where = translation.encoded.body.decode() + upstream.codec.stream_path("up/stream-7", stream=False)
    assert "stream-7" in where
    assert client.model not in where


ODD: dict[str, list[Body]] = {
    "an empty text beside a picture": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": ""},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
            ],
        }
    ],
    "an empty answer": [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": "b"},
    ],
    "two turns of one role": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}],
    "a late system message": [
        {"role": "user", "content": "a"},
        {"role": "system", "content": "s"},
        {"role": "developer", "content": "d"},
        {"role": "user", "content": "b"},
    ],
    "an answer first": [{"role": "assistant", "content": "a"}, {"role": "user", "content": "b"}],
    "an empty result and a foreign call id": [
        {"role": "user", "content": "a"},
        {
            "role": "assistant",
            "tool_calls": [
                {"id": "functions.f:0", "type": "function", "function": {"name": "f", "arguments": ""}}
            ],
        },
        {"role": "tool", "tool_call_id": "functions.f:0", "content": ""},
    ],
    "a document": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "x"},
                {
                    "type": "file",
                    "file": {"file_data": "data:application/pdf;base64,JVBERi0=", "filename": "a.pdf"},
                },
            ],
        }
    ],
    "a picture by its address": [
        {
            "role": "user",
            "content": [{"type": "image_url", "image_url": {"url": "https://example.com/x.png"}}],
        }
    ],
}
"""Histories that real clients send and that strict upstreams refuse when they are copied as they are."""


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("upstream", BY_NAME.values(), ids=pair_id)
def test_odd_histories_are_put_into_a_form_that_the_upstream_takes(upstream: Spoken, odd: str):
    chat = BY_NAME["chat"]
    translation = carried(chat, upstream, {"model": "gpt-5.4", "messages": ODD[odd]})
    assert arrived(upstream, translation).turns


def test_a_streamed_request_to_a_chat_upstream_asks_for_usage():
    chat = BY_NAME["chat"]
    for client in BY_NAME.values():
        body = json.loads(carried(client, chat, asked(TEXT, client.name), stream=True).encoded.body)
        assert body["stream_options"] == {"include_usage": True}


def test_a_request_to_a_responses_upstream_is_not_stored_there():
    responses = BY_NAME["responses"]
    for client in BY_NAME.values():
        assert json.loads(carried(client, responses, asked(TEXT, client.name)).encoded.body)["store"] is False


def test_every_dialect_has_every_request():
    for bodies in (TEXT, TOOLS, NAMED, SCHEMA, IMAGE, requests.DOCUMENT, REASONING, requests.MODELS):
        assert set(bodies) == set(BY_NAME)
