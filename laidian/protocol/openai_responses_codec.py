"""OpenAI Responses as one side of a translation. Nothing is stored for a translated request, whichever side it is on."""

from __future__ import annotations

from laidian.protocol.canonical import Encoded, Event, Request
from laidian.protocol.dialect import Peek
from laidian.protocol.openai_responses_encode import write_request
from laidian.protocol.openai_responses_request import read_request
from laidian.protocol.openai_responses_stream import ResponsesReader, read_whole
from laidian.protocol.openai_responses_writer import ResponsesWriter


class OpenAIResponsesCodec:
    """The `Codec` of /v1/responses."""

    def decode_request(self, peek: Peek) -> Request:
        """Raises BadRequest naming what cannot be carried, or what is wrong."""
        return read_request(peek)

    def encode_request(self, request: Request, model: str) -> Encoded:
        """Raises BadRequest with the client's name of what the Responses API cannot say."""
        return write_request(request, model)

    def stream_path(self, model: str, *, stream: bool) -> str:
        return "/responses"

    def reader(self) -> ResponsesReader:
        return ResponsesReader()

    def writer(self, peek: Peek, request: Request) -> ResponsesWriter:
        return ResponsesWriter(peek, request)

    def read_whole(self, body: bytes) -> list[Event]:
        """Raises StreamFault when the body is no finished response."""
        return read_whole(body)

    def write_whole(self, peek: Peek, request: Request, events: list[Event]) -> bytes:
        writer = ResponsesWriter(peek, request)
        writer.write(events)
        writer.end()
        return writer.last
