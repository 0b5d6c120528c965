"""Two sets of figures by day and model, and what differs between them. Pure.

Three things are looked for, because all three were seen in the wild: tokens that were billed but not used, a price that is quietly
multiplied, and another model than the one that was asked for.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal

import msgspec

from laidian.domain.money import NANO_PER_USD, format_usd

ALL = "all"
"""For the model: the figures are of the whole day."""
SMALLEST_NANO = NANO_PER_USD // 1000
"""A tenth of a cent: less is rounding."""
SMALLEST_TOKENS = 50
_SNAPSHOT = re.compile(r"[-@](\d{4}-?\d{2}-?\d{2}|\d{4})$|-latest$")


class Figures(msgspec.Struct, frozen=True):
    """What was used. None: the export does not say."""

    requests: int | None = None
    input_tokens: int | None = None
    """All of the prompt, cached ones included."""
    output_tokens: int | None = None
    cost_nano: int | None = None

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            _sum(self.requests, other.requests),
            _sum(self.input_tokens, other.input_tokens),
            _sum(self.output_tokens, other.output_tokens),
            _sum(self.cost_nano, other.cost_nano),
        )


Place = tuple[str, str]
"""Day (YYYY-MM-DD, UTC) and model."""
Book = dict[Place, Figures]


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """Figures as they are shown."""

    requests: int | None
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: str | None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    day: str
    model: str
    ours: Side
    theirs: Side
    findings: tuple[str, ...]
    """Sentences; empty when both agree."""


def add(book: Book, day: str, model: str, figures: Figures) -> None:
    place = (day, model)
    book[place] = book[place] + figures if place in book else figures


def usd_nano(value: object) -> int | None:
    """An export's dollars."""
    if value is None or value == "" or isinstance(value, bool):
        return None
    try:
        return int((Decimal(str(value)) * NANO_PER_USD).to_integral_value(ROUND_HALF_EVEN))
    except ArithmeticError:
        return None


def compare(ours: Book, theirs: Book, *, threshold: Decimal) -> list[Row]:
    """By day and model, the days in order. `threshold`: the part by which figures may differ, 0.01 for 1 %."""
    if any(model == ALL for _, model in theirs):
        ours = _by_day(ours)
    theirs = _named_like(ours, theirs)
    rows: list[Row] = []
    for day in sorted({day for day, _ in (*ours, *theirs)}):
        models = sorted({model for known, model in (*ours, *theirs) if known == day})
        of_day = [
            _row(day, model, ours.get((day, model)), theirs.get((day, model)), threshold) for model in models
        ]
        rows += _substitutions(of_day)
    return rows


def _row(day: str, model: str, ours: Figures | None, theirs: Figures | None, threshold: Decimal) -> Row:
    findings: list[str] = []
    if ours is None:
        findings.append(
            "they bill it, and nothing here asked for it: another user of the account, or another model than was asked for"
        )
    elif theirs is None:
        if ours.requests:
            findings.append("it was asked for here, and they do not bill it")
    else:
        findings = list(_differences(ours, theirs, threshold))
    return Row(day=day, model=model, ours=_side(ours), theirs=_side(theirs), findings=tuple(findings))


def _differences(ours: Figures, theirs: Figures, threshold: Decimal) -> Iterable[str]:
    same_tokens = True
    for name, mine, other in (
        ("requests", ours.requests, theirs.requests),
        ("input tokens", ours.input_tokens, theirs.input_tokens),
        ("output tokens", ours.output_tokens, theirs.output_tokens),
    ):
        if mine is None or other is None:
            same_tokens = same_tokens and name == "requests"
            continue
        least = 1 if name == "requests" else SMALLEST_TOKENS
        if abs(other - mine) >= least and abs(other - mine) > threshold * max(mine, 1):
            same_tokens = same_tokens and name == "requests"
            yield f"{name}: they count {other}, we counted {mine} ({_change(mine, other)})"
    mine, other = ours.cost_nano, theirs.cost_nano
    if mine is None or other is None:
        return
    if abs(other - mine) >= SMALLEST_NANO and abs(other - mine) > threshold * max(mine, 1):
        told = f"cost: they take ${format_usd(other)}, the published price makes ${format_usd(mine)}"
        if mine and same_tokens:
            yield f"{told}, that is {Decimal(other) / Decimal(mine):.2f}x for the same tokens"
        else:
            yield f"{told} ({_change(mine, other)})"


def _substitutions(rows: list[Row]) -> list[Row]:
    """Where one model is missing at theirs and another at ours with as many requests, says so at both."""
    lost = [row for row in rows if row.findings and row.theirs == _NOTHING and row.ours.requests]
    found = [row for row in rows if row.findings and row.ours == _NOTHING and row.theirs.requests]
    named: dict[str, str] = {}
    for row in lost:
        other = next(
            (
                one
                for one in found
                if one.theirs.requests == row.ours.requests and one.model not in named.values()
            ),
            None,
        )
        if other is not None:
            named[row.model] = other.model
    back = {there: here for here, there in named.items()}
    return [
        msgspec.structs.replace(
            row, findings=(*row.findings, f"as many requests were billed as `{named[row.model]}`")
        )
        if row in lost and row.model in named
        else msgspec.structs.replace(
            row, findings=(*row.findings, f"as many requests asked for `{back[row.model]}`")
        )
        if row in found and row.model in back
        else row
        for row in rows
    ]


def _named_like(ours: Book, theirs: Book) -> Book:
    """Their names as ours where they mean the same: a dated snapshot of a model, or `provider/model`."""
    known = {model for _, model in ours}
    renamed: Book = {}
    for (day, model), figures in theirs.items():
        add(renamed, day, _like(model, known), figures)
    return renamed


def _like(model: str, known: set[str]) -> str:
    if model in known or model == ALL:
        return model
    for tried in (
        model.rpartition("/")[2],
        _SNAPSHOT.sub("", model),
        _SNAPSHOT.sub("", model.rpartition("/")[2]),
    ):
        if tried in known:
            return tried
    plain = _SNAPSHOT.sub("", model)
    return next((one for one in sorted(known) if _SNAPSHOT.sub("", one) == plain), model)


def _by_day(book: Mapping[Place, Figures]) -> Book:
    found: Book = {}
    for (day, _), figures in book.items():
        add(found, day, ALL, figures)
    return found


def _side(figures: Figures | None) -> Side:
    if figures is None:
        return _NOTHING
    cost = None if figures.cost_nano is None else format_usd(figures.cost_nano)
    return Side(
        requests=figures.requests,
        input_tokens=figures.input_tokens,
        output_tokens=figures.output_tokens,
        cost_usd=cost,
    )


_NOTHING = Side(requests=None, input_tokens=None, output_tokens=None, cost_usd=None)


def _change(mine: int, other: int) -> str:
    return "all of it" if not mine else f"{(Decimal(other) / Decimal(mine) - 1) * 100:+.1f} %"


def _sum(one: int | None, two: int | None) -> int | None:
    return two if one is None else one if two is None else one + two


def days_between(since: datetime.date, until: datetime.date) -> list[datetime.date]:
    """From the first to the last, both included."""
    return [since + datetime.timedelta(days=number) for number in range((until - since).days + 1)]
