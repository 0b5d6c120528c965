"""What a key holder can ask about their own key: the endpoints that clients already call for a balance, and the receipt.

Each identifies the key, takes one Standing and writes one shape. They answer for keys that are expired or used up, and never for
unknown ones; nothing may be stored on the way, since the answer belongs to who holds the credential.
"""

from __future__ import annotations

import msgspec

from laidian.clock import now_ms
from laidian.errors import BadRequest
from laidian.relay.client import Client
from laidian.relay.context import Context
from laidian.relay.holder import ask, identify, recent, spent_in, standing
from laidian.routes.holder_billing import (
    balance_answer,
    multiplier_answer,
    spent_answer,
    subscription_answer,
    token_answer,
)
from laidian.routes.holder_key import key_answer
from laidian.routes.holder_period import read_period
from laidian.routes.holder_receipt import read_receipt
from laidian.routes.holder_requests import read_wanted, requests_answer
from laidian.routes.holder_usage import usage_answer
from laidian.routes.matcher import Params


class _Me(msgspec.Struct, frozen=True):
    name: str
    object: str = "key"


_PRIVATE = ((b"cache-control", b"no-store"),)


async def show_usage(context: Context, client: Client, params: Params) -> None:
    """GET /v1/usage?start_date&end_date&days&timezone: what is left, and what was spent by day and by model."""
    key, at_ms = identify(context, client), now_ms()
    period = read_period(client.scope["query_string"], at_ms)
    await _say(client, usage_answer(await standing(context, key, at_ms, period)))


async def show_key(context: Context, client: Client, params: Params) -> None:
    """GET /v1/key: what the key may do, its limits with their use, and the models that would work now."""
    key, credential = identify(context, client), client.credential()
    assert credential is not None, "it was identified by one"
    await _say(client, await key_answer(context, key, credential))


async def show_requests(context: Context, client: Client, params: Params) -> None:
    """GET /v1/usage/requests?limit&before: what was asked last, and what it cost."""
    key, wanted = identify(context, client), read_wanted(client.scope["query_string"])
    rows = await recent(context, key, wanted.limit + 1, wanted.before)
    await _say(client, requests_answer(rows, wanted.limit))


async def show_receipt(context: Context, client: Client, params: Params) -> None:
    """GET /v1/usage/{request_id}: every line of the price of one of this key's requests."""
    key, request_id = identify(context, client), params["request_id"]
    await _say(client, await ask(context, lambda connection: read_receipt(connection, key.id, request_id)))


async def show_subscription(context: Context, client: Client, params: Params) -> None:
    """GET /v1/dashboard/billing/subscription: what was spent and is left, as one limit."""
    key = identify(context, client)
    await _say(client, subscription_answer(await standing(context, key, now_ms())))


async def show_spent(context: Context, client: Client, params: Params) -> None:
    """GET /v1/dashboard/billing/usage?start_date&end_date: cents. What cannot be read is told with status 200, as its clients expect."""
    key, at_ms = identify(context, client), now_ms()
    try:
        period = read_period(client.scope["query_string"], at_ms, sum_only=True)
    except BadRequest as error:
        await client.respond(200, client.family.error_body(error), headers=_PRIVATE)
        return
    if period is None:
        spent_nano = (await standing(context, key, at_ms)).spent_nano
    else:
        spent_nano = await spent_in(context, key, period)
    await _say(client, spent_answer(spent_nano))


async def show_token(context: Context, client: Client, params: Params) -> None:
    """GET /api/usage/token: new-api's units, 500,000 to the dollar."""
    key = identify(context, client)
    await _say(client, token_answer(await standing(context, key, now_ms())))


async def show_balance(context: Context, client: Client, params: Params) -> None:
    """GET /user/balance: one number."""
    key = identify(context, client)
    await _say(client, balance_answer(await standing(context, key, now_ms())))


async def show_me(context: Context, client: Client, params: Params) -> None:
    """GET /v1/me: that the key is one, and its name; Claude Code looks no further (seen 2026-11-22)."""
    await _say(client, _Me(identify(context, client).name))


async def show_multiplier(context: Context, client: Client, params: Params) -> None:
    """GET /v1/sub2api/billing: what the published price is multiplied by."""
    key = identify(context, client)
    await _say(client, multiplier_answer(await standing(context, key, now_ms())))


async def _say(client: Client, answer: msgspec.Struct) -> None:
    await client.respond(200, msgspec.json.encode(answer), headers=_PRIVATE)
