"""Asks an upstream whether it is there and which models it has, without spending anything.

A probe uses the relay's own transport, egress proxy included, and the list of models, which is free at every provider here.
"""

from __future__ import annotations

import time

import msgspec

from laidian.domain.upstream import Upstream
from laidian.upstream.connection import Timeouts
from laidian.upstream.faults import TransportFault
from laidian.upstream.origin import parse_base_url
from laidian.upstream.providers import (
    ANTHROPIC_VERSION,
    FAMILY_OF_KIND,
    PROVIDERS,
    credential_headers,
    read_models,
)
from laidian.upstream.transport import Transport

PROBE_EVERY_S = 600.0
"""A model list is free at every provider; ten minutes keep the list of models and the history fresh."""
PROBE_TIMEOUT_S = 15.0
LIST_BYTES = 8 * 1024 * 1024


class Probed(msgspec.Struct, frozen=True):
    """What came of one probe."""

    ok: bool
    status: int | None
    """HTTP status; None when there was no answer."""
    duration_ms: int
    models: tuple[str, ...]
    reason: str
    """A sentence; empty when all is well."""


async def probe(transport: Transport, upstream: Upstream) -> Probed:
    """Lists the upstream's models with its first credential. Never raises for what the upstream does."""
    if not upstream.credentials:
        return Probed(False, None, 0, (), "it has no enabled credential")
    begun = time.monotonic()
    try:
        status, body = await _ask(transport, upstream)
    except TransportFault as fault:
        return Probed(False, None, _since(begun), (), fault.message)
    if status != 200:
        why = "the credential is not accepted" if status in (401, 403) else "not a list of models"
        return Probed(False, status, _since(begun), (), f"it answered {status}: {why}")
    try:
        return Probed(True, status, _since(begun), tuple(read_models(upstream.kind, body)), "")
    except ValueError as error:
        return Probed(False, status, _since(begun), (), str(error))


async def _ask(transport: Transport, upstream: Upstream) -> tuple[int, bytes]:
    provider = PROVIDERS[upstream.kind]
    origin, prefix = parse_base_url(upstream.base_url, upstream.proxy.reveal() if upstream.proxy else None)
    headers = [
        (b"accept", b"application/json"),
        (b"accept-encoding", b"identity"),
        (b"user-agent", b"laidian/0.1"),
        *credential_headers(FAMILY_OF_KIND[upstream.kind], upstream.credentials[0].secret.reveal()),
        *([(b"anthropic-version", ANTHROPIC_VERSION)] if upstream.kind == "anthropic" else []),
    ]
    timeouts = Timeouts(min(upstream.connect_timeout_s, PROBE_TIMEOUT_S), PROBE_TIMEOUT_S, PROBE_TIMEOUT_S)
    exchange = await transport.send(
        origin, b"GET", (prefix + provider.models_path).encode(), headers, None, timeouts
    )
    return exchange.status, await exchange.read(LIST_BYTES)


def _since(begun: float) -> int:
    return int((time.monotonic() - begun) * 1000)
