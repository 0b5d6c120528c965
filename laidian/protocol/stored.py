"""What requests say of objects that a provider keeps: which ones they name, and what an answer says of one it made.

Reads no more of a body than it must: most requests name nothing, and that is found out by looking for one word. The rule a newcomer
would break: what is not known to be harmless counts as named. A file id that slips by unseen would be looked up in the operator's
account, whoever made it there; so names are compared decoded, and a field that stands twice is refused.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from urllib.parse import urlsplit

import msgspec

from laidian.domain.affinity import ObjectKind
from laidian.errors import BadRequest
from laidian.protocol.document import Fields, said
from laidian.protocol.family import FamilyName

MAX_ID_CHARS = 200
DEEPEST = 16
"""Levels that are looked into; what stands deeper is part of no request (the deepest known is a picture in a tool's result, 8)."""

LARGE_BYTES = 64 * 1024
STRETCH_BYTES = 4 * 1024
"""Far more than the longest name in its most wordy spelling (84 bytes)."""

GOOGLE_HOST = "generativelanguage.googleapis.com"
"""Where Google's own file addresses lead (google-genai 3.4.0, `File.uri`)."""

_ESCAPED_LETTER = re.compile(rb"\\u00[567]")
"""A letter of ASCII written as an escape: nobody does it by accident, and a name may hide behind it."""

_HARMLESS: dict[FamilyName, frozenset[str]] = {
    # citations and results that an earlier answer brought, and what is the user's own JSON
    "openai": frozenset({"annotations", "results", "arguments", "parameters", "schema", "metadata", "logprobs"}),
    "anthropic": frozenset({"input", "input_schema", "metadata"}),
    "gemini": frozenset(
        {"args", "response", "parameters", "parametersJsonSchema", "responseSchema", "responseJsonSchema", "labels"}
    ),
}  # fmt: skip

_GEMINI_NAMES = ("fileUri", "file_uri", "cachedContent", "cached_content")
_GEMINI_MARKS = tuple(name.encode() for name in _GEMINI_NAMES)


class _Turn(msgspec.Struct):
    role: str | None = None


_HISTORIES: dict[FamilyName, tuple[str, ...]] = {
    "openai": ("messages", "input"),
    "anthropic": ("messages",),
    "gemini": ("contents",),
}
LONGEST_HISTORY_BYTES = 2 * 1024 * 1024
"""Looking through one costs a millisecond for each megabyte."""

_decode_turn = msgspec.json.Decoder(_Turn).decode
_decode_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_text = msgspec.json.Decoder(str).decode


class Reference(msgspec.Struct, frozen=True):
    """One object that a request names."""

    kind: ObjectKind
    id: str
    param: str
    """Where it stands, for the error."""


def references(family: FamilyName, fields: Fields, hosts: Collection[str] = ()) -> tuple[Reference, ...]:
    """Every object that a JSON body names, each once.

    `hosts` are those of the Gemini upstreams: what is addressed there is theirs, other addresses are the public's. Raises BadRequest
    for a name of another type than text, and for one that stands twice in its object.
    """
    if family == "gemini":
        return _gemini(fields, frozenset((*hosts, GOOGLE_HOST)))
    found: dict[tuple[ObjectKind, str], Reference] = {}
    if family == "openai":
        _add(found, "response", fields.get("previous_response_id", str), "previous_response_id")
        _add(found, "conversation", _conversation(fields), "conversation")
    text = _without_payloads(fields.body)
    if b"file_id" in text or _escapes(text):
        for name, param in _Search(family, (b"file_id",), ("file_id", "file_ids")).of(fields):
            _add(found, "file", name, param)
    return tuple(found.values())


def uses_background(fields: Fields) -> bool:
    """Whether the answer is to be made while nobody waits for it."""
    return fields.get("background", bool) is True


def stores_answer(fields: Fields) -> bool:
    """Whether a response is kept by the provider: unless told not to (openai 3.54.0, `store`)."""
    return fields.get("store", bool) is not False


def stores_completion(fields: Fields) -> bool:
    """Whether a chat completion is kept by the provider: only when told to (openai 3.54.0, `store`)."""
    return fields.get("store", bool) is True


def session_of(fields: Fields) -> str | None:
    """What the body itself says of the conversation it belongs to."""
    for name in ("prompt_cache_key", "conversation"):
        raw = fields.raw.get(name)
        value = None if raw is None else said(raw)
        if value is not None and value[:1] == b'"' and len(value) <= MAX_ID_CHARS:
            return f"{name}:{_decode_text(value)}"
    return None


def file_of_uri(uri: str, hosts: Collection[str]) -> str | None:
    """The id that a file address means; None for an address that is not the provider's own.

    What looks like the provider's own and is none of its files gives itself as an id, which nobody has.
    """
    parts = _split(uri)
    if parts is not None and (parts[0] or "").rstrip(".").lower() not in hosts:
        return None
    path = uri if parts is None else parts[1]
    found = re.fullmatch(r"/?(?:v[0-9]\w*/)?files/([A-Za-z0-9_-]{1,64})", path)
    return found[1] if found else uri[:MAX_ID_CHARS]


def conversation_of(family: FamilyName, fields: Fields) -> tuple[str, bool]:
    """(name, continued) of a conversation whose client gave it none: a digest of its beginning, up to the first turn of the user.

    Clients send the whole history with every turn, in the same bytes. `continued`: whether anything comes after that turn. An empty
    name for what is no history, or too long to be looked through.
    """
    raw = next((fields.raw[name] for name in _HISTORIES[family] if name in fields.raw), None)
    value = None if raw is None else said(raw)
    if value is None or value[:1] != b"[" or len(value) > LONGEST_HISTORY_BYTES:
        return "", False
    items = _items(value)
    first = next((place for place, item in enumerate(items) if _role(bytes(item)) == "user"), None)
    if first is None:
        return "", False
    beginning = hashlib.sha256(b"".join(bytes(item) for item in items[: first + 1]))
    return f"history:{beginning.hexdigest()}", len(items) > first + 1


def _role(item: bytes) -> str:
    try:
        return _decode_turn(item).role or ""
    except (msgspec.DecodeError, RecursionError):
        return ""


def continuation_id(token: str) -> str:
    """What stands for a continuation token: a digest of its bytes, since clients spell base64 in one alphabet or the other."""
    plain = token.replace("-", "+").replace("_", "/").rstrip("=")
    return hashlib.sha256(plain.encode()).hexdigest()


def _split(uri: str) -> tuple[str | None, str] | None:
    """Host and the rest of a web address; None for anything else."""
    try:
        parts = urlsplit(uri)
        if parts.scheme in ("http", "https") and parts.hostname:
            return parts.hostname, parts.path + (f"?{parts.query}" if parts.query else "")
    except ValueError:
        return None
    return None


def _conversation(fields: Fields) -> str | None:
    raw = fields.raw.get("conversation")
    value = None if raw is None else said(raw)
    if value is not None and value[:1] == b"{":
        inner = Fields(value)
        inner.check_unique()
        return inner.get("id", str)
    return fields.get("conversation", str)


def _gemini(fields: Fields, hosts: Collection[str]) -> tuple[Reference, ...]:
    found: dict[tuple[ObjectKind, str], Reference] = {}
    for name in ("cachedContent", "cached_content"):
        cache = fields.get(name, str)
        _add(found, "gemini.cache", cache and cache.removeprefix("cachedContents/"), name)
    for name in ("continuationToken", "continuation_token"):
        token = fields.get(name, str)
        _add(found, "gemini.continuation", token and continuation_id(token), name)
    text = _without_payloads(fields.body)
    if b"ached" in text or b"fileUri" in text or b"file_uri" in text or _escapes(text):
        for value, param in _Search("gemini", _GEMINI_MARKS, _GEMINI_NAMES).of(fields):
            if param.endswith(("cachedContent", "cached_content")):
                _add(found, "gemini.cache", value.removeprefix("cachedContents/"), param)
            else:
                _add(found, "gemini.file", file_of_uri(value, hosts), param)
    return tuple(found.values())


def _without_payloads(body: bytes) -> bytes:
    """A large body without its long stretches between two quotes, in which no name can be.

    A picture of 10 MB would else be searched at 2 GB/s for each word; to its end it is one search at 20.
    """
    if len(body) < LARGE_BYTES:
        return body
    pieces: list[bytes] = []
    position, place = 0, STRETCH_BYTES
    while place < len(body):
        quote = body.rfind(b'"', place - STRETCH_BYTES, place)
        end = body.find(b'"', place)
        if quote >= 0 and end - quote >= STRETCH_BYTES:
            pieces.append(body[position : quote + 1])
            position = end
        place = (place if end < 0 else end) + STRETCH_BYTES
    pieces.append(body[position:])
    return b"".join(pieces)


def _escapes(body: bytes) -> bool:
    return b"\\u00" in body and _ESCAPED_LETTER.search(body) is not None


def _add(
    found: dict[tuple[ObjectKind, str], Reference], kind: ObjectKind, object_id: str | None, param: str
) -> None:
    if object_id:
        found.setdefault((kind, object_id), Reference(kind, object_id[:MAX_ID_CHARS], param))


class _Search:
    """Looks for text under certain names anywhere in a body but where it is harmless."""

    def __init__(self, family: FamilyName, marks: tuple[bytes, ...], names: tuple[str, ...]) -> None:
        self._family = family
        self._harmless = _HARMLESS[family]
        self._marks = marks
        """One of these is in every value worth a look."""
        self._names = names
        self._found: list[tuple[str, str]] = []

    def of(self, fields: Fields) -> list[tuple[str, str]]:
        """(text, where) in the order of the body."""
        self._object(fields, "", 0)
        return self._found

    def _value(self, raw: bytes, at: str, depth: int) -> None:
        if depth > DEEPEST or not (any(mark in raw for mark in self._marks) or _escapes(raw)):
            return
        if raw[:1] == b"{":
            fields = Fields(raw)
            fields.check_unique()
            self._object(fields, f"{at}.", depth)
        elif raw[:1] == b"[":
            for place, item in enumerate(_items(raw)):
                self._value(bytes(item), f"{at}[{place}]", depth + 1)

    def _object(self, fields: Fields, at: str, depth: int) -> None:
        kind = fields.raw.get("type")
        if self._family == "anthropic" and kind is not None and bytes(kind).endswith(b'_output"'):
            return  # what a tool of Anthropic's own made, echoed by the client
        for name, raw in fields.raw.items():
            if name in self._names:
                self._take(bytes(raw), at + name)
            elif name not in self._harmless:
                self._value(bytes(raw), at + name, depth + 1)

    def _take(self, raw: bytes, at: str) -> None:
        if raw[:1] == b'"':
            self._found.append((_text(raw), at))
        elif raw[:1] == b"[":
            for place, item in enumerate(_items(raw)):
                if bytes(item)[:1] == b'"':
                    self._found.append((_text(bytes(item)), f"{at}[{place}]"))
        # an object is a schema's property of this name, null is nothing


def _items(raw: bytes) -> list[msgspec.Raw]:
    try:
        return _decode_items(raw)
    except (msgspec.DecodeError, RecursionError):
        raise BadRequest("The body is not valid JSON.", code="invalid_json") from None


def _text(raw: bytes) -> str:
    try:
        return _decode_text(raw)
    except msgspec.DecodeError:
        raise BadRequest("The body is not valid JSON.", code="invalid_json") from None
