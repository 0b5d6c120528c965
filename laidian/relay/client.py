"""The client's side of one request: its body in, its answer out, and whether it is still there.

Knows ASGI and nothing else. Facts of Granian 2.8.7 that it rests on (tried 2026-11-22): the application is never cancelled when a
client hangs up, `receive()` then gives `http.disconnect`, and `send` to a closed connection does nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from laidian.errors import BadRequest, BodyTimeout, BodyTooLarge, LaidianError, UnsupportedMedia
from laidian.protocol.family import Family
from laidian.protocol.form import FormReader
from laidian.relay.spool import Spool

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

WATCH_AFTER_S = 0.25
"""A hang-up is looked for from then on; shorter requests are not worth a task."""

READER_TIMEOUT_S = 120.0
"""A client that takes no byte of a stream for so long is taken to be gone: its hold and its upstream are not kept for it."""

JSON_TYPE = b"application/json"
STREAM_TYPE = b"text/event-stream; charset=utf-8"


class Client:
    __slots__ = (
        "_abandoned",
        "_keep_alive_timer",
        "_last_write_s",
        "_loop",
        "_on_gone",
        "_receive",
        "_send",
        "_watch",
        "_watch_timer",
        "_writing",
        "ended",
        "family",
        "gone",
        "request_id",
        "scope",
        "started",
        "status",
        "stream_headers",
        "stream_type",
        "task",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send, family: Family, request_id: str) -> None:
        self.scope = scope
        self.family = family
        self.request_id = request_id
        self.started = False
        """Whether status and headers are out: a later failure has to be said in the stream."""
        self.ended = False
        self.gone = False
        self.status = 0
        self.stream_type = STREAM_TYPE
        self.stream_headers: tuple[tuple[bytes, bytes], ...] = ()
        """What the head of a stream says besides; of no effect once it is out."""
        self._receive = receive
        self._send = send
        self._loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None, "a request is served by a task"
        self.task: asyncio.Task[object] = task
        """Which serves this request; cancelled to break off a wait. Asked for once: it costs 3 us."""
        self._writing = False
        self._abandoned = False
        self._watch: asyncio.Task[None] | None = None
        self._watch_timer: asyncio.TimerHandle | None = None
        self._keep_alive_timer: asyncio.TimerHandle | None = None
        self._on_gone: Callable[[], None] | None = None
        self._last_write_s = 0.0

    def header(self, name: bytes) -> bytes | None:
        """The first value of a request header, `name` in lower case."""
        for key, value in self.scope["headers"]:
            if key == name:
                return value
        return None

    def credential(self) -> bytes | None:
        """The key that this request carries."""
        return self.family.credential(self.header, self.scope["query_string"])

    async def form(self, limit: int, timeout_s: float, folder: str) -> Spool:
        """A multipart body, put away as it comes and read on the way; the caller closes it. Raises what `body` raises."""
        self._check_head(limit)
        reader = FormReader(self.header(b"content-type") or b"")
        spool = Spool(folder)
        try:
            size, more = 0, True
            while more:
                message = await self._next_part(timeout_s)
                data, more = message.get("body", b""), message.get("more_body", False)
                size += len(data)
                if size > limit:
                    raise self._too_large(size, limit)
                spool.write(data)
                reader.feed(data)
            spool.form = reader.form()
        except BaseException:
            spool.close()
            raise
        return spool

    async def body(self, limit: int, timeout_s: float) -> bytes:
        """The whole request body.

        Raises UnsupportedMedia for a compressed one, BodyTooLarge over `limit` (before reading when the length is stated),
        BodyTimeout when it stalls, BadRequest when it is cut off or its framing is broken.
        """
        self._check_head(limit)
        message = await self._next_part(timeout_s)
        data: bytes = message.get("body", b"")
        if not message.get("more_body"):
            if len(data) > limit:
                raise self._too_large(len(data), limit)
            return data
        pieces, size = [data], len(data)
        while message.get("more_body"):
            message = await self._next_part(timeout_s)
            pieces.append(message.get("body", b""))
            size += len(pieces[-1])
            if size > limit:
                raise self._too_large(size, limit)
        return b"".join(pieces)

    def _check_head(self, limit: int) -> None:
        """What can be refused before a byte of the body is read."""
        encoding = self.header(b"content-encoding")
        if encoding is not None and encoding.lower() != b"identity":
            raise UnsupportedMedia(
                f"The body is compressed ({encoding.decode('latin-1')[:32]}); send it uncompressed, without Content-Encoding."
            )
        stated = self.header(b"content-length")
        if stated is not None and stated.isdigit() and int(stated) > limit:
            raise self._too_large(int(stated), limit)

    async def _next_part(self, timeout_s: float) -> dict[str, Any]:
        # not asyncio.timeout(): 5 us against 1, on every request
        task = self.task
        expired: list[bool] = []

        def expire() -> None:
            expired.append(True)
            task.cancel()

        timer = self._loop.call_later(timeout_s, expire)
        try:
            message = await self._receive()
        except asyncio.CancelledError:
            if not expired:
                raise
            task.uncancel()
            raise BodyTimeout(
                f"No byte of the body came for {timeout_s:g} s; send it without a pause, or in smaller pieces."
            ) from None
        except Exception:  # whatever words the server has for it, the body is at fault
            raise _broken_body() from None
        finally:
            timer.cancel()
        if message["type"] == "http.disconnect":
            # Granian says this of a broken chunk too, and then the client is still there to be told
            raise _broken_body()
        return message

    def _too_large(self, size: int, limit: int) -> BodyTooLarge:
        return BodyTooLarge(
            f"The body has {size:,} bytes or more; this server takes at most {limit:,}. "
            "Send smaller images, or ask the operator to raise limits.body_max_bytes."
        )

    def watch(self, on_gone: Callable[[], None]) -> None:
        """From now on `on_gone` is called once, when the client hangs up. Only after the body was read."""
        self._on_gone = on_gone
        self._watch_timer = self._loop.call_later(WATCH_AFTER_S, self._start_watch)

    def _start_watch(self) -> None:
        self._watch = self._loop.create_task(self._wait_gone())

    async def _wait_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if self.ended:
            return
        self.gone = True
        if self._on_gone is not None:
            self._on_gone()

    def keep_alive(self, every_s: float) -> None:
        """Lets a silent stream say that it is alive, beginning it if need be."""
        self._last_write_s = self._loop.time()
        self._keep_alive_timer = self._loop.call_later(every_s, self._keep_alive_tick, every_s)

    def _keep_alive_tick(self, every_s: float) -> None:
        if self.ended or self.gone:
            return
        silent_s = self._loop.time() - self._last_write_s
        if self._writing:
            # it does not read: a comment more would not help, and after a while nothing is kept open for it
            if silent_s > READER_TIMEOUT_S:
                self.abandon()
                if self._on_gone is not None:
                    self._on_gone()
            self._keep_alive_timer = self._loop.call_later(every_s, self._keep_alive_tick, every_s)
            return
        if silent_s >= every_s * 0.99:
            silent_s = 0.0
            self._loop.create_task(self.write(self.family.keep_alive))
        self._keep_alive_timer = self._loop.call_later(every_s - silent_s, self._keep_alive_tick, every_s)

    async def write(self, data: bytes) -> None:
        """Bytes of a stream, with its head before the first ones. Waits while the client is slow."""
        if self.gone or self.ended:
            return
        self._last_write_s = self._loop.time()
        if not self.started:
            self.started = True
            self.status = 200
            await self._send(
                {
                    "type": "http.response.start",
                    "status": 200,
                    "headers": [
                        (b"content-type", self.stream_type),
                        (b"cache-control", b"no-cache"),
                        (b"x-accel-buffering", b"no"),
                        *self._ids(),
                        *self.stream_headers,
                    ],
                }
            )
        self._writing = True
        try:
            await self._send({"type": "http.response.body", "body": data, "more_body": True})
        except asyncio.CancelledError:
            if not self._abandoned:
                raise
            self.task.uncancel()
            self.gone = True
        finally:
            self._writing = False

    def abandon(self) -> None:
        """The client reads no more and the request must end: a write that waits for it is given up."""
        if self._writing and not self._abandoned:
            self._abandoned = True
            self.task.cancel()

    async def finish(self) -> None:
        """The end of a stream."""
        self.stop()
        if not self.gone:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def respond(
        self,
        status: int,
        body: bytes,
        content_type: bytes = JSON_TYPE,
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        """A whole answer in one go."""
        self.status = status
        self.stop()
        if self.gone:
            return
        self.started = True
        await self._send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [
                    (b"content-type", content_type),
                    (b"content-length", b"%d" % len(body)),
                    *self._ids(),
                    *headers,
                ],
            }
        )
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    async def fail(self, error: LaidianError, closing: bytes | None = None) -> None:
        """An error in the client's protocol: as an answer, or in the stream when one is under way.

        `closing` is how the stream's own dialect says it, where an event of the family would not be understood.
        """
        if self.started:
            await self.write(closing or self.family.error_event(error))
            await self.finish()
        else:
            await self.respond(error.status, self.family.error_body(error), headers=retry_headers(error))

    def _ids(self) -> tuple[tuple[bytes, bytes], ...]:
        """The request's id under the names that clients read; Anthropic's SDK knows its own only."""
        own = self.request_id.encode()
        if self.family.name == "anthropic":
            return ((b"x-request-id", own), (b"request-id", own))
        return ((b"x-request-id", own),)

    def stop(self) -> None:
        """No more watching and keeping alive; the request is over for the client."""
        self.ended = True
        for timer in (self._watch_timer, self._keep_alive_timer):
            if timer is not None:
                timer.cancel()
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        self._on_gone = None


def _broken_body() -> BadRequest:
    return BadRequest(
        "The body ended early or its framing is broken. Check Content-Length, or the chunks of a chunked body."
    )


def retry_headers(error: LaidianError) -> tuple[tuple[bytes, bytes], ...]:
    """`retry-after` in whole seconds and in milliseconds, and `x-should-retry`, as the SDKs read them (protocol.md 5.2)."""
    headers: list[tuple[bytes, bytes]] = []
    if error.retry_after_s is not None:
        wait_ms = max(1, int(error.retry_after_s * 1000))
        headers.append((b"retry-after", b"%d" % -(-wait_ms // 1000)))
        headers.append((b"retry-after-ms", b"%d" % wait_ms))
    if error.retry is not None:
        headers.append((b"x-should-retry", b"true" if error.retry else b"false"))
    return tuple(headers)
