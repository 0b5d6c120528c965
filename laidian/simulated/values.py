"""The values that pass between the parts of the simulated provider, and the one error they all raise.

Wire bodies stay plain JSON trees (`Json`): a provider that must be able to send broken ones cannot use
types that forbid them. Everything else is a frozen struct.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = "dict[str, Json]"


class Refusal(Exception):
    """A request that gets an error answer and costs nothing. Each dialect words it in its own shape."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str | None = None,
        code: str | None = None,
        param: str | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        """OpenAI's `type`, Gemini's `reason`, Anthropic's `type`; None lets the dialect choose by status."""
        self.code = code
        self.param = param
        self.retry_after_s = retry_after_s


class ClientGone(Exception):
    """The client closed its connection before the answer was complete."""


class Ended(Exception):
    """A fault has ended the exchange; there is nothing left to send."""


class Usage(msgspec.Struct, frozen=True):
    """What a provider charges for one request. Sums are inclusive, as providers word them."""

    input_tokens: int = 0
    """All input, cached and written to the cache included."""
    cached_input_tokens: int = 0
    """Part of `input_tokens` read from the cache."""
    cache_write_tokens: int = 0
    """Part of `input_tokens` written to the cache; disjoint from `cached_input_tokens`."""
    output_tokens: int = 0
    """All output, reasoning included."""
    reasoning_tokens: int = 0
    """Part of `output_tokens`."""
    input_image_tokens: int = 0
    """Part of `input_tokens`; only the Images API tells it apart."""
    output_image_tokens: int = 0
    """Part of `output_tokens`; only the Images API tells it apart."""
    images: int = 0
    """Images made."""
    input_audio_tokens: int = 0
    """Part of `input_tokens`; only the audio operations tell it apart."""
    output_audio_tokens: int = 0
    """Part of `output_tokens`; only the audio operations tell it apart."""
    characters: int = 0
    """Characters spoken, by models that charge by them."""
    seconds: int = 0
    """Seconds listened to, by models that charge by them."""

    def until(self, output_tokens: int) -> Usage:
        """The same request, stopped after so many output tokens."""
        output = min(output_tokens, self.output_tokens)
        return msgspec.structs.replace(
            self,
            output_tokens=output,
            reasoning_tokens=min(self.reasoning_tokens, output),
            output_image_tokens=min(self.output_image_tokens, output),
            images=self.images if output == self.output_tokens else 0,
            output_audio_tokens=min(self.output_audio_tokens, output),
        )


class Tool(msgspec.Struct, frozen=True):
    name: str
    schema: JsonObject
    """JSON schema of the arguments; empty means an empty object will do."""
    custom: bool = False
    """True when the tool takes free text in place of JSON arguments."""


class Prompt(msgspec.Struct, frozen=True):
    """What every dialect's checker makes of a request for text."""

    model: str
    texts: tuple[str, ...]
    """Each text that is counted, in order."""
    messages: int
    """Messages, each with its fixed cost."""
    media_tokens: int
    last_user_text: str
    answers_tools: bool
    """True when the last message brings tool results, so that the turn must not call tools again."""
    stream: bool
    max_output_tokens: int | None = None
    choices: int = 1
    stop: tuple[str, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: str = "auto"
    """`auto`, `none`, `required`, or `=NAME` for a forced tool."""
    parallel_tools: bool = True
    schema: JsonObject | None = None
    """The answer must be JSON that satisfies this schema; an empty one asks for any object."""
    service_tier: str | None = None


class ToolCall(msgspec.Struct, frozen=True):
    id: str
    name: str
    arguments: str
    custom: bool = False


class Choice(msgspec.Struct, frozen=True):
    index: int
    text: str
    tool_calls: tuple[ToolCall, ...]
    finish: Literal["stop", "stop_sequence", "length", "tool_calls", "refusal"]
    stop_sequence: str | None = None


class Answer(msgspec.Struct, frozen=True):
    id: str
    """Unique per request, without a dialect's prefix."""
    created_s: int
    model: str
    choices: tuple[Choice, ...]
    usage: Usage
    service_tier: str


class Event(msgspec.Struct, frozen=True):
    """One event of a stream before it is framed."""

    data: Json
    name: str | None = None
    """The `event:` line, in dialects that have one."""
    output_tokens: int = 0
    """Output tokens generated once this event is out, over the whole answer."""
    content: bool = False
    """True when it carries generated content: pacing and mid-stream faults count these."""
    terminal: bool = False
    """True for the events without which the stream is not known to be whole."""
    raw: bool = False
    """True when `data` is a string that is sent as it is, such as `[DONE]`."""
