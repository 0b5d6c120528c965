"""Every row of the table against a running instance: what it says of itself is what happens."""

from __future__ import annotations

import json

import pytest

from laidian.domain.group import CAPABILITIES
from laidian.protocol.dialect import OPERATIONS
from laidian.protocol.family import FamilyName
from laidian.routes.surface import SURFACE
from laidian.routes.table import ANY, WEBSOCKET, Row
from tests.routes.conftest import Caller, Reply
from tests.served import wait_until
from tests.simulated_provider import SimulatedProvider

MARK: dict[FamilyName, dict[str, str]] = {
    "openai": {},
    "gemini": {"x_goog_api_client": "test"},
    "anthropic": {"anthropic_version": "2023-06-01"},
}
HANDSHAKE = {
    "upgrade": "websocket",
    "connection": "Upgrade",
    "sec_websocket_version": "13",
    "sec_websocket_key": "dGhlIHNhbXBsZSBub25jZQ==",
}
JSON_TYPE, FORM_TYPE = "application/json", "multipart/form-data; boundary=b"
BODY = json.dumps(
    {
        "model": "gpt-5.4",
        "messages": [],
        "contents": [],
        "max_tokens": 1,
        "input": "x",
        "prompt": "x",
        "voice": "x",
    }
).encode()
"""Enough for any operation that takes JSON."""
FORM = (
    b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\ngpt-5.4\r\n'
    b'--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nx\r\n'
    b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\nContent-Type: image/png\r\n\r\nx\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\nx\r\n--b--\r\n'
)
"""Enough for any operation that takes a form."""

RELAYED = {operation.name for operation in OPERATIONS}

KEYLESS = {"greeting", "telemetry"}
"""What needs no key."""

REFUSED = [row for row in SURFACE if not row.served]
ANSWERED = [
    row for row in SURFACE if row.served and row.operation not in RELAYED and row.operation not in KEYLESS
]
FORWARDED = [row for row in SURFACE if row.served and row.operation in RELAYED]


def name_of(row: Row) -> str:
    return f"{row.family} {row.method} {row.path}"


def ask(call: Caller, row: Row, *, key: bool, body: bytes | None = None, kind: str = JSON_TYPE) -> Reply:
    method = "GET" if row.method in (ANY, WEBSOCKET) else row.method
    path = row.path.replace("{model}", "gpt-5.4").replace("{rest}", "x").replace("{", "a").replace("}", "b")
    headers = MARK[row.family] | (HANDSHAKE if row.method == WEBSOCKET else {})
    if key:
        headers = headers | {"authorization": f"Bearer {call.key}"}
    if body is not None:
        headers = headers | {"content_type": kind}
    return call(method, path, body, **headers)


def in_shape(family: FamilyName, reply: Reply) -> str:
    """The message of an error that must be in the family's shape."""
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["x-request-id"].startswith("req_")
    error = reply.error()
    if family == "openai":
        assert set(error) == {"message", "type", "param", "code"}
    elif family == "gemini":
        assert error["code"] == reply.status
        assert isinstance(error["status"], str)
    else:
        assert reply.json()["type"] == "error"
        assert isinstance(error["type"], str)
    assert isinstance(error["message"], str)
    assert "Traceback" not in error["message"]
    return error["message"]


@pytest.mark.parametrize("row", REFUSED, ids=name_of)
def test_a_refused_route_says_why_in_its_clients_shape(call: Caller, provider: SimulatedProvider, row: Row):
    provider.reset()
    for key in (False, True):
        reply = ask(call, row, key=key)
        assert reply.status == (426 if row.method == WEBSOCKET else 404)
        message = in_shape(row.family, reply)
        assert "LaiDian" in message
        assert ("POST" if row.method == WEBSOCKET else row.reason) in message
        assert row.code in reply.body.decode().lower()
    assert provider.requests() == []


@pytest.mark.parametrize("row", ANSWERED, ids=name_of)
def test_what_is_answered_here_wants_a_key_and_bothers_no_upstream_with_strangers(
    call: Caller, provider: SimulatedProvider, row: Row
):
    provider.reset()
    reply = ask(call, row, key=False)
    assert reply.status == 401
    in_shape(row.family, reply)
    reply = ask(call, row, key=True)
    assert reply.status in (200, 400, 404), reply.body
    assert b"endpoint_not_supported" not in reply.body.lower()
    assert b"unknown_url" not in reply.body.lower()
    assert provider.requests() == []


@pytest.mark.parametrize("row", FORWARDED, ids=name_of)
def test_a_relayed_route_wants_a_key_and_reads_its_body_before_any_upstream_is_asked(
    call: Caller, provider: SimulatedProvider, row: Row
):
    provider.reset()
    reply = ask(call, row, key=False, body=b"{}")
    assert reply.status == 401
    in_shape(row.family, reply)
    reply = ask(call, row, key=True, body=b"[]")
    assert reply.status == 400, reply.body
    in_shape(row.family, reply)
    assert provider.requests() == []


@pytest.mark.parametrize("row", FORWARDED, ids=name_of)
def test_a_relayed_route_needs_its_capability(call: Caller, provider: SimulatedProvider, row: Row):
    provider.reset()
    others = [one for one in CAPABILITIES if one != row.capability]
    is_form = any(one.name == row.operation and one.form for one in OPERATIONS)
    call.laidian.write("UPDATE groups SET capabilities = ?", json.dumps(others))
    try:
        reply = ask(
            call, row, key=True, body=FORM if is_form else BODY, kind=FORM_TYPE if is_form else JSON_TYPE
        )
    finally:
        call.laidian.write("UPDATE groups SET capabilities = ?", json.dumps(CAPABILITIES))
    assert reply.status == 404, reply.body
    assert f"`{row.capability}`" in in_shape(row.family, reply)
    assert provider.requests() == []


def test_every_row_is_in_one_of_these_tests():
    keyless = [row for row in SURFACE if row.operation in KEYLESS]
    assert len(REFUSED) + len(ANSWERED) + len(FORWARDED) + len(keyless) == len(SURFACE)


def test_what_claude_code_tells_of_itself_is_swallowed_and_goes_nowhere(
    call: Caller, provider: SimulatedProvider
):
    provider.reset()
    events = b'{"events":[{"event_type":"x"}]}'
    for headers in ({}, {"authorization": f"Bearer {call.key}"}, {"anthropic_version": "2023-06-01"}):
        reply = call("POST", "/api/event_logging/batch", events, content_type=JSON_TYPE, **headers)
        assert (reply.status, reply.json()) == (200, {})
    assert provider.requests() == []


def test_a_key_can_ask_whether_it_is_one(call: Caller):
    assert call.bearer("GET", "/v1/me").json() == {"name": "key-1", "object": "key"}
    assert call("GET", "/v1/me").status == 401


def test_the_base_url_itself_says_whose_it_is(call: Caller):
    for path in ("/v1", "/v1/", "/v1beta"):
        reply = call("GET", path)
        assert (reply.status, reply.json()["name"]) == (200, "LaiDian")


@pytest.mark.parametrize(
    ("method", "path", "near"),
    [
        ("POST", "/v1/chat/completion", "POST /v1/chat/completions"),
        ("POST", "/v1/chat", "POST /v1/chat/completions"),
        ("GET", "/v1/model", "GET /v1/models"),
        ("POST", "/v1/nonsense", "/v1/"),
        ("BREW", "/v1/" + "x" * 5_000, "/v1/"),
    ],
)
def test_a_path_that_nobody_has_names_the_nearest_route(call: Caller, method: str, path: str, near: str):
    reply = call(method, path)
    assert reply.status == 404
    message = in_shape("openai", reply)
    assert reply.error()["code"] == "unknown_url"
    assert "LaiDian" in message
    assert near in message
    assert len(message) < 600


@pytest.mark.parametrize(
    ("path", "family"),
    [
        ("/v1beta/nonsense", "gemini"),
        ("/v1alpha/nonsense", "gemini"),
        ("/upload/v1beta/nonsense", "gemini"),
        ("/v1beta/models/g:compose", "gemini"),
        ("/v1beta/openai/nonsense", "openai"),
        ("/v1/%2e%2e/admin/v1/keys", "openai"),
        ("/v1/models/..%2f..%2fadmin", "openai"),
    ],
)
def test_a_path_that_nobody_has_is_refused_in_its_familys_shape(call: Caller, path: str, family: FamilyName):
    reply = call("POST", path)
    assert reply.status == 404
    in_shape(family, reply)


def test_a_mark_decides_the_shape_of_a_path_that_nobody_has(call: Caller):
    for family, mark in MARK.items():
        reply = call("POST", "/v1/nonsense", **mark)
        assert reply.status == 404
        assert "LaiDian" in in_shape(family, reply)


def test_a_wrong_method_names_the_right_ones_in_its_header_too(call: Caller):
    reply = call("PUT", "/v1/chat/completions")
    assert reply.status == 405
    assert reply.error()["code"] == "method_not_allowed"
    assert reply.headers["allow"] == "POST, OPTIONS"
    reply = call("POST", "/v1/models")
    assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


def test_a_websocket_gets_426_wherever_it_knocks_and_before_its_key_is_looked_at(call: Caller):
    for path in ("/v1/responses", "/v1/chat/completions", "/responses", "/v1/nonsense", "/v1beta/live"):
        reply = call("GET", path, **HANDSHAKE)
        assert reply.status == 426, path
        assert "websocket_not_supported" in reply.body.decode().lower()
    reply = call.bearer("POST", "/v1/chat/completions", b"{}", **HANDSHAKE)
    assert reply.status == 400, "only a GET is a handshake"


def test_head_answers_as_get_without_its_body(call: Caller):
    get, head = call.bearer("GET", "/v1/models"), call.bearer("HEAD", "/v1/models")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(get.body)) == get.headers["content-length"]
    assert call("HEAD", "/v1/models").status == 401


def test_every_line_of_the_log_names_an_operation_and_never_a_path(call: Caller):
    answer = call.bearer("GET", "/v1/secret-in-a-path?key=sk-secret-in-a-query")
    known = {row.operation for row in SURFACE} | {"refused", "unknown"}
    own = answer.headers["x-request-id"]
    wait_until(lambda: own in call.laidian.log(), "the line of this request is written")
    assert {line["operation"] for line in call.laidian.lines()} <= known
    assert "secret-in-a" not in call.laidian.log()
