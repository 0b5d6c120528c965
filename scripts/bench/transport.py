"""Processor time per request of the upstream hop, against httpx2 and against a bare asyncio.Protocol, in one run.

    .venv/bin/python -m scripts.bench.transport [--requests N] [--rounds N] [--concurrency N]

A server in a process of its own answers each POST of 930 bytes with 930 bytes, or with a stream of 100 chunks in
bursts of ten. The clients take turns in short rounds, so that a busy machine is busy for all of them; the median
of the rounds is printed in microseconds of this process's own time, with its ratio to ours. Data on stdout.
"""

import argparse
import asyncio
import multiprocessing
import socket
import statistics
import time
from collections.abc import Awaitable, Callable
from multiprocessing.synchronize import Event
from typing import cast

import httpx2
import uvloop

from laidian.upstream.origin import Origin
from laidian.upstream.transport import Transport

BODY = b"x" * 930
CHUNK = b'data: {"choices":[{"delta":{"content":"word "}}]}\n\n'
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 930\r\n\r\n" + BODY
STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
BURST = b"%x\r\n%s\r\n" % (len(CHUNK), CHUNK) * 10
BURSTS = 10
HEADERS = [
    (b"Authorization", b"Bearer sk-bench"),
    (b"Content-Type", b"application/json"),
    (b"Accept", b"*/*"),
]

Call = Callable[[], Awaitable[int]]
"""Makes one request and returns the bytes of body it got."""


class Answering(asyncio.Protocol):
    """Answers each request; `/s` with a stream."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self.held = b""

    def data_received(self, data: bytes) -> None:
        self.held += data
        end = self.held.find(b"\r\n\r\n")
        if end < 0 or len(self.held) < end + 4 + len(BODY):
            return
        streamed = self.held.startswith(b"POST /s")
        self.held = b""
        if streamed:
            self.transport.write(STREAM_HEAD)
            self.burst(BURSTS)
        else:
            self.transport.write(PLAIN)

    def burst(self, left: int) -> None:
        self.transport.write(BURST if left else b"0\r\n\r\n")
        if left:
            asyncio.get_running_loop().call_later(0.001, self.burst, left - 1)


def serve(listener: socket.socket, stop: Event) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Answering, sock=listener)
        await loop.run_in_executor(None, stop.wait)
        server.close()

    uvloop.run(main())


class Bare(asyncio.Protocol):
    """The floor: one connection that knows the answer's length beforehand."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self.got = 0
        self.expected = 0
        self.done: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self.got += len(data)
        if self.got >= self.expected:
            self.done.set_result(self.got)

    async def call(self, request: bytes, expected: int) -> int:
        self.got, self.expected = 0, expected
        self.done = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        await self.done
        return expected


def bare_client(port: int, path: bytes, expected: int) -> Call:
    idle: list[Bare] = []
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in HEADERS)
    request = b"POST %s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n%s" % (
        path,
        lines,
        len(BODY),
        BODY,
    )

    async def call() -> int:
        if idle:
            connection = idle.pop()
        else:
            _, connection = await asyncio.get_running_loop().create_connection(Bare, "127.0.0.1", port)
        await connection.call(request, expected)
        idle.append(connection)
        return expected

    return call


def own_client(transport: Transport, port: int, path: bytes) -> Call:
    origin = Origin("http", "127.0.0.1", port)

    async def call() -> int:
        exchange = await transport.send(origin, b"POST", path, HEADERS, BODY)
        size = 0
        while piece := await exchange.chunk():
            size += len(piece)
        return size

    return call


def httpx2_client(client: httpx2.AsyncClient, port: int, path: bytes) -> Call:
    url = f"http://127.0.0.1:{port}{path.decode()}"

    async def call() -> int:
        size = 0
        async with client.stream("POST", url, headers=HEADERS, content=BODY) as response:
            async for piece in response.aiter_raw():
                size += len(piece)
        return size

    return call


async def round_us(call: Call, requests: int, concurrency: int, expected: int) -> float:
    """Processor time of this process per request, in microseconds."""
    left = requests

    async def work() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            got = await call()
            if got != expected:
                raise SystemExit(f"A client got {got} bytes of body instead of {expected}.")

    begun = time.process_time()
    await asyncio.gather(*(work() for _ in range(concurrency)))
    return (time.process_time() - begun) / requests * 1e6


async def compare(port: int, path: bytes, requests: int, options: argparse.Namespace) -> dict[str, float]:
    streamed = path == b"/s"
    expected = len(CHUNK) * 10 * BURSTS if streamed else len(BODY)
    raw = len(STREAM_HEAD) + len(BURST) * BURSTS + 5 if streamed else len(PLAIN)
    transport = Transport()
    async with httpx2.AsyncClient(trust_env=False, limits=httpx2.Limits(max_connections=100)) as client:
        bare = bare_client(port, path, raw)
        clients = {
            "transport": (own_client(transport, port, path), expected),
            "httpx2": (httpx2_client(client, port, path), expected),
            "bare": (bare, raw),
        }
        taken: dict[str, list[float]] = {name: [] for name in clients}
        for round_number in range(options.rounds + 1):
            for name, (call, size) in clients.items():
                spent_us = await round_us(call, requests, options.concurrency, size)
                if round_number:  # the first one warms up
                    taken[name].append(spent_us)
    await transport.aclose()
    return {name: statistics.median(values) for name, values in taken.items()}


async def report(port: int, options: argparse.Namespace) -> None:
    cases = (
        ("plain", b"/p", options.requests),
        ("stream of 100 chunks", b"/s", max(options.requests // 5, 1)),
    )
    for title, path, requests in cases:
        medians = await compare(port, path, requests, options)
        ours = medians["transport"]
        for name, value in medians.items():
            print(f"{title:22} {name:10} {value:8.1f} us/request  {value / ours:6.2f} x transport")


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare the upstream hop with httpx2.")
    parser.add_argument("--requests", type=int, default=500, help="requests a round")
    parser.add_argument("--rounds", type=int, default=5, help="measured rounds a client")
    parser.add_argument("--concurrency", type=int, default=16)
    options = parser.parse_args()
    listener = socket.create_server(("127.0.0.1", 0))
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    server = context.Process(target=serve, args=(listener, stop), daemon=True)
    server.start()
    try:
        uvloop.run(asyncio.wait_for(report(listener.getsockname()[1], options), timeout=55))
    finally:
        stop.set()
        server.join(5)


if __name__ == "__main__":
    main()
