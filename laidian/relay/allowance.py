"""How much of a running answer its hold pays for. An upper bound in the client's favour: it decides when to ask for more, never the bill."""

from __future__ import annotations

from laidian.domain.price import Unpriced, upper_bound
from laidian.relay.outcome import Outcome

ENDLESS = 1 << 62
"""Tokens of a model whose output costs nothing."""


def allowance_of(outcome: Outcome) -> int:
    """Likely output tokens that the hold pays for."""
    input_nano, token_nano = output_price(outcome)
    if not token_nano:
        return ENDLESS
    return max(0, (outcome.held_nano - input_nano) * 1_000_000 // token_nano)


def output_price(outcome: Outcome) -> tuple[int, int]:
    """(nano-USD for the input, nano-USD for a million output tokens), both as upper bounds; zeros where there is no rate."""
    try:
        base, more = (_bound(outcome, output_tokens) for output_tokens in (0, 1_000_000))
    except Unpriced:
        return 0, 0
    return base, more - base


def _bound(outcome: Outcome, output_tokens: int) -> int:
    ticket = outcome.ticket
    return upper_bound(
        ticket.price,
        input_tokens=ticket.input_bound,
        output_tokens=output_tokens,
        multiplier_ppm=ticket.group.multiplier_ppm,
        text_only=outcome.peek.text_only,
    )
