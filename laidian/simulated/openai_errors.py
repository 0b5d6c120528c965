"""How OpenAI says no, and where it looks for a credential.

Wording from the public API reference and from answers seen by clients; shape from the OpenAPI document of
2026-08-21: all four keys of `error` are required.
"""

from __future__ import annotations

from .models import Model, find_model
from .values import Json, JsonObject, Refusal
from .wire import Exchange

CREDENTIAL_START = "sim-"
"""What every credential of the simulated provider begins with."""

_TYPES = {403: "permission_error", 408: "timeout_error", 429: "rate_limit_error"}


def openai_error(refusal: Refusal, request_id: str) -> JsonObject:
    """`{"error": {"message", "type", "param", "code"}}`."""
    usual = "server_error" if refusal.status >= 500 else "invalid_request_error"
    kind = refusal.kind or _TYPES.get(refusal.status, usual)
    return {"error": {"message": refusal.message, "type": kind, "param": refusal.param, "code": refusal.code}}


def bearer(exchange: Exchange) -> str:
    """The credential of `Authorization: Bearer`. Raises Refusal (401), echoing part of a wrong one."""
    scheme, _, credential = exchange.headers.get("authorization", "").partition(" ")
    credential = credential.strip()
    if scheme.lower() != "bearer" or not credential:
        message = (
            "You didn't provide an API key. You need to provide your API key in an Authorization header "
            "using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."
        )
        raise Refusal(401, message)
    if not credential.startswith(CREDENTIAL_START):
        message = f"Incorrect API key provided: {masked(credential)}."
        raise Refusal(401, message, code="invalid_api_key")
    return credential


def masked(credential: str) -> str:
    """The credential as OpenAI's 401 shows it: the ends, and stars between."""
    if len(credential) < 16:
        return credential[:2] + "*" * max(len(credential) - 2, 0)
    return credential[:8] + "*" * (len(credential) - 12) + credential[-4:]


def model_not_found(name: Json) -> Refusal:
    message = f"The model `{name}` does not exist or you do not have access to it."
    return Refusal(404, message, code="model_not_found")


def openai_model(name: str, kind: str, endpoint: str) -> Model:
    """OpenAI's model of that name, or a Claude model (both vendors share the chat path).

    Raises Refusal (404) for an unknown name, and for a model of another kind.
    """
    model = find_model(name, "openai", "anthropic")
    if model is None or (model.family == "anthropic" and endpoint != "v1/chat/completions"):
        raise model_not_found(name)
    if model.kind != kind:
        message = f"The model `{name}` is not supported in the {endpoint} endpoint."
        raise Refusal(404, message, param="model")
    return model
