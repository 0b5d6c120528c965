"""How a request is put to one upstream: as it came, or through two codecs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import cast

import msgspec

from laidian.domain.selection import Candidate
from laidian.errors import BadRequest
from laidian.protocol.codec import Codec, translate
from laidian.protocol.dialect import Answer, Dialect, DialectName, FormDialect, Operation, Peek, Tap
from laidian.protocol.family import FamilyName
from laidian.protocol.form import Edit
from laidian.upstream.providers import PROVIDERS

_TYPE = re.compile(rb"[a-z]+/[a-z0-9.+-]+(?:; ?charset=[a-z0-9-]+)?", re.IGNORECASE)

Dialects = dict[DialectName, Dialect]
Codecs = dict[DialectName, Codec]


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
    translated: bool = False

    def answer_type(self, theirs: bytes | None) -> bytes:
        """The content type of a whole answer: the upstream's where the bytes are its own and it is one that can be shown."""
        if self.translated or theirs is None or not _TYPE.fullmatch(theirs):
            return b"application/json"
        return theirs


def forward(
    operation: Operation, candidate: Candidate, peek: Peek, dialects: Dialects, codecs: Codecs
) -> Forward | None:
    """None when this kind of upstream cannot serve the operation in any way. Raises BadRequest when a translation cannot carry it."""
    provider, name = PROVIDERS[candidate.upstream.kind], operation.dialect
    elsewhere = provider.compatible.get(name)
    if name in provider.speaks or elsewhere is not None:
        dialect = dialects[name]
        if peek.form is not None:
            return _forward_form(cast(FormDialect, dialect), candidate, peek, elsewhere)
        return Forward(
            elsewhere or dialect.path(peek, candidate.model),
            dialect.splice(peek, candidate.model),
            family_of(name),
            lambda: _tap(dialect, peek),
            lambda body: dialect.read_answer(peek, body),
        )
    client = codecs.get(name)
    theirs: DialectName | None = next((one for one in provider.speaks if one in codecs), None)
    if client is None or theirs is None:
        return None
    upstream = codecs[theirs]
    translation = translate(client, upstream, peek, candidate.model)
    return Forward(
        upstream.stream_path(candidate.model, stream=peek.stream),
        translation.encoded.body,
        family_of(theirs),
        translation.tap,
        translation.read_answer,
        dropped=translation.dropped,
        translated=True,
    )


def _forward_form(dialect: FormDialect, candidate: Candidate, peek: Peek, elsewhere: str | None) -> Forward:
    assert peek.form is not None
    return Forward(
        elsewhere or dialect.path(peek, candidate.model),
        b"",
        "openai",
        lambda: _tap(dialect, peek),
        lambda body: dialect.read_answer(peek, body),
        edits=dialect.edits(peek, candidate.model),
        content_type=peek.form.content_type,
    )
