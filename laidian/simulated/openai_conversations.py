"""OpenAI's conversations: items that are kept and grow with each response (conversations/*.py of openai-python 3.54.0, seen 2026-11-22)."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from .call import Call, Operation
from .openai_checks import Rule, check_parameters, invalid, maybe_object, need_array, need_object
from .openai_errors import bearer, openai_error
from .openai_files import Handle
from .openai_responses_checks import Reading, read_item
from .shelf import StoredConversation, new_id, page, with_id
from .values import Json, JsonObject, Refusal

MOST_ITEMS = 20
"""At a time."""
CREATE: dict[str, Rule] = {"items": Rule("array"), "metadata": Rule("object")}
UPDATE: dict[str, Rule] = {"metadata": Rule("object", required=True)}
ITEMS: dict[str, Rule] = {"items": Rule("array", required=True)}


async def create(call: Call, match: re.Match[str]) -> None:
    body = call.object()
    check_parameters(body, CREATE)
    conversation_id = new_id("conv_")
    stored = StoredConversation(
        {
            "id": conversation_id,
            "object": "conversation",
            "created_at": call.started_s,
            "metadata": maybe_object(body, "metadata"),
        },
        [],
        [],
    )
    _grow(call, stored, body.get("items"))
    await call.begin("")
    call.provider.shelves.conversations.put(call.key, conversation_id, stored)
    await call.answer(stored.body)


async def show(call: Call, match: re.Match[str]) -> None:
    stored = find_conversation(call, match["id"])
    await call.begin("")
    await call.answer(stored.body)


async def update(call: Call, match: re.Match[str]) -> None:
    stored, body = find_conversation(call, match["id"]), call.object()
    check_parameters(body, UPDATE)
    await call.begin("")
    stored.body = {**stored.body, "metadata": body["metadata"]}
    await call.answer(stored.body)


async def delete(call: Call, match: re.Match[str]) -> None:
    find_conversation(call, match["id"])
    await call.begin("")
    call.provider.shelves.conversations.take(call.key, match["id"])
    await call.answer({"id": match["id"], "object": "conversation.deleted", "deleted": True})


async def list_items(call: Call, match: re.Match[str]) -> None:
    stored = find_conversation(call, match["id"])
    await call.begin("")
    items: list[Json] = [*stored.items]
    await call.answer(page(items, dict(parse_qsl(call.exchange.query)), 20, newest_first=True))


async def create_items(call: Call, match: re.Match[str]) -> None:
    stored, body = find_conversation(call, match["id"]), call.object()
    check_parameters(body, ITEMS)
    added: list[Json] = [*_grow(call, stored, body["items"])]
    await call.begin("")
    await call.answer(page(added, {}, MOST_ITEMS, newest_first=False))


async def show_item(call: Call, match: re.Match[str]) -> None:
    item = _item(call, match)
    await call.begin("")
    await call.answer(item)


async def delete_item(call: Call, match: re.Match[str]) -> None:
    stored, item = find_conversation(call, match["id"]), _item(call, match)
    await call.begin("")
    stored.items.remove(item)
    await call.answer(stored.body)


def find_conversation(call: Call, conversation_id: str) -> StoredConversation:
    """Raises Refusal (404)."""
    stored = call.provider.shelves.conversations.get(call.key, conversation_id)
    if stored is None:
        raise Refusal(404, f"Conversation with id '{conversation_id}' not found.")
    return stored


def _grow(call: Call, stored: StoredConversation, items: Json) -> list[JsonObject]:
    if items is None:
        return []
    listed = need_array("items", items)
    if len(listed) > MOST_ITEMS:
        raise invalid("items", f"At most {MOST_ITEMS} items at a time.", "array_above_max_length")
    reading = Reading(call.provider.shelves, call.key)
    kept: list[JsonObject] = []
    for place, item in enumerate(listed):
        found = need_object(f"items[{place}]", item)
        read_item(f"items[{place}]", found, reading)
        kept.append(with_id(found))
    stored.items += kept
    stored.texts += reading.texts
    stored.messages += reading.messages
    return kept


def _item(call: Call, match: re.Match[str]) -> JsonObject:
    stored = find_conversation(call, match["id"])
    for item in stored.items:
        if item.get("id") == match["item"]:
            return item
    raise Refusal(404, f"Item with id '{match['item']}' not found in conversation '{match['id']}'.")


def _operation(method: str, path: str, handle: Handle) -> Operation:
    dialect = "openai-conversations"
    return Operation(method, re.compile(path), handle, dialect, openai_error, bearer, billed=False)


_ONE = r"/v1/conversations/(?P<id>[^/]+)"

OPERATIONS = (
    _operation("POST", r"/v1/conversations", create),
    _operation("GET", _ONE, show),
    _operation("POST", _ONE, update),
    _operation("DELETE", _ONE, delete),
    _operation("GET", rf"{_ONE}/items", list_items),
    _operation("POST", rf"{_ONE}/items", create_items),
    _operation("GET", rf"{_ONE}/items/(?P<item>[^/]+)", show_item),
    _operation("DELETE", rf"{_ONE}/items/(?P<item>[^/]+)", delete_item),
)
