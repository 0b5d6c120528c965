"""The control API under `/simulated/`: what the provider saw and charged, and how it should misbehave.

    GET    /simulated/health                   {"status": "ok", "simulated": true}
    GET    /simulated/bill[?rows=N]            BillReport; with rows=N it answers once there are N rows
    GET    /simulated/requests[?count=N]       RequestReport; with count=N once N requests have arrived
    GET    /simulated/faults                   {"rules": [Rule], "known": {name: what it does}}
    POST   /simulated/faults                   a Rule as body; 400 with a sentence when it makes no sense
    DELETE /simulated/bill|requests|faults     empties it; clearing the faults also ends every `hang`

It asks for no credential: it holds nothing but simulated money, and is meant for loopback.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from urllib.parse import parse_qs

import msgspec

from .call import Provider
from .faults import FAULTS, Rule
from .values import ClientGone
from .wire import Exchange

_NAMES = ("health", "bill", "requests", "faults")


class _Faults(msgspec.Struct, frozen=True):
    rules: list[Rule]
    known: dict[str, str]


async def control(provider: Provider, exchange: Exchange, body: bytes) -> None:
    """Answer one control request. Raises ClientGone when a waiting client leaves."""
    name = exchange.path.removeprefix("/simulated/")
    match exchange.method, name:
        case "GET", "health":
            await exchange.send_json(200, {"status": "ok", "simulated": True})
        case "GET", "bill":
            await _wait(exchange, provider.bill.wait_for(_asked(exchange, "rows")))
            await exchange.send_json(200, provider.bill.report())
        case "GET", "requests":
            await _wait(exchange, provider.journal.wait_for(_asked(exchange, "count")))
            await exchange.send_json(200, provider.journal.report())
        case "GET", "faults":
            await exchange.send_json(200, _Faults(provider.faults.rules, FAULTS))
        case "POST", "faults":
            await _add_fault(provider, exchange, body)
        case "DELETE", "bill":
            provider.bill.clear()
            await exchange.send_json(200, {"deleted": name})
        case "DELETE", "requests":
            provider.journal.clear()
            await exchange.send_json(200, {"deleted": name})
        case "DELETE", "faults":
            provider.faults.clear()
            await exchange.send_json(200, {"deleted": name})
        case _, known if known in _NAMES:
            await _error(exchange, 405, f"{exchange.method} is not offered on {exchange.path}.")
        case _:
            await _error(exchange, 404, f"There is no {exchange.path}; there are: {', '.join(_NAMES)}.")


async def _add_fault(provider: Provider, exchange: Exchange, body: bytes) -> None:
    try:
        rule = msgspec.json.decode(body, type=Rule)
        provider.faults.add(rule)
    except (msgspec.DecodeError, ValueError) as problem:
        await _error(exchange, 400, f"The fault was not switched on: {problem}.")
        return
    await exchange.send_json(200, rule)


async def _error(exchange: Exchange, status: int, message: str) -> None:
    await exchange.send_json(status, {"error": {"message": message}})


async def _wait(exchange: Exchange, waiting: Awaitable[None]) -> None:
    """Wait for it, or raise ClientGone when the client gives up."""
    reached = asyncio.ensure_future(waiting)
    gone = asyncio.ensure_future(exchange.gone.wait())
    try:
        await asyncio.wait([reached, gone], return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
    if not reached.done():
        reached.cancel()
        raise ClientGone


def _asked(exchange: Exchange, name: str) -> int:
    values = parse_qs(exchange.query).get(name, ["0"])
    return int(values[0]) if values[0].isdigit() else 0
