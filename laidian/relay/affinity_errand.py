"""Free calls to one upstream on a key's behalf: admission, the asking, and what the client is told when it fails.

An errand costs nothing and leaves no record: no hold, one line in the log (the door writes it). The rule a newcomer would break: an
errand about an object goes to its holder and nowhere else, whatever the circuits say; they only help to explain a failure.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, Callable
from urllib.parse import parse_qsl, urlencode

import msgspec

from laidian.clock import now_ms
from laidian.domain.affinity import Held, Holder, ObjectKind, Unreachable, at_home, preferring
from laidian.domain.catalog import Catalog
from laidian.domain.group import Group
from laidian.domain.key import Key
from laidian.domain.selection import Candidate, Selection
from laidian.errors import (
    LaidianError,
    NotFound,
    Stopping,
    Unauthenticated,
    UpstreamBroken,
    UpstreamLimited,
    UpstreamRefused,
    UpstreamSilent,
)
from laidian.protocol.family import Family, FamilyName
from laidian.relay import gates
from laidian.relay.affinity import find_own
from laidian.relay.affinity_words import out_of_reach
from laidian.relay.attempts import ERROR_BYTES, AttemptFailed, judge, of_transport
from laidian.relay.client import JSON_TYPE, Client
from laidian.relay.context import Context
from laidian.relay.crossing import USER_AGENT
from laidian.store.affinity import last_holder
from laidian.upstream.connection import Timeouts
from laidian.upstream.faults import TransportFault
from laidian.upstream.origin import parse_base_url
from laidian.upstream.providers import credential_headers
from laidian.upstream.transport import Exchange

SUB_ID = re.compile(r"[A-Za-z0-9_.-]{1,128}")
"""Ids of things inside an object, which are not looked up here and become a part of an upstream's path."""

_TYPE = re.compile(rb"[a-z]+/[a-z0-9.+-]+(?:; ?charset=[a-z0-9-]+)?", re.IGNORECASE)
_FAMILY: dict[str, FamilyName] = {
    "openai": "openai", "compatible": "openai", "responses": "openai", "gemini": "gemini",
}  # fmt: skip


class Errand(msgspec.Struct, frozen=True):
    """What is asked of an upstream."""

    method: bytes
    path: str
    """Below the base URL, encoded, with its query."""
    body: bytes | AsyncIterable[bytes] | None = None
    content_type: bytes = JSON_TYPE
    length: int | None = None
    """Of a body that is not bytes, where it is known."""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    absolute: bool = False
    """Whether `path` begins at the host instead."""


class Visitor(msgspec.Struct, frozen=True):
    """Who asks, and that they may."""

    context: Context
    client: Client
    catalog: Catalog
    key: Key
    group: Group

    def home(self, held: Held) -> Candidate:
        """The holder of an object. Raises NoUpstream when the operator took it away."""
        home = at_home(held.holder, self.group, self.catalog.upstreams)
        if isinstance(home, Unreachable):
            raise out_of_reach(held.kind, held.id, home, now_ms())
        upstream, place = home
        return Candidate(upstream, upstream.credentials[place], "")

    async def find(self, kind: ObjectKind, object_id: str) -> tuple[Held, Candidate]:
        """The key's object and who holds it. Raises NotFound, NoUpstream."""
        held = await find_own(self.context, kind, object_id, self.key)
        return held, self.home(held)

    def query(self, *allowed: str) -> str:
        """What of the client's query crosses, with its question mark; empty when nothing does."""
        raw: bytes = self.client.scope["query_string"]
        pairs = [
            (name, value)
            for name, value in parse_qsl(raw.decode("latin-1"), keep_blank_values=True)
            if name.removesuffix("[]") in allowed
        ]
        return f"?{urlencode(pairs)}" if pairs else ""

    def asked(self) -> dict[str, str]:
        """The client's query, the last value of each name."""
        raw: bytes = self.client.scope["query_string"]
        return dict(parse_qsl(raw.decode("latin-1")))

    async def body(self) -> bytes:
        limits = self.context.config.limits
        return await self.client.body(limits.body_max_bytes, limits.body_timeout_s)


def admit(context: Context, client: Client, capability: str) -> Visitor:
    """Raises Stopping, Unauthenticated, and NotFound where the group lacks the capability."""
    if context.stopping:
        raise Stopping("The server is stopping; try again in a moment.", retry_after_s=2.0)
    catalog = context.catalog.current()
    try:
        key = gates.authenticate(catalog, client.credential(), now_ms())
    except Unauthenticated:
        context.journal.unauthenticated()
        raise
    return visitor(context, client, catalog, key, capability)


def visitor(context: Context, client: Client, catalog: Catalog, key: Key, capability: str) -> Visitor:
    """The same for a key that is known already."""
    group = gates.group_of(catalog, key)
    if capability not in group.capabilities:
        raise NotFound(
            f"Group `{group.name}` of this key does not have the capability `{capability}`, which "
            f"{client.scope['method']} {client.scope['path'][:80]} needs. Ask the operator to add it.",
            code="endpoint_not_supported",
        )
    return Visitor(context, client, catalog, key, group)


async def beside_the_last(visit: Visitor, selection: Selection, kinds: tuple[ObjectKind, ...]) -> Selection:
    """The candidates for a new object, first of all the one that holds what the key made last."""
    at_ms, key_id = now_ms(), visit.key.id
    holder: Holder | None = await visit.context.writer.submit(
        lambda connection: last_holder(connection, kinds, key_id, at_ms)
    )
    return selection if holder is None else preferring(selection, holder)


async def ask(visit: Visitor, candidate: Candidate, errand: Errand) -> Exchange:
    """A 200 whose body is to be read. Raises UpstreamRefused for the provider's own no, another UpstreamFailure for its troubles."""
    try:
        return await attempt(visit, candidate, errand)
    except AttemptFailed as failure:
        raise explained(visit, candidate, failure) from None


async def attempt(visit: Visitor, candidate: Candidate, errand: Errand) -> Exchange:
    """The same, raising AttemptFailed where another upstream could be tried."""
    context, upstream = visit.context, candidate.upstream
    family = _FAMILY[upstream.kind]
    origin, prefix = parse_base_url(
        upstream.base_url, upstream.proxy.reveal() if upstream.proxy is not None else None
    )
    path = errand.path if errand.absolute else prefix + errand.path
    try:
        exchange = await context.transport.send(
            origin,
            errand.method,
            path.encode(),
            _headers(visit, candidate, errand, family),
            errand.body,
            Timeouts(upstream.connect_timeout_s, upstream.first_byte_timeout_s, upstream.idle_timeout_s),
            errand.length,
        )
        await _judge(exchange, candidate, context.families[family], now_ms())
    except TransportFault as fault:
        raise of_transport(fault, upstream.name) from None
    if (exchange.header(b"content-encoding") or b"identity") != b"identity":
        exchange.abort()
        raise AttemptFailed(
            "server", upstream.name, "it compressed its answer although told not to", status=200
        )
    return exchange


async def ask_first(
    visit: Visitor, selection: Selection, errand_of: Callable[[Candidate], Errand]
) -> tuple[Candidate, Exchange]:
    """Makes a new object at the first candidate that can. Raises what the last one failed with."""
    failure: AttemptFailed | None = None
    last: Candidate | None = None
    for candidate in selection.candidates[: visit.context.config.relay.attempts]:
        try:
            return candidate, await attempt(visit, candidate, errand_of(candidate))
        except AttemptFailed as failed:
            failure, last = failed, candidate
            if visit.client.gone:
                break
    if failure is None or last is None:
        raise _nowhere(visit, selection)
    raise explained(visit, last, failure)


async def read(visit: Visitor, candidate: Candidate, exchange: Exchange) -> bytes:
    """The whole answer. Raises UpstreamBroken."""
    try:
        return await exchange.read(visit.context.config.limits.answer_max_bytes)
    except TransportFault as fault:
        raise explained(visit, candidate, of_transport(fault, candidate.upstream.name)) from None


def answer_type(exchange: Exchange, otherwise: bytes = JSON_TYPE) -> bytes:
    """The upstream's content type where it is one that can be shown."""
    theirs = exchange.header(b"content-type")
    return theirs if theirs is not None and _TYPE.fullmatch(theirs) else otherwise


def explained(visit: Visitor, candidate: Candidate, failure: AttemptFailed) -> LaidianError:
    """What the client is told of an upstream that failed where no other can help; with what is known of its health."""
    if failure.status == 404:
        return UpstreamRefused(
            404,
            f"The upstream does not have it (any more): {failure.reason}.",
            code="not_found",
            param=None,
            type_="invalid_request_error",
        )
    opened = visit.context.health.opened(candidate.upstream.id, candidate.credential.id, "")
    known = f" It rests: {opened.reason}." if opened is not None else ""
    text = (
        f"The upstream could not answer. {failure.name}: {failure.reason}.{known} "
        "This is not your key's fault; the operator sees it."
    )
    if failure.kind == "limited":
        wait_s = None if failure.retry_after_ms is None else failure.retry_after_ms / 1000
        return UpstreamLimited(text, retry_after_s=wait_s or 5.0)
    if failure.kind == "silent":
        return UpstreamSilent(text)
    return UpstreamBroken(text)


def broken_off(candidate: Candidate) -> UpstreamBroken:
    """For the log: the client sees it by the length."""
    return UpstreamBroken(f"{candidate.upstream.name}: it broke off in the middle of the file.")


def _headers(
    visit: Visitor, candidate: Candidate, errand: Errand, family: FamilyName
) -> list[tuple[bytes, bytes]]:
    """What crosses, from nothing: no header of the client but those named here."""
    client = visit.client
    headers = [
        (b"accept", client.header(b"accept") or b"*/*"),
        (b"accept-encoding", b"identity"),
        (b"user-agent", USER_AGENT),
        (b"x-client-request-id", client.request_id.encode()),
        *credential_headers(family, candidate.credential.secret.reveal()),
        *errand.headers,
    ]
    if errand.body is not None:
        headers.append((b"content-type", errand.content_type))
    beta = client.header(b"openai-beta")
    if family == "openai" and beta is not None:
        headers.append((b"openai-beta", beta))
    return headers


async def stream(visit: Visitor, candidate: Candidate, exchange: Exchange) -> None:
    """Events as they come, byte for byte."""
    client, settings = visit.client, visit.context.config.relay
    client.watch(exchange.abort)
    client.keep_alive(settings.keep_alive_s)
    try:
        while data := await exchange.chunk():
            await client.write(data)
    except TransportFault as fault:
        if client.gone:
            return
        raise explained(visit, candidate, of_transport(fault, candidate.upstream.name)) from None
    await client.finish()


def _nowhere(visit: Visitor, selection: Selection) -> LaidianError:
    if not selection.blocked:
        return NotFound(
            f"No upstream of group `{visit.group.name}` keeps objects of this kind. Ask the operator.",
            code="endpoint_not_supported",
        )
    return gates.no_upstream(
        f"{visit.client.scope['method']} {visit.client.scope['path'][:80]}", selection.blocked, now_ms()
    )


async def _judge(exchange: Exchange, candidate: Candidate, family: Family, at_ms: int) -> None:
    """As `judge`; but Google says 403 of an object that is gone, and the operator's credential is not at fault then."""
    if family.name == "gemini" and exchange.status == 403:
        said = family.read_error(await exchange.read(ERROR_BYTES)).message
        name = candidate.upstream.name
        if "exist" in said or "not found" in said:
            raise AttemptFailed("server", name, "it has it no more", status=404, counts=False)
        raise AttemptFailed(
            "refused_credential", name, "it does not accept the operator's credential (403)", status=403
        )
    await judge(exchange, candidate, family, at_ms)
