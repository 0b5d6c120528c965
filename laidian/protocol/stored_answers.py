"""What providers answer of the objects they keep, as far as it has to be remembered, and the lists that are answered here.

Everything else of such an answer passes as it came. Shapes are those of openai 3.54.0 (file_object.py, upload.py, conversation.py) and
google-genai 3.4.0 (File, CachedContent), seen 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from laidian.domain.estimate import MEDIA_BYTES_PER_TOKEN, MEDIA_TOKENS
from laidian.protocol.document import said
from laidian.protocol.events import data_of
from laidian.protocol.gemini_tap import decode_chunk

RESPONSE_DAYS = 30
"""OpenAI keeps a stored response, or chat completion, so long (its conversation state guide, seen 2026-11-22)."""


class Made(msgspec.Struct, frozen=True):
    """One object as its provider told of it."""

    id: str
    raw: bytes
    """The object, as it came."""
    expires_at_ms: int | None = None
    """Epoch milliseconds; None where it is not said."""


class _OpenAI(msgspec.Struct):
    id: str
    expires_at: int | None = None
    file: msgspec.Raw = msgspec.Raw()


class _Google(msgspec.Struct, rename="camel"):
    name: str
    expiration_time: str | None = None
    expire_time: str | None = None


class _Finished(msgspec.Struct):
    file: msgspec.Raw = msgspec.Raw()


class _Identified(msgspec.Struct):
    id: str | None = None
    store: bool | None = None


class _Last(msgspec.Struct):
    response: _Identified | None = None


class _Weight(msgspec.Struct):
    tokens: int = 0
    """What is kept in it, of responses and conversations: LaiDian's own note."""
    bytes: int | None = None
    size_bytes: int | str | None = msgspec.field(default=None, name="sizeBytes")
    usage_metadata: _Tokens | None = msgspec.field(default=None, name="usageMetadata")


class _Tokens(msgspec.Struct, rename="camel"):
    total_token_count: int = 0


_decode_openai = msgspec.json.Decoder(_OpenAI).decode
_decode_google = msgspec.json.Decoder(_Google).decode
_decode_finished = msgspec.json.Decoder(_Finished).decode
_decode_identified = msgspec.json.Decoder(_Identified).decode
_decode_last = msgspec.json.Decoder(_Last).decode
_decode_weight = msgspec.json.Decoder(_Weight).decode
_RPC = (msgspec.DecodeError, RecursionError)


def read_openai(body: bytes) -> Made | None:
    """A file, an upload or a conversation; None for anything without an id."""
    try:
        found = _decode_openai(body)
    except _RPC:
        return None
    expires = found.expires_at
    return Made(found.id, body, None if expires is None else expires * 1000)


def read_completed_upload(body: bytes) -> Made | None:
    """The file inside an upload that was completed."""
    try:
        file = said(_decode_openai(body).file)
    except _RPC:
        return None
    return None if file is None else read_openai(file)


def read_google(body: bytes) -> Made | None:
    """A file or cached content; its id is the name's last segment."""
    try:
        found = _decode_google(body)
    except _RPC:
        return None
    return Made(found.name.rpartition("/")[2], body, _epoch_ms(found.expiration_time or found.expire_time))


def read_uploaded(body: bytes) -> Made | None:
    """The file of an upload's last answer."""
    try:
        file = said(_decode_finished(body).file)
    except _RPC:
        return None
    return None if file is None else read_google(file)


def response_id(body: bytes) -> str | None:
    """The id of a whole response that is kept; None when the provider says that it is not."""
    try:
        found = _decode_identified(body)
    except _RPC:
        return None
    return None if found.store is False else found.id


def streamed_response_id(last_event: bytes) -> str | None:
    """The same, of a stream's last event."""
    data = data_of(last_event)
    try:
        found = None if data is None else _decode_last(data).response
    except _RPC:
        return None
    return None if found is None or found.store is False else found.id


def continuation_of(body: bytes) -> str:
    """The token that a whole Gemini answer can be gone on with; empty without one."""
    if b"ontinuation" not in body:
        return ""
    try:
        return decode_chunk(body).continuation()
    except _RPC:
        return ""


def kept_tokens(meta: str) -> int:
    """Likely tokens that an object brings into a request that names it, from what is known of it."""
    try:
        weight = _decode_weight(meta)
    except _RPC:
        return 0
    if weight.usage_metadata is not None:
        return max(0, weight.usage_metadata.total_token_count)
    size = weight.bytes if weight.bytes is not None else weight.size_bytes
    if size is not None and str(size).isdigit():
        return max(MEDIA_TOKENS, int(size) // MEDIA_BYTES_PER_TOKEN)
    return max(0, weight.tokens)


def note_of(tokens: int) -> str:
    """What is kept of an object that is not listed."""
    return msgspec.json.encode(_Note(tokens)).decode()


BACKGROUND_NOTE = '{"background":true}'
"""Of a response that is still being made."""


def in_background(meta: str) -> bool:
    """Whether a response was still being made when it was last noted."""
    return meta == BACKGROUND_NOTE


class _Note(msgspec.Struct):
    tokens: int


class _List(msgspec.Struct):
    data: list[msgspec.Raw]
    first_id: str | None
    last_id: str | None
    has_more: bool
    object: str = "list"


def write_openai_list(ids: Sequence[str], metas: Sequence[str], *, more: bool) -> bytes:
    """A page of objects as OpenAI's cursors want it."""
    raws = [msgspec.Raw(meta.encode()) for meta in metas]
    return msgspec.json.encode(_List(raws, ids[0] if ids else None, ids[-1] if ids else None, more))


def write_google_list(name: str, metas: Sequence[str], next_token: str | None) -> bytes:
    """A page in Google's form; an empty one is an empty object, as Google has it."""
    page: dict[str, object] = {}
    if metas:
        page[name] = [msgspec.Raw(meta.encode()) for meta in metas]
    if next_token is not None:
        page["nextPageToken"] = next_token
    return msgspec.json.encode(page)


def _epoch_ms(moment: str | None) -> int | None:
    """RFC 3339, as Google writes it; None for what cannot be read."""
    if not moment:
        return None
    try:
        return int(datetime.fromisoformat(moment).timestamp() * 1000)
    except ValueError:
        return None
