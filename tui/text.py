"""Values as they are written on screen, and text from outside made harmless."""

from __future__ import annotations

import datetime

from rich.text import Text


def plain(text: str, style: str = "") -> Text:
    """Without control characters, direction marks or markup, on one line."""
    return Text(clean(text), style=style, no_wrap=True, overflow="ellipsis")


def clean(text: str) -> str:
    """Text from outside without control characters and direction marks."""
    return text if text.isprintable() else "".join(letter if letter.isprintable() else " " for letter in text)


def dollars(amount: str) -> str:
    """The API's exact decimal text, with its sign."""
    return f"-${amount[1:]}" if amount.startswith("-") else f"${amount}"


def short_dollars(amount: str | None) -> str:
    """Money in a narrow place: four digits that count, `$0.0039`, `$1.02`, `$1,204`; `-` for none. Receipts show `dollars`."""
    if amount is None:
        return "-"
    sign, digits = ("-", amount[1:]) if amount.startswith("-") else ("", amount)
    value = float(digits)
    if value == 0:
        return "$0"
    if value >= 1_000:
        return f"{sign}${value:,.0f}"
    if value >= 0.1:
        return f"{sign}${value:.2f}"
    return f"{sign}${value:.4f}" if value >= 0.00005 else f"{sign}<$0.0001"


def count(value: int) -> str:
    return f"{value:,}"


def compact(value: float) -> str:
    """At most four letters and a unit: `412`, `9.1k`, `118k`, `2.4M`."""
    for size, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if value >= size:
            scaled = value / size
            return f"{scaled:.0f}{unit}" if scaled >= 99.5 else f"{scaled:.1f}{unit}"
    return f"{value:.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


def percent(share: float) -> str:
    """`99.9%`, `100%`, `0%`."""
    return f"{share * 100:.0f}%" if share in (0, 1) or share >= 9.995 else f"{share * 100:.1f}%"


def duration(seconds: int) -> str:
    """The two largest units: `6 d 4 h`."""
    parts: list[str] = []
    left = max(0, seconds)
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def ago(seconds: float) -> str:
    """The largest unit alone, for a column: `2 s`, `4 min`, `41 d`."""
    left = max(0, int(seconds))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if left >= size:
            return f"{left // size} {unit}"
    return f"{left} s"


def milliseconds(value: int) -> str:
    return f"{value} ms" if value < 1_000 else f"{value / 1_000:.1f} s"


def moment(iso: str | None) -> datetime.datetime | None:
    """A time of the API; None for none, and for what is no time."""
    if not iso:
        return None
    try:
        found = datetime.datetime.fromisoformat(iso)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=datetime.UTC)


def clock(iso: str) -> str:
    """The time of day in UTC, `10:00:05`; what is no time stays as it is."""
    try:
        found = datetime.datetime.fromisoformat(iso)
    except ValueError:
        return iso
    if found.tzinfo is not None:
        found = found.astimezone(datetime.UTC)
    return f"{found:%H:%M:%S}"
