"""How many input tokens a canonical request likely has: for the first event of a stream and for counting where nobody counts.

An estimate, never a bill. Works on the parts and not on the body's bytes, where a base64 picture would pass for text.
"""

from __future__ import annotations

from laidian.domain.estimate import MEDIA_BYTES_PER_TOKEN, MEDIA_TOKENS, likely_tokens
from laidian.protocol.canonical import (
    Audio,
    File,
    Image,
    Part,
    Refusal,
    Request,
    Text,
    Thought,
    ToolCall,
    ToolResult,
)

MESSAGE_TOKENS = 4
"""Framing of a turn, as OpenAI documents it for its own models; Anthropic tells no figure."""


def likely_request_tokens(request: Request) -> int:
    """Tokens of messages, tools and schema together; at least 1."""
    tokens = sum(
        MESSAGE_TOKENS + sum(_of(part) for part in message.parts) for message in request.messages
    ) + sum(
        likely_tokens(tool.name.encode())
        + likely_tokens(tool.description.encode())
        + likely_tokens(tool.parameters)
        for tool in request.tools
    )
    schema = b"" if request.format is None else request.format.schema
    return max(1, tokens + likely_tokens(schema))


def _of(part: Part) -> int:
    match part:
        case Text(text) | Refusal(text) | Thought(text):
            return likely_tokens(text.encode("utf-8", "surrogatepass"))
        case ToolCall():
            return likely_tokens(part.name.encode()) + likely_tokens(part.arguments.encode())
        case ToolResult():
            return sum(_of(inner) for inner in part.parts)
        case Image() | File() | Audio():
            return max(MEDIA_TOKENS, len(part.data) // MEDIA_BYTES_PER_TOKEN)
