"""Canonical events, written as the stream of a response.

The invariants are those that openai-python 3.54.0 enforces and Codex relies on (protocol.md 4.3): `response.created` first, sequence
numbers without gaps, an item is added before anything is said of it, its done event has the same identity, and the last event lists all
items. Ids are derived from the upstream's, so that the same answer is always written the same.
The rule a newcomer would break: text items close before the next item opens, tool calls may stay open side by side.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw

from laidian.errors import LaidianError
from laidian.protocol.canonical import (
    AudioMade,
    Cited,
    Event,
    Finished,
    ImageMade,
    Reason,
    RefusalDelta,
    Request,
    Started,
    TextDelta,
    ThoughtDelta,
    Tool,
    ToolDelta,
    ToolFinished,
    ToolStarted,
    Used,
)
from laidian.protocol.dialect import Peek
from laidian.protocol.flat_tools import by_flat_name
from laidian.protocol.openai_responses_carrier import Carried, carry
from laidian.protocol.openai_responses_items import (
    Calling,
    Citation,
    Growing,
    Message,
    OutputRefusal,
    OutputText,
    Part,
    Picture,
    SummaryText,
    Thinking,
)
from laidian.protocol.openai_responses_object import (
    Fault,
    Incomplete,
    ResponseObject,
    event,
    fault_of,
    response_id,
)
from laidian.protocol.openai_responses_usage import ResponseUsage, response_usage

_INCOMPLETE: dict[Reason, str] = {"length": "max_output_tokens", "content_filter": "content_filter"}
_decode_list = msgspec.json.Decoder(list[Raw]).decode


class ResponsesWriter:
    """The `StreamWriter` of the Responses API. `failure` is what ends a stream that broke."""

    def __init__(self, peek: Peek, request: Request) -> None:
        self._peek = peek
        self._offered = _Offered(request.tools)
        self._response: ResponseObject | None = None
        self._sequence = 0
        self._out: list[bytes] = []
        self._items: list[Growing] = []
        self._open: Message | Thinking | None = None
        self._calls: dict[int, Calling] = {}
        self._citations: list[Cited] = []
        """Sources named before there was a text to note them at."""
        self._reason: Reason | None = None
        self._usage: ResponseUsage | None = None
        self._tier = "default"
        self._unsaid: int | None = None
        """The sequence number at which `end` began."""
        self.last = b""
        """The response object of the last event, for a whole answer."""

    def write(self, events: list[Event]) -> bytes:
        for one in events:
            self._write(one)
        return self._taken()

    def end(self) -> bytes:
        response = self._begun()
        self._unsaid = self._sequence
        response.service_tier = self._tier
        incomplete = _INCOMPLETE.get(self._reason) if self._reason is not None else None
        self._close("incomplete" if incomplete else "completed")
        for number in sorted(self._calls):
            self._finish_call(number, "incomplete" if incomplete else "completed")
        if self._reason is None:
            fault = Fault("server_error", "The upstream ended the answer without saying why.")
            self.last = response.write("failed", self._output(), error=fault)
            self._say_response("response.failed", self.last)
            return self._taken()
        status = "incomplete" if incomplete else "completed"
        self.last = response.write(
            status,
            self._output(),
            usage=self._usage,
            incomplete=Incomplete(incomplete) if incomplete else None,
        )
        self._say_response(f"response.{status}", self.last)
        return self._taken()

    def failure(self, error: LaidianError) -> bytes | None:
        """`response.failed` with what was said so far; None when nothing was, so that there is no response to fail.

        After `end` it takes the place of what `end` gave, which the client must not have got.
        """
        if self._response is None:
            return None
        if self._unsaid is not None:
            self._sequence = self._unsaid
        failed = self._response.write("failed", self._output(), error=fault_of(error))
        self._say_response("response.failed", failed)
        return self._taken()

    # Events

    def _write(self, one: Event) -> None:
        match one:
            case Started():
                self._begin(one.id, one.created_s)
            case TextDelta(text, logprobs):
                self._text(text, logprobs)
            case RefusalDelta(text):
                self._refusal(text)
            case ThoughtDelta():
                self._thought(one)
            case ToolStarted():
                self._start_call(one)
            case ToolDelta(number, arguments):
                self._arguments(number, arguments)
            case ToolFinished(number):
                self._finish_call(number, "completed")
            case ImageMade(data, mime):
                self._picture(data, mime)
            case AudioMade():
                self._text(one.transcript, b"")  # no item of this API holds sound
            case Cited():
                self._cite(one)
            case Finished(reason):
                self._reason = reason
            case Used(usage, tier):
                self._usage, self._tier = response_usage(usage), tier

    def _begin(self, id_: str, created_s: int) -> ResponseObject:
        if self._response is None:
            made = response_id(id_, self._peek.fields.body)
            self._response = ResponseObject(self._peek, made, created_s)
            begun = self._response.write("in_progress")
            self._say_response("response.created", begun)
            self._say_response("response.in_progress", begun)
        return self._response

    def _begun(self) -> ResponseObject:
        return self._response or self._begin("", 0)

    # Text

    def _text(self, text: str, logprobs: bytes) -> None:
        if not text:
            return
        message, part = self._part(refusal=False)
        listed = _decode_list(logprobs) if logprobs else []
        part.add(text, listed)
        self._say(
            "response.output_text.delta",
            item_id=message.id,
            output_index=message.index,
            content_index=len(message.parts) - 1,
            delta=text,
            logprobs=listed,
        )
        for cited in self._citations:
            self._annotate(message, part, cited)
        self._citations.clear()

    def _refusal(self, text: str) -> None:
        if not text:
            return
        message, part = self._part(refusal=True)
        part.add(text, [])
        self._say(
            "response.refusal.delta",
            item_id=message.id,
            output_index=message.index,
            content_index=len(message.parts) - 1,
            delta=text,
        )

    def _part(self, *, refusal: bool) -> tuple[Message, Part]:
        """The part that text goes to now, opened if need be."""
        message = self._open
        if not isinstance(message, Message):
            self._close()
            message = Message(len(self._items), self._id("msg"))
            self._add(message)
            self._open = message
        if message.parts and message.parts[-1].refusal == refusal:
            return message, message.parts[-1]
        self._close_part(message)
        part = Part(refusal=refusal)
        message.parts.append(part)
        self._say_part("response.content_part.added", message, part.written())
        return message, part

    def _close_part(self, message: Message) -> None:
        if not message.parts:
            return
        written = message.parts[-1].written()
        place = {
            "item_id": message.id,
            "output_index": message.index,
            "content_index": len(message.parts) - 1,
        }
        match written:
            case OutputText(text, _, logprobs):
                self._say("response.output_text.done", **place, text=text, logprobs=logprobs)
            case OutputRefusal(refusal):
                self._say("response.refusal.done", **place, refusal=refusal)
        self._say_part("response.content_part.done", message, written)

    def _cite(self, cited: Cited) -> None:
        message = self._open
        if isinstance(message, Message) and message.parts and not message.parts[-1].refusal:
            self._annotate(message, message.parts[-1], cited)
        else:
            self._citations.append(cited)

    def _annotate(self, message: Message, part: Part, cited: Cited) -> None:
        citation = Citation(part.size, part.size, cited.url, cited.title)
        number = part.cite(citation)
        self._say(
            "response.output_text.annotation.added",
            item_id=message.id,
            output_index=message.index,
            content_index=len(message.parts) - 1,
            annotation_index=number,
            annotation=citation,
        )

    # Reasoning

    def _thought(self, thought: ThoughtDelta) -> None:
        sealed = _sealed(thought)
        if thought.text:
            thinking = self._thinking(fresh=False)
            place = {"item_id": thinking.id, "output_index": thinking.index, "summary_index": 0}
            if not thinking.pieces:
                self._say("response.reasoning_summary_part.added", **place, part=SummaryText(""))
            thinking.pieces.append(thought.text)
            self._say("response.reasoning_summary_text.delta", **place, delta=thought.text)
        if sealed:
            self._thinking(fresh=thought.redacted).sealed = sealed

    def _thinking(self, *, fresh: bool) -> Thinking:
        """The reasoning item that is open and unsealed; a new one if there is none or `fresh` asks for it."""
        thinking = self._open
        if not isinstance(thinking, Thinking) or thinking.sealed or fresh:
            self._close()
            thinking = Thinking(len(self._items), self._id("rs"))
            self._add(thinking)
            self._open = thinking
        return thinking

    # Calls

    def _start_call(self, started: ToolStarted) -> None:
        if started.signature:
            sealed = carry(Carried(started.signature, "gemini", of_call=True))
            self._thinking(fresh=False).sealed = sealed
        self._close()
        tool = self._offered.find(started)
        custom = started.custom or (tool is not None and tool.custom)
        index = len(self._items)
        call = Calling(
            index,
            self._id("ctc" if custom else "fc"),
            started.id or self._id("call"),
            started.name if tool is None else tool.name,
            started.namespace if tool is None else tool.namespace,
            custom=custom,
            wrapped=custom and not started.custom,
        )
        self._calls[started.index] = call
        self._add(call)

    def _arguments(self, number: int, arguments: str) -> None:
        call = self._calls.get(number)
        if call is None or not arguments:
            return
        call.add(arguments)
        if not call.wrapped:
            self._say(
                f"response.{_words(call)[0]}.delta",
                item_id=call.id,
                output_index=call.index,
                delta=arguments,
            )

    def _finish_call(self, number: int, status: str) -> None:
        call = self._calls.get(number)
        if call is None:
            return
        if not call.arguments() and not call.custom:
            self._arguments(number, "{}")  # clients parse it
        arguments = call.arguments()
        event_name, field = _words(call)
        place = {"item_id": call.id, "output_index": call.index}
        if call.wrapped and arguments:
            self._say(f"response.{event_name}.delta", **place, delta=arguments)
        self._say(f"response.{event_name}.done", **place, **{field: arguments})
        del self._calls[number]
        call.status = status
        self._done(call)

    # Pictures

    def _picture(self, data: str, mime: str) -> None:
        self._close()
        picture = Picture(len(self._items), self._id("ig"), data, mime)
        self._add(picture)
        for step in ("in_progress", "generating", "completed"):
            self._say(
                f"response.image_generation_call.{step}", item_id=picture.id, output_index=picture.index
            )
        self._done(picture)

    # Items

    def _add(self, item: Growing) -> None:
        self._begun()
        self._items.append(item)
        self._say(
            "response.output_item.added", output_index=item.index, item=item.written(status="in_progress")
        )

    def _done(self, item: Growing) -> None:
        self._say("response.output_item.done", output_index=item.index, item=item.written())

    def _close(self, status: str = "completed") -> None:
        """Ends the text or reasoning item that is open."""
        item = self._open
        if item is None:
            return
        self._open = None
        if isinstance(item, Message):
            self._close_part(item)
        elif item.pieces:
            place = {"item_id": item.id, "output_index": item.index, "summary_index": 0}
            summary = item.summary()
            self._say("response.reasoning_summary_text.done", **place, text=summary.text)
            self._say("response.reasoning_summary_part.done", **place, part=summary)
        item.status = status
        self._done(item)

    def _output(self) -> bytes:
        """All items as a JSON array; what is still open is incomplete."""
        written = [
            item.written(status="incomplete") if item.status == "in_progress" else item.written()
            for item in self._items
        ]
        return msgspec.json.encode(written)

    def _id(self, kind: str) -> str:
        """For the item that comes next."""
        return f"{kind}_{self._begun().id.removeprefix('resp_')}_{len(self._items)}"

    # Bytes

    def _say(self, kind: str, **fields: object) -> None:
        self._begun()
        self._out.append(event(kind, self._sequence, b"," + msgspec.json.encode(fields)[1:-1]))
        self._sequence += 1

    def _say_part(self, kind: str, message: Message, part: OutputText | OutputRefusal) -> None:
        self._say(
            kind,
            item_id=message.id,
            output_index=message.index,
            content_index=len(message.parts) - 1,
            part=part,
        )

    def _say_response(self, kind: str, response: bytes) -> None:
        self._out.append(event(kind, self._sequence, b',"response":' + response))
        self._sequence += 1

    def _taken(self) -> bytes:
        taken = b"".join(self._out)
        self._out.clear()
        return taken


class _Offered:
    """The client's tools, found again by the names that an upstream without namespaces and custom tools knows them by."""

    def __init__(self, tools: tuple[Tool, ...]) -> None:
        self._by_name: dict[str, Tool | None] = {}
        for tool in tools:
            if tool.namespace:
                # models now and then leave the namespace away: good when only one tool is called so
                self._by_name[tool.name] = None if tool.name in self._by_name else tool
        self._by_name.update(by_flat_name(tools))

    def find(self, started: ToolStarted) -> Tool | None:
        """The tool that is called; None for one that nobody offered, or when the upstream knows namespaces itself."""
        return None if started.namespace else self._by_name.get(started.name)


def _sealed(thought: ThoughtDelta) -> str:
    """`encrypted_content` for a signature; empty without one, or when nobody could tell whose it is."""
    if not thought.signature or not thought.maker:
        return ""
    return carry(Carried(thought.signature, thought.maker, redacted=thought.redacted))


def _words(call: Calling) -> tuple[str, str]:
    """(the middle of its events' names, the field of the done event)."""
    return ("custom_tool_call_input", "input") if call.custom else ("function_call_arguments", "arguments")
