"""The translating half of the Gemini dialect: see `Codec`."""

from __future__ import annotations

from laidian.protocol.canonical import Encoded, Event, Request
from laidian.protocol.dialect import Peek
from laidian.protocol.gemini_encode import write_request
from laidian.protocol.gemini_path import GENERATE, STREAM, write_path
from laidian.protocol.gemini_request import read_request
from laidian.protocol.gemini_stream import GeminiReader, read_whole
from laidian.protocol.gemini_writing import GeminiWriter, write_whole


class GeminiCodec:
    """The `Codec` of generateContent and its streams; the other verbs have no counterpart elsewhere."""

    def decode_request(self, peek: Peek) -> Request:
        return read_request(peek)

    def encode_request(self, request: Request, model: str) -> Encoded:
        return write_request(request, model)

    def stream_path(self, model: str, *, stream: bool) -> str:
        return write_path(model, STREAM if stream else GENERATE)

    def reader(self) -> GeminiReader:
        return GeminiReader()

    def writer(self, peek: Peek, request: Request) -> GeminiWriter:
        return GeminiWriter(peek, request)

    def read_whole(self, body: bytes) -> list[Event]:
        return read_whole(body)

    def write_whole(self, peek: Peek, request: Request, events: list[Event]) -> bytes:
        return write_whole(peek, request, events)
