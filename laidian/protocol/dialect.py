"""Operations: what a client can call, in which dialect, and which capability it needs.

A dialect is one wire format in both directions and one file of this package; this file is the registry they meet in.
Add an operation as a row here and a `Tap` maker in its dialect's file.
"""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from laidian.domain.usage import Usage
from laidian.errors import LaidianError
from laidian.protocol.document import Fields

DialectName = Literal["openai"]


class Peek(msgspec.Struct, frozen=True):
    """What the relay must know of a request body; the rest stays bytes."""

    fields: Fields
    """The body with its top level read, so that it is read once."""
    model: str
    stream: bool
    output_limit: int | None
    """Output tokens the client allows, over all choices; None when it named no limit."""
    choices: int
    wants_usage: bool
    """Whether the client asked for usage in its stream."""
    service_tier: str


class Answer(msgspec.Struct, frozen=True):
    """What a whole (not streamed) answer says about itself."""

    usage: Usage | None
    service_tier: str
    text: bytes
    """Generated text, for an estimate when usage is missing."""


class ErrorSaid(msgspec.Struct, frozen=True):
    """An upstream's error in its own words; empty where it said nothing that can be read."""

    message: str = ""
    type: str = ""
    code: str = ""
    param: str | None = None


class Tap(Protocol):
    """Watches one answer stream go by: takes the upstream's bytes, gives what the client gets, keeps what it learned."""

    usage: Usage | None
    service_tier: str
    finished: bool
    """Whether the stream came to its own end: a later hang-up of the upstream is not a fault."""
    output_tokens: int
    """Likely output tokens so far."""

    fault: StreamFault | None
    """What broke the stream; looked at after each `feed`."""

    def feed(self, data: bytes) -> bytes:
        """Complete events of `data` that the client may see, up to the one that is the `fault`."""
        ...

    def end(self) -> bytes:
        """The last bytes at the upstream's end. Raises StreamFault when it ended too early."""
        ...


class StreamFault(Exception):
    """An upstream's stream is broken: it ended early, carried an error, or is not an event stream."""

    def __init__(self, message: str, code: str = "upstream_error") -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class Dialect(Protocol):
    """Both directions of one wire format, as far as the relay needs them for same-protocol forwarding."""

    name: str
    keep_alive: bytes
    """What may be sent into a silent stream without a client noticing."""

    def peek(self, body: bytes) -> Peek:
        """Reads what must be known. Raises BadRequest naming the field that is wrong."""
        ...

    def splice(self, peek: Peek, model: str, *, ask_usage: bool) -> bytes:
        """The body for an upstream: its own model name, usage switched on; every other byte as it came."""
        ...

    def read_answer(self, body: bytes) -> Answer:
        """Reads a whole answer. Raises StreamFault when it is not one."""
        ...

    def tap(self, *, hide_usage: bool) -> Tap:
        """A watcher for one answer stream; `hide_usage` when the client did not ask for the usage that we asked for."""
        ...

    def error_body(self, error: LaidianError) -> bytes:
        """An error as this dialect's answer body."""
        ...

    def error_event(self, error: LaidianError) -> bytes:
        """An error inside a stream that has begun."""
        ...

    def read_error(self, body: bytes) -> ErrorSaid:
        """What an upstream's error answer says, as far as it is in this dialect."""
        ...


class Operation(msgspec.Struct, frozen=True):
    """One thing a client can call."""

    name: str
    """Stable; goes into records, metrics and logs: `chat.completions`."""
    dialect: DialectName
    method: str
    path: str
    """Below the host, canonical."""
    capability: str
    """What the key's group must have."""


CHAT_COMPLETIONS = Operation("chat.completions", "openai", "POST", "/v1/chat/completions", "chat")

OPERATIONS: tuple[Operation, ...] = (CHAT_COMPLETIONS,)
"""Everything that is relayed to an upstream."""

ROUTES: dict[str, Operation] = {operation.path: operation for operation in OPERATIONS}
