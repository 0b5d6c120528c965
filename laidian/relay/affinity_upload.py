"""Google's resumable upload: begun with a key, carried on at an address of ours that is itself the credential.

google-genai for Python sends no key with the data (protocol.md 0.9), so the address that `start` answers holds 32 random bytes; the
table knows their digest, the key and the upstream's own address. The rule a newcomer would break: of the upstream's address only path
and query are used, at the upstream's own host; no address that anybody names is ever called.
"""

from __future__ import annotations

import hashlib
import secrets
from urllib.parse import parse_qsl, urlsplit

import msgspec

from laidian.clock import now_ms
from laidian.domain.affinity import Held, Holder, ObjectKind, select_home
from laidian.domain.key import Key
from laidian.domain.selection import Candidate
from laidian.errors import BadRequest, Conflict, UpstreamBroken
from laidian.protocol.document import Fields, said
from laidian.protocol.stored_answers import read_uploaded
from laidian.relay.affinity import remember
from laidian.relay.affinity_errand import (
    Errand,
    Visitor,
    admit,
    answer_type,
    ask,
    ask_first,
    beside_the_last,
    read,
    visitor,
)
from laidian.relay.affinity_gemini import CAPABILITY, keep_google
from laidian.relay.affinity_openai import Params
from laidian.relay.affinity_passage import Passage
from laidian.relay.affinity_words import no_such_object
from laidian.relay.client import JSON_TYPE, Client
from laidian.relay.context import Context
from laidian.relay.gates import authenticate
from laidian.store.affinity import find_upload, forget_object, is_taken
from laidian.upstream.origin import parse_base_url
from laidian.upstream.wire import Headers

UPLOAD_MS = 48 * 3_600_000
"""How long an upload may take. Google keeps a file 48 hours (files guide, seen 2026-11-22) and says no shorter bound for its upload."""

BESIDE: tuple[ObjectKind, ...] = ("gemini.file", "gemini.cache", "gemini.upload")
_STARTING = (
    b"x-goog-upload-protocol",
    b"x-goog-upload-command",
    b"x-goog-upload-header-content-length",
    b"x-goog-upload-header-content-type",
    b"x-goog-upload-file-name",
)
_CARRYING = (b"x-goog-upload-command", b"x-goog-upload-offset")
_TELLING = (b"x-goog-upload-status", b"x-goog-upload-chunk-granularity", b"x-goog-upload-size-received")
_COMMANDS = frozenset({"upload", "finalize", "query", "cancel"})


async def upload_file(context: Context, client: Client, params: Params) -> None:
    """POST /upload/v1beta/files: `start`, or a part of an upload under way."""
    token = dict(parse_qsl(client.scope["query_string"].decode("latin-1"))).get("upload_id")
    if token is not None:
        await _carry_on(context, client, token)
    else:
        await _start(context, client)


async def _start(context: Context, client: Client) -> None:
    visit = admit(context, client, CAPABILITY)
    if (client.header(b"x-goog-upload-protocol") or b"") != b"resumable" or (
        client.header(b"x-goog-upload-command") or b""
    ) != b"start":
        raise BadRequest(
            "An upload begins with `X-Goog-Upload-Protocol: resumable` and `X-Goog-Upload-Command: start`; other forms are not served.",
            code="invalid_upload",
        )
    body = await visit.body()
    await _refuse_taken_name(visit, body)
    selection = select_home(
        visit.group, visit.catalog.upstreams, "gemini", context.health.opened, context.chance
    )
    selection = await beside_the_last(visit, selection, BESIDE)
    home, exchange = await ask_first(visit, selection, lambda one: _starting(one, client, body))
    theirs = _address(exchange.header(b"x-goog-upload-url"), home)
    answer = await read(visit, home, exchange)
    token, at_ms = secrets.token_urlsafe(32), now_ms()
    holder, meta = Holder(home.upstream.id, home.credential.id), msgspec.json.encode(_Meta(theirs)).decode()
    upload = Held("gemini.upload", _digest(token), visit.key.id, holder, at_ms, at_ms + UPLOAD_MS, meta)
    await remember(context, [upload])
    ours = f"{_own_address(context, client)}/upload/v1beta/files?upload_id={token}&upload_protocol=resumable"
    headers = ((b"x-goog-upload-url", ours.encode("latin-1", "replace")), *_told(exchange.headers))
    await client.respond(200, answer, answer_type(exchange), headers)


async def _carry_on(context: Context, client: Client, token: str) -> None:
    """Data, a question or the end of an upload; its address is the credential."""
    catalog, at_ms, digest = context.catalog.current(), now_ms(), _digest(token)
    held = await context.writer.submit(lambda connection: find_upload(connection, digest, at_ms))
    key = None if held is None else _key_of(context, client, held)
    if held is None or key is None:
        raise no_such_object("gemini.upload", "", "upload_id")
    visit = visitor(context, client, catalog, key, CAPABILITY)
    command = _command(client)
    limits, passage = context.config.limits, Passage(client)
    errand = Errand(
        b"POST",
        msgspec.json.decode(held.meta, type=_Meta).path,
        passage.pieces(limits.body_max_bytes, limits.body_timeout_s),
        client.header(b"content-type") or b"application/octet-stream",
        passage.length(),
        _crossing(client, _CARRYING),
        absolute=True,
    )
    home = visit.home(held)
    exchange = await ask(visit, home, errand)
    answer = await read(visit, home, exchange)
    if exchange.header(b"x-goog-upload-status") == b"final" or "cancel" in command:
        await keep_google(visit, home, "gemini.file", read_uploaded(answer))
        await context.writer.submit(
            lambda connection: forget_object(connection, "gemini.upload", digest, key.id)
        )
    await client.respond(200, answer, answer_type(exchange), _told(exchange.headers))


def _key_of(context: Context, client: Client, held: Held) -> Key | None:
    """The key that began the upload, as good as it is now; None when the caller shows another one. Raises Unauthenticated."""
    catalog = context.catalog.current()
    shown = client.credential()
    if shown is not None and authenticate(catalog, shown, now_ms()).id != held.key_id:
        return None
    owner = next((key for key in catalog.keys.values() if key.id == held.key_id), None)
    usable = owner is not None and owner.enabled
    if owner is None or not usable or (owner.expires_at_ms is not None and owner.expires_at_ms <= now_ms()):
        return None
    return owner


async def _refuse_taken_name(visit: Visitor, body: bytes) -> None:
    """Clients may name a file themselves; a name that another account's file has would hide one of the two."""
    raw = Fields(body).raw.get("file") if body.strip() else None
    inner = None if raw is None else said(raw)
    name = None if inner is None else Fields(inner).get("name", str)
    if not name:
        return
    file_id, at_ms = name.removeprefix("files/"), now_ms()
    if await visit.context.writer.submit(
        lambda connection: is_taken(connection, "gemini.file", file_id, at_ms)
    ):
        raise Conflict(
            f"A file named `{name[:80]}` exists already. Leave out `name`, or choose another.",
            param="file.name",
            code="already_exists",
        )


def _starting(candidate: Candidate, client: Client, body: bytes) -> Errand:
    """The upload's beginning, for one upstream: `/upload` stands before the version."""
    _, prefix = parse_base_url(candidate.upstream.base_url, None)
    head, _, version = prefix.rpartition("/")
    path = f"{head}/upload/{version}/files"
    return Errand(b"POST", path, body, JSON_TYPE, None, _crossing(client, _STARTING), absolute=True)


def _address(url: bytes | None, home: Candidate) -> str:
    """Path and query of the upstream's own address for the data. Raises UpstreamBroken when it gave none."""
    parts = None if url is None else urlsplit(url.decode("latin-1"))
    if parts is None or not parts.path.startswith("/"):
        raise UpstreamBroken(
            f"The upstream began the upload without saying where it goes on. {home.upstream.name} is at fault."
        )
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _own_address(context: Context, client: Client) -> str:
    """How this client reaches us: as the operator says, else as it did this time."""
    public = context.config.server.public_url.rstrip("/")
    if public:
        return public.removesuffix("/v1").removesuffix("/v1beta")
    host = (client.header(b"host") or b"127.0.0.1").decode("latin-1")
    forwarded = client.header(b"x-forwarded-proto")
    scheme = "https" if forwarded == b"https" else client.scope["scheme"]
    return f"{scheme}://{host}"


def _command(client: Client) -> frozenset[str]:
    raw = (client.header(b"x-goog-upload-command") or b"").decode("latin-1")
    command = frozenset(word.strip() for word in raw.split(","))
    if not command <= _COMMANDS:
        raise BadRequest(
            f"`X-Goog-Upload-Command` must be upload, finalize, query or cancel; got {raw[:40]}.",
            code="invalid_upload",
        )
    return command


def _crossing(client: Client, names: tuple[bytes, ...]) -> tuple[tuple[bytes, bytes], ...]:
    values = ((name, client.header(name)) for name in names)
    return tuple((name, value) for name, value in values if value is not None)


def _told(headers: Headers) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((name, value) for name, value in headers if name in _TELLING)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class _Meta(msgspec.Struct, frozen=True):
    path: str
    """Where the data goes at the upstream: path and query."""
