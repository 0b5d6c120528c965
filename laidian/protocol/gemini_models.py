"""Gemini's model list and single model (protocol.md 2.2, 1.4).

Knows the shape; which models a key may use is decided elsewhere and handed in. Only what is true is said: token limits that are not
known are left out, and a verb that would be refused is not listed.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from urllib.parse import parse_qsl

import msgspec

from laidian.errors import BadRequest
from laidian.protocol.gemini_path import COUNT, EMBED, EMBED_BATCH, GENERATE, STREAM

PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000
"""Google's own default and bound (ai.google.dev/api/models, seen 2026-11)."""


class Offer(msgspec.Struct, frozen=True):
    """A model as this key could use it."""

    name: str
    """Without `models/`."""
    generates: bool = True
    embeds: bool = False
    counts: bool = True
    """Whether countTokens works: only upstreams that speak Gemini themselves have it."""
    input_tokens: int | None = None
    """Context window; None when it is not known."""
    output_tokens: int | None = None


class _Model(msgspec.Struct, rename="camel", omit_defaults=True):
    name: str
    display_name: str
    version: str | None = None
    input_token_limit: int | None = None
    output_token_limit: int | None = None
    supported_generation_methods: tuple[str, ...] | None = None


class _Models(msgspec.Struct, rename="camel", omit_defaults=True):
    models: list[_Model]
    next_page_token: str | None = None


def write_models(offers: Sequence[Offer], query: bytes) -> bytes:
    """One page of the list, by name. Raises BadRequest for a `pageSize` or `pageToken` that makes no sense."""
    asked = dict(parse_qsl(query.decode("latin-1")))
    size = _page_size(asked.get("pageSize") or asked.get("page_size"))
    after = _read_token(asked.get("pageToken") or asked.get("page_token"))
    # a token names the last model that was shown, so that a list that changes in between neither skips nor repeats
    rest = sorted((offer for offer in offers if offer.name > after), key=lambda offer: offer.name)
    page = rest[:size]
    token = _write_token(page[-1].name) if len(rest) > size else None
    return msgspec.json.encode(_Models([_model(offer) for offer in page], token))


def write_model(offer: Offer) -> bytes:
    """A single model."""
    return msgspec.json.encode(_model(offer))


def _model(offer: Offer) -> _Model:
    methods: list[str] = []
    if offer.generates:
        methods += (GENERATE, STREAM)
    if offer.embeds:
        methods += (EMBED, EMBED_BATCH)
    if offer.counts:
        methods.append(COUNT)
    name = offer.name if offer.name.startswith("tunedModels/") else f"models/{offer.name}"
    return _Model(
        name=name,
        display_name=offer.name,
        version="",
        input_token_limit=offer.input_tokens,
        output_token_limit=offer.output_tokens,
        supported_generation_methods=tuple(methods),
    )


def _page_size(text: str | None) -> int:
    if text is None:
        return PAGE_SIZE
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise BadRequest(
            f"`pageSize` must be a whole number; got {text[:32]}.", param="pageSize", code="invalid_value"
        )
    return min(int(text), MAX_PAGE_SIZE) or PAGE_SIZE


def _read_token(token: str | None) -> str:
    if token is None:
        return ""
    try:
        return base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except ValueError:
        raise BadRequest(
            "`pageToken` is not one of this server's. Ask for the first page again, without it.",
            param="pageToken",
            code="invalid_value",
        ) from None


def _write_token(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()
