"""`laidian price`: what a model costs. The book's prices hold unless the operator sets an own one."""

from __future__ import annotations

import click

from laidian.admin.schema import Price, PriceBookState, PriceChange, PriceDiff, PriceFound, PriceSet, Rate
from laidian.cli.call import Call, ListCommand, Noun, with_call
from laidian.cli.clock import now
from laidian.cli.exits import Exit
from laidian.cli.output import put_list, put_one, put_table
from laidian.cli.reach import ask
from laidian.cli.table import Column
from laidian.cli.text import clean, dollars, moment
from laidian.cli.values import amount, pairs

RATE = "UNIT=USD"
UNITS = ("input", "cached_input", "cache_write", "output")
"""Those with an option of their own; the others are said with --rate."""


def _rates(rates: tuple[Rate, ...]) -> str:
    return ", ".join(f"{_unit(rate)} {dollars(rate.usd_per_million)}" for rate in rates) or "-"


def _unit(rate: Rate) -> str:
    tier = "" if rate.service_tier == "default" else f"@{rate.service_tier}"
    above = f">{rate.above_input_tokens}" if rate.above_input_tokens else ""
    return f"{rate.unit}{tier}{above}"


COLUMNS: tuple[Column[Price], ...] = (
    Column("model", lambda price: price.model),
    Column("per million", lambda price: _rates(price.rates)),
    Column("from", lambda price: price.effective_from or "ever"),
    Column("origin", lambda price: price.origin),
    Column("source", lambda price: f"{price.source} {price.source_date}".strip(), optional=True),
    Column("version", lambda price: price.version, optional=True),
)


@click.group(cls=Noun)
def price() -> None:
    """Prices: what a model costs, in US dollars per million. Alone: `list`.

    \b
    laidian price show gpt-5.4
    laidian price set my-model --input 1.25 --output 10
    """


@price.command("list", cls=ListCommand)
@with_call
def list_prices(call: Call) -> None:
    """List the prices you set yourself; the book's show with `show MODEL`.

    \b
    laidian price
    laidian price list --csv
    """
    prices = ask(call, lambda client: client.prices())
    put_list(
        call,
        Price,
        prices,
        COLUMNS,
        empty="no prices of your own; the book's hold. Look at one: laidian price show MODEL",
    )


@price.command("show")
@click.argument("model")
@with_call
def show_price(call: Call, model: str) -> int:
    """Show what would price a model now, and why. Exit code 3 if nothing does.

    \b
    laidian price show gpt-5.4
    """
    found = ask(call, lambda client: client.find_price(model))
    _put_found(call, found)
    return Exit.DONE if found.price is not None else Exit.PROBLEMS


@price.command("set")
@click.argument("model")
@click.option("--input", "input_usd", metavar="USD", help="Per million tokens of the prompt.")
@click.option("--cached-input", "cached_input_usd", metavar="USD", help="Read from the provider's cache.")
@click.option("--cache-write", "cache_write_usd", metavar="USD", help="Written to it.")
@click.option("--output", "output_usd", metavar="USD", help="Per million tokens of the answer.")
@click.option(
    "--rate",
    metavar=RATE,
    multiple=True,
    help="Any unit; `input@flex=…` of a tier, `input>200000=…` above a length.",
)
@click.option("--source", metavar="TEXT", default="operator", help="Where you have it from.")
@click.option("--source-date", metavar="YYYY-MM-DD", default="", help="Today if not given.")
@click.option("--effective-from", metavar="WHEN", help="Now if not given.")
@click.option("--context-tokens", type=click.IntRange(1), metavar="N", help="What the model can read.")
@click.option("--max-output-tokens", type=click.IntRange(1), metavar="N", help="What it can write.")
@with_call
def set_price(
    call: Call,
    model: str,
    rate: tuple[str, ...],
    source: str,
    source_date: str,
    effective_from: str | None,
    context_tokens: int | None,
    max_output_tokens: int | None,
    **usd: str | None,
) -> None:
    """Price a model, or all that fit a shell pattern. Replaces the book's price and your earlier one.

    \b
    laidian price set my-model --input 1.25 --output 10
    laidian price set 'local-*' --input 0 --output 0 --source "own machine"
    """
    rates = {unit: text for unit in UNITS if (text := usd[f"{unit}_usd"]) is not None} | pairs(rate, RATE)
    if not rates:
        raise click.UsageError(
            "no rate: give --input and --output, or --rate UNIT=USD.", click.get_current_context()
        )
    new = PriceSet(
        model=model,
        rates={unit: amount(text) for unit, text in rates.items()},
        source=source,
        source_date=source_date,
        effective_from=effective_from,
        context_tokens=context_tokens,
        max_output_tokens=max_output_tokens,
    )
    _put(call, ask(call, lambda client: client.set_price(new), makes_data=True))


@price.command("retire", cls=ListCommand)
@click.argument("model")
@with_call
def retire_price(call: Call, model: str) -> None:
    """Take your own price of a model back; the book's holds again, or none.

    \b
    laidian price retire 'local-*'
    """
    call.confirm(f"Your own price of `{model}` is going to be retired.", model)
    retired = ask(call, lambda client: client.retire_prices(model))
    put_list(call, Price, retired, COLUMNS, empty="nothing was retired.")


@price.command("book")
@with_call
def book(call: Call) -> None:
    """Show which price book holds, and whether this program brought another.

    \b
    laidian price book
    """
    _put_book(call, ask(call, lambda client: client.price_book()))


@price.command("diff")
@with_call
def diff(call: Call) -> None:
    """Show what adopting the shipped price book would change.

    \b
    laidian price diff
    """
    found = ask(call, lambda client: client.price_diff())
    if call.json or call.fields:
        put_one(call, found, [])
        return
    _put_diff(call, found)


@price.command("adopt")
@click.option("--source", metavar="TEXT", help="The book you looked at; what is shipped now if not given.")
@with_call
def adopt(call: Call, source: str | None) -> None:
    """Adopt the shipped price book, after a look at what changes.

    \b
    laidian price adopt
    laidian price adopt --yes
    """
    state = ask(call, lambda client: client.price_book())
    chosen = source or state.shipped_source
    if state.differs and not call.yes and call.may_ask():
        _put_diff(call, ask(call, lambda client: client.price_diff()), err=True)
    if state.differs:
        call.confirm(f"Prices are going to change to those of {chosen}.", "adopt")
    else:
        call.narrate(f"{state.source} is in use already.")
    _put_book(call, ask(call, lambda client: client.adopt_prices(chosen)))


def _put(call: Call, price: Price) -> None:
    lines = [
        ("model", price.model),
        ("origin", price.origin),
        ("source", f"{price.source} {price.source_date}".strip()),
        ("version", price.version),
        ("from", price.effective_from or "ever"),
        ("reads at most", "-" if price.context_tokens is None else f"{price.context_tokens} tokens"),
        ("writes at most", "-" if price.max_output_tokens is None else f"{price.max_output_tokens} tokens"),
    ]
    if put_one(call, price, lines):
        _put_rates(call, price.rates)


def _put_found(call: Call, found: PriceFound) -> None:
    price = found.price
    lines = [
        ("model", found.model),
        ("price", "none" if price is None else price.model),
        ("why", found.reason),
    ]
    if price is not None:
        lines += [
            ("origin", price.origin),
            ("source", f"{price.source} {price.source_date}".strip()),
            ("version", price.version),
        ]
    if put_one(call, found, lines) and price is not None:
        _put_rates(call, price.rates)


def _put_rates(call: Call, rates: tuple[Rate, ...]) -> None:
    columns: tuple[Column[Rate], ...] = (
        Column("unit", _unit),
        Column("usd per million", lambda rate: dollars(rate.usd_per_million), right=True),
    )
    click.echo()
    put_table(call, rates, columns)


def _put_book(call: Call, state: PriceBookState) -> None:
    lines = [
        ("book", f"{state.source} {state.source_date}".strip() or "none"),
        ("adopted", moment(state.adopted_at, now(), missing="never")),
        ("models", str(state.models)),
        ("shipped", f"{state.shipped_source} {state.shipped_source_date}".strip()),
        ("differs", "yes: laidian price diff, then laidian price adopt" if state.differs else "no"),
    ]
    put_one(call, state, lines)


def _put_diff(call: Call, found: PriceDiff, *, err: bool = False) -> None:
    if not found.changes:
        call.narrate(f"{found.to_source} changes nothing.")
        return
    call.narrate(f"From {found.from_source or 'no book'} to {found.to_source}:")
    for change in found.changes:
        click.echo(clean(_change(change)), err=err)


def _change(change: PriceChange) -> str:
    used = "  (in use)" if change.used else ""
    since = f" from {change.effective_from}" if change.effective_from else ""
    head = f"{change.change:<8}{change.provider}/{change.model}{since}{used}"
    before = [f"    - {_rates(change.before)}"] if change.before else []
    after = [f"    + {_rates(change.after)}"] if change.after else []
    return "\n".join([head, *before, *after])
