"""A provider that costs next to nothing, so that what is measured is what stands before it.

    .venv/bin/python -m scripts.bench.upstream [--port N] [--interval-ms N]

Answers POST /v1/chat/completions with 970 bytes of JSON, or with 100 chunks of 210 bytes, and GET /v1/models; everything
is prepared bytes. A stream goes out at once, or a chunk every `--interval-ms`; a request may set its own interval in
`metadata`, because that crosses a relay and a header does not. Checks nothing: it is no simulated provider and no test
may use it for one. Loopback only.
"""

import argparse
import asyncio
import re
from collections.abc import Iterator
from typing import cast

import uvloop

MODEL = "gpt-5.4"
CHUNKS = 100
"""Content chunks in a stream; a finishing one, the usage when it was asked for, and [DONE] follow."""

INTERVAL_FIELD = b'"metadata":{"interval_ms":"%d"}'
"""How a request body asks for its own pace."""

_INTERVAL = re.compile(rb'"interval_ms":"(\d{1,5})"')
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_STREAM = re.compile(rb'"stream": *true')
_USAGE = re.compile(rb'"include_usage": *true')

_USAGE_JSON = (
    b'{"prompt_tokens":212,"completion_tokens":%d,"total_tokens":%d,"prompt_tokens_details":{"cached_tokens":64,'
    b'"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,'
    b'"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}'
)
_TEXT = b"A relay stands between a client and a provider and writes down what passes through. " * 5
_ANSWER = (
    b'{"id":"chatcmpl-CbEnchBenchBenchBenchBench001","object":"chat.completion","created":1795300000,"model":"gpt-5.4",'
    b'"choices":[{"index":0,"message":{"role":"assistant","content":"%s","refusal":null,"annotations":[]},'
    b'"logprobs":null,"finish_reason":"stop"}],"usage":%s,"service_tier":"default","system_fingerprint":null}'
) % (_TEXT[:403], _USAGE_JSON % (88, 300))
_CHUNK = (
    b'data: {"id":"chatcmpl-CbEnchBenchBenchBenchBench001","object":"chat.completion.chunk","created":1795300000,'
    b'"model":"gpt-5.4","choices":[{"index":0,"delta":%s,"finish_reason":%s}]%s}\n\n'
)


def _sized(event: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(event), event)


def _head(kind: bytes, framing: bytes) -> bytes:
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nx-request-id: req_bench\r\nopenai-processing-ms: 1\r\n"
        b"openai-version: 2020-10-01\r\n%s\r\n\r\n"
    ) % (kind, framing)


def _whole(body: bytes) -> bytes:
    return _head(b"application/json", b"Content-Length: %d" % len(body)) + body


def _stream(with_usage: bool) -> tuple[bytes, ...]:
    """The pieces of a stream, head and end included, one for each turn of a paced stream."""
    tail = b',"usage":null' if with_usage else b""
    events = [_CHUNK % (b'{"content":" word%03d and"}' % number, b"null", tail) for number in range(CHUNKS)]
    end = _CHUNK % (b"{}", b'"stop"', tail)
    if with_usage:
        usage = b',"usage":' + _USAGE_JSON % (CHUNKS, CHUNKS + 212)
        end += re.sub(
            rb'"choices":\[.*\]', b'"choices":[]', _CHUNK % (b"{}", b'"stop"', usage), flags=re.DOTALL
        )
    pieces = [_sized(event) for event in events]
    pieces[0] = _head(b"text/event-stream; charset=utf-8", b"Transfer-Encoding: chunked") + pieces[0]
    return (*pieces, _sized(end) + _sized(b"data: [DONE]\n\n") + b"0\r\n\r\n")


ANSWER = _whole(_ANSWER)
MODELS = _whole(
    b'{"object":"list","data":[{"id":"%s","object":"model","created":1795300000,"owned_by":"openai"}]}'
    % MODEL.encode()
)
_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
_STREAMS = {with_usage: _stream(with_usage) for with_usage in (False, True)}
_AT_ONCE = {with_usage: b"".join(pieces) for with_usage, pieces in _STREAMS.items()}


class Provider(asyncio.Protocol):
    """One connection. One request at a time, as a relay sends them."""

    def __init__(self, interval_ms: int = 0) -> None:
        self._interval_ms = interval_ms
        self._loop = asyncio.get_running_loop()
        self._held = b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._link = cast(asyncio.Transport, transport)  # uvloop's is no subclass

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        if self._held:
            data = self._held + data
        end = data.find(b"\r\n\r\n") + 4
        if end >= 4:
            length = _LENGTH.search(data, 0, end)
            if len(data) >= end + (int(length[1]) if length else 0):
                self._held = b""
                self._answer(data, end)
                return
        self._held = data

    def _answer(self, request: bytes, end: int) -> None:
        if request.startswith(b"POST /v1/chat/completions "):
            if _STREAM.search(request, end):
                self._begin_stream(request, end)
            else:
                self._link.write(ANSWER)
        else:
            self._link.write(MODELS if request.startswith(b"GET /v1/models ") else _NOT_FOUND)

    def _begin_stream(self, request: bytes, end: int) -> None:
        with_usage = _USAGE.search(request, end) is not None
        asked = _INTERVAL.search(request, end)
        interval_s = (int(asked[1]) if asked else self._interval_ms) / 1000
        if interval_s:
            self._send(iter(_STREAMS[with_usage]), self._loop.time(), interval_s)
        else:
            self._link.write(_AT_ONCE[with_usage])

    def _send(self, pieces: Iterator[bytes], due: float, interval_s: float) -> None:
        piece = next(pieces, None)
        if piece is None:
            return
        self._link.write(piece)
        due += interval_s
        self._timer = self._loop.call_at(due, self._send, pieces, due, interval_s)


async def serve(port: int, interval_ms: int) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Provider(interval_ms), "127.0.0.1", port)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve prepared answers on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=18082)
    parser.add_argument("--interval-ms", type=int, default=0, help="pause between a stream's chunks; 0: none")
    options = parser.parse_args()
    uvloop.run(serve(options.port, options.interval_ms))


if __name__ == "__main__":
    main()
