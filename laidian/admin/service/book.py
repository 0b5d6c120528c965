"""The price book: which one rules, how the shipped one differs, and its adoption. Nothing is ever adopted by itself but the first."""

from __future__ import annotations

from collections.abc import Callable

from laidian.admin.schema import BookAdopt, PriceBookState, PriceChange, PriceDiff, Rate
from laidian.admin.service.moments import iso
from laidian.admin.service.prices import rate_wire
from laidian.admin.service.reading import checked
from laidian.domain import price as domain
from laidian.domain.price_book import BookEntry, PriceBook, parse_book
from laidian.errors import Bug, Conflict
from laidian.store.connection import Connection
from laidian.store.database import bump_catalog
from laidian.store.prices import BookRow, adopt_book, adopted_book, used_versions

_Place = tuple[str, str, str]
"""Provider, model, first day."""


def show_book(connection: Connection, shipped: bytes) -> PriceBookState:
    """`shipped`: the book that came with this program."""
    offered, row = _parsed(shipped), adopted_book(connection)
    ruling = None if row is None else _parsed(row.data)
    return PriceBookState(
        source=ruling.source if ruling else "",
        source_date=ruling.source_date if ruling else "",
        adopted_at=iso(row.adopted_at_ms) if row else None,
        models=len({(entry.provider, entry.model) for entry in ruling.entries}) if ruling else 0,
        shipped_source=offered.source,
        shipped_source_date=offered.source_date,
        differs=ruling is None or ruling.source != offered.source,
    )


def diff_book(connection: Connection, shipped: bytes) -> PriceDiff:
    """What adopting the shipped book would change, used models first."""
    offered, row = _parsed(shipped), adopted_book(connection)
    ruling = None if row is None else _parsed(row.data)
    before = _by_place(ruling) if ruling else {}
    after = _by_place(offered)
    used = _used(connection, ruling) if ruling else _nothing_used
    changes = [
        change
        for place in sorted(before.keys() | after.keys())
        if (change := _change(place, before.get(place), after.get(place), used(place))) is not None
    ]
    changes.sort(key=lambda change: not change.used)
    return PriceDiff(
        from_source=ruling.source if ruling else "", to_source=offered.source, changes=tuple(changes)
    )


def adopt_shipped_book(
    connection: Connection, change: BookAdopt, shipped: bytes, *, now_ms: int
) -> PriceBookState:
    """Makes the shipped book rule. Raises Conflict when it is not the one that was looked at. Records keep the prices they name."""
    change = checked(change)
    offered = _parsed(shipped)
    if change.source != offered.source:
        raise Conflict(
            f"The shipped price book is {offered.source}, not {change.source[:80]}. Look at the differences again, then adopt it.",
            param="source",
        )
    adopt(connection, shipped, now_ms)
    return show_book(connection, shipped)


def adopt(connection: Connection, shipped: bytes, now_ms: int) -> str:
    """Writes the book unless it rules already; returns its source."""
    offered, row = _parsed(shipped), adopted_book(connection)
    if row is None or row.source != offered.source:
        adopt_book(connection, BookRow(offered.source, offered.source_date, now_ms, shipped))
        bump_catalog(connection)
    return offered.source


def _parsed(data: bytes) -> PriceBook:
    try:
        return parse_book(data)
    except ValueError as error:
        raise Bug(str(error)) from None


def _by_place(book: PriceBook) -> dict[_Place, BookEntry]:
    return {(entry.provider, entry.model, entry.effective_from): entry for entry in book.entries}


def _used(connection: Connection, ruling: PriceBook) -> Callable[[_Place], bool]:
    """Whether some record was priced by an entry of the ruling book; its versions are written that way in price_book.py."""
    versions, source = used_versions(connection), ruling.source.replace(" ", "-")

    def used(place: _Place) -> bool:
        provider, model, first_day = place
        version = f"{source}/{provider}/{model}"
        return (f"{version}/{first_day}" if first_day else version) in versions

    return used


def _nothing_used(_: _Place) -> bool:
    return False


def _change(
    place: _Place, before: BookEntry | None, after: BookEntry | None, used: bool
) -> PriceChange | None:
    old, new, note = _rates(before), _rates(after), _note(before, after)
    if before is not None and after is not None and set(old) == set(new) and not note:
        return None
    return PriceChange(
        provider=place[0],
        model=place[1],
        effective_from=place[2],
        change="added" if before is None else "removed" if after is None else "changed",
        before=old,
        after=new,
        note=note,
        used=used,
    )


def _rates(entry: BookEntry | None) -> tuple[Rate, ...]:
    if entry is None:
        return ()
    return tuple(
        rate_wire(domain.Rate(rate.unit, rate.nano_per_million, rate.service_tier, rate.above_input_tokens))
        for rate in entry.rates
    )


def _note(before: BookEntry | None, after: BookEntry | None) -> str:
    if before is None or after is None:
        return ""
    old, new = {*before.aliases, *before.patterns}, {*after.aliases, *after.patterns}
    parts = [f"also prices {name}" for name in sorted(new - old)] + [
        f"no longer prices {name}" for name in sorted(old - new)
    ]
    for what, one, other in (
        ("context", before.context_tokens, after.context_tokens),
        ("output limit", before.max_output_tokens, after.max_output_tokens),
    ):
        if one != other:
            parts.append(f"{what} {_number(one)} to {_number(other)} tokens")
    return "; ".join(parts)


def _number(tokens: int | None) -> str:
    return "unknown" if tokens is None else str(tokens)
