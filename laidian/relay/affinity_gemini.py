"""Gemini's files and cached contents: kept by one upstream credential, listed from our own table."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import quote

import msgspec

from laidian.clock import now_ms
from laidian.domain.affinity import Held, Holder, ObjectKind, why_not
from laidian.domain.selection import Candidate, Selection, select
from laidian.errors import BadRequest
from laidian.protocol.document import Fields
from laidian.protocol.gemini_path import checked_model
from laidian.protocol.stored import references
from laidian.protocol.stored_answers import Made, read_google, write_google_list
from laidian.relay import gates
from laidian.relay.affinity import find_all, gemini_hosts, remember
from laidian.relay.affinity_errand import (
    Errand,
    Visitor,
    admit,
    answer_type,
    ask,
    ask_first,
    broken_off,
    read,
)
from laidian.relay.affinity_files import BINARY
from laidian.relay.affinity_openai import Params, delete
from laidian.relay.affinity_passage import download
from laidian.relay.affinity_words import out_of_reach
from laidian.relay.client import Client
from laidian.relay.context import Context
from laidian.store.affinity import list_objects

CAPABILITY = "gemini"

PAGE = {"gemini.file": (10, 100), "gemini.cache": (50, 1_000)}
"""Usual and largest page (Google's API reference, files.list and cachedContents.list; a larger one is cut, as there)."""


async def retrieve_file(context: Context, client: Client, params: Params) -> None:
    """GET /v1beta/files/{id}: clients ask again until its state is ACTIVE; the list then says so too."""
    visit = admit(context, client, CAPABILITY)
    await _show(visit, "gemini.file", params["file"], "/files")


async def delete_file(context: Context, client: Client, params: Params) -> None:
    await delete(admit(context, client, CAPABILITY), "gemini.file", params["file"], "/files")


async def download_file(context: Context, client: Client, params: Params) -> None:
    """GET /v1beta/files/{id}:download, piece by piece."""
    visit = admit(context, client, CAPABILITY)
    held, home = await visit.find("gemini.file", params["file"])
    exchange = await ask(
        visit, home, Errand(b"GET", f"/files/{quote(held.id, safe='')}:download{visit.query('alt')}")
    )
    if not await download(client, exchange, answer_type(exchange, BINARY)):
        raise broken_off(home)


async def list_files(context: Context, client: Client, params: Params) -> None:
    await _list(admit(context, client, CAPABILITY), "gemini.file", "files")


async def create_cache(context: Context, client: Client, params: Params) -> None:
    """POST /v1beta/cachedContents, where the files that it names are and where its model is served."""
    visit = admit(context, client, CAPABILITY)
    fields = Fields(await visit.body())
    fields.check_unique()
    named = fields.get("model", str) or ""
    asked = checked_model(named.removeprefix("models/"))
    selection = await _serving(visit, asked, fields)

    def errand(candidate: Candidate) -> Errand:
        renamed = msgspec.json.encode(f"models/{candidate.model}")
        body = fields.body if candidate.model == asked else fields.replaced({"model": renamed})
        return Errand(b"POST", "/cachedContents", body)

    home, exchange = await ask_first(visit, selection, errand)
    answer = await read(visit, home, exchange)
    await keep_google(visit, home, "gemini.cache", read_google(answer))
    await client.respond(200, answer, answer_type(exchange))


async def retrieve_cache(context: Context, client: Client, params: Params) -> None:
    visit = admit(context, client, CAPABILITY)
    await _show(visit, "gemini.cache", params["cache"], "/cachedContents")


async def update_cache(context: Context, client: Client, params: Params) -> None:
    """PATCH: only its end can be changed, which is what the table has to know."""
    visit = admit(context, client, CAPABILITY)
    held, home = await visit.find("gemini.cache", params["cache"])
    path = f"/cachedContents/{quote(held.id, safe='')}{visit.query('updateMask')}"
    exchange = await ask(visit, home, Errand(b"PATCH", path, await visit.body()))
    answer = await read(visit, home, exchange)
    await _renew(visit, held, answer)
    await client.respond(200, answer, answer_type(exchange))


async def delete_cache(context: Context, client: Client, params: Params) -> None:
    await delete(admit(context, client, CAPABILITY), "gemini.cache", params["cache"], "/cachedContents")


async def list_caches(context: Context, client: Client, params: Params) -> None:
    await _list(admit(context, client, CAPABILITY), "gemini.cache", "cachedContents")


async def keep_google(visit: Visitor, home: Candidate, kind: ObjectKind, made: Made | None) -> None:
    """Remembers what an answer told of."""
    if made is None:
        return
    holder = Holder(home.upstream.id, home.credential.id)
    meta = made.raw.decode()
    await remember(
        visit.context, [Held(kind, made.id, visit.key.id, holder, now_ms(), made.expires_at_ms, meta)]
    )


async def _show(visit: Visitor, kind: ObjectKind, object_id: str, below: str) -> None:
    held, home = await visit.find(kind, object_id)
    exchange = await ask(visit, home, Errand(b"GET", f"{below}/{quote(held.id, safe='')}"))
    answer = await read(visit, home, exchange)
    await _renew(visit, held, answer)
    await visit.client.respond(200, answer, answer_type(exchange))


async def _renew(visit: Visitor, held: Held, answer: bytes) -> None:
    """What is known of an object changes with what its provider says of it."""
    made = read_google(answer)
    if made is not None and made.id == held.id and made.raw.decode() != held.meta:
        renewed = msgspec.structs.replace(held, meta=made.raw.decode(), expires_at_ms=made.expires_at_ms)
        await remember(visit.context, [renewed])


async def _list(visit: Visitor, kind: ObjectKind, name: str) -> None:
    asked, key_id, at_ms = visit.asked(), visit.key.id, now_ms()
    size, after = _page_size(asked.get("pageSize"), *PAGE[kind]), _after(asked.get("pageToken"))
    found = await visit.context.writer.submit(
        lambda connection: list_objects(
            connection, kind, key_id, at_ms, after=after, limit=size + 1, newest_first=True
        )
    )
    if found is None:
        raise _bad_token()
    page = found[:size]
    token = base64.urlsafe_b64encode(page[-1].id.encode()).decode() if len(found) > size else None
    await visit.client.respond(200, write_google_list(name, [one.meta for one in page], token))


async def _serving(visit: Visitor, asked: str, fields: Fields) -> Selection:
    """Gemini upstreams that serve the model; only the one that holds what is named, if anything is."""
    context, group = visit.context, visit.group
    model = group.resolve(asked)
    if not group.permits(model):
        raise gates.no_model(visit.catalog, group, asked, f"model `{asked}` is not in group `{group.name}`")
    upstreams = {one.id: one for one in visit.catalog.upstreams.values() if one.kind == "gemini"}
    selection = select(group, upstreams, model, context.health.opened, context.chance)
    if not selection.candidates and not selection.blocked:
        raise gates.no_model(
            visit.catalog, group, asked, f"no Gemini upstream of group `{group.name}` serves model `{asked}`"
        )
    named = await find_all(context, visit.key.id, references("gemini", fields, gemini_hosts(visit.catalog)))
    if not named:
        return selection
    home = visit.home(named[0])
    theirs = home.upstream.name_of(model)
    if theirs is None:
        reason = why_not(named[0].holder, group, visit.catalog.upstreams, model, context.health.opened)
        raise out_of_reach(named[0].kind, named[0].id, reason, now_ms())
    return Selection((msgspec.structs.replace(home, model=theirs),), ())


def _page_size(asked: str | None, usual: int, largest: int) -> int:
    if asked is None:
        return usual
    if not asked.isascii() or not asked.isdigit():
        raise BadRequest(
            f"`pageSize` must be a number; got {asked[:20]}.", param="pageSize", code="invalid_value"
        )
    return min(int(asked[:9]) or usual, largest)


def _after(token: str | None) -> str | None:
    if not token:
        return None
    try:
        return base64.urlsafe_b64decode(token).decode()
    except (binascii.Error, ValueError):
        raise _bad_token() from None


def _bad_token() -> BadRequest:
    return BadRequest(
        "`pageToken` is not one of this list's, or its object is gone. Begin again without it.",
        param="pageToken",
        code="invalid_value",
    )
