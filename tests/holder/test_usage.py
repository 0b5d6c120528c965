"""GET /v1/usage: both modes to the last field, the days of any zone, and equality with the ledger."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from tests.holder.conftest import (
    FIVE_HOURS,
    LIMITED,
    OTHER,
    PLAN,
    PREPAID,
    UNLIMITED,
    Holders,
    calendar,
    golden,
    in_days,
)


def nano(dollars: object) -> int:
    """A float of dollars as the nano-dollars it is nearest to."""
    assert isinstance(dollars, float)
    return round(dollars * 1_000_000_000)


def part(answer: dict[str, object], *names: str) -> dict[str, object]:
    for name in names:
        inner = answer[name]
        assert isinstance(inner, dict)
        answer = inner
    return answer


def rows(answer: dict[str, object], name: str) -> list[dict[str, object]]:
    found = answer[name]
    assert isinstance(found, list)
    return found


def start_window(holders: Holders, quota_id: int, kind: str, start: str, held_nano: int, spent_nano: int):
    at_ms = int(datetime.fromisoformat(start).timestamp() * 1000)
    holders.write(
        "INSERT INTO plan_windows VALUES (?, ?, ?, ?, ?)", quota_id, kind, at_ms, held_nano, spent_nano
    )


def test_a_key_with_a_limit_of_its_own_is_told_to_the_last_field(holders: Holders):
    """The balance that it shares is lower than its own limit, so the balance decides."""
    expires_ms, expires = in_days(39)
    holders.write("UPDATE keys SET expires_at_ms = ? WHERE id = ?", expires_ms, LIMITED)
    for start, model, charged in (
        ("2026-01-04T23:59:59.999Z", "gpt-5.4", 500_000_000),
        ("2026-01-05T00:00:00Z", "gpt-5.4", 1_000_000_000),
        ("2026-01-05T23:59:59.999Z", "gpt-5.4-mini", 250_000_000),
        ("2026-01-07T12:00:00Z", "gpt-5.4", 750_000_000),
    ):
        holders.spend(LIMITED, start, model, charged)
    holders.spend(OTHER, "2026-01-05T00:00:00Z", "gpt-5.4", 3_000_000_000)
    reply = holders.get(LIMITED, "/v1/usage?start_date=2026-01-05&end_date=2026-01-07")
    assert reply.status == 200
    assert reply.headers["cache-control"] == "no-store"
    assert reply.json() == golden("quota_limited", expires_at=expires)


def test_a_prepaid_key_without_a_limit_has_a_balance(holders: Holders):
    holders.spend(PREPAID, "2026-01-05T00:00:00Z", "gpt-5.4", 500_000_000)
    reply = holders.get(PREPAID, "/v1/usage?start_date=2026-02-01&end_date=2026-02-01")
    assert reply.json() == golden("balance_mode")


def test_a_balance_that_is_shared_is_what_all_its_keys_have_left(holders: Holders):
    holders.spend(OTHER, "2026-01-05T00:00:00Z", "gpt-5.4", 500_000_000)
    answer = holders.get(PREPAID, "/v1/usage").json()
    assert (answer["balance"], part(answer, "usage", "total")["cost"]) == (4.5, 0.0)


def test_a_plan_is_told_to_the_last_field(holders: Holders):
    now = calendar()
    start_window(holders, PLAN, "day", str(now["day_start"]), 250_000_000, 500_000_000)
    start_window(holders, PLAN, "week", str(now["week_start"]), 0, 1_000_000_000)
    start_window(holders, PLAN, "month", str(now["month_start"]), 0, 1_250_000_000)
    start_window(holders, PLAN, "5h", "2026-01-05T00:00:00Z", 0, 900_000_000)
    reply = holders.get(PLAN, "/v1/usage?start_date=2026-02-01&end_date=2026-02-01")
    assert reply.json() == golden("plan_mode", **now)


def test_an_open_window_of_five_hours_says_when_it_began_and_ends(holders: Holders):
    began = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
    start_window(holders, FIVE_HOURS, "5h", began.isoformat(), 0, 250_000_000)
    answer = holders.get(FIVE_HOURS, "/v1/usage").json()
    assert answer["mode"] == "quota_limited"
    assert not {"quota", "balance", "subscription", "remaining", "unit"} & answer.keys()
    assert answer["rate_limits"] == [
        {
            "window": "5h",
            "limit": 1.0,
            "used": 0.25,
            "remaining": 0.75,
            "held": 0.0,
            "window_start": began.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "reset_at": (began + timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
    ]


def test_a_key_without_any_limit_says_so_and_what_it_spent_this_month(holders: Holders):
    holders.chat(UNLIMITED)
    answer = holders.get(UNLIMITED, "/v1/usage").json()
    assert (answer["mode"], answer["remaining"], answer["status"]) == ("unrestricted", -1.0, "active")
    subscription = part(answer, "subscription")
    assert subscription["unlimited"] is True
    assert subscription["daily_limit_usd"] is None
    assert nano(subscription["monthly_usage_usd"]) == holders.charged_nano(UNLIMITED) > 0
    assert "balance" not in answer


@pytest.mark.parametrize(
    ("zone", "days"),
    [
        ("UTC", {"2026-03-08": 1, "2026-03-09": 2}),
        ("Asia/Shanghai", {"2026-03-09": 3}),
        ("%2B08:00", {"2026-03-09": 3}),
        ("+08:00", {"2026-03-09": 3}),
        ("-05:30", {"2026-03-08": 3}),
        ("America/New_York", {"2026-03-08": 2, "2026-03-09": 1}),
    ],
)
def test_days_are_those_of_the_zone_that_was_asked_for(holders: Holders, zone: str, days: dict[str, int]):
    """On 8 March 2026 New York's day has 23 hours and ends at 04:00 UTC."""
    for start in ("2026-03-08T23:59:59Z", "2026-03-09T03:59:59.999Z", "2026-03-09T04:00:00Z"):
        holders.spend(PREPAID, start, "gpt-5.4", 1)
    answer = holders.get(
        PREPAID, f"/v1/usage?start_date=2026-03-01&end_date=2026-03-20&timezone={zone}"
    ).json()
    assert {row["date"]: row["requests"] for row in rows(answer, "daily_usage")} == days
    assert part(answer, "usage", "period")["requests"] == 3


def test_the_last_thirty_days_are_meant_where_nothing_is_said(holders: Holders):
    today = datetime.now(UTC)
    for days_ago in (0, 6, 7, 29, 30):
        holders.spend(PREPAID, (today - timedelta(days=days_ago)).isoformat(), "gpt-5.4", 1)
    answer = holders.get(PREPAID, "/v1/usage").json()
    period = part(answer, "period")
    assert len(rows(answer, "daily_usage")) == 4
    assert (period["start_date"], period["end_date"]) == (
        (today - timedelta(days=29)).date().isoformat(),
        today.date().isoformat(),
    )
    assert len(rows(holders.get(PREPAID, "/v1/usage?days=7").json(), "daily_usage")) == 2
    assert part(answer, "usage", "today")["requests"] == 1
    assert part(answer, "usage", "total")["requests"] == 5


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("days=0", "days"),
        ("days=91", "days"),
        ("days=x", "days"),
        ("start_date=2026-13-01", "start_date"),
        ("end_date=0001-01-01", "end_date"),
        ("end_date=9999-12-31", "end_date"),
        ("start_date=2026-02-02&end_date=2026-02-01", "end_date"),
        ("start_date=2020-01-01&end_date=2026-02-01", "start_date"),
        ("timezone=Mars/Olympus", "timezone"),
        ("timezone=../../etc/passwd", "timezone"),
        ("timezone=America", "timezone"),
        ("timezone=%2B25:00", "timezone"),
        ("timezone=%00", "timezone"),
    ],
)
def test_a_period_that_cannot_be_read_is_named(holders: Holders, query: str, param: str):
    reply = holders.get(PREPAID, f"/v1/usage?{query}")
    assert (reply.status, reply.error()["param"]) == (400, param)


def test_every_figure_is_the_ledgers_to_the_nano_dollar(holders: Holders):
    for tokens in (1, 7, 333, 1_009):
        holders.chat(LIMITED, messages=[{"role": "user", "content": f"x [[tokens:{tokens}]]"}])
    holders.chat(
        LIMITED, model="gpt-5.4-mini", messages=[{"role": "user", "content": "[[cached:3]] a b c d"}]
    )
    holders.chat(OTHER)
    answer = holders.get(LIMITED, "/v1/usage").json()
    with holders.laidian.database() as database:
        charged, spent = ledger_of(database, LIMITED)
    assert charged == spent > 0
    assert nano(part(answer, "quota")["used"]) == charged
    assert nano(answer["remaining"]) == 8_000_000_000 - charged
    for name in ("total", "today", "period"):
        assert nano(part(answer, "usage", name)["actual_cost"]) == charged, name
        assert part(answer, "usage", name)["requests"] == 5
    for name in ("daily_usage", "model_stats"):
        assert sum(nano(row["cost"]) for row in rows(answer, name)) == charged, name
    assert [row["model"] for row in rows(answer, "model_stats")] == ["gpt-5.4", "gpt-5.4-mini"]
    assert part(answer, "usage")["rpm"] == 5
    records = [record for record in holders.laidian.records() if record.key_id == LIMITED]
    assert part(answer, "usage", "today")["prompt_tokens"] == sum(
        one.input + one.cached_input for one in records
    )
    assert part(answer, "usage", "today")["output_tokens"] == sum(
        one.output + one.reasoning for one in records
    )


def ledger_of(database: sqlite3.Connection, key_id: int) -> tuple[int, int]:
    """What the records of a key come to, and its counter."""
    (charged,) = database.execute(
        "SELECT sum(amount_nano - shortfall_nano) FROM usage_records WHERE key_id = ?", (key_id,)
    ).fetchone()
    (spent,) = database.execute("SELECT spent_nano FROM keys WHERE id = ?", (key_id,)).fetchone()
    return charged, spent


def test_money_that_is_set_aside_is_said_apart(holders: Holders):
    holders.write("UPDATE keys SET held_nano = 250000000 WHERE id = ?", PREPAID)
    holders.write("UPDATE quotas SET held_nano = 250000000 WHERE id = 1")
    answer = holders.get(PREPAID, "/v1/usage").json()
    assert (answer["balance"], answer["held"]) == (5.0, 0.25)


def test_no_secret_and_no_other_holder_is_in_it(holders: Holders):
    holders.chat(PREPAID)
    holders.chat(OTHER, model="gpt-5.4-mini")
    for path in ("/v1/usage", "/api/usage/token", "/v1/user/balance", "/v1/dashboard/billing/subscription"):
        text = holders.get(PREPAID, path).body.decode()
        for credential in holders.laidian.keys:
            assert credential[3:10] not in text
        for word in ("sim-0001", "sim", "key-6", "gpt-5.4-mini", "127.0.0.1"):
            assert word not in text, (path, word)
    assert json.loads(holders.get(PREPAID, "/v1/usage").body)["key"] == "key-1"
