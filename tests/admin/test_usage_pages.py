"""Pages of requests: records and refusals in one order, both ways, from any moment, and never more work than a page is worth."""

from __future__ import annotations

from typing import Any

import pytest

from laidian.admin.schema import Page, UsageQuery, UsageRecord
from laidian.admin.service.usage import list_usage, show_usage, sum_usage
from laidian.domain.key import digest
from laidian.domain.usage import Usage
from laidian.errors import BadRequest, NotFound
from laidian.store import pages, refusals
from laidian.store.refusals import NewRefusal, forget_refusals, insert_refusals
from laidian.store.rollups import fold
from tests.admin.desk import NOW_MS, Desk

HOUR_MS = 3_600_000


def refuse(desk: Desk, request_id: str, *, secret: str = "", at_ms: int = NOW_MS, **fields: Any) -> None:
    told = {"operation": "chat.completions", "model": "gpt-5.4", "status": 429, "code": "rate_limit_exceeded",
            "message": "Group `default` allows 1 request a minute per key. Wait 9 s.", "duration_ms": 2, "client": "curl/8.14",
            "shown": "", **fields}  # fmt: skip
    refusal = NewRefusal(
        request_id=request_id, at_ms=at_ms, digest=digest(secret) if secret else None, **told
    )
    desk.do(lambda c: insert_refusals(c, [refusal], 0))


@pytest.fixture
def mixed(desk: Desk) -> Desk:
    """Ten requests, an hour apart, every third one refused; both keys, two models, one failure."""
    secrets = {name: desk.key(name).secret for name in ("alice", "bob")}
    for number in range(10):
        at_ms, key = NOW_MS - (10 - number) * HOUR_MS, ("alice", "bob")[number % 2]
        if number % 3 == 2:
            refuse(desk, f"req_{number}", secret=secrets[key], at_ms=at_ms)
        elif number == 6:
            desk.serve(
                f"req_{number}",
                Usage(),
                key=key,
                at_ms=at_ms,
                status=502,
                ended="upstream_fault",
                usage_from="none",
            )
        else:
            desk.serve(
                f"req_{number}",
                Usage(input=10),
                key=key,
                at_ms=at_ms,
                model=("gpt-5.4", "gpt-5.5")[number == 4],
            )
    return desk


def page(desk: Desk, limit: int = 100, cursor: str = "", at: str = "", **query: str) -> Page[UsageRecord]:
    return list_usage(desk.connection, UsageQuery(**query), limit=limit, cursor=cursor, at=at, now_ms=NOW_MS)


def numbers(found: Page[UsageRecord]) -> str:
    return "".join(record.request_id.removeprefix("req_") for record in found.items)


@pytest.mark.parametrize("folded", [False, True])
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, "9876543210"), ({"kind": "refused"}, "852"), ({"kind": "accepted"}, "9764310"), ({"key": "alice"}, "86420"),
        ({"model": "gpt-5.5"}, "4"), ({"status": "error"}, "8652"), ({"status": "429"}, "852"), ({"status": "ok"}, "974310"),
        ({"ended": "upstream_fault"}, "6"), ({"ended": "complete"}, "974310"), ({"upstream": "one"}, ""), ({"client": "CURL"}, "852"),
        ({"client": "openai/python"}, "9764310"), ({"text": "rate_limit"}, "852"), ({"text": "gpt-5.5"}, "4"), ({"text": "%"}, ""),
        ({"operation": "chat.completions"}, "9876543210"), ({"operation": "embeddings"}, ""), ({"request_id": "req_8"}, "8"),
        ({"since": "5h"}, "98765"), ({"until": "5h"}, "43210"), ({"since": "8h", "until": "6h"}, "32"), ({"group": "default"}, "9876543210"),
        ({"key": "alice", "status": "error"}, "862"), ({"key": "bob", "model": "gpt-5.5"}, ""),
    ],
)  # fmt: skip
def test_requests_are_found_by_what_they_are(
    mixed: Desk, query: dict[str, Any], expected: str, folded: bool
) -> None:
    mixed.upstream("one")
    if folded:
        mixed.do(fold)
    found = page(mixed, **query)
    assert (numbers(found), found.next) == (expected, None)


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 9, 10, 11])
def test_pages_meet_without_gaps_or_doubles_both_ways(mixed: Desk, limit: int) -> None:
    seen, cursor, last = "", "", page(mixed, limit)
    while True:
        seen += numbers(last)
        if last.next is None:
            break
        last = page(mixed, limit, last.next)
    assert seen == "9876543210"
    back = ""
    while last.items:
        back = numbers(last) + back
        cursor = last.previous or ""
        last = page(mixed, limit, cursor)
    assert back == "9876543210"
    refuse(mixed, "req_a")
    mixed.serve("req_b", Usage(input=1))
    assert numbers(page(mixed, 100, cursor)) == "ba"


def test_a_page_begins_at_a_moment(mixed: Desk) -> None:
    found = page(mixed, 3, at="5h")
    assert numbers(found) == "543"
    assert numbers(page(mixed, 100, found.previous or "")) == "9876"
    assert numbers(page(mixed, 100, at="2020-01-01")) == ""
    with pytest.raises(BadRequest, match="not at both"):
        page(mixed, 3, found.next or "", at="5h")


def test_a_search_looks_at_a_bounded_number_of_records_a_page(
    mixed: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "WINDOW", 2)
    seen, looks, cursor = "", 0, ""
    while True:
        found = page(mixed, 5, cursor, operation="chat.completions", group="default", kind="accepted")
        seen, looks = seen + numbers(found), looks + 1
        if found.next is None:
            break
        assert found.searched_to is not None
        assert len(found.items) <= 3
        cursor = found.next
    assert seen == "9764310"
    assert looks > 2
    nothing = page(mixed, 5, operation="embeddings")
    assert (nothing.items, nothing.searched_to) == ((), "2026-11-22T06:00:00.000Z")


def test_a_refusal_is_shown_with_its_sentence_and_costs_nothing(mixed: Desk) -> None:
    detail = show_usage(mixed.connection, "req_8")
    record = detail.record
    assert (record.kind, record.key, record.status, record.cost_usd) == ("refused", "alice", 429, "0.00")
    assert (record.error_code, record.message) == (
        "rate_limit_exceeded",
        "Group `default` allows 1 request a minute per key. Wait 9 s.",
    )
    assert (detail.receipt.lines, detail.receipt.charged_usd, detail.attempts) == ((), "0.00", ())
    with pytest.raises(NotFound):
        show_usage(mixed.connection, "req_x")


def test_a_failed_record_says_why_and_how_often_it_was_tried(desk: Desk) -> None:
    desk.key("alice")
    desk.serve("req_1", Usage(), status=502, ended="upstream_fault", usage_from="none")
    tried = (
        '[{"upstream":"one","credential":"a","outcome":"server","status":502,"duration_ms":9,"message":"it is overloaded"},'
        '{"upstream":"two","credential":"a","outcome":"silent","status":0,"duration_ms":9,"message":"it did not answer"}]'
    )
    desk.do(lambda c: c.execute("UPDATE usage_records SET attempts = ?", (tried,)))
    (record,) = page(desk).items
    assert (record.message, record.retries) == ("two: it did not answer", 1)


def test_sums_count_refusals_apart_and_the_ledger_does_not_know_them(mixed: Desk) -> None:
    summary = sum_usage(mixed.connection, UsageQuery(since="24h"), "status", now_ms=NOW_MS)
    assert summary.refused == 3
    assert {row.name: row.requests for row in summary.rows} == {"2xx": 6, "5xx": 1}


def test_a_credential_of_nobody_leaves_its_beginning_and_nothing_else(desk: Desk) -> None:
    secret = "sk-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"
    refuse(desk, "req_1", secret=secret, shown="sk-AbCd…", status=401, code="invalid_api_key", model="")
    (record,) = page(desk).items
    assert (record.key, record.group) == ("sk-AbCd…", "")
    assert secret[7:].encode() not in desk.all_bytes()


def test_refusals_are_kept_up_to_a_number_and_an_age(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "KEPT", 3)
    for number in range(5):
        refuse(desk, f"req_{number}", at_ms=NOW_MS + number)
    assert numbers(page(desk)) == "432"
    desk.do(lambda c: forget_refusals(c, NOW_MS + 3 + refusals.KEPT_MS))
    assert numbers(page(desk)) == "43"
    desk.do(lambda c: forget_refusals(c, NOW_MS + 1_000 + refusals.KEPT_MS))
    assert numbers(page(desk)) == "4"
