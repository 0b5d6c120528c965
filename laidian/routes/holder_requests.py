"""The shape of GET /v1/usage/requests: a key's settled requests, newest first, each with what it cost. GET /v1/usage/{request_id} has the
whole receipt.
"""

from __future__ import annotations

from urllib.parse import parse_qs

import msgspec

from laidian.errors import BadRequest
from laidian.relay.holder_request import HolderRequest, holder_request
from laidian.store.usage import RecordRow

DEFAULT_LIMIT, LARGEST_LIMIT = 20, 100


class RequestsAnswer(msgspec.Struct, frozen=True):
    data: tuple[HolderRequest, ...]
    has_more: bool
    """Ask on with `before` set to the last request's id."""
    object: str = "list"


class Wanted(msgspec.Struct, frozen=True):
    limit: int
    before: str
    """A request id; empty: from the newest on."""


def read_wanted(query: bytes) -> Wanted:
    """Raises BadRequest for a limit that is none."""
    said = {name: values[0] for name, values in parse_qs(query.decode("latin-1")).items()}
    text = said.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdecimal() and len(text) <= 3 and 1 <= int(text) <= LARGEST_LIMIT):
        raise BadRequest(f"`limit` is a number from 1 to {LARGEST_LIMIT}, not {text[:20]!a}.", param="limit")
    return Wanted(int(text), said.get("before", ""))


def requests_answer(rows: list[RecordRow], limit: int) -> RequestsAnswer:
    """`rows`: one more than the limit where there are more."""
    return RequestsAnswer(tuple(holder_request(row) for row in rows[:limit]), len(rows) > limit)
