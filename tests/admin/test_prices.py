from __future__ import annotations

from typing import Any

import msgspec
import pytest

from laidian.admin.schema import BookAdopt, PriceSet
from laidian.admin.service.book import adopt_shipped_book, diff_book, show_book
from laidian.admin.service.prices import find_price, list_prices, retire_prices, set_price
from laidian.data import price_book_bytes
from laidian.domain.price import price_usage
from laidian.domain.price_book import BookEntry, BookFile, BookRate
from laidian.domain.usage import Usage
from laidian.errors import BadRequest, Conflict, NotFound
from tests.admin.desk import NOW_MS, Desk

DAY_MS = 86_400_000


def put(desk: Desk, model: str, *, now_ms: int = NOW_MS, **fields: Any) -> None:
    change = PriceSet(model=model, **{"rates": {"input": "1", "output": "4"}, **fields})
    desk.do(lambda c: set_price(c, change, now_ms=now_ms))


def reason(desk: Desk, model: str, now_ms: int = NOW_MS) -> tuple[str, str]:
    found = find_price(desk.connection, desk.reader().current(), model, now_ms)
    return (found.price.origin if found.price else "none"), found.reason


def test_an_own_price_goes_before_the_book_until_it_is_retired(desk: Desk) -> None:
    assert reason(desk, "gpt-5.4") == ("book", "From the price book genai-prices 0.2.3.")
    put(desk, "gpt-5.4", source="contract", source_date="2026-11-01")
    assert reason(desk, "gpt-5.4") == ("operator", "You set it.")
    (price,) = list_prices(desk.connection)
    assert [(rate.unit, rate.usd_per_million) for rate in price.rates] == [
        ("input", "1.00"),
        ("output", "4.00"),
    ]
    assert (price.source, price.source_date, price.effective_from) == (
        "contract",
        "2026-11-01",
        "2026-11-22T10:00:00Z",
    )
    (retired,) = desk.do(lambda c: retire_prices(c, "gpt-5.4", now_ms=NOW_MS))
    assert retired == price
    assert reason(desk, "gpt-5.4")[0] == "book"
    assert list_prices(desk.connection) == ()


def test_a_pattern_prices_what_has_no_price_of_its_own(desk: Desk) -> None:
    put(desk, "house-*")
    assert reason(desk, "house-7b") == ("operator", "You set it with the pattern `house-*`.")
    origin, text = reason(desk, "mouse-7b")
    assert origin == "none"
    assert "laidian price set mouse-7b" in text


def test_a_price_to_come_waits_for_its_day(desk: Desk) -> None:
    put(desk, "m")
    put(desk, "m", rates={"input": "9", "output": "9"}, effective_from="7d")
    catalog = desk.reader().current()
    now = catalog.price_of("m", NOW_MS)
    later = catalog.price_of("m", NOW_MS + 7 * DAY_MS)
    assert now is not None
    assert later is not None
    assert (now.rates[0].nano_per_million, later.rates[0].nano_per_million) == (1_000_000_000, 9_000_000_000)
    assert len(list_prices(desk.connection)) == 2
    put(desk, "m", rates={"input": "2", "output": "2"}, now_ms=NOW_MS + 1)
    assert [price.rates[0].usd_per_million for price in list_prices(desk.connection)] == ["9.00", "2.00"]


def test_the_same_price_set_again_after_it_was_retired_holds_again(desk: Desk) -> None:
    put(desk, "m")
    desk.do(lambda c: retire_prices(c, "m", now_ms=NOW_MS))
    put(desk, "m")
    assert reason(desk, "m")[0] == "operator"


def test_tiers_and_long_prompts_are_written_behind_the_unit(desk: Desk) -> None:
    put(
        desk,
        "m",
        rates={
            "input": "1",
            "input>200000": "2",
            "input@flex": "0.5",
            "output": "4",
            "output@flex>200000": "3",
        },
    )
    price = desk.reader().current().price_of("m", NOW_MS)
    assert price is not None
    assert price_usage(price, Usage(input=1_000_000)).amount_nano == 2_000_000_000
    assert price_usage(price, Usage(input=100_000), service_tier="flex").amount_nano == 50_000_000


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"rates": {}}, "rates"),
        ({"rates": {"inputs": "1"}}, "rates"),
        ({"rates": {"input": "-1"}}, "rates"),
        ({"rates": {"input": "1e3"}}, "rates"),
        ({"rates": {"input>x": "1"}}, "rates"),
        ({"rates": {"input": "1", "input@default": "2"}}, "rates"),
        ({"source_date": "yesterday"}, "source_date"),
        ({"effective_from": "soon"}, "effective_from"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
    ],
)
def test_a_price_that_cannot_be_charged_is_refused(desk: Desk, fields: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        put(desk, "m", **fields)
    assert refusal.value.param == param
    assert list_prices(desk.connection) == ()


def test_retiring_what_is_not_there_names_what_is(desk: Desk) -> None:
    put(desk, "my-model")
    with pytest.raises(NotFound, match="Did you mean `my-model`"):
        desk.do(lambda c: retire_prices(c, "my-modle", now_ms=NOW_MS))


# The book


def newer_book() -> bytes:
    """The shipped book with one model changed, one removed and one added."""
    book = msgspec.json.decode(price_book_bytes(), type=BookFile)
    entries: list[BookEntry] = []
    for entry in book.entries:
        if (entry.provider, entry.model) == ("openai", "ada"):
            continue
        if (entry.provider, entry.model) == ("openai", "babbage"):
            entry = msgspec.structs.replace(entry, rates=(BookRate("input", 7), BookRate("output", 8)))
        entries.append(entry)
    entries.append(BookEntry("openai", "gpt-9", (BookRate("input", 1), BookRate("output", 2))))
    return msgspec.json.encode(
        msgspec.structs.replace(book, source="genai-prices 9.9.9", entries=tuple(entries))
    )


def test_a_newer_book_changes_nothing_until_its_differences_were_seen_and_it_is_adopted(desk: Desk) -> None:
    newer = newer_book()
    before = show_book(desk.connection, newer)
    assert (before.source, before.shipped_source, before.differs) == (
        "genai-prices 0.2.3",
        "genai-prices 9.9.9",
        True,
    )
    diff = diff_book(desk.connection, newer)
    assert {(change.model, change.change) for change in diff.changes} == {
        ("ada", "removed"),
        ("babbage", "changed"),
        ("gpt-9", "added"),
    }
    changed = next(change for change in diff.changes if change.model == "babbage")
    assert [rate.usd_per_million for rate in changed.after] == ["0.000000007", "0.000000008"]
    assert reason(desk, "gpt-9")[0] == "none"
    with pytest.raises(Conflict, match=r"is genai-prices 9\.9\.9, not genai-prices 0\.2\.3"):
        desk.do(
            lambda c: adopt_shipped_book(c, BookAdopt(source="genai-prices 0.2.3"), newer, now_ms=NOW_MS + 1)
        )
    version = desk.version()
    state = desk.do(
        lambda c: adopt_shipped_book(c, BookAdopt(source="genai-prices 9.9.9"), newer, now_ms=NOW_MS + 1)
    )
    assert (state.source, state.differs) == ("genai-prices 9.9.9", False)
    assert desk.version() > version
    assert reason(desk, "gpt-9")[0] == "book"
    assert diff_book(desk.connection, newer).changes == ()


def test_models_that_were_charged_by_the_book_come_first_in_the_difference(desk: Desk) -> None:
    desk.key("alice")
    catalog = desk.reader().current()
    assert catalog.book is not None
    price = catalog.book.find("babbage", NOW_MS)
    assert price is not None
    desk.do(
        lambda c: c.execute(
            "INSERT INTO prices (version, model, effective_from_ms, origin, source, source_date, rates, created_at_ms) "
            "VALUES (?, 'babbage', 0, 'book', 's', '', '[]', 0)",
            (price.version,),
        )
    )
    changes = diff_book(desk.connection, newer_book()).changes
    assert (changes[0].model, changes[0].used) == ("babbage", True)
    assert not any(change.used for change in changes[1:])


def test_names_that_a_book_prices_anew_are_a_difference_too(desk: Desk) -> None:
    book = msgspec.json.decode(price_book_bytes(), type=BookFile)
    first = msgspec.structs.replace(book.entries[0], aliases=("ada-of-old",), max_output_tokens=5)
    other = msgspec.structs.replace(book, source="other", entries=(first, *book.entries[1:]))
    (change,) = diff_book(desk.connection, msgspec.json.encode(other)).changes
    assert change.before == change.after
    assert change.note == (
        "also prices ada-of-old; no longer prices text-ada-001; output limit unknown to 5 tokens"
    )
