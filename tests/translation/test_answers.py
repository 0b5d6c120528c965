"""Every upstream's answer reaches every client: the same words, calls, reason and usage, whole or streamed, however it was cut."""

from __future__ import annotations

import json
import random

import msgspec
import pytest

from laidian.protocol.canonical import Event, Started, TextDelta
from laidian.protocol.codec import Translation, translate
from tests.translation import answers
from tests.translation.answers import SCENARIOS, USAGE
from tests.translation.codecs import BY_NAME, NOW_S, PAIRS, Spoken, pair_id
from tests.translation.meaning import Meaning, meaning
from tests.translation.requests import REASONING, SCHEMA, TEXT, TOOLS, asked

CALLS = (("get_weather", {"city": '巴黎 "P"'}), ("get_time", {"zone": "Europe/Paris"}))

SAID: dict[str, Meaning] = {
    "text": Meaning("Hello, 世界\u2028fine.", reason="stop"),
    "tools": Meaning(calls=CALLS, reason="tool_calls"),
    "schema": Meaning('{"colour":"blue","sure":true}', reason="stop"),
    "reasoning": Meaning("42.", thought="Six by nine? No.", reason="stop"),
    "length": Meaning("Once upon a", reason="length"),
    "filtered": Meaning("I was about to", reason="content_filter"),
}
ASKED = {"tools": TOOLS, "schema": SCHEMA, "reasoning": REASONING}
UPSTREAM_MODELS = (b"2026-03-05", b"20250929")
"""Of the names that upstreams answer with."""


def translation(client: Spoken, upstream: Spoken, scenario: str, *, stream: bool) -> Translation:
    peek = client.peek(asked(ASKED.get(scenario, TEXT), client.name), stream=stream)
    return client.translated(peek, upstream)


def streamed(chosen: Translation, pieces: list[bytes]) -> bytes:
    """What the client gets when the upstream's bytes come in these pieces."""
    tap = chosen.tap()
    written = b"".join(tap.feed(piece) for piece in pieces)
    assert tap.fault is None
    written += tap.end()
    assert tap.finished
    assert tap.usage == USAGE
    return written


def read(client: Spoken, written: bytes, size: int = 1 << 20) -> list[Event]:
    """A client reading its own dialect."""
    reader = client.codec.reader()
    events: list[Event] = []
    for start in range(0, len(written), size):
        events += reader.feed(written[start : start + size])
    return events + reader.end()


def events_of(stream: bytes) -> list[bytes]:
    end = b"\r\n\r\n" if b"\r\n" in stream else b"\n\n"
    return [event + end for event in stream.split(end) if event]


def said(scenario: str) -> Meaning:
    return msgspec.structs.replace(SAID[scenario], usage=USAGE)


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize(("client", "upstream"), PAIRS, ids=pair_id)
def test_a_whole_answer_keeps_its_meaning(client: Spoken, upstream: Spoken, scenario: str):
    answer = translation(client, upstream, scenario, stream=False).read_answer(
        answers.whole(upstream.name, scenario)
    )
    assert answer.usage == USAGE
    assert isinstance(json.loads(answer.body), dict)
    assert meaning(client.codec.read_whole(answer.body)) == said(scenario)


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize(("client", "upstream"), PAIRS, ids=pair_id)
def test_a_stream_keeps_its_meaning(client: Spoken, upstream: Spoken, scenario: str):
    written = streamed(
        translation(client, upstream, scenario, stream=True), [answers.stream(upstream.name, scenario)]
    )
    assert meaning(read(client, written)) == said(scenario)
    assert meaning(read(client, written, 7)) == said(scenario)


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize(("client", "upstream"), PAIRS, ids=pair_id)
def test_a_stream_is_the_same_however_it_is_cut(client: Spoken, upstream: Spoken, scenario: str):
    stream = answers.stream(upstream.name, scenario)
    chosen = translation(client, upstream, scenario, stream=True)
    whole = meaning(read(client, streamed(chosen, [stream])))
    single = streamed(chosen, [stream[place : place + 1] for place in range(len(stream))])
    assert meaning(read(client, single)) == whole
    draw = random.Random(f"{client.name} {upstream.name} {scenario}")
    for _ in range(10):
        cuts = sorted(draw.sample(range(1, len(stream)), draw.randint(1, 12)))
        pieces = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
        assert meaning(read(client, streamed(chosen, pieces))) == whole


@pytest.mark.parametrize("ends", [b"\r\n", b"\r"], ids=["crlf", "cr"])
@pytest.mark.parametrize(("client", "upstream"), PAIRS, ids=pair_id)
def test_a_stream_with_other_line_ends_and_comments_says_the_same(
    client: Spoken, upstream: Spoken, ends: bytes
):
    stream = answers.stream(upstream.name, "text").replace(b"\r\n", b"\n")
    stream = b": comment\n\n" + stream.replace(b"\n\n", b"\n\n: ping\n\n")
    written = streamed(
        translation(client, upstream, "text", stream=True), [stream.replace(b"\n", ends), b"\n"]
    )
    assert meaning(read(client, written)) == said("text")


@pytest.mark.parametrize(("client", "upstream"), PAIRS, ids=pair_id)
def test_text_goes_on_as_it_comes(client: Spoken, upstream: Spoken):
    """Each piece of text is with the client as soon as the upstream has said it."""
    tap = translation(client, upstream, "text", stream=True).tap()
    reader = client.codec.reader()
    seen: list[str] = []
    for event in events_of(answers.stream(upstream.name, "text")):
        pieces = [one.text for one in reader.feed(tap.feed(event)) if isinstance(one, TextDelta)]
        assert len(pieces) <= 1
        seen += pieces
    assert seen == ["Hel", "lo, ", "世界\u2028", "fine."]


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize(("client", "upstream"), PAIRS, ids=pair_id)
def test_the_client_sees_its_own_name_of_the_model(client: Spoken, upstream: Spoken, scenario: str):
    chosen = translation(client, upstream, scenario, stream=True)
    written = streamed(chosen, [answers.stream(upstream.name, scenario)])
    whole = translation(client, upstream, scenario, stream=False).read_answer(
        answers.whole(upstream.name, scenario)
    )
    for body in (written, whole.body):
        assert chosen.peek.model.encode() in body
        assert not [name for name in UPSTREAM_MODELS if name in body]


@pytest.mark.parametrize("upstream", BY_NAME.values(), ids=pair_id)
@pytest.mark.parametrize("client", [BY_NAME["chat"], BY_NAME["responses"]], ids=pair_id)
def test_every_answer_is_dated(client: Spoken, upstream: Spoken):
    """By the upstream where its dialect tells the time, else by the relay; 1970 would be a lie."""
    written = streamed(
        translation(client, upstream, "text", stream=True), [answers.stream(upstream.name, "text")]
    )
    begun = read(client, written)[0]
    assert isinstance(begun, Started)
    assert begun.created_s == (1_795_000_000 if upstream.name in ("chat", "responses") else NOW_S)


@pytest.mark.parametrize("upstream", [BY_NAME["chat"], BY_NAME["responses"]], ids=pair_id)
@pytest.mark.parametrize("client", BY_NAME.values(), ids=pair_id)
def test_the_words_of_a_refusal_are_not_lost(client: Spoken, upstream: Spoken):
    """Only OpenAI's protocols tell a refusal apart from text; the others get its words, and Anthropic's clients perhaps a reason."""
    chosen = translation(client, upstream, "text", stream=True)
    streams = meaning(read(client, streamed(chosen, [answers.stream(upstream.name, "refusal")])))
    answer = translation(client, upstream, "text", stream=False).read_answer(
        answers.whole(upstream.name, "refusal")
    )
    wholes = meaning(client.codec.read_whole(answer.body))
    for got in (streams, wholes):
        assert got.refusal + got.text == "I cannot help with that."
        assert got.reason in ("stop", "content_filter")
        assert got.usage == USAGE
        if client.name in ("chat", "responses"):
            assert got.refusal == "I cannot help with that."


@pytest.mark.parametrize("upstream", BY_NAME.values(), ids=pair_id)
def test_a_chat_client_that_did_not_ask_for_usage_sees_none(upstream: Spoken):
    chat = BY_NAME["chat"]
    peek = chat.peek(asked(TEXT, "chat") | {"stream_options": None}, stream=True)
    written = streamed(
        translate(chat.codec, upstream.codec, peek, upstream.model, NOW_S),
        [answers.stream(upstream.name, "text")],
    )
    assert b"usage" not in written
    assert b'"choices":[]' not in written


@pytest.mark.parametrize("upstream", BY_NAME.values(), ids=pair_id)
def test_each_client_gets_the_framing_that_its_sdk_wants(upstream: Spoken):
    """protocol.md 4.1: Gemini's SDKs die of comments, `event:` lines and [DONE]; Anthropic's overlooks events without a name."""
    frames = {
        client.name: streamed(
            translation(client, upstream, "tools", stream=True), [answers.stream(upstream.name, "tools")]
        )
        for client in BY_NAME.values()
    }
    assert frames["chat"].endswith(b"data: [DONE]\n\n")
    assert frames["chat"].count(b"[DONE]") == 1
    for name in ("responses", "gemini", "anthropic"):
        assert b"[DONE]" not in frames[name]
    for line in frames["gemini"].replace(b"\r\n", b"\n").split(b"\n"):
        assert not line or line.startswith(b"data: {")
    for name in ("responses", "anthropic"):
        for event in frames[name].strip().split(b"\n\n"):
            head, _, data = event.partition(b"\n")
            kind = json.loads(data.removeprefix(b"data: "))["type"]
            assert head == b"event: " + kind.encode()
