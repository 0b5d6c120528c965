"""Circuits as one worker knows them, shared with others."""

from __future__ import annotations

from laidian.domain.circuit import Circuit, CircuitKey
from laidian.upstream.health import Health

WHERE = (1, 1, "model")
KEY = CircuitKey(1, 1, "model")


class Clock:
    now_ms = 1_000_000

    def __call__(self) -> int:
        return self.now_ms


def make() -> tuple[Health, Clock, list[tuple[CircuitKey, Circuit | None]]]:
    clock = Clock()
    changes: list[tuple[CircuitKey, Circuit | None]] = []
    return Health(clock, lambda key, circuit: changes.append((key, circuit))), clock, changes


def limited(health: Health) -> None:
    health.failed(*WHERE, "limited", "429", None)


def test_a_circuit_rests_then_lets_one_request_through_and_closes_with_its_success() -> None:
    health, clock, changes = make()
    limited(health)
    opened = health.opened(*WHERE)
    assert opened is not None
    assert opened.until_ms == clock.now_ms + 5_000
    clock.now_ms = opened.until_ms
    assert health.opened(*WHERE) is None
    assert health.enter(*WHERE, None)
    assert health.opened(*WHERE) is not None, "one at a time"
    health.succeeded(*WHERE)
    assert health.opened(*WHERE) is None
    assert [circuit is None for _, circuit in changes] == [False, True]


def test_a_trial_without_a_verdict_makes_way_for_the_next() -> None:
    health, clock, _ = make()
    limited(health)
    clock.now_ms += 5_000
    assert health.enter(*WHERE, None)
    health.withdrawn(*WHERE)
    assert health.opened(*WHERE) is None


def test_a_trial_whose_circuit_another_worker_closed_meanwhile_is_over_with_its_success() -> None:
    """Or this worker would take the upstream as on trial for ever, from the next rest on that another one reports."""
    health, clock, _ = make()
    limited(health)
    clock.now_ms += 5_000
    assert health.enter(*WHERE, None)
    health.replace({})
    health.succeeded(*WHERE)
    health.replace({KEY: Circuit(1, clock.now_ms + 5_000, "429")})
    assert health.opened(*WHERE) is not None
    clock.now_ms += 5_000
    assert health.opened(*WHERE) is None


def test_what_is_counted_below_the_threshold_stays_when_the_shared_circuits_are_read() -> None:
    health, _, changes = make()
    health.failed(*WHERE, "reach", "refused", None)
    assert health.opened(*WHERE) is None
    health.replace({})
    health.failed(*WHERE, "reach", "refused", None)
    assert health.opened(*WHERE) is not None
    assert len(changes) == 1, "a row is written only when a circuit opens"


def test_requests_in_flight_are_bounded_and_counted() -> None:
    health, _, _ = make()
    assert health.enter(*WHERE, 2)
    assert health.enter(*WHERE, 2)
    assert not health.enter(*WHERE, 2)
    health.leave(1)
    assert health.busy() == {1: 1}
    assert health.enter(*WHERE, 2)
