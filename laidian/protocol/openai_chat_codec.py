"""The translating half of OpenAI Chat Completions: requests in and out, answers in and out.

Only ties the four files together that do the work; see `codec.Codec` for what is promised. Nothing here knows another dialect.
"""

from __future__ import annotations

from laidian.protocol import openai_chat_answer, openai_chat_stream
from laidian.protocol.canonical import Encoded, Event, Request
from laidian.protocol.dialect import Peek
from laidian.protocol.openai_chat_answer import ChatWriter
from laidian.protocol.openai_chat_encode import write_request
from laidian.protocol.openai_chat_request import read_request
from laidian.protocol.openai_chat_stream import ChatReader


class OpenAIChatCodec:
    """The `Codec` of /v1/chat/completions."""

    def decode_request(self, peek: Peek) -> Request:
        """Raises BadRequest naming the field that is wrong, or that no other protocol can be told."""
        return read_request(peek)

    def encode_request(self, request: Request, model: str) -> Encoded:
        """Raises BadRequest, by the client's name of the field, for what Chat Completions cannot say."""
        return write_request(request, model)

    def stream_path(self, model: str, *, stream: bool) -> str:
        return "/chat/completions"

    def reader(self) -> ChatReader:
        return ChatReader()

    def writer(self, peek: Peek, request: Request) -> ChatWriter:
        return ChatWriter(peek, request)

    def read_whole(self, body: bytes) -> list[Event]:
        """Raises StreamFault when the body is no complete chat completion."""
        return openai_chat_stream.read_whole(body)

    def write_whole(self, peek: Peek, request: Request, events: list[Event]) -> bytes:
        return openai_chat_answer.write_whole(peek, request, events)
