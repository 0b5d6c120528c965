"""What the admin API works with; built by the composition root, one per worker."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from laidian.admin.api.feed import Feed
from laidian.admin.service.operations import note
from laidian.config import Config
from laidian.data import price_book_bytes
from laidian.domain.upstream import Secret, Upstream
from laidian.store.catalog import CatalogReader
from laidian.store.connection import Connection
from laidian.store.reader import Reader
from laidian.store.vault import Vault
from laidian.store.writer import Writer
from laidian.upstream.health import Health
from laidian.upstream.probe import Probed


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _entropy() -> bytes:
    return os.urandom(32)


T = TypeVar("T")
ASGI = Callable[
    [dict[str, Any], Callable[[], Awaitable[dict[str, Any]]], Callable[[dict[str, Any]], Awaitable[None]]],
    Awaitable[None],
]


def _name_of(done: object) -> str:
    """What a thing is called after a change, so that no credential that it was addressed by stands for it."""
    key = getattr(done, "key", None)
    return getattr(done if key is None else key, "name", "")


class AdminServices(msgspec.Struct, frozen=True, kw_only=True):
    writer: Writer
    reader: Reader
    """For listings and audits, off the event loop; closed by who made it."""
    catalog: CatalogReader
    vault: Vault
    health: Health
    probe: Callable[[Upstream], Awaitable[Probed]]
    cancel: Callable[[str], bool]
    """Ends a request of this worker by its id; False when this worker has none of that id."""
    stopping: Callable[[], bool]
    token: Secret
    """The admin token."""
    config: Config
    data: Path
    """The data folder."""
    run_folder: Path
    """Where workers lock their files."""
    started_at_ms: int
    now_ms: Callable[[], int] = _now_ms
    clock_s: Callable[[], float] = time.monotonic
    """For the backoff after wrong tokens."""
    entropy: Callable[[], bytes] = _entropy
    """32 random bytes for a client key."""
    shipped_book: Callable[[], bytes] = price_book_bytes

    front: ASGI | None = None
    """The whole public surface of this worker; None when no server runs."""
    config_file: Path | None = None
    """That was named at the start; None: the usual one, if there is one."""
    feed: Feed = msgspec.field(default_factory=Feed)
    who: str = "api"
    """Who asks, as the operator's journal has it; set for each request."""

    def change(
        self, action: str, name: str, operation: Callable[[Connection], T], data: msgspec.Struct | None = None
    ) -> Awaitable[T]:
        """Carries out a change and notes it, both or neither. `action`: thing and verb, `key.edit`; `data`: what was asked for."""
        now_ms, who = self.now_ms(), self.who

        def both(connection: Connection) -> T:
            done = operation(connection)
            note(connection, action, _name_of(done) or name, data, who=who, now_ms=now_ms)
            return done

        return self.writer.submit(both)

    @property
    def busy(self) -> dict[int, int]:
        """Requests in flight of this worker, by upstream id."""
        return dict(self.health.busy())

    @property
    def base_url(self) -> str:
        """What a client is given as its base URL."""
        server = self.config.server
        if server.public_base_url:
            return server.public_base_url
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(server.host, server.host)  # noqa: S104 - looked up, not bound
        scheme = "https" if server.tls_certificate else "http"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{server.port}/v1"
