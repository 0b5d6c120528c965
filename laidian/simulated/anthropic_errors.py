"""How Anthropic says no, where it looks for a credential, and how a request is known to be for it."""

from __future__ import annotations

from .openai_errors import CREDENTIAL_START
from .values import JsonObject, Refusal
from .wire import Exchange

_TYPES = {
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


def anthropic_error(refusal: Refusal, request_id: str) -> JsonObject:
    """`{"type": "error", "error": {"type", "message"}, "request_id"}`."""
    usual = "api_error" if refusal.status >= 500 else "invalid_request_error"
    kind = _TYPES.get(refusal.status, usual)
    error: JsonObject = {"type": kind, "message": refusal.message}
    return {"type": "error", "error": error, "request_id": request_id}


def anthropic_key(exchange: Exchange) -> str:
    """`x-api-key`, else Bearer. Raises Refusal (401)."""
    scheme, _, bearer = exchange.headers.get("authorization", "").partition(" ")
    credential = exchange.headers.get("x-api-key") or (bearer.strip() if scheme.lower() == "bearer" else "")
    if not credential:
        raise Refusal(401, "x-api-key header is required")
    if not credential.startswith(CREDENTIAL_START):
        raise Refusal(401, "invalid x-api-key")
    return credential


def speaks_anthropic(exchange: Exchange) -> bool:
    return "anthropic-version" in exchange.headers
