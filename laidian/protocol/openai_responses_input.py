"""The `input` of a Responses request, read into messages.

Items of one assistant turn (reasoning, text, calls) become one message, outputs of its calls another, since that is how every other
protocol has them (protocol.md 6.2). Server-side tools that ran in an earlier turn left their findings in the text that followed, so
their items are left out and named; items that the client itself must answer or that stand for stored text are refused.
"""

from __future__ import annotations

import msgspec

from laidian.errors import BadRequest
from laidian.protocol.canonical import (
    Audio,
    File,
    Image,
    Message,
    Part,
    Refusal,
    Text,
    Thought,
    ToolCall,
    ToolResult,
)
from laidian.protocol.document import said
from laidian.protocol.openai_responses_carrier import carried
from laidian.protocol.openai_responses_wire import Item, Tool, cannot, missing, read_content, read_value
from laidian.protocol.openai_responses_wire import Part as WirePart

_RAN_ON_THE_SERVER = frozenset(
    {"web_search_call", "file_search_call", "code_interpreter_call", "mcp_call", "mcp_list_tools"}
)
_WHY_NOT = {
    "item_reference": "it names something stored at the provider; send the item itself, as clients do with `store` false",
    "compaction": "it is encrypted by the provider that made it; send the conversation itself",
    "compaction_trigger": "compaction is a service of one provider",
}
_MIMES = {
    "pdf": "application/pdf",
    "txt": "text/plain",
    "md": "text/markdown",
    "csv": "text/csv",
    "html": "text/html",
}
"""Of files that come as bare base64; the API takes them by name and began with PDF alone."""

_ROLES = ("user", "assistant", "system", "developer")


class Conversation:
    """The input items, turned into messages in order. Raises BadRequest with the place of what cannot be carried."""

    def __init__(self, items: tuple[Item, ...]) -> None:
        self.messages: list[Message] = []
        self.tools: list[Tool] = []
        """Tools that an item in the middle of the conversation adds."""
        self._calls: dict[str, ToolCall] = {}
        self._turn: list[Part] = []
        self._results: list[Part] = []
        self._signature = ""
        self._dropped: dict[str, None] = {}
        for place, item in enumerate(items):
            self._read(f"input[{place}]", item)
        self._close()

    @property
    def dropped(self) -> tuple[str, ...]:
        return tuple(self._dropped)

    def _read(self, at: str, item: Item) -> None:
        kind = item.type or ("message" if item.role else "")
        match kind:
            case "message":
                self._message(at, item)
            case "function_call" | "custom_tool_call":
                self._call(at, item, custom=kind == "custom_tool_call")
            case "function_call_output" | "custom_tool_call_output":
                self._result(at, item, custom=kind == "custom_tool_call_output")
            case "reasoning":
                self._thought(item)
            case "item_reference" if item.id is not None and item.id.startswith("rs_"):
                # A thought named, not sent, as the Vercel AI SDK 7 does unless `store` is false: the answer goes on without it
                self._dropped["input[].item_reference"] = None
            case "image_generation_call":
                self._picture(item)
            case "additional_tools":
                self.tools += item.tools or ()
            case "":
                raise missing(f"{at}.type")
            case _ if kind in _RAN_ON_THE_SERVER:
                self._dropped[f"input[].{kind}"] = None
            case _:
                why = _WHY_NOT.get(kind, f"it knows no items of type {kind[:40]!r}")
                raise cannot(f"{at}.type", why)

    def _message(self, at: str, item: Item) -> None:
        if item.content is None:
            raise missing(f"{at}.content")
        if item.role not in _ROLES:
            raise BadRequest(
                f"`{at}.role` must be one of {', '.join(_ROLES)}; got {str(item.role)[:40]!r}.",
                param=f"{at}.role",
                code="invalid_value",
            )
        parts = _parts(f"{at}.content", item.content)
        if item.role == "assistant":
            self._to_turn(*parts)
            return
        self._close()
        match item.role:
            case "user":
                self.messages.append(Message("user", parts))
            case "system":
                self.messages.append(Message("system", parts))
            case _:
                self.messages.append(Message("developer", parts))

    def _call(self, at: str, item: Item, *, custom: bool) -> None:
        name = "input" if custom else "arguments"
        raw = said(item.input if custom else item.arguments)
        if not item.call_id:
            raise missing(f"{at}.call_id")
        if not item.name:
            raise missing(f"{at}.name")
        if raw is None:
            raise missing(f"{at}.{name}")
        call = ToolCall(
            item.call_id,
            item.name,
            read_value(raw, f"{at}.{name}", str),
            custom=custom,
            namespace=item.namespace or "",
            signature=self._signature,
        )
        self._signature = ""
        self._calls[call.id] = call
        self._to_turn(call)

    def _result(self, at: str, item: Item, *, custom: bool) -> None:
        raw = said(item.output)
        if not item.call_id:
            raise missing(f"{at}.call_id")
        if raw is None:
            raise missing(f"{at}.output")
        call = self._calls.get(item.call_id)
        parts: list[Text | Image | File] = []
        for place, part in enumerate(_parts(f"{at}.output", read_content(raw, f"{at}.output"))):
            if not isinstance(part, Text | Image | File):
                raise cannot(f"{at}.output[{place}]", "a tool's output is text, images and files")
            parts.append(part)
        self._flush_turn()
        self._results.append(
            ToolResult(
                item.call_id,
                tuple(parts),
                name=call.name if call else item.name or "",
                custom=custom,
                namespace=call.namespace if call else item.namespace or "",
            )
        )

    def _thought(self, item: Item) -> None:
        pieces = [one.text or "" for one in item.summary or ()]
        if not any(pieces) and isinstance(item.content, tuple):
            pieces = [one.text or "" for one in item.content]
        text = "\n\n".join(pieces)
        sealed = carried(item.encrypted_content) if item.encrypted_content else None
        if sealed is None:
            if item.encrypted_content:
                self._dropped["input[].encrypted_content"] = None
            thought = Thought(text)
        elif sealed.of_call:
            self._signature, thought = sealed.signature, Thought(text)
        else:
            thought = Thought(text, sealed.signature, sealed.maker, sealed.redacted)
        if thought.text or thought.signature:
            signature = self._signature
            self._to_turn(thought)
            self._signature = signature

    def _picture(self, item: Item) -> None:
        raw = said(item.result)
        if raw is not None:
            mime = f"image/{item.output_format or 'png'}"
            self._to_turn(Image(data=read_value(raw, "input[].result", str), mime=mime))

    def _to_turn(self, *parts: Part) -> None:
        """To what the assistant said; a signature that no call has taken belongs to nothing any more."""
        if self._results:
            self.messages.append(Message("user", tuple(self._results)))
            self._results = []
        self._turn += parts
        self._signature = ""

    def _flush_turn(self) -> None:
        if self._turn:
            self.messages.append(Message("assistant", tuple(self._turn)))
            self._turn = []
        self._signature = ""

    def _close(self) -> None:
        self._flush_turn()
        if self._results:
            self.messages.append(Message("user", tuple(self._results)))
            self._results = []


def _parts(at: str, content: str | tuple[WirePart, ...]) -> tuple[Part, ...]:
    if isinstance(content, str):
        return (Text(content),)
    return tuple(_part(f"{at}[{place}]", part) for place, part in enumerate(content))


def _part(at: str, part: WirePart) -> Part:
    match part.type:
        case "input_text" | "output_text" | "text":
            if part.text is None:
                raise missing(f"{at}.text")
            return Text(part.text)
        case "refusal":
            return Refusal(part.refusal or "")
        case "input_image":
            return _image(at, part)
        case "input_file":
            return _file(at, part)
        case "input_audio" if part.input_audio is not None:
            return Audio(part.input_audio.data, f"audio/{part.input_audio.format or 'wav'}")
        case _:
            raise cannot(f"{at}.type", f"it knows no content of type {part.type[:40]!r}")


def _image(at: str, part: WirePart) -> Image:
    if part.image_url is None:
        if part.file_id:
            raise cannot(f"{at}.file_id", "the file is stored at another provider; send the image itself")
        raise missing(f"{at}.image_url")
    mime, data = split_data_url(part.image_url)
    detail = part.detail or ""
    if not data and part.image_url[:5].lower() == "data:":
        raise BadRequest(
            f"`{at}.image_url` is a data URL without base64 content.",
            param=f"{at}.image_url",
            code="invalid_value",
        )
    return Image(data=data, mime=mime, detail=detail) if data else Image(url=part.image_url, detail=detail)


def _file(at: str, part: WirePart) -> File:
    name = part.filename or ""
    if part.file_data is not None:
        mime, data = split_data_url(part.file_data)
        if not data:
            mime, data = _MIMES.get(name.rpartition(".")[2].lower(), "application/pdf"), part.file_data
        return File(data=data, mime=mime, filename=name)
    if part.file_url:
        return File(url=part.file_url, filename=name)
    if part.file_id:
        raise cannot(f"{at}.file_id", "the file is stored at another provider; send the file itself")
    raise missing(f"{at}.file_data")


def split_data_url(url: str) -> tuple[str, str]:
    """(media type, base64) of a data: URL; two empty strings for anything else."""
    head, mark, data = url.partition(";base64,")
    if not mark or head[:5].lower() != "data:":
        return "", ""
    return head[5:].partition(";")[0].lower(), data


def read_items(raw: bytes) -> tuple[Item, ...]:
    """`input` as items, whichever form it has. Raises BadRequest."""
    if raw.startswith(b'"'):
        return (Item(type="message", role="user", content=msgspec.json.decode(raw, type=str)),)
    return read_value(raw, "input", tuple[Item, ...])
