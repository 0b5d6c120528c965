"""Which capabilities a model is made for, told by what it is sold by: tokens of text, pictures, seconds, characters.

Prices are the one thing known of every model that may be used, so they decide, with a few names where two kinds are sold alike. The
rule a newcomer would break: when in doubt a model suits everything. This only spares a caller a riddle (an image model asked to chat,
an embedding model asked to draw); whether the provider serves it, the provider says.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from laidian.domain.group import CAPABILITIES
from laidian.domain.price import Price
from laidian.errors import NotFound
from laidian.protocol.dialect import Operation

EVERYTHING = frozenset(CAPABILITIES)

_NAMED: tuple[tuple[str, frozenset[str]], ...] = (
    ("*-transcribe*", frozenset({"audio"})),
    ("*moderation*", frozenset({"moderations"})),
)
"""Models that are sold like others: gpt-4o-transcribe like a chat model that hears, moderation like an embedding."""

_ENDPOINTS = {
    "images": "POST /v1/images/generations (or /v1/images/edits)",
    "embeddings": "POST /v1/embeddings",
    "moderations": "POST /v1/moderations",
    "audio": "the endpoints below /v1/audio",
    "gemini": "POST /v1beta/models/{model}:generateContent",
}
"""What to say, first match first; whatever does not suit everything suits one of these."""


def suited(price: Price) -> frozenset[str]:
    """The capabilities that can make use of a model with this price."""
    model = price.model.lower()
    for pattern, capabilities in _NAMED:
        if fnmatchcase(model, pattern):
            return capabilities
    units = {rate.unit for rate in price.rates}
    if not units:
        return EVERYTHING
    # Image models alone sell what they see apart from text; chat models that draw sell it as text (price.py, FALLBACKS).
    draws = bool(units & {"images", "image_output"})
    if draws and ("output" not in units or "image_input" in units) and "audio_output" not in units:
        return frozenset({"images"})
    if "audio_output" in units and "audio_input" not in units:
        return frozenset({"gemini" if model.startswith("gemini") else "audio"})
    if "output" in units:
        return EVERYTHING
    if units & {"seconds", "characters"}:
        return frozenset({"audio"})
    return frozenset({"embeddings", "gemini", "moderations"}) if "input" in units else EVERYTHING


def only_embeds(price: Price) -> bool:
    """Whether the model is sold for nothing but reading."""
    capabilities = suited(price)
    return "embeddings" in capabilities and "chat" not in capabilities


def require_suited(operation: Operation, model: str, price: Price) -> None:
    """Returns when the model suits the operation. Raises NotFound that names the endpoint to use instead."""
    capabilities = suited(price)
    if operation.capability in capabilities:
        return
    endpoint = next(text for name, text in _ENDPOINTS.items() if name in capabilities)
    raise NotFound(
        f"Model `{model}` is not made for {operation.method} {operation.path}. Use {endpoint}.",
        param="model",
        code="endpoint_not_supported",
    )
