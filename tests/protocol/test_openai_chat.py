"""OpenAI chat: what the relay reads of a request, what it changes, and what a client sees of a stream."""

import json

import pytest

from laidian.domain.usage import Usage
from laidian.errors import BadRequest, QuotaExhausted
from laidian.protocol.dialect import StreamFault
from laidian.protocol.event_stream import EVENT_BYTES
from laidian.protocol.openai_chat import ChatTap, OpenAIChat
from laidian.protocol.openai_family import OpenAIFamily
from laidian.protocol.openai_usage import read_usage

CHAT = OpenAIChat()
FAMILY = OpenAIFamily()
PATH = "/v1/chat/completions"
PEEK = CHAT.peek(b'{"model":"m"}', PATH)


def event(**fields: object) -> bytes:
    return b"data: " + json.dumps(fields, separators=(",", ":")).encode() + b"\n\n"


def chunk(text: str | None = None, *, finish: str | None = None, **more: object) -> bytes:
    delta = {} if text is None else {"content": text}
    return event(id="c", choices=[{"index": 0, "delta": delta, "finish_reason": finish}], **more)


DONE = b"data: [DONE]\n\n"
USAGE = event(id="c", choices=[], usage={"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13})


def test_peek_reads_only_what_must_be_known():
    peek = CHAT.peek(
        b'{"model":"m","stream":true,"max_tokens":7,"n":3,"stream_options":{"include_usage":true},"x":{"y":1}}',
        PATH,
    )
    assert (peek.model, peek.stream, peek.output_limit, peek.choices, peek.wants_usage) == (
        "m",
        True,
        21,
        3,
        True,
    )


def test_the_newer_output_limit_wins():
    assert CHAT.peek(b'{"model":"m","max_tokens":7,"max_completion_tokens":9}', PATH).output_limit == 9
    assert CHAT.peek(b'{"model":"m","max_completion_tokens":null,"max_tokens":7}', PATH).output_limit == 7
    assert CHAT.peek(b'{"model":"m"}', PATH).output_limit is None


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"{}", "model"),
        (b'{"model":""}', "model"),
        (b'{"model":null}', "model"),
        (b'{"model":5}', "model"),
        (b'{"model":"a\\nb"}', "model"),
        (b'{"model":"' + b"x" * 300 + b'"}', "model"),
        (b'{"model":"m","stream":"yes"}', "stream"),
        (b'{"model":"m","n":0}', "n"),
        (b'{"model":"m","n":129}', "n"),
        (b'{"model":"m","n":1.5}', "n"),
        (b'{"model":"m","max_tokens":-1}', "max_tokens"),
        (b'{"model":"m","max_tokens":"9"}', "max_tokens"),
        (b'{"model":"m","max_completion_tokens":0}', "max_completion_tokens"),
        (b'{"model":"m","stream":true,"stream_options":[]}', "stream_options"),
        (b'{"model":"m","service_tier":4}', "service_tier"),
    ],
)
def test_a_field_that_is_wrong_is_a_400_naming_it(body: bytes, param: str):
    with pytest.raises(BadRequest) as caught:
        CHAT.peek(body, PATH)
    assert caught.value.param == param


def test_an_unchanged_request_is_the_same_object():
    body = b'{"model":"m", "messages":[]}'
    assert CHAT.splice(CHAT.peek(body, PATH), "m") is body


def test_usage_is_asked_for_without_touching_other_stream_options():
    body = (
        b'{"model":"m","stream":true,"stream_options":{"include_obfuscation": false,"include_usage":false}}'
    )
    spliced = CHAT.splice(CHAT.peek(body, PATH), "up/m")
    assert spliced == (
        b'{"model":"up/m","stream":true,"stream_options":{"include_obfuscation": false,"include_usage":true}}'
    )
    absent = b'{"model":"m","stream":true}'
    assert CHAT.splice(CHAT.peek(absent, PATH), "m") == (
        b'{"model":"m","stream":true,"stream_options":{"include_usage":true}}'
    )
    null = b'{"stream_options":null,"model":"m","stream":true}'
    assert CHAT.splice(CHAT.peek(null, PATH), "m") == (
        b'{"stream_options":{"include_usage":true},"model":"m","stream":true}'
    )


def test_a_client_that_did_not_ask_sees_neither_the_usage_chunk_nor_null_usage():
    tap = ChatTap(hide_usage=True)
    seen = tap.feed(chunk("hi", usage=None) + chunk(finish="stop", usage=None) + USAGE + DONE) + tap.end()
    assert b"usage" not in seen
    assert seen == chunk("hi") + chunk(finish="stop") + DONE
    assert tap.usage == Usage(input=10, output=3)


def test_a_client_that_asked_sees_every_byte():
    stream = chunk("hi", usage=None) + chunk(finish="stop", usage=None) + USAGE + DONE
    tap = ChatTap(hide_usage=False)
    assert tap.feed(stream) + tap.end() == stream
    assert tap.usage == Usage(input=10, output=3)


def test_a_quoted_usage_inside_the_text_survives():
    tap = ChatTap(hide_usage=True)
    spoken = chunk('say ,"usage":null and "usage":{"prompt_tokens":1}')
    assert tap.feed(spoken) == spoken
    assert tap.usage is None


@pytest.mark.parametrize("hide", [True, False])
def test_every_cut_of_a_stream_gives_the_client_the_same_bytes(hide: bool):
    stream = chunk("水", usage=None) + b": ping\n\n" + chunk(finish="stop") + USAGE + DONE
    whole = ChatTap(hide_usage=hide).feed(stream)
    for cut in range(len(stream) + 1):
        tap = ChatTap(hide_usage=hide)
        assert tap.feed(stream[:cut]) + tap.feed(stream[cut:]) == whole
        assert tap.usage == Usage(input=10, output=3)


def test_usage_on_the_finish_chunk_stays_and_is_counted_once():
    tap = ChatTap(hide_usage=True)
    finish = chunk(finish="stop", usage={"prompt_tokens": 10, "completion_tokens": 3})
    assert tap.feed(finish + USAGE + DONE) == finish
    assert tap.ended
    assert tap.end() == DONE
    assert tap.usage == Usage(input=10, output=3)


def test_a_missing_done_is_supplied_only_after_a_finish_reason():
    tap = ChatTap(hide_usage=True)
    tap.feed(chunk("x") + chunk(finish="stop"))
    assert tap.end() == DONE
    early = ChatTap(hide_usage=True)
    early.feed(chunk("x"))
    with pytest.raises(StreamFault):
        early.end()


def test_an_unfinished_last_event_is_still_read():
    tap = ChatTap(hide_usage=True)
    tap.feed(chunk(finish="stop") + b"data: [DONE]")
    assert tap.end() == DONE
    assert tap.finished


@pytest.mark.parametrize(
    "junk",
    [b"data: <html>bad gateway</html>\n\n", b"data: {broken\n\n", b'data: {"error":{"message":"boom"}}\n\n'],
)
def test_what_is_no_chunk_never_reaches_the_client(junk: bytes):
    tap = ChatTap(hide_usage=True)
    assert tap.feed(chunk("before") + junk + chunk("after")) == chunk("before")
    assert tap.fault is not None


def test_an_endless_event_is_not_gathered():
    tap = ChatTap(hide_usage=True)
    assert tap.feed(b"data: " + b"x" * (EVENT_BYTES + 10)) == b""
    assert tap.fault is not None


def test_output_is_estimated_while_it_streams():
    tap = ChatTap(hide_usage=True)
    tap.feed(chunk("hello world, this is text"))
    assert 4 <= tap.output_tokens <= 8
    tools = event(
        choices=[
            {
                "index": 0,
                "delta": {"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": "{}" * 40}}]},
            }
        ]
    )
    before = tap.output_tokens
    tap.feed(tools)
    assert tap.output_tokens > before + 10


def test_whole_answers_are_read_or_refused():
    body = json.dumps(
        {
            "choices": [{"message": {"content": "x"}}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 2},
            "service_tier": "flex",
        }
    ).encode()
    answer = CHAT.read_answer(PEEK, body)
    assert (answer.usage, answer.service_tier, answer.body) == (Usage(input=1, output=2), "flex", body)
    for junk in (b"<html>", b"{}", b"[]", b'{"error":{"message":"no"}}', b'{"choices":null}', b""):
        with pytest.raises(StreamFault):
            CHAT.read_answer(PEEK, junk)


def test_errors_carry_all_four_keys_and_nothing_else():
    error = json.loads(FAMILY.error_body(QuotaExhausted("No money.")))
    assert error == {
        "error": {
            "message": "No money.",
            "type": "insufficient_quota",
            "param": None,
            "code": "insufficient_quota",
        }
    }


def test_errors_of_upstreams_are_read_in_every_known_shape():
    assert FAMILY.read_error(b'{"error":{"message":"m","type":"t","code":"c","param":"p"}}').code == "c"
    assert FAMILY.read_error(b'[{"error":{"message":"m","code":404,"status":"NOT_FOUND"}}]').code == "404"
    assert FAMILY.read_error(b'{"error":"plain"}').message == "plain"
    for junk in (b"<html>", b"", b"[]", b"{}", b"null", b"[" * 5000):
        assert FAMILY.read_error(junk).message == ""


class TestUsage:
    def test_classes_are_disjoint_and_add_up(self):
        raw = (
            b'{"prompt_tokens":100,"completion_tokens":50,"prompt_tokens_details":{"cached_tokens":30,"cache_write_tokens":10,'
            b'"audio_tokens":5,"image_tokens":7},"completion_tokens_details":{"reasoning_tokens":20,"audio_tokens":4}}'
        )
        usage = read_usage(raw)
        assert usage == Usage(
            input=48,
            cached_input=30,
            cache_write=10,
            audio_input=5,
            image_input=7,
            output=26,
            reasoning=20,
            audio_output=4,
        )
        assert usage is not None
        assert (usage.total_input_tokens, usage.total_output_tokens) == (100, 50)

    @pytest.mark.parametrize(
        "raw",
        [
            b"{}",
            b"[]",
            b'"x"',
            b'{"prompt_tokens":-5,"completion_tokens":1}',
            b'{"prompt_tokens":"5","completion_tokens":1}',
            b'{"prompt_tokens":5.5,"completion_tokens":1}',
            b'{"prompt_tokens":true,"completion_tokens":1}',
            b'{"prompt_tokens":1e30,"completion_tokens":1}',
            b'{"prompt_tokens":99999999999999999999,"completion_tokens":1}',
            b'{"prompt_tokens":5,"completion_tokens":-1}',
            b'{"prompt_tokens":5,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":-3}}',
        ],
    )
    def test_nonsense_is_not_believed(self, raw: bytes):
        assert read_usage(raw) is None

    def test_parts_larger_than_the_whole_leave_the_whole(self):
        raw = b'{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":50}}'
        assert read_usage(raw) == Usage(input=10, output=5)

    def test_missing_details_and_nulls_are_zero(self):
        raw = b'{"prompt_tokens":10,"completion_tokens":null,"prompt_tokens_details":null,"completion_tokens_details":{"reasoning_tokens":null}}'
        assert read_usage(raw) == Usage(input=10)
