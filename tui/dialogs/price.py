"""The form of a price, and what it would change: shown before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from laidian.admin.schema import Price, PriceSet, Rate
from tui.cells import Cell, Shown
from tui.dialogs.group import names_in
from tui.form import Field, Form, Wrong
from tui.words import Words

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient

OWN_FIELDS = ("input", "cached_input", "cache_write", "output")
_RATE = re.compile(r"(?P<unit>[\w.-]+)(?:@(?P<tier>[\w.-]+))?(?:>(?P<above>\d+))?")


class Wanted(msgspec.Struct, frozen=True):
    """A price as it was typed, and the one that it would take the place of."""

    price: PriceSet
    before: Price | None


def rate_name(rate: Rate) -> str:
    """As `PriceSet.rates` spells it: `input@flex>200000`."""
    tier = "" if rate.service_tier == "default" else f"@{rate.service_tier}"
    above = f">{rate.above_input_tokens}" if rate.above_input_tokens else ""
    return f"{rate.unit}{tier}{above}"


def rates_of(price: Price | None) -> dict[str, str]:
    return {} if price is None else {rate_name(one): one.usd_per_million for one in price.rates}


def price_form(words: Words, model: str, price: Price | None) -> Form[Wanted]:
    """Gives back what is wanted; whoever pushed it shows the difference and sends it."""
    before = rates_of(price)
    more = {name: rate for name, rate in before.items() if name not in OWN_FIELDS}

    async def send(_: AdminClient, values: Mapping[str, str]) -> Wanted:
        rates = {name: values[name] for name in OWN_FIELDS if values[name]}
        for pair in names_in(values["more"]):
            name, sign, rate = pair.rpartition("=")
            if not sign or not rate or not _RATE.fullmatch(name):
                raise Wrong("more", words.models.more_hint)
            rates[name] = rate
        if not rates:
            raise Wrong("input", words.models.needs_rate)
        return Wanted(
            PriceSet(
                model=model,
                rates=rates,
                effective_from=values["effective_from"] or None,
                context_tokens=None if price is None else price.context_tokens,
                max_output_tokens=None if price is None else price.max_output_tokens,
            ),
            price,
        )

    own = words.models
    labels = dict(zip(OWN_FIELDS, (own.input, own.cached, own.cache_write, own.output), strict=True))
    fields = [
        Field(name, label, value=before.get(name, ""), hint=own.rate_hint) for name, label in labels.items()
    ]
    shown = " ".join(f"{name}={rate}" for name, rate in more.items())
    fields += [
        Field("more", own.more, value=shown, hint=own.more_hint),
        Field("effective_from", own.from_when, hint=own.from_hint),
    ]
    return Form(own.price_title.format(model=model), fields, send)


def difference(words: Words, wanted: Wanted) -> list[Shown]:
    """What would be another than before, line by line; and from when on."""
    own, before, after = words.models, rates_of(wanted.before), wanted.price.rates
    lines: list[Shown] = []
    for unit in dict.fromkeys((*before, *after)):
        old, new = before.get(unit, "-"), after.get(unit, "-")
        if not _same(old, new):
            lines.append(Cell(own.diff_line.format(unit=unit, before=old, after=new), "strong"))
    if not lines:
        lines.append(own.diff_same)
    at = wanted.price.effective_from
    lines += ["", own.diff_now if at is None else own.diff_later.format(at=at), Cell(own.diff_kept, "dim")]
    return lines


def _same(old: str, new: str) -> bool:
    """`2.5` and `2.50` are the same money."""
    try:
        return float(old) == float(new)
    except ValueError:
        return old == new
