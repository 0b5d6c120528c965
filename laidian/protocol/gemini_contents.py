"""Gemini's `contents`, read into canonical messages.

Calls and results may come without ids: they are numbered through the conversation, and a result without an id belongs to the oldest
call of its name that has no result yet. The same history gives the same ids, so that an upstream's cache finds it again.
The rule a newcomer would break: base64 comes in either alphabet, and other protocols know only the standard one.
"""

from __future__ import annotations

import re

import msgspec

from laidian.errors import BadRequest
from laidian.protocol.canonical import (
    Audio,
    File,
    Image,
    Message,
    Text,
    Thought,
    ToolCall,
    ToolResult,
)
from laidian.protocol.canonical import Part as CanonicalPart
from laidian.protocol.document import said
from laidian.protocol.gemini_turns import MAKER
from laidian.protocol.gemini_wire import (
    Blob,
    FileData,
    FunctionCall,
    FunctionResponse,
    Part,
    Raw,
    standard_base64,
)

_ROLES = {"user": "user", "model": "assistant", "function": "user", "": "user"}
_KEPT = re.compile(r"gs://|(?:.*/v1(?:beta|alpha)?/)?files/[\w-]+$")
"""Files in Google's own stores, which no other provider can read."""


class AnyPart(Part, rename="camel"):
    """A part with the kinds that only Gemini has, so that they are refused by name."""

    executable_code: Raw = Raw()
    code_execution_result: Raw = Raw()
    tool_call: Raw = Raw()
    tool_response: Raw = Raw()
    video_metadata: Raw = Raw()
    media_resolution: Raw = Raw()


class AnyContent(msgspec.Struct):
    parts: list[AnyPart] | AnyPart | None = None
    role: str | None = None

    def listed(self) -> list[AnyPart]:
        if isinstance(self.parts, AnyPart):
            return [self.parts]
        return self.parts or []


_ONLY_GEMINI = ("executable_code", "code_execution_result", "tool_call", "tool_response")
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_text = msgspec.json.Decoder(str).decode


class Conversation:
    """Reads all turns of one request. Raises BadRequest naming the part that cannot be carried."""

    def __init__(self, contents: list[AnyContent]) -> None:
        self._open: list[tuple[str, str]] = []
        """Calls without a result: (id, name)."""
        self._named: dict[str, str] = {}
        self._count = 0
        self._dropped: dict[str, None] = {}
        self.messages = tuple(self._message(place, content) for place, content in enumerate(contents))

    @property
    def dropped(self) -> tuple[str, ...]:
        return tuple(self._dropped)

    def _message(self, place: int, content: AnyContent) -> Message:
        role = _ROLES.get(content.role or "")
        if role is None:
            raise _wrong(f"contents[{place}].role", f"must be user or model; got {(content.role or '')[:32]}")
        parts: list[CanonicalPart] = []
        for number, part in enumerate(content.listed()):
            parts += self._part(f"contents[{place}].parts[{number}]", part)
        if not parts:
            raise _wrong(f"contents[{place}].parts", "must not be empty")
        return Message("assistant" if role == "assistant" else "user", tuple(parts))

    def _part(self, at: str, part: AnyPart) -> list[CanonicalPart]:
        self._refuse(at, part)
        signature = part.thought_signature or ""
        if part.function_call is not None:
            return [self._call(at, part.function_call, signature)]
        if part.function_response is not None:
            return [self._result(at, part.function_response)]
        if part.thought:
            return [Thought(part.text or "", signature, MAKER)]
        found: list[CanonicalPart] = []
        if part.text is not None:
            found = [Text(part.text)] if part.text or not signature else []
        elif part.inline_data is not None:
            found = [_blob(at, part.inline_data)]
        elif part.file_data is not None:
            found = [_file(at, part.file_data)]
        elif not signature:
            raise _wrong(at, "has none of the kinds of data that a part can have")
        return [*found, Thought(signature=signature, maker=MAKER)] if signature else found

    def _refuse(self, at: str, part: AnyPart) -> None:
        for field in _ONLY_GEMINI:
            if said(getattr(part, field)) is not None:
                head, *rest = field.split("_")
                name = head + "".join(word.capitalize() for word in rest)
                raise _wrong(f"{at}.{name}", "cannot be carried to an upstream of another protocol")
        if said(part.video_metadata) is not None:
            self._dropped["contents[].parts[].videoMetadata"] = None
        if said(part.media_resolution) is not None:
            self._dropped["contents[].parts[].mediaResolution"] = None

    def _call(self, at: str, call: FunctionCall, signature: str) -> ToolCall:
        if not call.name:
            raise _wrong(f"{at}.functionCall.name", "must not be empty")
        call_id = call.id or f"call_{self._count}"
        self._count += 1
        self._open.append((call_id, call.name))
        self._named[call_id] = call.name
        arguments = said(call.args) or b"{}"
        if not arguments.lstrip().startswith(b"{"):
            raise _wrong(f"{at}.functionCall.args", "must be an object")
        return ToolCall(call_id, call.name, arguments.decode(), signature=signature)

    def _result(self, at: str, result: FunctionResponse) -> ToolResult:
        call_id = result.id or next((one for one, name in self._open if name == result.name), "")
        if not call_id:
            raise _wrong(
                f"{at}.functionResponse",
                f"answers {result.name[:64] or 'a function without a name'}, which no turn before it calls",
            )
        self._open = [one for one in self._open if one[0] != call_id]
        text, is_error = _response(at, said(result.response) or b"{}")
        parts: list[Text | Image | File] = [Text(text)]
        for place, part in enumerate(result.parts or ()):
            inside = f"{at}.functionResponse.parts[{place}]"
            found = _blob(inside, part.inline_data) if part.inline_data is not None else None
            found = _file(inside, part.file_data) if found is None and part.file_data is not None else found
            if found is None or isinstance(found, Audio):
                raise _wrong(inside, "must be a picture or a document to be carried to another protocol")
            parts.append(found)
        return ToolResult(call_id, tuple(parts), result.name or self._named.get(call_id, ""), is_error)


def system_message(content: AnyContent) -> Message | None:
    """`systemInstruction`. Raises BadRequest when it is more than text."""
    parts = content.listed()
    for place, part in enumerate(parts):
        if part.text is None:
            raise _wrong(
                f"systemInstruction.parts[{place}]", "must be text to be carried to another protocol"
            )
    texts = tuple(Text(part.text) for part in parts if part.text)
    return Message("system", texts) if texts else None


def _response(at: str, raw: bytes) -> tuple[str, bool]:
    """The text of a result, and whether it says that the function failed: Google's SDKs wrap it as output, result or error."""
    try:
        fields = _decode_object(raw)
    except (msgspec.DecodeError, RecursionError):
        raise _wrong(f"{at}.functionResponse.response", "must be an object") from None
    if len(fields) == 1:
        name, value = next(iter(fields.items()))
        if name in ("output", "result", "error"):
            text = bytes(value)
            return (_decode_text(text) if text.startswith(b'"') else text.decode()), name == "error"
    return raw.decode(), False


def _blob(at: str, blob: Blob) -> Image | Audio | File:
    mime, data = blob.mime_type.lower(), standard_base64(blob.data)
    if not mime or not data:
        raise _wrong(f"{at}.inlineData", "needs mimeType and data")
    if mime.startswith("image/"):
        return Image(data, mime)
    if mime.startswith("audio/"):
        return Audio(data, mime)
    return File(data, mime, filename=blob.display_name or "")


def _file(at: str, file: FileData) -> Image | File:
    if _KEPT.match(file.file_uri) or not file.file_uri.startswith(("https://", "http://")):
        raise _wrong(
            f"{at}.fileData.fileUri",
            "is a file kept at Google, which an upstream of another protocol cannot read; send it by value, as inlineData",
        )
    if file.mime_type.lower().startswith("image/"):
        return Image(mime=file.mime_type, url=file.file_uri)
    return File(mime=file.mime_type, url=file.file_uri)


def _wrong(field: str, what: str) -> BadRequest:
    return BadRequest(f"`{field}` {what}.", param=field, code="unsupported_value")
