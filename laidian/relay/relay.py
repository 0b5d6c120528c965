"""The door of the relay: one request from its head to its last byte, whatever happens on the way.

What happens to it is `life.py`. The rule a newcomer would break: nothing gets out of here; a bug becomes an answer and a line, too.
"""

from __future__ import annotations

import logging

from laidian.domain.selection import Candidate
from laidian.errors import Bug, LaidianError
from laidian.protocol.dialect import Operation
from laidian.relay.affinity import Bonds
from laidian.relay.client import Client, Receive, Scope, Send
from laidian.relay.context import Context
from laidian.relay.life import Life
from laidian.relay.request_id import new_request_id
from laidian.upstream.origin import Origin, parse_base_url

_log = logging.getLogger(__name__)


class Relay:
    """Serves relayed operations; one per worker."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.bonds = Bonds(context)
        self._origins: dict[tuple[int, str, str | None], tuple[Origin, str]] = {}

    async def serve(self, scope: Scope, receive: Receive, send: Send, operation: Operation) -> None:
        """One request, from its head to its end. Never raises; whatever happens becomes an answer and a line."""
        context = self._context
        dialect = context.dialects[operation.dialect]
        client = Client(scope, receive, send, context.families[operation.family], new_request_id())
        life = Life(context, self, client, dialect, operation)
        try:
            await life.run()
        except LaidianError as error:
            life.error = error
        except Exception:
            _log.exception("a bug in request %s", client.request_id)
            life.error = Bug(f"LaiDian failed on its own. Report it with the request id {client.request_id}.")
        if life.error is not None:
            # a response that goes on in the background did not fail: only this stream of it did
            closing = life.tap.failure(life.error) if life.tap and not life.goes_on else None
            await client.fail(life.error, closing)
        client.stop()
        if life.spool is not None:
            life.spool.close()
        line = life.line()
        context.journal.request(line)
        if life.error is not None and life.outcome is None:
            context.refusals.note(
                client,
                operation.name,
                life.error,
                life.asked_model,
                at_ms=line.at_ms,
                duration_ms=line.duration_ms,
            )

    def origin(self, candidate: Candidate) -> tuple[Origin, str]:
        """Where an upstream is, and the path that its own paths begin with."""
        upstream = candidate.upstream
        proxy = upstream.proxy.reveal() if upstream.proxy else None
        key = (upstream.id, upstream.base_url, proxy)
        found = self._origins.get(key)
        if found is None:
            found = self._origins[key] = parse_base_url(upstream.base_url, proxy)
        return found
