"""One request to an upstream, one answer back: the relay's own HTTP/1.1 client.

Owns connections: a keep-alive pool per origin, time-outs, back-pressure, replacing a stale connection. It refuses
to follow redirects, to decompress, to read proxy settings from the environment, to retry, and to add a header
beyond Host and the framing (and what an egress proxy asks for): what crosses is the caller's decision. It knows
no provider, no money, no dialect.

The rule a newcomer would break: nothing per chunk but the chunk. No task, no `wait_for`, no timer is made while a
body streams; a connection has one timer for its whole life, which looks at a deadline when it fires, and moving
the deadline is one assignment. Stock httpx costs 2.8 ms of processor time per request at 16 connections, a bare
asyncio.Protocol 0.03 (measured 2026-11); `scripts/bench/transport.py` shows where this one stands.
"""

import asyncio
import contextlib
import math
import os
import socket
import ssl
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from typing import cast
from urllib.parse import quote, urlsplit

import msgspec

from laidian.upstream.faults import (
    ConnectFault,
    DisconnectFault,
    Phase,
    ProtocolFault,
    TimeoutFault,
    TLSFault,
    TransportFault,
)
from laidian.upstream.proxy import Proxy, authority, dial, open_tunnel, parse_proxy
from laidian.upstream.wire import Headers, ResponseReader, request_head

__all__ = ["Exchange", "Origin", "Timeouts", "Transport", "parse_base_url"]

HIGH_WATER = 256 * 1024
"""Bytes of a body that wait for a slow reader before the socket is no longer read."""

INLINE_LIMIT = 128 * 1024
"""Bytes of a request body written in one go with the head; above, it is sent in slices as the socket takes them."""

SLICE = 256 * 1024
"""Bytes handed to the socket at a time, so that a large body does not lie in memory twice."""

STALE_WINDOW_S = 5.0
"""How long after sending on a reused connection its silent death is taken for staleness. A peer that had closed
the idle connection says so within a round trip; one that works for a minute and then dies may have billed."""

TICK_S = 30.0
"""Longest time between two looks at a deadline. Shorter than an idle connection's life, so parking one moves no timer."""

# A dead peer behind a NAT is noticed while it is silent: after 60 s, 4 probes 15 s apart (Linux names).
_KEEPALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))

_DEFAULT_PORTS = {"http": 80, "https": 443}
_BODY_EXPECTED = frozenset((b"POST", b"PUT", b"PATCH"))


class Origin(msgspec.Struct, frozen=True):
    """Where requests go and by which way: connections are shared within one origin and never between two."""

    scheme: str
    """`http` or `https`."""

    host: str
    """Name (ASCII, lower case) or address, without brackets."""

    port: int
    """1 to 65535."""

    proxy: str | None = None
    """URL of the egress proxy with its credentials (see `parse_proxy`), or None to go directly. A secret."""

    def __repr__(self) -> str:
        by_proxy = "" if self.proxy is None else ", by proxy"
        return f"Origin({self.scheme}://{authority(self.host, self.port)}{by_proxy})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        # msgspec's own, which rich prefers, would print every field.
        return [("to", authority(self.host, self.port))]


class Timeouts(msgspec.Struct, frozen=True):
    """How long an upstream may keep us waiting."""

    connect_s: float = 10.0
    """Name lookup, TCP, proxy and TLS together."""

    first_byte_s: float = 300.0
    """From the request sent to the response head complete; interim (1xx) responses do not extend it."""

    idle_s: float = 300.0
    """Silence in the response body, or a socket that takes nothing more of the request body."""


def parse_base_url(url: str, proxy: str | None = None) -> tuple[Origin, str]:
    """An upstream's base URL as origin and path prefix; the prefix is percent-encoded, without trailing slash.

    `https://api.example.com/v1/` gives `(https api.example.com 443, "/v1")`. Raises ValueError with a sentence
    that does not repeat the URL, for another scheme, a missing host, a bad port, user info, query or fragment,
    and for a proxy that `parse_proxy` refuses.
    """
    if any(character <= " " or character == "\x7f" for character in url):
        raise ValueError("The base URL holds a blank or a control character.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(
            "The base URL has no valid host and port; write https://host or https://host:port."
        ) from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise ValueError(f"The base URL's scheme is {parts.scheme!r}; it must be https or http.")
    if "@" in parts.netloc:
        raise ValueError(
            "The base URL holds a user or password; give the credential to the upstream instead."
        )
    if "?" in url or "#" in url:
        raise ValueError("The base URL holds a query or a fragment; leave off everything from '?' or '#' on.")
    if not parts.hostname or port == 0:
        raise ValueError("The base URL has no valid host and port; write https://host or https://host:port.")
    if proxy is not None:
        parse_proxy(proxy)
    origin = Origin(parts.scheme, _ascii_host(parts.hostname), port or _DEFAULT_PORTS[parts.scheme], proxy)
    return origin, quote(parts.path.rstrip("/"), safe="/%:@!$&'()*+,;=~")


def _ascii_host(host: str) -> str:
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        raise ValueError("The base URL's host is no valid international name.") from None


class _Inflow:
    """What has arrived of one response and not yet been taken. Shared by the connection and the exchange."""

    __slots__ = ("complete", "fault", "parts", "size", "waiter")

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = 0
        self.complete = False
        self.fault: BaseException | None = None
        self.waiter: asyncio.Future[None] | None = None

    def arrival(self, loop: asyncio.AbstractEventLoop) -> asyncio.Future[None]:
        """Done at the next change. Cancelling it loses nothing."""
        if self.waiter is not None and not self.waiter.done():
            raise RuntimeError("Two tasks read one exchange; a body has one reader.")
        self.waiter = loop.create_future()
        return self.waiter

    def wake(self) -> None:
        waiter = self.waiter
        if waiter is not None:
            self.waiter = None
            if not waiter.done():
                waiter.set_result(None)


class Exchange:
    """The answer to one request: its head, and its body as it arrives.

    One task reads it. Cancelling that task inside `chunk` loses no byte and leaves the exchange whole, so that
    another may read on (a drain); whoever gives up calls `abort`. An exchange dropped before its end is aborted.
    """

    __slots__ = ("_connection", "_inflow", "_loop", "headers", "status")

    def __init__(
        self,
        status: int,
        headers: Headers,
        inflow: _Inflow,
        connection: "_Connection",
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.status = status
        self.headers = headers
        self._inflow = inflow
        self._connection = connection
        self._loop = loop

    def __repr__(self) -> str:
        return f"<Exchange {self.status}>"

    def __del__(self) -> None:
        # The garbage collector may run in a thread of the database, hence the detour.
        inflow, loop = self._inflow, self._loop
        if not inflow.complete and inflow.fault is None and not loop.is_closed():
            loop.call_soon_threadsafe(self._connection.abandon, inflow)

    def header(self, name: bytes) -> bytes | None:
        """The first value of a header, `name` in lower case; None without one."""
        for key, value in self.headers:
            if key == name:
                return value
        return None

    async def chunk(self) -> bytes:
        """All that has arrived of the body, waiting only if that is nothing; b"" at the complete end.

        Raises the TransportFault that ended the exchange, once what came before it has been taken.
        """
        inflow = self._inflow
        while not inflow.parts:
            if inflow.complete:
                return b""
            if inflow.fault is not None:
                raise inflow.fault
            await inflow.arrival(self._loop)
        parts = inflow.parts
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        parts.clear()
        inflow.size = 0
        self._connection.taken(inflow)
        return data

    async def read(self, limit: int) -> bytes:
        """The whole body, of at most `limit` bytes; above, the exchange is aborted and ProtocolFault raised."""
        pieces: list[bytes] = []
        size = 0
        while piece := await self.chunk():
            size += len(piece)
            if size > limit:
                peer = self._connection.peer
                self.abort()
                raise ProtocolFault(
                    f"The upstream {peer} answered with a body over {limit} bytes.",
                    phase="body",
                    ambiguous=True,
                )
            pieces.append(piece)
        return b"".join(pieces)

    def abort(self) -> None:
        """Closes the connection now and forgets what was not read. Without effect once the body is complete."""
        self._connection.abandon(self._inflow)


class _Request(msgspec.Struct, frozen=True):
    """A request as it will be written, kept for the case that a stale connection swallows it."""

    method: bytes

    head: bytes
    """Up to and with the empty line."""

    body: bytes | AsyncIterable[bytes] | None

    content_length: int | None
    """None for a chunked body."""

    timeouts: Timeouts

    def __repr__(self) -> str:
        return f"_Request({self.method!r})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("method", self.method.decode())]

    def at_once(self) -> bytes | None:
        """The whole request where one write will do; None where the body must be pumped."""
        body = self.body
        if body is None:
            return self.head
        return self.head + body if isinstance(body, bytes) and len(body) <= INLINE_LIMIT else None


class _Route:
    """What all requests to one origin share."""

    __slots__ = ("authorization", "forward", "host", "idle", "origin", "peer", "proxy", "target_prefix")

    def __init__(self, origin: Origin) -> None:
        if origin.scheme not in _DEFAULT_PORTS:
            raise ValueError(f"The origin's scheme is {origin.scheme!r}; it must be https or http.")
        self.origin = origin
        self.peer = authority(origin.host, origin.port)
        self.proxy: Proxy | None = None if origin.proxy is None else parse_proxy(origin.proxy)
        # An HTTP proxy is spoken to directly for http (RFC 9112, 3.2.2); everything else goes through a tunnel.
        self.forward = self.proxy is not None and self.proxy.kind == "http" and origin.scheme == "http"
        is_default = origin.port == _DEFAULT_PORTS[origin.scheme]
        host = f"[{origin.host}]" if ":" in origin.host else origin.host
        self.host = (host if is_default else self.peer).encode()
        self.target_prefix = b"http://" + self.host if self.forward else b""
        credentials = self.proxy.authorization() if self.proxy and self.forward else None
        self.authorization = () if credentials is None else ((b"Proxy-Authorization", credentials),)
        self.idle: deque[_Connection] = deque()


class _Connection(asyncio.Protocol):
    """One connection: idle in its route's pool, or carrying one exchange. Closed for good by the first fault."""

    __slots__ = (
        "_armed_for",
        "_begun_at",
        "_closed",
        "_deadline",
        "_idle_s",
        "_inflow",
        "_link",
        "_loop",
        "_now",
        "_owner",
        "_paused",
        "_timeouts",
        "_timer",
        "_writable",
        "_write_paused",
        "peer",
        "reader",
        "reused",
        "route",
        "sending",
    )

    def __init__(self, owner: "Transport", route: _Route, loop: asyncio.AbstractEventLoop) -> None:
        self.route = route
        self.peer = route.peer
        self.reused = False
        self.sending = False
        self.reader = ResponseReader(b"GET", route.peer)
        self._owner = owner
        self._loop = loop
        self._now = loop.time
        self._link: asyncio.Transport | None = None
        self._inflow: _Inflow | None = None
        self._timeouts = Timeouts()
        self._idle_s = 0.0
        self._begun_at = 0.0
        self._deadline = math.inf
        self._armed_for = math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._paused = False
        self._write_paused = False
        self._writable: asyncio.Future[None] | None = None
        self._closed = False

    # One exchange

    def begin(self, method: bytes, timeouts: Timeouts, sending: bool) -> _Inflow:
        """Makes ready for a response. With `sending`, the request's end is announced by `_sent`."""
        inflow = _Inflow()
        self._inflow = inflow
        self.reader = ResponseReader(method, self.peer)
        self.sending = sending
        self._timeouts = timeouts
        self._idle_s = timeouts.idle_s
        self._begun_at = now = self._now()
        self._wait_until(math.inf if sending else now + timeouts.first_byte_s)
        return inflow

    def write(self, data: bytes | memoryview) -> None:
        if self._link is not None and not self._closed:
            self._link.write(data)

    async def pump(self, request: _Request, inflow: _Inflow) -> None:
        """Sends a body as fast as the socket takes it. Ends early, quietly, when the exchange is over."""
        try:
            if request.content_length is None:
                await self._pump_chunks(request, inflow)
            else:
                await self._pump_length(request, request.content_length, inflow)
        except asyncio.CancelledError:
            # Ours, after an early answer or with the caller; or the source's own, which must not leave the caller waiting.
            if not self.reader.head_complete:
                self._fail(
                    inflow, self._disconnect("was sent no whole request: its body's source was cancelled")
                )
            raise
        except Exception as error:
            self._fail(inflow, error)

    async def _pump_chunks(self, request: _Request, inflow: _Inflow) -> None:
        async with contextlib.aclosing(_pieces(request.body)) as pieces:
            async for piece in pieces:
                if not await self._may_write(inflow):
                    return
                self.write(b"%x\r\n" % len(piece))
                self.write(piece)
                self.write(b"\r\n")
        if await self._may_write(inflow):
            self._sent()
            self.write(b"0\r\n\r\n")

    async def _pump_length(self, request: _Request, stated: int, inflow: _Inflow) -> None:
        unsent = stated
        if unsent == 0:
            self._sent()
        async with contextlib.aclosing(_pieces(request.body)) as pieces:
            async for piece in pieces:
                if not await self._may_write(inflow):
                    return
                unsent -= len(piece)
                if unsent < 0:
                    raise ValueError(f"The request body is longer than its stated {stated} bytes.")
                if unsent == 0:
                    self._sent()
                self.write(piece)
        if unsent:
            raise ValueError(f"The request body ended {unsent} bytes before its stated length of {stated}.")

    async def _may_write(self, inflow: _Inflow) -> bool:
        # Once round the loop, so that an early answer is read before a write trips over the reset behind it.
        await asyncio.sleep(0)
        while self._write_paused and self._inflow is inflow:
            self._wait_until(self._now() + self._idle_s)
            self._writable = self._loop.create_future()
            await self._writable
            self._writable = None
            if self._inflow is inflow and self.sending:
                self._wait_until(math.inf)
        return self._inflow is inflow

    def _sent(self) -> None:
        self.sending = False
        span_s = self._idle_s if self.reader.head_complete else self._timeouts.first_byte_s
        self._wait_until(self._now() + span_s)

    def taken(self, inflow: _Inflow) -> None:
        """The reader has emptied `inflow`."""
        if self._paused and self._inflow is inflow:
            self._resume()
            if not self.sending:
                self._wait_until(self._now() + self._idle_s)

    def abandon(self, inflow: _Inflow) -> None:
        """The caller wants no more of this exchange; a later one on the same connection is not touched."""
        if self._inflow is inflow:
            inflow.parts.clear()
            self._fail(inflow, self._disconnect("is no longer listened to: the relay ended the exchange"))
        elif not inflow.complete:
            inflow.parts.clear()

    def died_stale(self) -> bool:
        """Whether this connection, reused, died as one does that the peer had closed while it was idle."""
        return self.reused and not self.reader.heard and self._now() - self._begun_at < STALE_WINDOW_S

    def usable(self) -> bool:
        return not self._closed and self._link is not None and not self._link.is_closing()

    # What the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._link = cast(asyncio.Transport, transport)
        _tune(cast("socket.socket | None", transport.get_extra_info("socket")))
        self._owner.opened(self)

    def data_received(self, data: bytes) -> None:
        inflow = self._inflow
        if inflow is None:
            # Nobody asked: an answer without a request would become the next request's answer.
            self.close()
            return
        reader = self.reader
        try:
            size = reader.feed(data, inflow.parts)
        except ProtocolFault as fault:
            self._fail(inflow, fault)
            return
        inflow.size += size
        if reader.complete:
            self._finish(inflow)
        elif reader.head_complete:
            if not self.sending:
                self._wait_until(self._now() + self._idle_s)
            if inflow.size > HIGH_WATER and not self._paused:
                self._pause()
        else:
            return
        inflow.wake()

    def eof_received(self) -> None:
        self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc)
        self._owner.lost(self)
        self._link = None

    def pause_writing(self) -> None:
        self._write_paused = True

    def resume_writing(self) -> None:
        self._write_paused = False
        self._let_write()

    def _let_write(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)

    # Reading no more for a while

    def _pause(self) -> None:
        if self._link is not None and not self._link.is_closing():
            self._link.pause_reading()
            self._paused = True

    def _resume(self) -> None:
        self._paused = False
        if self._link is not None and not self._link.is_closing():
            self._link.resume_reading()

    # The ends

    def _finish(self, inflow: _Inflow) -> None:
        inflow.complete = True
        self._inflow = None
        reader = self.reader
        if self.sending or reader.surplus or not reader.keep_alive:
            self.close()
            return
        if self._paused:
            self._resume()
        self.reused = True
        self._wait_until(self._now() + self._owner.idle_ttl_s)
        self._owner.park(self)

    def _end(self, error: Exception | None) -> None:
        """The peer closed (None) or the connection broke."""
        inflow = self._inflow
        if inflow is None:
            self.close()
        elif error is None and self.reader.feed_eof():
            self._finish(inflow)
            inflow.wake()
        else:
            how = "closed" if error is None else "broke"
            self._fail(inflow, self._disconnect(f"{how} the connection {self._whereabouts()}"))

    def _whereabouts(self) -> str:
        phase = self._phase()
        if phase == "send":
            return "before it had taken the whole request"
        return "before it had answered" if phase == "head" else "in the middle of its answer"

    def _disconnect(self, what: str) -> DisconnectFault:
        return DisconnectFault(
            f"The upstream {self.peer} {what}.", phase=self._phase(), ambiguous=self._ambiguous()
        )

    def _phase(self) -> Phase:
        if self.reader.head_complete:
            return "body"
        return "send" if self.sending else "head"

    def _ambiguous(self) -> bool:
        """A request whose end was never written cannot have been processed, unless the peer began to answer it."""
        return not self.sending or self.reader.heard

    def _fail(self, inflow: _Inflow, fault: BaseException) -> None:
        if self._inflow is not inflow:
            return
        self._inflow = None
        inflow.fault = fault
        self.close()
        inflow.wake()

    def stop(self, what: str) -> None:
        """Ends the exchange, if one runs, with a fault that says `what`; closes."""
        inflow = self._inflow
        if inflow is not None:
            self._fail(inflow, self._disconnect(what))
        self.close()

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._owner.unpark(self)
        # Nothing is worth flushing: what we had to say was said, or nobody listens.
        if self._link is not None:
            self._link.abort()
        self._let_write()

    # The one timer

    def _wait_until(self, deadline: float) -> None:
        self._deadline = deadline
        if deadline < self._armed_for:
            self._arm(self._now())

    def _arm(self, now: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        delay_s = max(min(self._deadline - now, TICK_S), 0.0)
        self._armed_for = now + delay_s
        self._timer = None if self._closed else self._loop.call_later(delay_s, self._tick)

    def _tick(self) -> None:
        self._timer = None
        now = self._now()
        inflow = self._inflow
        if now < self._deadline:
            self._arm(now)
        elif inflow is None:
            self.close()
        elif self._paused and not self.sending:
            # Silent because we do not listen: the reader is slow, not the upstream.
            self._deadline = now + self._idle_s
            self._arm(now)
        else:
            self._fail(inflow, self._silence())

    def _silence(self) -> TimeoutFault:
        phase = self._phase()
        if self.sending:
            what = f"took no more of the request for {self._idle_s:g} s"
        elif phase == "head":
            what = f"did not begin to answer within {self._timeouts.first_byte_s:g} s"
        else:
            what = f"fell silent for {self._idle_s:g} s in the middle of its answer"
        return TimeoutFault(f"The upstream {self.peer} {what}.", phase=phase, ambiguous=self._ambiguous())


class Transport:
    """Sends requests; keeps connections warm. One per event loop."""

    def __init__(
        self,
        *,
        idle_per_origin: int = 64,
        idle_ttl_s: float = 50.0,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        """`idle_ttl_s` is below the 60 s after which common load balancers drop an idle connection (AWS ALB's default).

        Without `ssl_context`, the system's certificates are loaded at the first https connection.
        """
        self.idle_ttl_s = idle_ttl_s
        self._idle_per_origin = idle_per_origin
        self._ssl_context = ssl_context
        # Grows with the (origin, proxy) pairs that upstream rows name, not with requests.
        self._routes: dict[Origin, _Route] = {}
        self._connections: set[_Connection] = set()
        self._closed = False
        self._emptied: asyncio.Future[None] | None = None

    @property
    def open_connections(self) -> int:
        """Connections that stand, idle ones included."""
        return len(self._connections)

    @property
    def idle_connections(self) -> int:
        """Connections that wait for a request."""
        return sum(len(route.idle) for route in self._routes.values())

    async def send(
        self,
        origin: Origin,
        method: bytes,
        target: bytes,
        headers: Sequence[tuple[bytes, bytes]],
        body: bytes | AsyncIterable[bytes] | None = None,
        timeouts: Timeouts = Timeouts(),  # noqa: B008  (frozen)
        content_length: int | None = None,
    ) -> Exchange:
        """Sends one request and returns when the head of its answer has arrived, interim (1xx) ones passed over.

        `target` is an encoded path with query, from "/" on. A body of bytes gets Content-Length, an iterable is
        chunked unless `content_length` is given. On a reused connection that dies before a byte of an answer, a
        request without an iterable is sent once more on a fresh one. An answer of 400 or above that comes early
        ends the sending, and a generator given as body is then closed. Cancelling closes the connection at once.

        Raises TransportFault (see `faults`), ValueError for a request that cannot be written, and whatever the
        iterable raises.
        """
        if self._closed:
            raise ConnectFault("The relay is stopping; nothing more is sent upstream.")
        route = self._routes.get(origin)
        if route is None:
            route = self._routes[origin] = _Route(origin)
        framing, content_length = _framing(method, body, content_length)
        head = _head(route, method, target, headers, framing)
        request = _Request(method, head, body, content_length, timeouts)
        connection = self._unparked(route)
        if connection is not None:
            try:
                return await self._exchange(connection, request)
            except DisconnectFault:
                replayable = body is None or isinstance(body, bytes)
                if not replayable or self._closed or not connection.died_stale():
                    raise
        connection = await self._connect(route, timeouts)
        return await self._exchange(connection, request)

    async def aclose(self) -> None:
        """Closes all connections; exchanges under way end with DisconnectFault. Later sends raise ConnectFault."""
        self._closed = True
        for connection in list(self._connections):
            connection.stop("is no longer listened to: the relay is stopping")
        if self._connections:
            self._emptied = asyncio.get_running_loop().create_future()
            await asyncio.wait([self._emptied], timeout=1.0)

    # One exchange

    async def _exchange(self, connection: _Connection, request: _Request) -> Exchange:
        loop = asyncio.get_running_loop()
        pump: asyncio.Task[None] | None = None
        at_once = request.at_once()
        inflow = connection.begin(request.method, request.timeouts, sending=at_once is None)
        reader = connection.reader
        try:
            connection.write(request.head if at_once is None else at_once)
            if at_once is None:
                pump = loop.create_task(connection.pump(request, inflow))
            while not reader.head_complete:
                if inflow.fault is not None:
                    raise inflow.fault
                await inflow.arrival(loop)
            if pump is not None:
                await _end_pump(pump, inflow, reader.status, loop)
            if reader.status == 407 and connection.route.forward:
                raise ConnectFault(
                    f"The egress proxy of {connection.peer} asks for credentials, or refused those in the proxy URL."
                )
        except BaseException:
            connection.abandon(inflow)
            if pump is not None:
                pump.cancel()
                await asyncio.wait([pump])
            raise
        return Exchange(reader.status, reader.headers, inflow, connection, loop)

    # Connecting

    async def _connect(self, route: _Route, timeouts: Timeouts) -> _Connection:
        connection = _Connection(self, route, asyncio.get_running_loop())
        by_proxy = (
            f" through the egress proxy {authority(route.proxy.host, route.proxy.port)}"
            if route.proxy
            else ""
        )
        whither = f"{route.peer}{by_proxy}"
        try:
            async with asyncio.timeout(timeouts.connect_s):
                await self._link(connection)
        except BaseException as error:
            connection.close()
            fault = _connect_fault(error, whither, timeouts.connect_s)
            if fault is None:
                raise
            raise fault from error
        if self._closed or not connection.usable():
            connection.close()
            raise ConnectFault(f"The connection to {whither} was closed as soon as it stood.")
        return connection

    async def _link(self, connection: _Connection) -> None:
        route, loop = connection.route, asyncio.get_running_loop()
        origin, proxy = route.origin, route.proxy
        context = self._context() if origin.scheme == "https" else None
        if proxy is None or route.forward:
            place = proxy or origin
            peer_socket = await dial(place.host, place.port)
            server_hostname = origin.host if context else None
            await loop.create_connection(
                lambda: connection, sock=peer_socket, ssl=context, server_hostname=server_hostname
            )
            return
        link = await open_tunnel(proxy, origin.host, origin.port)
        if context is None:
            link.set_protocol(connection)
            connection.connection_made(link)
            return
        secured = await loop.start_tls(link, connection, context, server_hostname=origin.host)
        if secured is None:
            raise ConnectFault(f"The connection to {route.peer} was closed as soon as it stood.")
        connection.connection_made(secured)

    def _context(self) -> ssl.SSLContext:
        if self._ssl_context is None:
            self._ssl_context = ssl.create_default_context()
            self._ssl_context.set_alpn_protocols(["http/1.1"])
        return self._ssl_context

    # The pool; called by connections

    def _unparked(self, route: _Route) -> _Connection | None:
        """The connection used last, which is the least likely to be stale."""
        while route.idle:
            connection = route.idle.pop()
            if connection.usable():
                return connection
            connection.close()
        return None

    def park(self, connection: _Connection) -> None:
        idle = connection.route.idle
        if self._closed or self._idle_per_origin < 1:
            connection.close()
            return
        if len(idle) >= self._idle_per_origin:
            idle.popleft().close()
        idle.append(connection)

    def unpark(self, connection: _Connection) -> None:
        with contextlib.suppress(ValueError):
            connection.route.idle.remove(connection)

    def opened(self, connection: _Connection) -> None:
        self._connections.add(connection)

    def lost(self, connection: _Connection) -> None:
        self._connections.discard(connection)
        if self._emptied is not None and not self._connections and not self._emptied.done():
            self._emptied.set_result(None)


def _connect_fault(error: BaseException, whither: str, connect_s: float) -> ConnectFault | None:
    """What kept a connection from standing; None for what is not the network's doing (a cancellation)."""
    if isinstance(error, ssl.SSLError):
        reason = getattr(error, "verify_message", "") or error.reason or type(error).__name__
        return TLSFault(f"The TLS handshake with {whither} failed: {reason}.")
    if isinstance(error, TimeoutError):
        return ConnectFault(f"No connection to {whither} came about within {connect_s:g} s.")
    if isinstance(error, (OSError, UnicodeError)):
        return ConnectFault(f"No connection to {whither} came about: {_reason(error)}.")
    return None


def _reason(error: OSError | UnicodeError) -> str:
    """Few words for what the network said. asyncio replaces the system's by "Connect call failed"."""
    if isinstance(error, socket.gaierror):
        return f"the name was not found ({error.strerror})"
    if isinstance(error, UnicodeError):
        return "the name is no host name"
    return os.strerror(error.errno) if error.errno else type(error).__name__


def _framing(
    method: bytes, body: bytes | AsyncIterable[bytes] | None, content_length: int | None
) -> tuple[bytes, int | None]:
    """The framing line of a request, and its length where it has one."""
    if content_length is not None and content_length < 0:
        raise ValueError(f"The content length {content_length} is negative.")
    if body is None or isinstance(body, bytes):
        size = len(body or b"")
        if content_length is not None and content_length != size:
            raise ValueError(f"The content length {content_length} is not that of the body, {size} bytes.")
        if body is None and method not in _BODY_EXPECTED:
            return b"", 0
        return b"Content-Length: %d\r\n" % size, size
    if content_length is None:
        return b"Transfer-Encoding: chunked\r\n", None
    return b"Content-Length: %d\r\n" % content_length, content_length


def _head(
    route: _Route, method: bytes, target: bytes, headers: Sequence[tuple[bytes, bytes]], framing: bytes
) -> bytes:
    if target[:1] != b"/":
        raise ValueError("The request target must begin with '/'.")
    if route.forward:
        return request_head(
            method, route.target_prefix + target, route.host, (*headers, *route.authorization), framing
        )
    return request_head(method, target, route.host, headers, framing)


async def _pieces(body: bytes | AsyncIterable[bytes] | None) -> AsyncGenerator[bytes | memoryview, None]:
    """A body cut into what is written at once, none of it empty. A generator given as body is closed with it."""
    if body is None or isinstance(body, bytes):
        view = memoryview(body or b"")
        for start in range(0, len(view), SLICE):
            yield view[start : start + SLICE]
        return
    source = aiter(body)
    try:
        async for piece in source:
            if piece:
                yield piece
    finally:
        if isinstance(source, AsyncGenerator):
            await source.aclose()


async def _end_pump(
    pump: "asyncio.Task[None]", inflow: _Inflow, status: int, loop: asyncio.AbstractEventLoop
) -> None:
    """The answer has begun: a refusal makes the rest of the request pointless, anything else may need it."""
    while not pump.done():
        if status >= 400 or inflow.complete or inflow.fault is not None:
            pump.cancel()
            await asyncio.wait([pump])
            break
        arrival = inflow.arrival(loop)
        try:
            await asyncio.wait([pump, arrival], return_when=asyncio.FIRST_COMPLETED)
        finally:
            arrival.cancel()
    if inflow.fault is not None and not isinstance(inflow.fault, TransportFault):
        raise inflow.fault


def _tune(peer_socket: "socket.socket | None") -> None:
    if peer_socket is None or peer_socket.family not in (socket.AF_INET, socket.AF_INET6):
        return
    with contextlib.suppress(OSError):
        peer_socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer_socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEPALIVE:
            if hasattr(socket, name):
                peer_socket.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
