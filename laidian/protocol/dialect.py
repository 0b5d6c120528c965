"""Operations: what a client can call, in which dialect, and which capability it needs.

A dialect is one wire format in both directions and one file of this package; this file is the registry they meet in.
Add an operation as a row here and a `Tap` maker in its dialect's file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

import msgspec

from laidian.domain.usage import Usage
from laidian.errors import LaidianError

DialectName = Literal["openai"]


class Peek(msgspec.Struct, frozen=True):
    """What the relay must know of a request body; the rest stays bytes."""

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


class Tap(Protocol):
    """Watches one answer stream go by: takes the upstream's bytes, gives what the client gets, keeps what it learned."""

    usage: Usage | None
    service_tier: str
    finished: bool
    """Whether the stream came to its own end: a later hang-up of the upstream is not a fault."""
    output_tokens: int
    """Likely output tokens so far."""

    def feed(self, data: bytes) -> bytes:
        """Complete events of `data` that the client may see. Raises StreamFault on what is no event stream."""
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

    def peek(self, body: bytes) -> Peek: ...

    def splice(self, body: bytes, model: str, *, ask_usage: bool) -> bytes: ...

    def read_answer(self, body: bytes) -> Answer: ...

    def tap(self, *, hide_usage: bool) -> Tap: ...

    def error_body(self, error: LaidianError) -> bytes: ...

    def error_event(self, error: LaidianError) -> bytes: ...

    def read_error(self, status: int, body: bytes) -> tuple[str, str, str, str | None]: ...


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

MakeDialect = Callable[[], Dialect]
