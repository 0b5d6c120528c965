"""OpenAI's files and uploads: kept by one upstream credential, listed from our own table.

An upstream's list would show the files of every key. The rule a newcomer would break: a list is answered from the table and never from
an upstream.
"""

from __future__ import annotations

from urllib.parse import quote

from laidian.clock import now_ms
from laidian.domain.affinity import Held
from laidian.errors import BadRequest
from laidian.protocol.document import Fields
from laidian.protocol.openai_edits import NO_FIELDS
from laidian.protocol.stored_answers import read_completed_upload, read_openai, write_openai_list
from laidian.relay.affinity import remember
from laidian.relay.affinity_errand import (
    Errand,
    admit,
    answer_type,
    ask,
    ask_first,
    broken_off,
    read,
)
from laidian.relay.affinity_openai import CAPABILITY, Params, delete, keep_made, new_home, pass_on
from laidian.relay.affinity_passage import download
from laidian.relay.affinity_words import no_such_object
from laidian.relay.client import Client
from laidian.relay.context import Context
from laidian.relay.spool import Spool
from laidian.store.affinity import forget_object, list_objects

LONGEST_LIST = 10_000
"""OpenAI's own bound and default of `limit` (openai 3.54.0, file_list_params.py)."""

BINARY = b"application/octet-stream"


async def create_file(context: Context, client: Client, params: Params) -> None:
    """POST /v1/files: a form of any size up to the body limit, on disk while it is needed."""
    visit = admit(context, client, CAPABILITY)
    spool = await _form(context, client)
    try:
        selection = await new_home(visit, NO_FIELDS)
        home, exchange = await ask_first(visit, selection, lambda one: _of_form("/files", spool))
        answer = await read(visit, home, exchange)
    finally:
        spool.close()
    await keep_made(visit, home, "file", answer)
    await client.respond(200, answer, answer_type(exchange))


async def retrieve_file(context: Context, client: Client, params: Params) -> None:
    """GET /v1/files/{id}; what it says now is what the list says from then on."""
    visit = admit(context, client, CAPABILITY)
    held, home = await visit.find("file", params["file_id"])
    exchange = await ask(visit, home, Errand(b"GET", _file(held)))
    answer = await read(visit, home, exchange)
    made = read_openai(answer)
    if made is not None and made.id == held.id and answer.decode("utf-8", "replace") != held.meta:
        await keep_made(visit, home, "file", answer)
    await client.respond(200, answer, answer_type(exchange))


async def delete_file(context: Context, client: Client, params: Params) -> None:
    await delete(admit(context, client, CAPABILITY), "file", params["file_id"], "/files")


async def file_content(context: Context, client: Client, params: Params) -> None:
    """GET /v1/files/{id}/content, piece by piece."""
    visit = admit(context, client, CAPABILITY)
    held, home = await visit.find("file", params["file_id"])
    exchange = await ask(visit, home, Errand(b"GET", f"{_file(held)}/content"))
    if not await download(client, exchange, answer_type(exchange, BINARY)):
        raise broken_off(home)


async def list_files(context: Context, client: Client, params: Params) -> None:
    """GET /v1/files: the key's own, newest first unless asked otherwise."""
    visit = admit(context, client, CAPABILITY)
    asked, at_ms, key_id = visit.asked(), now_ms(), visit.key.id
    limit = _limit(asked.get("limit"))
    order = asked.get("order", "desc")
    if order not in ("asc", "desc"):
        raise BadRequest(
            f"`order` must be asc or desc; got {order[:20]}.", param="order", code="invalid_value"
        )
    after, purpose = asked.get("after"), asked.get("purpose")
    found = await context.writer.submit(
        lambda connection: list_objects(
            connection, "file", key_id, at_ms, after=after, limit=limit + 1, newest_first=order == "desc",
            purpose=purpose,
        )
    )  # fmt: skip
    if found is None:
        raise no_such_object("file", after or "", "after")
    page = found[:limit]
    body = write_openai_list(
        [one.id for one in page], [one.meta for one in page], more=len(found) > len(page)
    )
    await client.respond(200, body)


async def create_upload(context: Context, client: Client, params: Params) -> None:
    visit = admit(context, client, CAPABILITY)
    body = await visit.body()
    selection = await new_home(visit, Fields(body))
    home, exchange = await ask_first(visit, selection, lambda one: Errand(b"POST", "/uploads", body))
    answer = await read(visit, home, exchange)
    await keep_made(visit, home, "upload", answer)
    await client.respond(200, answer, answer_type(exchange))


async def add_part(context: Context, client: Client, params: Params) -> None:
    visit = admit(context, client, CAPABILITY)
    held, home = await visit.find("upload", params["upload_id"])
    spool = await _form(context, client)
    try:
        await pass_on(visit, home, _of_form(f"{_upload(held)}/parts", spool))
    finally:
        spool.close()


async def complete_upload(context: Context, client: Client, params: Params) -> None:
    """POST …/complete: from then on there is a file."""
    visit = admit(context, client, CAPABILITY)
    held, home = await visit.find("upload", params["upload_id"])
    exchange = await ask(visit, home, Errand(b"POST", f"{_upload(held)}/complete", await visit.body()))
    answer = await read(visit, home, exchange)
    made = read_completed_upload(answer)
    if made is not None:
        file = Held(
            "file", made.id, held.key_id, held.holder, now_ms(), made.expires_at_ms, made.raw.decode()
        )
        await remember(context, [file])
    await client.respond(200, answer, answer_type(exchange))


async def cancel_upload(context: Context, client: Client, params: Params) -> None:
    visit = admit(context, client, CAPABILITY)
    held, home = await visit.find("upload", params["upload_id"])
    exchange = await ask(visit, home, Errand(b"POST", f"{_upload(held)}/cancel"))
    answer = await read(visit, home, exchange)
    await context.writer.submit(lambda connection: forget_object(connection, "upload", held.id, held.key_id))
    await client.respond(200, answer, answer_type(exchange))


async def _form(context: Context, client: Client) -> Spool:
    limits = context.config.limits
    return await client.form(limits.body_max_bytes, limits.body_timeout_s, context.spool_folder)


def _of_form(path: str, spool: Spool) -> Errand:
    assert spool.form is not None
    return Errand(b"POST", path, spool.pieces(()), spool.form.content_type, spool.size_with(()))


def _file(held: Held) -> str:
    return f"/files/{quote(held.id, safe='')}"


def _upload(held: Held) -> str:
    return f"/uploads/{quote(held.id, safe='')}"


def _limit(asked: str | None) -> int:
    if asked is None:
        return LONGEST_LIST
    if not asked.isascii() or not asked.isdigit() or not 1 <= int(asked[:9]) <= LONGEST_LIST:
        raise BadRequest(
            f"`limit` must be a number from 1 to {LONGEST_LIST:,}; got {asked[:20]}.",
            param="limit",
            code="invalid_value",
        )
    return int(asked)
