"""Answers of a Responses upstream, streamed or whole, read into canonical events.

Compatible servers leave events out, so each thing is taken from the first event that says it: text from its deltas, else from the
finished part or item, else from the last event's response object. Events of unknown kinds are passed over.
The rule a newcomer would break: content and usage that came before a fault in the same bytes are still given; the fault is raised by
the next call, and `ended` is true at once so that the next call comes.
"""

from __future__ import annotations

import msgspec

from laidian.protocol.canonical import (
    Cited,
    Event,
    Finished,
    ImageMade,
    Reason,
    RefusalDelta,
    Started,
    TextDelta,
    ThoughtDelta,
    ToolDelta,
    ToolFinished,
    ToolStarted,
    Used,
)
from laidian.protocol.dialect import StreamFault
from laidian.protocol.document import said
from laidian.protocol.event_stream import EventReader
from laidian.protocol.events import data_of
from laidian.protocol.openai_family import error_message
from laidian.protocol.openai_responses import error_code, fault_of_event
from laidian.protocol.openai_responses_usage import read_responses_usage


class _Annotation(msgspec.Struct):
    type: str | None = None
    url: str | None = None
    title: str | None = None


class _Part(msgspec.Struct):
    type: str | None = None
    text: str | None = None
    refusal: str | None = None
    annotations: list[_Annotation] | None = None
    logprobs: msgspec.Raw = msgspec.Raw()


class _Item(msgspec.Struct):
    type: str = ""
    call_id: str | None = None
    id: str | None = None
    name: str | None = None
    namespace: str | None = None
    arguments: msgspec.Raw = msgspec.Raw()
    input: msgspec.Raw = msgspec.Raw()
    content: list[_Part] | None = None
    summary: list[_Part] | None = None
    encrypted_content: str | None = None
    result: msgspec.Raw = msgspec.Raw()
    output_format: str | None = None


class _Incomplete(msgspec.Struct):
    reason: str | None = None


class _Response(msgspec.Struct):
    id: str | None = None
    model: str | None = None
    created_at: float | None = None
    status: str | None = None
    service_tier: str | None = None
    output: list[msgspec.Raw] | None = None
    usage: msgspec.Raw = msgspec.Raw()
    tool_usage: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()
    incomplete_details: _Incomplete | None = None


class _Event(msgspec.Struct):
    type: str
    output_index: int | None = None
    content_index: int | None = None
    summary_index: int | None = None
    delta: str | None = None
    logprobs: msgspec.Raw = msgspec.Raw()
    annotation: _Annotation | None = None
    item: msgspec.Raw = msgspec.Raw()
    response: msgspec.Raw = msgspec.Raw()


class _Typed(msgspec.Struct):
    type: str


_decode_event = msgspec.json.Decoder(_Event).decode
_decode_type = msgspec.json.Decoder(_Typed).decode
_decode_item = msgspec.json.Decoder(_Item).decode
_decode_response = msgspec.json.Decoder(_Response).decode
_decode_text = msgspec.json.Decoder(str).decode
_UNREADABLE = (msgspec.DecodeError, RecursionError)

_TERMINAL = frozenset({"response.completed", "response.incomplete", "response.failed"})
_LIFECYCLE = frozenset({"response.created", "response.queued", "response.in_progress"})


class ResponsesReader(EventReader):
    """The `StreamReader` of the Responses API."""

    def __init__(self) -> None:
        super().__init__()
        self._answer = _Answer()

    def _finished(self) -> bool:
        return self._answer.finished

    def _read(self, event: bytes, events: list[Event]) -> None:
        data = data_of(event)
        if data is None or self.ended or data.strip() == b"[DONE]":
            return
        try:
            told = _decode_event(data)
        except msgspec.ValidationError:
            told = _of_unknown_shape(data)
        except _UNREADABLE:
            raise StreamFault("the upstream sent something that is not JSON into the stream") from None
        self._answer.see(told, data, events)
        self.ended = self._answer.finished


def _of_unknown_shape(data: bytes) -> _Event:
    """An event whose fields are of other types than those known here; only its kind is kept."""
    try:
        event = _Event(_decode_type(data).type)
    except _UNREADABLE:
        raise StreamFault(
            "the upstream sent something that is not a response event into the stream"
        ) from None
    if event.type in _TERMINAL:
        raise StreamFault("the upstream ended the stream with something that is not a response")
    return event


def read_whole(body: bytes) -> list[Event]:
    """Raises StreamFault when the body is no finished response."""
    try:
        response = _decode_response(body)
    except _UNREADABLE:
        raise StreamFault("the upstream's answer is not a response object") from None
    if response.output is None:
        error = said(response.error)
        words = "" if error is None else error_message(error)
        raise StreamFault(words or "the upstream's answer is a response without output")
    if response.status in ("queued", "in_progress"):
        raise StreamFault(f"the upstream answered with a response that is still {response.status}")
    events: list[Event] = []
    _Answer().finish(response, response.status or "completed", events)
    return events


class _Answer:
    """What has been said of one response so far. Keeps which things were said, no text."""

    def __init__(self) -> None:
        self.finished = False
        self._started = False
        self._calls: dict[int, int] = {}
        """Output index to the number of its call."""
        self._open: set[int] = set()
        """Calls that are not finished, by output index."""
        self._ids: dict[int, str | None] = {}
        self._done: set[int] = set()
        self._heard: set[tuple[int, str, int]] = set()
        """What came in deltas: (output index, kind, index in the item)."""

    def see(self, event: _Event, data: bytes, events: list[Event]) -> None:
        """Raises StreamFault for an error."""
        kind = event.type
        index = event.output_index or 0
        if kind in _LIFECYCLE:
            self._start(_response(event), events)
        elif kind in _TERMINAL:
            self.finish(_response(event), kind.removeprefix("response."), events)
        elif kind == "error":
            raise fault_of_event(data)
        elif kind.endswith(".delta"):
            self._delta(event, index, events)
        elif kind == "response.output_item.added":
            self._added(_item(event.item), index, events)
        elif kind == "response.output_item.done":
            self._finished_item(_item(event.item), index, events)
        elif kind == "response.output_text.annotation.added" and event.annotation is not None:
            self._heard.add((index, "annotation", event.content_index or 0))
            _cite(event.annotation, events)

    def finish(self, response: _Response, status: str, events: list[Event]) -> None:
        """The end, and whatever has not been said before it. Raises StreamFault for a failed response."""
        self._start(response, events)
        if status != "failed":
            self._catch_up(response.output or [], events)
        usage = read_responses_usage(said(response.usage), said(response.tool_usage))
        if usage is not None:
            events.append(Used(usage, response.service_tier or "default"))
        if status == "failed":
            error = said(response.error)
            words = "" if error is None else error_message(error)
            code = "" if error is None else error_code(error)
            raise StreamFault(words or "the upstream failed to make a response", code or "upstream_error")
        events.append(Finished(self._reason(response, status)))
        self.finished = True

    def _catch_up(self, output: list[msgspec.Raw], events: list[Event]) -> None:
        """What only the last event says: all of it when nothing came before, else the arguments of calls left open.

        Places in this list may differ from the stream's, since some servers list only some of the items: calls go by their ids.
        """
        if not (self._done or self._heard or self._calls):
            for index, raw in enumerate(output):
                self._finished_item(_item(raw), index, events)
            return
        listed = {item.call_id: item for item in map(_item, output) if item.call_id}
        for index in sorted(self._open):
            item = listed.get(self._ids[index] or "")
            if item is not None:
                self._arguments(item, index, events)
            events.append(ToolFinished(self._calls[index]))

    def _reason(self, response: _Response, status: str) -> Reason:
        if status == "incomplete":
            details = response.incomplete_details
            return (
                "content_filter" if details is not None and details.reason == "content_filter" else "length"
            )
        return "tool_calls" if self._calls else "stop"

    def _start(self, response: _Response, events: list[Event]) -> None:
        if not self._started:
            self._started = True
            created_s = int(response.created_at or 0)
            events.append(Started(response.id or "", response.model or "", created_s))

    def _delta(self, event: _Event, index: int, events: list[Event]) -> None:
        text = event.delta
        if not text:
            return
        match event.type:
            case "response.output_text.delta":
                self._heard.add((index, "text", event.content_index or 0))
                logprobs = said(event.logprobs)
                events.append(TextDelta(text, b"" if logprobs in (None, b"[]") else logprobs))
            case "response.refusal.delta":
                self._heard.add((index, "refusal", event.content_index or 0))
                events.append(RefusalDelta(text))
            case "response.reasoning_summary_text.delta":
                self._thought(text, (index, "summary", event.summary_index or 0), events)
            case "response.reasoning_text.delta":
                self._thought(text, (index, "thought", event.content_index or 0), events)
            case "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta":
                call = self._calls.get(index)
                if call is None:
                    raise StreamFault("the upstream sent arguments of a tool call that it had not begun")
                self._heard.add((index, "arguments", 0))
                events.append(ToolDelta(call, text))
            case _:
                pass

    def _thought(self, text: str, place: tuple[int, str, int], events: list[Event]) -> None:
        first = place not in self._heard
        self._heard.add(place)
        events.append(ThoughtDelta(f"\n\n{text}" if first and place[2] else text))

    def _added(self, item: _Item, index: int, events: list[Event]) -> None:
        custom = item.type == "custom_tool_call"
        if (not custom and item.type != "function_call") or index in self._calls:
            return
        number = self._calls[index] = len(self._calls)
        self._open.add(index)
        self._ids[index] = item.call_id
        events.append(
            ToolStarted(
                number, item.call_id or item.id or "", item.name or "", custom, namespace=item.namespace or ""
            )
        )

    def _finished_item(self, item: _Item, index: int, events: list[Event]) -> None:
        if index in self._done:
            return
        self._done.add(index)
        match item.type:
            case "function_call" | "custom_tool_call":
                self._added(item, index, events)
                self._arguments(item, index, events)
                self._open.discard(index)
                events.append(ToolFinished(self._calls[index]))
            case "message":
                for place, part in enumerate(item.content or ()):
                    self._finished_part(part, index, place, events)
            case "reasoning":
                self._finished_thought(item, index, events)
            case "image_generation_call":
                picture = said(item.result)
                if picture is not None:
                    events.append(ImageMade(_text(picture), f"image/{item.output_format or 'png'}"))
            case _:
                pass

    def _arguments(self, item: _Item, index: int, events: list[Event]) -> None:
        whole = said(item.input if item.type == "custom_tool_call" else item.arguments)
        if whole is not None and (index, "arguments", 0) not in self._heard and (text := _text(whole)):
            events.append(ToolDelta(self._calls[index], text))

    def _finished_part(self, part: _Part, index: int, place: int, events: list[Event]) -> None:
        if part.type == "refusal":
            if part.refusal and (index, "refusal", place) not in self._heard:
                events.append(RefusalDelta(part.refusal))
            return
        if part.text and (index, "text", place) not in self._heard:
            logprobs = said(part.logprobs)
            events.append(TextDelta(part.text, b"" if logprobs in (None, b"[]") else logprobs))
        if (index, "annotation", place) not in self._heard:
            for annotation in part.annotations or ():
                _cite(annotation, events)

    def _finished_thought(self, item: _Item, index: int, events: list[Event]) -> None:
        for kind, pieces in (("summary", item.summary), ("thought", item.content)):
            for place, piece in enumerate(pieces or ()):
                if piece.text and (index, kind, place) not in self._heard:
                    self._thought(piece.text, (index, kind, place), events)
        if item.encrypted_content:
            events.append(ThoughtDelta(signature=item.encrypted_content, maker="responses"))


def _response(event: _Event) -> _Response:
    try:
        return _decode_response(said(event.response) or b"")
    except _UNREADABLE:
        raise StreamFault(f"the upstream sent a {event.type} event without a response") from None


def _item(raw: msgspec.Raw) -> _Item:
    """An output item; one of a shape not known here counts as one of no type."""
    try:
        return _decode_item(raw)
    except _UNREADABLE:
        return _Item()


def _text(raw: bytes) -> str:
    """A string; an object, which some compatible servers send as arguments, as its JSON."""
    try:
        return _decode_text(raw) if raw.startswith(b'"') else raw.decode()
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise StreamFault("the upstream sent an item whose text is not valid UTF-8") from None


def _cite(annotation: _Annotation, events: list[Event]) -> None:
    if annotation.type == "url_citation" and annotation.url:
        events.append(Cited(annotation.url, annotation.title or ""))
