"""The neutral form that requests and answers take between two protocols.

Only what at least two dialects can say is here. A dialect's codec reads its own wire format into these values and writes them out
again; no codec knows another one. Rules for codecs:
- What cannot be carried and changes the meaning is refused with BadRequest, naming the field as the client wrote it.
- What can be left out without harm is left out and named in `dropped`.
- Nothing is invented but ids; JSON Schemas, tool arguments and opaque signatures stay text and are never re-spelled.
- An answer, streamed or whole, is a list of `Event`s in order; a whole answer is a stream read to its end.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from laidian.domain.usage import Usage

# What a message is made of


class Text(msgspec.Struct, frozen=True, tag="text"):
    text: str


class Image(msgspec.Struct, frozen=True, tag="image"):
    """A picture by value or by address; exactly one of `data` and `url`."""

    data: str = ""
    """Base64, without the data: prefix."""
    mime: str = ""
    """image/png …; empty when only the address is known."""
    url: str = ""
    """http(s); never fetched by the relay."""
    detail: str = ""
    """low, high, auto, original; empty when not said."""


class Audio(msgspec.Struct, frozen=True, tag="audio"):
    data: str
    mime: str
    """audio/wav, audio/mp3 …"""


class File(msgspec.Struct, frozen=True, tag="file"):
    """A document by value, by address, or by an id of the provider's file store."""

    data: str = ""
    mime: str = ""
    filename: str = ""
    url: str = ""
    file_id: str = ""


class Thought(msgspec.Struct, frozen=True, tag="thought"):
    """Reasoning of an earlier turn. The signature proves it to the provider that made it and to no other."""

    text: str = ""
    signature: str = ""
    """Opaque; empty when there is none."""
    maker: str = ""
    """Dialect that made the signature, `gemini`, `anthropic` or `responses`; a codec of another dialect leaves it out."""
    redacted: bool = False


class ToolCall(msgspec.Struct, frozen=True, tag="tool_call"):
    id: str
    name: str
    arguments: str
    """JSON text of an object; for a custom tool its plain input."""
    custom: bool = False
    namespace: str = ""
    """Codex' grouping of tools; empty without one."""
    signature: str = ""
    """Gemini's thoughtSignature of this very call."""


class ToolResult(msgspec.Struct, frozen=True, tag="tool_result"):
    call_id: str
    parts: tuple[Text | Image | File, ...]
    name: str = ""
    """The tool's name, looked up from the call; empty when the call is not in the conversation."""
    is_error: bool = False
    custom: bool = False
    namespace: str = ""
    """That of the call."""


class Refusal(msgspec.Struct, frozen=True, tag="refusal"):
    text: str


Part = Text | Image | Audio | File | Thought | ToolCall | ToolResult | Refusal


class Message(msgspec.Struct, frozen=True):
    """One turn. Tool results stand in `user` messages; consecutive messages of one role are allowed, codecs merge as they must."""

    role: Literal["system", "developer", "user", "assistant"]
    parts: tuple[Part, ...]


# What a request asks for


class Tool(msgspec.Struct, frozen=True):
    name: str
    description: str = ""
    parameters: bytes = b""
    """JSON Schema as the client spelled it; empty for none."""
    strict: bool | None = None
    custom: bool = False
    """A tool with free text input; `grammar` is its format object as JSON. Where a protocol has none: `flat_tools`."""
    grammar: bytes = b""
    namespace: str = ""


class ToolChoice(msgspec.Struct, frozen=True):
    mode: Literal["auto", "none", "required", "named"]
    names: tuple[str, ...] = ()
    """For `named` the one that must be called; for `required` those that may be, empty for all."""


class Format(msgspec.Struct, frozen=True):
    """What shape the text of the answer must have."""

    kind: Literal["text", "json", "schema"]
    name: str = ""
    schema: bytes = b""
    strict: bool | None = None
    description: str = ""


Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


class Request(msgspec.Struct, frozen=True):
    """A generation request. None and empty mean: the client did not say."""

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    web_search: bool = False
    """The provider's own web search is offered."""
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    format: Format | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    choices: int = 1
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    top_logprobs: int | None = None
    """None: no log probabilities; 0 and more: those of the chosen token and of so many others."""
    effort: Effort | None = None
    thinking_budget: int | None = None
    """Tokens; -1 is dynamic, 0 is off."""
    include_thoughts: bool = False
    """Whether the client wants to see reasoning."""
    verbosity: str = ""
    modalities: tuple[str, ...] = ()
    """text, image, audio, lower case."""
    image_size: tuple[int, int] | None = None
    """Width and height in pixels that a picture shall have."""
    user: str = ""
    service_tier: str = ""
    metadata: bytes = b""
    """JSON object of strings."""
    stream: bool = False
    dropped: tuple[str, ...] = ()
    """Fields of the client, by their names, that were left out while reading."""
    names: dict[str, str] = {}
    """Field of this struct to the client's name for it, where they differ: for the message of a refusal."""

    def name_of(self, field: str) -> str:
        return self.names.get(field, field)


class Encoded(msgspec.Struct, frozen=True):
    """A request in an upstream's dialect."""

    body: bytes
    dropped: tuple[str, ...] = ()
    """Fields left out while writing, by the client's names."""


# What an answer says


class Started(msgspec.Struct, frozen=True):
    """The first event of every answer."""

    id: str
    model: str
    created_s: int


class TextDelta(msgspec.Struct, frozen=True):
    text: str
    logprobs: bytes = b""
    """JSON array of {token, bytes, logprob, top_logprobs}, as both OpenAI dialects spell it; empty when there are none."""


class ThoughtDelta(msgspec.Struct, frozen=True):
    """Reasoning as it comes; a signature comes with the last piece of its thought or alone."""

    text: str = ""
    signature: str = ""
    maker: str = ""
    redacted: bool = False
    """The signature is the whole thought, which its maker shows to nobody (Anthropic's redacted_thinking)."""


class RefusalDelta(msgspec.Struct, frozen=True):
    text: str


class ToolStarted(msgspec.Struct, frozen=True):
    """Calls are numbered from 0 in the order of their start; several may be open at once."""

    index: int
    id: str
    name: str
    custom: bool = False
    namespace: str = ""
    signature: str = ""


class ToolDelta(msgspec.Struct, frozen=True):
    index: int
    arguments: str


class ToolFinished(msgspec.Struct, frozen=True):
    index: int


class ImageMade(msgspec.Struct, frozen=True):
    data: str
    mime: str


class AudioMade(msgspec.Struct, frozen=True):
    data: str
    mime: str
    transcript: str = ""


class Cited(msgspec.Struct, frozen=True):
    """A source the answer names."""

    url: str
    title: str = ""


Reason = Literal["stop", "length", "tool_calls", "content_filter"]


class Finished(msgspec.Struct, frozen=True):
    """Why generation ended; exactly one in a complete answer, after all content."""

    reason: Reason
    stop_sequence: str = ""


class Used(msgspec.Struct, frozen=True):
    """Usage as known so far; the last one counts. May come before or after `Finished`."""

    usage: Usage
    service_tier: str = "default"


Event = (
    Started
    | TextDelta
    | ThoughtDelta
    | RefusalDelta
    | ToolStarted
    | ToolDelta
    | ToolFinished
    | ImageMade
    | AudioMade
    | Cited
    | Finished
    | Used
)
