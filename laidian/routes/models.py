"""GET /v1/models and GET /v1/models/{id}: what would work now for this key, in the caller's shape, and why not.

Which models those are is decided in `relay.listing` and `relay.explain`; this file asks them and spells the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qs

import msgspec

from laidian.clock import now_ms
from laidian.domain.catalog import Catalog
from laidian.domain.group import Group
from laidian.domain.price import Price
from laidian.protocol import anthropic_models, gemini_models
from laidian.relay import gates
from laidian.relay.client import Client
from laidian.relay.context import Context
from laidian.relay.explain import availability
from laidian.relay.listing import Listed, available, explain
from laidian.relay.suited import only_embeds, suited
from laidian.routes.matcher import Params


class _Model(msgspec.Struct):
    """Exactly the four required fields; `created` is a number and `owned_by` a string or clients drop the list (clients.md 13)."""

    id: str
    created: int
    owned_by: str
    object: str = "model"


class _Models(msgspec.Struct):
    data: list[_Model]
    object: str = "list"


class _Shown(msgspec.Struct, frozen=True):
    """A listed model with what the shapes say of it."""

    listed: Listed
    price: Price
    group: Group


async def list_models(context: Context, client: Client, params: Params) -> None:
    """Lists models that are configured, in the key's group, priced, of use to the group, and have an upstream that works now."""
    at_ms = now_ms()
    catalog = context.catalog.current()
    key = gates.authenticate(catalog, client.credential(), at_ms)
    group = gates.group_of(catalog, key)
    found = [
        shown
        for listed in available(catalog, group, context.health.opened, at_ms)
        if (shown := _shown(catalog, group, listed, at_ms)) and suited(shown.price) & group.capabilities
    ]
    await client.respond(200, _write_list(client, found))


async def show_model(context: Context, client: Client, params: Params) -> None:
    """One model, or a 404 that names the closed gate; with `?explain=1` a 200 that tells either."""
    at_ms, name = now_ms(), params["model"]
    catalog = context.catalog.current()
    key = gates.authenticate(catalog, client.credential(), at_ms)
    if _flag(client, "explain"):
        told = availability(catalog, key, name, context.health.opened, at_ms)
        await client.respond(200, msgspec.json.encode(told))
        return
    listed = explain(catalog, key, name, context.health.opened, at_ms)
    shown = _shown(catalog, gates.group_of(catalog, key), listed, at_ms)
    if shown is None:  # its price ended between the two looks
        raise gates.unpriced(name)
    await client.respond(200, _write_one(client, shown))


def _shown(catalog: Catalog, group: Group, listed: Listed, at_ms: int) -> _Shown | None:
    price = catalog.price_of(group.resolve(listed.name), at_ms)
    return None if price is None else _Shown(listed, price, group)


def _write_list(client: Client, found: Sequence[_Shown]) -> bytes:
    query: bytes = client.scope["query_string"]
    if client.family.name == "gemini":
        return gemini_models.write_models([_offer(shown) for shown in found], query)
    if client.family.name == "anthropic":
        return anthropic_models.write_page([_entry(shown) for shown in found], query)
    return msgspec.json.encode(_Models([_model(shown) for shown in found]))


def _write_one(client: Client, shown: _Shown) -> bytes:
    if client.family.name == "gemini":
        return gemini_models.write_model(_offer(shown))
    if client.family.name == "anthropic":
        return anthropic_models.write_model(_entry(shown))
    return msgspec.json.encode(_model(shown))


def _model(shown: _Shown) -> _Model:
    return _Model(shown.listed.name, 0, shown.listed.owner)


def _entry(shown: _Shown) -> anthropic_models.Model:
    return anthropic_models.model_entry(
        shown.listed.name, shown.price.context_tokens, shown.price.max_output_tokens
    )


def _offer(shown: _Shown) -> gemini_models.Offer:
    price = shown.price
    served, embeds = "gemini" in shown.group.capabilities & suited(price), only_embeds(price)
    return gemini_models.Offer(
        shown.listed.name,
        generates=served and not embeds,
        embeds=served and embeds,
        counts=served and shown.listed.owner == "google",
        input_tokens=price.context_tokens,
        output_tokens=price.max_output_tokens,
    )


def _flag(client: Client, name: str) -> bool:
    said = parse_qs(client.scope["query_string"].decode("latin-1")).get(name, ["0"])[0]
    return said.lower() in ("1", "true", "yes")
