"""GET /v1/usage/{request_id}: every line of the price, for whoever asked and nobody else."""

from __future__ import annotations

import json

import pytest

from laidian.domain.money import parse_usd
from tests.holder.conftest import LIMITED, OTHER, PREPAID, UNLIMITED, Holders


def lines_of(receipt: dict[str, object]) -> list[dict[str, str]]:
    lines = receipt["lines"]
    assert isinstance(lines, list)
    return lines


def test_the_lines_of_a_receipt_add_up_to_what_the_ledger_charged(holders: Holders):
    holders.write("UPDATE groups SET multiplier_ppm = 1250000")
    content = "[[tokens:11]] [[reasoning:7]] [[cached:2]] one two three four"
    reply = holders.chat(LIMITED, messages=[{"role": "user", "content": content}])
    request_id = reply.headers["x-request-id"]
    answer = holders.get(LIMITED, f"/v1/usage/{request_id}")
    assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")
    receipt, record = answer.json(), holders.laidian.record(request_id)
    lines = lines_of(receipt)
    assert {line["unit"]: line["quantity"] for line in lines} == {
        "input": record.input,
        "cached_input": record.cached_input,
        "output": record.output,
        "reasoning": record.reasoning,
    }
    assert sum(parse_usd(line["cost_usd"]) for line in lines) == record.amount_nano > 0
    assert parse_usd(str(receipt["amount_usd"])) == record.amount_nano
    assert parse_usd(str(receipt["charged_usd"])) == record.charged_nano
    assert receipt["multiplier"] == "1.25x"
    assert receipt["ended"] == {"code": "complete", "meaning": "the answer was delivered whole"}
    assert receipt["usage_from"] == {"code": "upstream", "meaning": "the provider reported it"}
    assert (receipt["model"], receipt["status"], receipt["note"]) == ("gpt-5.4", 200, "")
    for line in lines:
        exact = int(line["quantity"]) * parse_usd(line["usd_per_million"]) * 5 / 4 / 1_000_000
        assert abs(parse_usd(line["cost_usd"]) - exact) <= 0.5


def test_a_receipt_has_these_fields_and_no_others(holders: Holders):
    request_id = holders.chat(PREPAID).headers["x-request-id"]
    receipt = holders.get(PREPAID, f"/v1/usage/{request_id}").json()
    assert list(receipt) == [
        "request_id", "operation", "model", "asked_model", "stream", "started_at", "first_byte_ms", "duration_ms", "status", "ended",
        "error_code", "usage_from", "service_tier", "multiplier", "lines", "note", "amount_usd", "shortfall_usd", "charged_usd", "price",
        "currency", "object",
    ]  # fmt: skip
    assert isinstance(receipt["price"], dict)
    assert set(receipt["price"]) == {"version", "source", "source_date"}
    assert (receipt["currency"], receipt["object"]) == ("USD", "laidian.receipt")
    text = json.dumps(receipt)
    for secret in ("sim", "127.0.0.1", "credential", "upstream_model", holders.laidian.keys[0][3:10]):
        assert secret not in text.replace('"upstream"', ""), secret


def test_the_shortfall_is_said_and_not_charged(holders: Holders):
    request_id = holders.chat(PREPAID).headers["x-request-id"]
    holders.write("UPDATE usage_records SET shortfall_nano = 3 WHERE request_id = ?", request_id)
    receipt = holders.get(PREPAID, f"/v1/usage/{request_id}").json()
    assert receipt["shortfall_usd"] == "0.000000003"
    assert parse_usd(str(receipt["charged_usd"])) == parse_usd(str(receipt["amount_usd"])) - 3


def test_what_an_upstream_refused_has_a_receipt_that_says_it_cost_nothing(holders: Holders):
    reply = holders.chat(PREPAID, messages=[{"role": "user", "content": "[[fault:error_400]]"}])
    receipt = holders.get(PREPAID, f"/v1/usage/{reply.headers['x-request-id']}").json()
    assert (receipt["status"], receipt["charged_usd"], receipt["lines"]) == (reply.status, "0.00", [])


@pytest.mark.parametrize("stranger", [LIMITED, OTHER, UNLIMITED])
def test_another_keys_request_is_as_if_it_had_never_been(holders: Holders, stranger: int):
    """The key on the same quota is a stranger, too."""
    request_id = holders.chat(PREPAID).headers["x-request-id"]
    foreign, absent = (holders.get(stranger, f"/v1/usage/{one}") for one in (request_id, "req_0"))
    assert foreign.status == absent.status == 404
    assert foreign.error() == absent.error()
    assert foreign.error()["code"] == "not_found"


def test_a_key_that_got_the_name_of_a_deleted_one_does_not_get_its_receipts(holders: Holders):
    request_id = holders.chat(PREPAID).headers["x-request-id"]
    holders.write("UPDATE keys SET deleted_at_ms = 1 WHERE id = ?", PREPAID)
    holders.write("UPDATE keys SET name = 'key-1' WHERE id = ?", OTHER)
    try:
        assert holders.get(OTHER, f"/v1/usage/{request_id}").status == 404
    finally:
        holders.write("UPDATE keys SET name = 'key-6' WHERE id = ?", OTHER)


def test_a_request_that_still_runs_has_no_receipt_yet(holders: Holders):
    holders.write("INSERT INTO prices VALUES ('v', 'gpt-5.4', 0, 'book', '', '', '[]', NULL, NULL, 0, NULL)")
    holders.write(
        "INSERT INTO holds (request_id, owner, key_id, group_id, quota_id, amount_nano, operation, model, asked_model, price_version, "
        "multiplier_ppm, stream, input_tokens, rate_tokens, windows, created_at_ms) "
        "SELECT 'req_running', id, ?, 1, 1, 0, 'openai.chat', 'gpt-5.4', 'gpt-5.4', 'v', 1000000, 0, 0, 0, '{}', 0 FROM workers",
        PREPAID,
    )
    reply = holders.get(PREPAID, "/v1/usage/req_running")
    assert (reply.status, "still runs" in str(reply.error()["message"])) == (404, True)
    assert holders.get(PREPAID, "/v1/usage").json()["in_flight"] == 1
    assert "still runs" not in str(holders.get(OTHER, "/v1/usage/req_running").error()["message"])


@pytest.mark.parametrize("request_id", ["%27%20OR%201=1--", "%", "req_%25", "..%2f", "x" * 4_000, "%00"])
def test_an_id_that_is_none_is_a_404(holders: Holders, request_id: str):
    holders.chat(PREPAID)
    assert holders.get(PREPAID, f"/v1/usage/{request_id}").status in (400, 404)
