"""Chat completions that were stored: shown, renamed by metadata, deleted (chat/completions/*.py of openai-python 3.54.0, seen 2026-11-22)."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from .call import Call, Operation
from .openai_checks import Rule, check_parameters
from .openai_errors import bearer, openai_error
from .openai_files import Handle
from .shelf import StoredCompletion, page
from .values import Json, Refusal

UPDATE: dict[str, Rule] = {"metadata": Rule("object", required=True)}


async def show(call: Call, match: re.Match[str]) -> None:
    stored = _find(call, match["id"])
    await call.begin("")
    await call.answer(stored.body)


async def update(call: Call, match: re.Match[str]) -> None:
    stored, body = _find(call, match["id"]), call.object()
    check_parameters(body, UPDATE)
    await call.begin("")
    stored.body = {**stored.body, "metadata": body["metadata"]}
    await call.answer(stored.body)


async def delete(call: Call, match: re.Match[str]) -> None:
    _find(call, match["id"])
    await call.begin("")
    call.provider.shelves.completions.take(call.key, match["id"])
    await call.answer({"id": match["id"], "object": "chat.completion.deleted", "deleted": True})


async def list_messages(call: Call, match: re.Match[str]) -> None:
    stored = _find(call, match["id"])
    await call.begin("")
    messages: list[Json] = [*stored.messages]
    await call.answer(page(messages, dict(parse_qsl(call.exchange.query)), 20, newest_first=False))


def _find(call: Call, completion_id: str) -> StoredCompletion:
    stored = call.provider.shelves.completions.get(call.key, completion_id)
    if stored is None:
        raise Refusal(404, f"Chat completion '{completion_id}' not found.")
    return stored


def _operation(method: str, path: str, handle: Handle) -> Operation:
    return Operation(method, re.compile(path), handle, "openai-chat", openai_error, bearer, billed=False)


_ONE = r"/v1/chat/completions/(?P<id>[^/]+)"

OPERATIONS = (
    _operation("GET", _ONE, show),
    _operation("POST", _ONE, update),
    _operation("DELETE", _ONE, delete),
    _operation("GET", rf"{_ONE}/messages", list_messages),
)
