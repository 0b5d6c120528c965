"""/admin/v1/prices"""

from __future__ import annotations

from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody

from laidian.admin.api.services import AdminServices
from laidian.admin.schema import BookAdopt, Price, PriceBookState, PriceDiff, PriceFound, PriceSet
from laidian.admin.service import book, prices


@get("/prices")
async def list_prices(services: NamedDependency[AdminServices]) -> tuple[Price, ...]:
    """The operator's own and those of config.toml."""
    return await services.reader.read(prices.list_prices)


@post("/prices")
async def set_price(data: JSONBody[PriceSet], services: NamedDependency[AdminServices]) -> Price:
    """Overrides the book for one model, or for a pattern of them."""
    now_ms = services.now_ms()
    return await services.change(
        "price.set", data.model, lambda c: prices.set_price(c, data, now_ms=now_ms), data
    )


@get("/prices/find")
async def find_price(model: FromQuery[str], services: NamedDependency[AdminServices]) -> PriceFound:
    """What would price a model now, and why."""
    catalog, now_ms = services.catalog.current(), services.now_ms()
    return await services.reader.read(lambda c: prices.find_price(c, catalog, model, now_ms))


@delete("/prices", status_code=200)
async def retire_prices(model: FromQuery[str], services: NamedDependency[AdminServices]) -> tuple[Price, ...]:
    """Ends the operator's own prices of a model."""
    now_ms = services.now_ms()
    return await services.change(
        "price.retire", model, lambda c: prices.retire_prices(c, model, now_ms=now_ms)
    )


@get("/prices/book")
async def show_book(services: NamedDependency[AdminServices]) -> PriceBookState:
    """Which book rules, and whether the shipped one is another."""
    shipped = services.shipped_book()
    return await services.reader.read(lambda c: book.show_book(c, shipped))


@get("/prices/book/diff")
async def diff_book(services: NamedDependency[AdminServices]) -> PriceDiff:
    """What adopting the shipped book would change."""
    shipped = services.shipped_book()
    return await services.reader.read(lambda c: book.diff_book(c, shipped))


@post("/prices/book/adopt", status_code=200)
async def adopt_book(data: JSONBody[BookAdopt], services: NamedDependency[AdminServices]) -> PriceBookState:
    """Makes the shipped book rule, if it is the one that was looked at."""
    shipped, now_ms = services.shipped_book(), services.now_ms()
    return await services.change(
        "price book.adopt",
        data.source,
        lambda c: book.adopt_shipped_book(c, data, shipped, now_ms=now_ms),
        data,
    )


HANDLERS = [list_prices, set_price, find_price, retire_prices, show_book, diff_book, adopt_book]
