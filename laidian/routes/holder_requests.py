"""The shape of GET /v1/usage/requests: a key's settled requests, newest first, each with what it cost. GET /v1/usage/{request_id} has the
whole receipt.

Refuses to show where a request went, as receipts do.
"""

from __future__ import annotations

from urllib.parse import parse_qs

import msgspec

from laidian.domain.money import format_usd
from laidian.domain.usage import INPUT_UNITS, OUTPUT_UNITS
from laidian.errors import BadRequest
from laidian.relay.gates import moment
from laidian.store.usage import RecordRow

DEFAULT_LIMIT, LARGEST_LIMIT = 20, 100
_CACHED = ("cached_input", "cached_image_input", "cached_audio_input")


class RequestAnswer(msgspec.Struct, frozen=True):
    request_id: str
    started_at: str
    operation: str
    model: str
    """What was priced."""
    asked_model: str
    stream: bool
    status: int
    """HTTP status; 0 when none was sent."""
    error_code: str
    duration_ms: int
    input_tokens: int
    """With those read from a cache."""
    cached_tokens: int
    output_tokens: int
    estimated: bool
    """Whether the provider did not say what was used."""
    charged_usd: str


class RequestsAnswer(msgspec.Struct, frozen=True):
    data: tuple[RequestAnswer, ...]
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
    return RequestsAnswer(tuple(_request(row) for row in rows[:limit]), len(rows) > limit)


def _request(row: RecordRow) -> RequestAnswer:
    return RequestAnswer(
        request_id=row.request_id,
        started_at=moment(row.started_at_ms),
        operation=row.operation,
        model=row.model,
        asked_model=row.asked_model,
        stream=bool(row.stream),
        status=row.status,
        error_code=row.error_code,
        duration_ms=row.duration_ms,
        input_tokens=sum(getattr(row.usage, unit) for unit in INPUT_UNITS),
        cached_tokens=sum(getattr(row.usage, unit) for unit in _CACHED),
        output_tokens=sum(getattr(row.usage, unit) for unit in OUTPUT_UNITS),
        estimated=row.usage_from == "estimated",
        charged_usd=format_usd(row.amount_nano - row.shortfall_nano),
    )
