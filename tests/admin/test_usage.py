from __future__ import annotations

from decimal import Decimal

import pytest

from laidian.admin.schema import KeyEdit, UsageQuery
from laidian.admin.service.keys import delete_key, edit_key
from laidian.admin.service.live import find_live, list_live
from laidian.admin.service.usage import list_usage, show_usage, sum_usage
from laidian.domain.usage import Usage
from laidian.errors import BadRequest, NotFound
from tests.admin.desk import NOW_MS, Desk

HOUR_MS = 3_600_000


@pytest.fixture
def busy_desk(desk: Desk) -> Desk:
    """Five records of two keys on two days, the last ones a failure, an estimate and a free one."""
    desk.upstream("openai")
    desk.key("alice")
    desk.key("bob")
    usage = Usage(input=800, cached_input=200, output=100, reasoning=50)
    desk.serve("req_1", usage, at_ms=NOW_MS - 30 * HOUR_MS, upstream_id=1)
    desk.serve("req_2", usage, upstream_id=1)
    desk.serve("req_3", Usage(), key="bob", status=502, ended="upstream_fault", usage_from="none")
    desk.serve(
        "req_4", Usage(input=10), key="bob", ended="client_closed", usage_from="estimated", upstream_id=1
    )
    desk.serve("req_5", Usage(input=1_000), multiplier_ppm=1_000_000)
    return desk


def ids(desk: Desk, **query: str) -> list[str]:
    page = list_usage(desk.connection, UsageQuery(**query), limit=100, cursor=None, now_ms=NOW_MS)
    return [record.request_id for record in page.items]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, "54321"),
        ({"since": "24h"}, "5432"),
        ({"until": "24h"}, "1"),
        ({"since": "2026-11-21", "until": "2026-11-22"}, "1"),
        ({"key": "bob"}, "43"),
        ({"key": "1"}, "521"),
        ({"model": "gpt-5.4"}, "54321"),
        ({"model": "gpt-5"}, ""),
        ({"group": "default"}, "54321"),
        ({"upstream": "openai"}, "421"),
        ({"ended": "client_closed"}, "4"),
        ({"status": "502"}, "3"),
        ({"status": "5xx"}, "3"),
        ({"status": "error"}, "3"),
        ({"status": "ok"}, "5421"),
        ({"status": "4xx"}, ""),
        ({"request_id": "req_5"}, "5"),
        ({"request_id": "req%"}, ""),
        ({"request_id": "req_", "key": "alice", "since": "24h"}, "52"),
    ],
)
def test_records_are_filtered(busy_desk: Desk, query: dict[str, str], found: str) -> None:
    assert ids(busy_desk, **query) == [f"req_{number}" for number in found]


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"key": "alise"}, NotFound),
        ({"group": "nobody"}, NotFound),
        ({"upstream": "opnai"}, NotFound),
        ({"ended": "somehow"}, BadRequest),
        ({"status": "bad"}, BadRequest),
        ({"status": "9999"}, BadRequest),
        ({"since": "whenever"}, BadRequest),
    ],
)
def test_a_filter_that_can_match_nothing_by_mistake_is_refused(
    busy_desk: Desk, query: dict[str, str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        ids(busy_desk, **query)


def test_pages_follow_each_other_without_gaps_while_records_arrive(busy_desk: Desk) -> None:
    first = list_usage(busy_desk.connection, UsageQuery(), limit=2, cursor=None, now_ms=NOW_MS)
    busy_desk.serve("req_6", Usage(input=1))
    second = list_usage(busy_desk.connection, UsageQuery(), limit=2, cursor=first.next, now_ms=NOW_MS)
    third = list_usage(busy_desk.connection, UsageQuery(), limit=2, cursor=second.next, now_ms=NOW_MS)
    seen = [record.request_id for page in (first, second, third) for record in page.items]
    assert seen == ["req_5", "req_4", "req_3", "req_2", "req_1"]
    assert third.next is None


@pytest.mark.parametrize(
    ("limit", "cursor"), [(0, None), (501, None), (10, "first"), (10, "-1"), (10, "1.2.3")]
)
def test_a_page_that_cannot_be_is_refused(desk: Desk, limit: int, cursor: str | None) -> None:
    with pytest.raises(BadRequest):
        list_usage(desk.connection, UsageQuery(), limit=limit, cursor=cursor, now_ms=NOW_MS)


def test_the_lines_of_a_receipt_add_up_to_what_was_charged(busy_desk: Desk) -> None:
    detail = show_usage(busy_desk.connection, "req_2")
    assert [
        (line.unit, line.quantity, line.usd_per_million, line.cost_usd) for line in detail.receipt.lines
    ] == [
        ("input", 800, "2.00", "0.0016"),
        ("cached_input", 200, "0.20", "0.00004"),
        ("output", 100, "10.00", "0.001"),
        ("reasoning", 50, "10.00", "0.0005"),
    ]
    total = sum(Decimal(line.cost_usd) for line in detail.receipt.lines)
    assert total == Decimal(detail.receipt.amount_usd) == Decimal("0.00314")
    assert detail.receipt.charged_usd == detail.record.cost_usd == "0.00314"
    assert (detail.receipt.price_version, detail.receipt.price_source) == ("a-test/gpt-5.4", "a test")
    assert (detail.record.input_tokens, detail.record.cached_tokens, detail.record.output_tokens) == (
        1_000,
        200,
        150,
    )
    assert detail.record.usage == {"input": 800, "cached_input": 200, "output": 100, "reasoning": 50}
    assert detail.record.started_at == "2026-11-22T10:00:00.000Z"
    assert detail.held_usd == "0.0001"
    assert detail.attempts[0].outcome == "ok"


def test_a_receipt_shows_the_multiplier_and_the_shortfall(desk: Desk) -> None:
    desk.quota("wallet", balance_usd="0.001")
    desk.key("alice", quota="wallet")
    desk.hold("req_1", multiplier_ppm=1_250_000)
    desk.settle("req_1", Usage(input=1_000), multiplier_ppm=1_250_000)
    detail = show_usage(desk.connection, "req_1")
    assert (detail.receipt.multiplier, detail.receipt.lines[0].cost_usd, detail.receipt.amount_usd) == (
        "1.25x",
        "0.0025",
        "0.0025",
    )
    assert (detail.receipt.charged_usd, detail.record.cost_usd, detail.record.shortfall_usd) == (
        "0.001",
        "0.001",
        "0.0015",
    )


def test_a_receipt_without_a_rate_says_that_the_hold_was_charged(desk: Desk) -> None:
    desk.key("alice")
    desk.serve("req_1", Usage(input=1, images=2))
    detail = show_usage(desk.connection, "req_1")
    assert detail.receipt.lines == ()
    assert detail.receipt.amount_usd == detail.held_usd
    assert detail.receipt.note == "charged at what was held: the price has no rate for images"


def test_an_unknown_request_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound):
        show_usage(desk.connection, "req_0")


@pytest.mark.parametrize(
    ("by", "rows"),
    [
        ("day", [("2026-11-22", 4), ("2026-11-21", 1)]),
        ("key", [("alice", 3), ("bob", 2)]),
        ("model", [("gpt-5.4", 5)]),
        ("group", [("default", 5)]),
        ("upstream", [("openai", 3), ("", 2)]),
    ],
)
def test_records_are_added_up_by_what_is_asked_for(
    busy_desk: Desk, by: str, rows: list[tuple[str, int]]
) -> None:
    summary = sum_usage(busy_desk.connection, UsageQuery(), by, now_ms=NOW_MS)
    assert [(row.name, row.requests) for row in summary.rows] == rows
    total = summary.total
    assert (total.requests, total.failed, total.estimated) == (5, 1, 1)
    assert (total.input_tokens, total.cached_tokens, total.output_tokens) == (3_010, 400, 300)
    assert Decimal(total.cost_usd) == sum(Decimal(row.cost_usd) for row in summary.rows) == Decimal("0.0083")


def test_nothing_adds_up_to_zero_and_an_unknown_grouping_is_refused(desk: Desk) -> None:
    summary = sum_usage(desk.connection, UsageQuery(), "key", now_ms=NOW_MS)
    assert (summary.rows, summary.total.cost_usd) == ((), "0.00")
    with pytest.raises(BadRequest, match="Did you mean `key`"):
        sum_usage(desk.connection, UsageQuery(), "keys", now_ms=NOW_MS)


def test_history_follows_a_renamed_key_and_keeps_a_deleted_one(busy_desk: Desk) -> None:
    busy_desk.do(lambda c: edit_key(c, "alice", KeyEdit(name="alba"), now_ms=NOW_MS))
    busy_desk.do(lambda c: delete_key(c, "bob", now_ms=NOW_MS))
    assert ids(busy_desk, key="alba") == ["req_5", "req_2", "req_1"]
    assert ids(busy_desk, key="bob") == ["req_4", "req_3"]


def test_requests_in_flight_are_seen_until_they_are_settled(desk: Desk) -> None:
    desk.key("alice")
    desk.hold("req_1", at_ms=NOW_MS - 2_500, nano=90_000)
    (live,) = list_live(desk.connection, NOW_MS)
    assert (live.request_id, live.key, live.held_usd, live.age_ms, live.upstream) == (
        "req_1",
        "alice",
        "0.00009",
        2_500,
        "",
    )
    desk.settle("req_1", Usage(input=1))
    assert list_live(desk.connection, NOW_MS) == ()
    with pytest.raises(NotFound, match="its record is under /usage"):
        find_live(desk.connection, "req_1", NOW_MS)
