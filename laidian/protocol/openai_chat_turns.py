"""Canonical turns, written as the messages of a Chat Completions request.

An assistant turn with calls, the results of all of them and nothing in between: other protocols split and group them differently, so turns
are merged and taken apart here. Pictures in a tool's result follow in a user message, because a tool message is text only.
`extended` says whether the upstream may be told what only compatible servers know: earlier reasoning, Gemini's signatures, pictures
the model made.
"""

from __future__ import annotations

import msgspec

from laidian.errors import BadRequest
from laidian.protocol import canonical
from laidian.protocol.canonical import (
    Audio,
    File,
    Image,
    Refusal,
    Request,
    Text,
    Thought,
    ToolResult,
)
from laidian.protocol.flat_tools import flat_name, wrapped_input
from laidian.protocol.openai_chat_wire import (
    Content,
    ExtraContent,
    FileData,
    FunctionCall,
    Google,
    ImageUrl,
    InputAudio,
    Message,
    Part,
    ToolCall,
)

_FORMATS = {"audio/wav": "wav", "audio/x-wav": "wav", "audio/mp3": "mp3", "audio/mpeg": "mp3"}


class Turns:
    """Writes all messages of one request. Raises BadRequest for a part that no chat message can hold."""

    def __init__(self, request: Request, *, extended: bool) -> None:
        self._extended = extended
        self._name = request.name_of("messages")
        self._written: list[Message] = []
        self._held: list[canonical.Part] = []
        """Pictures out of tool results, until the last result of the turn is written."""
        self.dropped: tuple[str, ...] = ()
        for message in _merged(request.messages):
            self._turn(message)
        self._release()
        self.messages = tuple(self._written)

    def _turn(self, message: canonical.Message) -> None:
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        others = tuple(part for part in message.parts if not isinstance(part, ToolResult))
        for result in results:
            self._result(result)
        if results and not others:
            return
        self._release()
        match message.role:
            case "system" | "developer":
                self._written.append(Message("system", "\n\n".join(self._texts(others))))
            case "user":
                self._written.append(Message("user", self._content(others)))
            case "assistant":
                self._answer(others)

    def _release(self) -> None:
        if self._held:
            held, self._held = tuple(self._held), []
            self._written.append(Message("user", self._content(held)))

    def _result(self, result: ToolResult) -> None:
        texts: list[str] = []
        for part in result.parts:
            if isinstance(part, Text):
                texts.append(part.text)
            else:
                self._held.append(part)
        self._written.append(Message("tool", "\n".join(texts), tool_call_id=result.call_id))

    def _answer(self, parts: tuple[canonical.Part, ...]) -> None:
        texts = [part.text for part in parts if isinstance(part, Text) and part.text]
        refusal = "".join(part.text for part in parts if isinstance(part, Refusal))
        calls = tuple(self._call(part) for part in parts if isinstance(part, canonical.ToolCall))
        images = tuple(self._part(part) for part in parts if isinstance(part, Image))
        for part in parts:
            if isinstance(part, Audio | File):
                raise self._cannot("a sound or a document in a turn of the assistant")
        if images and not self._extended:
            raise self._cannot("a picture in a turn of the assistant")
        if not (texts or refusal or calls or images):
            return  # reasoning alone, which is left out
        self._written.append(
            Message(
                "assistant",
                "".join(texts) if texts else None,
                refusal=refusal or msgspec.UNSET,
                reasoning_content=self._reasoning(parts, bool(calls)),
                tool_calls=calls or None,
                images=images or None,
            )
        )

    def _reasoning(self, parts: tuple[canonical.Part, ...], calls: bool) -> str | None:
        """Earlier reasoning, where thinking models want it back: beside the calls it led to (DeepSeek V3.2 and Kimi K2 API pages)."""
        text = "".join(part.text for part in parts if isinstance(part, Thought))
        if text and calls and self._extended:
            return text
        if any(isinstance(part, Thought) for part in parts):
            self.dropped = (f"{self._name}[].reasoning",)
        return None

    def _call(self, call: canonical.ToolCall) -> ToolCall:
        extra = None
        if call.signature and self._extended:
            extra = ExtraContent(Google(call.signature))
        arguments = call.arguments
        if call.custom:
            arguments = wrapped_input(arguments)
        function = FunctionCall(flat_name(call.namespace, call.name), arguments or "{}")
        return ToolCall(id=call.id, type="function", function=function, extra_content=extra)

    def _texts(self, parts: tuple[canonical.Part, ...]) -> list[str]:
        texts: list[str] = []
        for part in parts:
            if not isinstance(part, Text):
                raise self._cannot("anything but text in a system message")
            texts.append(part.text)
        return texts

    def _content(self, parts: tuple[canonical.Part, ...]) -> Content:
        """One text is written as a string, which every server knows."""
        if not parts:
            return ""
        if len(parts) == 1 and isinstance(parts[0], Text):
            return parts[0].text
        return tuple(self._part(part) for part in parts)

    def _part(self, part: canonical.Part) -> Part:
        match part:
            case Text(text):
                return Part("text", text)
            case Image():
                url = part.url or f"data:{part.mime or 'image/png'};base64,{part.data}"
                return Part("image_url", image_url=ImageUrl(url, part.detail or None))
            case Audio(data, mime):
                spelled = _FORMATS.get(mime)
                if spelled is None:
                    raise self._cannot(f"a sound of type {mime[:40]}; wav and mp3 are known")
                return Part("input_audio", input_audio=InputAudio(data, spelled))
            case File():
                return Part("file", file=self._file(part))
            case _:
                raise self._cannot("a part of this kind in a turn of the user")

    def _file(self, file: File) -> FileData:
        if file.file_id:
            return FileData(file_id=file.file_id)
        if not file.data:
            raise self._cannot("a document by its address; send it by value")
        url = f"data:{file.mime or 'application/octet-stream'};base64,{file.data}"
        return FileData(file_data=url, filename=file.filename or "document")

    def _cannot(self, what: str) -> BadRequest:
        return BadRequest(
            f"`{self._name}` has what a Chat Completions upstream cannot be told: {what}.",
            param=self._name,
            code="unsupported_value",
        )


def _merged(messages: tuple[canonical.Message, ...]) -> list[canonical.Message]:
    """Assistant turns joined where a call would otherwise stand apart from its answer."""
    merged: list[canonical.Message] = []
    for message in messages:
        last = merged[-1] if merged else None
        if (
            last is not None
            and last.role == message.role == "assistant"
            and (_calls(last) or _calls(message))
        ):
            merged[-1] = canonical.Message("assistant", last.parts + message.parts)
        else:
            merged.append(message)
    return merged


def _calls(message: canonical.Message) -> bool:
    return any(isinstance(part, canonical.ToolCall) for part in message.parts)
