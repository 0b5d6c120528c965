"""A closed loop of clients that read every answer to its end and check it.

    .venv/bin/python -m scripts.bench.load --port N [--key sk-…] [--stream] [--interval-ms N]
                                           [--connections N] [--seconds S | --requests K]

Each connection sends its next request when it has its answer. An answer counts only when it has status 200 and is whole
(a stream: all chunks of `upstream.py`, one finish, `[DONE]` last, no usage that nobody asked for); everything else is an
error, and its connection is opened anew. The one prompt is a constant and nothing of an answer is kept. 127.0.0.1 only, and bounded: a run ends.
"""

import argparse
import asyncio
import math
import time
from typing import cast

import msgspec
import uvloop

from scripts.bench.upstream import CHUNKS, INTERVAL_FIELD, MODEL

MAX_CONNECTIONS = 2_000
MAX_SECONDS = 600.0
PATIENCE_S = 30.0
"""How long after the end of a run the last answers may take."""

_SYSTEM = (
    b"You are a helpful assistant that answers in plain words, briefly, and says so when it does not know. "
)
_QUESTION = (
    b"Explain to a newcomer what stands between a client and a model provider, and why one would want it. "
)


class Report(msgspec.Struct):
    """What came of one run."""

    answers: int
    """Whole and right."""
    errors: int
    first_error: str
    bytes: int
    """Received in right answers, heads included."""
    seconds: float
    p50_ms: float
    p99_ms: float
    first_byte_p50_ms: float
    """From the request sent to the first byte of the body."""
    first_byte_p99_ms: float

    @property
    def per_second(self) -> float:
        return self.answers / self.seconds if self.seconds else 0.0


class Plan(msgspec.Struct, frozen=True):
    """One run. Ends after `seconds` or `requests`, whichever comes first."""

    port: int
    key: str = ""
    stream: bool = False
    interval_ms: int = 0
    """Pace that the upstream is asked for; only for streams."""
    connections: int = 16
    seconds: float = 5.0
    requests: int | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.connections <= MAX_CONNECTIONS or not 0 < self.seconds <= MAX_SECONDS:
            raise ValueError(
                f"{self.connections} connections for {self.seconds:g} s: at most {MAX_CONNECTIONS} and {MAX_SECONDS:g} s."
            )

    def request(self) -> bytes:
        """About 930 bytes of body, as a chat client writes it."""
        options = b""
        if self.stream:
            options = b',"stream":true'
            if self.interval_ms:
                options += b"," + INTERVAL_FIELD % self.interval_ms
        body = (
            b'{"model":"%s","messages":[{"role":"system","content":"%s"},{"role":"user","content":"%s"}],'
            b'"temperature":0.7,"top_p":1%s}'
        ) % (MODEL.encode(), _SYSTEM * 4, _QUESTION * 4, options)
        return (
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer %s\r\n"
            b"Content-Type: application/json\r\nAccept: application/json\r\nUser-Agent: bench/1\r\nContent-Length: %d\r\n\r\n%s"
        ) % (self.port, self.key.encode(), len(body), body)


class _Run:
    """What all connections of a run share."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.request = plan.request()
        self.left = math.inf if plan.requests is None else plan.requests
        self.until = time.perf_counter() + plan.seconds
        self.latencies: list[float] = []
        self.first_bytes: list[float] = []
        self.errors = 0
        self.first_error = ""
        self.bytes = 0

    def take(self) -> bool:
        """Whether one more request may be sent."""
        if self.left < 1 or time.perf_counter() >= self.until:
            return False
        self.left -= 1
        return True

    def failed(self, why: str) -> None:
        self.errors += 1
        self.first_error = self.first_error or why


class _Client(asyncio.Protocol):
    """One connection. `over` is done when it has nothing more to send, or when it broke."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._got = b""
        self._head_end = 0
        self._length: int | None = None
        self._sent_at = 0.0
        self._first_at = 0.0
        self._waiting = False
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._link = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting:
            self._run.failed(f"the connection ended after {len(self._got)} bytes of an answer: {exc}")
        self._waiting = False
        if not self.over.done():
            self.over.set_result(None)

    def stop(self) -> None:
        self._link.abort()

    def _next(self) -> None:
        if not self._run.take():
            self._link.close()
            return
        self._got, self._head_end, self._length = b"", 0, None
        self._first_at = 0.0
        self._waiting = True
        self._sent_at = time.perf_counter()
        self._link.write(self._run.request)

    def data_received(self, data: bytes) -> None:
        if not self._waiting:
            self._fail("bytes came that belong to no answer")
            return
        got = self._got = self._got + data if self._got else data
        if not self._head_end:
            self._head_end = got.find(b"\r\n\r\n") + 4
            if self._head_end < 4:
                self._head_end = 0
                return
            self._length = _content_length(got[: self._head_end])
        if not self._first_at and len(got) > self._head_end:
            self._first_at = time.perf_counter()
        if self._length is None:
            if got.endswith(b"\r\n0\r\n\r\n"):
                self._judge(unchunked(got[self._head_end :]))
        elif len(got) >= self._head_end + self._length:
            self._judge(got[self._head_end :])

    def _judge(self, body: bytes | None) -> None:
        if body is None:
            return  # the end was only the look of one
        run, now = self._run, time.perf_counter()
        status = self._got[9:12]
        wrong = (
            f"status {status.decode('latin-1')}: {body[:300].decode('latin-1')}" if status != b"200" else ""
        )
        wrong = wrong or (fault_of_stream(body) if run.plan.stream else fault_of_answer(body))
        if wrong:
            self._fail(wrong)
            return
        run.bytes += len(self._got)
        run.latencies.append(now - self._sent_at)
        run.first_bytes.append(self._first_at - self._sent_at)
        self._waiting = False
        self._next()

    def _fail(self, why: str) -> None:
        self._run.failed(why)
        self._waiting = False
        self._link.abort()


def fault_of_answer(body: bytes) -> str:
    """What is wrong with a plain answer; empty when nothing is."""
    whole = body.startswith(b'{"id":"') and body.endswith(b"}") and b'"usage":{' in body
    return "" if whole else f"an answer of {len(body)} bytes is not the upstream's"


def fault_of_stream(body: bytes) -> str:
    """What is wrong with a stream; empty when nothing is."""
    if not body.endswith(b"\n\ndata: [DONE]\n\n"):
        return f"a stream of {len(body)} bytes did not end with [DONE]"
    chunks, finishes = body.count(b'"content":"'), body.count(b'"finish_reason":"stop"')
    if chunks != CHUNKS or finishes != 1:
        return f"a stream had {chunks} chunks and {finishes} finishes instead of {CHUNKS} and 1"
    return "a stream showed usage that was not asked for" if b'"usage"' in body else ""


def unchunked(body: bytes) -> bytes | None:
    """A chunked body without its framing; None when it is not whole or not one body exactly."""
    pieces: list[bytes] = []
    position = 0
    while True:
        end = body.find(b"\r\n", position)
        if end < 0:
            return None
        size = int(body[position:end], 16)
        position = end + 2 + size
        if body[position : position + 2] != b"\r\n":
            return None
        if not size:
            return b"".join(pieces) if position + 2 == len(body) else None
        pieces.append(body[end + 2 : position])
        position += 2


def _content_length(head: bytes) -> int | None:
    lower = head.lower()
    mark = lower.find(b"\r\ncontent-length:")
    if mark < 0:
        return None
    return int(lower[mark + 17 : lower.index(b"\r\n", mark + 2)])


async def load(plan: Plan) -> Report:
    """Runs a plan. Raises ConnectionError when nothing listens."""
    run = _Run(plan)
    begun = time.perf_counter()
    ends_at = asyncio.get_running_loop().time() + plan.seconds + PATIENCE_S
    spread_s = plan.interval_ms / 1000 / plan.connections
    async with asyncio.TaskGroup() as group:
        for number in range(plan.connections):
            group.create_task(_connect(run, ends_at, number * spread_s))
    return _report(run, time.perf_counter() - begun)


async def _connect(run: _Run, ends_at: float, after_s: float) -> None:
    """Keeps one connection at work until the run ends. Paced streams start apart, so that their chunks do not come in step."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(after_s)
    while run.left >= 1 and time.perf_counter() < run.until:
        _, client = await loop.create_connection(lambda: _Client(run), "127.0.0.1", run.plan.port)
        try:
            async with asyncio.timeout_at(ends_at):
                await client.over
        except TimeoutError:
            run.failed(f"an answer was not complete {PATIENCE_S:g} s after the end of the run")
            client.stop()
            return
        if run.errors > 1_000:
            return


def _report(run: _Run, seconds: float) -> Report:
    latencies, first_bytes = sorted(run.latencies), sorted(run.first_bytes)
    return Report(
        answers=len(latencies),
        errors=run.errors,
        first_error=run.first_error,
        bytes=run.bytes,
        seconds=seconds,
        p50_ms=_quantile_ms(latencies, 0.5),
        p99_ms=_quantile_ms(latencies, 0.99),
        first_byte_p50_ms=_quantile_ms(first_bytes, 0.5),
        first_byte_p99_ms=_quantile_ms(first_bytes, 0.99),
    )


def _quantile_ms(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 if ordered else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description="Load a server on 127.0.0.1 with chat requests.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--key", default="")
    parser.add_argument("--stream", action="store_true")
    parser.add_argument("--interval-ms", type=int, default=0)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--requests", type=int)
    options = parser.parse_args()
    seconds = MAX_SECONDS if options.requests else options.seconds
    report = uvloop.run(load(Plan(**{**vars(options), "seconds": seconds})))
    print(msgspec.json.format(msgspec.json.encode(report), indent=2).decode())


if __name__ == "__main__":
    main()
