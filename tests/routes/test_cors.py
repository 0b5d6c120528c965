"""Pages of other origins: preflights before keys, what they ask for reflected, one origin on every answer, nothing for the others."""

from __future__ import annotations

import http.client
import json

import pytest

from tests.routes.conftest import Caller
from tests.simulated_provider import SimulatedProvider

PAGE = "https://chat.example"
ASKED = "authorization, content-type, x-stainless-arch, x-stainless-retry-count, anthropic-dangerous-direct-browser-access"
CHAT = {"model": "gpt-5.4", "messages": [{"role": "user", "content": "x"}]}


def only(
    call: Caller, method: str, path: str, body: bytes | None = None, /, **headers: str
) -> dict[str, list[str]]:
    """All values of every CORS header of an answer: a header that stands twice is two values."""
    connection = http.client.HTTPConnection("127.0.0.1", call.laidian.port, timeout=30)
    try:
        connection.request(
            method, path, body, {name.replace("_", "-"): value for name, value in headers.items()}
        )
        response = connection.getresponse()
        response.read()
        found: dict[str, list[str]] = {}
        for name, value in response.getheaders():
            found.setdefault(name.lower(), []).append(value)
        return found
    finally:
        connection.close()


@pytest.mark.parametrize(
    "path",
    ["/v1/chat/completions", "/chat/completions", "/v1/models", "/v1beta/models/g:generateContent", "/v1/messages",
     "/v1/nonsense", "/v1/assistants", "/upload/v1beta/files", "/v1/usage"],
)  # fmt: skip
def test_a_preflight_is_answered_before_any_key(call: Caller, provider: SimulatedProvider, path: str):
    provider.reset()
    reply = call(
        "OPTIONS",
        path,
        origin=PAGE,
        access_control_request_method="POST",
        access_control_request_headers=ASKED,
    )
    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers["access-control-allow-origin"] == PAGE
    assert reply.headers["access-control-allow-headers"] == ASKED
    assert {"GET", "POST", "DELETE"} <= set(reply.headers["access-control-allow-methods"].split(", "))
    assert int(reply.headers["access-control-max-age"]) >= 7200
    assert "Origin" in reply.headers["vary"]
    assert "access-control-allow-credentials" not in reply.headers
    assert provider.requests() == []


def test_a_preflight_that_asks_for_nothing_or_for_nonsense_gets_the_usual_headers(call: Caller):
    for asked in (
        {},
        {"access_control_request_headers": "a: b"},
        {"access_control_request_headers": "x" * 5000},
    ):
        reply = call("OPTIONS", "/v1/models", origin=PAGE, **asked)
        assert reply.status == 204
        assert reply.headers["access-control-allow-headers"].startswith("authorization, content-type")


def test_options_without_an_origin_is_for_everyone(call: Caller):
    assert call("OPTIONS", "/v1/models").headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/models", 200),
        ("POST", "/v1/chat/completions", 200),
        ("GET", "/v1/models/nope", 404),
        ("GET", "/v1/nonsense", 404),
        ("POST", "/v1/assistants", 404),
        ("PUT", "/v1/models", 405),
    ],
)
def test_every_answer_may_be_read_by_its_page(call: Caller, method: str, path: str, status: int):
    body = json.dumps(CHAT).encode() if method == "POST" else None
    reply = call.bearer(method, path, body, origin=PAGE)
    assert reply.status == status, reply.body
    found = only(call, method, path, body, origin=PAGE, authorization=f"Bearer {call.key}")
    assert found["access-control-allow-origin"] == [PAGE]
    exposed = found["access-control-expose-headers"][0].split(", ")
    assert "x-request-id" in exposed
    assert found["vary"] == ["Origin"]


def test_a_wrong_key_is_told_to_the_page_too(call: Caller):
    for path in ("/v1/chat/completions", "/v1/models"):
        method = "POST" if "chat" in path else "GET"
        found = only(call, method, path, b"{}", origin="null", authorization="Bearer sk-wrong")
        assert found["access-control-allow-origin"] == ["null"]


def test_a_limit_is_told_to_the_page_with_its_retry_headers(call: Caller):
    call.laidian.write("UPDATE groups SET requests_per_minute = 0")
    try:
        found = only(
            call,
            "POST",
            "/v1/chat/completions",
            json.dumps(CHAT).encode(),
            origin=PAGE,
            authorization=f"Bearer {call.key}",
        )
    finally:
        call.laidian.write("UPDATE groups SET requests_per_minute = NULL")
    assert found["access-control-allow-origin"] == [PAGE]
    exposed = found["access-control-expose-headers"][0].split(", ")
    assert {"retry-after", "retry-after-ms", "x-should-retry"} <= set(exposed)


def test_a_stream_may_be_read_by_its_page(call: Caller):
    body = json.dumps({**CHAT, "stream": True}).encode()
    reply = call.bearer("POST", "/v1/chat/completions", body, origin=PAGE)
    assert reply.status == 200
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert reply.headers["access-control-allow-origin"] == PAGE
    assert reply.body.rstrip().endswith(b"data: [DONE]")


def test_who_is_no_page_pays_nothing(call: Caller):
    for method, path in (("GET", "/v1/models"), ("POST", "/v1/chat/completions"), ("GET", "/v1/nonsense")):
        body = json.dumps(CHAT).encode() if method == "POST" else None
        found = only(call, method, path, body, authorization=f"Bearer {call.key}")
        assert not [name for name in found if name.startswith("access-control") or name == "vary"]


def test_the_admin_api_is_for_no_page(call: Caller):
    for method in ("OPTIONS", "GET"):
        found = only(call, method, "/admin/v1/keys", origin=PAGE, access_control_request_method="GET")
        assert not [name for name in found if name.startswith("access-control")]
