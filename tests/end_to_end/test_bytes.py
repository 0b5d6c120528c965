"""The upstream receives the client's body with only `model` and `stream_options` changed."""

from __future__ import annotations

import http.client
import json

import pytest

from tests.served import Served
from tests.simulated_provider import SimulatedProvider

BODIES = {
    "unknown and odd": (
        b'{ "model" : "gpt-5.4",\r\n\t"messages":[ {"role":"user","content":"caf\\u00e9 \\/ \\"model\\":\\"x\\" \\ud83d\\ude00"} ],'
        b'"temperature":1.0e0,"top_p":0.50 , "seed":00}'.replace(b"00}", b"7}")
    ),
    "keys inside strings": (
        b'{"messages":[{"role":"user","content":"{\\"model\\":\\"gpt-5.5\\",\\"stream_options\\":null}"}],"model":"gpt-5.4"}'
    ),
    "raw unicode": '{"model":"gpt-5.4","messages":[{"role":"user","content":"水\u2028山 🙂"}],"user":"é"}'.encode(),
    "metadata order": b'{"metadata":{"b":"2","a":"1"},"model":"gpt-5.4","messages":[{"role":"user","content":"x"}],"store":false}',
}


def post(laidian: Served, body: bytes, **headers: str) -> tuple[int, bytes, http.client.HTTPMessage]:
    connection = http.client.HTTPConnection("127.0.0.1", laidian.port, timeout=60)
    try:
        connection.request(
            "POST",
            "/v1/chat/completions",
            body,
            {"Authorization": f"Bearer {laidian.key}", "Content-Type": "application/json", **headers},
        )
        response = connection.getresponse()
        return response.status, response.read(), response.headers
    finally:
        connection.close()


@pytest.mark.parametrize("name", BODIES)
def test_a_plain_body_arrives_to_the_byte(laidian: Served, provider: SimulatedProvider, name: str):
    status, answer, _ = post(laidian, BODIES[name])
    assert status == 200, answer
    assert provider.requests(count=1)[-1].body == BODIES[name]


@pytest.mark.parametrize("name", BODIES)
def test_a_stream_differs_only_by_the_usage_switch(laidian: Served, provider: SimulatedProvider, name: str):
    body = BODIES[name][:-1] + b' , "stream":true}'
    status, answer, _ = post(laidian, body)
    assert status == 200, answer
    assert provider.requests(count=1)[-1].body == body[:-1] + b',"stream_options":{"include_usage":true}}'


def test_an_alias_changes_only_the_models_name(laidian: Served, provider: SimulatedProvider):
    laidian.write("""UPDATE groups SET aliases = '{"fast":"gpt-5.4"}'""")
    body = b'{"messages":[{"role":"user","content":"fast"}], "model" :  "fast" ,"n":1}'
    status, answer, _ = post(laidian, body)
    assert status == 200, answer
    assert provider.requests(count=1)[-1].body == body.replace(b'"model" :  "fast"', b'"model" :  "gpt-5.4"')


def test_five_megabytes_of_pictures_arrive_to_the_byte(laidian: Served, provider: SimulatedProvider):
    picture = "data:image/png;base64," + "iVBORw0KGgo" * 240_000
    parts = [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": picture}},
        {"type": "image_url", "image_url": {"url": picture}},
    ]
    body = json.dumps(
        {"model": "gpt-5.4", "max_tokens": 5, "messages": [{"role": "user", "content": parts}]}
    ).encode()
    assert len(body) > 5_000_000
    status, answer, _ = post(laidian, body)
    assert status == 200, answer[:300]
    assert provider.requests(count=1)[-1].body == body
    held = laidian.records()[-1].held_nano
    assert held < 50_000_000, "pictures are held as pictures, not as millions of tokens of text"


def test_no_header_crosses_but_those_that_must(laidian: Served, provider: SimulatedProvider):
    status, _, headers = post(
        laidian,
        BODIES["raw unicode"],
        Cookie="session=secret",
        Referer="http://inside.example/",
        **{
            "X-Forwarded-For": "10.0.0.1",
            "OpenAI-Organization": "org-client",
            "OpenAI-Beta": "assistants=v2",
            "X-Custom": "1",
            "Accept-Encoding": "gzip, br",
            "User-Agent": "curious/1",
        },
    )
    assert status == 200
    seen = provider.requests(count=1)[-1].headers
    assert set(seen) == {
        "host", "content-length", "content-type", "accept", "accept-encoding", "user-agent", "authorization",
        "openai-beta", "x-client-request-id",
    }  # fmt: skip
    assert seen["accept-encoding"] == "identity"
    assert seen["user-agent"].startswith("laidian/")
    assert seen["authorization"].startswith("Bearer sim-")
    assert seen["x-client-request-id"] == headers["x-request-id"]
    assert not {"set-cookie", "x-simulated", "openai-organization"} & {name.lower() for name in headers}


def test_neither_credential_nor_prompt_nor_answer_is_written_anywhere(
    laidian: Served, provider: SimulatedProvider
):
    body = b'{"model":"gpt-5.4","messages":[{"role":"user","content":"my-private-prompt [[say:my-private-answer]]"}]}'
    status, answer, _ = post(laidian, body)
    assert status == 200
    assert b"my-private-answer" in answer
    laidian.wait_settled()
    files = [
        path
        for path in laidian.folder.root.rglob("*")
        if path.is_file() and path.name not in ("master.key", "admin.token")
    ]
    assert any(path.name == "laidian.db-wal" for path in files)
    for haystack in [*(path.read_bytes() for path in files), laidian.log().encode()]:
        for needle in (b"my-private-prompt", b"my-private-answer", laidian.key.encode(), b"sim-0001"):
            assert needle not in haystack
