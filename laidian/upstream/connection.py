"""One connection to an upstream: what it writes, what has arrived on it, and when it gives up.

Owns the state of a connection from its first byte to its close: the exchange it carries, time-outs, back-pressure, and
whether it may carry another. It refuses to connect, to choose a connection and to replace a stale one: that is
`transport`. The rule a newcomer would break: nothing per chunk but the chunk. No task, no `wait_for`, no timer is
made while a body streams; a connection has one timer for its whole life, which looks at a deadline when it fires, and
moving the deadline is one assignment.
"""

import asyncio
import contextlib
import math
import socket
from collections import deque
from collections.abc import AsyncGenerator
from typing import Protocol, cast

import msgspec

from laidian.upstream.faults import DisconnectFault, Phase, ProtocolFault, TimeoutFault
from laidian.upstream.origin import DEFAULT_PORTS, Origin
from laidian.upstream.proxy import Proxy, authority, parse_proxy
from laidian.upstream.wire import ResponseReader

__all__ = ["Connection", "Inflow", "Pieces", "Pool", "Route", "Timeouts"]

HIGH_WATER = 256 * 1024
"""Bytes of a body that wait for a slow reader before the socket is no longer read."""

STALE_WINDOW_S = 5.0
"""How long after sending on a reused connection its silent death is taken for staleness. A peer that had closed
the idle connection says so within a round trip; one that works for a minute and then dies may have billed."""

TICK_S = 30.0
"""Longest time between two looks at a deadline. Shorter than an idle connection's life, so parking one moves no timer."""

Pieces = AsyncGenerator[bytes | memoryview, None]
"""A request body cut into what is written at once, none of it empty."""

# A dead peer behind a NAT is noticed while it is silent: after 60 s, 4 probes 15 s apart (Linux names).
_KEEPALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))


class Timeouts(msgspec.Struct, frozen=True):
    """How long an upstream may keep us waiting."""

    connect_s: float = 10.0
    """Name lookup, TCP, proxy and TLS together."""

    first_byte_s: float = 300.0
    """From the request sent to the response head complete; interim (1xx) responses do not extend it."""

    idle_s: float = 300.0
    """Silence in the response body, or a socket that takes nothing more of the request body."""


class Pool(Protocol):
    """Who keeps connections, and hears from each what becomes of it."""

    idle_ttl_s: float
    """How long a parked connection may wait for its next request."""

    def opened(self, connection: "Connection") -> None:
        """It stands."""

    def park(self, connection: "Connection") -> None:
        """Its exchange is over and it may carry another."""

    def unpark(self, connection: "Connection") -> None:
        """It may carry no other; without effect if it was not parked."""

    def lost(self, connection: "Connection") -> None:
        """It stands no more."""


class Route:
    """What all requests to one origin share."""

    __slots__ = ("authorization", "forward", "host", "idle", "origin", "peer", "proxy", "target_prefix")

    def __init__(self, origin: Origin) -> None:
        if origin.scheme not in DEFAULT_PORTS:
            raise ValueError(f"The origin's scheme is {origin.scheme!r}; it must be https or http.")
        self.origin = origin
        self.peer = authority(origin.host, origin.port)
        self.proxy: Proxy | None = None if origin.proxy is None else parse_proxy(origin.proxy)
        # An HTTP proxy is spoken to directly for http (RFC 9112, 3.2.2); everything else goes through a tunnel.
        self.forward = self.proxy is not None and self.proxy.kind == "http" and origin.scheme == "http"
        is_default = origin.port == DEFAULT_PORTS[origin.scheme]
        host = f"[{origin.host}]" if ":" in origin.host else origin.host
        self.host = (host if is_default else self.peer).encode()
        self.target_prefix = b"http://" + self.host if self.forward else b""
        credentials = self.proxy.authorization() if self.proxy and self.forward else None
        self.authorization = () if credentials is None else ((b"Proxy-Authorization", credentials),)
        self.idle: deque[Connection] = deque()


class Inflow:
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


class Connection(asyncio.Protocol):
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

    def __init__(self, owner: Pool, route: Route, loop: asyncio.AbstractEventLoop) -> None:
        self.route = route
        self.peer = route.peer
        self.reused = False
        self.sending = False
        self.reader = ResponseReader(b"GET", route.peer)
        self._owner = owner
        self._loop = loop
        self._now = loop.time
        self._link: asyncio.Transport | None = None
        self._inflow: Inflow | None = None
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

    def begin(self, method: bytes, timeouts: Timeouts, sending: bool) -> Inflow:
        """Makes ready for a response. With `sending`, the request's end is announced by `_sent`."""
        inflow = Inflow()
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

    async def pump(self, pieces: Pieces, content_length: int | None, inflow: Inflow) -> None:
        """Sends a body as fast as the socket takes it, chunked without a `content_length`.

        Ends early, quietly, when the exchange is over; whatever `pieces` raises becomes the exchange's fault.
        """
        try:
            if content_length is None:
                await self._pump_chunks(pieces, inflow)
            else:
                await self._pump_length(pieces, content_length, inflow)
        except asyncio.CancelledError:
            # Ours, after an early answer or with the caller; or the source's own, which must not leave the caller waiting.
            if not self.reader.head_complete:
                self._fail(
                    inflow, self._disconnect("was sent no whole request: its body's source was cancelled")
                )
            raise
        except Exception as error:
            self._fail(inflow, error)

    async def _pump_chunks(self, pieces: Pieces, inflow: Inflow) -> None:
        async with contextlib.aclosing(pieces):
            async for piece in pieces:
                if not await self._may_write(inflow):
                    return
                self.write(b"%x\r\n" % len(piece))
                self.write(piece)
                self.write(b"\r\n")
        if await self._may_write(inflow):
            self._sent()
            self.write(b"0\r\n\r\n")

    async def _pump_length(self, pieces: Pieces, stated: int, inflow: Inflow) -> None:
        unsent = stated
        if unsent == 0:
            self._sent()
        async with contextlib.aclosing(pieces):
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

    async def _may_write(self, inflow: Inflow) -> bool:
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

    def taken(self, inflow: Inflow) -> None:
        """The reader has emptied `inflow`."""
        if self._paused and self._inflow is inflow:
            self._resume()
            if not self.sending:
                self._wait_until(self._now() + self._idle_s)

    def abandon(self, inflow: Inflow) -> None:
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

    def _finish(self, inflow: Inflow) -> None:
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

    def _fail(self, inflow: Inflow, fault: BaseException) -> None:
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


def _tune(peer_socket: "socket.socket | None") -> None:
    if peer_socket is None or peer_socket.family not in (socket.AF_INET, socket.AF_INET6):
        return
    with contextlib.suppress(OSError):
        peer_socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer_socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEPALIVE:
            if hasattr(socket, name):
                peer_socket.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
