"""Gemini's family: three places for the key, `{"error":{"code","message","status","details"}}`, blank lines to keep a stream alive.

The rule a newcomer would break: nothing but `data:` lines and blank lines may stand in a stream. Google's SDKs raise on comments, on
`event:` and on `[DONE]` (protocol.md 0.3, seen with google-genai 3.4.0 and @google/genai 1.30).
"""

from __future__ import annotations

from urllib.parse import parse_qsl

import msgspec

from laidian.errors import LaidianError, QuotaExhausted
from laidian.protocol.family import ErrorSaid, FamilyName, HeaderOf, bearer

_RPC = "type.googleapis.com/google.rpc."
DAILY_QUOTA = "LaiDianQuotaPerDay"
"""gemini-cli takes a quotaId with `PerDay` for final and stops after one request (protocol.md 2.5, seen with 0.61.0)."""

_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""google.rpc.Code by HTTP status (protocol.md 2.5)."""


class _Violation(msgspec.Struct, rename="camel", omit_defaults=True):
    quota_metric: str | None = None
    quota_id: str | None = None
    field: str | None = None
    description: str | None = None


class _Detail(msgspec.Struct, rename="camel"):
    reason: str | None = None
    violations: list[_Violation] | None = None
    field_violations: list[_Violation] | None = None


class _Error(msgspec.Struct):
    message: str = ""
    code: int | str | None = None
    status: str | None = None
    details: msgspec.Raw = msgspec.Raw()


class _ErrorBody(msgspec.Struct):
    error: _Error


class _WrittenDetail(msgspec.Struct, rename="camel", omit_defaults=True):
    kind: str = msgspec.field(name="@type")
    violations: list[_Violation] | None = None
    retry_delay: str | None = None
    """Seconds with an `s`, as google.protobuf.Duration is written."""
    reason: str | None = None
    domain: str | None = None
    field_violations: list[_Violation] | None = None


class _Written(msgspec.Struct):
    code: int
    message: str
    status: str
    details: list[_WrittenDetail]


class _WrittenBody(msgspec.Struct):
    error: _Written


_decode_error = msgspec.json.Decoder(_ErrorBody, strict=False).decode
_decode_errors = msgspec.json.Decoder(list[_ErrorBody], strict=False).decode
_decode_inner = msgspec.json.Decoder(_Error, strict=False).decode
_decode_details = msgspec.json.Decoder(list[_Detail]).decode


class GeminiFamily:
    """The `Family` of everything below /v1beta, and of what below /v1 carries Google's marks."""

    name: FamilyName = "gemini"
    keep_alive = b"\n\n"

    def credential(self, header: HeaderOf, query: bytes) -> bytes | None:
        """`x-goog-api-key`, else `?key=`, else Bearer (protocol.md 2.1)."""
        return header(b"x-goog-api-key") or _key_of(query) or bearer(header)

    def error_body(self, error: LaidianError) -> bytes:
        """`error` comes first and `code` is a number, or google-genai does not see an error in a stream (protocol.md 4.6)."""
        written = _Written(error.status, error.message, _status_name(error.status), _details(error))
        return msgspec.json.encode(_WrittenBody(written))

    def error_event(self, error: LaidianError) -> bytes:
        return b"data: " + self.error_body(error) + b"\r\n\r\n"

    def read_error(self, body: bytes) -> ErrorSaid:
        """Also in a list of one, as the array form of a stream and the OpenAI-compatible endpoint have it."""
        try:
            wrapped = body.lstrip().startswith(b"[")
            found = _decode_errors(body) if wrapped else [_decode_error(body)]
        except (msgspec.DecodeError, RecursionError):
            return ErrorSaid()
        return _said(found[0].error) if found else ErrorSaid()


def error_message(raw: bytes) -> str:
    """The message of an error object inside an answer or a stream; its status when it has none; empty for junk."""
    try:
        error = _decode_inner(raw)
    except (msgspec.DecodeError, RecursionError):
        return ""
    return error.message or error.status or ""


def _key_of(query: bytes) -> bytes | None:
    if b"key=" not in query:
        return None
    for name, value in parse_qsl(query.decode("latin-1")):
        if name == "key" and value:
            return value.encode("latin-1", "replace")
    return None


def _status_name(status: int) -> str:
    return _STATUSES.get(status) or ("INTERNAL" if status >= 500 else "INVALID_ARGUMENT")


def _details(error: LaidianError) -> list[_WrittenDetail]:
    """What makes gemini-cli stop, or wait, comes before the code and the field, which are for people and programs."""
    details: list[_WrittenDetail] = []
    if isinstance(error, QuotaExhausted):
        violations = [_Violation(quota_metric="laidian/quota", quota_id=DAILY_QUOTA)]
        details.append(_WrittenDetail(_RPC + "QuotaFailure", violations=violations))
    elif error.retry_after_s is not None:
        wait_ms = max(1, int(error.retry_after_s * 1000))
        details.append(
            _WrittenDetail(
                _RPC + "RetryInfo", retry_delay=f"{wait_ms / 1000:.3f}".rstrip("0").rstrip(".") + "s"
            )
        )
    details.append(_WrittenDetail(_RPC + "ErrorInfo", reason=error.code.upper(), domain="laidian"))
    if error.param is not None:
        violations = [_Violation(field=error.param, description=error.message)]
        details.append(_WrittenDetail(_RPC + "BadRequest", field_violations=violations))
    return details


def _said(error: _Error) -> ErrorSaid:
    """In the words that the relay's judgement knows (relay.attempts): Google has none of its own for most of them."""
    details = _details_of(error)
    code = (error.status or str(error.code or "")).lower()
    if any(_is_daily(violation) for detail in details for violation in detail.violations or ()):
        code = "insufficient_quota"
    elif "exceeds the maximum number of tokens" in error.message:
        code = "context_length_exceeded"
    fields = [violation.field for detail in details for violation in detail.field_violations or ()]
    return ErrorSaid(error.message, "", code, next((field for field in fields if field), None))


def _is_daily(violation: _Violation) -> bool:
    """A quota that waiting a minute does not refill."""
    return any(mark in (violation.quota_id or "") for mark in ("PerDay", "Daily"))


def _details_of(error: _Error) -> list[_Detail]:
    try:
        return _decode_details(error.details) if len(memoryview(error.details)) else []
    except (msgspec.DecodeError, RecursionError):
        return []
