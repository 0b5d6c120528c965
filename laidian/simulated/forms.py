"""Multipart forms, read whole and strictly: what is not exactly a form is refused."""

from __future__ import annotations

import re

import msgspec

from .values import Refusal


class FormPart(msgspec.Struct, frozen=True):
    name: str
    filename: str | None
    content_type: str
    content: bytes


def read_form(content_type: str, body: bytes) -> list[FormPart]:
    """The parts in order. Raises Refusal (400)."""
    found = re.fullmatch(r'multipart/form-data;\s*boundary="?([^";]{1,70})"?', content_type)
    if found is None:
        raise _broken("the content type has no boundary")
    delimiter = b"--" + found[1].encode("latin-1")
    pieces = (b"\r\n" + body).split(b"\r\n" + delimiter)
    if len(pieces) < 2 or pieces[0] != b"" or not pieces[-1].startswith(b"--"):
        raise _broken("its boundaries are not in order")
    return [_part(piece) for piece in pieces[1:-1]]


def text_of(parts: list[FormPart], name: str) -> str | None:
    """A text field. Raises Refusal (400) when it stands twice or is a file."""
    found = [part for part in parts if part.name == name]
    if len(found) > 1 or any(part.filename is not None for part in found):
        raise Refusal(400, f"Invalid form field '{name}'.", param=name)
    return found[0].content.decode() if found else None


def file_of(parts: list[FormPart], name: str) -> FormPart:
    """The one file of that name. Raises Refusal (400)."""
    found = [part for part in parts if part.name == name and part.filename is not None]
    if len(found) != 1:
        raise Refusal(400, f"'{name}' is a required property", param=name)
    return found[0]


def _part(piece: bytes) -> FormPart:
    head, blank, content = piece.partition(b"\r\n\r\n")
    headers = head.decode("utf-8", "replace")
    if not blank or not headers.startswith("\r\n"):
        raise _broken("a part has no headers")
    disposition = re.search(r"(?im)^content-disposition: *form-data;(.*)$", headers)
    name = re.search(r'(?<!file)name="([^"]*)"', disposition[1]) if disposition else None
    if disposition is None or name is None:
        raise _broken("a part has no name")
    filename = re.search(r'\bfilename="([^"]*)"', disposition[1])
    kind = re.search(r"(?im)^content-type: *(\S+)", headers)
    return FormPart(name[1], filename[1] if filename else None, kind[1] if kind else "", content)


def _broken(why: str) -> Refusal:
    return Refusal(400, f"Could not parse multipart form: {why}.")
