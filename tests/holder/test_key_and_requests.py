"""GET /v1/key and GET /v1/usage/requests: what a key may do, and what it asked last."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.holder.conftest import LIMITED, OTHER, PREPAID, Holders, in_days


def told(holders: Holders, key_id: int, path: str) -> Any:
    reply = holders.get(key_id, path)
    assert reply.status == 200, reply.body
    return reply.json()


def test_a_key_is_told_what_it_may_do(holders: Holders):
    expires_ms, expires = in_days(3)
    holders.write("UPDATE keys SET expires_at_ms = ? WHERE id = ?", expires_ms, PREPAID)
    holders.write("UPDATE groups SET requests_per_minute = 60, multiplier_ppm = 1250000")
    try:
        holders.chat(PREPAID)
        reply = holders.get(PREPAID, "/v1/key")
    finally:
        holders.write("UPDATE groups SET requests_per_minute = NULL")
    said: Any = reply.json()
    credential = holders.laidian.keys[PREPAID - 1]
    assert reply.status == 200
    assert (said["object"], said["name"], said["status"], said["group"]) == (
        "key",
        "key-1",
        "active",
        "default",
    )
    assert said["display"] == f"{credential[:7]}…{credential[-4:]}"
    assert (said["multiplier"], said["expires_at"]) == ("1.25x", expires)
    assert said["requests_per_minute"] == {"limit": 60, "used": 1}
    assert said["concurrent_requests"] == {"limit": None, "used": 0}
    assert "chat" in said["capabilities"]
    assert "gpt-5.4" in said["models"]
    assert credential not in reply.body.decode()


def test_a_key_of_a_disabled_group_may_do_nothing_and_is_told_so(holders: Holders):
    holders.write("UPDATE groups SET enabled = 0")
    said = told(holders, PREPAID, "/v1/key")
    assert (said["status"], said["capabilities"], said["models"]) == ("disabled", [], [])


def test_requests_come_newest_first_with_what_they_cost(holders: Holders):
    holders.spend(PREPAID, "2026-11-01T10:00:00Z", "gpt-5.4", 500_000_000)
    holders.spend(PREPAID, "2026-11-02T10:00:00Z", "gpt-5.5", 250_000_000)
    holders.spend(OTHER, "2026-11-03T10:00:00Z", "gpt-5.4", 1_000_000_000)
    said = told(holders, PREPAID, "/v1/usage/requests")
    assert [(one["model"], one["charged_usd"]) for one in said["data"]] == [
        ("gpt-5.5", "0.25"),
        ("gpt-5.4", "0.50"),
    ]
    assert said["has_more"] is False
    newest = said["data"][0]
    assert (newest["started_at"], newest["status"], newest["estimated"]) == (
        "2026-11-02T10:00:00Z",
        200,
        False,
    )
    assert (newest["input_tokens"], newest["cached_tokens"], newest["output_tokens"]) == (130, 20, 55)
    assert "upstream" not in json.dumps(said)


def test_a_request_in_the_list_costs_what_its_receipt_says(holders: Holders):
    holders.chat(PREPAID)
    (listed,) = told(holders, PREPAID, "/v1/usage/requests")["data"]
    receipt = told(holders, PREPAID, f"/v1/usage/{listed['request_id']}")
    assert receipt["charged_usd"] == listed["charged_usd"] != "0.00"


def test_pages_of_requests_meet_without_gap_or_overlap(holders: Holders):
    for number in range(5):
        holders.spend(LIMITED, f"2026-11-0{number + 1}T10:00:00Z", "gpt-5.4", 1_000_000)
    seen: list[str] = []
    before, more = "", True
    while more:
        page = told(holders, LIMITED, f"/v1/usage/requests?limit=2&before={before}")
        seen += [one["started_at"] for one in page["data"]]
        before, more = page["data"][-1]["request_id"], page["has_more"]
    assert seen == [f"2026-11-0{number}T10:00:00Z" for number in (5, 4, 3, 2, 1)]


@pytest.mark.parametrize("limit", ["0", "101", "-1", "many", "1.5", "%00"])
def test_a_limit_that_is_none_is_refused(holders: Holders, limit: str):
    reply = holders.get(PREPAID, f"/v1/usage/requests?limit={limit}")
    assert reply.status == 400
    assert reply.error()["param"] == "limit"


def test_another_keys_request_is_no_place_to_begin_at(holders: Holders):
    holders.spend(OTHER, "2026-11-03T10:00:00Z", "gpt-5.4", 1_000_000)
    theirs = told(holders, OTHER, "/v1/usage/requests")["data"][0]["request_id"]
    assert holders.get(PREPAID, f"/v1/usage/requests?before={theirs}").status == 404


def test_both_want_a_key(holders: Holders):
    for path in ("/v1/key", "/v1/usage/requests"):
        caller = holders.as_key(PREPAID)
        caller.key = "sk-" + "0" * 43
        assert caller.bearer("GET", path).status in (401, 429)
