"""The output items of a response while they grow, and as they are written.

Fields are those that openai-python 3.54.0 requires of each item (types/responses, read 2026-11-22). Text is kept in pieces until its item
is done, because the done events and the last event repeat it whole.
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET, Raw, UnsetType

from laidian.protocol.flat_tools import plain_input


class Citation(msgspec.Struct, frozen=True):
    start_index: int
    end_index: int
    url: str
    title: str
    type: str = "url_citation"


class OutputText(msgspec.Struct, frozen=True):
    text: str
    annotations: tuple[Citation, ...]
    logprobs: tuple[Raw, ...]
    type: str = "output_text"


class OutputRefusal(msgspec.Struct, frozen=True):
    refusal: str
    type: str = "refusal"


class OutputMessage(msgspec.Struct, frozen=True):
    id: str
    status: str
    content: tuple[OutputText | OutputRefusal, ...]
    type: str = "message"
    role: str = "assistant"


class SummaryText(msgspec.Struct, frozen=True):
    text: str
    type: str = "summary_text"


class ReasoningItem(msgspec.Struct, frozen=True):
    id: str
    summary: tuple[SummaryText, ...]
    encrypted_content: str | UnsetType
    type: str = "reasoning"


class FunctionCall(msgspec.Struct, frozen=True):
    id: str
    status: str
    call_id: str
    name: str
    arguments: str
    namespace: str | UnsetType
    type: str = "function_call"


class CustomToolCall(msgspec.Struct, frozen=True):
    id: str
    status: str
    call_id: str
    name: str
    input: str
    namespace: str | UnsetType
    type: str = "custom_tool_call"


class ImageGenerationCall(msgspec.Struct, frozen=True):
    id: str
    status: str
    result: str | None
    output_format: str
    type: str = "image_generation_call"


OutputItem = OutputMessage | ReasoningItem | FunctionCall | CustomToolCall | ImageGenerationCall


class Part:
    """One content part of a growing message."""

    def __init__(self, *, refusal: bool) -> None:
        self.refusal = refusal
        self.size = 0
        """Characters so far."""
        self._pieces: list[str] = []
        self._citations: list[Citation] = []
        self._logprobs: list[Raw] = []

    def add(self, text: str, logprobs: list[Raw]) -> None:
        self._pieces.append(text)
        self._logprobs += logprobs
        self.size += len(text)

    def cite(self, citation: Citation) -> int:
        """Its number among the citations of the part."""
        self._citations.append(citation)
        return len(self._citations) - 1

    def written(self) -> OutputText | OutputRefusal:
        text = "".join(self._pieces)
        if self.refusal:
            return OutputRefusal(text)
        return OutputText(text, tuple(self._citations), tuple(self._logprobs))


class Message:
    """A growing message."""

    def __init__(self, index: int, id_: str) -> None:
        self.index = index
        self.id = id_
        self.parts: list[Part] = []
        self.status = "in_progress"

    def written(self, status: str = "") -> OutputMessage:
        return OutputMessage(self.id, status or self.status, tuple(part.written() for part in self.parts))


class Thinking:
    """A growing reasoning item with at most one summary part, since a signature is of exactly one text."""

    def __init__(self, index: int, id_: str) -> None:
        self.index = index
        self.id = id_
        self.pieces: list[str] = []
        self.sealed = ""
        """`encrypted_content`; empty while there is none."""
        self.status = "in_progress"

    def summary(self) -> SummaryText:
        return SummaryText("".join(self.pieces))

    def written(self, status: str = "") -> ReasoningItem:
        summary = (self.summary(),) if self.pieces else ()
        return ReasoningItem(self.id, summary, self.sealed or UNSET)


class Calling:
    """A growing tool call."""

    def __init__(
        self, index: int, id_: str, call_id: str, name: str, namespace: str, *, custom: bool, wrapped: bool
    ) -> None:
        self.index = index
        self.id = id_
        self.custom = custom
        self.wrapped = wrapped
        """A custom tool that the upstream knows as a function: its input is the `input` of the arguments."""
        self.status = "in_progress"
        self._call_id = call_id
        self._name = name
        self._namespace = namespace or UNSET
        self._pieces: list[str] = []

    def add(self, arguments: str) -> None:
        self._pieces.append(arguments)

    def arguments(self) -> str:
        """What the client gets: JSON for a function, plain input for a custom tool."""
        text = "".join(self._pieces)
        return plain_input(text) if self.wrapped else text

    def written(self, status: str = "") -> FunctionCall | CustomToolCall:
        kind = CustomToolCall if self.custom else FunctionCall
        return kind(
            self.id, status or self.status, self._call_id, self._name, self.arguments(), self._namespace
        )


class Picture:
    """A picture, which comes whole."""

    def __init__(self, index: int, id_: str, data: str, mime: str) -> None:
        self.index = index
        self.id = id_
        self.status = "completed"
        self._data = data
        self._format = mime.removeprefix("image/") or "png"

    def written(self, status: str = "") -> ImageGenerationCall:
        if status == "in_progress":
            return ImageGenerationCall(self.id, status, None, self._format)
        return ImageGenerationCall(self.id, "completed", self._data, self._format)


Growing = Message | Thinking | Calling | Picture
