"""The messages of a client's Chat Completions request, read into canonical turns.

Tool results stand in `user` turns and know the name of their tool, looked up from the call they answer. What a chat client may have kept
from an earlier answer comes back where it belongs: reasoning, Gemini's thought signatures on calls, pictures the model made.
The rule a newcomer would break: no address is fetched and no base64 decoded here.
"""

from __future__ import annotations

from msgspec import UnsetType

from laidian.errors import BadRequest
from laidian.protocol import canonical
from laidian.protocol.canonical import Audio, File, Image, Refusal, Text, Thought, ToolResult
from laidian.protocol.document import said
from laidian.protocol.openai_chat_wire import (
    Content,
    FileData,
    FunctionCall,
    Message,
    Part,
    ReasoningDetail,
    ToolCall,
)

MAKERS = {
    "anthropic-claude-v1": "anthropic",
    "google-gemini-v1": "gemini",
    "openai-responses-v1": "responses",
}
"""`reasoning_details[].format` to the dialect that made the signature (OpenRouter's reasoning documentation, seen 2026-11)."""

FORMATS = {maker: name for name, maker in MAKERS.items()}

_SOUNDS = {"wav": "audio/wav", "mp3": "audio/mp3"}
_MIME_OF_SUFFIX = {"pdf": "application/pdf", "txt": "text/plain", "md": "text/markdown", "csv": "text/csv"}


class Conversation:
    """Reads all messages of one request. Raises BadRequest naming the part that is wrong."""

    def __init__(self, messages: tuple[Message, ...]) -> None:
        self._calls: dict[str, canonical.ToolCall] = {}
        self._unanswered: dict[str, str] = {}
        """Legacy: function name to the id that its last call was given."""
        self.dropped: tuple[str, ...] = ()
        """Fields of messages that were left out."""
        self.messages = tuple(
            turn for place, message in enumerate(messages) if (turn := self._turn(message, place)) is not None
        )
        """In order; a message without any content is left out."""

    def _turn(self, message: Message, place: int) -> canonical.Message | None:
        where = f"messages[{place}]"
        if message.name is not None and message.role != "function":
            self.dropped = ("messages[].name",)
        match message.role:
            case "system" | "developer":
                return canonical.Message(message.role, _texts(message.content, where))
            case "user":
                return canonical.Message("user", _parts(message.content, where))
            case "assistant":
                parts = self._answer(message, place, where)
                return canonical.Message("assistant", parts) if parts else None
            case "tool":
                return canonical.Message("user", (self._result(message, where),))
            case "function":
                return canonical.Message("user", (self._legacy_result(message, place, where),))
            case None:
                raise _wrong(f"{where}.role", "is missing")
            case other:
                raise _wrong(
                    f"{where}.role", f"must be system, developer, user, assistant or tool; got {other[:40]!r}"
                )

    def _answer(self, message: Message, place: int, where: str) -> tuple[canonical.Part, ...]:
        """An earlier answer of the model."""
        if said(message.audio) is not None:
            raise _wrong(f"{where}.audio", "is an earlier spoken answer, which no other provider has")
        refusal = message.refusal if isinstance(message.refusal, str) else ""
        return (
            *_thoughts(message),
            *(part for part in _parts(message.content, where) if part != Text("")),
            *((Refusal(refusal),) if refusal else ()),
            *(_image(part, f"{where}.images[{number}]") for number, part in enumerate(message.images or ())),
            *self._tool_calls(message, place, where),
        )

    def _tool_calls(self, message: Message, place: int, where: str) -> list[canonical.ToolCall]:
        calls = [
            _call(call, f"{where}.tool_calls[{number}]")
            for number, call in enumerate(message.tool_calls or ())
        ]
        if message.function_call is not None:
            call = _legacy_call(message.function_call, f"call_{place:04d}", where)
            self._unanswered[call.name] = call.id
            calls.append(call)
        self._calls |= {call.id: call for call in calls}
        return calls

    def _result(self, message: Message, where: str) -> ToolResult:
        if not message.tool_call_id:
            raise _wrong(f"{where}.tool_call_id", "is missing")
        call = self._calls.get(message.tool_call_id)
        return ToolResult(
            message.tool_call_id,
            _result_parts(message.content, where),
            call.name if call is not None else "",
            custom=call is not None and call.custom,
        )

    def _legacy_result(self, message: Message, place: int, where: str) -> ToolResult:
        if not message.name:
            raise _wrong(f"{where}.name", "is missing: it says which function this is the result of")
        call_id = self._unanswered.pop(message.name, f"call_{place:04d}")
        return ToolResult(call_id, _result_parts(message.content, where), message.name)


def _wrong(param: str, what: str) -> BadRequest:
    return BadRequest(f"`{param}` {what}.", param=param[:200], code="invalid_value")


def _texts(content: Content | UnsetType, where: str) -> tuple[Text, ...]:
    """Content that may only be text."""
    texts: list[Text] = []
    for place, part in enumerate(_wire_parts(content)):
        if part.type != "text" or part.text is None:
            raise _wrong(f"{where}.content[{place}]", f"must be text in this role; got {part.type[:40]!r}")
        texts.append(Text(part.text))
    return tuple(texts)


def _parts(content: Content | UnsetType, where: str) -> tuple[Text | Image | Audio | File | Refusal, ...]:
    return tuple(_part(part, f"{where}.content[{place}]") for place, part in enumerate(_wire_parts(content)))


def _result_parts(content: Content | UnsetType, where: str) -> tuple[Text | Image | File, ...]:
    parts: list[Text | Image | File] = []
    for place, part in enumerate(_parts(content, where)):
        if isinstance(part, Audio | Refusal):
            raise _wrong(f"{where}.content[{place}]", "must be text or a picture: it is the result of a tool")
        parts.append(part)
    return tuple(parts)


def _wire_parts(content: Content | UnsetType) -> tuple[Part, ...]:
    if isinstance(content, str):
        return (Part("text", content),)
    return content if isinstance(content, tuple) else ()


def _part(part: Part, where: str) -> Text | Image | Audio | File | Refusal:
    match part.type:
        case "text" if part.text is not None:
            return Text(part.text)
        case "refusal" if part.refusal is not None:
            return Refusal(part.refusal)
        case "image_url":
            return _image(part, where)
        case "input_audio" if part.input_audio is not None:
            mime = _SOUNDS.get(part.input_audio.format)
            if mime is None:
                raise _wrong(
                    f"{where}.input_audio.format", f"must be wav or mp3; got {part.input_audio.format[:40]!r}"
                )
            return Audio(part.input_audio.data, mime)
        case "file" if part.file is not None:
            return _file(part.file, where)
        case _:
            raise _wrong(
                f"{where}.type",
                f"must be text, image_url, input_audio or file, with that field; got {part.type[:40]!r}",
            )


def _image(part: Part, where: str) -> Image:
    source = part.image_url
    url = source if isinstance(source, str) else source.url if source is not None else ""
    detail = "" if source is None or isinstance(source, str) else source.detail or ""
    if url.startswith(("https://", "http://")):
        return Image(url=url, detail=detail)
    mime, data = data_url(url)
    if not data or not mime.startswith("image/"):
        raise _wrong(f"{where}.image_url.url", "must be an http(s) address or a data:image/…;base64, address")
    return Image(data, mime, detail=detail)


def data_url(url: str) -> tuple[str, str]:
    """(mime, base64) of a data: address; two empty strings for anything else."""
    head, comma, data = url.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        return "", ""
    return head[5:-7].partition(";")[0], data


def _file(file: FileData, where: str) -> File:
    if file.file_id:
        return File(file_id=file.file_id, filename=file.filename or "")
    if not file.file_data:
        raise _wrong(f"{where}.file", "needs file_data or file_id")
    name = file.filename or ""
    mime, data = data_url(file.file_data)
    if not data:
        mime, data = _MIME_OF_SUFFIX.get(name.rpartition(".")[2].lower(), ""), file.file_data
    if not mime:
        raise _wrong(f"{where}.file.file_data", "must be a data:…;base64, address that says its type")
    return File(data, mime, name)


def _thoughts(message: Message) -> list[Thought]:
    """Signed thoughts one by one, since a signature holds for its own text only; else the reasoning as one text."""
    signed = [
        _thought(detail) for detail in message.reasoning_details or () if detail.signature or detail.data
    ]
    if signed:
        return signed
    text = message.reasoning_content or message.reasoning
    return [Thought(text)] if text else []


def _thought(detail: ReasoningDetail) -> Thought:
    maker = MAKERS.get(detail.format or "", "")
    if detail.data:
        return Thought(signature=detail.data, maker=maker, redacted=True)
    return Thought(detail.text or "", detail.signature or "", maker)


def _call(call: ToolCall, where: str) -> canonical.ToolCall:
    if not call.id:
        raise _wrong(f"{where}.id", "is missing")
    google = call.extra_content.google if call.extra_content is not None else None
    signature = (google.thought_signature if google is not None else None) or ""
    if call.custom is not None and call.custom.name:
        return canonical.ToolCall(
            call.id, call.custom.name, call.custom.input or "", True, signature=signature
        )
    function = call.function
    if function is None or not function.name:
        raise _wrong(f"{where}.function.name", "is missing")
    return canonical.ToolCall(call.id, function.name, function.arguments or "", signature=signature)


def _legacy_call(call: FunctionCall, call_id: str, where: str) -> canonical.ToolCall:
    if not call.name:
        raise _wrong(f"{where}.function_call.name", "is missing")
    return canonical.ToolCall(call_id, call.name, call.arguments or "")
