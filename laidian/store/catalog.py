"""Reads the whole set-up into a snapshot, and knows when one is stale."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import msgspec

from laidian.domain.catalog import Catalog
from laidian.domain.group import Group, Rank, RateLimits
from laidian.domain.key import Key
from laidian.domain.price import Price, Rate
from laidian.domain.price_book import PriceBook, parse_book
from laidian.domain.quota import Quota, WindowKind
from laidian.domain.upstream import Credential, Upstream
from laidian.store.database import catalog_version
from laidian.store.vault import Vault


class CatalogReader:
    """The current snapshot of one worker. Used by one thread.

    `changed` is called after each load: what the operator does takes effect at the next request of every worker.
    """

    def __init__(self, connection: sqlite3.Connection, vault: Vault, changed: Callable[[], None]) -> None:
        self._connection = connection
        self._vault = vault
        self._changed = changed
        self._catalog: Catalog | None = None
        self._book: tuple[str, PriceBook] | None = None

    def current(self) -> Catalog:
        """The snapshot, loaded again when the database's version moved on. The check is one row by key: about 6 us."""
        version = catalog_version(self._connection)
        if self._catalog is None or self._catalog.version != version:
            self._catalog = self._load()
            self._changed()
        return self._catalog

    def _load(self) -> Catalog:
        connection = self._connection
        connection.execute("BEGIN")  # one consistent view across the tables
        try:
            stored = {version for (version,) in connection.execute("SELECT version FROM prices")}
            return Catalog(
                version=catalog_version(connection),
                keys=_keys(connection),
                groups=_groups(connection),
                quotas=_quotas(connection),
                upstreams=self._upstreams(),
                own_prices=own_prices(connection),
                book=self._adopted_book(),
                stored_prices=stored,
            )
        finally:
            connection.execute("COMMIT")

    def _adopted_book(self) -> PriceBook | None:
        row = self._connection.execute(
            "SELECT source FROM price_books ORDER BY adopted_at_ms DESC LIMIT 1"
        ).fetchone()
        if row is None:
            return None
        if self._book is None or self._book[0] != row[0]:
            (data,) = self._connection.execute(
                "SELECT data FROM price_books WHERE source = ?", row
            ).fetchone()
            self._book = (row[0], parse_book(data))
        return self._book[1]

    def _upstreams(self) -> dict[int, Upstream]:
        credentials: dict[int, list[Credential]] = {}
        for id_, upstream_id, label, sealed in self._connection.execute(
            "SELECT id, upstream_id, label, sealed FROM credentials WHERE enabled = 1 AND sealed IS NOT NULL ORDER BY id"
        ):
            secret = self._vault.open(sealed, f"credentials:{id_}")
            credentials.setdefault(upstream_id, []).append(Credential(id_, label, secret))
        discovered: dict[int, set[str]] = {}
        for upstream_id, model in self._connection.execute(
            "SELECT upstream_id, model FROM discovered_models"
        ):
            discovered.setdefault(upstream_id, set()).add(model)
        rows = self._connection.execute(
            "SELECT id, name, kind, base_url, enabled, priority, weight, max_concurrent, proxy_sealed, models, aliases, "
            "connect_timeout_s, first_byte_timeout_s, idle_timeout_s FROM upstreams WHERE deleted_at_ms IS NULL"
        )
        return {
            row[0]: self._upstream(row, discovered.get(row[0], set()), credentials.get(row[0], []))
            for row in rows
        }

    def _upstream(
        self, row: tuple[Any, ...], discovered: set[str], credentials: list[Credential]
    ) -> Upstream:
        (id_, name, kind, base_url, enabled, priority, weight, max_concurrent, proxy, models, aliases,
         connect_s, first_byte_s, idle_s) = row  # fmt: skip
        return Upstream(
            id=id_,
            name=name,
            kind=kind,
            base_url=base_url,
            enabled=bool(enabled),
            priority=priority,
            weight=weight,
            max_concurrent=max_concurrent,
            proxy=self._vault.open(proxy, f"upstreams:{id_}") if proxy is not None else None,
            models=msgspec.json.decode(models, type=tuple[str, ...]),
            aliases=msgspec.json.decode(aliases, type=dict[str, str]),
            discovered=frozenset(discovered),
            credentials=tuple(credentials),
            connect_timeout_s=connect_s,
            first_byte_timeout_s=first_byte_s,
            idle_timeout_s=idle_s,
        )


def own_prices(connection: sqlite3.Connection) -> list[Price]:
    """Prices set by the operator or the configuration file and not retired."""
    rows = connection.execute(
        "SELECT model, effective_from_ms, source, source_date, version, rates, context_tokens, max_output_tokens "
        "FROM prices WHERE origin <> 'book' AND retired_at_ms IS NULL"
    )
    return [price_from_row(row) for row in rows]


def price_from_row(row: tuple[Any, ...]) -> Price:
    """(model, effective_from_ms, source, source_date, version, rates JSON, context_tokens, max_output_tokens)"""
    model, effective_from_ms, source, source_date, version, rates, context_tokens, max_output_tokens = row
    return Price(
        model, effective_from_ms, source, source_date, version,
        msgspec.json.decode(rates, type=tuple[Rate, ...]), context_tokens, max_output_tokens,
    )  # fmt: skip


def _keys(connection: sqlite3.Connection) -> dict[bytes, Key]:
    rows = connection.execute(
        "SELECT id, name, digest, group_id, quota_id, enabled, expires_at_ms FROM keys WHERE deleted_at_ms IS NULL"
    )
    return {
        digest: Key(id_, name, digest, group_id, quota_id, bool(enabled), expires_at_ms)
        for id_, name, digest, group_id, quota_id, enabled, expires_at_ms in rows
    }


def _groups(connection: sqlite3.Connection) -> dict[int, Group]:
    ranks: dict[int, list[Rank]] = {}
    for group_id, upstream_id, rank in connection.execute(
        "SELECT group_id, upstream_id, rank FROM group_upstreams"
    ):
        ranks.setdefault(group_id, []).append(Rank(upstream_id, rank))
    rows = connection.execute(
        "SELECT id, name, enabled, allow, deny, aliases, capabilities, multiplier_ppm, requests_per_minute, "
        "tokens_per_minute, concurrent_requests, on_abort FROM groups WHERE deleted_at_ms IS NULL"
    )
    decode = msgspec.json.decode
    return {
        id_: Group(
            id=id_,
            name=name,
            enabled=bool(enabled),
            upstreams=tuple(ranks.get(id_, ())),
            allow=decode(allow, type=tuple[str, ...]),
            deny=decode(deny, type=tuple[str, ...]),
            aliases=decode(aliases, type=dict[str, str]),
            capabilities=frozenset(decode(capabilities, type=tuple[str, ...])),
            multiplier_ppm=multiplier_ppm,
            rates=RateLimits(requests, tokens, concurrent),
            on_abort=on_abort,
        )
        for id_, name, enabled, allow, deny, aliases, capabilities, multiplier_ppm, requests, tokens, concurrent, on_abort in rows
    }


def _quotas(connection: sqlite3.Connection) -> dict[int, Quota]:
    rows = connection.execute(
        "SELECT id, name, kind, enabled, expires_at_ms, limits_nano FROM quotas WHERE deleted_at_ms IS NULL"
    )
    return {
        id_: Quota(
            id_,
            name,
            kind,
            bool(enabled),
            expires_at_ms,
            msgspec.json.decode(limits, type=dict[WindowKind, int]),
        )
        for id_, name, kind, enabled, expires_at_ms, limits in rows
    }
