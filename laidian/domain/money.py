"""Amounts of money and price multipliers: exact integers inside, decimal text at the edges.

An amount is an int of nano-US-dollars (1e-9 USD), a multiplier an int of parts per million. This file reads and writes
their text forms and refuses to calculate: that is `price.py`. The rule a newcomer would break: no float, ever, not even
on the way to the screen.
"""

import re

NANO_PER_USD = 1_000_000_000
"""Nano-dollars in one US dollar."""

PPM = 1_000_000
"""A multiplier of 1x in parts per million."""

LARGEST_USD = 9_000_000
"""Largest amount read from text, in USD: its nano-dollars still fit the 2**53 integers every JSON reader keeps exact."""

LARGEST_MULTIPLIER = 1_000
"""Largest multiplier read from text; anything above is taken for a typing error."""

_AMOUNT = re.compile(r"(-?)\$?([0-9]{1,15})(?:\.([0-9]+))?")
_MULTIPLIER = re.compile(r"([0-9]{1,6})(?:\.([0-9]+))?[x×]?", re.IGNORECASE)


def parse_usd(text: str, *, allow_negative: bool = False) -> int:
    """Read "12.50", "$3" or "0.000001" as nano-dollars.

    `allow_negative` admits "-2" and "-$2" (a correction of a balance). Raises ValueError, a sentence for the person who
    typed it, on anything else: no number, more than 9 decimals, a minus sign that is not allowed, above `LARGEST_USD`.
    """
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f'"{_shown(text)}" is not an amount in US dollars; write it like 12.50 or 0.000001.')
    sign, whole, decimals = match[1], match[2], (match[3] or "").rstrip("0")
    if sign and not allow_negative:
        raise ValueError(f'The amount "{_shown(text)}" is negative; give an amount of 0 or more.')
    if len(decimals) > 9:
        raise ValueError(
            f'The amount "{_shown(text)}" has more than 9 decimals; the smallest unit is 0.000000001 USD.'
        )
    amount_nano = int(whole) * NANO_PER_USD + int(decimals.ljust(9, "0"))
    if amount_nano > LARGEST_USD * NANO_PER_USD:
        raise ValueError(f'The amount "{_shown(text)}" is above the largest one accepted, {LARGEST_USD} USD.')
    return -amount_nano if sign else amount_nano


def format_usd(amount_nano: int) -> str:
    """Write nano-dollars as an exact decimal: "0.018622", "12.50", "-0.01".

    At least two decimals, no zeros behind them, no exponent, no currency sign; `parse_usd` reads it back unchanged.
    """
    whole, rest = divmod(abs(amount_nano), NANO_PER_USD)
    decimals = f"{rest:09d}".rstrip("0").ljust(2, "0")
    return f"{'-' if amount_nano < 0 else ''}{whole}.{decimals}"


def parse_multiplier(text: str) -> int:
    """Read "1x", "1.25x" or "0.5" as parts per million; 0 is legal and means that nothing is charged.

    Raises ValueError, a sentence, on anything else: a sign, more than 6 decimals, above `LARGEST_MULTIPLIER`.
    """
    match = _MULTIPLIER.fullmatch(text.strip())
    if match is None:
        raise ValueError(f'"{_shown(text)}" is not a price multiplier; write it like 1x or 1.25x.')
    whole, decimals = match[1], (match[2] or "").rstrip("0")
    if len(decimals) > 6:
        raise ValueError(
            f'The multiplier "{_shown(text)}" has more than 6 decimals; the smallest step is 0.000001x.'
        )
    multiplier_ppm = int(whole) * PPM + int(decimals.ljust(6, "0"))
    if multiplier_ppm > LARGEST_MULTIPLIER * PPM:
        raise ValueError(
            f'The multiplier "{_shown(text)}" is above the largest one accepted, {LARGEST_MULTIPLIER}x.'
        )
    return multiplier_ppm


def format_multiplier(multiplier_ppm: int) -> str:
    """Write parts per million as "1x" or "1.25x", exact; `parse_multiplier` reads it back unchanged.

    Raises ValueError on a negative multiplier: none exists.
    """
    if multiplier_ppm < 0:
        raise ValueError(
            f"A multiplier of {multiplier_ppm} parts per million is negative; it must be 0 or more."
        )
    whole, rest = divmod(multiplier_ppm, PPM)
    decimals = f"{rest:06d}".rstrip("0")
    return f"{whole}.{decimals}x" if decimals else f"{whole}x"


def _shown(text: str) -> str:
    """What was typed, short enough for one line of an error."""
    return text if len(text) <= 40 else text[:40] + "…"
