"""Responses that were stored, or are made in the background: shown, played again as a stream, deleted (responses.py of openai-python 3.54.0, seen 2026-11-22)."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from .call import Call, Operation
from .openai_background import cancel as stop
from .openai_background import follow, now
from .openai_checks import invalid
from .openai_errors import bearer, openai_error
from .openai_files import Handle
from .shelf import StoredResponse, page
from .values import Json, Refusal

_KNOWN = frozenset({"include", "include[]", "stream", "starting_after", "include_obfuscation"})
_KNOWN_ITEMS = frozenset({"include", "include[]", "limit", "order", "after", "before"})


async def show(call: Call, match: re.Match[str]) -> None:
    stored, asked = _find(call, match["id"]), _asked(call, _KNOWN)
    await call.begin("")
    if asked.get("stream") != "true":
        await call.answer(now(stored))
        return
    await follow(call.exchange, stored, int(asked.get("starting_after", "-1")), call.fault)


async def delete(call: Call, match: re.Match[str]) -> None:
    stop(_find(call, match["id"]))
    await call.begin("")
    call.provider.shelves.responses.take(call.key, match["id"])
    await call.answer({"id": match["id"], "object": "response", "deleted": True})


async def cancel(call: Call, match: re.Match[str]) -> None:
    stored = _find(call, match["id"])
    if not stop(stored):
        raise invalid(None, "Cannot cancel a synchronous response.", None)
    await call.begin("")
    await call.answer(now(stored))


async def list_input(call: Call, match: re.Match[str]) -> None:
    stored, asked = _find(call, match["id"]), _asked(call, _KNOWN_ITEMS)
    await call.begin("")
    items: list[Json] = [*stored.input_items]
    await call.answer(page(items, asked, 20, newest_first=True))


def _asked(call: Call, known: frozenset[str]) -> dict[str, str]:
    asked = dict(parse_qsl(call.exchange.query))
    for name in asked:
        if name not in known:
            raise Refusal(400, f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter")
    return asked


def _find(call: Call, response_id: str) -> StoredResponse:
    stored = call.provider.shelves.responses.get(call.key, response_id)
    if stored is None:
        raise Refusal(404, f"Response with id '{response_id}' not found.")
    return stored


def _operation(method: str, path: str, handle: Handle) -> Operation:
    return Operation(method, re.compile(path), handle, "openai-responses", openai_error, bearer, billed=False)


_ONE = r"/v1/responses/(?P<id>[^/]+)"

OPERATIONS = (
    _operation("GET", _ONE, show),
    _operation("DELETE", _ONE, delete),
    _operation("POST", rf"{_ONE}/cancel", cancel),
    _operation("GET", rf"{_ONE}/input_items", list_input),
)
