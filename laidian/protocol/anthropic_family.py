"""Anthropic's family: `x-api-key` or Bearer, `{"type":"error",…}`, pings to keep a stream alive."""

from __future__ import annotations

import msgspec

from laidian.errors import LaidianError, UpstreamRefused
from laidian.protocol.family import ErrorSaid, FamilyName, HeaderOf, bearer

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
"""Status to `error.type`; every other 4xx is an invalid_request_error, every other 5xx an api_error (protocol.md 3)."""

_KNOWN_TYPES = frozenset((*_TYPES.values(), "api_error"))

_NO_CREDIT = "credit balance is too low"
"""Anthropic says 400 invalid_request_error, not 402, when the account is empty (anthropics/claude-code issue 66314, 2026-06)."""

KEEP_ALIVE = b'event: ping\ndata: {"type": "ping"}\n\n'


class _Details(msgspec.Struct, omit_defaults=True):
    error_code: str | None = None


class _Detail(msgspec.Struct, omit_defaults=True):
    type: str | None = None
    message: str | None = None
    details: _Details | None = None
    code: str | int | None = None
    """Not Anthropic's: gateways that speak its dialect add it."""
    param: str | None = None


class _Body(msgspec.Struct):
    error: _Detail | str | None = None
    message: str | None = None
    request_id: str | None = None
    type: str = "error"


_decode = msgspec.json.Decoder(_Body, strict=False).decode


class _Written(msgspec.Struct):
    error: _Detail
    request_id: str | None
    type: str = "error"


class AnthropicFamily:
    """The `Family` of requests that carry an `anthropic-version` header."""

    name: FamilyName = "anthropic"
    keep_alive = KEEP_ALIVE

    def credential(self, header: HeaderOf, query: bytes) -> bytes | None:
        """`x-api-key` first, as Anthropic itself has it when both are sent (protocol.md 3)."""
        return header(b"x-api-key") or bearer(header)

    def error_body(self, error: LaidianError, request_id: str | None = None) -> bytes:
        """`details.error_code` is where Anthropic puts machine-readable codes, and where ours go."""
        detail = _Detail(_type(error), error.message, _Details(error.code))
        return msgspec.json.encode(_Written(detail, request_id))

    def error_event(self, error: LaidianError, request_id: str | None = None) -> bytes:
        """The SDK raises on `event: error` and ignores events without a name (protocol.md 3)."""
        return b"event: error\ndata: " + self.error_body(error, request_id) + b"\n\n"

    def read_error(self, body: bytes) -> ErrorSaid:
        """Also an OpenAI-like object or a bare message, as gateways in front of Anthropic models answer."""
        try:
            said = _decode(body)
        except (msgspec.DecodeError, RecursionError):
            return ErrorSaid()
        if said.error is None or isinstance(said.error, str):
            return ErrorSaid(said.error or said.message or "")
        return ErrorSaid(said.error.message or "", said.error.type or "", _code(said.error), said.error.param)


def error_said(raw: bytes) -> str:
    """The message of an error that stands in a stream or in a 200 answer; empty when it has none."""
    return AnthropicFamily().read_error(raw).message


def _type(error: LaidianError) -> str:
    if isinstance(error, UpstreamRefused) and error.type in _KNOWN_TYPES:
        return error.type
    return _TYPES.get(error.status, "api_error" if error.status >= 500 else "invalid_request_error")


def _code(detail: _Detail) -> str:
    message = detail.message or ""
    if _NO_CREDIT in message.lower():
        return "credit_balance_exhausted"
    if detail.type == "not_found_error" and message.startswith("model:"):
        return "model_not_found"
    if detail.details is not None and detail.details.error_code:
        return detail.details.error_code
    return "" if detail.code is None else str(detail.code)
