"""What a usage costs at a published price, line by line, and what a request can cost at most.

Owns the rules of pricing: which rate serves a unit, the long-context and service tiers, the one rounding per line. It
knows neither where prices come from (`price_book.py`) nor when they hold. The rule a newcomer would break: a missing
rate is never free. It is served by the next rate of `FALLBACKS`, or the request is `Unpriced`; a rate of 0 is a price.
"""

from collections.abc import Iterable
from functools import cached_property

import msgspec

from laidian.domain.money import PPM
from laidian.domain.usage import INPUT_UNITS, OUTPUT_UNITS, UNITS, Usage

DEFAULT_TIER = "default"
"""The service tier whose rates every price has; other tiers hold only the rates that differ."""

DEFAULT_TIER_NAMES = frozenset({"", DEFAULT_TIER, "standard"})
"""What the providers call it: OpenAI "default", Gemini and Anthropic "standard", or nothing at all."""

FALLBACKS: dict[str, tuple[str, ...]] = {
    "cached_input": ("input",),
    "cache_write": ("input",),
    "cache_write_1h": ("cache_write", "input"),
    "image_input": ("input",),
    "cached_image_input": ("image_input", "cached_input", "input"),
    "audio_input": ("input",),
    "cached_audio_input": ("audio_input", "cached_input", "input"),
    "reasoning": ("output",),
    "image_output": ("output",),
    "audio_output": ("output",),
}
"""The rates that may serve a unit without one of its own, first found first. Units that are not named have none."""

_SILENT_FALLBACKS = frozenset(
    {
        # Published that way: no discount and no surcharge means the plain rate.
        ("cached_input", "input"),
        ("cache_write", "input"),
        ("reasoning", "output"),
        # Chat models that read images sell their tokens at the input rate; only image models have a rate apart.
        ("image_input", "input"),
        ("cached_image_input", "image_input"),
        ("cached_image_input", "cached_input"),
        ("cached_image_input", "input"),
        ("cached_audio_input", "audio_input"),
    }
)
"""Fallbacks that are how the unit is sold, so that a receipt need not explain them."""

TEXT_UNITS = frozenset({"input", "cached_input", "cache_write", "cache_write_1h", "output", "reasoning"})
"""The token classes of a request without images and audio."""

_ONE = PPM * PPM
"""Divisor of quantity x rate per million x multiplier in ppm."""

_ROUND = _ONE // 2


class Unpriced(ValueError):
    """The price has no rate that can serve a unit of the usage. Not the caller's fault: the operator adds the rate."""

    def __init__(self, model: str, unit: str) -> None:
        super().__init__(f"Model {model} has no price for {unit}; add a rate for {unit} to its price.")
        self.model = model
        self.unit = unit


class Rate(msgspec.Struct, frozen=True):
    """What one unit costs under one service tier from one prompt length on. Raises ValueError on an unknown unit."""

    unit: str
    """One of `UNITS`."""

    nano_per_million: int
    """Nano-USD for one million of the unit, >= 0; also for images, seconds, characters and searches. 0 is free."""

    service_tier: str = DEFAULT_TIER
    """Lower case, as the provider's response names it: "default", "flex", "priority", "fast", "batch"."""

    above_input_tokens: int = 0
    """Holds for the whole request when its prompt, cached tokens included, is longer than this. 0: always."""

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise ValueError(f'There is no unit "{self.unit}"; the units are {", ".join(UNITS)}.')
        if self.nano_per_million < 0 or self.above_input_tokens < 0:
            raise ValueError(
                f"The rate of {self.unit} ({self.nano_per_million} nano-USD per million above "
                f"{self.above_input_tokens} input tokens) is negative; both numbers must be 0 or more."
            )


class Price(msgspec.Struct, frozen=True, dict=True):
    """All rates of one model from one date on.

    Raises ValueError when two rates have the same unit, service tier and prompt length.
    """

    model: str
    """The name the source gives the model; a request may have used an alias."""

    effective_from_ms: int
    """Epoch milliseconds; 0: since ever, as far as the source knows."""

    source: str
    """Who says so, with version: "genai-prices 0.2.3", or "operator"."""

    source_date: str
    """Day the source was published, YYYY-MM-DD."""

    version: str
    """Names this very price on receipts; another price never has the same one."""

    rates: tuple[Rate, ...]

    context_tokens: int | None
    """Largest prompt plus answer; None: the source does not say."""

    max_output_tokens: int | None
    """Largest answer; None: the source does not say."""

    def __post_init__(self) -> None:
        seen: set[tuple[str, str, int]] = set()
        for rate in self.rates:
            place = (rate.unit, rate.service_tier, rate.above_input_tokens)
            if place in seen:
                raise ValueError(
                    f"Model {self.model} has two rates for {rate.unit}, service tier {rate.service_tier}, "
                    f"above {rate.above_input_tokens} input tokens; keep one."
                )
            seen.add(place)

    @cached_property
    def index(self) -> "PriceIndex":
        """The rates arranged for look-up; built at the first request that needs it."""
        return PriceIndex(self)

    def has_service_tier(self, service_tier: str) -> bool:
        """Whether the price knows this service tier; the others are priced at the default rates."""
        return _tier_name(service_tier) in self.index.tables


class ReceiptLine(msgspec.Struct, frozen=True):
    """One class of a usage at its rate."""

    unit: str
    quantity: int
    """> 0, in the unit."""

    nano_per_million: int
    """The published rate, before the multiplier."""

    amount_nano: int
    """quantity x rate x multiplier, rounded half up to a whole nano-dollar."""


class Receipt(msgspec.Struct, frozen=True):
    """The price calculation of one request; the lines add up to the amount exactly."""

    lines: tuple[ReceiptLine, ...]
    amount_nano: int
    service_tier: str
    """The tier whose rates were used: "default" also when the one asked for is not in the price."""

    note: str
    """Which rate stood in for a missing one; "" when none did."""


class _Served(msgspec.Struct, frozen=True):
    """The rate that serves a unit."""

    nano_per_million: int
    note: str
    """Why it is not the unit's own rate; "" when it is, or when the unit is sold that way."""


class _Ceiling(msgspec.Struct, frozen=True):
    """The dearest rates a request may meet once its prompt may be longer than `above_input_tokens`."""

    above_input_tokens: int
    input_nano: int | None
    """Per million tokens; None: no token class of the prompt has a rate."""

    output_nano: int | None


_Row = tuple[_Served | None, ...]
"""One entry per unit, in the order of `UNITS`; None: the unit cannot be priced."""


class _TierTable:
    """The rates of one service tier, one row per prompt length."""

    def __init__(self, rates: dict[tuple[str, str], dict[int, int]], service_tier: str) -> None:
        steps = {unit: _steps(rates, service_tier, unit) for unit in UNITS}
        starts = {0} | {start for by_start in steps.values() for start in by_start}
        self.rows: tuple[tuple[int, _Row], ...] = tuple(
            (start, _row(steps, start)) for start in sorted(starts, reverse=True)
        )
        """(above_input_tokens, row), longest prompt first; the last one holds always."""

    def row(self, input_tokens: int) -> _Row:
        for start, row in self.rows:
            if input_tokens > start:
                return row
        return self.rows[-1][1]


class PriceIndex:
    """The rates of one price by service tier, prompt length and unit."""

    def __init__(self, price: Price) -> None:
        rates: dict[tuple[str, str], dict[int, int]] = {}
        for rate in price.rates:
            steps = rates.setdefault((rate.service_tier, rate.unit), {})
            steps[rate.above_input_tokens] = rate.nano_per_million
        tiers = {DEFAULT_TIER} | {rate.service_tier for rate in price.rates}
        self.tables = {tier: _TierTable(rates, tier) for tier in sorted(tiers)}
        self._ceilings: dict[tuple[str | None, bool], tuple[_Ceiling, ...]] = {}

    def ceilings(self, service_tier: str | None, text_only: bool) -> tuple[_Ceiling, ...]:
        """The dearest rates of one service tier, or of all (None), longest prompt first."""
        key = (service_tier, text_only)
        if key not in self._ceilings:
            tables = self.tables.values() if service_tier is None else (self.tables[service_tier],)
            self._ceilings[key] = _ceilings(tables, TEXT_UNITS if text_only else frozenset(UNITS))
        return self._ceilings[key]


def price_usage(
    price: Price,
    usage: Usage,
    *,
    service_tier: str = DEFAULT_TIER,
    multiplier_ppm: int = PPM,
) -> Receipt:
    """The receipt of one request.

    A service tier the price does not know is priced at the default rates, and the note says so. Raises `Unpriced` when
    a unit used has no rate, ValueError on a negative multiplier.
    """
    if multiplier_ppm < 0:
        raise ValueError(
            f"A multiplier of {multiplier_ppm} parts per million is negative; it must be 0 or more."
        )
    tables = price.index.tables
    tier = _tier_name(service_tier)
    notes: list[str] = []
    if tier not in tables:
        notes.append(f"no rates for service tier {tier[:40]}: default rates used")
        tier = DEFAULT_TIER
    quantities: tuple[int, ...] = msgspec.structs.astuple(usage)
    row = tables[tier].row(sum(quantities[: len(INPUT_UNITS)]))
    lines: list[ReceiptLine] = []
    amount_nano = 0
    for unit, quantity, served in zip(UNITS, quantities, row, strict=True):
        if not quantity:
            continue
        if served is None:
            raise Unpriced(price.model, unit)
        rate = served.nano_per_million
        line_nano = (quantity * rate * multiplier_ppm + _ROUND) // _ONE
        amount_nano += line_nano
        lines.append(ReceiptLine(unit, quantity, rate, line_nano))
        if served.note:
            notes.append(served.note)
    return Receipt(tuple(lines), amount_nano, tier, "; ".join(notes))


def upper_bound(
    price: Price,
    *,
    input_tokens: int,
    output_tokens: int,
    service_tier: str = DEFAULT_TIER,
    multiplier_ppm: int = PPM,
    text_only: bool = False,
) -> int:
    """Nano-USD that `price_usage` never exceeds for token usage with at most these totals, however split in classes.

    Takes the dearest class and the dearest long-context tier the totals can reach. A service tier the price does not
    know, "auto" among them, may be served as any: the dearest of all counts. `text_only` leaves out the image and audio
    classes, for a request that can have neither in its prompt or its answer. Units other than tokens (images, seconds,
    characters, searches) are the caller's to add with `price_usage`.

    Raises `Unpriced` when there are tokens on a side without any rate, ValueError on a negative argument.
    """
    if input_tokens < 0 or output_tokens < 0 or multiplier_ppm < 0:
        raise ValueError(
            f"An upper bound needs numbers of 0 or more, not {input_tokens} input tokens, {output_tokens} output "
            f"tokens and a multiplier of {multiplier_ppm} parts per million."
        )
    tier = _tier_name(service_tier)
    ceilings = price.index.ceilings(tier if tier in price.index.tables else None, text_only)
    ceiling = next((c for c in ceilings if input_tokens > c.above_input_tokens), ceilings[-1])
    exact = 0
    for unit, tokens, rate, units in (
        ("input", input_tokens, ceiling.input_nano, len(INPUT_UNITS)),
        ("output", output_tokens, ceiling.output_nano, len(OUTPUT_UNITS)),
    ):
        if not tokens:
            continue
        if rate is None:
            raise Unpriced(price.model, unit)
        # Half a nano-dollar for every line the tokens could be split into: each is rounded on its own.
        lines = min(tokens, units) if rate and multiplier_ppm else 0
        exact += tokens * rate * multiplier_ppm + lines * _ROUND
    return -(-exact // _ONE)


def _steps(rates: dict[tuple[str, str], dict[int, int]], service_tier: str, unit: str) -> dict[int, int]:
    """Prompt length to rate: the tier's own, and the default ones for prompts shorter than its first."""
    own, usual = rates.get((service_tier, unit), {}), rates.get((DEFAULT_TIER, unit), {})
    if not own:
        return usual
    return {start: rate for start, rate in usual.items() if start < min(own)} | own


def _tier_name(service_tier: str) -> str:
    if service_tier in DEFAULT_TIER_NAMES:
        return DEFAULT_TIER
    name = service_tier.lower()
    return DEFAULT_TIER if name in DEFAULT_TIER_NAMES else name


def _row(steps: dict[str, dict[int, int]], start: int) -> _Row:
    """The rates that hold for prompts longer than `start`, each unit served by its own rate or a fallback."""
    own = {
        unit: by_start[max(s for s in by_start if s <= start)]
        for unit, by_start in steps.items()
        if any(s <= start for s in by_start)
    }
    return tuple(_served(own, unit) for unit in UNITS)


def _served(own: dict[str, int], unit: str) -> _Served | None:
    if unit in own:
        return _Served(own[unit], "")
    for other in FALLBACKS.get(unit, ()):
        if other in own:
            silent = (unit, other) in _SILENT_FALLBACKS
            return _Served(own[other], "" if silent else f"no rate for {unit}: {other} rate used")
    return None


def _ceilings(tables: Iterable[_TierTable], units: frozenset[str]) -> tuple[_Ceiling, ...]:
    rows = [pair for table in tables for pair in table.rows]
    ceilings: list[_Ceiling] = []
    input_nano = output_nano = None
    for start in sorted({start for start, _ in rows}):
        for row in (row for row_start, row in rows if row_start == start):
            rates = {
                unit: served for unit, served in zip(UNITS, row, strict=True) if unit in units and served
            }
            input_nano = _dearest(input_nano, rates, INPUT_UNITS)
            output_nano = _dearest(output_nano, rates, OUTPUT_UNITS)
        ceilings.append(_Ceiling(start, input_nano, output_nano))
    return tuple(reversed(ceilings))


def _dearest(so_far: int | None, rates: dict[str, _Served], units: tuple[str, ...]) -> int | None:
    found = [rates[unit].nano_per_million for unit in units if unit in rates]
    return max([*found, *(() if so_far is None else (so_far,))], default=None)
