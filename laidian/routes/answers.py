"""What is answered here, by the name that the rows of the table use. Add an endpoint as an entry; its row then says that it is served.

An answer gets the context, the client (whose family is the shape to answer in) and the values of the row's placeholders. It may raise
any LaidianError; the door says it in the client's shape.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from laidian import __version__
from laidian.relay.affinity_answers import STORED
from laidian.relay.client import Client
from laidian.relay.context import Context
from laidian.routes.holder import (
    show_balance,
    show_key,
    show_me,
    show_multiplier,
    show_receipt,
    show_requests,
    show_spent,
    show_subscription,
    show_token,
    show_usage,
)
from laidian.routes.matcher import Params
from laidian.routes.models import list_models, show_model

Answer = Callable[[Context, Client, Params], Awaitable[None]]


class _Greeting(msgspec.Struct, frozen=True):
    version: str
    models: str = "/v1/models"
    name: str = "LaiDian"


async def greet(context: Context, client: Client, params: Params) -> None:
    """For people and clients that open the base URL itself; needs no key."""
    await client.respond(200, msgspec.json.encode(_Greeting(__version__)))


async def swallow(context: Context, client: Client, params: Params) -> None:
    """What Claude Code tells of itself at its base URL: thrown away unread, needs no key. It takes any 200 and repeats anything else."""
    await client.respond(200, b"{}")


ANSWERS: dict[str, Answer] = {
    "greeting": greet,
    "telemetry": swallow,
    "me": show_me,
    "models.list": list_models,
    "models.retrieve": show_model,
    **STORED,
    "key": show_key,
    "usage": show_usage,
    "usage.requests": show_requests,
    "usage.receipt": show_receipt,
    "billing.subscription": show_subscription,
    "billing.usage": show_spent,
    "billing.token": show_token,
    "billing.multiplier": show_multiplier,
    "balance": show_balance,
}
