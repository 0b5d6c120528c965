"""JSON requests read without losing a byte.

`Fields` is the top level of a JSON object: raw values, and where each one lies in the body, so that a value can be replaced while
key order, number spelling, escapes and white space of all the others survive.
The rule a newcomer would break: nothing that decides anything is read by `json.loads`, which takes NaN, UTF-16 and lone
surrogates; msgspec refuses them (reliability.md, I2), and what goes upstream is strict JSON.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from laidian.errors import BadRequest

T = TypeVar("T")

_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_WHITE = b" \t\n\r"


class Fields:
    """The top-level fields of a JSON object body. Raises BadRequest when the body is not one."""

    __slots__ = ("_spans", "body", "raw")

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.raw = _read_fields(body)
        self._spans: dict[str, tuple[int, int]] | None = None

    def get(self, name: str, kind: type[T]) -> T | None:
        """The field as `kind`, None when it is missing or null. Raises BadRequest, naming the field, on another type."""
        raw = self.raw.get(name)
        value = None if raw is None else said(raw)
        if value is None:
            return None
        try:
            return msgspec.json.decode(value, type=kind)
        except (msgspec.DecodeError, RecursionError):
            raise BadRequest(
                f"`{name}` must be {_WORDS.get(kind, 'of another type')}; got {_short(value)}.",
                param=name,
                code="invalid_type",
            ) from None

    def replaced(self, changes: dict[str, bytes]) -> bytes:
        """The body with some fields set to other JSON values; a field that was missing is added at the end."""
        spans = self.spans()
        edits = sorted((spans[name], value) for name, value in changes.items() if name in spans)
        pieces: list[bytes] = []
        position = 0
        for (start, end), value in edits:
            pieces += (self.body[position:start], value)
            position = end
        added = [(name, value) for name, value in changes.items() if name not in spans]
        if not added:
            pieces.append(self.body[position:])
            return b"".join(pieces)
        close = self.body.rindex(b"}")
        pieces.append(self.body[position:close])
        comma = b"," if spans else b""
        for name, value in added:
            pieces += (comma, msgspec.json.encode(name), b":", value)
            comma = b","
        pieces.append(self.body[close:])
        return b"".join(pieces)

    def spans(self) -> dict[str, tuple[int, int]]:
        """Where each value lies: name -> [start, end). Raises BadRequest when a field stands twice."""
        if self._spans is None:
            self._spans = self._walk()
        return self._spans

    def check_unique(self) -> None:
        """Raises BadRequest when a field stands twice.

        A body as programs write it, without white space, has exactly as many bytes as its fields, one colon each and the commas
        between them; nothing more fits in. Only other bodies have to be walked.
        """
        fields = len(self.raw)
        values = sum([len(memoryview(raw)) for raw in self.raw.values()])
        compact = values + sum(map(len, self.raw)) + 2 * fields + (2 * fields - 1) + 2
        if len(self.body) != compact or not self.body.isascii():
            self.spans()

    def _walk(self) -> dict[str, tuple[int, int]]:
        # the decoder gives values in order and exact to the byte, so only keys and separators are left to step over
        body = self.body
        spans: dict[str, tuple[int, int]] = {}
        position = _skip(body, body.index(b"{") + 1)
        for name, raw in self.raw.items():
            end = _string_end(body, position)
            if _key(body[position:end]) != name:
                raise _twice(_key(body[position:end]))
            start = _skip(body, _skip(body, end) + 1)
            stop = start + len(memoryview(raw))
            if body[start:stop] != bytes(raw):  # the decoder kept a later value of the same name
                raise _twice(name)
            spans[name] = (start, stop)
            position = _skip(body, stop)
            if body[position : position + 1] == b",":
                position = _skip(body, position + 1)
            elif body[position : position + 1] != b"}":  # a number that begins with the later one: 110 and 1
                raise _twice(name)
        if body[position : position + 1] != b"}":
            raise _twice(_key(body[position : _string_end(body, position)]))
        return spans


def said(raw: msgspec.Raw) -> bytes | None:
    """A raw value's bytes; None for a missing field (the empty default) and for null.

    For struct fields of type `Raw` with the default `Raw()`: msgspec 0.22 refuses every value of a `Raw | None`, and a `Raw` equals
    no bytes (both tried 2026-11-22).
    """
    size = len(memoryview(raw))
    if size == 0 or (size == 4 and bytes(raw) == b"null"):
        return None
    return bytes(raw)


def _read_fields(body: bytes) -> dict[str, msgspec.Raw]:
    try:
        if not body.isascii():
            body.decode()  # values that stay raw are not looked into by the decoder
        return _decode_fields(body)
    except UnicodeDecodeError as error:
        raise BadRequest(f"The body is not valid UTF-8 (byte {error.start}).", code="invalid_json") from None
    except RecursionError:
        raise BadRequest(
            "The JSON body is nested too deeply; real requests need fewer than 1,000 levels."
        ) from None
    except msgspec.ValidationError:
        raise BadRequest("The body must be a JSON object.") from None
    except msgspec.DecodeError as error:
        raise BadRequest(f"The body is not valid JSON: {str(error)[:120]}.", code="invalid_json") from None


def _skip(body: bytes, position: int) -> int:
    while body[position] in _WHITE:
        position += 1
    return position


def _string_end(body: bytes, start: int) -> int:
    """The position after the string that begins at `start`."""
    position = start + 1
    while True:
        quote = body.index(b'"', position)
        backslashes = 0
        while body[quote - 1 - backslashes] == 0x5C:
            backslashes += 1
        if backslashes % 2 == 0:
            return quote + 1
        position = quote + 1


def _key(raw: bytes) -> str:
    return msgspec.json.decode(raw, type=str)


def _twice(name: str) -> BadRequest:
    return BadRequest(
        f"The field `{name[:64]}` stands twice in the body; which one counts would be a guess. Send it once.",
        param=name[:64],
        code="duplicate_field",
    )


def _short(raw: bytes) -> str:
    text = raw[:40].decode("utf-8", "replace")
    return text if len(raw) <= 40 else text + "…"


_WORDS: dict[Any, str] = {
    str: "a string",
    bool: "true or false",
    int: "an integer",
    float: "a number",
    dict[str, Any]: "an object",
}
