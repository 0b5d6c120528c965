"""Multipart forms read while they pass by: where each part lies, and the text of the small ones.

File contents are never kept: a part is its place in the body, so that a form can be sent on from wherever the bytes were put, with
single values replaced and every other byte as it came. Sans I/O; whoever feeds the bytes keeps them.
The rule a newcomer would break: what can be read in two ways is refused. The model that is priced here must be the model that the
upstream reads, and its reader is another.
"""

from __future__ import annotations

import re

import msgspec

from laidian.errors import BadRequest

MAX_PARTS = 128
HEADER_BYTES = 16 * 1024
TEXT_BYTES = 1024 * 1024
"""A text field longer than this is refused; the longest prompt of the image API has 32,000 characters (OpenAI, 2025)."""


_NAME = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_TOKEN = re.compile(_NAME)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_ESCAPED = re.compile(rf';[ \t]*({_NAME})=(?:"((?:[^"\\]|\\.)*)"|([^;"\s]*))[ \t]*')
_UNESCAPED = re.compile(rf';[ \t]*({_NAME})=(?:"([^"]*)"|([^;"\s]*))[ \t]*')
_BACKSLASH = re.compile(r"\\(.)")
_BOUNDARY = re.compile(r"[!#-\[\]-~ ]{0,199}[!#-\[\]-~]")
"""RFC 2046 has 70 characters and fewer kinds; clients send what they like, but never a quote, a backslash or a blank at the end."""
_PLAIN = frozenset({"binary", "8bit", "7bit"})


class Part(msgspec.Struct, frozen=True):
    name: str
    filename: str | None
    """None: a text field."""
    content_type: str
    start: int
    """Where its content begins in the body."""
    end: int
    text: bytes
    """Content of a text field; empty for a file."""


class Form(msgspec.Struct, frozen=True):
    """A form that was read whole."""

    content_type: bytes
    """With the boundary, as the client wrote it."""
    parts: tuple[Part, ...]
    size: int
    """Bytes of the whole body."""

    def text(self, name: str) -> str | None:
        """A text field's value. Raises BadRequest when it stands twice, is a file, or is no UTF-8."""
        found = [part for part in self.parts if part.name == name]
        if not found:
            return None
        if len(found) > 1:
            raise BadRequest(
                f"The form field `{name}` stands twice; which one counts would be a guess. Send it once.",
                param=name,
                code="duplicate_field",
            )
        if found[0].filename is not None:
            raise BadRequest(
                f"The form field `{name}` must be text, not a file.", param=name, code="invalid_type"
            )
        try:
            return found[0].text.decode()
        except UnicodeDecodeError:
            raise BadRequest(
                f"The form field `{name}` is not valid UTF-8.", param=name, code="invalid_value"
            ) from None

    def flag(self, name: str) -> bool:
        """A text field that says `true` or `false`; missing is false. Raises BadRequest for any other word, which servers read differently."""
        word = self.text(name)
        if word not in (None, "true", "false"):
            raise BadRequest(
                f"The form field `{name}` must be true or false; got {word[:20]!r}.",
                param=name,
                code="invalid_value",
            )
        return word == "true"

    def files(self) -> list[Part]:
        return [part for part in self.parts if part.filename is not None]

    def replaced(self, name: str, value: bytes) -> tuple[Edit, ...]:
        """The edit that gives a text field another value; none when there is no such field."""
        return tuple(Edit(part.start, part.end, value) for part in self.parts if part.name == name)


class Edit(msgspec.Struct, frozen=True):
    """Bytes [start, end) of a body become others."""

    start: int
    end: int
    value: bytes


def boundary_of(content_type: bytes) -> bytes:
    """The boundary of a multipart/form-data content type. Raises BadRequest when there is none that can be one."""
    kind, _, rest = content_type.decode("latin-1").partition(";")
    found = _parameters(f";{rest}") if kind.strip().lower() == "multipart/form-data" else None
    boundaries = [value for name, value in found or () if name == "boundary"]
    if len(boundaries) != 1 or not _BOUNDARY.fullmatch(boundaries[0]):
        raise BadRequest(
            "The body must be multipart/form-data with a boundary in Content-Type.", code="invalid_form"
        )
    return boundaries[0].encode()


class FormReader:
    """Feed it the body piece by piece, then ask for the form."""

    def __init__(self, content_type: bytes) -> None:
        self._content_type = content_type
        self._delimiter = b"--" + boundary_of(content_type)
        self._inner = b"\r\n" + self._delimiter
        self._rest = b""
        self._position = 0
        """Of `_rest` in the body."""
        self._step = self._preamble
        self._parts: list[Part] = []
        self._head: tuple[str, str | None, str] = ("", None, "")
        self._start = 0
        self._text: list[bytes] = []
        self._done = False

    def feed(self, data: bytes) -> None:
        """Raises BadRequest for what is no form."""
        self._rest += data
        while not self._done and self._step():
            pass
        if self._done:
            self._take(len(self._rest))

    def form(self) -> Form:
        """The form, once the body is complete. Raises BadRequest when it was cut off."""
        if not self._done:
            raise _broken("it ends before its closing boundary")
        return Form(self._content_type, tuple(self._parts), self._position)

    def _take(self, size: int) -> bytes:
        taken, self._rest = self._rest[:size], self._rest[size:]
        self._position += size
        return taken

    def _preamble(self) -> bool:
        if len(self._rest) < len(self._delimiter) + 2:
            return False
        if not self._rest.startswith(self._delimiter):
            raise _broken("it does not begin with its boundary")
        self._take(len(self._delimiter))
        self._step = self._after_delimiter
        return True

    def _after_delimiter(self) -> bool:
        if len(self._rest) < 2:
            return False
        mark = self._take(2)
        if mark == b"--":
            self._done = True
        elif mark == b"\r\n":
            self._step = self._headers
        else:
            raise _broken("a boundary is followed by something else than a line end")
        return True

    def _headers(self) -> bool:
        end = self._rest.find(b"\r\n\r\n", 0, HEADER_BYTES)
        if end < 0:
            if len(self._rest) >= HEADER_BYTES:
                raise _broken("the headers of a part are too long")
            return False
        if len(self._parts) >= MAX_PARTS:
            raise _broken(f"it has more than {MAX_PARTS} parts")
        self._head = _part_head(self._take(end + 4)[:-4])
        self._start = self._position
        self._text = []
        self._step = self._content
        return True

    def _content(self) -> bool:
        end = self._rest.find(self._inner)
        if end < 0:
            # what cannot be the beginning of a boundary is content for certain
            self._keep(self._take(max(0, len(self._rest) - len(self._inner) + 1)))
            return False
        self._keep(self._take(end))
        name, filename, kind = self._head
        self._parts.append(Part(name, filename, kind, self._start, self._position, b"".join(self._text)))
        self._take(len(self._inner))
        self._step = self._after_delimiter
        return True

    def _keep(self, data: bytes) -> None:
        name, filename, _ = self._head
        if filename is not None or not data:
            return
        self._text.append(data)
        if self._position - self._start > TEXT_BYTES:
            raise BadRequest(
                f"The form field `{name[:64]}` is longer than {TEXT_BYTES:,} bytes.",
                param=name[:64],
                code="invalid_value",
            )


def _part_head(raw: bytes) -> tuple[str, str | None, str]:
    """(name, file name, content type) of a part's headers. Raises BadRequest for what two readers could take for two things."""
    headers: dict[str, str] = {}
    for line in raw.decode("utf-8", "replace").split("\r\n"):
        name, colon, value = line.partition(":")
        name = name.lower()
        if not colon or not _TOKEN.fullmatch(name) or _CONTROL.search(value) or name in headers:
            raise _broken("a part has a header that is no header, or the same one twice")
        headers[name] = value.strip()
    if headers.get("content-transfer-encoding", "binary").lower() not in _PLAIN:
        raise _broken("a part is sent in a transfer encoding, which multipart/form-data no longer has")
    name, filename = _disposition(headers.get("content-disposition", ""))
    return name, filename, headers.get("content-type", "")


def _disposition(value: str) -> tuple[str, str | None]:
    """(name, file name) of `form-data; name="…"; filename="…"`.

    A backslash before a quote escapes it for curl and is a plain character for browsers: where the two readings name different
    fields, neither is taken.
    """
    kind, _, rest = value.partition(";")
    if kind.strip().lower() != "form-data":
        raise _broken("a part is not form-data")
    readings = [found for escapes in (True, False) if (found := _parameters(f";{rest}", escapes)) is not None]
    named = {tuple(one for one in found if one[0].startswith("name")) for found in readings}
    if len(named) != 1:
        raise _broken("the name of a part cannot be read")
    names = named.pop()
    if len(names) != 1 or names[0][0] != "name" or not 1 <= len(names[0][1]) <= 200:
        raise _broken("a part has no name, or several")
    files = [text for name, text in readings[0] if name in ("filename", "filename*")]
    return names[0][1], files[0] if files else None


def _parameters(text: str, escapes: bool = True) -> list[tuple[str, str]] | None:
    """`; name=value` pairs, names in lower case; None when it is something else."""
    pattern = _ESCAPED if escapes else _UNESCAPED
    found: list[tuple[str, str]] = []
    position, text = 0, text.rstrip(" \t;")
    while position < len(text):
        match = pattern.match(text, position)
        if match is None:
            return None
        name, quoted, plain = match.groups()
        value = plain if quoted is None else quoted
        found.append((name.lower(), _BACKSLASH.sub(r"\1", value) if escapes and quoted else value))
        position = match.end()
    return found


def _broken(why: str) -> BadRequest:
    return BadRequest(f"The multipart body cannot be read: {why}.", code="invalid_form")
