"""Why a model can or cannot be used by a key this moment: the first gate that is closed, and until when.

The gates in the order in which a request meets them, so that the answer is the one a request would get. Says it; refuses nothing.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from laidian.clock import moment
from laidian.domain.catalog import Catalog
from laidian.domain.group import Group
from laidian.domain.key import Key
from laidian.domain.selection import Health, select
from laidian.errors import LaidianError
from laidian.relay import gates
from laidian.relay.suited import suited

Gate = Literal["group", "upstream", "price", "capability", "health"]
"""group: not among the group's models. upstream: nothing of the group serves it, or all that does is disabled. price: none, so it is
refused rather than free. capability: the group lacks everything the model is made for. health: all that serve it rest for a while."""


class Availability(msgspec.Struct, frozen=True):
    """A model as one key sees it now; encodes to the answer of `?explain=1`."""

    id: str
    available: bool
    gate: Gate | None = None
    """None when it is available."""
    reason: str | None = None
    """A sentence, with the next step."""
    until: str | None = None
    """When it is tried again, as 2026-11-22T10:00:00Z; None when only an operator can open the gate."""


def availability(catalog: Catalog, key: Key, name: str, health: Health, now_ms: int) -> Availability:
    """The gates for one name. Raises Unauthenticated when the key's group is gone or disabled."""
    return availability_in(catalog, gates.group_of(catalog, key), name, health, now_ms)


def availability_in(catalog: Catalog, group: Group, name: str, health: Health, now_ms: int) -> Availability:
    """The gates for one name and any key of a group."""
    model = group.resolve(name)
    if not group.permits(model):
        why = f"model `{name}` is not in group `{group.name}`"
        return _closed(name, "group", gates.no_model(catalog, group, name, why))
    selection = select(group, catalog.upstreams, model, health, lambda: 0.5)
    if not selection.candidates and not selection.blocked:
        why = f"no upstream of group `{group.name}` serves model `{name}`"
        return _closed(name, "upstream", gates.no_model(catalog, group, name, why))
    price = catalog.price_of(model, now_ms)
    if price is None:
        return _closed(name, "price", gates.unpriced(model))
    if not suited(price) & group.capabilities:
        wanted = ", ".join(f"`{one}`" for one in sorted(suited(price)))
        reason = f"Model `{name}` needs the capability {wanted}, which group `{group.name}` lacks. Ask the operator to add it."
        return Availability(name, False, "capability", reason)
    if not selection.candidates:
        tries = [one.until_ms for one in selection.blocked if one.until_ms is not None]
        error = gates.no_upstream(name, selection.blocked, now_ms)
        if not tries:
            return _closed(name, "upstream", error)
        return _closed(name, "health", error, moment(min(tries)))
    return Availability(name, True)


def _closed(name: str, gate: Gate, error: LaidianError, until: str | None = None) -> Availability:
    return Availability(name, False, gate, error.message, until)
