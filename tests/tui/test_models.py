"""Models and prices: what can be had and why not, a price changed with its difference in sight, the book adopted."""

from __future__ import annotations

from laidian.admin.schema import PriceSet, UpstreamEdit
from laidian.data import price_book_bytes
from tests.tui.conftest import Console
from tests.tui.screens import Shown, assert_screen, shown
from tests.tui.walk import presses
from tui.dialogs.price import rate_name
from tui.dialogs.trial import Tried
from tui.form import Form
from tui.question import Sure, TypeName
from tui.screens.book import Book
from tui.screens.models import Models


async def at(seen: Shown, name: str) -> None:
    await seen.until(lambda: seen.here.table.point(name))


async def test_a_model_says_its_price_its_example_and_why_it_cannot_be_had(own_console: Console) -> None:
    own_console.laidian.write('UPDATE upstreams SET models = \'["gpt-5.4", "foo-preview"]\' WHERE id = 1')
    own_console.laidian.write("UPDATE upstreams SET enabled = 0 WHERE id = 2")
    async with shown(own_console.connect, first="models", size=(160, 50)) as seen:
        await at(seen, "gpt-5.4")
        await seen.until_text("1,000 tokens in and 500 out cost $0.01 (1x)")
        await at(seen, "foo-preview")
        await seen.until_text("NO PRICE")
        assert "No price, so it is refused" in seen.text


async def test_a_model_whose_only_upstream_is_drained_stays_in_sight_and_says_so(
    own_console: Console,
) -> None:
    async with own_console.client() as client:
        await client.probe("sim")
        await client.edit_upstream("sim", UpstreamEdit(enabled=False))
    async with shown(own_console.connect, first="models") as seen:
        await at(seen, "gpt-5.4")
        await seen.until_text("sim: disabled by the operator.")
        assert seen.here.table.row.state == "no_upstream"
        assert "◌ sim" in seen.text, "who would serve it"


@presses(Models, "e")
async def test_a_price_is_changed_only_after_its_difference_was_seen(own_console: Console) -> None:
    async with shown(own_console.connect, first="models") as seen:
        await at(seen, "gpt-5.4")
        await seen.press("e")
        await seen.until(lambda: isinstance(seen.here, Form))
        assert seen.here.values["input"] == "2.50"
        seen.here.put("input", "3")
        seen.here.put("more", "images")
        await seen.press("ctrl+s")
        await seen.until_text("unit=price")
        seen.here.put("more", "")
        await seen.press("ctrl+s")
        await seen.until(lambda: isinstance(seen.here, Sure))
        await seen.until_text("input: 2.50 -> 3")
        assert "output:" not in seen.text, "what stays the same is no difference"
        await seen.press("escape")
        async with own_console.client() as client:
            assert await client.prices() == ()
        await seen.press("e")
        await seen.until(lambda: isinstance(seen.here, Form))
        seen.here.put("input", "3")
        await seen.press("ctrl+s")
        await seen.until(lambda: isinstance(seen.here, Sure))
        await seen.press("enter")
        await seen.until(lambda: any("gpt-5.4 is set" in one for one in seen.notices))
        async with own_console.client() as client:
            (price,) = await client.prices()
        rates = {one.unit: one.usd_per_million for one in price.rates if rate_name(one) == one.unit}
        assert (rates["input"], rates["output"]) == ("3.00", "15.00")


@presses(Models, "P")
async def test_a_price_of_ones_own_is_taken_away(own_console: Console) -> None:
    async with own_console.client() as client:
        await client.set_price(PriceSet(model="gpt-5.4", rates={"input": "9", "output": "9"}))
    async with shown(own_console.connect, first="models") as seen:
        await at(seen, "gpt-5.5")
        await seen.press("P")
        assert any("no price of your own" in one for one in seen.notices)
        await at(seen, "gpt-5.4")
        await seen.press("P")
        await seen.until(lambda: isinstance(seen.here, Sure))
        await seen.press("enter")
        await seen.until(lambda: any("is gone" in one for one in seen.notices))
        async with own_console.client() as client:
            assert await client.prices() == ()


@presses(Models, "t")
@presses(Tried, "t", "enter")
async def test_a_model_is_tested_through_the_whole_path(own_console: Console) -> None:
    async with shown(own_console.connect, first="models") as seen:
        await at(seen, "gpt-5.4")
        await seen.press("t")
        await seen.until_text("answered through sim")
        assert "tokens in" in seen.text
        own_console.provider.fault("http-500", times=20)
        await seen.press("t")
        await seen.until_text("No answer from gpt-5.4")
        own_console.provider.clear_faults()
        await seen.press("enter")
        assert isinstance(seen.here, Models)


@presses(Models, "u")
async def test_a_models_requests_are_one_key_away(console: Console) -> None:
    async with shown(console.connect, first="models") as seen:
        await at(seen, "gpt-5.4")
        await seen.press("u")
        await seen.until(lambda: seen.app.current_mode == "usage")
        await seen.until_text("gpt-5.4")


@presses(Models, "b")
@presses(Book, "A")
async def test_the_book_is_adopted_after_its_changes_were_seen_and_its_name_typed(
    own_console: Console,
) -> None:
    """The adopted book is an older one, so what came with the program differs."""
    older = price_book_bytes().replace(b'"genai-prices ', b'"older-prices ', 1)
    own_console.laidian.write("UPDATE price_books SET data = ?", older)
    async with own_console.client() as client:
        source = (await client.price_book()).shipped_source
    async with shown(own_console.connect, first="models") as seen:
        await seen.press("b")
        await seen.until(lambda: isinstance(seen.here, Book) and seen.here.picture is not None)
        state = seen.here.picture.state
        assert state.differs
        await seen.press("A")
        await seen.until(lambda: isinstance(seen.here, TypeName))
        await seen.press(*source, "enter")
        await seen.until(lambda: any("is adopted" in one for one in seen.notices))
        await seen.until(lambda: not seen.here.picture.state.differs)
        await seen.press("A")
        assert isinstance(seen.here, Book), "there is nothing to adopt"
        await seen.press("escape")
        assert isinstance(seen.here, Models)


async def test_picture_of_a_prices_form(console: Console) -> None:
    async def drive(seen: Shown) -> None:
        await at(seen, "gpt-5.4")
        await seen.press("e")
        await seen.until(lambda: isinstance(seen.here, Form))

    await assert_screen("price_form", console.connect, keys=("6",), drive=drive)


async def test_picture_of_the_price_book(console: Console) -> None:
    async def drive(seen: Shown) -> None:
        await seen.press("b")
        await seen.until(lambda: isinstance(seen.here, Book) and seen.here.picture is not None)

    await assert_screen("price_book", console.connect, keys=("6",), drive=drive)
