"""What a request came to, gathered while it runs, and turned into its settlement at the end."""

from __future__ import annotations

import msgspec

from laidian.domain.price import Unpriced, price_usage
from laidian.domain.record import Ending, Settlement, UsageSource
from laidian.domain.selection import Candidate
from laidian.domain.usage import Usage
from laidian.protocol.dialect import Peek
from laidian.relay.attempts import Attempt
from laidian.relay.gates import Ticket, sold_by_unit

_NOTHING = Usage()
CLIENT_CHARS = 80


class Outcome:
    """Mutable, one per admitted request, and readable at any moment: the live view and the progress notes look in."""

    __slots__ = (
        "attempts",
        "begun_usage",
        "candidate",
        "client",
        "ended",
        "error_code",
        "first_byte_ms",
        "held_nano",
        "output_tokens",
        "peek",
        "request_id",
        "service_tier",
        "started_at_ms",
        "status",
        "ticket",
        "usage",
    )

    def __init__(
        self, request_id: str, ticket: Ticket, peek: Peek, held_nano: int, started_at_ms: int, client: str
    ) -> None:
        self.request_id = request_id
        self.ticket = ticket
        self.peek = peek
        self.held_nano = held_nano
        self.started_at_ms = started_at_ms
        self.client = client
        self.attempts: list[Attempt] = []
        self.candidate: Candidate | None = None
        """The upstream that answers; None until one does."""
        self.usage: Usage | None = None
        """What the upstream said was used."""
        self.begun_usage: Usage | None = None
        """What it said of an answer that it did not finish."""
        self.output_tokens = 0
        """Likely output seen so far."""
        self.service_tier = "default"
        self.first_byte_ms: int | None = None
        self.ended: Ending = "complete"
        self.status = 200
        self.error_code = ""

    def used(self) -> tuple[Usage, UsageSource]:
        """The upstream's word; else an estimate when it had begun to answer; else nothing."""
        if self.usage is not None:
            return self.usage, "upstream"
        if self.candidate is None:
            return _NOTHING, "none"
        if self.begun_usage is not None:
            return self.begun_usage, "estimated"
        if sold_by_unit(self.ticket.price, self.peek.units):
            return self.peek.units, "estimated"
        return Usage(input=self.peek.likely_input_tokens(), output=self.output_tokens), "estimated"

    def settlement(self, finished_at_ms: int) -> Settlement:
        """The end of the hold, priced with the price and multiplier it was made with."""
        ticket = self.ticket
        usage, usage_from = self.used()
        tier, amount_nano = self.service_tier, 0
        if usage_from != "none":
            try:
                receipt = price_usage(
                    ticket.price,
                    usage,
                    service_tier=self.service_tier,
                    multiplier_ppm=ticket.group.multiplier_ppm,
                )
                tier, amount_nano = receipt.service_tier, receipt.amount_nano
            except Unpriced:
                # a class of tokens that the price does not know: never free, and the hold was the bound for all of them
                amount_nano, self.error_code = self.held_nano, "unit_not_priced"
        candidate = self.candidate
        return Settlement(
            request_id=self.request_id,
            usage=usage,
            amount_nano=amount_nano,
            service_tier=tier,
            usage_from=usage_from,
            ended=self.ended,
            status=self.status,
            error_code=self.error_code,
            upstream_id=candidate.upstream.id if candidate else None,
            credential_id=candidate.credential.id if candidate else None,
            upstream_model=candidate.model if candidate else "",
            first_byte_ms=self.first_byte_ms,
            duration_ms=max(0, finished_at_ms - self.started_at_ms),
            finished_at_ms=finished_at_ms,
            attempts=msgspec.json.encode(self.attempts).decode(),
            client=self.client[:CLIENT_CHARS],
        )
