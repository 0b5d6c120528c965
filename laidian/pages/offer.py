"""What the instance offers: which models, for what, at which multiplier, and whether they work this moment.

For one group, as its keys see it, or for several together, as the public sees the instance. Pure over a snapshot; a model that would be
refused for want of a price is not offered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from laidian.domain.catalog import Catalog
from laidian.domain.group import CAPABILITIES, Group
from laidian.domain.price import Price
from laidian.domain.selection import BlockCause, Health, select
from laidian.domain.snippets import Usable
from laidian.relay.suited import suited

State = Literal["up", "resting", "down"]
"""up: a request would be sent now. resting: every account that serves it rests until a moment. down: only the operator can change it."""


class Offer(msgspec.Struct, frozen=True):
    """One model under its public name."""

    name: str
    model: str
    """Behind the group's alias."""
    capabilities: tuple[str, ...]
    """In the order of CAPABILITIES; what it suits and some group has."""
    price: Price
    multipliers: tuple[int, ...]
    """In millionths, of the groups that may use it, each once, lowest first."""
    state: State
    until_ms: int | None
    reason: BlockCause | None
    """Why it is not up, in a word: the sentences that operators read name accounts, which are nobody else's business."""
    upstreams: frozenset[int]
    """Ids of those that serve it, working or not."""


class Offers(msgspec.Struct, frozen=True):
    """Everything that some groups offer."""

    models: tuple[Offer, ...]
    """By name."""
    capabilities: frozenset[str]
    multipliers: tuple[int, ...]
    """Of the groups."""

    def usable(self) -> tuple[Usable, ...]:
        """Those that work now, for examples."""
        return tuple(Usable(one.name, suited(one.price)) for one in self.models if one.state == "up")


def public_groups(catalog: Catalog, name: str) -> list[Group]:
    """The groups that everybody sees: the named one, or all that are enabled."""
    return [group for group in catalog.groups.values() if group.enabled and name in ("", group.name)]


def offers(catalog: Catalog, groups: Iterable[Group], health: Health, now_ms: int) -> Offers:
    """The models of these groups; where several have one, the best state counts."""
    groups = list(groups)
    found: dict[str, Offer] = {}
    listed = catalog.known_models()
    for group in groups:
        names = {name for name in listed if name not in group.aliases} | set(group.aliases)
        for name in names:
            offer = _offer(catalog, group, name, health, now_ms)
            if offer is not None:
                found[name] = _better(found[name], offer) if name in found else offer
    return Offers(
        tuple(found[name] for name in sorted(found)),
        frozenset[str]().union(*(group.capabilities for group in groups)),
        tuple(sorted({group.multiplier_ppm for group in groups})),
    )


def _offer(catalog: Catalog, group: Group, name: str, health: Health, now_ms: int) -> Offer | None:
    model = group.resolve(name)
    price = catalog.price_of(model, now_ms) if group.permits(model) else None
    if price is None:
        return None
    made_for = Usable(name, suited(price))
    useful = [one for one in CAPABILITIES if one in group.capabilities and made_for.made_for(one)]
    selection = select(group, catalog.upstreams, model, health, lambda: 0.5)
    if not useful or not (selection.candidates or selection.blocked):
        return None
    upstreams = _serving(catalog, group, model)
    if selection.candidates:
        return Offer(name, model, tuple(useful), price, (group.multiplier_ppm,), "up", None, None, upstreams)
    # the one that comes back first; then what the operator has switched off and on again sooner than given a new credential
    first = min(
        selection.blocked,
        key=lambda one: (one.until_ms is None, one.until_ms or 0, _CAUSES.index(one.cause)),
    )
    state: State = "down" if first.until_ms is None else "resting"
    return Offer(
        name,
        model,
        tuple(useful),
        price,
        (group.multiplier_ppm,),
        state,
        first.until_ms,
        first.cause,
        upstreams,
    )


def _serving(catalog: Catalog, group: Group, model: str) -> frozenset[int]:
    ranked = {rank.upstream_id for rank in group.upstreams}
    return frozenset(
        one.id
        for one in catalog.upstreams.values()
        if (not ranked or one.id in ranked) and one.name_of(model) is not None
    )


_ORDER: Sequence[State] = ("up", "resting", "down")
_CAUSES: Sequence[BlockCause] = ("resting", "disabled", "no_credential")


def _better(one: Offer, other: Offer) -> Offer:
    best = min(one, other, key=lambda offer: _ORDER.index(offer.state))
    both = {*one.capabilities, *other.capabilities}
    return msgspec.structs.replace(
        best,
        capabilities=tuple(name for name in CAPABILITIES if name in both),
        multipliers=tuple(sorted({*one.multipliers, *other.multipliers})),
        upstreams=one.upstreams | other.upstreams,
    )
