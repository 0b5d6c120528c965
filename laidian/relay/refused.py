"""Requests that never were accepted, on their way to a table for the operator.

Beside the request path and never in it: a refusal is noted in memory and written with others once a second, at most so many. A flood
costs rows that are not written, and their number is. The rule a newcomer would break: nothing here keeps a credential. Of one that
nobody has, seven characters stay, and only if it begins like one of ours.
"""

from __future__ import annotations

import asyncio
import logging

from laidian.domain.key import PREFIX, digest
from laidian.errors import LaidianError
from laidian.relay.client import Client
from laidian.store.connection import DatabaseError
from laidian.store.refusals import NewRefusal, insert_refusals
from laidian.store.writer import Writer

_log = logging.getLogger(__name__)

FLUSH_S = 1.0
MOST = 256
"""Written in one go: about 3 ms of the writer's time."""
MOST_UNKNOWN = 32
"""Of these, with a credential that nobody has: whoever tries out keys does not push out what holders ask about."""
SHOWN_CHARS = 7
TEXT_CHARS = 500
NAME_CHARS = 200


class Refusals:
    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._loop = asyncio.get_running_loop()
        self._pending: list[NewRefusal] = []
        self._unknown = 0
        self._dropped = 0
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None

    def note(
        self, client: Client, operation: str, error: LaidianError, model: str, *, at_ms: int, duration_ms: int
    ) -> None:
        """Takes note of a request that was answered with an error before it was accepted."""
        unknown = error.status == 401
        if len(self._pending) >= MOST or (unknown and self._unknown >= MOST_UNKNOWN):
            self._dropped += 1
            return
        self._unknown += unknown
        credential = client.credential() or b""
        ours = credential.startswith(PREFIX.encode()) and len(credential) > 3 * SHOWN_CHARS
        self._pending.append(
            NewRefusal(
                request_id=client.request_id,
                at_ms=at_ms,
                digest=digest(credential) if credential else None,
                shown=f"{credential[:SHOWN_CHARS].decode('ascii', 'replace')}…" if ours else "",
                operation=operation,
                model=_clean(model, NAME_CHARS),
                status=client.status or error.status,
                code=error.code,
                message=_clean(error.message, TEXT_CHARS),
                duration_ms=duration_ms,
                client=_clean((client.header(b"user-agent") or b"").decode("latin-1"), NAME_CHARS),
            )
        )
        if self._timer is None:
            self._timer = self._loop.call_later(FLUSH_S, self._flush)

    def _flush(self) -> None:
        self._timer = None
        self._writing = self._loop.create_task(self.flush())

    async def flush(self) -> None:
        """Writes what has gathered. When the database does not take it, it is lost and counted."""
        pending, dropped = self._pending, self._dropped
        self._pending, self._unknown, self._dropped = [], 0, 0
        if not pending and not dropped:
            return
        try:
            await self._writer.submit(lambda connection: insert_refusals(connection, pending, dropped))
        except (LaidianError, DatabaseError) as error:
            self._dropped += dropped + len(pending)
            _log.warning("%d refusals were not written: %s", len(pending), error)


def _clean(text: str, most: int) -> str:
    """What a terminal can show, shortened."""
    return "".join(mark if mark.isprintable() else "�" for mark in text[:most])
