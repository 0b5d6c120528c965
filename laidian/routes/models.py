"""GET /v1/models and GET /v1/models/{id}: what would work now for this key, and why not."""

from __future__ import annotations

import msgspec

from laidian.clock import now_ms
from laidian.relay import gates
from laidian.relay.client import Client
from laidian.relay.context import Context
from laidian.relay.listing import Listed, available, explain


class _Model(msgspec.Struct):
    """Exactly the four required fields; `created` is a number and `owned_by` a string or clients drop the list (clients.md 13)."""

    id: str
    created: int
    owned_by: str
    object: str = "model"


class _Models(msgspec.Struct):
    data: list[_Model]
    object: str = "list"


async def list_models(context: Context, client: Client) -> None:
    """Lists models that are configured, in the key's group, priced, and have an upstream that works now."""
    at_ms = now_ms()
    catalog = context.catalog.current()
    key = gates.authenticate(catalog, client.credential(), at_ms)
    found = available(catalog, key, context.health.opened, at_ms)
    await client.respond(200, msgspec.json.encode(_Models([_model(one) for one in found])))


async def show_model(context: Context, client: Client, model: str) -> None:
    """One model, or a 404 that names the closed gate."""
    at_ms = now_ms()
    catalog = context.catalog.current()
    key = gates.authenticate(catalog, client.credential(), at_ms)
    listed = explain(catalog, key, model, context.health.opened, at_ms)
    await client.respond(200, msgspec.json.encode(_model(listed)))


def _model(listed: Listed) -> _Model:
    return _Model(listed.name, 0, listed.owner)
