"""The shape of GET /v1/usage/{request_id}: a record and every line of its price, as the key holder may see it.

Refuses to show where a request went: no upstream, no credential, no attempts. Amounts are exact decimals, as text.
"""

from __future__ import annotations

import msgspec

from laidian.admin.schema import ReceiptLine
from laidian.admin.service.usage import receipt
from laidian.clock import moment
from laidian.domain.money import format_usd
from laidian.domain.record import ENDINGS, USAGE_SOURCES
from laidian.errors import NotFound
from laidian.store.connection import Connection
from laidian.store.holder import is_in_flight, read_own_record
from laidian.store.usage import RecordRow


class _Meaning(msgspec.Struct):
    code: str
    meaning: str


class _Price(msgspec.Struct):
    version: str
    source: str
    source_date: str


class ReceiptAnswer(msgspec.Struct):
    request_id: str
    operation: str
    model: str
    """What was priced."""
    asked_model: str
    """What the request named."""
    stream: bool
    started_at: str
    first_byte_ms: int | None
    duration_ms: int
    status: int
    """HTTP status; 0 when none was sent."""
    ended: _Meaning
    error_code: str
    usage_from: _Meaning
    service_tier: str
    multiplier: str
    lines: tuple[ReceiptLine, ...]
    """They add up to `amount_usd`."""
    note: str
    amount_usd: str
    shortfall_usd: str
    """What the quota could not carry and nobody pays."""
    charged_usd: str
    """The amount less the shortfall."""
    price: _Price
    currency: str = "USD"
    object: str = "laidian.receipt"


def read_receipt(connection: Connection, key_id: int, request_id: str) -> ReceiptAnswer:
    """Raises NotFound; another key's request is as if it had never been."""
    row = read_own_record(connection, key_id, request_id)
    if row is None:
        raise NotFound(_why_none(connection, key_id, request_id), param="request_id")
    return _answer(connection, row)


def _why_none(connection: Connection, key_id: int, request_id: str) -> str:
    if is_in_flight(connection, key_id, request_id):
        return "This request still runs; its receipt is written when it ends."
    return (
        "This key has no request of that id. Use the x-request-id of an answer; a request that was refused before it was accepted "
        "has no receipt, since it cost nothing."
    )


def _answer(connection: Connection, row: RecordRow) -> ReceiptAnswer:
    money = receipt(connection, row)
    return ReceiptAnswer(
        request_id=row.request_id,
        operation=row.operation,
        model=row.model,
        asked_model=row.asked_model,
        stream=bool(row.stream),
        started_at=moment(row.started_at_ms),
        first_byte_ms=row.first_byte_ms,
        duration_ms=row.duration_ms,
        status=row.status,
        ended=_Meaning(row.ended, ENDINGS.get(row.ended, "")),
        error_code=row.error_code,
        usage_from=_Meaning(row.usage_from, USAGE_SOURCES.get(row.usage_from, "")),
        service_tier=money.service_tier,
        multiplier=money.multiplier,
        lines=money.lines,
        note=money.note,
        amount_usd=money.amount_usd,
        shortfall_usd=format_usd(row.shortfall_nano),
        charged_usd=money.charged_usd,
        price=_Price(money.price_version, money.price_source, money.price_source_date),
    )
