"""The operator's own prices, and what would price a model now."""

from __future__ import annotations

import hashlib
import re
from datetime import date
from typing import cast

import msgspec

from laidian.admin.schema import Origin, Price, PriceFound, PriceSet, Rate
from laidian.admin.service.moments import day, iso, parse_when
from laidian.admin.service.names import shown, unknown
from laidian.admin.service.reading import amount, checked, plain, printable
from laidian.domain import price as domain
from laidian.domain.catalog import Catalog
from laidian.domain.money import format_usd
from laidian.domain.usage import UNITS
from laidian.errors import BadRequest, Conflict
from laidian.store.connection import Connection
from laidian.store.database import bump_catalog
from laidian.store.prices import OwnPrice, put_price, read_own_prices, retire_price

_RATE = re.compile(r"([a-z0-9_]+)(?:@([a-z0-9_.-]{1,32}))?(?:>([0-9]{1,9}))?")
VERSION_DIGITS = 12


def list_prices(connection: Connection) -> tuple[Price, ...]:
    """The operator's own and those of config.toml, by model, newest first."""
    return tuple(price_wire(own.price, own.origin) for own in read_own_prices(connection))


def set_price(connection: Connection, change: PriceSet, *, now_ms: int, origin: str = "operator") -> Price:
    """A price of the operator's own. It replaces those it makes obsolete; one that begins later stays.

    Raises BadRequest, or Conflict for a model that config.toml prices.
    """
    change = checked(change)
    printable((change.model,), "model")
    plain(change.source, "source")
    known = [own for own in read_own_prices(connection) if own.price.model == change.model]
    if origin == "operator" and any(own.origin == "config" for own in known):
        raise Conflict(
            f"The price of {shown(change.model)} comes from config.toml. Change it there and restart the server."
        )
    price = priced(change, now_ms=now_ms, origin=origin)
    for own in known:
        begun = own.price.effective_from_ms <= price.effective_from_ms <= now_ms
        if begun or own.price.effective_from_ms == price.effective_from_ms:
            retire_price(connection, own.price.version, now_ms)
    put_price(connection, price, origin, now_ms)
    bump_catalog(connection)
    return price_wire(price, origin)


def priced(change: PriceSet, *, now_ms: int, origin: str) -> domain.Price:
    """The price that a change describes; its version names its contents, so the same price always has the same one."""
    effective_from_ms = now_ms
    if origin == "config":
        effective_from_ms = 0
    elif change.effective_from is not None:
        effective_from_ms = parse_when(change.effective_from, now_ms, param="effective_from")
    source_date = _source_date(change.source_date) or (day(now_ms) if origin == "operator" else "")
    rates = _rates(change.rates)
    contents = msgspec.json.encode(
        (
            change.model,
            effective_from_ms,
            change.source,
            source_date,
            rates,
            change.context_tokens,
            change.max_output_tokens,
        )
    )
    version = f"{origin}/{change.model}/{hashlib.sha256(contents).hexdigest()[:VERSION_DIGITS]}"
    try:
        return domain.Price(
            change.model,
            effective_from_ms,
            change.source,
            source_date,
            version,
            rates,
            change.context_tokens,
            change.max_output_tokens,
        )
    except ValueError as error:
        raise BadRequest(str(error), param="rates") from None


def retire_prices(connection: Connection, model: str, *, now_ms: int) -> tuple[Price, ...]:
    """Ends every own price of a model, those to come included; the book prices it again, if it can. Raises NotFound or Conflict."""
    known = read_own_prices(connection)
    mine = [own for own in known if own.price.model == model]
    if not mine:
        raise unknown("price of your own for", model, {own.price.model for own in known}, param="model")
    if any(own.origin == "config" for own in mine):
        raise Conflict(
            f"The price of {shown(model)} comes from config.toml. Change it there and restart the server."
        )
    for own in mine:
        retire_price(connection, own.price.version, now_ms)
    bump_catalog(connection)
    return tuple(price_wire(own.price, own.origin) for own in mine)


def find_price(connection: Connection, catalog: Catalog, model: str, now_ms: int) -> PriceFound:
    """What would price a model now, and why."""
    price = catalog.price_of(model, now_ms)
    if price is None:
        return PriceFound(
            model=model,
            price=None,
            reason=f"Neither your own prices nor the price book know {shown(model)}, so it is refused. "
            f"Set one: laidian price set {shown(model).strip('`')} --input USD --output USD (per million tokens).",
        )
    own: dict[str, OwnPrice] = {one.price.version: one for one in read_own_prices(connection)}
    if price.version in own:
        origin = own[price.version].origin
        who = "It is set in config.toml" if origin == "config" else "You set it"
        how = "" if price.model == model else f" with the pattern {shown(price.model)}"
        return PriceFound(model=model, price=price_wire(price, origin), reason=f"{who}{how}.")
    how = "" if price.model == model.lower() else f", which files it as {shown(price.model)}"
    return PriceFound(
        model=model, price=price_wire(price, "book"), reason=f"From the price book {price.source}{how}."
    )


def price_wire(price: domain.Price, origin: str) -> Price:
    return Price(
        model=price.model,
        origin=cast(Origin, origin),
        source=price.source,
        source_date=price.source_date,
        version=price.version,
        effective_from=iso(price.effective_from_ms) if price.effective_from_ms else None,
        rates=tuple(rate_wire(rate) for rate in price.rates),
        context_tokens=price.context_tokens,
        max_output_tokens=price.max_output_tokens,
    )


def rate_wire(rate: domain.Rate) -> Rate:
    return Rate(
        unit=rate.unit,
        usd_per_million=format_usd(rate.nano_per_million),
        service_tier=rate.service_tier,
        above_input_tokens=rate.above_input_tokens,
    )


def _rates(texts: dict[str, str]) -> tuple[domain.Rate, ...]:
    if not texts:
        raise BadRequest(
            'A price needs at least one rate, for example {"input": "1.25", "output": "10"}.', param="rates"
        )
    rates: list[domain.Rate] = []
    for name, text in texts.items():
        match = _RATE.fullmatch(name)
        if match is None:
            raise BadRequest(
                f'{name[:40]!a} is no unit; write "input", "output@flex" or "input>200000".', param="rates"
            )
        unit, tier, above = match[1], match[2] or domain.DEFAULT_TIER, int(match[3] or 0)
        if unit not in UNITS:
            raise BadRequest(unknown("unit", unit, UNITS).message, param="rates")
        rates.append(domain.Rate(unit, amount(text, "rates"), tier, above))
    return tuple(
        sorted(rates, key=lambda rate: (rate.service_tier, rate.above_input_tokens, UNITS.index(rate.unit)))
    )


def _source_date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat() if text else ""
    except ValueError:
        raise BadRequest(f"{text[:20]!a} is no day; write it like 2026-11-22.", param="source_date") from None
