"""What differs between two sets of figures, and how it is said."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest

from laidian.cli.reconcile.exports import openai_books, openrouter_book
from laidian.cli.reconcile.figures import ALL, Book, Figures, compare, days_between, usd_nano
from laidian.errors import BadRequest

DAY = "2026-11-20"
USD = 1_000_000_000


def one(
    requests: int, tokens_in: int, tokens_out: int, usd: float | None = None, *, model: str = "gpt-5.4"
) -> Book:
    return {(DAY, model): Figures(requests, tokens_in, tokens_out, None if usd is None else int(usd * USD))}


def findings(ours: Book, theirs: Book, threshold: str = "0.01") -> list[str]:
    return [text for row in compare(ours, theirs, threshold=Decimal(threshold)) for text in row.findings]


def test_the_same_is_no_finding() -> None:
    assert findings(one(3, 1000, 500, 1.5), one(3, 1000, 500, 1.5)) == []


def test_what_is_below_the_threshold_or_too_small_to_mean_anything_is_none() -> None:
    assert findings(one(3, 100_000, 50_000, 1), one(3, 100_900, 50_400, 1.009)) == []
    assert findings(one(3, 100, 50, 0.001), one(3, 149, 99, 0.0019)) == []


def test_tokens_that_were_billed_and_not_used_are_named_with_their_part() -> None:
    (text,) = findings(one(3, 10_000, 5_000), one(3, 10_000, 6_000))
    assert text == "output tokens: they count 6000, we counted 5000 (+20.0 %)"


def test_more_money_for_the_same_tokens_is_a_multiplier() -> None:
    (text,) = findings(one(3, 10_000, 5_000, 1), one(3, 10_000, 5_000, 1.2))
    assert text == "cost: they take $1.20, the published price makes $1.00, that is 1.20x for the same tokens"


def test_more_money_for_more_tokens_is_none() -> None:
    texts = findings(one(3, 10_000, 5_000, 1), one(3, 10_000, 10_000, 2))
    assert [text.partition(":")[0] for text in texts] == ["output tokens", "cost"]
    assert "x for the same tokens" not in texts[1]


def test_a_model_that_nobody_asked_for_in_place_of_one_that_was_is_told_at_both() -> None:
    texts = findings(one(7, 1, 1), one(7, 1, 1, model="gpt-5.4-mini"))
    assert len(texts) == 4
    assert "as many requests were billed as `gpt-5.4-mini`" in texts
    assert "as many requests asked for `gpt-5.4`" in texts


def test_a_missing_side_is_a_finding_of_its_own() -> None:
    (text,) = findings({}, one(1, 1, 1))
    assert text.startswith("they bill it, and nothing here asked for it")
    (text,) = findings(one(1, 1, 1), {})
    assert text.startswith("it was asked for here")
    assert findings({}, {}) == []


@pytest.mark.parametrize(
    "theirs",
    [
        "openai/gpt-5.4",
        "gpt-5.4-2026-03-05",
        "gpt-5.4-20260305",
        "openai/gpt-5.4-2026-03-05",
        "gpt-5.4-latest",
    ],
)
def test_a_snapshot_and_a_providers_prefix_are_the_same_model(theirs: str) -> None:
    assert findings(one(1, 100, 100), one(1, 100, 100, model=theirs)) == []


def test_a_day_without_models_is_compared_as_a_day() -> None:
    ours = {(DAY, "a"): Figures(1, 100, 100), (DAY, "b"): Figures(2, 200, 200)}
    assert findings(ours, {(DAY, ALL): Figures(3, 300, 300)}) == []
    assert findings(ours, {(DAY, ALL): Figures(4, 300, 300)})


def test_what_an_export_does_not_say_is_not_compared() -> None:
    assert findings(one(3, 1000, 500, 1), {(DAY, "gpt-5.4"): Figures(cost_nano=USD)}) == []


def bucket(*results: dict[str, object]) -> dict[str, object]:
    start = int(datetime.datetime(2026, 11, 20, tzinfo=datetime.UTC).timestamp())
    return {
        "object": "page",
        "has_more": False,
        "data": [{"object": "bucket", "start_time": start, "results": list(results)}],
    }


def test_openais_usage_and_costs_become_one() -> None:
    usage = bucket(
        {"object": "organization.usage.completions.result", "model": "gpt-5.4-2026-03-05", "num_model_requests": 5,
         "input_tokens": 1000, "input_cached_tokens": 800, "output_tokens": 500},
    )  # fmt: skip
    costs = bucket(
        {"object": "organization.costs.result", "line_item": "gpt-5.4-2026-03-05, input", "amount": {"value": 0.06, "currency": "usd"}},
        {"object": "organization.costs.result", "line_item": "gpt-5.4-2026-03-05, output", "amount": {"value": "0.04"}},
    )  # fmt: skip
    assert openai_books([usage, costs]) == {(DAY, "gpt-5.4-2026-03-05"): Figures(5, 1000, 500, 100_000_000)}
    with pytest.raises(BadRequest):
        openai_books([{"object": "list"}])


def test_openrouters_activity_as_json_and_as_csv() -> None:
    items = {"data": [{"date": DAY, "model": "openai/gpt-5.4", "usage": 0.015, "byok_usage_inference": 0.01, "requests": 5,
                       "prompt_tokens": 50, "completion_tokens": 125, "reasoning_tokens": 25}]}  # fmt: skip
    assert openrouter_book("", items) == {(DAY, "openai/gpt-5.4"): Figures(5, 50, 125, 25_000_000)}
    text = (
        "generation_id,created_at,cost_total,tokens_prompt,tokens_completion,model_permaslug\n"
        f"gen-1,{DAY} 10:00:00.000,0.015,50,125,openai/gpt-5.4\ngen-2,{DAY} 11:00:00.000,0.005,10,5,openai/gpt-5.4\n"
    )
    assert openrouter_book(text, None) == {(DAY, "openai/gpt-5.4"): Figures(2, 60, 130, 20_000_000)}
    for text, document in (("a,b\n1,2\n", None), ("", {"data": [{"x": 1}]})):
        with pytest.raises(BadRequest):
            openrouter_book(text, document)


def test_days_and_dollars() -> None:
    days = days_between(datetime.date(2026, 2, 27), datetime.date(2026, 3, 1))
    assert [day.isoformat() for day in days] == ["2026-02-27", "2026-02-28", "2026-03-01"]
    assert [usd_nano(value) for value in ("0.1", 0.1, None, "", "x", True)] == [
        100_000_000,
        100_000_000,
        None,
        None,
        None,
        None,
    ]
