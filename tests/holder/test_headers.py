"""What an answer's headers say of its cost, of what is left, and of what a translation left out."""

from __future__ import annotations

import json

import pytest

from laidian.domain.money import parse_usd
from laidian.domain.record import Settled
from laidian.relay.headers import DROPPED_BYTES, NAME_CHARS, cost_headers, dropped_headers
from tests.holder.conftest import FIVE_HOURS, PREPAID, UNLIMITED, Holders
from tests.routes.conftest import Reply

MESSAGE = {
    "model": "gpt-5.4",
    "max_tokens": 20,
    "messages": [{"role": "user", "content": "x"}],
    "made_up": 1,
    "b\u00e4d\r\nset-cookie: a=b": 2,
}


def message(holders: Holders, **more: object) -> Reply:
    body = json.dumps(MESSAGE | more).encode()
    reply = holders.as_key(PREPAID).bearer("POST", "/v1/messages", body, anthropic_version="2023-06-01")
    holders.laidian.wait_settled()
    return reply


def test_an_answer_says_what_it_was_charged_and_what_the_balance_has_left(holders: Holders):
    for spent in (1, 2):
        reply = holders.chat(PREPAID)
        charged = holders.laidian.record(reply.headers["x-request-id"]).charged_nano
        assert parse_usd(reply.headers["x-laidian-cost-usd"]) == charged > 0
        left = parse_usd(reply.headers["x-laidian-quota-left-usd"])
        assert left == 5_000_000_000 - holders.charged_nano(PREPAID), spent
        assert "x-laidian-dropped" not in reply.headers
    assert holders.get(PREPAID, "/user/balance").json()["balance"] == left / 1_000_000_000


@pytest.mark.parametrize("key_id", [FIVE_HOURS, UNLIMITED])
def test_only_a_prepaid_quota_says_what_it_has_left(holders: Holders, key_id: int):
    headers = holders.chat(key_id).headers
    assert "x-laidian-cost-usd" in headers
    assert "x-laidian-quota-left-usd" not in headers


def streamed(holders: Holders, path: str, body: dict[str, object], **headers: str) -> Reply:
    asked = json.dumps({"model": "gpt-5.4", "messages": [{"role": "user", "content": "x"}], **body}).encode()
    return holders.as_key(PREPAID).bearer("POST", path, asked, **headers)


@pytest.mark.parametrize(
    ("path", "body", "headers"),
    [
        ("/v1/chat/completions", {"stream": True}, {}),
        ("/v1/messages", {"stream": True, "max_tokens": 9}, {"anthropic_version": "2023-06-01"}),
    ],
)
def test_a_stream_says_its_cost_before_its_end_to_those_who_ask(
    holders: Holders, path: str, body: dict[str, object], headers: dict[str, str]
):
    plain = streamed(holders, path, body, **headers)
    assert b"x-laidian" not in plain.body, "what reads a stream line by line may know no comments"
    reply = streamed(holders, path, body, x_laidian_cost="stream", **headers)
    charged = holders.laidian.record(reply.headers["x-request-id"]).charged_nano
    comments = dict(
        line[2:].split(b" ") for line in reply.body.splitlines() if line.startswith(b": x-laidian")
    )
    assert parse_usd(comments[b"x-laidian-cost-usd"].decode()) == charged > 0
    assert b"x-laidian-quota-left-usd" in comments
    assert reply.body.rindex(b": x-laidian") < max(
        reply.body.find(b"[DONE]"), reply.body.find(b"message_stop")
    )


def test_geminis_streams_have_no_room_for_it(holders: Holders):
    body = json.dumps({"contents": [{"role": "user", "parts": [{"text": "x"}]}]}).encode()
    path = "/v1beta/models/gpt-5.4:streamGenerateContent?alt=sse"
    reply = holders.as_key(PREPAID).bearer("POST", path, body, x_laidian_cost="stream")
    assert reply.status == 200
    assert b"x-laidian" not in reply.body


def test_a_page_may_read_the_cost(holders: Holders):
    body = json.dumps({"model": "gpt-5.4", "messages": [{"role": "user", "content": "x"}]}).encode()
    reply = holders.as_key(PREPAID).bearer("POST", "/v1/chat/completions", body, origin="https://a.example")
    assert "x-laidian-cost-usd" in reply.headers["access-control-expose-headers"]


def test_an_error_says_nothing_of_a_cost(holders: Holders):
    reply = holders.chat(PREPAID, model="no-such-model")
    assert reply.status == 404
    assert not [name for name in reply.headers if name.startswith("x-laidian")]


@pytest.mark.parametrize("stream", [False, True])
def test_a_translated_answer_names_what_was_left_out_and_nothing_the_client_smuggled_in(
    holders: Holders, stream: bool
):
    reply = message(holders, stream=stream)
    assert reply.status == 200, reply.body
    names = reply.headers["x-laidian-dropped"].split(", ")
    assert {"made_up", "b?d??set-cookie:?a=b"} <= set(names)
    assert "set-cookie" not in reply.headers
    assert ("x-laidian-cost-usd" in reply.headers) is not stream


def test_a_header_is_bounded_however_much_was_left_out():
    names = tuple(f"field_{number}" for number in range(1_000))
    ((_, value),) = dropped_headers(names)
    assert len(value) <= DROPPED_BYTES
    shown, _, more = value.decode().rpartition(", ")
    assert more == f"and {1_000 - len(shown.split(', '))} more"
    ((_, value),) = dropped_headers(("x" * 5_000, "a,b", "\u4f60\t"))
    assert value.decode() == f"{'x' * NAME_CHARS}..., a?b, ??"
    assert dropped_headers(()) == ()


def test_a_settlement_that_waits_for_the_database_has_no_cost_to_tell():
    assert cost_headers(None) == ()
    assert cost_headers(Settled(12, 0, None)) == ((b"x-laidian-cost-usd", b"0.000000012"),)
    assert cost_headers(Settled(0, 0, 1))[1] == (b"x-laidian-quota-left-usd", b"0.000000001")
