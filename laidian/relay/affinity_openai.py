"""Responses and conversations that OpenAI keeps: asked for where they are, by the key that made them."""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from laidian.clock import now_ms
from laidian.domain.affinity import Held, Holder, ObjectKind, select_home
from laidian.domain.estimate import bound_input_tokens
from laidian.domain.selection import Candidate, Selection
from laidian.errors import BadRequest, UpstreamRefused
from laidian.protocol.document import Fields
from laidian.protocol.stored import references
from laidian.protocol.stored_answers import in_background, kept_tokens, note_of, read_openai
from laidian.relay.affinity import find_all, remember
from laidian.relay.affinity_errand import (
    SUB_ID,
    Errand,
    Visitor,
    admit,
    answer_type,
    ask,
    ask_first,
    beside_the_last,
    read,
    stream,
)
from laidian.relay.client import JSON_TYPE, Client
from laidian.relay.context import Context
from laidian.store.affinity import forget_object

Params = dict[str, str]

CAPABILITY = "responses"
BESIDE: tuple[ObjectKind, ...] = ("file", "upload", "conversation")
"""What a new object is made beside: whatever one request may name together."""

_PAGE = ("limit", "order", "after", "before", "include")


async def retrieve_response(context: Context, client: Client, params: Params) -> None:
    """GET /v1/responses/{id}; with `stream=true` its events again, from `starting_after` on."""
    visit = admit(context, client, CAPABILITY)
    held, home = await visit.find("response", params["response_id"])
    query = visit.query("include", "stream", "starting_after", "include_obfuscation")
    exchange = await ask(visit, home, Errand(b"GET", f"/responses/{quote(held.id, safe='')}{query}"))
    if (exchange.header(b"content-type") or b"").lower().startswith(b"text/event-stream"):
        await stream(visit, home, exchange)
    else:
        answer = await read(visit, home, exchange)
        await _news_of(context, held, answer)
        await client.respond(200, answer, answer_type(exchange))


async def delete_response(context: Context, client: Client, params: Params) -> None:
    """DELETE /v1/responses/{id}; one that is still being made is ended and settled first, since nobody could ask for it later."""
    visit = admit(context, client, CAPABILITY)
    held, _ = await visit.find("response", params["response_id"])
    if in_background(held.meta):
        await context.background.cancel(response_id=held.id)
    await delete(visit, "response", params["response_id"], "/responses")


async def cancel_response(context: Context, client: Client, params: Params) -> None:
    visit = admit(context, client, CAPABILITY)
    held, home = await visit.find("response", params["response_id"])
    exchange = await ask(visit, home, Errand(b"POST", f"/responses/{quote(held.id, safe='')}/cancel"))
    answer = await read(visit, home, exchange)
    await _news_of(context, held, answer)
    await client.respond(200, answer, answer_type(exchange))


async def _news_of(context: Context, held: Held, answer: bytes) -> None:
    """A response in the background is settled before its client sees that it is done."""
    if in_background(held.meta):
        await context.background.heard(held.id, answer)


async def list_input_items(context: Context, client: Client, params: Params) -> None:
    visit = admit(context, client, CAPABILITY)
    held, home = await visit.find("response", params["response_id"])
    path = f"/responses/{quote(held.id, safe='')}/input_items{visit.query(*_PAGE)}"
    await pass_on(visit, home, Errand(b"GET", path))


async def create_conversation(context: Context, client: Client, params: Params) -> None:
    """POST /v1/conversations, beside the files that its first items name."""
    visit = admit(context, client, CAPABILITY)
    body = await visit.body()
    selection = await new_home(visit, Fields(body))
    home, exchange = await ask_first(visit, selection, lambda one: Errand(b"POST", "/conversations", body))
    answer = await read(visit, home, exchange)
    await keep_made(visit, home, "conversation", answer, note_of(bound_input_tokens(body)))
    await client.respond(200, answer, answer_type(exchange))


async def retrieve_conversation(context: Context, client: Client, params: Params) -> None:
    visit = admit(context, client, CAPABILITY)
    held, home = await visit.find("conversation", params["conversation_id"])
    await pass_on(visit, home, Errand(b"GET", _conversation(held)))


async def update_conversation(context: Context, client: Client, params: Params) -> None:
    visit = admit(context, client, CAPABILITY)
    held, home = await visit.find("conversation", params["conversation_id"])
    await pass_on(visit, home, Errand(b"POST", _conversation(held), await visit.body()))


async def delete_conversation(context: Context, client: Client, params: Params) -> None:
    visit = admit(context, client, CAPABILITY)
    await delete(visit, "conversation", params["conversation_id"], "/conversations")


async def list_items(context: Context, client: Client, params: Params) -> None:
    visit = admit(context, client, CAPABILITY)
    held, home = await visit.find("conversation", params["conversation_id"])
    await pass_on(visit, home, Errand(b"GET", f"{_conversation(held)}/items{visit.query(*_PAGE)}"))


async def create_items(context: Context, client: Client, params: Params) -> None:
    """POST …/items; files that they name must lie where the conversation does."""
    visit = admit(context, client, CAPABILITY)
    held, home = await visit.find("conversation", params["conversation_id"])
    body = await visit.body()
    for file in await find_all(context, visit.key.id, references("openai", Fields(body))):
        if file.holder != held.holder:
            raise BadRequest(
                f"`{file.id}` is kept by another upstream account than the conversation `{held.id}`. Upload it again.",
                param="items",
                code="objects_apart",
            )
    errand = Errand(b"POST", f"{_conversation(held)}/items{visit.query('include')}", body)
    exchange = await ask(visit, home, errand)
    answer = await read(visit, home, exchange)
    grown = note_of(kept_tokens(held.meta) + bound_input_tokens(body))
    await remember(context, [msgspec.structs.replace(held, meta=grown)])
    await client.respond(200, answer, answer_type(exchange))


async def retrieve_item(context: Context, client: Client, params: Params) -> None:
    visit = admit(context, client, CAPABILITY)
    held, home = await visit.find("conversation", params["conversation_id"])
    path = f"{_conversation(held)}/items/{_sub_id(params['item_id'])}{visit.query('include')}"
    await pass_on(visit, home, Errand(b"GET", path))


async def delete_item(context: Context, client: Client, params: Params) -> None:
    visit = admit(context, client, CAPABILITY)
    held, home = await visit.find("conversation", params["conversation_id"])
    await pass_on(visit, home, Errand(b"DELETE", f"{_conversation(held)}/items/{_sub_id(params['item_id'])}"))


# What files and uploads share


async def new_home(visit: Visitor, fields: Fields) -> Selection:
    """Where a new object goes: where what it names is, else beside the key's last object, else as any request."""
    context = visit.context
    fields.check_unique()
    selection = select_home(
        visit.group, visit.catalog.upstreams, "openai", context.health.opened, context.chance
    )
    named = await find_all(context, visit.key.id, references("openai", fields))
    if named:
        return Selection((visit.home(named[0]),), ())
    return await beside_the_last(visit, selection, BESIDE)


async def keep_made(
    visit: Visitor, home: Candidate, kind: ObjectKind, answer: bytes, note: str | None = None
) -> None:
    """Remembers an object by the answer that tells of it; with a note of our own instead of the object where it is never listed."""
    made = read_openai(answer)
    if made is None:
        return
    holder, at_ms = Holder(home.upstream.id, home.credential.id), now_ms()
    meta = made.raw.decode() if note is None else note
    held = Held(kind, made.id, visit.key.id, holder, at_ms, made.expires_at_ms, meta)
    await remember(visit.context, [held])


async def pass_on(visit: Visitor, home: Candidate, errand: Errand) -> bytes:
    """One errand whose answer is the client's. Returns it."""
    exchange = await ask(visit, home, errand)
    answer = await read(visit, home, exchange)
    await visit.client.respond(200, answer, answer_type(exchange, JSON_TYPE))
    return answer


async def delete(visit: Visitor, kind: ObjectKind, object_id: str, below: str) -> None:
    """Deletes at the holder, then here; what is gone there already is forgotten here too."""
    held, home = await visit.find(kind, object_id)
    key_id, writer = visit.key.id, visit.context.writer
    try:
        exchange = await ask(visit, home, Errand(b"DELETE", f"{below}/{quote(held.id, safe='')}"))
        answer = await read(visit, home, exchange)
    except UpstreamRefused as refusal:
        if refusal.status == 404:
            await writer.submit(lambda connection: forget_object(connection, kind, held.id, key_id))
        raise
    await writer.submit(lambda connection: forget_object(connection, kind, held.id, key_id))
    await visit.client.respond(200, answer, answer_type(exchange))


def _conversation(held: Held) -> str:
    return f"/conversations/{quote(held.id, safe='')}"


def _sub_id(item_id: str) -> str:
    if not SUB_ID.fullmatch(item_id):
        raise BadRequest(
            "The item's id must be at most 128 letters, digits, `_`, `-` and `.`.",
            param="item_id",
            code="invalid_value",
        )
    return item_id
