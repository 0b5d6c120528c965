"""How a request is put to one upstream: as it came, or through two codecs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import cast

import msgspec

from laidian.domain.selection import Candidate
from laidian.domain.usage import Usage
from laidian.errors import BadRequest
from laidian.protocol.codec import Asking, Codec, translate
from laidian.protocol.dialect import Answer, Dialect, DialectName, FormDialect, Operation, Peek, Tap
from laidian.protocol.family import FamilyName
from laidian.protocol.form import Edit
from laidian.protocol.signatures import Signatures
from laidian.upstream.providers import BESIDE_PATH, PROVIDERS

_TYPE = re.compile(rb"[a-z]+/[a-z0-9.+-]+(?:; ?charset=[a-z0-9-]+)?", re.IGNORECASE)

Dialects = dict[DialectName, Dialect]
Codecs = dict[DialectName, Codec]
Askers = dict[DialectName, Asking]


def family_of(dialect: DialectName) -> FamilyName:
    """Whose credential headers and errors go with a dialect."""
    return dialect if dialect == "gemini" or dialect == "anthropic" else "openai"


def _tap(dialect: Dialect, peek: Peek) -> Tap:
    tap = dialect.tap(peek)
    if tap is None:
        raise BadRequest("This operation cannot be streamed. Leave out `stream`.", param="stream")
    return tap


class Forward(msgspec.Struct, frozen=True):
    """One request, ready for one upstream."""

    path: str
    """Below the base URL, with its query."""
    body: bytes
    family: FamilyName
    """In which the upstream takes credentials and says errors."""
    tap: Callable[[], Tap]
    read_answer: Callable[[bytes], Answer]
    edits: tuple[Edit, ...] = ()
    """What changes in a form that is sent on from where it was put."""
    content_type: bytes = b"application/json"
    dropped: tuple[str, ...] = ()
    """Fields of the client that were left out."""
    estimate: bytes | None = None
    """The answer itself, where no upstream is needed: tokens counted here."""
    translated: bool = False

    def answer_type(self, theirs: bytes | None) -> bytes:
        """The content type of a whole answer: the upstream's where the bytes are its own and it is one that can be shown."""
        if self.translated or theirs is None or not _TYPE.fullmatch(theirs):
            return b"application/json"
        return theirs


def forward(
    operation: Operation,
    candidate: Candidate,
    peek: Peek,
    dialects: Dialects,
    askers: Askers,
    codecs: Codecs,
    signatures: Signatures,
    key_id: int,
    now_s: int,
) -> Forward | None:
    """None when this kind of upstream cannot serve the operation in any way. Raises BadRequest when a translation cannot carry it.

    A form that is translated must have been read (`FormPeek`).
    """
    provider, name = PROVIDERS[candidate.upstream.kind], operation.dialect
    if name in provider.speaks:
        if peek.form is not None:
            return _forward_form(cast(FormDialect, dialects[name]), candidate, peek)
        return _as_it_came(dialects[name], name, candidate, peek, "")
    if name in provider.beside:
        return _as_it_came(dialects[name], name, candidate, peek, BESIDE_PATH)
    if operation.counts:
        return _counted(name, peek, dialects[name])
    client = askers.get(name)
    theirs: DialectName | None = next((one for one in provider.speaks if one in codecs), None)
    if client is None or theirs is None:
        return None
    upstream = codecs[theirs]
    place = (key_id, candidate.upstream.id, candidate.credential.id)
    signs = theirs == "gemini"
    translation = translate(
        client,
        upstream,
        peek,
        candidate.model,
        now_s,
        (lambda request: signatures.recalled(place, request)) if signs else None,
        (lambda events: signatures.note(place, events)) if signs else None,
    )
    return Forward(
        upstream.stream_path(candidate.model, stream=peek.stream),
        translation.encoded.body,
        family_of(theirs),
        translation.tap,
        translation.read_answer,
        dropped=translation.dropped,
        translated=True,
    )


def _as_it_came(dialect: Dialect, name: DialectName, candidate: Candidate, peek: Peek, below: str) -> Forward:
    return Forward(
        below + dialect.path(peek, candidate.model),
        dialect.splice(peek, candidate.model),
        family_of(name),
        lambda: _tap(dialect, peek),
        lambda body: dialect.read_answer(peek, body),
    )


def _forward_form(dialect: FormDialect, candidate: Candidate, peek: Peek) -> Forward:
    assert peek.form is not None
    return Forward(
        dialect.path(peek, candidate.model),
        b"",
        "openai",
        lambda: _tap(dialect, peek),
        lambda body: dialect.read_answer(peek, body),
        edits=dialect.edits(peek, candidate.model),
        content_type=peek.form.content_type,
    )


def _counted(name: DialectName, peek: Peek, dialect: Dialect) -> Forward:
    """Tokens counted from the bytes, in the shape of the client's dialect."""
    tokens = peek.likely_input_tokens()
    shape: dict[str, str | int] = {"totalTokens": tokens} if name == "gemini" else {"input_tokens": tokens}
    if name == "openai.input_tokens":
        shape = {"object": "response.input_tokens", **shape}
    return Forward(
        "", b"", family_of(name), lambda: _tap(dialect, peek), _nothing, estimate=msgspec.json.encode(shape)
    )


def _nothing(body: bytes) -> Answer:
    return Answer(Usage(), "default", 0, body)
