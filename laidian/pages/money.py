"""Prices and amounts as a page writes them: exact, in US dollars, by the unit in which people think."""

from __future__ import annotations

from decimal import Decimal

from laidian.domain.money import NANO_PER_USD, format_usd
from laidian.domain.price import DEFAULT_TIER, Price, Rate

TEXT = ("input", "cached_input", "output")
"""Units with a column of their own; their rates are for a million tokens."""

_PER: dict[str, tuple[int, str]] = {
    "images": (1, "per_image"),
    "seconds": (60, "per_minute"),
    "characters": (1_000_000, "per_million_characters"),
    "web_searches": (1_000, "per_thousand_searches"),
}
"""Unit to how many of it a price is shown for, and the id of its words."""


def dollars(amount_nano: int) -> str:
    """Exact: `$0.018622`."""
    return f"-${format_usd(-amount_nano)}" if amount_nano < 0 else f"${format_usd(amount_nano)}"


def plain_rates(price: Price) -> dict[str, Rate]:
    """By unit: what holds without a service tier and for short prompts."""
    return {
        one.unit: one
        for one in price.rates
        if one.service_tier == DEFAULT_TIER and not one.above_input_tokens
    }


def long_rates(price: Price) -> dict[int, dict[str, Rate]]:
    """Prompt length to the rates that hold above it, shortest first."""
    found: dict[int, dict[str, Rate]] = {}
    for one in price.rates:
        if one.service_tier == DEFAULT_TIER and one.above_input_tokens:
            found.setdefault(one.above_input_tokens, {})[one.unit] = one
    return dict(sorted(found.items()))


def service_tiers(price: Price) -> list[str]:
    """Those with rates of their own."""
    return sorted({one.service_tier for one in price.rates} - {DEFAULT_TIER})


def shown_rate(rate: Rate) -> tuple[str, str]:
    """An amount, and the id of the words that say for what."""
    many, words = _PER.get(rate.unit, (1_000_000, "per_million_tokens"))
    usd = Decimal(rate.nano_per_million) * many / 1_000_000 / NANO_PER_USD
    text = f"{usd:f}"
    if "." in text:
        text = text.rstrip("0")
        whole, _, decimals = text.partition(".")
        text = f"{whole}.{decimals.ljust(2, '0')}"
    else:
        text = f"{text}.00"
    return f"${text}", words
