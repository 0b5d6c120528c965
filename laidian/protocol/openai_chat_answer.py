"""Canonical events, written as a Chat Completions answer: chunks for a stream, one object for a whole one.

Order and keys are those of protocol.md 4.2: the role once and first, ids and names of calls once, one finish, usage only for a client that
asked for it, then [DONE]. A client that offered the legacy `functions` is answered with `function_call`, which can say one call only.
The rule a newcomer would break: SDKs add repeated strings together and merge lists by `index`, so nothing is said twice and every entry of a
streamed list has its index.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw

from laidian.domain.usage import Usage
from laidian.errors import LaidianError
from laidian.protocol.canonical import (
    AudioMade,
    Cited,
    Event,
    Finished,
    ImageMade,
    RefusalDelta,
    Request,
    Started,
    TextDelta,
    ThoughtDelta,
    ToolDelta,
    ToolFinished,
    ToolStarted,
    Used,
)
from laidian.protocol.dialect import Peek
from laidian.protocol.flat_tools import flat_name, plain_input
from laidian.protocol.openai_chat_encode import SERVICE_TIERS
from laidian.protocol.openai_chat_messages import FORMATS
from laidian.protocol.openai_chat_request import is_legacy
from laidian.protocol.openai_chat_wire import (
    NOTHING,
    Annotation,
    Answer,
    AudioAnswer,
    Choice,
    CompletionDetails,
    CustomCall,
    ExtraContent,
    FunctionCall,
    Google,
    ImageUrl,
    Logprobs,
    Message,
    Part,
    PromptDetails,
    ReasoningDetail,
    ToolCall,
    UrlCitation,
    UsageSaid,
)

DONE_EVENT = b"data: [DONE]\n\n"

_encode = msgspec.json.Encoder().encode


class ChatWriter:
    """The `StreamWriter` of Chat Completions."""

    def __init__(self, peek: Peek, request: Request) -> None:
        self._pieces = Pieces(peek, request)
        self._model = peek.model
        self._wants_usage = peek.wants_usage
        self._id = ""
        self._created_s = 0
        self._used: Used | None = None

    def write(self, events: list[Event]) -> bytes:
        return b"".join(self._write(event) for event in events)

    def end(self) -> bytes:
        """Usage that nobody reported is left out rather than invented."""
        usage = b""
        if self._wants_usage and self._used is not None:
            usage = self._event((), usage_said(self._used.usage), tier_said(self._used))
        return usage + DONE_EVENT

    def failure(self, error: LaidianError) -> bytes | None:
        """None: the family's own error event is what chat clients know in the middle of a stream (protocol.md 4.2)."""
        return None

    def _write(self, event: Event) -> bytes:
        match event:
            case Started(id, _, created_s):
                return self._begin(id, created_s)
            case Used():
                self._used = event
                return b""
            case Finished():
                return self._first() + self._chunk(Message(), self._pieces.reason(event))
            case _:
                delta = self._pieces.delta(event)
                if delta is None:
                    return b""
                return self._first() + self._chunk(delta, logprobs=_logprobs(event))

    def _first(self) -> bytes:
        return b"" if self._id else self._begin("", 0)

    def _begin(self, id: str, created_s: int) -> bytes:  # noqa: A002  the wire's word
        if self._id:
            return b""
        self._id, self._created_s = completion_id(id), created_s
        return self._chunk(Message("assistant", ""))

    def _chunk(self, delta: Message, reason: str | None = None, logprobs: Logprobs | None = None) -> bytes:
        choice = Choice(0, delta=delta, logprobs=logprobs, finish_reason=reason)
        return self._event((choice,), None)

    def _event(self, choices: tuple[Choice, ...], usage: UsageSaid | None, tier: str = "") -> bytes:
        chunk = Answer(
            self._id or completion_id(""),
            "chat.completion.chunk",
            self._created_s,
            self._model,
            choices,
            usage if self._wants_usage else msgspec.UNSET,
            tier,
        )
        return b"data: " + _encode(chunk) + b"\n\n"


def write_whole(peek: Peek, request: Request, events: list[Event]) -> bytes:
    """A complete answer: the pieces that a stream would bring, added up."""
    pieces = Pieces(peek, request)
    total = _Total()
    started, used, reason = Started("", "", 0), None, "stop"
    for event in events:
        match event:
            case Started():
                started = event
            case Used():
                used = event
            case Finished():
                reason = pieces.reason(event)
            case _:
                delta = pieces.delta(event)
                if delta is not None:
                    total.add(delta, _logprobs(event))
    choice = Choice(0, message=total.message(), logprobs=total.logprobs(), finish_reason=reason)
    answer = Answer(
        completion_id(started.id),
        "chat.completion",
        started.created_s,
        peek.model,
        (choice,),
        msgspec.UNSET if used is None else usage_said(used.usage),
        "" if used is None else tier_said(used),
    )
    return _encode(answer)


def completion_id(id: str) -> str:  # noqa: A002  the wire's word
    """The upstream's id in the form that chat clients know."""
    return id if id.startswith("chatcmpl") else f"chatcmpl-{id or '0'}"


def tier_said(used: Used) -> str:
    return used.service_tier if used.service_tier in SERVICE_TIERS and used.service_tier != "default" else ""


def usage_said(usage: Usage) -> UsageSaid:
    """OpenAI's sums contain their parts (protocol.md 7.1). Of what is both cached and an image or a sound, the cache is told."""
    prompt, completion = usage.total_input_tokens, usage.total_output_tokens
    return UsageSaid(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=prompt + completion,
        prompt_tokens_details=PromptDetails(
            cached_tokens=usage.cached_input + usage.cached_image_input + usage.cached_audio_input,
            cache_write_tokens=usage.cache_write + usage.cache_write_1h,
            audio_tokens=usage.audio_input,
            image_tokens=usage.image_input,
        ),
        completion_tokens_details=CompletionDetails(
            reasoning_tokens=usage.reasoning,
            audio_tokens=usage.audio_output,
            image_tokens=usage.image_output,
        ),
    )


def _logprobs(event: Event) -> Logprobs | None:
    if isinstance(event, TextDelta) and event.logprobs:
        return Logprobs(Raw(event.logprobs), None)
    return None


class Pieces:
    """Turns events into deltas, the same for a stream and for a whole answer."""

    def __init__(self, peek: Peek, request: Request) -> None:
        self._legacy = is_legacy(peek)
        self._customs = {tool.name for tool in request.tools if tool.custom}
        self._calls: dict[int, _Call] = {}
        self._images = self._notes = self._details = 0
        self._thought = ""
        """Of the thought in progress: a signature goes out with the text that it signs."""

    def reason(self, finished: Finished) -> str:
        reason = "tool_calls" if self._calls and finished.reason == "stop" else finished.reason
        return "function_call" if self._legacy and reason == "tool_calls" else reason

    def delta(self, event: Event) -> Message | None:
        """None for an event that has nothing to show."""
        if isinstance(event, ThoughtDelta):
            return self._reason(event)
        self._thought = ""
        match event:
            case TextDelta(text):
                return Message(content=text) if text else None
            case RefusalDelta(text):
                return Message(refusal=text) if text else None
            case ToolStarted():
                return self._open(event)
            case ToolDelta(index, arguments):
                return self._fragment(index, arguments)
            case ToolFinished(index):
                return self._close(index)
            case ImageMade(data, mime):
                url = ImageUrl(f"data:{mime or 'image/png'};base64,{data}")
                self._images += 1
                return Message(images=(Part("image_url", image_url=url, index=self._images - 1),))
            case AudioMade(data, _, transcript):
                audio = AudioAnswer("audio_0", data, transcript, 0)
                return Message(audio=Raw(_encode(audio)))
            case Cited(url, title):
                # where in the text it was cited is not known across protocols; SDKs want the numbers
                cited = UrlCitation(url, title, 0, 0)
                self._notes += 1
                return Message(annotations=(Annotation("url_citation", cited, self._notes - 1),))
            case _:
                return None

    def _reason(self, event: ThoughtDelta) -> Message | None:
        self._thought += event.text
        text = event.text or None
        made = FORMATS.get(event.maker) if event.signature else None
        if made is None:
            return None if text is None else Message(reasoning_content=text)
        place, self._details = self._details, self._details + 1
        if event.redacted:
            detail = ReasoningDetail("reasoning.encrypted", data=event.signature, format=made, index=place)
        else:
            detail = ReasoningDetail("reasoning.text", self._thought, None, event.signature, made, place)
            self._thought = ""
        return Message(reasoning_content=text, reasoning_details=(detail,))

    def _open(self, event: ToolStarted) -> Message | None:
        name = flat_name(event.namespace, event.name)
        wrapped = name in self._customs and not event.custom
        call = _Call(len(self._calls), wrapped or event.custom, wrapped)
        self._calls[event.index] = call
        if self._legacy:
            return Message(function_call=FunctionCall(name, "")) if call.place == 0 else None
        extra = ExtraContent(Google(event.signature)) if event.signature else None
        if call.custom:
            opened = ToolCall(
                call.place, event.id, "custom", custom=CustomCall(name, ""), extra_content=extra
            )
        else:
            opened = ToolCall(call.place, event.id, "function", FunctionCall(name, ""), extra_content=extra)
        return Message(tool_calls=(opened,))

    def _fragment(self, index: int, arguments: str) -> Message | None:
        call = self._calls.get(index)
        if call is None or not arguments:
            return None
        if call.wrapped:
            call.waiting += arguments
            return None
        if self._legacy:
            return Message(function_call=FunctionCall(None, arguments)) if call.place == 0 else None
        return _more(call, arguments)

    def _close(self, index: int) -> Message | None:
        """A custom tool's input that an upstream without custom tools gave as a JSON object is taken out of it."""
        call = self._calls.get(index)
        if call is None or not call.wrapped or not call.waiting:
            return None
        waiting, call.waiting = call.waiting, ""
        return _more(call, plain_input(waiting))


class _Call:
    def __init__(self, place: int, custom: bool, wrapped: bool) -> None:
        self.place = place
        self.custom = custom
        self.wrapped = wrapped
        """The upstream knows the tool as a function with one `input`."""
        self.waiting = ""


def _more(call: _Call, text: str) -> Message:
    if call.custom:
        return Message(tool_calls=(ToolCall(call.place, custom=CustomCall(None, text)),))
    return Message(tool_calls=(ToolCall(call.place, function=FunctionCall(None, text)),))


class _Total:
    """Deltas added up to one message."""

    def __init__(self) -> None:
        self._content: list[str] = []
        self._refusal: list[str] = []
        self._reasoning: list[str] = []
        self._details: list[ReasoningDetail] = []
        self._images: list[Part] = []
        self._notes: list[Annotation] = []
        self._calls: list[ToolCall] = []
        self._arguments: list[list[str]] = []
        self._function: list[str] = []
        self._name = ""
        self._audio = NOTHING
        self._logprobs: list[bytes] = []

    def add(self, delta: Message, logprobs: Logprobs | None) -> None:
        if isinstance(delta.content, str):
            self._content.append(delta.content)
        if isinstance(delta.refusal, str):
            self._refusal.append(delta.refusal)
        self._reasoning.append(delta.reasoning_content or "")
        self._details += delta.reasoning_details or ()
        self._images += (msgspec.structs.replace(image, index=None) for image in delta.images or ())
        self._notes += (msgspec.structs.replace(note, index=None) for note in delta.annotations or ())
        for call in delta.tool_calls or ():
            self._call(call)
        if delta.function_call is not None:
            self._name = delta.function_call.name or self._name
            self._function.append(delta.function_call.arguments or "")
        if len(memoryview(delta.audio)):
            self._audio = delta.audio
        if logprobs is not None:
            self._logprobs.append(bytes(logprobs.content).strip()[1:-1])

    def _call(self, call: ToolCall) -> None:
        place = call.index or 0
        if call.id is not None:
            self._calls.append(call)
            self._arguments.append([])
        piece = call.function.arguments if call.function else call.custom.input if call.custom else ""
        self._arguments[place].append(piece or "")

    def logprobs(self) -> Logprobs | None:
        listed = [one for one in self._logprobs if one.strip()]
        return Logprobs(Raw(b"[" + b",".join(listed) + b"]"), None) if listed else None

    def message(self) -> Message:
        text, refusal = "".join(self._content), "".join(self._refusal)
        called = bool(self._calls or self._name)
        return Message(
            "assistant",
            text if text or not (refusal or called) else None,
            refusal=refusal or None,
            reasoning_content="".join(self._reasoning) or None,
            reasoning_details=tuple(self._details) or None,
            tool_calls=tuple(map(_whole_call, self._calls, self._arguments)) or None,
            function_call=FunctionCall(self._name, "".join(self._function)) if self._name else None,
            images=tuple(self._images) or None,
            annotations=tuple(self._notes) or None,
            audio=self._audio,
        )


def _whole_call(call: ToolCall, arguments: list[str]) -> ToolCall:
    text = "".join(arguments)
    if call.custom is not None:
        return msgspec.structs.replace(call, index=None, custom=CustomCall(call.custom.name, text))
    name = call.function.name if call.function else None
    return msgspec.structs.replace(call, index=None, function=FunctionCall(name, text))
