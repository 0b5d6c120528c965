"""Bad input of any kind: a clear 4xx in OpenAI's shape, nothing forwarded, nothing recorded, the server unharmed."""

from __future__ import annotations

import json
import socket

import pytest

from tests.end_to_end.test_bytes import post
from tests.served import Served, served
from tests.simulated_provider import SimulatedProvider

OK = b'{"model":"gpt-5.4","messages":[{"role":"user","content":"x"}]}'

BODIES: dict[str, tuple[bytes, int]] = {
    "empty": (b"", 400),
    "no JSON": (b"hello", 400),
    "an array": (b"[]", 400),
    "cut off": (OK[:-5], 400),
    "NaN": (OK[:-1] + b',"temperature":NaN}', 400),
    "UTF-16": (OK.decode().encode("utf-16"), 400),
    "broken UTF-8": (OK[:-1] + b',"user":"\xff"}', 400),
    "a lone surrogate": (OK[:-1] + b',"user":"\\ud800"}', 400),
    "deep": (OK[:-1] + b',"x":' + b"[" * 200_000 + b"]" * 200_000 + b"}", 400),
    "a field twice": (OK[:-1] + b',"model":"gpt-5.5"}', 400),
    "no model": (b'{"messages":[]}', 400),
    "a model that is a number": (b'{"model":3}', 400),
    "a model with a line break": (b'{"model":"a\\r\\nX-Evil: 1"}', 400),
    "an unknown model": (b'{"model":"nope"}', 404),
    "n of zero": (OK[:-1] + b',"n":0}', 400),
    "a negative limit": (OK[:-1] + b',"max_tokens":-5}', 400),
    "an absurd integer": (OK[:-1] + b',"max_tokens":' + b"9" * 5000 + b"}", 400),
    "a service tier without a price": (OK[:-1] + b',"service_tier":"ultrafast"}', 404),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_bad_body_is_a_clear_4xx(laidian: Served, provider: SimulatedProvider, name: str):
    body, expected = BODIES[name]
    before = len(laidian.records())
    status, answer, headers = post(laidian, body)
    assert status == expected, answer
    error = json.loads(answer)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert isinstance(error["code"], str)
    assert "Traceback" not in error["message"]
    assert headers["x-request-id"].startswith("req_")
    assert provider.requests() == []
    assert len(laidian.records()) == before
    assert laidian.holds() == []


def test_a_compressed_body_is_refused(laidian: Served):
    status, answer, _ = post(laidian, OK, **{"Content-Encoding": "gzip"})
    assert status == 415
    assert "uncompressed" in json.loads(answer)["error"]["message"]


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer sk-x",
        "Basic abc",
        "Bearer \xe9\xff",
        "Bearer " + "x" * 20_000,
        "bearer ' OR 1=1 --",
    ],
)
def test_every_credential_that_is_none_of_ours_is_a_401(laidian: Served, authorization: str):
    status, answer, _ = post(laidian, OK, Authorization=authorization)
    assert status == 401
    error = json.loads(answer)["error"]
    assert error["code"] == "invalid_api_key"
    assert (
        authorization[7:] == ""
        or authorization[7:].strip() not in error["message"]
        or authorization == "Bearer "
    )


def test_unknown_paths_and_methods_answer_in_shape(laidian: Served):
    def call(method: str, path: str) -> tuple[int, dict[str, str]]:
        with socket.create_connection(("127.0.0.1", laidian.port)) as link:
            link.sendall(f"{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
            answer = b"".join(iter(lambda: link.recv(65536), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), json.loads(body)["error"]

    assert call("POST", "/v1/nonsense")[0] == 404
    assert call("PUT", "/v1/chat/completions")[0] == 405
    assert call("DELETE", "/v1/models/gpt-5.4")[0] == 404
    assert call("GET", "/nowhere")[0] == 404
    status, error = call("POST", "/v1/assistants")
    assert (status, error["code"]) == (404, "endpoint_not_supported")
    assert "LaiDian" in error["message"]


@pytest.mark.parametrize(
    "framing",
    [
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n5;" + b"x" * 20_000 + b"\r\nhello\r\n0\r\n\r\n",
    ],
)
def test_a_broken_chunked_body_is_a_400_and_not_a_500(laidian: Served, framing: bytes):
    with socket.create_connection(("127.0.0.1", laidian.port), timeout=10) as link:
        link.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer "
            + laidian.key.encode()
            + b"\r\n"
            + framing
        )
        status = link.recv(65536).split(b" ")[1]
    assert status == b"400"


def test_a_stated_length_over_the_limit_is_refused_before_the_body_is_sent(provider: SimulatedProvider):
    from tests.served import Setup

    setup = Setup(config="[limits]\nbody_max_bytes = 1000\nbody_timeout_s = 0.3\n")
    with served(provider, setup=setup) as small:
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {small.key}\r\nContent-Length: "
        with socket.create_connection(("127.0.0.1", small.port), timeout=10) as link:
            link.sendall(f"{head}5000\r\n\r\n".encode())
            assert b" 413 " in link.recv(65536)
        with socket.create_connection(("127.0.0.1", small.port), timeout=10) as link:
            link.sendall(f"{head}500\r\n\r\n{{".encode())
            answer = link.recv(65536)
        assert b" 408 " in answer, "a body that stalls is not waited for"
        status, answer, _ = post(small, OK[:-1] + b',"user":"' + b"x" * 2000 + b'"}')
        assert status == 413
        assert "limits.body_max_bytes" in json.loads(answer)["error"]["message"]
        assert small.records() == []
