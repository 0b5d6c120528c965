"""Everything the operator set up, as one immutable snapshot with a version.

What a request looks up: keys by digest, groups, quotas, upstreams, prices. The database is the truth; a snapshot is thrown away
when its version is no longer the database's.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from laidian.domain.group import Group
from laidian.domain.key import Key
from laidian.domain.price import Price
from laidian.domain.price_book import PriceBook
from laidian.domain.quota import Quota
from laidian.domain.upstream import Upstream

_FRESH_MS = 60_000


class Catalog:
    def __init__(
        self,
        version: int,
        keys: dict[bytes, Key],
        groups: dict[int, Group],
        quotas: dict[int, Quota],
        upstreams: dict[int, Upstream],
        own_prices: list[Price],
        book: PriceBook | None,
        stored_prices: set[str],
    ) -> None:
        self.version = version
        self.keys = keys
        self.groups = groups
        self.quotas = quotas
        self.upstreams = upstreams
        self.book = book
        self.stored_prices = stored_prices
        """Versions of prices that are rows already."""
        self._own = sorted(own_prices, key=lambda price: price.effective_from_ms, reverse=True)
        self._found: dict[str, Price | None] = {}
        self._found_minute = -1

    def price_of(self, model: str, now_ms: int) -> Price | None:
        """The price in force: the operator's own before the book's, exact names before patterns, the latest that has begun."""
        minute = now_ms // _FRESH_MS
        if minute != self._found_minute:
            self._found.clear()
            self._found_minute = minute
        if model not in self._found:
            self._found[model] = self._find(model, now_ms)
        return self._found[model]

    def _find(self, model: str, now_ms: int) -> Price | None:
        begun = [price for price in self._own if price.effective_from_ms <= now_ms]
        for price in begun:
            if price.model == model:
                return price
        for price in begun:
            if fnmatchcase(model, price.model):
                return price
        return self.book.find(model, now_ms) if self.book else None

    def models(self) -> frozenset[str]:
        """Names of all models that some enabled upstream can be said to serve."""
        names: set[str] = set()
        for upstream in self.upstreams.values():
            if upstream.enabled and upstream.credentials:
                names |= upstream.listed()
        return frozenset(names)

    def known_models(self) -> frozenset[str]:
        """With those of upstreams that are disabled or lack a credential, which work again when the operator wants it."""
        return frozenset[str]().union(*(upstream.listed() for upstream in self.upstreams.values()))
