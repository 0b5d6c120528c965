"""Scripted peers on real loopback sockets, and every test here on both event loops.

A peer plays one script per connection, in the order of the connections. A script is a dialogue:

    peer = await listen([READ, b"HTTP/1.1 200 OK\\r\\n…", RESET], [READ, …])

bytes are sent as they are; a function is awaited with the `Line`. At the end of its script a line stays open until
the client leaves, which `peer.left(index)` awaits. A connection without a script is counted and closed.
"""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest
import pytest_asyncio
import trustme
import uvloop

from laidian.upstream.origin import Origin
from laidian.upstream.transport import Transport

Step = bytes | Callable[["Line"], Awaitable[None]]
Script = Sequence[Step]


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item):
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


class Line:
    """The server's end of one connection."""

    def __init__(self, peer: "Peer", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.peer = peer
        self.reader = reader
        self.writer = writer

    async def head(self) -> bytes:
        return await self.reader.readuntil(b"\r\n\r\n")

    async def request(self) -> bytes:
        """One whole request; its body is decoded when it was chunked."""
        head = await self.head()
        lower = head.lower()
        body = b""
        if b"content-length: " in lower:
            body = await self.reader.readexactly(int(lower.split(b"content-length: ")[1].split(b"\r\n")[0]))
        elif b"transfer-encoding: chunked" in lower:
            while size := int(await self.reader.readuntil(b"\n"), 16):
                body += await self.reader.readexactly(size)
                assert await self.reader.readexactly(2) == b"\r\n"
            assert await self.reader.readexactly(2) == b"\r\n"
        return head + body

    async def send(self, data: bytes) -> None:
        if self.writer.is_closing():
            raise ConnectionResetError("the client has left")  # uvloop's write would raise a RuntimeError
        self.writer.write(data)
        await self.writer.drain()

    async def eof(self) -> bytes:
        """What the client still says until it closes."""
        with contextlib.suppress(ConnectionError):
            return await self.reader.read()
        return b""


class Peer:
    """A server and what it saw."""

    def __init__(self, scripts: Sequence[Script], scheme: str) -> None:
        self.scripts = list(scripts)
        self.scheme = scheme
        self.port = 0
        self.connections = 0
        self.requests: list[bytes] = []
        self.errors: list[BaseException] = []
        self._left = [asyncio.Event() for _ in range(len(scripts) + 8)]
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def origin(self) -> Origin:
        return Origin(self.scheme, "127.0.0.1", self.port)

    async def left(self, index: int = 0) -> None:
        """Until the client has closed its end of connection `index`."""
        async with asyncio.timeout(5):
            await self._left[index].wait()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        index = self.connections
        self.connections += 1
        line = Line(self, reader, writer)
        try:
            if index < len(self.scripts):
                await self._play(line, self.scripts[index])
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client left in the middle of the script; the test asserts what it got
        except asyncio.CancelledError:
            pass  # the test is over
        except Exception as error:
            self.errors.append(error)
        finally:
            self._left[index].set()
            writer.close()

    async def _play(self, line: Line, script: Script) -> None:
        for step in script:
            if isinstance(step, bytes):
                await line.send(step)
            else:
                await step(line)
            if line.writer.is_closing():
                return
        await line.eof()

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def read(line: Line) -> None:
    line.peer.requests.append(await line.request())


async def close(line: Line) -> None:
    line.writer.close()


async def reset(line: Line) -> None:
    """Ends with RST instead of FIN."""
    peer_socket = line.writer.get_extra_info("socket")
    peer_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line.writer.transport.abort()


class Steps:
    """The words of a script."""

    READ = staticmethod(read)
    CLOSE = staticmethod(close)
    RESET = staticmethod(reset)

    @staticmethod
    def wait(event: asyncio.Event) -> Callable[[Line], Awaitable[None]]:
        async def step(line: Line) -> None:
            await event.wait()

        return step

    @staticmethod
    def tell(event: asyncio.Event) -> Callable[[Line], Awaitable[None]]:
        async def step(line: Line) -> None:
            event.set()

        return step


@pytest.fixture
def say() -> type[Steps]:
    return Steps


@pytest_asyncio.fixture
async def listen() -> AsyncIterator[Callable[..., Awaitable[Peer]]]:
    started: list[tuple[Peer, asyncio.Server]] = []

    async def start(*scripts: Script, tls: ssl.SSLContext | None = None) -> Peer:
        peer = Peer(scripts, "https" if tls else "http")
        server = await asyncio.start_server(peer.answer, "127.0.0.1", 0, ssl=tls, limit=2**20)
        peer.port = server.sockets[0].getsockname()[1]
        started.append((peer, server))
        return peer

    yield start
    for peer, server in started:
        server.close()
        await peer.stop()
        assert peer.errors == []


@pytest_asyncio.fixture
async def transport() -> AsyncIterator[Transport]:
    instance = Transport()
    yield instance
    await instance.aclose()
    assert instance.open_connections == 0
    assert instance.idle_connections == 0


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    """For 127.0.0.1 and the name upstream.test."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1", "upstream.test").configure_cert(context)
    return context


@pytest.fixture(scope="session")
def client_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context
