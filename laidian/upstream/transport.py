"""One request to an upstream, one answer back: the relay's own HTTP/1.1 client.

Owns the sending and the pool: which connection carries a request, how a new one is made, when a stale one is
replaced. What happens on a connection is `connection`'s. It refuses to follow redirects, to decompress, to read proxy
settings from the environment, to retry, and to add a header beyond Host and the framing (and what an egress proxy
asks for): what crosses is the caller's decision. It knows no provider, no money, no dialect.

The rule a newcomer would break: a request goes out a second time only where a reused connection died as a stale one
does; any other death may have been billed. And every microsecond counts: stock httpx costs 2.8 ms of processor time
per request at 16 connections, a bare asyncio.Protocol 0.03 (measured 2026-11); `scripts/bench/transport.py` shows
where this one stands.
"""

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterable, Sequence

import msgspec

from laidian.upstream.connection import Connection, Inflow, Pieces, Route, Timeouts
from laidian.upstream.faults import (
    ConnectFault,
    DisconnectFault,
    ProtocolFault,
    TLSFault,
    TransportFault,
)
from laidian.upstream.origin import Origin
from laidian.upstream.proxy import authority, dial, open_tunnel
from laidian.upstream.wire import Headers, request_head

__all__ = ["Exchange", "Transport"]

INLINE_LIMIT = 128 * 1024
"""Bytes of a request body written in one go with the head; above, it is sent in slices as the socket takes them."""

SLICE = 256 * 1024
"""Bytes handed to the socket at a time, so that a large body does not lie in memory twice."""

_BODY_EXPECTED = frozenset((b"POST", b"PUT", b"PATCH"))


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
        inflow: Inflow,
        connection: Connection,
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
        self._routes: dict[Origin, Route] = {}
        self._connections: set[Connection] = set()
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
            route = self._routes[origin] = Route(origin)
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

    async def _exchange(self, connection: Connection, request: _Request) -> Exchange:
        loop = asyncio.get_running_loop()
        pump: asyncio.Task[None] | None = None
        at_once = request.at_once()
        inflow = connection.begin(request.method, request.timeouts, sending=at_once is None)
        reader = connection.reader
        try:
            connection.write(request.head if at_once is None else at_once)
            if at_once is None:
                pump = loop.create_task(
                    connection.pump(_pieces(request.body), request.content_length, inflow)
                )
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

    async def _connect(self, route: Route, timeouts: Timeouts) -> Connection:
        connection = Connection(self, route, asyncio.get_running_loop())
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

    async def _link(self, connection: Connection) -> None:
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

    def _unparked(self, route: Route) -> Connection | None:
        """The connection used last, which is the least likely to be stale."""
        while route.idle:
            connection = route.idle.pop()
            if connection.usable():
                return connection
            connection.close()
        return None

    def park(self, connection: Connection) -> None:
        idle = connection.route.idle
        if self._closed or self._idle_per_origin < 1:
            connection.close()
            return
        if len(idle) >= self._idle_per_origin:
            idle.popleft().close()
        idle.append(connection)

    def unpark(self, connection: Connection) -> None:
        with contextlib.suppress(ValueError):
            connection.route.idle.remove(connection)

    def opened(self, connection: Connection) -> None:
        self._connections.add(connection)

    def lost(self, connection: Connection) -> None:
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
    route: Route, method: bytes, target: bytes, headers: Sequence[tuple[bytes, bytes]], framing: bytes
) -> bytes:
    if target[:1] != b"/":
        raise ValueError("The request target must begin with '/'.")
    if route.forward:
        return request_head(
            method, route.target_prefix + target, route.host, (*headers, *route.authorization), framing
        )
    return request_head(method, target, route.host, headers, framing)


async def _pieces(body: bytes | AsyncIterable[bytes] | None) -> Pieces:
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
    pump: "asyncio.Task[None]", inflow: Inflow, status: int, loop: asyncio.AbstractEventLoop
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
