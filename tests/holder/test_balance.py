"""The small shapes, and who gets an answer at all: every holder of a key, whatever is left on it, and nobody else."""

from __future__ import annotations

import contextlib
import http.client
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from laidian.relay.backoff import FAILURES
from tests.holder.conftest import FIVE_HOURS, LIMITED, PLAN, PREPAID, UNLIMITED, Holders, golden, in_days
from tests.routes.conftest import Caller, Reply
from tests.served import HOST

EVERY = (
    "/v1/usage",
    "/v1/dashboard/billing/subscription",
    "/v1/dashboard/billing/usage",
    "/api/usage/token",
    "/v1/user/balance",
    "/v1/sub2api/billing",
)
OTHER_SPELLINGS = {
    "/dashboard/billing/subscription": "/v1/dashboard/billing/subscription",
    "/dashboard/billing/usage": "/v1/dashboard/billing/usage",
    "/api/usage/token/": "/api/usage/token",
    "/user/balance": "/v1/user/balance",
    "//v1/user/balance": "/v1/user/balance",
    "/v1/v1/usage/": "/v1/usage",
}
NO_LIMIT_USD = 100_000_000.0


def spend_a_little(holders: Holders):
    holders.spend(PREPAID, "2026-01-05T10:00:00Z", "gpt-5.4", 500_000_000)
    holders.spend(PREPAID, "2026-01-07T10:00:00Z", "gpt-5.4", 750_000_002)


def test_every_small_shape_is_told_to_the_last_field(holders: Holders):
    spend_a_little(holders)
    expires_ms, _ = in_days(3)
    holders.write("UPDATE keys SET expires_at_ms = ? WHERE id = ?", expires_ms, PREPAID)
    holders.write("UPDATE groups SET multiplier_ppm = 1250000")
    observed = holders.get(PREPAID, "/v1/sub2api/billing").json()["observed_at"]
    expected = golden("small", access_until=expires_ms // 1000, observed_at=observed)
    for path, answer in expected.items():
        reply = holders.get(PREPAID, path)
        if path == "/v1/sub2api/billing":
            assert isinstance(answer, dict)
            answer["observed_at"] = reply.json()["observed_at"]
        assert (reply.status, reply.json()) == (200, answer), path
        assert reply.headers["cache-control"] == "no-store"
    assert time.time() - time.mktime(time.strptime(str(observed), "%Y-%m-%dT%H:%M:%SZ")) + time.timezone < 60


@pytest.mark.parametrize(("spelling", "path"), OTHER_SPELLINGS.items())
def test_other_spellings_lead_to_the_same_answer(holders: Holders, spelling: str, path: str):
    spend_a_little(holders)
    assert holders.get(PREPAID, spelling).json() == holders.get(PREPAID, path).json()


@pytest.mark.parametrize(
    ("query", "cents"),
    [
        ("", 125.0000002),
        ("?start_date=2026-01-05&end_date=2026-01-05", 50.0),
        ("?start_date=2026-01-06&end_date=2026-01-07", 75.0000002),
        ("?start_date=2020-01-01&end_date=2026-12-31", 125.0000002),
        ("?start_date=2026-01-05&end_date=2026-01-05&timezone=Pacific/Auckland", 50.0),
        ("?start_date=2026-01-08&end_date=2026-01-08&timezone=Pacific/Auckland", 0.0),
        ("?start_date=2026-01-07&end_date=2026-01-07&timezone=Pacific/Auckland", 75.0000002),
        ("?start_date=2027-01-01", 0.0),
    ],
)
def test_cents_are_those_of_the_period_that_was_asked_for(holders: Holders, query: str, cents: float):
    spend_a_little(holders)
    reply = holders.get(PREPAID, f"/v1/dashboard/billing/usage{query}")
    assert reply.json() == {"object": "list", "total_usage": cents}


def test_a_date_that_cannot_be_read_is_an_error_in_a_200_here_and_only_here(holders: Holders):
    reply = holders.get(PREPAID, "/v1/dashboard/billing/usage?start_date=soon")
    assert (reply.status, reply.error()["param"], reply.error()["type"]) == (
        200,
        "start_date",
        "invalid_request_error",
    )


def test_what_has_no_limit_is_told_as_each_shape_tells_it(holders: Holders):
    holders.spend(UNLIMITED, "2026-01-05T10:00:00Z", "gpt-5.4", 4_000_000_000)
    assert (
        holders.get(UNLIMITED, "/v1/dashboard/billing/subscription").json()["hard_limit_usd"] == NO_LIMIT_USD
    )
    assert holders.get(UNLIMITED, "/v1/user/balance").json()["balance"] == NO_LIMIT_USD
    token = holders.get(UNLIMITED, "/api/usage/token").json()["data"]
    assert isinstance(token, dict)
    assert (token["unlimited_quota"], token["total_used"], token["total_available"]) == (True, 2_000_000, 0)


def test_a_plans_balance_is_what_its_tightest_window_leaves(holders: Holders):
    assert holders.get(PLAN, "/v1/user/balance").json()["balance"] == 1.0
    assert holders.get(PLAN, "/v1/dashboard/billing/subscription").json()["hard_limit_usd"] == 1.0


# Who may ask

CHANGES = {
    "expired": ("UPDATE keys SET expires_at_ms = 1 WHERE id = ?", "expired"),
    "expired quota": (
        "UPDATE quotas SET expires_at_ms = 1 WHERE id = (SELECT quota_id FROM keys WHERE id = ?)",
        "expired",
    ),
    "spent balance": (
        "UPDATE quotas SET spent_nano = credited_nano WHERE id = (SELECT quota_id FROM keys WHERE id = ?)",
        "quota_exhausted",
    ),
    "disabled quota": (
        "UPDATE quotas SET enabled = 0 WHERE id = (SELECT quota_id FROM keys WHERE id = ?)",
        "disabled",
    ),
    "disabled group": (
        "UPDATE groups SET enabled = 0 WHERE id = (SELECT group_id FROM keys WHERE id = ?)",
        "disabled",
    ),
}


@pytest.mark.parametrize(("change", "status"), CHANGES.values(), ids=CHANGES)
def test_a_key_that_opens_nothing_is_told_all_the_same_and_why(holders: Holders, change: str, status: str):
    holders.write(change, PREPAID)
    assert holders.chat(PREPAID).status in (401, 429)
    for path in EVERY:
        assert holders.get(PREPAID, path).status == 200, path
    usage, balance = holders.get(PREPAID, "/v1/usage").json(), holders.get(PREPAID, "/user/balance").json()
    assert (usage["status"], balance["status"]) == (status, status)
    assert usage["isValid"] is (status != "disabled")
    assert balance["is_active"] is balance["is_available"] is False


def test_the_limit_of_the_key_and_the_window_of_a_plan_can_be_used_up_too(holders: Holders):
    holders.write("UPDATE keys SET spent_nano = 11000000000 WHERE id = ?", LIMITED)
    answer = holders.get(LIMITED, "/v1/usage").json()
    assert (answer["status"], answer["remaining"]) == ("quota_exhausted", 0.0)
    now_ms = int(time.time() * 1000)
    holders.write("INSERT INTO plan_windows VALUES (?, '5h', ?, 0, 1000000000)", FIVE_HOURS, now_ms - 1000)
    assert holders.get(FIVE_HOURS, "/v1/usage").json()["status"] == "quota_exhausted"
    assert holders.get(FIVE_HOURS, "/user/balance").json()["balance"] == 0.0


def test_an_expired_key_still_has_its_receipts(holders: Holders):
    request_id = holders.chat(PREPAID).headers["x-request-id"]
    holders.write("UPDATE keys SET expires_at_ms = 1 WHERE id = ?", PREPAID)
    assert holders.get(PREPAID, f"/v1/usage/{request_id}").status == 200


@pytest.mark.parametrize("change", ["enabled = 0", "deleted_at_ms = 1, enabled = 0"])
def test_a_key_that_the_operator_disabled_or_deleted_is_told_nothing(holders: Holders, change: str):
    holders.write(f"UPDATE keys SET {change} WHERE id = ?", LIMITED)
    for path in (*EVERY, "/v1/usage/req_0"):
        reply = holders.get(LIMITED, path)
        assert reply.status in (401, 429), path
        assert set(reply.json()) == {"error"}
        assert "shared" not in reply.body.decode()


def from_address(holders: Holders, address: str, key: str, path: str) -> Reply:
    """A GET from another loopback address, which is another peer."""
    connection = http.client.HTTPConnection(
        HOST, holders.laidian.port, timeout=30, source_address=(address, 0)
    )
    with contextlib.closing(connection):
        connection.request("GET", path, headers={"authorization": f"Bearer {key}"})
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, headers, response.read())


def test_wrong_keys_are_slowed_down_by_address_and_right_ones_never(holders: Holders):
    replies = [
        from_address(holders, "127.0.0.2", f"sk-guess-{number}", EVERY[number % len(EVERY)])
        for number in range(FAILURES + 3)
    ]
    assert [reply.status for reply in replies] == [401] * FAILURES + [429] * 3
    assert not [reply for reply in replies if b"guess-" in reply.body]
    reply = from_address(holders, "127.0.0.2", "sk-guess", "/v1/usage/req_0")
    assert (reply.status, reply.error()["code"]) == (429, "too_many_failures")
    assert 1 <= int(reply.headers["retry-after"]) <= 60
    assert reply.headers["x-should-retry"] == "false"
    assert from_address(holders, "127.0.0.3", "sk-guess", "/v1/usage").status == 401
    for path in EVERY:
        assert from_address(holders, "127.0.0.2", holders.laidian.key, path).status == 200, path


def test_a_request_without_a_key_is_no_guess(holders: Holders):
    nobody = Caller(holders.laidian)
    assert [nobody("GET", "/v1/usage").status for _ in range(FAILURES * 2)] == [401] * FAILURES * 2


def test_many_holders_at_once_are_all_answered(holders: Holders):
    with ThreadPoolExecutor(16) as threads:
        statuses = threads.map(lambda number: holders.get(number % 6 + 1, "/v1/usage").status, range(60))
        assert set(statuses) == {200}


def test_a_key_is_taken_from_wherever_its_client_puts_it(holders: Holders):
    caller = holders.as_key(PREPAID)
    assert caller("GET", "/v1/usage", x_api_key=caller.key).status == 200
    assert caller.bearer("GET", "/v1/usage", anthropic_version="2023-06-01").status == 200
