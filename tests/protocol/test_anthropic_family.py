"""Anthropic's family: keys, errors, keep-alive."""

import json

import pytest

from laidian.errors import (
    BadRequest,
    LaidianError,
    NoUpstream,
    QuotaExhausted,
    Unauthenticated,
    UpstreamRefused,
)
from laidian.protocol.anthropic_family import AnthropicFamily
from laidian.protocol.events import EventCutter, data_of
from laidian.protocol.family import ErrorSaid

FAMILY = AnthropicFamily()


def credential(**headers: bytes) -> bytes | None:
    named = {name.replace("_", "-").encode(): value for name, value in headers.items()}
    return FAMILY.credential(named.get, b"key=sk-in-query")


def test_the_key_stands_in_x_api_key_or_in_bearer():
    assert credential(x_api_key=b"sk-a") == b"sk-a"
    assert credential(authorization=b"bearer sk-b") == b"sk-b"
    assert credential(x_api_key=b"sk-a", authorization=b"Bearer sk-b") == b"sk-a"
    assert credential(x_api_key=b"", authorization=b"Bearer sk-b") == b"sk-b"
    assert credential(authorization=b"Basic sk-b") is None
    assert credential() is None  # a key in the query is not this family's


class Odd(LaidianError):
    def __init__(self, status: int) -> None:
        super().__init__("odd")
        self.status = status


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"), (401, "authentication_error"), (402, "billing_error"), (403, "permission_error"),
        (404, "not_found_error"), (405, "invalid_request_error"), (408, "invalid_request_error"), (409, "conflict_error"),
        (413, "request_too_large"), (415, "invalid_request_error"), (422, "invalid_request_error"), (429, "rate_limit_error"),
        (500, "api_error"), (502, "api_error"), (503, "api_error"), (504, "timeout_error"), (529, "overloaded_error"),
    ],
)  # fmt: skip
def test_the_type_goes_by_the_status(status: int, kind: str):
    body = json.loads(FAMILY.error_body(Odd(status), "req_1"))
    assert body == {
        "type": "error",
        "error": {"type": kind, "message": "odd", "details": {"error_code": "internal_error"}},
        "request_id": "req_1",
    }


def test_our_code_stands_where_anthropics_codes_stand():
    body = json.loads(FAMILY.error_body(QuotaExhausted("Nothing is left.")))
    assert body["error"]["type"] == "rate_limit_error"
    assert body["error"]["details"] == {"error_code": "insufficient_quota"}
    assert body["request_id"] is None


def test_an_upstreams_own_type_is_kept_only_if_it_is_anthropics():
    kept = UpstreamRefused(400, "no", code="x", param=None, type_="billing_error")
    assert json.loads(FAMILY.error_body(kept))["error"]["type"] == "billing_error"
    foreign = UpstreamRefused(400, "no", code="x", param=None, type_="server_error")
    assert json.loads(FAMILY.error_body(foreign))["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("error", [BadRequest("a\nb"), Unauthenticated("水"), NoUpstream("none")])
def test_an_error_in_a_stream_is_one_named_event(error: LaidianError):
    event = FAMILY.error_event(error, "req_1")
    assert EventCutter().feed(event) == [event]
    assert event.startswith(b"event: error\ndata: {")
    assert data_of(event) == FAMILY.error_body(error, "req_1")


def test_a_silent_stream_is_kept_alive_with_pings():
    assert EventCutter().feed(FAMILY.keep_alive) == [FAMILY.keep_alive]
    assert json.loads(data_of(FAMILY.keep_alive) or b"") == {"type": "ping"}
    assert FAMILY.keep_alive.startswith(b"event: ping\n")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            b'{"type":"error","error":{"type":"invalid_request_error","message":"max_tokens: Field required"},"request_id":"r"}',
            ErrorSaid("max_tokens: Field required", "invalid_request_error"),
        ),
        (
            b'{"type":"error","error":{"type":"not_found_error","message":"model: claude-x"}}',
            ErrorSaid("model: claude-x", "not_found_error", "model_not_found"),
        ),
        (
            b'{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API."}}',
            ErrorSaid(
                "Your credit balance is too low to access the Anthropic API.",
                "invalid_request_error",
                "credit_balance_exhausted",
            ),
        ),
        (
            b'{"type":"error","error":{"type":"invalid_request_error","message":"gone","details":{"error_code":"file_expired"}}}',
            ErrorSaid("gone", "invalid_request_error", "file_expired"),
        ),
        (b'{"error":{"message":"no","code":429,"param":"model"}}', ErrorSaid("no", "", "429", "model")),
        (b'{"error":"no"}', ErrorSaid("no")),
        (b'{"message":"no"}', ErrorSaid("no")),
        (b"{}", ErrorSaid()),
        (b"<html>502</html>", ErrorSaid()),
        (b"[]", ErrorSaid()),
        (b"", ErrorSaid()),
        (b'{"error":' + b"[" * 100_000, ErrorSaid()),
    ],
)  # fmt: skip
def test_an_upstreams_error_is_read_in_whatever_shape_it_comes(body: bytes, said: ErrorSaid):
    assert FAMILY.read_error(body) == said
