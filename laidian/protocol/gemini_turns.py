"""Canonical turns, written as Gemini's `contents`.

Two roles only, neighbours of one role become one turn, and system texts leave the dialogue for `systemInstruction` (protocol.md 6.3).
The rule a newcomer would break: from generation 3 on the first function call of every model turn carries a thought signature, or
Google answers 400; one that nobody kept is replaced by the sentinel that Google accepts for foreign histories.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

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
    ToolCall,
    ToolResult,
)
from laidian.protocol.flat_tools import flat_name, wrapped_input
from laidian.protocol.gemini_generation import Generation
from laidian.protocol.gemini_wire import (
    Blob,
    Content,
    FileData,
    FunctionCall,
    FunctionResponse,
    Part,
    ResponsePart,
    is_base64,
)

SENTINEL = "skip_thought_signature_validator"
"""Google's own word for "this call was not made by you" (protocol.md 6.3; gemini-cli 0.61.0 sends it as it stands)."""

MAKER = "gemini"

_FILE = re.compile(r"(?:https://generativelanguage\.googleapis\.com/v1(?:beta|alpha)?/)?files/[\w-]+")
_FILES_URI = "https://generativelanguage.googleapis.com/v1beta/"
"""Where Google keeps files; `fileUri` wants the whole address (google-genai 3.4.0, File.uri)."""

_TYPES = {
    "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif",
    "heic": "image/heic", "heif": "image/heif", "pdf": "application/pdf", "txt": "text/plain", "md": "text/markdown",
    "csv": "text/csv", "html": "text/html", "json": "application/json", "mp3": "audio/mp3", "wav": "audio/wav",
    "mp4": "video/mp4", "webm": "video/webm",
}  # fmt: skip

_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Turns:
    """Writes all messages of one request. Raises BadRequest for a part that Gemini cannot be told."""

    def __init__(self, request: Request, made: Generation) -> None:
        self._made = made
        self._name = request.name_of("messages")
        self._names: dict[str, str] = {}
        """Call id to the function's name."""
        self._dropped: dict[str, None] = {}
        self._system: list[Part] = []
        self._contents: list[Content] = []
        for message in request.messages:
            self._turn(message)
        if made.signs_calls:
            self._sign()

    @property
    def dropped(self) -> tuple[str, ...]:
        return tuple(self._dropped)

    def contents(self) -> list[Content]:
        """At least one turn: system texts alone are said by the user, since Gemini answers nothing else."""
        return self._contents or [Content(self._system, "user")]

    def system(self) -> Content | None:
        return Content(self._system) if self._system and self._contents else None

    def _turn(self, message: canonical.Message) -> None:
        match message.role:
            case "system" | "developer":
                self._system += self._texts(message.parts)
            case "user":
                self._add("user", [written for part in message.parts for written in self._said(part)])
            case "assistant":
                self._add("model", self._answered(message.parts))

    def _add(self, role: str, parts: list[Part]) -> None:
        if not parts:
            return
        last = self._contents[-1] if self._contents else None
        if last is not None and last.role == role:
            last.parts = [*last.listed(), *parts]
        else:
            self._contents.append(Content(parts, role))

    def _texts(self, parts: Sequence[canonical.Part]) -> list[Part]:
        if not all(isinstance(part, Text) for part in parts):
            raise self._cannot("anything but text in a system message")
        return [Part(text=part.text) for part in parts if isinstance(part, Text) and part.text]

    def _said(self, part: canonical.Part) -> list[Part]:
        """A part of a user's turn."""
        match part:
            case Text(text):
                return [Part(text=text)] if text else []
            case Image() | Audio() | File():
                return [self._media(part)]
            case ToolResult():
                return self._result(part)
            case _:
                raise self._cannot("a part of this kind in a turn of the user")

    def _answered(self, parts: Sequence[canonical.Part]) -> list[Part]:
        """An assistant's turn. A signature goes back to the part it came with: to the call after it, else to the text around it."""
        written: list[Part] = []
        waiting = ""
        for part in parts:
            match part:
                case Text(text) | Refusal(text):
                    if text:
                        written.append(Part(text=text))
                case Thought():
                    if part.maker != MAKER or not (part.signature or part.text):
                        self._dropped[f"{self._name}[].reasoning"] = None
                        continue
                    waiting = _attach(written, waiting)
                    if part.text:
                        written.append(Part(text=part.text, thought=True))
                    waiting = part.signature
                case ToolCall():
                    written.append(self._call(part, part.signature or waiting))
                    waiting = ""
                case Image() | Audio() | File():
                    written.append(self._media(part))
                case ToolResult():
                    raise self._cannot("a tool's result in a turn of the assistant")
        _attach(written, waiting)
        return written

    def _call(self, call: ToolCall, signature: str) -> Part:
        name = flat_name(call.namespace, call.name)
        self._names[call.id] = name
        text = (wrapped_input(call.arguments) if call.custom else call.arguments).encode() or b"{}"
        try:
            _object(text)
        except (msgspec.DecodeError, RecursionError):
            raise self._cannot(f"arguments of the call {call.id[:64]} that are no JSON object") from None
        return Part(
            function_call=FunctionCall(call.id or None, name, msgspec.Raw(text)),
            thought_signature=signature or None,
        )

    def _result(self, result: ToolResult) -> list[Part]:
        """Gemini wants the function's name; clients of other protocols name only the call."""
        name = self._names.get(result.call_id) or (
            flat_name(result.namespace, result.name) if result.name else ""
        )
        if not name:
            raise self._cannot(
                f"a result of the tool call {result.call_id[:64] or 'without id'}, which no message before it makes"
            )
        text = "\n".join(part.text for part in result.parts if isinstance(part, Text))
        media = [self._media(part) for part in result.parts if not isinstance(part, Text)]
        response = msgspec.Raw(msgspec.json.encode({"error" if result.is_error else "output": text}))
        answer = FunctionResponse(result.call_id or None, name, response)
        if media and self._made.takes_result_media:
            answer.parts = [ResponsePart(part.inline_data, part.file_data) for part in media]
            media = []
        return [Part(function_response=answer), *media]

    def _media(self, part: Image | Audio | File) -> Part:
        if isinstance(part, Image) and part.detail not in ("", "auto"):
            self._dropped[f"{self._name}[].detail"] = None
        if part.data:
            filename = part.filename if isinstance(part, File) else ""
            mime = part.mime or _TYPES.get(filename.rpartition(".")[2].lower(), "")
            if not mime:
                raise self._cannot(
                    "data whose media type is not said; name it, as image/png or application/pdf"
                )
            if not is_base64(part.data):
                raise self._cannot("data that is not base64")
            return Part(inline_data=Blob(mime, part.data))
        if isinstance(part, Audio):
            raise self._cannot("a sound without data")
        return Part(file_data=self._kept(part))

    def _kept(self, part: Image | File) -> FileData:
        """By address: Google's own files, and from 2.5 on what it fetches itself; the relay never fetches anything."""
        address = part.url or (part.file_id if isinstance(part, File) else "")
        if _FILE.fullmatch(address):
            uri = address if address.startswith("https://") else _FILES_URI + address
            return FileData(uri, part.mime)
        if part.url.startswith("https://") and self._made.takes_urls:
            path = part.url.partition("?")[0].partition("#")[0]
            return FileData(part.url, part.mime or _TYPES.get(path.rpartition(".")[2].lower(), ""))
        what = (
            "a file by an id that is not Google's"
            if not part.url
            else "an address that Google does not fetch"
        )
        raise self._cannot(f"{what} ({address[:80]}); send the content by value, in base64")

    def _sign(self) -> None:
        for content in self._contents:
            first = next((part for part in content.listed() if part.function_call is not None), None)
            if first is not None and not first.thought_signature:
                first.thought_signature = SENTINEL

    def _cannot(self, what: str) -> BadRequest:
        return BadRequest(
            f"`{self._name}` has what a Gemini upstream cannot be told: {what}.",
            param=self._name,
            code="unsupported_value",
        )


def _attach(written: list[Part], signature: str) -> str:
    """Gives a signature without a call to the last part written, or to an empty one, as Google itself streams it. Always empty after."""
    if signature:
        last = written[-1] if written else None
        if last is not None and last.function_call is None and not last.thought_signature:
            last.thought_signature = signature
        else:
            written.append(Part(text="", thought_signature=signature))
    return ""
