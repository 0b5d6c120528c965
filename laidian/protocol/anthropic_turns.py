"""Canonical messages, written as the turns of an Anthropic request.

The rule a newcomer would break: all results of a turn's calls stand first in the one user turn that follows (protocol.md 6.5), so turns of
one role are merged and results moved to their front; a call without a result is refused here, in the client's words.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

import msgspec
from msgspec import Raw

from laidian.errors import BadRequest
from laidian.protocol.anthropic_blocks import MAKER, PDF
from laidian.protocol.anthropic_wire import (
    Base64Source,
    DocumentBlock,
    ImageBlock,
    PlainSource,
    RedactedBlock,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
    Turn,
    UrlSource,
    WrittenBlock,
)
from laidian.protocol.canonical import (
    Audio,
    File,
    Image,
    Message,
    Part,
    Refusal,
    Request,
    Text,
    Thought,
    ToolCall,
    ToolResult,
)

IMAGE_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")
"""anthropic 2.12.0, base64_image_source_param.py."""

_ID = re.compile(r"[a-zA-Z0-9_-]{1,128}")
"""What Anthropic takes for the id of a call (its 400 "String should match pattern '^[a-zA-Z0-9_-]+$'")."""

_decode_object = msgspec.json.Decoder(dict[str, Raw]).decode


class Turns:
    """The system blocks and the turns of one request. Raises BadRequest while it is made."""

    def __init__(self, request: Request) -> None:
        self._name = request.name_of("messages")
        self.system: list[TextBlock] = []
        self.turns: list[Turn] = []
        self.dropped: dict[str, None] = {}
        """Names of what was left out, in order."""
        self._open: dict[str, None] = {}
        """Ids of the last assistant turn's calls that have no result yet."""
        for message in request.messages:
            if message.role in ("system", "developer"):
                self.system += self._system(message)
            else:
                self._add(message.role, message.parts)
        self._close_calls()
        if not self.turns:
            raise BadRequest(f"`{self._name}` has nothing that could be answered.", param=self._name)

    @property
    def calls_without_thought(self) -> bool:
        """Whether calls are being answered that were not preceded by Anthropic's reasoning: with a thinking budget that is a 400
        ("Expected `thinking` or `redacted_thinking`, but found `tool_use`")."""
        if len(self.turns) < 2 or not isinstance(self.turns[-1].content[0], ToolResultBlock):
            return False
        return not isinstance(self.turns[-2].content[0], ThinkingBlock | RedactedBlock)

    def _system(self, message: Message) -> list[TextBlock]:
        """Instructions in the middle of a dialogue go to its front with the others: older models know no other place."""
        blocks: list[TextBlock] = []
        for part in message.parts:
            if not isinstance(part, Text):
                raise self._cannot("instructions can only be text")
            if part.text:
                blocks.append(TextBlock(part.text))
        return blocks

    def _add(self, role: str, parts: tuple[Part, ...]) -> None:
        blocks = [block for part in parts for block in self._blocks(role, part)]
        if not blocks:
            return
        last = self.turns[-1] if self.turns else None
        if last is not None and last.role == role:
            last.content += blocks
        else:
            if role == "assistant":
                self._close_calls()
            self.turns.append(Turn(role, blocks))
        turn = self.turns[-1]
        if role == "user":
            self._settle(blocks)
            turn.content.sort(key=lambda block: not isinstance(block, ToolResultBlock))
        else:
            self._open.update((block.id, None) for block in blocks if isinstance(block, ToolUseBlock))

    def _settle(self, blocks: list[WrittenBlock]) -> None:
        for block in blocks:
            if not isinstance(block, ToolResultBlock):
                continue
            if block.tool_use_id not in self._open:
                raise BadRequest(
                    f"`{self._name}` has a result for the tool call `{block.tool_use_id[:80]}`, "
                    "which the assistant's turn before it did not make or which has a result already.",
                    param=self._name,
                    code="invalid_value",
                )
            del self._open[block.tool_use_id]

    def _close_calls(self) -> None:
        if self._open:
            raise BadRequest(
                f"`{self._name}` has no result for the tool call `{next(iter(self._open))[:80]}`; every call must be followed by its result.",
                param=self._name,
                code="invalid_value",
            )

    def _blocks(self, role: str, part: Part) -> list[WrittenBlock]:
        """One part, mostly one block; none for empty text, which Anthropic refuses, and for another provider's reasoning."""
        match part:
            case Text(text) | Refusal(text):
                return [TextBlock(text)] if text else []
            case Thought():
                return self._thought(role, part)
            case ToolCall() if role == "assistant":
                return [self._call(part)]
            case ToolResult() if role == "user":
                return [self._result(part)]
            case Image() if role == "user":
                return [self._image(part)]
            case File() if role == "user":
                return [self._file(part)]
            case Audio():
                raise self._cannot("sound cannot be sent to it")
            case _:
                raise self._cannot(f"a `{part.__struct_config__.tag}` cannot stand in a turn of the {role}")

    def _thought(self, role: str, thought: Thought) -> list[WrittenBlock]:
        if role != "assistant" or thought.maker != MAKER or not thought.signature:
            return []
        if thought.redacted:
            return [RedactedBlock(thought.signature)]
        return [ThinkingBlock(thought.text, thought.signature)]

    def _call(self, call: ToolCall) -> ToolUseBlock:
        arguments = call.arguments.strip() or "{}"
        if call.custom:
            arguments = msgspec.json.encode({"input": call.arguments}).decode()
        try:
            _decode_object(arguments)
        except (msgspec.DecodeError, RecursionError):
            raise BadRequest(
                f"`{self._name}`: the arguments of the tool call `{call.id[:80]}` are not a JSON object.",
                param=self._name,
                code="invalid_value",
            ) from None
        return ToolUseBlock(call_id(call.id), flat_name(call.namespace, call.name), Raw(arguments.encode()))

    def _result(self, result: ToolResult) -> ToolResultBlock:
        content: list[TextBlock | ImageBlock | DocumentBlock] = []
        for part in result.parts:
            match part:
                case Text(text):
                    content += [TextBlock(text)] if text else []
                case Image():
                    content.append(self._image(part))
                case File():
                    content.append(self._file(part))
        return ToolResultBlock(call_id(result.call_id), content, result.is_error)

    def _image(self, image: Image) -> ImageBlock:
        if image.detail not in ("", "auto"):
            self.dropped["detail"] = None
        if image.url:
            return ImageBlock(UrlSource(image.url))
        if image.mime not in IMAGE_TYPES:
            raise self._cannot(
                f"images must be JPEG, PNG, GIF or WebP; got {image.mime[:40] or 'no media type'}"
            )
        return ImageBlock(Base64Source(image.mime, image.data))

    def _file(self, file: File) -> DocumentBlock | ImageBlock:
        title = file.filename or None
        if file.file_id:
            raise self._cannot(f"the file `{file.file_id[:80]}` lies in another provider's store")
        if file.mime.startswith("image/"):
            return self._image(Image(data=file.data, mime=file.mime, url=file.url))
        if file.url and file.mime in ("", PDF):
            return DocumentBlock(UrlSource(file.url), title)
        if file.data and file.mime == PDF:
            return DocumentBlock(Base64Source(PDF, file.data), title)
        if file.data and file.mime.startswith("text/"):
            return DocumentBlock(PlainSource("text/plain", self._plain(file)), title)
        raise self._cannot(
            f"documents must be PDF or text; got {file.mime[:40] or 'no media type'}"
            + (" by address" if file.url else "")
        )

    def _plain(self, file: File) -> str:
        try:
            return base64.b64decode(file.data, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise BadRequest(
                f"`{self._name}`: the text file `{file.filename[:80]}` is not base64 of UTF-8.",
                param=self._name,
                code="invalid_value",
            ) from None

    def _cannot(self, why: str) -> BadRequest:
        return BadRequest(
            f"`{self._name}` cannot be carried to the upstream of this model, which speaks Anthropic's protocol: {why}.",
            param=self._name,
            code="unsupported_parameter",
        )


def call_id(id_: str) -> str:
    """The client's id of a call, or one derived from it where Anthropic would not take it: call and result get the same."""
    if _ID.fullmatch(id_):
        return id_
    return "toolu_" + hashlib.sha256(id_.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def flat_name(namespace: str, name: str) -> str:
    """A tool's name where namespaces are unknown (protocol.md 6.2); the client's codec finds the way back in its request."""
    return f"{namespace}__{name}" if namespace else name
