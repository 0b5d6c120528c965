"""What ties one request to an upstream credential: the objects it names, the conversation it belongs to, the object it makes.

Stands beside a request's life and is asked three times: before the gates (`bind`), after them (`Bond.direct`), and at the end
(`Bond.keep`). It holds no money and sends nothing. The rule a newcomer would break: whatever names another key's object is answered as
if the object did not exist, before any upstream is asked.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any
from urllib.parse import urlsplit

import msgspec

from laidian.clock import now_ms
from laidian.domain.affinity import Held, Holder, ObjectKind, Sessions, pinned, preferring, why_not
from laidian.domain.catalog import Catalog
from laidian.domain.key import Key
from laidian.domain.selection import Selection
from laidian.errors import BadRequest
from laidian.protocol.dialect import Operation, Peek
from laidian.protocol.stored import (
    Reference,
    continuation_id,
    conversation_of,
    references,
    session_of,
    stores_answer,
    stores_completion,
    uses_background,
)
from laidian.protocol.stored_answers import (
    BACKGROUND_NOTE,
    RESPONSE_DAYS,
    continuation_of,
    kept_tokens,
    note_of,
    response_id,
    streamed_response_id,
)
from laidian.relay.affinity_words import no_such_object, out_of_reach
from laidian.relay.client import Client
from laidian.relay.context import Context
from laidian.relay.gates import Ticket
from laidian.relay.outcome import Outcome
from laidian.store.affinity import find_object, remember_objects
from laidian.store.connection import Connection

_log = logging.getLogger(__name__)

_SESSION_HEADERS = (b"session-id", b"x-session-affinity", b"x-session-id", b"x-claude-code-session-id")
"""Codex, opencode and Claude Code, in the order of trust (protocol.md 1.0 and 3, seen 2026-11-22)."""
MAX_SESSION_CHARS = 200
DAY_MS = 86_400_000
CONTINUATION_MS = DAY_MS
"""How long a token is remembered; Google does not say how long it is good, and SDKs use it at once."""
KEEPING = ("openai", "responses")
"""Kinds of upstream that keep an answer and show it again."""


class WeighedPeek(Peek, frozen=True):
    """A request with what it names: an object's content is billed as input although the body does not hold it."""

    kept_tokens: int = 0

    def bound_input_tokens(self) -> int:
        return super().bound_input_tokens() + self.kept_tokens

    def likely_input_tokens(self) -> int:
        return super().likely_input_tokens() + self.kept_tokens


class Bonds:
    """Of one worker: remembers in memory which credential answered which conversation."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._sessions = Sessions()

    async def bind(self, client: Client, key: Key, operation: Operation, peek: Peek) -> Bond:
        """Looks up what the request names.

        Raises NotFound or BadRequest for an object that the key does not have, BadRequest for objects that lie at different upstreams.
        """
        context = self._context
        hosts = gemini_hosts(context.catalog.current()) if operation.family == "gemini" else ()
        named = references(operation.family, peek.fields, hosts)
        held = await find_all(context, key.id, named) if named else ()
        if held:
            tokens = sum(kept_tokens(one.meta) for one in held)
            fields: dict[str, Any] = {name: getattr(peek, name) for name in Peek.__struct_fields__}
            peek = WeighedPeek(**fields, kept_tokens=tokens)
        session = _session(client) or session_of(peek.fields)
        return Bond(context, self._sessions, key, operation, peek, held, session)


class Bond:
    """Of one request."""

    def __init__(
        self,
        context: Context,
        sessions: Sessions,
        key: Key,
        operation: Operation,
        peek: Peek,
        held: tuple[Held, ...],
        session: str | None,
    ) -> None:
        self.peek = peek
        """The request, weighed with what it names."""
        self._context = context
        self._sessions = sessions
        self._key = key
        self._operation = operation
        self._held = held
        self._session = session

    @property
    def in_background(self) -> bool:
        """Whether the answer is to be made although nobody waits for it."""
        return self._operation.name == "responses" and uses_background(self.peek.fields)

    def begun(self, outcome: Outcome, response_id: str) -> Held:
        """A response in the background, of which the client is about to hear."""
        assert outcome.candidate is not None
        holder, at_ms = Holder(outcome.candidate.upstream.id, outcome.candidate.credential.id), now_ms()
        expires_at_ms = at_ms + RESPONSE_DAYS * DAY_MS
        return Held("response", response_id, self._key.id, holder, at_ms, expires_at_ms, BACKGROUND_NOTE)

    def direct(self, ticket: Ticket) -> Ticket:
        """The ticket with the candidates that are right for this request. Raises NoUpstream where the only one cannot be asked now."""
        if self._held:
            return msgspec.structs.replace(ticket, selection=self._pinned(ticket))
        if len(ticket.selection.candidates) < 2:
            return ticket
        if self._session is None:
            # what a model thought is often good at its own account only, and so is its cache
            name, continued = conversation_of(self._operation.family, self.peek.fields)
            self._session = name or None
            if not continued:
                return ticket
        if self._session is None:
            return ticket
        holder = self._sessions.holder(self._key.id, ticket.model, self._session, now_ms())
        if holder is None:
            return ticket
        return msgspec.structs.replace(ticket, selection=preferring(ticket.selection, holder))

    def _pinned(self, ticket: Ticket) -> Selection:
        holder, context = self._held[0].holder, self._context
        selection = pinned(ticket.selection, holder)
        if not selection.candidates:
            upstreams = context.catalog.current().upstreams
            reason = why_not(holder, ticket.group, upstreams, ticket.model, context.health.opened)
            raise out_of_reach(self._held[0].kind, self._held[0].id, reason, now_ms())
        return selection

    def keep(self, outcome: Outcome, answer: bytes, made_id: str) -> None:
        """Remembers who answered, and what the answer made. Never raises.

        `answer` is a whole one, or a stream's last event; `made_id` what its tap found out (`Tap.made_id`).

        To be called before the settlement is submitted, so that both are in one commit and the client knows no id that we do not.
        """
        try:
            self._keep(outcome, answer, made_id)
        except Exception:  # whatever it is, the settlement comes next and must not be skipped
            _log.exception("request %s was not remembered", outcome.request_id)

    def _keep(self, outcome: Outcome, answer: bytes, made_id: str) -> None:
        candidate = outcome.candidate
        if candidate is None:
            return
        holder, at_ms = Holder(candidate.upstream.id, candidate.credential.id), now_ms()
        going_on = self._made_continuation(outcome, answer, made_id, holder, at_ms)
        if going_on:
            self._remember(going_on, at_ms)
        if outcome.ended != "complete":
            return
        if self._session is not None:
            self._sessions.note(self._key.id, outcome.ticket.model, self._session, holder, at_ms)
        made = self._made(outcome, answer, made_id, holder, at_ms)
        if made:
            self._remember(made, at_ms)

    def _remember(self, made: list[Held], at_ms: int) -> None:
        future = self._context.writer.submit(lambda connection: remember_objects(connection, made, at_ms))
        future.add_done_callback(_noticed)

    def _made(self, outcome: Outcome, answer: bytes, made_id: str, holder: Holder, at_ms: int) -> list[Held]:
        """The response itself, and the conversation that grew by it; or the chat completion."""
        if not answer or outcome.candidate is None or outcome.candidate.upstream.kind not in KEEPING:
            return []  # a translated answer is kept by nobody
        if self._operation.name == "chat.completions":
            native = outcome.candidate.upstream.kind == "openai"
            return self._made_completion(answer, made_id, holder, at_ms) if native else []
        if self._operation.name != "responses" or not stores_answer(self.peek.fields):
            return []
        made_id = (streamed_response_id(answer) if self.peek.stream else response_id(answer)) or ""
        if not made_id:
            return []
        usage, _ = outcome.used()
        note = note_of(usage.total_input_tokens + usage.total_output_tokens)
        expires_at_ms = at_ms + RESPONSE_DAYS * DAY_MS
        grown = [msgspec.structs.replace(one, meta=note) for one in self._held if one.kind == "conversation"]
        return [Held("response", made_id, self._key.id, holder, at_ms, expires_at_ms, note), *grown]

    def _made_continuation(
        self, outcome: Outcome, answer: bytes, made_id: str, holder: Holder, at_ms: int
    ) -> list[Held]:
        """What a Gemini answer can be gone on with at its maker only; also where it broke off, since clients then go on from there."""
        if self._operation.family != "gemini" or outcome.candidate is None:
            return []
        if outcome.candidate.upstream.kind != "gemini":
            return []
        token = made_id if self.peek.stream else continuation_of(answer)
        if not token:
            return []
        usage, _ = outcome.used()
        note = note_of(usage.total_input_tokens + usage.total_output_tokens)
        expires_at_ms = at_ms + CONTINUATION_MS
        held = Held(
            "gemini.continuation", continuation_id(token), self._key.id, holder, at_ms, expires_at_ms, note
        )
        return [held]

    def _made_completion(self, answer: bytes, made_id: str, holder: Holder, at_ms: int) -> list[Held]:
        if not stores_completion(self.peek.fields):
            return []
        made_id = made_id if self.peek.stream else response_id(answer) or ""
        expires_at_ms = at_ms + RESPONSE_DAYS * DAY_MS
        return [Held("completion", made_id, self._key.id, holder, at_ms, expires_at_ms)] if made_id else []


def gemini_hosts(catalog: Catalog) -> frozenset[str]:
    """Where addresses of files lead to the operator's accounts."""
    upstreams = catalog.upstreams.values()
    return frozenset(urlsplit(one.base_url).hostname or "" for one in upstreams if one.kind == "gemini")


async def find_all(context: Context, key_id: int, named: tuple[Reference, ...]) -> tuple[Held, ...]:
    """The objects, all at one credential. Raises NotFound or BadRequest naming the one that is not the key's, or lies elsewhere."""
    at_ms = now_ms()

    def find(connection: Connection) -> list[Held | None]:
        return [find_object(connection, one.kind, one.id, key_id, at_ms) for one in named]

    held: list[Held] = []
    for reference, found in zip(named, await context.writer.submit(find), strict=True):
        if found is None:
            raise no_such_object(reference.kind, reference.id, reference.param)
        if held and found.holder != held[0].holder:
            raise BadRequest(
                f"`{named[0].id}` and `{found.id}` are kept by different upstream accounts, so that no request can use both. "
                f"Make one of them again; LaiDian puts new objects beside the last one where it can.",
                param=reference.param,
                code="objects_apart",
            )
        held.append(found)
    return tuple(held)


async def find_own(context: Context, kind: ObjectKind, object_id: str, key: Key) -> Held:
    """One object of the key. Raises NotFound, in the same words whether it is unknown or another key's."""
    at_ms = now_ms()
    found = await context.writer.submit(lambda one: find_object(one, kind, object_id, key.id, at_ms))
    if found is None:
        raise no_such_object(kind, object_id, None)
    return found


async def remember(context: Context, held: list[Held]) -> None:
    """Returns when the rows are on disk, so that the client never knows an id that we do not. Raises StorageDown."""
    at_ms = now_ms()
    await context.writer.submit(lambda connection: remember_objects(connection, held, at_ms))


def _noticed(future: asyncio.Future[None]) -> None:
    if not future.cancelled() and future.exception() is not None:
        _log.warning("an object was not remembered: %s", future.exception())


def _session(client: Client) -> str | None:
    for name in _SESSION_HEADERS:
        value = client.header(name)
        if value and len(value) <= MAX_SESSION_CHARS:
            return value.decode("latin-1")
    return None
