"""Holds and settlements one by one, on a real file: the cases that have a name."""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from laidian.domain.group import RateLimits
from laidian.domain.price import Price, Rate
from laidian.domain.quota import FIVE_HOURS_MS, WindowKind
from laidian.domain.record import Hold, Refusal, Settled
from laidian.domain.usage import Usage
from laidian.store.database import connect
from laidian.store.ledger import extend_hold, note_progress, open_hold, settle, sweep_rates
from laidian.store.orphans import Worker, is_dead, settle_orphans
from tests.ledger.books import KeyRow, QuotaRow, ask, ending, make_books
from tests.ledger.identities import violations

MINUTE_MS = 60_000
NOON_MS = int(dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC).timestamp() * 1000)
"""A Sunday."""
MIDNIGHT_MS = NOON_MS + 12 * 3_600_000
"""The next day and the next week begin."""

PREPAID, PLAN, UNLIMITED, DAILY = 1, 2, 3, 4
ON_PREPAID, ON_PREPAID_TOO, ON_PLAN, ON_UNLIMITED, LIMITED, ON_DAILY = 1, 2, 3, 4, 5, 6


@pytest.fixture
def books(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    path = tmp_path / "ledger.db"
    make_books(
        path,
        [
            QuotaRow("prepaid", credited_nano=100),
            QuotaRow("plan", limits_nano={"5h": 100}),
            QuotaRow("unlimited"),
            QuotaRow("plan", limits_nano={"day": 100}),
        ],
        [
            KeyRow(PREPAID), KeyRow(PREPAID), KeyRow(PLAN), KeyRow(UNLIMITED), KeyRow(UNLIMITED, 100), KeyRow(DAILY),
        ],
    )  # fmt: skip
    connection = connect(path, synchronous="OFF")
    yield connection
    no_workers = [found for found in violations(connection, limits=False) if "no worker" not in found]
    connection.close()
    assert no_workers == []


def refusal(result: Hold | Refusal) -> Refusal:
    assert isinstance(result, Refusal), result
    return result


def counters(books: sqlite3.Connection, table: str, id_: int) -> tuple[int, int]:
    return books.execute(f"SELECT held_nano, spent_nano FROM {table} WHERE id = ?", (id_,)).fetchone()


def whole(books: sqlite3.Connection) -> list[str]:
    """Everything in the file, as text."""
    return list(books.iterdump())


# Gates


def test_several_keys_share_one_balance(books: sqlite3.Connection) -> None:
    assert open_hold(books, ask("a", worst_nano=60, key_id=ON_PREPAID)) == Hold("a", 60)
    closed = refusal(open_hold(books, ask("b", worst_nano=60, key_id=ON_PREPAID_TOO)))
    assert (closed.gate, closed.left_nano, closed.held_nano, closed.needed_nano) == ("balance", 40, 60, 60)
    settle(books, ending("a", 10))
    assert open_hold(books, ask("b", worst_nano=60, key_id=ON_PREPAID_TOO)) == Hold("b", 60)


def test_a_refusal_writes_nothing(books: sqlite3.Connection) -> None:
    open_hold(books, ask("a", worst_nano=60, rates=RateLimits(5, 100, 5), rate_tokens=10))
    before = whole(books)
    rates = RateLimits(requests_per_minute=5, tokens_per_minute=100, concurrent_requests=5)
    for request in (
        ask("b", worst_nano=41, rates=rates),
        ask("c", worst_nano=1, rates=RateLimits(concurrent_requests=1)),
        ask("d", worst_nano=1, rates=RateLimits(requests_per_minute=1)),
        ask("e", worst_nano=1, rates=RateLimits(tokens_per_minute=50), rate_tokens=41),
        ask("f", worst_nano=101, key_id=LIMITED, quota_id=UNLIMITED, rates=rates),
        ask("g", worst_nano=101, key_id=ON_PLAN, quota_id=PLAN, rates=rates),
        ask("h", worst_nano=1, key_id=99, rates=rates),
    ):
        assert isinstance(open_hold(books, request), Refusal), request.request_id
    assert whole(books) == before


@pytest.mark.parametrize(
    ("change", "gate"),
    [
        ("UPDATE keys SET enabled = 0", "key"),
        ("UPDATE keys SET deleted_at_ms = 1", "key"),
        (f"UPDATE keys SET expires_at_ms = {NOON_MS}", "key"),
        ("UPDATE quotas SET enabled = 0", "quota"),
        (f"UPDATE quotas SET expires_at_ms = {NOON_MS}", "quota_expired"),
    ],
)
def test_a_standing_gate_that_closed_after_the_snapshot_was_read(
    books: sqlite3.Connection, change: str, gate: str
) -> None:
    books.execute(change)
    assert refusal(open_hold(books, ask("a", worst_nano=1, now_ms=NOON_MS))).gate == gate
    assert books.execute("SELECT count(*) FROM holds").fetchone() == (0,)


def test_a_key_and_a_quota_are_good_until_the_very_millisecond_they_expire(books: sqlite3.Connection) -> None:
    books.execute(f"UPDATE keys SET expires_at_ms = {NOON_MS}")
    books.execute(f"UPDATE quotas SET expires_at_ms = {NOON_MS}")
    assert isinstance(open_hold(books, ask("a", worst_nano=1, now_ms=NOON_MS - 1)), Hold)


def test_a_free_request_passes_an_empty_balance(books: sqlite3.Connection) -> None:
    open_hold(books, ask("a", worst_nano=100))
    assert open_hold(books, ask("b", worst_nano=0)) == Hold("b", 0)
    assert settle(books, ending("b", 0)) == Settled(0, 0, 100)


def test_a_request_without_a_limit_takes_what_is_left_and_nobody_else_gets_in(
    books: sqlite3.Connection,
) -> None:
    assert open_hold(books, ask("a", worst_nano=1_000, least_nano=10)) == Hold("a", 100)
    assert refusal(open_hold(books, ask("b", worst_nano=1, key_id=ON_PREPAID_TOO))).left_nano == 0


def test_requests_per_minute_open_again_with_the_next_minute(books: sqlite3.Connection) -> None:
    rates = RateLimits(requests_per_minute=2)
    for name in ("a", "b"):
        assert isinstance(open_hold(books, ask(name, worst_nano=1, rates=rates, now_ms=NOON_MS)), Hold)
    closed = refusal(open_hold(books, ask("c", worst_nano=1, rates=rates, now_ms=NOON_MS + 59_999)))
    assert (closed.gate, closed.limit, closed.opens_at_ms) == ("requests", 2, NOON_MS + MINUTE_MS)
    assert isinstance(open_hold(books, ask("c", worst_nano=1, rates=rates, now_ms=NOON_MS + MINUTE_MS)), Hold)
    other = ask("d", worst_nano=1, rates=rates, key_id=ON_PREPAID_TOO, now_ms=NOON_MS)
    assert isinstance(open_hold(books, other), Hold), "another key has a minute of its own"


def test_tokens_per_minute_are_corrected_by_what_was_used(books: sqlite3.Connection) -> None:
    rates = RateLimits(tokens_per_minute=100)
    assert isinstance(open_hold(books, ask("a", worst_nano=1, rates=rates, rate_tokens=90)), Hold)
    assert refusal(open_hold(books, ask("b", worst_nano=1, rates=rates, rate_tokens=20))).gate == "tokens"
    settle(books, ending("a", 1, usage=Usage(input=5, cached_input=10, output=5, reasoning=10)))
    assert isinstance(open_hold(books, ask("b", worst_nano=1, rates=rates, rate_tokens=70)), Hold)
    assert refusal(open_hold(books, ask("c", worst_nano=1, rates=rates, rate_tokens=1))).gate == "tokens"


def test_a_request_larger_than_the_minute_runs_in_an_empty_one_only(books: sqlite3.Connection) -> None:
    rates = RateLimits(tokens_per_minute=100)
    assert isinstance(open_hold(books, ask("a", worst_nano=1, rates=rates, rate_tokens=500)), Hold)
    assert refusal(open_hold(books, ask("b", worst_nano=1, rates=rates, rate_tokens=1))).gate == "tokens"


def test_requests_at_once_count_those_in_flight_only(books: sqlite3.Connection) -> None:
    rates = RateLimits(concurrent_requests=1)
    assert isinstance(open_hold(books, ask("a", worst_nano=1, rates=rates)), Hold)
    assert refusal(open_hold(books, ask("b", worst_nano=1, rates=rates))).gate == "concurrency"
    settle(books, ending("a", 1))
    assert isinstance(open_hold(books, ask("b", worst_nano=1, rates=rates)), Hold)


def test_a_minute_that_was_swept_is_not_corrected_into_being(books: sqlite3.Connection) -> None:
    rates = RateLimits(tokens_per_minute=100)
    open_hold(books, ask("a", worst_nano=1, rates=rates, rate_tokens=90, now_ms=NOON_MS))
    sweep_rates(books, NOON_MS + 120 * MINUTE_MS)
    assert books.execute("SELECT count(*) FROM rate_windows").fetchone() == (1,)
    sweep_rates(books, NOON_MS + 121 * MINUTE_MS)
    assert settle(books, ending("a", 1)) == Settled(1, 0, 99)
    assert books.execute("SELECT count(*) FROM rate_windows").fetchone() == (0,)


# Plan windows


def plan_hold(
    books: sqlite3.Connection, name: str, worst_nano: int, now_ms: int, kind: WindowKind = "5h"
) -> Hold | Refusal:
    key_id, quota_id = (ON_PLAN, PLAN) if kind == "5h" else (ON_DAILY, DAILY)
    return open_hold(books, ask(name, worst_nano=worst_nano, key_id=key_id, quota_id=quota_id, now_ms=now_ms))


def test_a_plan_opens_again_with_its_next_window(books: sqlite3.Connection) -> None:
    assert isinstance(plan_hold(books, "a", 100, NOON_MS), Hold)
    settle(books, ending("a", 100))
    closed = refusal(plan_hold(books, "b", 1, NOON_MS + FIVE_HOURS_MS - 1))
    assert (closed.gate, closed.name, closed.limit, closed.left_nano) == ("window", "5h", 100, 0)
    assert closed.opens_at_ms == NOON_MS + FIVE_HOURS_MS
    assert isinstance(plan_hold(books, "b", 100, NOON_MS + FIVE_HOURS_MS), Hold)


def test_a_settlement_goes_to_the_window_of_its_hold(books: sqlite3.Connection) -> None:
    plan_hold(books, "a", 80, MIDNIGHT_MS - 1, "day")
    plan_hold(books, "b", 70, MIDNIGHT_MS, "day")
    settle(books, ending("a", 60))
    windows = books.execute(
        "SELECT start_ms, held_nano, spent_nano FROM plan_windows WHERE kind = 'day' ORDER BY start_ms"
    ).fetchall()
    assert windows == [(MIDNIGHT_MS - 24 * 3_600_000, 0, 60), (MIDNIGHT_MS, 70, 0)]


def test_a_request_that_reaches_the_ledger_late_opens_no_second_window(books: sqlite3.Connection) -> None:
    """Its head came before the window was opened by another, its body after: bodies may take a minute and more."""
    assert isinstance(plan_hold(books, "first", 100, NOON_MS), Hold)
    for late_ms in (1, 30_000, 59_999):
        result = plan_hold(books, f"late-{late_ms}", 100, NOON_MS - late_ms)
        assert isinstance(result, Refusal), f"{late_ms} ms late, it got the plan's whole limit once more"
    assert books.execute("SELECT count(*) FROM plan_windows").fetchone() == (1,)


def test_a_late_request_of_yesterday_finds_what_yesterday_has_left(books: sqlite3.Connection) -> None:
    """The latest row is today's then; yesterday's is used up all the same."""
    plan_hold(books, "yesterday", 100, MIDNIGHT_MS - 5_000, "day")
    settle(books, ending("yesterday", 100))
    assert isinstance(plan_hold(books, "today", 10, MIDNIGHT_MS, "day"), Hold)
    assert isinstance(plan_hold(books, "late", 50, MIDNIGHT_MS - 1_000, "day"), Refusal)


def test_a_clock_set_back_opens_one_window_not_one_for_each_request(books: sqlite3.Connection) -> None:
    plan_hold(books, "tomorrow", 100, NOON_MS + 24 * 3_600_000)
    assert isinstance(plan_hold(books, "a", 60, NOON_MS), Hold)
    assert isinstance(plan_hold(books, "b", 60, NOON_MS + 1), Refusal)
    assert isinstance(plan_hold(books, "c", 40, NOON_MS + 2), Hold)


# Settlements


@pytest.mark.parametrize(
    ("amount", "charged"), [(0, 0), (30, 30), (60, 60), (90, 90), (100, 100), (130, 100)]
)
def test_a_settlement_takes_what_was_used_and_at_most_what_is_there(
    books: sqlite3.Connection, amount: int, charged: int
) -> None:
    open_hold(books, ask("a", worst_nano=60))
    assert settle(books, ending("a", amount)) == Settled(charged, amount - charged, 100 - charged)
    assert counters(books, "quotas", PREPAID) == counters(books, "keys", ON_PREPAID) == (0, charged)
    row = books.execute("SELECT amount_nano, shortfall_nano, held_nano FROM usage_records").fetchone()
    assert row == (amount, amount - charged, 60)


def test_a_settlement_leaves_what_others_hold(books: sqlite3.Connection) -> None:
    open_hold(books, ask("a", worst_nano=60))
    open_hold(books, ask("b", worst_nano=30, key_id=ON_PREPAID_TOO))
    assert settle(books, ending("a", 500)) == Settled(70, 430, 30)
    assert counters(books, "quotas", PREPAID) == (30, 70)
    assert settle(books, ending("b", 30)) == Settled(30, 0, 0)


def test_settling_twice_is_settling_once(books: sqlite3.Connection) -> None:
    open_hold(books, ask("a", worst_nano=60))
    assert settle(books, ending("a", 10)) == Settled(10, 0, 90)
    before = whole(books)
    assert settle(books, ending("a", 50)) is None
    assert settle(books, ending("never-held", 50)) is None
    assert whole(books) == before


def test_an_answer_longer_than_its_hold_is_not_free_because_a_limit_was_lowered(
    books: sqlite3.Connection,
) -> None:
    """One token less than the hold would have been charged whole."""
    limited = ask("a", worst_nano=60, key_id=LIMITED, quota_id=UNLIMITED)
    open_hold(books, limited)
    books.execute("UPDATE keys SET limit_nano = 10 WHERE id = ?", (LIMITED,))
    assert settle(books, ending("a", 61)) == Settled(60, 1, None)


def test_a_key_that_was_deleted_meanwhile_is_settled_all_the_same(books: sqlite3.Connection) -> None:
    open_hold(books, ask("a", worst_nano=60))
    books.execute("UPDATE keys SET deleted_at_ms = 1, enabled = 0")
    books.execute("UPDATE quotas SET enabled = 0")
    assert settle(books, ending("a", 50)) == Settled(50, 0, 50)


def test_a_key_that_moved_to_another_quota_settles_with_the_one_of_its_hold(
    books: sqlite3.Connection,
) -> None:
    open_hold(books, ask("a", worst_nano=60))
    books.execute("UPDATE keys SET quota_id = ? WHERE id = ?", (UNLIMITED, ON_PREPAID))
    assert settle(books, ending("a", 50)) == Settled(50, 0, 50)
    assert counters(books, "quotas", PREPAID) == (0, 50)
    assert counters(books, "quotas", UNLIMITED) == (0, 0)


def test_a_hold_is_extended_wholly_or_not_at_all(books: sqlite3.Connection) -> None:
    open_hold(books, ask("a", worst_nano=60))
    assert extend_hold(books, "a", 30) is True
    before = whole(books)
    assert extend_hold(books, "a", 11) is False
    assert extend_hold(books, "never-held", 1) is False
    assert whole(books) == before
    assert extend_hold(books, "a", 10) is True
    assert settle(books, ending("a", 100)) == Settled(100, 0, 0)


def test_the_database_itself_refuses_a_balance_below_zero(books: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        books.execute("UPDATE quotas SET spent_nano = 101 WHERE id = ?", (PREPAID,))
    with pytest.raises(sqlite3.IntegrityError):
        books.execute("UPDATE quotas SET held_nano = -1 WHERE id = ?", (PREPAID,))


def test_a_request_id_cannot_be_held_twice(books: sqlite3.Connection) -> None:
    open_hold(books, ask("a", worst_nano=10))
    books.execute("BEGIN")
    with pytest.raises(sqlite3.IntegrityError):
        open_hold(books, ask("a", worst_nano=10))
    books.execute("ROLLBACK")
    assert counters(books, "quotas", PREPAID) == (10, 0)


# Orphans


def sign_on(books: sqlite3.Connection, folder: Path, name: str) -> Worker:
    worker = Worker(folder, name)
    worker.register(books, 1)
    return worker


def die(worker: Worker) -> None:
    """What the kernel does at the end of a process."""
    os.close(worker._file)


def test_a_dead_workers_holds_are_charged_likely_input_and_noted_output(
    books: sqlite3.Connection, tmp_path: Path
) -> None:
    dead, living = sign_on(books, tmp_path, "dead"), sign_on(books, tmp_path, "living")
    open_hold(books, ask("noted", worst_nano=60, owner="dead", input_tokens=7))
    open_hold(books, ask("unseen", worst_nano=20, owner="dead", input_tokens=5))
    open_hold(books, ask("kept", worst_nano=20, owner="living", input_tokens=5))
    note_progress(books, [(1, 11, "noted"), (1, 9, "never-held")])
    die(dead)
    assert settle_orphans(books, tmp_path, NOON_MS) == 2
    rows = books.execute(
        "SELECT request_id, ended, usage_from, error_code, input, output, amount_nano, shortfall_nano, upstream_id "
        "FROM usage_records ORDER BY request_id"
    ).fetchall()
    assert rows == [
        ("noted", "lost", "estimated", "worker_died", 7, 11, 7 + 2 * 11, 0, 1),
        ("unseen", "lost", "estimated", "worker_died", 5, 0, 5, 0, None),
    ]
    assert books.execute("SELECT request_id FROM holds").fetchall() == [("kept",)]
    assert books.execute("SELECT id FROM workers").fetchall() == [("living",)]
    assert not (tmp_path / "dead.worker").exists()
    assert settle_orphans(books, tmp_path, NOON_MS) == 0
    living.leave(books)


def test_an_orphan_is_charged_at_most_its_hold(books: sqlite3.Connection, tmp_path: Path) -> None:
    dead = sign_on(books, tmp_path, "dead")
    open_hold(books, ask("a", worst_nano=10, owner="dead", input_tokens=7))
    note_progress(books, [(1, 1_000, "a")])
    die(dead)
    settle_orphans(books, tmp_path, NOON_MS)
    assert counters(books, "quotas", PREPAID) == (0, 10)


def test_an_orphan_whose_price_has_no_rate_for_text_costs_its_hold(
    books: sqlite3.Connection, tmp_path: Path
) -> None:
    dead = sign_on(books, tmp_path, "dead")
    price = Price("picture", 0, "test", "2026-11-22", "test-2", (Rate("images", 1),), None, None)
    open_hold(
        books, msgspec.structs.replace(ask("a", worst_nano=42, owner="dead", input_tokens=7), price=price)
    )
    die(dead)
    settle_orphans(books, tmp_path, NOON_MS)
    assert counters(books, "quotas", PREPAID) == (0, 42)


def test_a_hold_whose_worker_never_signed_on_is_an_orphan(books: sqlite3.Connection, tmp_path: Path) -> None:
    open_hold(books, ask("a", worst_nano=10, owner="forgotten", input_tokens=3))
    assert settle_orphans(books, tmp_path, NOON_MS) == 1


def test_a_worker_that_lives_is_not_dead_and_its_own_look_does_not_free_it(tmp_path: Path) -> None:
    worker = Worker(tmp_path, "one")
    assert not is_dead(tmp_path, "one")
    assert not is_dead(tmp_path, "one")
    die(worker)
    assert is_dead(tmp_path, "one")
    assert is_dead(tmp_path, "never-was")


def test_a_worker_that_left_is_forgotten_unless_it_leaves_holds(
    books: sqlite3.Connection, tmp_path: Path
) -> None:
    clean, owing = sign_on(books, tmp_path, "clean"), sign_on(books, tmp_path, "owing")
    open_hold(books, ask("a", worst_nano=10, owner="owing", input_tokens=3))
    clean.leave(books)
    owing.leave(books)
    assert books.execute("SELECT id FROM workers").fetchall() == [("owing",)]
    assert settle_orphans(books, tmp_path, NOON_MS) == 1
    assert books.execute("SELECT count(*) FROM workers").fetchone() == (0,)
