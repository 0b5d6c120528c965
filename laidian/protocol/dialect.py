"""Operations: what a client can call, in which dialect, and which capability it needs.

A dialect is one wire format in both directions and one file of this package; this file is the registry they meet in.
Add an operation as a row here and a `Tap` maker in its dialect's file.
"""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from laidian.domain.estimate import (
    MEDIA_BYTES_PER_TOKEN,
    MEDIA_TOKENS,
    MESSAGE_OVERHEAD_TOKENS,
    bound_input_tokens,
    bound_tokens,
    likely_input_tokens,
    likely_tokens,
)
from laidian.domain.usage import Usage
from laidian.errors import LaidianError
from laidian.protocol.document import Fields
from laidian.protocol.family import FamilyName
from laidian.protocol.form import Edit, Form

DialectName = Literal[
    "openai.chat",
    "openai.responses",
    "openai.input_tokens",
    "openai.compact",
    "openai.decisions",
    "openai.completions",
    "openai.embeddings",
    "openai.moderations",
    "openai.images",
    "openai.edits",
    "openai.speech",
    "openai.listen",
    "gemini",
    "anthropic",
]


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
    text_only: bool = True
    """Whether neither prompt nor answer can hold pictures or sound of their own price."""
    form: Form | None = None
    """The multipart form, where the request is one; `fields` is then empty."""
    units: Usage = Usage()
    """What the request itself says will be used beside tokens: characters to speak, seconds to listen to."""
    path: str = ""
    """The client's path, for dialects that serve several operations with one body format."""
    query: str = ""
    """What of the client's query belongs to the request and goes upstream, without the question mark."""
    verb: str = ""
    """What a Gemini path asks of its model: generateContent …; empty in other dialects."""
    array: bool = False
    """Whether the client wants its stream as one JSON array, Gemini's form without `alt=sse`; its content type is JSON's."""

    def bound_input_tokens(self) -> int:
        """More than the input can be, for a hold."""
        if self.form is None:
            return bound_input_tokens(self.fields.body)
        return bound_tokens(_texts(self.form)) + _media(self.form) + MESSAGE_OVERHEAD_TOKENS

    def likely_input_tokens(self) -> int:
        """The best guess, for a bill without usage."""
        if self.form is None:
            return likely_input_tokens(self.fields.body)
        return likely_tokens(_texts(self.form)) + _media(self.form)


def _texts(form: Form) -> bytes:
    return b" ".join(part.text for part in form.parts)


def _media(form: Form) -> int:
    return sum(max(MEDIA_TOKENS, (part.end - part.start) // MEDIA_BYTES_PER_TOKEN) for part in form.files())


class Answer(msgspec.Struct, frozen=True):
    """What a whole (not streamed) answer says about itself."""

    usage: Usage | None
    service_tier: str
    output_tokens: int
    """Likely output, for the case that usage is missing."""
    body: bytes
    """What the client gets."""
    error: LaidianError | None = None
    """What it gets instead: the answer was made, is charged, and is none in the client's dialect."""
    begun_usage: Usage | None = None
    """As `Tap.begun_usage`: better than an estimate of text alone, where usage is missing."""


class Tap(Protocol):
    """Watches one answer stream go by: takes the upstream's bytes, gives what the client gets, keeps what it learned."""

    @property
    def usage(self) -> Usage | None:
        """What the upstream said was used; the last word counts."""
        ...

    @property
    def service_tier(self) -> str: ...

    @property
    def finished(self) -> bool:
        """Whether the answer came to its own end: a later hang-up of the upstream is not a fault."""
        ...

    @property
    def ended(self) -> bool:
        """Whether the dialect's last event has come; nothing after it counts."""
        ...

    @property
    def output_tokens(self) -> int:
        """Likely output tokens so far."""
        ...

    @property
    def fault(self) -> StreamFault | None:
        """What broke the stream; looked at after each `feed`."""
        ...

    def feed(self, data: bytes) -> bytes:
        """Complete events of `data` that the client may see, up to the one that is the `fault`."""
        ...

    @property
    def made_id(self) -> str:
        """Under which the provider may keep the answer; empty until it is known, and in dialects that keep none."""
        ...

    @property
    def begun_usage(self) -> Usage | None:
        """What the upstream said of an answer that it did not finish; better than an estimate, less than usage."""
        ...

    def failure(self, error: LaidianError) -> bytes | None:
        """How this stream, having begun, tells its client of a failure; None where the family's own event will do."""
        ...

    def end(self) -> bytes:
        """What a client takes for the end, to be sent when all is settled. Raises StreamFault when it came too early."""
        ...


class StreamFault(Exception):
    """An upstream's stream is broken: it ended early, carried an error, or is not an event stream."""

    def __init__(self, message: str, code: str = "upstream_error") -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class Dialect(Protocol):
    """Both directions of one wire format, as far as the relay needs them for same-protocol forwarding."""

    def peek(self, body: bytes, path: str) -> Peek:
        """Reads what must be known of a request. Raises BadRequest naming the field that is wrong."""
        ...

    def path(self, peek: Peek, model: str) -> str:
        """Where it goes, below an upstream's base URL, with its query."""
        ...

    def splice(self, peek: Peek, model: str) -> bytes:
        """The body for an upstream that calls the model so; every byte that need not change as it came."""
        ...

    def read_answer(self, peek: Peek, body: bytes) -> Answer:
        """Reads a whole answer. Raises StreamFault when it is not one."""
        ...

    def tap(self, peek: Peek) -> Tap | None:
        """A watcher for one answer stream; None where nothing is streamed."""
        ...


class FormDialect(Dialect, Protocol):
    """A dialect whose requests may be multipart forms."""

    def peek_form(self, form: Form, path: str) -> Peek:
        """As `peek`."""
        ...

    def edits(self, peek: Peek, model: str) -> tuple[Edit, ...]:
        """As `splice`: what changes in the form for an upstream that calls the model so."""
        ...


class Operation(msgspec.Struct, frozen=True):
    """One thing a client can call."""

    name: str
    """Stable; goes into records, metrics and logs: `chat.completions`."""
    family: FamilyName
    dialect: DialectName
    method: str
    path: str
    """Below the host, canonical."""
    capability: str
    """What the key's group must have."""
    form: bool = False
    """Whether it takes a multipart form."""
    counts: bool = False
    """Whether it only counts tokens: where an upstream has nothing of the kind, an estimate answers."""
    free: bool = False
    """Whether providers bill nothing for it: no price is needed, and its record costs nothing."""


CHAT_COMPLETIONS = Operation(
    "chat.completions", "openai", "openai.chat", "POST", "/v1/chat/completions", "chat"
)

OPERATIONS: tuple[Operation, ...] = (
    CHAT_COMPLETIONS,
    Operation("responses", "openai", "openai.responses", "POST", "/v1/responses", "responses"),
    Operation(
        "responses.input_tokens",
        "openai",
        "openai.input_tokens",
        "POST",
        "/v1/responses/input_tokens",
        "responses",
        free=True,
        counts=True,
    ),
    Operation("responses.compact", "openai", "openai.compact", "POST", "/v1/responses/compact", "responses"),
    Operation("decisions", "openai", "openai.decisions", "POST", "/v1/decisions", "responses"),
    Operation("completions", "openai", "openai.completions", "POST", "/v1/completions", "chat"),
    Operation("embeddings", "openai", "openai.embeddings", "POST", "/v1/embeddings", "embeddings"),
    Operation(
        "moderations", "openai", "openai.moderations", "POST", "/v1/moderations", "moderations", free=True
    ),
    Operation("images.generations", "openai", "openai.images", "POST", "/v1/images/generations", "images"),
    Operation("images.edits", "openai", "openai.edits", "POST", "/v1/images/edits", "images", form=True),
    Operation("audio.speech", "openai", "openai.speech", "POST", "/v1/audio/speech", "audio"),
    Operation(
        "audio.transcriptions",
        "openai",
        "openai.listen",
        "POST",
        "/v1/audio/transcriptions",
        "audio",
        form=True,
    ),
    Operation(
        "audio.translations", "openai", "openai.listen", "POST", "/v1/audio/translations", "audio", form=True
    ),
    Operation(
        "gemini.generate", "gemini", "gemini", "POST", "/v1beta/models/{model}:generateContent", "gemini"
    ),
    Operation(
        "gemini.stream", "gemini", "gemini", "POST", "/v1beta/models/{model}:streamGenerateContent", "gemini"
    ),
    Operation(
        "gemini.count_tokens",
        "gemini",
        "gemini",
        "POST",
        "/v1beta/models/{model}:countTokens",
        "gemini",
        free=True,
        counts=True,
    ),
    Operation("gemini.embed", "gemini", "gemini", "POST", "/v1beta/models/{model}:embedContent", "gemini"),
    Operation(
        "gemini.batch_embed",
        "gemini",
        "gemini",
        "POST",
        "/v1beta/models/{model}:batchEmbedContents",
        "gemini",
    ),
    Operation("anthropic.messages", "anthropic", "anthropic", "POST", "/v1/messages", "anthropic"),
    Operation(
        "anthropic.count_tokens",
        "anthropic",
        "anthropic",
        "POST",
        "/v1/messages/count_tokens",
        "anthropic",
        free=True,
        counts=True,
    ),
)
"""Everything that is relayed to an upstream."""
