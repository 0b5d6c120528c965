"""multipart/form-data as a strict server reads it (RFC 7578): what a real provider might misread is refused here.

Text fields become the JSON values that their parameter's rule names, so that the checks of JSON bodies serve forms too.
"""

from __future__ import annotations

import re

import msgspec

from .openai_checks import Rule, invalid
from .values import Json, JsonObject, Refusal

_BOUNDARY = re.compile(r'multipart/form-data; ?boundary=(?:"([^"]+)"|([^\s";,]+))', re.IGNORECASE)
_DISPOSITION = re.compile(r'form-data; name="([^"]+)"(?:; filename="((?:[^"\\]|\\.)*)")?')


class FilePart(msgspec.Struct, frozen=True):
    name: str
    filename: str
    content_type: str
    content: bytes


class MultipartBody(msgspec.Struct, frozen=True):
    texts: tuple[tuple[str, str], ...]
    """(name, value) in order."""
    files: tuple[FilePart, ...]

    def files_of(self, *names: str) -> list[FilePart]:
        return [file for file in self.files if file.name in names]

    def parameters(self, rules: dict[str, Rule], arrays: tuple[str, ...] = ()) -> JsonObject:
        """The text fields as JSON. Raises Refusal (400) for one that stands twice and is no array."""
        values: JsonObject = {}
        for name, text in self.texts:
            plain = name.removesuffix("[]")
            if plain in arrays:
                held = values.setdefault(plain, [])
                if isinstance(held, list):
                    held.append(text)
            elif name in values:
                raise invalid(name, f"Duplicate parameter: '{name}'.", "duplicate_parameter")
            else:
                values[name] = _typed(text, rules.get(name))
        return values


def read_multipart(content_type: str, body: bytes) -> MultipartBody:
    """Raises Refusal (400) for anything that is not exactly one form."""
    found = _BOUNDARY.fullmatch(content_type.strip())
    if found is None:
        raise _broken("the content type names no boundary")
    delimiter = b"--" + (found.group(1) or found.group(2)).encode("latin-1")
    if not body.startswith(delimiter + b"\r\n"):
        raise _broken("it does not begin with its boundary")
    pieces = body[len(delimiter) :].split(b"\r\n" + delimiter)
    if pieces[-1] not in (b"--", b"--\r\n"):
        raise _broken("it does not end with its boundary")
    texts: list[tuple[str, str]] = []
    files: list[FilePart] = []
    for piece in pieces[:-1]:
        part = _part(piece)
        if isinstance(part, FilePart):
            files.append(part)
        else:
            texts.append(part)
    return MultipartBody(tuple(texts), tuple(files))


def _part(piece: bytes) -> FilePart | tuple[str, str]:
    head, blank, content = piece.partition(b"\r\n\r\n")
    if not piece.startswith(b"\r\n") or not blank:
        raise _broken("a part has no headers")
    headers = dict(_header(line) for line in head[2:].split(b"\r\n"))
    found = _DISPOSITION.fullmatch(headers.get("content-disposition", ""))
    if found is None:
        raise _broken("a part has no name")
    name, filename = found.groups()
    if filename is not None:
        return FilePart(name, filename, headers.get("content-type", ""), content)
    try:
        return name, content.decode()
    except UnicodeDecodeError:
        raise _broken(f"the field '{name}' is not UTF-8") from None


def _header(line: bytes) -> tuple[str, str]:
    try:
        name, colon, value = line.decode().partition(": ")
    except UnicodeDecodeError:
        raise _broken("a header is not UTF-8") from None
    if not colon:
        raise _broken("a header is not a header")
    return name.lower(), value


def _typed(text: str, rule: Rule | None) -> Json:
    """The text as its rule wants it, where it can be that; else as it is, for the check to refuse."""
    match rule.kind if rule is not None else "string":
        case "integer" if re.fullmatch(r"-?[0-9]{1,9}", text):
            return int(text)
        case "number" if re.fullmatch(r"-?[0-9]{1,9}(\.[0-9]+)?", text):
            return float(text)
        case "boolean" if text in ("true", "false"):
            return text == "true"
        case _:
            return text


def _broken(why: str) -> Refusal:
    return Refusal(400, f"We could not parse the form of your request: {why}.", code="invalid_multipart")
