"""How Gemini says no, where it looks for a credential, and how a request is known to be for it.

A wrong key is 400 INVALID_ARGUMENT with reason API_KEY_INVALID at Google, and a missing one is 403: a relay
that takes 401 alone for a bad credential would miss both.
"""

from __future__ import annotations

from urllib.parse import parse_qs

from .openai_errors import CREDENTIAL_START
from .values import Json, JsonObject, Refusal
from .wire import Exchange

_NAMES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_RPC = "type.googleapis.com/google.rpc"
API_KEY_INVALID = "API_KEY_INVALID"


def gemini_error(refusal: Refusal, request_id: str) -> JsonObject:
    """`{"error": {"code", "message", "status", "details"?}}`; the key `error` comes first, as SDKs need it."""
    usual = "INTERNAL" if refusal.status >= 500 else "INVALID_ARGUMENT"
    error: JsonObject = {
        "code": refusal.status,
        "message": refusal.message,
        "status": _NAMES.get(refusal.status, usual),
    }
    details = _details(refusal)
    if details:
        error["details"] = details
    return {"error": error}


def compatible_error(refusal: Refusal, request_id: str) -> Json:
    """The same, wrapped in an array of one: Google's OpenAI-compatible layer does that."""
    return [gemini_error(refusal, request_id)]


def _details(refusal: Refusal) -> list[Json]:
    if refusal.kind == API_KEY_INVALID:
        return [{"@type": f"{_RPC}.ErrorInfo", "reason": API_KEY_INVALID, "domain": "googleapis.com"}]
    if refusal.code == "insufficient_quota":
        violation: JsonObject = {"quotaId": "SimulatedRequestsPerDay", "quotaMetric": "simulated/requests"}
        return [{"@type": f"{_RPC}.QuotaFailure", "violations": [violation]}]
    if refusal.retry_after_s is not None:
        return [{"@type": f"{_RPC}.RetryInfo", "retryDelay": f"{refusal.retry_after_s}s"}]
    return []


def gemini_key(exchange: Exchange) -> str:
    """`x-goog-api-key`, else `?key=`, else Bearer. Raises Refusal (400 for a wrong one, 403 for none)."""
    scheme, _, bearer = exchange.headers.get("authorization", "").partition(" ")
    credential = (
        exchange.headers.get("x-goog-api-key")
        or parse_qs(exchange.query).get("key", [""])[0]
        or (bearer.strip() if scheme.lower() == "bearer" else "")
    )
    if not credential:
        message = (
            "Method doesn't allow unregistered callers (callers without established identity). "
            "Please use API Key or other form of API consumer identity to call this API."
        )
        raise Refusal(403, message)
    if not credential.startswith(CREDENTIAL_START):
        raise Refusal(400, "API key not valid. Please pass a valid API key.", kind=API_KEY_INVALID)
    return credential


def speaks_gemini(exchange: Exchange) -> bool:
    """On paths that vendors share: whether the request carries one of Google's markers."""
    marked = "x-goog-api-key" in exchange.headers or "x-goog-api-client" in exchange.headers
    return marked or "key" in parse_qs(exchange.query)
