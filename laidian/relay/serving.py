"""Who serves what now: for a group, every model with the upstreams that would be asked for it, in order, and which gate is closed.

The same selection and the same gates as a request meets (relay.explain, domain.selection), asked without a request.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from laidian.domain.catalog import Catalog
from laidian.domain.group import Group
from laidian.domain.price import Price
from laidian.domain.selection import Health, select
from laidian.domain.upstream import Upstream
from laidian.relay.explain import Availability, availability_in

PlaceState = Literal["up", "resting", "no_credential", "disabled", "none"]


class Placed(msgspec.Struct, frozen=True):
    """What one upstream is for one model."""

    upstream: str
    rank: int
    """1 is tried first; 0: it does not serve the model."""
    state: PlaceState
    reason: str
    until_ms: int | None


class Served(msgspec.Struct, frozen=True):
    """A model as a group's keys have it."""

    told: Availability
    price: Price | None
    served_by: str
    places: tuple[Placed, ...]


def ranked(catalog: Catalog, group: Group) -> list[tuple[int, Upstream]]:
    """A group's upstreams in the order in which they are tried, with ranks from 1."""
    if group.upstreams:
        known = [
            (one.rank, catalog.upstreams[one.upstream_id])
            for one in group.upstreams
            if one.upstream_id in catalog.upstreams
        ]
    else:
        known = [(upstream.priority, upstream) for upstream in catalog.upstreams.values()]
    known.sort(key=lambda one: (one[0], one[1].name))
    ranks = {rank: number for number, rank in enumerate(sorted({rank for rank, _ in known}), start=1)}
    return [(ranks[rank], upstream) for rank, upstream in known]


def who_serves(catalog: Catalog, group: Group, health: Health, now_ms: int) -> list[Served]:
    """Every model that some upstream of the group can be said to serve and the group lets through, and its aliases."""
    order = ranked(catalog, group)
    names = {name for _, upstream in order for name in upstream.listed() if group.permits(name)} | set(
        group.aliases
    )
    return [_served(catalog, group, order, name, health, now_ms) for name in sorted(names)]


def _served(
    catalog: Catalog, group: Group, order: list[tuple[int, Upstream]], name: str, health: Health, now_ms: int
) -> Served:
    model = group.resolve(name)
    told = availability_in(catalog, group, name, health, now_ms)
    first = select(group, catalog.upstreams, model, health, lambda: 0.5).candidates if told.available else ()
    return Served(
        told,
        catalog.price_of(model, now_ms),
        first[0].upstream.name if first else "",
        tuple(place(rank, upstream, model, health) for rank, upstream in order),
    )


def place(rank: int, upstream: Upstream, model: str, health: Health) -> Placed:
    """What an upstream is for a model now; resting only when all its credentials are."""
    theirs = upstream.name_of(model)
    if theirs is None:
        return Placed(upstream.name, 0, "none", "", None)
    if not upstream.enabled:
        return Placed(upstream.name, rank, "disabled", "disabled by the operator", None)
    if not upstream.credentials:
        return Placed(upstream.name, rank, "no_credential", "it has no enabled credential", None)
    opened = [health(upstream.id, one.id, theirs) for one in upstream.credentials]
    resting = [one for one in opened if one is not None]
    if len(resting) < len(opened):
        return Placed(upstream.name, rank, "up", "", None)
    soonest = min(resting, key=lambda one: one.until_ms)
    return Placed(upstream.name, rank, "resting", soonest.reason, soonest.until_ms)


def reaches(group: Group, model: str) -> bool:
    """Whether a group's keys may name a model, whatever serves it."""
    return group.enabled and group.permits(model)
