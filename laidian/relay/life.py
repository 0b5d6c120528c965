"""A request is a hold, then attempts, then exactly one settlement. This file is that sentence.

The rule a newcomer would break: between the hold and the settlement there is no way out that skips the settlement, and the end of
an answer (the whole of it, or a stream's last byte) goes out only after the settlement was committed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import msgspec

from laidian.clock import now_ms
from laidian.domain.record import Hold, HoldRequest, Settled
from laidian.domain.selection import Candidate
from laidian.domain.usage import Usage
from laidian.errors import (
    LaidianError,
    QuotaExhausted,
    Stopping,
    Unauthenticated,
    UpstreamBroken,
    UpstreamRefused,
)
from laidian.protocol.dialect import Dialect, FormDialect, Operation, Peek, StreamFault, Tap
from laidian.protocol.openai_edits import as_json
from laidian.protocol.openai_responses import state_of
from laidian.relay import gates
from laidian.relay.affinity import Bond
from laidian.relay.allowance import allowance_of, output_price
from laidian.relay.attempts import Attempt, AttemptFailed, judge, of_transport, verdict
from laidian.relay.background import is_running
from laidian.relay.client import JSON_TYPE, Client
from laidian.relay.context import Context
from laidian.relay.crossing import upstream_headers
from laidian.relay.forward import Forward, forward
from laidian.relay.headers import ESTIMATED, WANTED, cost_comment, cost_headers, dropped_headers
from laidian.relay.line import Line
from laidian.relay.outcome import CLIENT_CHARS, Outcome
from laidian.relay.spool import Spool
from laidian.store.awaited import Begun
from laidian.store.ledger import extend_hold, open_hold
from laidian.upstream.connection import Timeouts
from laidian.upstream.faults import TransportFault
from laidian.upstream.providers import PROVIDERS
from laidian.upstream.transport import Exchange

if TYPE_CHECKING:
    from laidian.relay.relay import Relay

TAIL_S = 1.0
"""How long the end of an upstream's stream may lag behind the end of its answer before the connection is closed."""

EXTENSION_TOKENS = 2_000
"""Output tokens a running stream's hold is extended by at a time, when it outgrows its hold."""


class Life:
    """The state of one request."""

    def __init__(
        self, context: Context, relay: Relay, client: Client, dialect: Dialect, operation: Operation
    ) -> None:
        self.context = context
        self.relay = relay
        self.client = client
        self.dialect = dialect
        self.operation = operation
        self.started_at_ms = now_ms()
        self.error: LaidianError | None = None
        self.key_name = ""
        self.asked_model = ""
        """As the client named it; empty until the body was read."""
        self.outcome: Outcome | None = None
        self.settled: Settled | None = None
        self.sending = False
        """Whether an upstream's head is being waited for."""
        self.exchange: Exchange | None = None
        self.dropped: tuple[str, ...] = ()
        """Fields of the client that a translation left out."""
        self.estimated = False
        """Whether tokens were counted here instead of at an upstream."""
        self.tap: Tap | None = None
        """Of the stream that is, or was, under way."""
        self.spool: Spool | None = None
        """Where a form's bytes are, while they are needed."""
        self._answer_body = b""
        self._answer_type = JSON_TYPE
        self._goodbye = b""
        self.drain_timer: asyncio.TimerHandle | None = None
        self.cancelled: LaidianError | None = None
        """Why it was ended from here, as its client is told."""
        self.bond: Bond | None = None
        self.awaited = False
        """Whether the answer is made in the background and its hold can outlive this request."""
        self.goes_on = False
        """Whether it was not done when this request ended."""

    async def run(self) -> None:
        context, client = self.context, self.client
        if context.stopping:
            raise Stopping("The server is stopping; try again in a moment.", retry_after_s=2.0)
        catalog = context.catalog.current()
        try:
            key = gates.authenticate(catalog, client.credential(), self.started_at_ms)
        except Unauthenticated:
            context.journal.unauthenticated()
            raise
        self.key_name = key.name
        gates.require_capability(catalog, key, self.operation)
        bond = await self.relay.bonds.bind(client, key, self.operation, await self._read())
        self.bond, peek = bond, bond.peek
        self.asked_model = peek.model
        ticket = bond.direct(
            gates.check(
                catalog,
                key,
                self.operation,
                peek,
                context.health.opened,
                context.chance,
                self.started_at_ms,
            )
        )
        hold = await self._hold(ticket, peek, catalog.stored_prices)
        agent = (client.header(b"user-agent") or b"").decode("latin-1")
        outcome = Outcome(client.request_id, ticket, peek, hold.amount_nano, self.started_at_ms, agent)
        self.outcome = outcome
        context.live[client.request_id] = self
        client.watch(self._client_left)
        try:
            await self._answer(outcome)
        except LaidianError as error:
            self.error = error
            outcome.status, outcome.error_code = error.status, error.code
            if outcome.ended == "complete":
                outcome.ended = "refused" if isinstance(error, UpstreamRefused) else "upstream_fault"
        except BaseException:
            outcome.status, outcome.error_code = 500, "internal_error"
            outcome.ended = "upstream_fault" if outcome.ended == "complete" else outcome.ended
            raise
        finally:
            if self.drain_timer is not None:
                self.drain_timer.cancel()
            made = b"" if self.goes_on else self._answer_body or self._goodbye
            bond.keep(outcome, made, self.tap.made_id if self.tap else "")
            if self.goes_on:
                self._leave_running(outcome)
            else:
                self.settled = await context.settler.settle(outcome.settlement(now_ms()))
            if self.awaited and not self.goes_on:
                await context.background.forget(outcome.request_id)
            del context.live[client.request_id]
        if self.error is None:
            await self._end()

    async def _note_begun(self, outcome: Outcome, response_id: str) -> None:
        """A response that is made in the background is on the books before its client hears of it."""
        if self.awaited or not response_id or self.bond is None or not self.bond.in_background:
            return
        candidate = outcome.candidate
        assert candidate is not None
        begun = Begun(
            request_id=outcome.request_id,
            response_id=response_id,
            upstream_id=candidate.upstream.id,
            credential_id=candidate.credential.id,
            upstream_model=candidate.model,
            first_byte_ms=outcome.first_byte_ms,
            attempts=msgspec.json.encode(outcome.attempts).decode(),
            client=outcome.client[:CLIENT_CHARS],
        )
        await self.context.background.begin(begun, self.bond.begun(outcome, response_id))
        self.awaited = self.goes_on = True

    def _leave_running(self, outcome: Outcome) -> None:
        """The provider goes on; who asks it from now on is not this request. A stopping server leaves that to the next one."""
        background, request_id = self.context.background, outcome.request_id
        if self.context.stopping:
            return
        background.watch(request_id)
        if self.cancelled or outcome.ended == "cut":
            background.let_go(request_id)

    async def _read(self) -> Peek:
        """The request's body, as far as it has to be understood."""
        limits, client, dialect = self.context.config.limits, self.client, self.dialect
        path = client.scope["path"]
        if self.operation.form and not (client.header(b"content-type") or b"").startswith(JSON_TYPE):
            self.spool = await client.form(
                limits.body_max_bytes, limits.body_timeout_s, self.context.spool_folder
            )
            assert self.spool.form is not None
            return cast(FormDialect, dialect).peek_form(self.spool.form, path)
        return dialect.peek(await client.body(limits.body_max_bytes, limits.body_timeout_s), path)

    async def _hold(self, ticket: gates.Ticket, peek: Peek, stored: set[str]) -> Hold:
        """Sets the money aside. Raises what the closed gate says."""
        request = HoldRequest(
            request_id=self.client.request_id,
            owner=self.context.worker_id,
            key_id=ticket.key.id,
            group_id=ticket.group.id,
            quota_id=ticket.key.quota_id,
            demand=ticket.demand,
            rates=ticket.group.rates,
            operation=self.operation.name,
            model=ticket.model,
            asked_model=peek.model,
            price=ticket.price,
            store_price=ticket.price.version not in stored,
            multiplier_ppm=ticket.group.multiplier_ppm,
            stream=peek.stream,
            input_tokens=peek.likely_input_tokens(),
            rate_tokens=ticket.input_bound + (peek.output_limit or 0),
            now_ms=self.started_at_ms,
        )
        hold = await self.context.writer.submit(
            lambda connection: open_hold(connection, request), durable=False
        )
        if not isinstance(hold, Hold):
            raise gates.refused(hold, ticket.key, ticket.group, self.started_at_ms)
        stored.add(ticket.price.version)
        return hold

    # Attempts

    async def _answer(self, outcome: Outcome) -> None:
        """Candidates in turn until one has answered; then the rest of its answer."""
        settings = self.context.config.relay
        if outcome.peek.stream:
            if outcome.peek.array:
                self.client.stream_type = JSON_TYPE
            self.client.keep_alive(settings.keep_alive_s)
        until_ms = self.started_at_ms + int(settings.attempt_budget_s * 1000)
        failures: list[AttemptFailed] = []
        for candidate in outcome.ticket.selection.candidates:
            if self._over(outcome):
                return
            if len(failures) >= settings.attempts or now_ms() >= until_ms:
                break
            try:
                await self._attempt(outcome, candidate)
                return
            except AttemptFailed as failure:
                failures.append(failure)
        if not self._over(outcome):
            raise verdict(failures, outcome.peek.model)

    def _over(self, outcome: Outcome) -> bool:
        """Whether the client left, so that nobody is there to be answered. Raises what a cancelled request was ended with."""
        if self.cancelled:
            outcome.ended = "cancelled"
            raise self.cancelled
        if self.client.gone:
            outcome.ended = "client_closed"
        return self.client.gone

    async def _attempt(self, outcome: Outcome, candidate: Candidate) -> None:
        """One candidate. Raises AttemptFailed while the client has nothing of its answer yet."""
        context, health = self.context, self.context.health
        upstream, credential = candidate.upstream, candidate.credential
        where = (upstream.id, credential.id, candidate.model)
        if not health.enter(*where, context.share_of(upstream.max_concurrent)):
            raise AttemptFailed(
                "limited", upstream.name, "it has as many requests in flight as it may", counts=False
            )
        begun_ms = now_ms()
        attempt = Attempt(upstream.name, credential.label, "ok", 0, 0, "")
        outcome.attempts.append(attempt)
        try:
            await self._exchange(outcome, candidate, attempt)
        except AttemptFailed as failure:
            attempt.outcome, attempt.message = failure.kind, failure.detail
            attempt.status = failure.status or attempt.status
            if (self.client.gone or self.cancelled) and not failure.status and attempt.status in (0, 200):
                attempt.outcome = "broken_off"
                health.withdrawn(*where)
                outcome.candidate = candidate  # it was at work when we left: what it had read is not free
            elif failure.counts:
                health.failed(*where, failure.kind, failure.reason, failure.retry_after_ms)
            else:
                health.withdrawn(*where)
            raise
        except UpstreamRefused as refusal:
            attempt.outcome, attempt.status = "refused", refusal.status
            health.withdrawn(*where)
            raise
        except BaseException:
            attempt.outcome = "broken_off"
            health.withdrawn(*where)
            raise
        finally:
            attempt.duration_ms = now_ms() - begun_ms
            health.leave(upstream.id)
            context.journal.attempt(upstream.name, attempt.outcome)

    async def _exchange(self, outcome: Outcome, candidate: Candidate, attempt: Attempt) -> None:
        """Sends the request to one upstream and sees its answer through."""
        context, upstream = self.context, candidate.upstream
        plan = forward(
            self.operation,
            candidate,
            self._readable(candidate, outcome.peek),
            context.dialects,
            context.askers,
            context.codecs,
            context.signatures,
            outcome.ticket.key.id,
            outcome.started_at_ms // 1000,
        )
        if plan is None:
            raise AttemptFailed(
                "server", upstream.name, f"it does not serve {self.operation.name}", status=404, counts=False
            )
        if plan.estimate is not None:
            outcome.usage, self._answer_body = Usage(), plan.estimate
            self.estimated = True
            return
        self.dropped = plan.dropped
        self.client.stream_headers = dropped_headers(plan.dropped)
        origin, prefix = self.relay.origin(candidate)
        timeouts = Timeouts(
            upstream.connect_timeout_s, upstream.first_byte_timeout_s, upstream.idle_timeout_s
        )
        spool = None if plan.translated else self.spool
        self.sending = True
        try:
            exchange = await context.transport.send(
                origin,
                b"POST",
                (prefix + plan.path).encode(),
                upstream_headers(self.client, candidate, plan),
                plan.body if spool is None else spool.pieces(plan.edits),
                timeouts,
                None if spool is None else spool.size_with(plan.edits),
            )
        except TransportFault as fault:
            raise of_transport(fault, candidate.upstream.name) from None
        except asyncio.CancelledError:
            if not (self.client.gone or self.cancelled):
                raise
            self.client.task.uncancel()
            raise AttemptFailed("silent", upstream.name, "it had not answered yet", counts=False) from None
        finally:
            self.sending = False
        self.exchange = exchange
        attempt.status = exchange.status
        try:
            await judge(exchange, candidate, context.families[plan.family], now_ms())
            if (exchange.header(b"content-encoding") or b"identity") != b"identity":
                exchange.abort()
                raise AttemptFailed(
                    "server", upstream.name, "it compressed its answer although told not to", status=200
                )
            if outcome.peek.stream:
                await self._stream(outcome, candidate, exchange, plan.tap())
            else:
                await self._whole(outcome, candidate, exchange, plan)
        except TransportFault as fault:
            raise of_transport(fault, candidate.upstream.name) from None
        finally:
            self.exchange = None

    def _readable(self, candidate: Candidate, peek: Peek) -> Peek:
        """The request; a form for an upstream of another protocol as the JSON that it stands for. Raises BadRequest."""
        if self.spool is None or self.operation.dialect not in self.context.askers:
            return peek
        speaks = self.operation.dialect in PROVIDERS[candidate.upstream.kind].speaks
        return peek if speaks else as_json(peek, self.spool.content)

    def _in_background(self) -> bool:
        return self.bond is not None and self.bond.in_background

    # Answers

    async def _whole(self, outcome: Outcome, candidate: Candidate, exchange: Exchange, plan: Forward) -> None:
        """An answer in one piece: read, understood, kept for `_end`."""
        body = await exchange.read(self.context.config.limits.answer_max_bytes)
        try:
            answer = plan.read_answer(body)
        except StreamFault as fault:
            raise AttemptFailed("server", candidate.upstream.name, fault.message, status=200) from None
        outcome.candidate = candidate
        self._healthy(candidate)
        outcome.usage = answer.usage
        outcome.service_tier = answer.service_tier
        outcome.first_byte_ms = now_ms() - outcome.started_at_ms
        outcome.output_tokens = answer.output_tokens
        outcome.begun_usage = answer.begun_usage
        if answer.error is not None:
            self.error = answer.error
            outcome.status, outcome.error_code = answer.error.status, answer.error.code
        if self.client.gone:
            outcome.ended = "client_closed"
        response_id, status = state_of(answer.body) if self._in_background() else ("", "")
        if is_running(status):
            await self._note_begun(outcome, response_id)
        self._answer_body, self._answer_type = answer.body, plan.answer_type(exchange.header(b"content-type"))

    async def _stream(self, outcome: Outcome, candidate: Candidate, exchange: Exchange, tap: Tap) -> None:
        """An answer in events: each goes on at once; the last thing that is held back is the end."""
        self.tap = tap
        try:
            await self._first(outcome, candidate, exchange, tap)
            await self._pump(outcome, exchange, tap)
        except (TransportFault, StreamFault) as fault:
            if outcome.candidate is None:
                raise
            self._broke(outcome, candidate, tap, fault)
        finally:
            if outcome.candidate is not None:
                outcome.usage = tap.usage
                outcome.begun_usage = tap.begun_usage
                outcome.output_tokens = tap.output_tokens
                outcome.service_tier = tap.service_tier

    async def _first(self, outcome: Outcome, candidate: Candidate, exchange: Exchange, tap: Tap) -> None:
        """Up to the first event that the client sees; until then the upstream can still be changed."""
        kind = exchange.header(b"content-type") or b""
        if not kind.lower().startswith(b"text/event-stream"):
            exchange.abort()
            raise AttemptFailed(
                "server", candidate.upstream.name, "it answered a stream request without a stream", status=200
            )
        shown = b""
        while not shown and not tap.ended:
            data = await exchange.chunk()
            try:
                if not data:
                    self._goodbye = tap.end()
                    break
                shown = tap.feed(data)
                if tap.fault is not None and not shown:
                    raise tap.fault
            except StreamFault as fault:
                exchange.abort()
                raise AttemptFailed("server", candidate.upstream.name, fault.message, status=200) from None
        outcome.candidate = candidate
        self._healthy(candidate)
        outcome.first_byte_ms = now_ms() - outcome.started_at_ms
        await self._note_begun(outcome, tap.made_id)
        await self.client.write(shown)

    def _healthy(self, candidate: Candidate) -> None:
        self.context.health.succeeded(candidate.upstream.id, candidate.credential.id, candidate.model)

    async def _pump(self, outcome: Outcome, exchange: Exchange, tap: Tap) -> None:
        client = self.client
        allowance, begins = allowance_of(outcome), self._in_background()
        if tap.fault is not None:
            raise tap.fault
        while not tap.ended and (data := await exchange.chunk()):
            shown = tap.feed(data)
            if begins and tap.made_id and not self.awaited:
                await self._note_begun(outcome, tap.made_id)
            if shown:
                await client.write(shown)
            if tap.fault is not None:
                exchange.abort()
                raise tap.fault
            outcome.output_tokens = tap.output_tokens
            if tap.output_tokens > allowance:
                allowance = await self._extend(outcome, exchange, allowance)
        self._goodbye = tap.end()
        self.goes_on = False
        # the upstream's own end may be still to come; read or not, it then gives its connection back
        self.context.loop.call_later(TAIL_S, exchange.abort)
        if client.gone:
            outcome.ended = "client_closed"

    def _broke(
        self, outcome: Outcome, candidate: Candidate, tap: Tap, fault: TransportFault | StreamFault
    ) -> None:
        """The stream did not come to its end. Raises what the client is told; returns when there is nothing to tell."""
        if tap.finished and isinstance(fault, TransportFault):
            self._goodbye = tap.end()  # everything was said; only the goodbye is missing
            self.goes_on = False
            return
        if self.cancelled:
            outcome.ended = "cancelled"
            raise self.cancelled
        if self.client.gone:
            outcome.ended = "client_closed"
            return
        where = (candidate.upstream.id, candidate.credential.id, candidate.model)
        reason = (
            "it broke off in the middle of an answer" if isinstance(fault, TransportFault) else fault.message
        )
        self.context.health.failed(*where, "server", reason, None)
        if outcome.attempts:
            outcome.attempts[-1].message = fault.message
        outcome.ended = "upstream_fault"
        raise UpstreamBroken(f"The answer was broken off in the middle: {candidate.upstream.name}: {reason}.")

    # Money while it runs

    async def _extend(self, outcome: Outcome, exchange: Exchange, allowance: int) -> int:
        """More money for a stream that outgrew its hold, or its end. Returns the new allowance."""
        _, token_nano = output_price(outcome)
        more_tokens = max(EXTENSION_TOKENS, outcome.output_tokens - allowance)
        more_nano = -(-token_nano * more_tokens // 1_000_000)
        request_id = outcome.request_id
        if await self.context.writer.submit(
            lambda connection: extend_hold(connection, request_id, more_nano)
        ):
            outcome.held_nano += more_nano
            return allowance + more_tokens
        exchange.abort()
        outcome.ended = "cut"
        raise QuotaExhausted("The quota is used up: the answer was ended here. Ask the operator to top up.")

    # Ends

    async def _end(self) -> None:
        """What was held back until the settlement: the whole answer, or the stream's end."""
        if self.client.gone:
            return
        if self.outcome is not None and self.outcome.peek.stream:
            wanted = self.client.header(WANTED) == b"stream" and self.client.family.name != "gemini"
            cost = cost_comment(self.settled) if wanted else b""
            await self.client.write(cost + self._goodbye)
            await self.client.finish()
        else:
            headers = cost_headers(self.settled) + dropped_headers(self.dropped)
            if self.estimated:
                headers += ((ESTIMATED, b"tokens"),)
            await self.client.respond(200, self._answer_body, self._answer_type, headers)

    def _client_left(self) -> None:
        """The client hung up. A whole answer is always read on, since a provider bills it either way; a stream as the group says."""
        outcome, settings = self.outcome, self.context.config.relay
        if outcome is None:
            return
        drain = not outcome.peek.stream or outcome.ticket.group.on_abort == "drain"
        drain = drain and not self.awaited  # what is made in the background is asked for later
        if not drain or self.context.draining() >= settings.drains:
            self._let_go()
        elif self.drain_timer is None:
            self.drain_timer = self.context.loop.call_later(settings.drain_s, self._let_go)

    def cancel(self, why: LaidianError) -> None:
        """Ends the request from here: the upstream is let go, what was used is settled, the client is told why."""
        self.cancelled = why
        self._let_go()

    def _let_go(self) -> None:
        """Closes what is open to an upstream, now."""
        if self.cancelled:
            self.client.abandon()
        if self.exchange is not None:
            self.exchange.abort()
        elif self.sending:
            self.client.task.cancel()

    def line(self) -> Line:
        client, outcome, error = self.client, self.outcome, self.error
        line = Line(
            at_ms=self.started_at_ms,
            request_id=client.request_id,
            operation=self.operation.name,
            status=client.status,
            duration_ms=now_ms() - self.started_at_ms,
            key=self.key_name,
        )
        if error is not None:
            line.error, line.fault = error.code, error.fault
        if outcome is None:
            return line
        usage, usage_from = outcome.used()
        line.group, line.model = outcome.ticket.group.name, outcome.ticket.model
        line.upstream = outcome.attempts[-1].upstream if outcome.attempts else ""
        line.stream, line.ended = outcome.peek.stream, "background" if self.goes_on else outcome.ended
        line.attempts = len(outcome.attempts)
        line.first_byte_ms = outcome.first_byte_ms
        if self.goes_on:
            return line  # what it came to gets a line of its own
        line.input_tokens, line.output_tokens = usage.total_input_tokens, usage.total_output_tokens
        line.usage_from = usage_from
        if self.settled is not None:
            line.amount_nano = self.settled.charged_nano
        return line
