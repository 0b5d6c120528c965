"""When an upstream rests, for how long, and how it comes back.

Circuits are kept per (upstream, model); a refused credential rests as a whole. Pure: the clock comes in. Three states:
closed (no entry, or too few failures), open until T, and after T half-open: one real request is let through, and its end
decides. The caller's own faults never get here.
"""

from __future__ import annotations

from typing import Literal

import msgspec

FaultKind = Literal["reach", "silent", "server", "limited", "exhausted", "refused_credential"]
"""reach: no connection; silent: no first byte in time; server: 5xx or a broken answer; limited: 429; exhausted: the operator's
own balance there is used up; refused_credential: 401 or 403."""

FAILURES_TO_OPEN: dict[FaultKind, int] = {
    "reach": 2,
    "silent": 2,
    "server": 3,
    "limited": 1,
    "exhausted": 1,
    "refused_credential": 1,
}
"""One 5xx is noise; a 429 or a refused credential is a statement."""

BASE_REST_MS: dict[FaultKind, int] = {
    "reach": 5_000,
    "silent": 10_000,
    "server": 5_000,
    "limited": 5_000,
    "exhausted": 300_000,
    "refused_credential": 300_000,
}
LONGEST_REST_MS = 600_000
LONGEST_RETRY_AFTER_MS = 3_600_000
"""An upstream that asks for more than an hour is tried again after one."""


class CircuitKey(msgspec.Struct, frozen=True):
    upstream_id: int
    credential_id: int
    """0: whatever the credential."""
    model: str
    """The upstream's name; empty: whatever the model."""


class Circuit(msgspec.Struct, frozen=True):
    failures: int
    """In a row, since the last success."""
    open_until_ms: int
    """0 while closed; in the past when half-open."""
    reason: str


def scope(kind: FaultKind, upstream_id: int, credential_id: int, model: str) -> CircuitKey:
    """What a fault says something about."""
    if kind == "refused_credential":
        return CircuitKey(upstream_id, credential_id, "")
    if kind in ("limited", "exhausted"):
        return CircuitKey(upstream_id, credential_id, model)
    return CircuitKey(upstream_id, 0, model)


def after_failure(
    circuit: Circuit | None, kind: FaultKind, reason: str, now_ms: int, retry_after_ms: int | None
) -> Circuit:
    """The circuit after one more failure; it rests twice as long each time, at most ten minutes, or as Retry-After says."""
    failures = 1 if circuit is None else circuit.failures + 1
    over = failures - FAILURES_TO_OPEN[kind]
    if over < 0:
        return Circuit(failures, 0, reason)
    rest_ms = min(BASE_REST_MS[kind] << min(over, 10), LONGEST_REST_MS)
    if retry_after_ms is not None:
        rest_ms = min(max(retry_after_ms, 1_000), LONGEST_RETRY_AFTER_MS)
    return Circuit(failures, now_ms + rest_ms, reason)
