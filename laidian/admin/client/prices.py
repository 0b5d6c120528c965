"""Prices, the price book, and models."""

from __future__ import annotations

from laidian.admin.client.calls import Calls
from laidian.admin.schema import BookAdopt, Model, Price, PriceBookState, PriceDiff, PriceFound, PriceSet


class PriceCalls(Calls):
    async def prices(self) -> tuple[Price, ...]:
        """The operator's own."""
        return await self.ask("GET", "/prices", tuple[Price, ...])

    async def find_price(self, model: str) -> PriceFound:
        return await self.ask("GET", "/prices/find", PriceFound, query={"model": model})

    async def set_price(self, price: PriceSet) -> Price:
        return await self.ask("POST", "/prices", Price, body=price)

    async def retire_prices(self, model: str) -> tuple[Price, ...]:
        return await self.ask("DELETE", "/prices", tuple[Price, ...], query={"model": model})

    async def price_book(self) -> PriceBookState:
        return await self.ask("GET", "/prices/book", PriceBookState)

    async def price_diff(self) -> PriceDiff:
        return await self.ask("GET", "/prices/book/diff", PriceDiff)

    async def adopt_prices(self, source: str) -> PriceBookState:
        return await self.ask("POST", "/prices/book/adopt", PriceBookState, body=BookAdopt(source=source))

    async def models(self) -> tuple[Model, ...]:
        """Every model that some upstream serves, or would if it were not drained, and those that were asked for in vain."""
        return await self.ask("GET", "/models", tuple[Model, ...])
