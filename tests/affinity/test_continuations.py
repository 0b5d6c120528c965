"""Gemini's answers that are gone on with: each part is a request of its own, at the upstream that began (protocol.md 2.4 and case 82)."""

from __future__ import annotations

import pytest
from google import genai
from google.genai import types

from tests.affinity.conftest import GEMINI, Reply, World

LONG = "[[continue]] [[tokens:6]]"
PATH = f"/v1beta/models/{GEMINI}:"


def asked(token: str | None = None) -> dict[str, object]:
    body: dict[str, object] = {"contents": [{"role": "user", "parts": [{"text": LONG}]}]}
    return body if token is None else {**body, "continuationToken": token}


def generate(world: World, token: str | None = None, *, stream: bool = False, key: int = 1) -> Reply:
    verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
    return world.call("POST", PATH + verb, asked(token), key=key, gemini=True)


def token_of(reply: Reply) -> str:
    assert reply.status == 200, reply.body
    _, _, rest = reply.body.partition(b'"continuationToken":"')
    token = rest.partition(b'"')[0].decode()
    assert token
    return token


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_case_82_what_goes_on_goes_to_the_upstream_that_began_and_is_a_record_of_its_own(
    world: World, stream: bool
):
    before = len(world.laidian.records())
    token = token_of(generate(world, stream=stream))
    world.prefer("b")
    for spelled in (token, token.replace("+", "-").replace("/", "_")):
        reply = generate(world, spelled, stream=stream)
        assert b"STOP" in reply.body, reply.body
    a, b = world.paths()
    assert (len(a), b) == (3, [])
    world.laidian.wait_settled()
    records = world.laidian.records()[before:]
    billed = world.a.bill(rows=3).rows
    assert [(one.input, one.output) for one in records] == [
        (row.usage.input_tokens, row.usage.output_tokens) for row in billed
    ]
    assert records[1].held_nano > records[0].held_nano, "the hold covers what is gone on with"


def test_a_token_of_nobody_or_of_another_key_is_a_404_that_does_not_repeat_it(world: World):
    token = token_of(generate(world))
    world.forget()
    for key, name in ((2, token), (1, "bm9ib2R5")):
        reply = generate(world, name, key=key)
        assert reply.status == 404
        assert name not in reply.message()
    assert world.paths() == ([], [])


def test_what_cannot_go_on_where_it_began_is_a_503(world: World):
    token = token_of(generate(world))
    world.laidian.write("UPDATE upstreams SET enabled = 0 WHERE name = 'ga'")
    reply = generate(world, token)
    assert (reply.status, "ga: disabled by the operator" in reply.message()) == (503, True)
    assert world.b.requests() == []


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_the_sdk_goes_on_by_itself(world: World, stream: bool):
    client = genai.Client(
        api_key=world.laidian.keys[0], http_options=types.HttpOptions(base_url=world.laidian.base_url)
    )
    if stream:
        chunks = list(client.models.generate_content_stream(model=GEMINI, contents=LONG))
        text = "".join(chunk.text or "" for chunk in chunks)
    else:
        text = client.models.generate_content(model=GEMINI, contents=LONG).text or ""
    assert text.count("[simulated]") == 2, "both parts"
    assert len(world.a.requests()) == 2
