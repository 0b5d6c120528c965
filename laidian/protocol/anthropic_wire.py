"""The JSON of Anthropic's Messages API: one lenient form for reading blocks, exact ones for writing them.

Fields are those of anthropic 2.12.0 (seen 2026-11-22). What is read as `Raw` is looked into by whoever knows what the block's type makes of it.
"""

from __future__ import annotations

import re
from typing import TypeAlias, TypeVar

import msgspec
from msgspec import Raw

from laidian.errors import BadRequest

T = TypeVar("T")

_PATH = re.compile(r" - at `\$?(.*)`$")
_INDEX = re.compile(r"\[(\d+|\.\.\.)\]")


# Read


class Source(msgspec.Struct):
    """Of an image or a document."""

    type: str = ""
    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    file_id: str | None = None
    content: Raw = Raw()


class Block(msgspec.Struct):
    """A content block of any type."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    name: str | None = None
    input: Raw = Raw()
    tool_use_id: str | None = None
    is_error: bool | None = None
    title: str | None = None
    context: str | None = None
    source: Raw = Raw()
    content: Raw = Raw()
    citations: Raw = Raw()
    cache_control: Raw = Raw()


class Message(msgspec.Struct):
    role: str
    content: str | list[Block]


Content: TypeAlias = str | list[Block]

CONTENT: msgspec.json.Decoder[Content] = msgspec.json.Decoder(Content)
MESSAGES = msgspec.json.Decoder(list[Message])
SOURCE = msgspec.json.Decoder(Source)


def decoded(raw: bytes, decoder: msgspec.json.Decoder[T], name: str) -> T:
    """What `decoder` makes of `raw`. Raises BadRequest with the path of the field below `name` that is of another type."""
    try:
        return decoder.decode(raw)
    except RecursionError:
        raise BadRequest(f"`{name}` is nested too deeply.", param=name) from None
    except msgspec.DecodeError as error:
        words = str(error)
        found = _PATH.search(words)
        path = name + _INDEX.sub(r".\1", found[1]) if found else name
        raise BadRequest(
            f"`{path}` is not what Anthropic's protocol has there: {_PATH.sub('', words)}.",
            param=path,
            code="invalid_type",
        ) from None


# Written


class TextBlock(msgspec.Struct, tag="text"):
    text: str


class Base64Source(msgspec.Struct, tag="base64"):
    media_type: str
    data: str


class UrlSource(msgspec.Struct, tag="url"):
    url: str


class PlainSource(msgspec.Struct, tag="text"):
    media_type: str
    data: str


class ImageBlock(msgspec.Struct, tag="image"):
    source: Base64Source | UrlSource


class DocumentBlock(msgspec.Struct, tag="document", omit_defaults=True):
    source: Base64Source | UrlSource | PlainSource
    title: str | None = None


class ThinkingBlock(msgspec.Struct, tag="thinking"):
    thinking: str
    signature: str


class RedactedBlock(msgspec.Struct, tag="redacted_thinking"):
    data: str


class ToolUseBlock(msgspec.Struct, tag="tool_use"):
    id: str
    name: str
    input: Raw


class ToolResultBlock(msgspec.Struct, tag="tool_result", omit_defaults=True):
    tool_use_id: str
    content: list[TextBlock | ImageBlock | DocumentBlock] = []
    is_error: bool = False


WrittenBlock = (
    TextBlock | ImageBlock | DocumentBlock | ThinkingBlock | RedactedBlock | ToolUseBlock | ToolResultBlock
)


class Turn(msgspec.Struct):
    role: str
    content: list[WrittenBlock]


class FunctionTool(msgspec.Struct, omit_defaults=True):
    name: str
    input_schema: Raw
    description: str = ""
    strict: bool | None = None


class WebSearchTool(msgspec.Struct):
    type: str = "web_search_20250305"
    """The oldest version, which every model that can search takes."""
    name: str = "web_search"


class Choice(msgspec.Struct, omit_defaults=True):
    type: str
    name: str = ""
    disable_parallel_tool_use: bool = False


class Thinking(msgspec.Struct, omit_defaults=True):
    type: str
    budget_tokens: int | None = None
    display: str | None = None


class OutputFormat(msgspec.Struct):
    type: str
    schema: Raw


class OutputConfig(msgspec.Struct, omit_defaults=True):
    effort: str | None = None
    format: OutputFormat | None = None


class Metadata(msgspec.Struct):
    user_id: str


class Asked(msgspec.Struct, omit_defaults=True):
    """A Messages request."""

    model: str
    max_tokens: int
    messages: list[Turn]
    system: list[TextBlock] = []
    tools: list[FunctionTool | WebSearchTool] = []
    tool_choice: Choice | None = None
    thinking: Thinking | None = None
    output_config: OutputConfig | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop_sequences: tuple[str, ...] = ()
    metadata: Metadata | None = None
    service_tier: str = ""
    stream: bool = False
