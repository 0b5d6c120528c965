"""The door: a bare ASGI callable that takes the public surface's paths and hands everything else to Litestar.

Chosen by measurement: Litestar's own routing costs 40 to 46 us a request, and its `@asgi` mounts answer wrongly below `/v1`
(design.md 7a); this costs 4. Only this file knows what comes before a route: WebSockets, preflights, pages, HEAD. The rule a newcomer
would break: a relayed POST whose path is spelled as in the table meets one dictionary and none of all that.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from laidian.clock import now_ms
from laidian.errors import Bug, LaidianError
from laidian.protocol.dialect import OPERATIONS, Operation
from laidian.protocol.family import Family, FamilyName
from laidian.relay.client import Client, Receive, Scope, Send
from laidian.relay.context import Context
from laidian.relay.line import Line
from laidian.relay.relay import Relay
from laidian.relay.request_id import new_request_id
from laidian.routes.answers import ANSWERS
from laidian.routes.cors import preflight_headers, shared
from laidian.routes.marks import Marks, read_marks
from laidian.routes.matcher import Found, Matcher
from laidian.routes.paths import below_a_version, read_path, target
from laidian.routes.refusals import refusal
from laidian.routes.surface import SURFACE

ASGI = Callable[[Any, Any, Any], Awaitable[None]]

_log = logging.getLogger(__name__)

_MATCHER = Matcher(SURFACE)

_BY_NAME: dict[str, Operation] = {operation.name: operation for operation in OPERATIONS}


def _means_one_thing(operation: Operation) -> bool:
    """Whether its path is spelled out and leads to it whatever the request's marks are."""
    asked = read_path(operation.path)
    if operation.method != "POST" or operation.family != "openai" or "{" in operation.path or asked is None:
        return False
    families: tuple[FamilyName, ...] = ("openai", "gemini", "anthropic")
    found = (_MATCHER.find(asked, Marks(family), "POST") for family in families)
    return all(one is not None and one.row and one.row.operation == operation.name for one in found)


_STRAIGHT: dict[str, Operation] = {one.path: one for one in OPERATIONS if _means_one_thing(one)}
"""The hot path: what is relayed without another look."""


class Front:
    def __init__(self, context: Context, rest: ASGI, is_page: Callable[[Scope], bool]) -> None:
        """`is_page`: whether a browser asks for a page under a path that is the relay's, too."""
        self._context = context
        self._rest = rest
        self._is_page = is_page
        self._relay = Relay(context)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        operation = _STRAIGHT.get(scope["path"])
        if operation is None or scope["method"] != "POST":
            await self._find(scope, receive, send)
            return
        for name, value in scope["headers"]:
            if name == b"origin":
                send = shared(send, value)
                break
        await self._relay.serve(scope, receive, send, operation)

    async def _find(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Everything off the straight way: another spelling, method or family, what is answered here, nobody's path."""
        if self._is_page(scope):
            await self._rest(scope, receive, send)
            return
        method, path, query = scope["method"], scope["path"], scope["query_string"]
        marks, asked = read_marks(scope["headers"], query), read_path(path)
        marks.websocket = marks.websocket and method == "GET"
        if asked is not None:
            found = _MATCHER.find(asked, marks, method)
        else:
            found = Found(marks.family or "openai", path, None, {}, ()) if below_a_version(path) else None
        if found is None:
            await self._rest(scope, receive, send)
            return
        if method == "OPTIONS":
            await _preflight(send, marks)
            return
        if marks.origin is not None:
            send = shared(send, marks.origin)
        if method == "HEAD":
            send = _headers_only(send)
        operation = _BY_NAME.get(found.row.operation) if found.row is not None and found.row.served else None
        if operation is not None:
            scope["path"] = target(found.path, query, with_query=operation.family != "openai")
            await self._relay.serve(scope, receive, send, operation)
        else:
            await self._answer(scope, receive, send, found, marks)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, found: Found, marks: Marks) -> None:
        """What is answered here, and the refusal of everything else. Never raises."""
        context, row, at_ms = self._context, found.row, now_ms()
        client = Client(scope, receive, send, self._family(found.family), new_request_id())
        name = "unknown" if row is None else row.operation if row.served else "refused"
        line = Line(at_ms=at_ms, request_id=client.request_id, operation=name, status=0, duration_ms=0)
        refused: LaidianError | None = None
        try:
            if row is None or not row.served:
                raise refusal(found, scope["method"], websocket=marks.websocket, matcher=_MATCHER)
            await ANSWERS[name](context, client, found.params)
        except LaidianError as error:
            line.error, line.fault, refused = error.code, error.fault, error
            await _say(client, error, found)
        except Exception:
            _log.exception("a bug in request %s", client.request_id)
            line.error, line.fault = Bug.code, Bug.fault
            await client.fail(
                Bug(f"LaiDian failed on its own. Report it with the request id {client.request_id}.")
            )
        line.status, line.duration_ms = client.status, now_ms() - at_ms
        context.journal.request(line)
        if refused is not None and client.credential():
            # without a credential it is somebody who knocks at every door, and no row is kept of those
            context.refusals.note(client, name, refused, "", at_ms=at_ms, duration_ms=line.duration_ms)

    def _family(self, name: FamilyName) -> Family:
        families = self._context.families
        return families.get(name) or families["openai"]


async def _say(client: Client, error: LaidianError, found: Found) -> None:
    """An error in the client's shape; a 405 also names the methods where programs look for them (RFC 9110, 15.5.6)."""
    if error.status == 405 and not client.started:
        head = ("HEAD",) if "GET" in found.allowed else ()
        allow = ", ".join((*found.allowed, *head, "OPTIONS")).encode()
        await client.respond(405, client.family.error_body(error), headers=((b"allow", allow),))
    else:
        await client.fail(error)


async def _preflight(send: Send, marks: Marks) -> None:
    """Before authentication: a preflight carries no key."""
    headers = preflight_headers(marks.origin, marks.wanted_headers)
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _headers_only(send: Send) -> Send:
    """A `send` for HEAD: everything of a GET's answer but its body."""

    async def send_head(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_head
