"""A database file with the use cases on it, as tests of the admin side and of the audit need one."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from laidian.admin.schema import FirstStart, GroupCreate, KeyCreate, KeyCreated, QuotaCreate, UpstreamCreate
from laidian.admin.service.groups import create_group
from laidian.admin.service.keys import create_key
from laidian.admin.service.quotas import create_quota
from laidian.admin.service.start import first_start
from laidian.admin.service.upstreams import add_upstream
from laidian.data import price_book_bytes
from laidian.domain.group import RateLimits
from laidian.domain.hold import Demand
from laidian.domain.price import Price, Rate, Unpriced, price_usage
from laidian.domain.record import Ending, Hold, HoldRequest, Refusal, Settlement, UsageSource
from laidian.domain.usage import Usage
from laidian.store.catalog import CatalogReader
from laidian.store.connection import Connection
from laidian.store.database import WriteLock, catalog_version, connect, immediate, lock_path, migrate
from laidian.store.ledger import open_hold, settle
from laidian.store.vault import Vault

T = TypeVar("T")

NOW_MS = 1_795_341_600_000
"""2026-11-22T10:00:00Z, a Sunday."""
MASTER = bytes(range(32))
PRICE = Price(
    "gpt-5.4",
    0,
    "a test",
    "2026-11-22",
    "a-test/gpt-5.4",
    (Rate("input", 2_000_000_000), Rate("cached_input", 200_000_000), Rate("output", 10_000_000_000)),
    None,
    128_000,
)
"""2 USD, 0.20 USD and 10 USD per million."""


class Desk:
    """Runs use cases as the server does: each in a writing transaction of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "laidian.db"
        self.run = folder / "run"
        self.run.mkdir()
        migrate(self.path)
        self.vault = Vault(MASTER)
        self.connection = connect(self.path)
        self.lock = WriteLock(lock_path(self.path))
        self._entropy = itertools.count(100)
        # the sums that forget begin at the wall clock when they are made; here it is another day
        self.do(
            lambda c: c.execute("UPDATE meta SET value = 0 WHERE name IN ('minutes_from', 'key_hours_from')")
        )

    def do(self, change: Callable[[Connection], T]) -> T:
        with immediate(self.connection, self.lock) as connection:
            return change(connection)

    def start(self, environment: dict[str, str] | None = None) -> FirstStart | None:
        return self.do(
            lambda c: first_start(
                c,
                self.vault,
                shipped_book=price_book_bytes(),
                environment=environment or {},
                entropy=bytes(32),
                now_ms=NOW_MS,
            )
        )

    def key(self, name: str = "alice", **fields: object) -> KeyCreated:
        change = KeyCreate(name=name, **fields)  # pyright: ignore[reportArgumentType]
        entropy = bytes([next(self._entropy)]) * 32
        return self.do(lambda c: create_key(c, change, entropy=entropy, now_ms=NOW_MS))

    def group(self, name: str, **fields: object) -> None:
        change = GroupCreate(name=name, **fields)  # pyright: ignore[reportArgumentType]
        self.do(lambda c: create_group(c, change, now_ms=NOW_MS))

    def quota(self, name: str, **fields: object) -> None:
        change = QuotaCreate(name=name, **fields)  # pyright: ignore[reportArgumentType]
        self.do(lambda c: create_quota(c, change, now_ms=NOW_MS))

    def upstream(self, name: str, **fields: object) -> None:
        change = UpstreamCreate(name=name, **{"kind": "openai", **fields})  # pyright: ignore[reportArgumentType]
        self.do(lambda c: add_upstream(c, self.vault, change, now_ms=NOW_MS))

    def version(self) -> int:
        return catalog_version(self.connection)

    def reader(self) -> CatalogReader:
        return CatalogReader(connect(self.path, read_only=True), self.vault, lambda: None)

    def hold(
        self,
        request_id: str,
        *,
        key: str = "alice",
        nano: int = 100_000,
        owner: str = "worker",
        at_ms: int = NOW_MS,
        model: str = "gpt-5.4",
        multiplier_ppm: int = 1_000_000,
    ) -> Hold | Refusal:
        """Sets money aside as the relay would."""
        key_id, group_id, quota_id = self.connection.execute(
            "SELECT id, group_id, quota_id FROM keys WHERE name = ? AND deleted_at_ms IS NULL", (key,)
        ).fetchone()
        request = HoldRequest(
            request_id=request_id,
            owner=owner,
            key_id=key_id,
            group_id=group_id,
            quota_id=quota_id,
            demand=Demand(nano, nano),
            rates=RateLimits(),
            operation="chat.completions",
            model=model,
            asked_model=model,
            price=PRICE,
            store_price=True,
            multiplier_ppm=multiplier_ppm,
            stream=False,
            input_tokens=10,
            rate_tokens=10,
            now_ms=at_ms,
        )
        return self.do(lambda c: open_hold(c, request))

    def settle(
        self,
        request_id: str,
        usage: Usage,
        *,
        status: int = 200,
        ended: Ending = "complete",
        usage_from: UsageSource = "upstream",
        upstream_id: int | None = None,
        multiplier_ppm: int = 1_000_000,
        at_ms: int = NOW_MS + 1_200,
    ) -> None:
        """Ends a hold with the price of its usage."""
        error_code = "" if status < 400 else "upstream_error"
        try:
            amount = price_usage(PRICE, usage, multiplier_ppm=multiplier_ppm).amount_nano
        except Unpriced:
            (amount,) = self.connection.execute(
                "SELECT amount_nano FROM holds WHERE request_id = ?", (request_id,)
            ).fetchone()
            error_code = "unit_not_priced"
        settlement = Settlement(
            request_id=request_id,
            usage=usage,
            amount_nano=amount,
            service_tier="default",
            usage_from=usage_from,
            ended=ended,
            status=status,
            error_code=error_code,
            upstream_id=upstream_id,
            credential_id=None,
            upstream_model="gpt-5.4",
            first_byte_ms=400,
            duration_ms=1_200,
            finished_at_ms=at_ms,
            attempts='[{"upstream":"openai","credential":"key-1","outcome":"ok","status":200,"duration_ms":9,"message":""}]',
            client="OpenAI/Python 3.54.0",
        )
        assert self.do(lambda c: settle(c, settlement)) is not None

    def serve(
        self,
        request_id: str,
        usage: Usage,
        *,
        key: str = "alice",
        at_ms: int = NOW_MS,
        model: str = "gpt-5.4",
        **fields: object,
    ) -> None:
        """One whole request."""
        assert isinstance(self.hold(request_id, key=key, at_ms=at_ms, model=model), Hold)
        self.settle(request_id, usage, **fields)  # pyright: ignore[reportArgumentType]

    def all_bytes(self) -> bytes:
        """Everything that lies on the disk: the database, its log, and whatever else is there."""
        return b"".join(path.read_bytes() for path in sorted(self.folder.rglob("*")) if path.is_file())

    def close(self) -> None:
        self.connection.close()
        self.lock.close()
