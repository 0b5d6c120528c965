"""How long things took, kept as counts in classes, so that sums of hours and days still know their percentiles.

The rule a newcomer would break: the bounds are part of the database's meaning. Changing one needs a migration that counts again.
"""

from __future__ import annotations

from collections.abc import Sequence

BOUNDS_MS = (25, 50, 100, 150, 250, 400, 600, 1000, 1500, 2500, 4000, 6000, 10_000, 20_000, 60_000)
"""Upper bounds, each excluded, of all classes but the last, which has none."""
CLASSES = len(BOUNDS_MS) + 1
_LONGEST_MS = 300_000
"""Taken for the upper bound of the last class."""


def percentile_ms(counts: Sequence[int], share: float) -> int | None:
    """The duration below which `share` (0 to 1) of the measurements lie, likely; None without any.

    Within a class the measurements are taken to lie evenly.
    """
    total = sum(counts)
    if not total:
        return None
    wanted = share * total
    below = 0
    for index, count in enumerate(counts):
        if count and below + count >= wanted:
            low = BOUNDS_MS[index - 1] if index else 0
            high = BOUNDS_MS[index] if index < len(BOUNDS_MS) else _LONGEST_MS
            return round(low + (high - low) * (wanted - below) / count)
        below += count
    return _LONGEST_MS
