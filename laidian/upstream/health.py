"""The health of every upstream as one worker knows it: circuits, trials in flight, requests in flight.

The circuits are rows too, so that workers share what they learn and a restart remembers; a row is written only when a
circuit opens or closes. Requests in flight are counted per worker.
"""

from __future__ import annotations

from collections.abc import Callable

from laidian.domain.circuit import Circuit, CircuitKey, FaultKind, after_failure, scope
from laidian.domain.selection import Opened

Changed = Callable[[CircuitKey, Circuit | None], None]
"""Called when a circuit opens (its new state) or closes (None)."""


class Health:
    def __init__(self, now_ms: Callable[[], int], changed: Changed) -> None:
        self._now_ms = now_ms
        self._changed = changed
        self._circuits: dict[CircuitKey, Circuit] = {}
        self._trials: set[CircuitKey] = set()
        self._busy: dict[int, int] = {}

    def replace(self, circuits: dict[CircuitKey, Circuit]) -> None:
        """Takes over the shared rows; what this worker has counted below the threshold stays."""
        kept = {key: circuit for key, circuit in self._circuits.items() if not circuit.open_until_ms}
        self._circuits = kept | circuits

    def opened(self, upstream_id: int, credential_id: int, model: str) -> Opened | None:
        """None when traffic may go there now; a half-open circuit lets one request through at a time."""
        if not self._circuits:
            return None
        now_ms = self._now_ms()
        for key in _keys(upstream_id, credential_id, model):
            circuit = self._circuits.get(key)
            if circuit is None or not circuit.open_until_ms:
                continue
            if circuit.open_until_ms > now_ms:
                return Opened(circuit.open_until_ms, circuit.reason)
            if key in self._trials:
                return Opened(now_ms + 1_000, f"{circuit.reason}; one request is trying it now")
        return None

    def enter(self, upstream_id: int, credential_id: int, model: str, limit: int | None) -> bool:
        """Claims a place for one request. False when the upstream's limit of requests in flight is reached."""
        busy = self._busy.get(upstream_id, 0)
        if limit is not None and busy >= limit:
            return False
        self._busy[upstream_id] = busy + 1
        for key in _keys(upstream_id, credential_id, model) if self._circuits else ():
            circuit = self._circuits.get(key)
            if circuit is not None and circuit.open_until_ms:
                self._trials.add(key)
        return True

    def leave(self, upstream_id: int) -> None:
        """Gives the place back; once for every `enter` that was True."""
        self._busy[upstream_id] -= 1

    def succeeded(self, upstream_id: int, credential_id: int, model: str) -> None:
        """The upstream answered as it should: its circuits close."""
        if not self._circuits and not self._trials:
            return
        for key in _keys(upstream_id, credential_id, model):
            circuit = self._circuits.pop(key, None)
            self._trials.discard(key)
            if circuit is not None and circuit.open_until_ms:
                self._changed(key, None)

    def withdrawn(self, upstream_id: int, credential_id: int, model: str) -> None:
        """A trial ended without a verdict (the client left, or the request itself was refused)."""
        for key in _keys(upstream_id, credential_id, model):
            self._trials.discard(key)

    def failed(
        self,
        upstream_id: int,
        credential_id: int,
        model: str,
        kind: FaultKind,
        reason: str,
        retry_after_ms: int | None,
    ) -> None:
        """One failure of the upstream's making."""
        self.withdrawn(upstream_id, credential_id, model)
        key = scope(kind, upstream_id, credential_id, model)
        circuit = after_failure(self._circuits.get(key), kind, reason, self._now_ms(), retry_after_ms)
        self._circuits[key] = circuit
        if circuit.open_until_ms:
            self._changed(key, circuit)

    def busy(self) -> dict[int, int]:
        """Requests in flight of this worker by upstream id."""
        return self._busy


def _keys(upstream_id: int, credential_id: int, model: str) -> tuple[CircuitKey, CircuitKey, CircuitKey]:
    return (
        CircuitKey(upstream_id, 0, model),
        CircuitKey(upstream_id, credential_id, model),
        CircuitKey(upstream_id, credential_id, ""),
    )
