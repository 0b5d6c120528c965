"""What a worker's requests share. Built once by the composition root, handed to the relay."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from laidian.config import Config
from laidian.protocol.codec import Asking, Codec
from laidian.protocol.dialect import Dialect, DialectName
from laidian.protocol.family import Family, FamilyName
from laidian.protocol.signatures import Signatures
from laidian.relay.background import Background
from laidian.relay.backoff import Backoff
from laidian.relay.journal import Journal
from laidian.relay.refused import Refusals
from laidian.relay.settler import Settler
from laidian.store.catalog import CatalogReader
from laidian.store.reader import Reader
from laidian.store.writer import Writer
from laidian.upstream.health import Health
from laidian.upstream.transport import Transport

if TYPE_CHECKING:
    from laidian.relay.life import Life


class Context(msgspec.Struct):
    config: Config
    worker_id: str
    loop: asyncio.AbstractEventLoop
    catalog: CatalogReader
    writer: Writer
    settler: Settler
    background: Background
    transport: Transport
    health: Health
    journal: Journal
    refusals: Refusals
    families: dict[FamilyName, Family]
    dialects: dict[DialectName, Dialect]
    askers: dict[DialectName, Asking]
    """The codecs, and what is only translated from."""
    codecs: dict[DialectName, Codec]
    signatures: Signatures
    chance: Callable[[], float]
    spool_folder: str
    """Where large request bodies lie while they are needed."""
    live: dict[str, Life] = {}
    """Requests in flight by id."""
    stopping: bool = False
    lister: Reader | None = None
    """For what key holders ask, beside the event loop; the operator's listings use the same one."""
    holders_turn: asyncio.Lock = msgspec.field(default_factory=asyncio.Lock)
    """One holder reads at a time, so that a thread of the lister is left for the operator."""
    backoff: Backoff = msgspec.field(default_factory=lambda: Backoff(time.monotonic))
    """Counts keys that do not exist, by address."""

    def share_of(self, limit: int | None) -> int | None:
        """This worker's part of a limit that all workers share; at least one."""
        return None if limit is None else max(1, limit // self.config.server.workers)

    def draining(self) -> int:
        """Requests whose answer is read on although their client left."""
        return sum(1 for life in self.live.values() if life.drain_timer is not None)
