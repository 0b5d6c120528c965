"""Answers of a Chat Completions upstream, streamed or whole, read into canonical events.

Compatible servers bend the format, and what is seen in the wild is understood: a first chunk without choices, an id or a role in every
delta, all calls of a turn under index 0, calls without an id, `stop` after tool calls, usage on every chunk or on none, no [DONE].
The rule a newcomer would break: a call is known by its id as well as its index, and nothing of it is emitted before its name is there.
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
from laidian.protocol.openai_chat_messages import MAKERS, data_url
from laidian.protocol.openai_chat_wire import (
    AnswerRead,
    ChoiceRead,
    Content,
    Logprobs,
    Message,
    Part,
    ReasoningDetail,
    ToolCall,
)
from laidian.protocol.openai_family import error_message
from laidian.protocol.openai_usage import read_usage

DONE = b"[DONE]"

_REASONS: dict[str, Reason] = {
    "length": "length",
    "max_tokens": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "safety": "content_filter",
}
"""Everything else (`stop`, `eos`, `end_turn` …) is an answer that came to its own end."""

_decode = msgspec.json.Decoder(AnswerRead).decode


class ChatReader(EventReader):
    """The `StreamReader` of Chat Completions."""

    def __init__(self) -> None:
        super().__init__()
        self._answer = ChatAnswer()

    def _finished(self) -> bool:
        """[DONE] is not asked for: many servers forget it."""
        return self._answer.finished

    def _read(self, event: bytes, events: list[Event]) -> None:
        data = data_of(event)
        if data is None or self.ended:
            return
        if data.strip() == DONE:
            self.ended = True
            return
        try:
            chunk = _decode(data)
        except (msgspec.DecodeError, RecursionError):
            raise StreamFault(
                "the upstream sent something that is not a chat chunk into the stream"
            ) from None
        events += self._answer.see(chunk)


def read_whole(body: bytes) -> list[Event]:
    """Raises StreamFault when the body is no complete chat completion."""
    try:
        read = _decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise StreamFault("the upstream's answer is not a chat completion") from None
    if said(read.error) is None and not read.choices:
        raise StreamFault("the upstream's answer has no choices")
    answer = ChatAnswer()
    events = answer.see(read)
    if not answer.finished:
        # compatible servers leave finish_reason out of whole answers; the body says by itself that it is complete
        events += answer.finish("stop")
    return events


class ChatAnswer:
    """What has been said of one answer so far. Keeps the state of its calls, no text."""

    def __init__(self) -> None:
        self.finished = False
        self._id = ""
        self._created_s = 0
        self._started = False
        self._tier = "default"
        self._calls: list[_Call] = []

    def see(self, read: AnswerRead) -> list[Event]:
        """The events of one chunk or of a whole answer. Raises StreamFault for an error in it."""
        error = said(read.error)
        if error is not None:
            raise StreamFault(error_message(error) or "the upstream reported an error inside its answer")
        events = self._start(read)
        for choice in read.choices or ():
            if choice.index == 0 and not self.finished:
                events += self._choice(choice)
        if read.service_tier:
            self._tier = read.service_tier
        reported = said(read.usage)
        usage = None if reported is None else read_usage(reported)
        if usage is not None:
            events.append(Used(usage, self._tier))
        return events

    def finish(self, reason: str) -> list[Event]:
        """Raises StreamFault when the upstream says that it failed."""
        if reason == "error":
            raise StreamFault("the upstream broke the answer off with an error")
        events: list[Event] = []
        for call in self._calls:
            if not call.name:
                raise StreamFault("the upstream called a tool without a name")
            events.append(ToolFinished(call.place))
        self.finished = True
        ended = _REASONS.get(reason, "stop")
        if ended == "stop" and self._calls:
            ended = "tool_calls"
        events.append(Finished(ended))
        return events

    def _start(self, read: AnswerRead) -> list[Event]:
        """Azure's first chunk has neither id nor choices; the answer starts with the one after it."""
        if self._started or not (read.id or read.choices):
            return []
        self._started = True
        self._created_s = int(read.created or 0)
        self._id = read.id or f"chatcmpl-{self._created_s}"
        return [Started(self._id, read.model or "", self._created_s)]

    def _choice(self, choice: ChoiceRead) -> list[Event]:
        message = choice.delta or choice.message
        events: list[Event] = []
        if message is not None:
            events = self._message(message, choice.logprobs)
        if choice.finish_reason is not None:
            events += self.finish(choice.finish_reason)
        return events

    def _message(self, message: Message, logprobs: Logprobs | None) -> list[Event]:
        events: list[Event] = []
        events += _thoughts(message)
        text = _text(message.content)
        if text:
            listed = None if logprobs is None else said(logprobs.content)
            events.append(TextDelta(text, listed or b""))
        if isinstance(message.refusal, str) and message.refusal:
            events.append(RefusalDelta(message.refusal))
        for image in message.images or ():
            events.append(_image(image))
        for note in message.annotations or ():
            cited = note.url_citation
            if cited is not None and cited.url:
                events.append(Cited(cited.url, cited.title if isinstance(cited.title, str) else ""))
        for call in message.tool_calls or ():
            events += self._call(call)
        if message.function_call is not None:
            events += self._call(ToolCall(index=0, function=message.function_call))
        return events

    def _call(self, piece: ToolCall) -> list[Event]:
        call = self._call_of(piece)
        fragment, named = "", ""
        if piece.function is not None:
            named, fragment = piece.function.name or "", piece.function.arguments or ""
        elif piece.custom is not None:
            named, fragment = piece.custom.name or "", piece.custom.input or ""
            call.custom = True
        google = piece.extra_content.google if piece.extra_content is not None else None
        events: list[Event] = []
        if not call.name:
            call.waiting += fragment
            if not named:
                return []
            call.name, fragment, call.waiting = named, call.waiting, ""
            signature = (google.thought_signature if google is not None else None) or ""
            call_id = call.id or f"call_{self._id.removeprefix('chatcmpl-')[:40]}_{call.place}"
            events.append(ToolStarted(call.place, call_id, named, call.custom, signature=signature))
        if fragment:
            events.append(ToolDelta(call.place, fragment))
        return events

    def _call_of(self, piece: ToolCall) -> _Call:
        """The call that a piece belongs to; a new one when its index or its id is new."""
        same = [call for call in self._calls if piece.index is None or call.index == piece.index]
        last = same[-1] if same else None
        if last is not None and (not piece.id or not last.id or last.id == piece.id):
            last.id = last.id or piece.id or ""
            if not (_is_complete(piece) and piece.index is None and not piece.id):
                return last
        call = _Call(len(self._calls), piece.index, piece.id or "")
        self._calls.append(call)
        return call


class _Call:
    def __init__(self, place: int, index: int | None, id: str) -> None:  # noqa: A002  the wire's word
        self.place = place
        self.index = index
        self.id = id
        self.name = ""
        self.custom = False
        self.waiting = ""
        """Arguments that came before the name."""


def _is_complete(piece: ToolCall) -> bool:
    """Whether it names its function: in a whole answer each call does, and is a call of its own."""
    return piece.function is not None and bool(piece.function.name)


def _text(content: Content | msgspec.UnsetType) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, tuple):
        return "".join(part.text or "" for part in content)
    return ""


def _thoughts(message: Message) -> list[Event]:
    """Plain reasoning as it comes; signatures after it. A whole message tells each signed thought apart."""
    text = message.reasoning_content or message.reasoning or ""
    signed = [detail for detail in message.reasoning_details or () if detail.signature or detail.data]
    whole = bool(text) and bool(signed) and all(detail.text or detail.data for detail in signed)
    events: list[Event] = []
    if text and not whole:
        events.append(ThoughtDelta(text))
    for detail in signed:
        events.append(_signed(detail, detail.text or "" if whole else ""))
    return events


def _signed(detail: ReasoningDetail, text: str) -> ThoughtDelta:
    maker = MAKERS.get(detail.format or "", "")
    if detail.data:
        return ThoughtDelta("", detail.data, maker, True)
    return ThoughtDelta(text, detail.signature or "", maker)


def _image(image: Part) -> Event:
    """A picture by address stays an address, in the text, since no other dialect's answer has a place for one."""
    source = image.image_url
    url = source if isinstance(source, str) else source.url if source is not None else ""
    mime, data = data_url(url)
    return ImageMade(data, mime) if data else TextDelta(f"![image]({url})")
