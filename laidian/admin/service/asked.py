"""What was asked for in the last day, by model: served, failed, and refused because it could not be had."""

from __future__ import annotations

import msgspec

from laidian.domain.latency import percentile_ms
from laidian.store.connection import Connection
from laidian.store.refusals import refused_models
from laidian.store.rollups import DAY_MS, HOUR_MS
from laidian.store.sums import SumFilter, add_up

IN_VAIN = ("model_not_found", "model_not_priced", "no_available_channel")
"""Codes of refusals that are about the model."""


class Asked(msgspec.Struct, frozen=True):
    requests: int = 0
    failed: int = 0
    refused: int = 0
    charged_nano: int = 0
    first_byte_p50_ms: int | None = None


NOBODY = Asked()


def in_vain(connection: Connection, now_ms: int) -> dict[str, int]:
    """How often models were refused in the last day because they could not be had."""
    return refused_models(connection, now_ms - DAY_MS, IN_VAIN)


def by_model(connection: Connection, now_ms: int) -> dict[str, Asked]:
    """Of the last 24 hours, the first one whole."""
    since_ms = (now_ms - DAY_MS) // HOUR_MS * HOUR_MS
    refused = refused_models(connection, since_ms, IN_VAIN)
    found = {
        str(one.name): Asked(
            one.requests,
            one.failed,
            refused.pop(str(one.name), 0),
            one.charged_nano,
            percentile_ms(one.first_byte_counts, 0.5),
        )
        for one in add_up(connection, SumFilter(since_ms=since_ms), "model")
    }
    return found | {name: Asked(refused=number) for name, number in refused.items()}
