"""How much a request may cost at most, and whether the money for it is there.

The rule, whole:
- A request that names its output limit is held at the worst case: input estimate plus that limit, times the number of
  choices. If any counter has less left, it is refused.
- A request that names none is held at the worst case with the model's own output limit, capped at what the tightest
  counter has left; it is refused only when not even its input and one output token are affordable. While a capped hold
  is out, the tightest counter has nothing left for others.
- A settlement takes what was used, at most the hold and what is then still left; what exceeds that is the operator's
  loss and is recorded as the shortfall. So no counter ever goes below zero.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from laidian.domain.quota import Counter


class Demand(msgspec.Struct, frozen=True):
    """What one request may cost, nano-USD."""

    worst_nano: int
    """The price that cannot be exceeded while the upstream keeps to the output limit."""
    least_nano: int
    """The smallest hold that lets the request in; equal to `worst_nano` when the client named its limit."""


def hold_nano(demand: Demand, counters: Iterable[Counter]) -> int | None:
    """The amount to set aside, nano-USD; None when the tightest counter cannot carry it."""
    left: int | None = None
    for counter in counters:
        here = counter.left_nano
        if here is not None and (left is None or here < left):
            left = here
    if left is None or left >= demand.worst_nano:
        return demand.worst_nano
    return left if left >= demand.least_nano else None


def charge_nano(amount_nano: int, held_nano: int, counters: Iterable[Counter]) -> int:
    """What a settlement may take for a receipt of `amount_nano`, given counters that still contain the hold."""
    charge = amount_nano
    for counter in counters:
        here = counter.left_nano
        if here is not None:
            charge = min(charge, here + held_nano)
    return max(charge, min(amount_nano, held_nano))
