"""A client's Anthropic messages, block by block, read into canonical messages.

The rule a newcomer would break: a name in an error is the path as the client sees it, `messages.2.content.0.source`.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from laidian.errors import BadRequest
from laidian.protocol.anthropic_wire import (
    CONTENT,
    MESSAGES,
    SOURCE,
    Block,
    Content,
    Message,
    Source,
    decoded,
)
from laidian.protocol.canonical import File, Image, Part, Text, Thought, ToolCall, ToolResult
from laidian.protocol.canonical import Message as Turn
from laidian.protocol.document import said

_SEARCHED = frozenset({"server_tool_use", "web_search_tool_result"})
"""Web searches of earlier turns: their results are encrypted for Anthropic, and the text after them says what was found."""

MAKER = "anthropic"

PDF = "application/pdf"

_TEXT = msgspec.json.Decoder(str)

T = TypeVar("T")


class Conversation:
    """The messages of one request. Raises BadRequest while it is made."""

    def __init__(self, system: bytes | None, messages: bytes) -> None:
        self.dropped: dict[str, None] = {}
        """Names of what was left out, in order."""
        self._tools: dict[str, str] = {}
        """Id of a call to the name of its tool."""
        read = decoded(messages, MESSAGES, "messages")
        self.messages = tuple(self._system(system)) + tuple(
            self._turn(message, f"messages.{place}") for place, message in enumerate(read)
        )

    def _system(self, raw: bytes | None) -> list[Turn]:
        if raw is None:
            return []
        parts = self._parts(decoded(raw, CONTENT, "system"), "system")
        return [Turn("system", parts)] if parts else []

    def _turn(self, message: Message, name: str) -> Turn:
        parts = self._parts(message.content, f"{name}.content")
        match message.role:
            case "user" | "assistant" | "system":
                return Turn(message.role, parts)
            case other:
                raise BadRequest(
                    f"`{name}.role` must be user, assistant or system; got {other[:40]}.",
                    param=f"{name}.role",
                    code="invalid_value",
                )

    def _parts(self, content: Content, name: str) -> tuple[Part, ...]:
        if isinstance(content, str):
            return (Text(content),) if content else ()
        parts: list[Part] = []
        for place, block in enumerate(content):
            if said(block.cache_control) is not None:
                self.dropped["cache_control"] = None
            if said(block.citations) is not None and block.type != "text":
                self.dropped["citations"] = None
            parts += self._block(block, f"{name}.{place}")
        return tuple(parts)

    def _block(self, block: Block, name: str) -> list[Part]:
        match block.type:
            case "text":
                text = _needed(block.text, f"{name}.text")
                return [Text(text)] if text else []
            case "image":
                return [self._image(block, name)]
            case "document":
                return self._document(block, name)
            case "search_result":
                return [self._search_result(block, name)]
            case "thinking":
                signature = block.signature or ""
                return [Thought(block.thinking or "", signature, MAKER if signature else "")]
            case "redacted_thinking":
                return [Thought("", _needed(block.data, f"{name}.data"), MAKER, redacted=True)]
            case "tool_use":
                return [self._call(block, name)]
            case "tool_result":
                return [self._result(block, name)]
            case kind if kind in _SEARCHED and (kind != "server_tool_use" or block.name == "web_search"):
                self.dropped[kind] = None
                return []
            case kind:
                raise cannot(name, f"a block of type `{kind[:64]}` exists in Anthropic's protocol only")

    def _call(self, block: Block, name: str) -> ToolCall:
        id_, tool = _needed(block.id, f"{name}.id"), _needed(block.name, f"{name}.name")
        arguments = said(block.input) or b"{}"
        if not arguments.startswith(b"{"):
            raise BadRequest(f"`{name}.input` must be an object.", param=f"{name}.input", code="invalid_type")
        self._tools[id_] = tool
        return ToolCall(id_, tool, arguments.decode())

    def _result(self, block: Block, name: str) -> ToolResult:
        call_id = _needed(block.tool_use_id, f"{name}.tool_use_id")
        raw = said(block.content)
        parts: list[Text | Image | File] = []
        if raw is not None:
            path = f"{name}.content"
            for place, part in enumerate(self._parts(decoded(raw, CONTENT, path), path)):
                if not isinstance(part, Text | Image | File):
                    raise cannot(f"{path}.{place}", "a tool's result can hold text, images and documents")
                parts.append(part)
        return ToolResult(
            call_id, tuple(parts), self._tools.get(call_id, ""), is_error=block.is_error is True
        )

    def _image(self, block: Block, name: str) -> Image:
        source = _source(block, name)
        match source.type:
            case "base64":
                return Image(
                    data=_needed(source.data, f"{name}.source.data"),
                    mime=_needed(source.media_type, f"{name}.source.media_type"),
                )
            case "url":
                return Image(url=_needed(source.url, f"{name}.source.url"))
            case kind:
                raise cannot(
                    f"{name}.source", f"an image of source `{kind[:40]}` lies in Anthropic's file store"
                )

    def _document(self, block: Block, name: str) -> list[Part]:
        """A document of plain text becomes text, which every model reads; so do the words about a document."""
        source = _source(block, name)
        about: list[Part] = [Text(block.context)] if block.context else []
        title = block.title or ""
        match source.type:
            case "base64":
                data = _needed(source.data, f"{name}.source.data")
                return [*about, File(data=data, mime=source.media_type or PDF, filename=title)]
            case "url":
                url = _needed(source.url, f"{name}.source.url")
                return [*about, File(url=url, mime=PDF, filename=title)]
            case "text":
                text = _needed(source.data, f"{name}.source.data")
            case "content":
                path = f"{name}.source.content"
                content = decoded(_needed(said(source.content), path), CONTENT, path)
                return [*about, *([Text(title)] if title else []), *self._parts(content, path)]
            case kind:
                raise cannot(
                    f"{name}.source", f"a document of source `{kind[:40]}` lies in Anthropic's file store"
                )
        return [*about, Text("\n".join(line for line in (title, text) if line))]

    def _search_result(self, block: Block, name: str) -> Text:
        """What the model reads of it: title, source and the texts, a line each."""
        raw = said(block.source)
        lines = [block.title or "", "" if raw is None else decoded(raw, _TEXT, f"{name}.source")]
        content = said(block.content)
        if content is not None:
            path = f"{name}.content"
            texts = self._parts(decoded(content, CONTENT, path), path)
            lines += [part.text for part in texts if isinstance(part, Text)]
        return Text("\n".join(line for line in lines if line))


def _source(block: Block, name: str) -> Source:
    raw = said(block.source)
    return decoded(_needed(raw, f"{name}.source"), SOURCE, f"{name}.source")


def _needed(value: T | None, name: str) -> T:
    if value is None:
        raise BadRequest(f"`{name}` is missing.", param=name, code="missing_field")
    return value


def cannot(name: str, why: str) -> BadRequest:
    return BadRequest(
        f"`{name}` cannot be carried to the upstream of this model, which speaks another protocol: {why}.",
        param=name,
        code="unsupported_parameter",
    )
