"""A key's last requests as CSV, in the address of a link: nothing is asked for again, so the key goes nowhere for it, and it needs
no script."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Sequence

import msgspec

from laidian.relay.holder_request import HolderRequest

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def sheet(requests: Sequence[HolderRequest]) -> str:
    """With a line of names, the newest first; lines end as RFC 4180 has it."""
    text = io.StringIO()
    writer = csv.writer(text)
    names = [field.name for field in msgspec.structs.fields(HolderRequest)]
    writer.writerow(names)
    for one in requests:
        writer.writerow(_cell(getattr(one, name)) for name in names)
    return text.getvalue()


def sheet_address(requests: Sequence[HolderRequest]) -> str:
    """For a link that saves it."""
    # with a mark of order, without which Excel takes it for anything but UTF-8
    content = b"\xef\xbb\xbf" + sheet(requests).encode()
    return f"data:text/csv;charset=utf-8;base64,{base64.b64encode(content).decode()}"


def _cell(value: str | int | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    # a model's name is what a client sent, and a spreadsheet would run it
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else str(value)
