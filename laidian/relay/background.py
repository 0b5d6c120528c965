"""Responses that are made in the background: their requests are over for the client and not for the ledger.

The provider says what such an answer came to when it is done, and to whoever asks. So the hold stays open, and the provider is asked
until it says so; the settlement is made from its word. The rule a newcomer would break: whatever brings the news first (our own look,
the client's, its cancelling) settles, so that no client sees a finished answer that is not on the books.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Literal
from urllib.parse import quote

from laidian.clock import now_ms
from laidian.domain.affinity import Held
from laidian.domain.price import Unpriced, price_usage
from laidian.domain.record import Ending, Settled, Settlement, UsageSource
from laidian.domain.usage import Usage
from laidian.errors import LaidianError
from laidian.protocol.dialect import StreamFault
from laidian.protocol.openai_responses import read_response, state_of
from laidian.protocol.stored_answers import note_of
from laidian.relay.crossing import USER_AGENT
from laidian.relay.journal import Journal
from laidian.relay.line import Line
from laidian.relay.settler import Settler
from laidian.store.affinity import note_object
from laidian.store.awaited import Awaited, Begun, find_awaited, forget_awaited, note_begun
from laidian.store.catalog import CatalogReader
from laidian.store.writer import Writer
from laidian.upstream.connection import Timeouts
from laidian.upstream.faults import TransportFault
from laidian.upstream.origin import parse_base_url
from laidian.upstream.providers import credential_headers
from laidian.upstream.transport import Transport

_log = logging.getLogger(__name__)

FIRST_LOOK_S = 0.5
LONGEST_PAUSE_S = 10.0
"""Between two looks; each pause is half as long again as the last. A look is one small GET."""
MISSES = 3
"""Looks in a row that find nothing before it is taken for gone: what was made a moment ago may not be everywhere yet."""
LONGEST_MS = 26 * 3_600_000
"""The longest window that OpenAI offers is 24 hours (openai 3.54.0, `background_options`); what is not done then never will be."""
ANSWER_BYTES = 64 * 1024 * 1024

OPERATION = "responses.background"
"""In the log and the metrics, so that no request counts as two."""

_RUNNING = frozenset({"queued", "in_progress"})
_ENDED = frozenset({"completed", "incomplete", "failed", "cancelled"})


def is_running(status: str) -> bool:
    return status in _RUNNING


class Background:
    """Of one worker. Hands nothing to clients; the errands about responses tell it what they saw."""

    def __init__(
        self, writer: Writer, settler: Settler, transport: Transport, catalog: CatalogReader, journal: Journal
    ) -> None:
        self._writer = writer
        self._journal = journal
        self._settler = settler
        self._transport = transport
        self._catalog = catalog
        self._watches: dict[str, asyncio.Task[None]] = {}

    async def begin(self, begun: Begun, made: Held) -> None:
        """Keeps the request and its response. Raises StorageDown; the client must not hear of the response then."""
        at_ms = now_ms()
        await self._writer.submit(lambda connection: note_begun(connection, begun, made, at_ms))

    async def forget(self, request_id: str) -> None:
        """It was settled after all, while its client waited."""
        try:
            await self._writer.submit(lambda connection: forget_awaited(connection, request_id))
        except LaidianError as error:
            _log.warning("request %s is still noted as awaited: %s", request_id, error.message)

    def watch(self, request_id: str) -> None:
        """Asks for it from now on, until it is settled."""
        self._keep(request_id, asyncio.get_running_loop().create_task(self._watch(request_id)))

    async def heard(self, response_id: str, answer: bytes) -> None:
        """The provider said this of a response; settles it when it is done. Raises StorageDown."""
        if state_of(answer)[1] not in _ENDED:
            return
        awaited = await self._writer.submit(lambda one: find_awaited(one, response_id=response_id))
        if awaited is not None:
            await self._settle(awaited, answer)

    async def cancel(self, *, request_id: str = "", response_id: str = "") -> bool:
        """Ends it at the provider and settles what it came to; False for what nobody waits for. Raises StorageDown."""
        awaited = await self._writer.submit(
            lambda one: find_awaited(one, request_id=request_id, response_id=response_id)
        )
        if awaited is None:
            return False
        path = f"/responses/{quote(awaited.begun.response_id, safe='')}"
        for method, place in ((b"POST", f"{path}/cancel"), (b"GET", path)):
            status, answer = await self._ask(awaited, method, place)
            if status == 200 and state_of(answer)[1] in _ENDED:
                await self._settle(awaited, answer)
                break
        return True

    def let_go(self, request_id: str) -> bool:
        """The same at once, for the operator; False for what is not awaited here."""
        if request_id not in self._watches:
            return False
        self._watches[request_id].cancel()
        self._keep(request_id, asyncio.get_running_loop().create_task(self._end(request_id)))
        return True

    async def aclose(self) -> None:
        """Stops asking. What is still awaited stays so, and the next start goes on."""
        watches = list(self._watches.values())
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)

    def _keep(self, request_id: str, task: asyncio.Task[None]) -> None:
        self._watches[request_id] = task
        task.add_done_callback(
            lambda done: self._watches.get(request_id) is done and self._watches.pop(request_id)
        )

    async def _end(self, request_id: str) -> None:
        try:
            await self.cancel(request_id=request_id)
        except LaidianError as error:
            _log.warning("request %s could not be cancelled: %s", request_id, error.message)
        await self._watch(request_id)  # until it is settled, whatever became of the cancelling

    async def _watch(self, request_id: str) -> None:
        pause_s, missed = FIRST_LOOK_S, 0
        while True:
            await asyncio.sleep(pause_s)
            pause_s = min(LONGEST_PAUSE_S, pause_s * 1.5)
            try:
                seen = await self._look(request_id, last=missed + 1 >= MISSES)
                if seen == "settled":
                    return
                missed = missed + 1 if seen == "missing" else 0
            except LaidianError as error:
                _log.warning("a look at request %s failed: %s", request_id, error.message)
            except Exception:  # one bad look must not leave the hold open for ever
                _log.exception("a look at request %s failed", request_id)

    async def _look(self, request_id: str, *, last: bool) -> Literal["settled", "running", "missing"]:
        """What became of it; `last`: should it be missing again, it is taken for gone."""
        awaited = await self._writer.submit(lambda one: find_awaited(one, request_id=request_id))
        if awaited is None:
            return "settled"
        path = f"/responses/{quote(awaited.begun.response_id, safe='')}"
        status, answer = await self._ask(awaited, b"GET", path)
        if status == 200 and state_of(answer)[1] in _ENDED:
            await self._settle(awaited, answer)
            return "settled"
        if (status == 404 and last) or now_ms() - awaited.created_at_ms > LONGEST_MS:
            await self._settle(awaited, None)
            return "settled"
        return "missing" if status == 404 else "running"

    async def _ask(self, awaited: Awaited, method: bytes, path: str) -> tuple[int, bytes]:
        """Status and body; (0, empty) when the provider cannot be asked now."""
        begun = awaited.begun
        upstream = self._catalog.current().upstreams.get(begun.upstream_id)
        found = () if upstream is None else upstream.credentials
        credential = next((one for one in found if one.id == begun.credential_id), None)
        if upstream is None or credential is None:
            return 0, b""
        proxy = None if upstream.proxy is None else upstream.proxy.reveal()
        origin, prefix = parse_base_url(upstream.base_url, proxy)
        headers = [
            (b"accept", b"application/json"),
            (b"accept-encoding", b"identity"),
            (b"user-agent", USER_AGENT),
            (b"x-client-request-id", begun.request_id.encode()),
            *credential_headers("openai", credential.secret.reveal()),
        ]
        timeouts = Timeouts(
            upstream.connect_timeout_s, upstream.first_byte_timeout_s, upstream.idle_timeout_s
        )
        try:
            exchange = await self._transport.send(
                origin, method, (prefix + path).encode(), headers, None, timeouts, None
            )
            return exchange.status, await exchange.read(ANSWER_BYTES)
        except TransportFault:
            return 0, b""

    async def _settle(self, awaited: Awaited, answer: bytes | None) -> None:
        """By the provider's word; by an estimate when it has none left."""
        settlement = _settlement(awaited, answer, now_ms())
        note = note_of(settlement.usage.total_input_tokens + settlement.usage.total_output_tokens)
        settled = await self._settler.settle(settlement)
        if settled is not None:
            self._journal.request(self._line(awaited, settlement, settled))
        response_id, request_id = awaited.begun.response_id, awaited.begun.request_id
        await self._writer.submit(lambda connection: note_object(connection, "response", response_id, note))
        await self.forget(request_id)

    def _line(self, awaited: Awaited, settlement: Settlement, settled: Settled) -> Line:
        """The request's second line: its first one, when its client was answered, could not know what it came to."""
        upstream = self._catalog.current().upstreams.get(awaited.begun.upstream_id)
        return Line(
            at_ms=awaited.created_at_ms,
            request_id=settlement.request_id,
            operation=OPERATION,
            status=settlement.status,
            duration_ms=settlement.duration_ms,
            model=awaited.price.model,
            upstream="" if upstream is None else upstream.name,
            ended=settlement.ended,
            input_tokens=settlement.usage.total_input_tokens,
            output_tokens=settlement.usage.total_output_tokens,
            usage_from=settlement.usage_from,
            amount_nano=settled.charged_nano,
        )


def _settlement(awaited: Awaited, answer: bytes | None, at_ms: int) -> Settlement:
    usage, usage_from, tier = _used(awaited, answer)
    ended, status, code = _ending(answer)
    amount_nano = 0
    if usage_from != "none":
        try:
            receipt = price_usage(
                awaited.price, usage, service_tier=tier, multiplier_ppm=awaited.multiplier_ppm
            )
            tier, amount_nano = receipt.service_tier, receipt.amount_nano
        except Unpriced:  # as in Outcome.settlement: never free
            amount_nano, code = awaited.held_nano, "unit_not_priced"
    if ended == "lost":
        amount_nano = min(amount_nano, awaited.held_nano)  # as the orphan rule has it
    begun = awaited.begun
    return Settlement(
        request_id=begun.request_id,
        usage=usage,
        amount_nano=amount_nano,
        service_tier=tier,
        usage_from=usage_from,
        ended=ended,
        status=status,
        error_code=code,
        upstream_id=begun.upstream_id,
        credential_id=begun.credential_id,
        upstream_model=begun.upstream_model,
        first_byte_ms=begun.first_byte_ms,
        duration_ms=max(0, at_ms - awaited.created_at_ms),
        finished_at_ms=at_ms,
        attempts=begun.attempts,
        client=begun.client,
    )


def _used(awaited: Awaited, answer: bytes | None) -> tuple[Usage, UsageSource, str]:
    if answer is None:
        return Usage(input=awaited.input_tokens, output=awaited.output_tokens), "estimated", "default"
    try:
        said = read_response(answer)
    except StreamFault:
        return Usage(), "none", "default"  # the provider's own fault, which it charges to nobody
    if said.usage is not None:
        return said.usage, "upstream", said.service_tier
    output = max(awaited.output_tokens, said.output_tokens)
    return Usage(input=awaited.input_tokens, output=output), "estimated", said.service_tier


def _ending(answer: bytes | None) -> tuple[Ending, int, str]:
    status = "" if answer is None else state_of(answer)[1]
    match status:
        case "":
            return "lost", 0, "response_gone"
        case "cancelled":
            return "cancelled", 200, "response_cancelled"
        case "failed":
            return "upstream_fault", 200, "response_failed"
        case _:
            return "complete", 200, ""
