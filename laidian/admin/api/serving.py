"""/admin/v1/groups/{name}/serving and /admin/v1/models: what can be had now, from whom, and why not.

The rules are the relay's (relay.serving, relay.explain); this file asks them of the catalogue that requests are served from.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from laidian.admin.api.services import AdminServices
from laidian.admin.schema import GroupServing, Model, ModelServer, ServedModel, ServingCell, UpstreamState
from laidian.admin.service import asked
from laidian.admin.service.asked import Asked
from laidian.admin.service.moments import iso_or_none
from laidian.admin.service.names import unknown
from laidian.admin.service.prices import price_wire
from laidian.domain.catalog import Catalog
from laidian.domain.group import Group
from laidian.domain.money import format_multiplier, format_usd
from laidian.domain.price import Price
from laidian.domain.selection import Health
from laidian.relay.gates import unpriced
from laidian.relay.serving import Placed, Served, place, ranked, reaches, who_serves
from laidian.relay.suited import suited

ModelState = Literal["up", "resting", "unpriced", "no_upstream", "no_group"]


@get("/groups/{name:str}/serving")
async def show_serving(name: FromPath[str], services: NamedDependency[AdminServices]) -> GroupServing:
    """Who serves what now."""
    catalog, now_ms = services.catalog.current(), services.now_ms()
    group = next((one for one in catalog.groups.values() if one.name == name), None)
    if group is None:
        raise unknown("group", name, (one.name for one in catalog.groups.values()), param="group")
    return GroupServing(
        group=group.name,
        multiplier=format_multiplier(group.multiplier_ppm),
        upstreams=tuple(upstream.name for _, upstream in ranked(catalog, group)),
        models=tuple(_served(one) for one in who_serves(catalog, group, services.health.opened, now_ms)),
    )


def _served(one: Served) -> ServedModel:
    told = one.told
    return ServedModel(
        model=told.id,
        available=told.available,
        gate=told.gate or "",
        reason=told.reason or "",
        until=told.until,
        served_by=one.served_by,
        input_usd=_rate(one.price, "input"),
        output_usd=_rate(one.price, "output"),
        cells=tuple(
            ServingCell(
                upstream=cell.upstream,
                rank=cell.rank,
                state=cell.state,
                reason=cell.reason,
                until=iso_or_none(cell.until_ms),
            )
            for cell in one.places
        ),
    )


def _origin(price: Price) -> str:
    """Whose price it is: its version begins with that, unless it is the book's."""
    whose = price.version.partition("/")[0]
    return whose if whose in ("operator", "config") else "book"


def _rate(price: Price | None, unit: str) -> str | None:
    for rate in price.rates if price else ():
        if rate.unit == unit and rate.service_tier == "default" and not rate.above_input_tokens:
            return format_usd(rate.nano_per_million)
    return None


@get("/models")
async def list_models(services: NamedDependency[AdminServices]) -> tuple[Model, ...]:
    """Every model that some upstream serves, or would if it were not drained, and those that were asked for in vain since yesterday."""
    catalog, now_ms = services.catalog.current(), services.now_ms()
    wanted = await services.reader.read(lambda c: asked.by_model(c, now_ms))
    names = sorted(
        catalog.known_models() | {name for name, one in wanted.items() if one.refused or one.requests}
    )
    return tuple(
        _model(catalog, name, wanted.get(name, asked.NOBODY), services.health.opened, now_ms)
        for name in names
        if name
    )


def _model(catalog: Catalog, name: str, wanted: Asked, health: Health, now_ms: int) -> Model:
    price = catalog.price_of(name, now_ms)
    places = [
        place(1, upstream, name, health)
        for upstream in sorted(catalog.upstreams.values(), key=lambda one: one.name)
    ]
    serving = [one for one in places if one.rank]
    groups = tuple(sorted(group.name for group in catalog.groups.values() if reaches(group, name)))
    state, reason, until_ms = _state(name, price, serving, catalog.groups.values(), groups)
    return Model(
        model=name,
        state=state,
        reason=reason,
        until=iso_or_none(until_ms),
        served_by=tuple(
            ModelServer(upstream=one.upstream, state=_of_server(one), reason=one.reason) for one in serving
        ),
        groups=groups,
        price=None if price is None else price_wire(price, _origin(price)),
        kinds=() if price is None else tuple(sorted(suited(price))),
        requests_24h=wanted.requests,
        failed_24h=wanted.failed,
        refused_24h=wanted.refused,
        spent_24h_usd=format_usd(wanted.charged_nano),
        first_byte_p50_ms=wanted.first_byte_p50_ms,
    )


def _state(
    name: str, price: Price | None, serving: list[Placed], groups: Iterable[Group], reached: tuple[str, ...]
) -> tuple[ModelState, str, int | None]:
    """The first gate that is closed for everybody, as a request would meet them."""
    if not serving:
        known = any(name in group.aliases for group in groups)
        why = "it is a group's alias, which only that group knows" if known else "no upstream serves it"
        return (
            "no_upstream",
            f"{why}; probe the upstreams, or name the model in one's patterns or aliases.",
            None,
        )
    if price is None:
        return "unpriced", unpriced(name).message, None
    if not reached:
        return "no_group", "no enabled group lets it through; add it to a group's models.", None
    if any(one.state == "up" for one in serving):
        return "up", "", None
    told = "; ".join(f"{one.upstream}: {one.reason}" for one in serving[:5])
    tries = [one.until_ms for one in serving if one.until_ms is not None]
    return ("resting", f"{told}.", min(tries)) if tries else ("no_upstream", f"{told}.", None)


def _of_server(one: Placed) -> UpstreamState:
    return "up" if one.state == "none" else one.state


HANDLERS = [show_serving, list_models]
