"""When an upstream rests and for how long."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laidian.domain.circuit import (
    BASE_REST_MS,
    FAILURES_TO_OPEN,
    LONGEST_REST_MS,
    LONGEST_RETRY_AFTER_MS,
    Circuit,
    CircuitKey,
    FaultKind,
    after_failure,
    scope,
)

KINDS: tuple[FaultKind, ...] = get_args(FaultKind)
kinds = st.sampled_from(KINDS)
NOW_MS = 1_000_000


def after(number: int, kind: FaultKind, retry_after_ms: int | None = None) -> Circuit:
    """The circuit after so many failures in a row, all of them now."""
    circuit: Circuit | None = None
    for _ in range(number):
        circuit = after_failure(circuit, kind, "it failed", NOW_MS, retry_after_ms)
    assert circuit is not None
    return circuit


@pytest.mark.parametrize("kind", KINDS)
def test_a_circuit_opens_with_its_kinds_number_of_failures_and_not_before(kind: FaultKind) -> None:
    for number in range(1, FAILURES_TO_OPEN[kind]):
        assert after(number, kind) == Circuit(number, 0, "it failed")
    first = after(FAILURES_TO_OPEN[kind], kind)
    assert first.open_until_ms == NOW_MS + BASE_REST_MS[kind]


@given(kinds, st.integers(1, 60))
def test_each_rest_is_twice_the_one_before_up_to_ten_minutes(kind: FaultKind, more: int) -> None:
    one = after(FAILURES_TO_OPEN[kind] + more - 1, kind).open_until_ms - NOW_MS
    next_one = after(FAILURES_TO_OPEN[kind] + more, kind).open_until_ms - NOW_MS
    assert one <= next_one == min(2 * one, LONGEST_REST_MS)


@given(kinds, st.integers(0, 50), st.integers(0, 10**9))
def test_retry_after_rules_the_rest_within_a_second_and_an_hour(
    kind: FaultKind, more: int, retry_after_ms: int
) -> None:
    rest_ms = after(FAILURES_TO_OPEN[kind] + more, kind, retry_after_ms).open_until_ms - NOW_MS
    assert rest_ms == min(max(retry_after_ms, 1_000), LONGEST_RETRY_AFTER_MS)


def test_a_failed_trial_rests_longer_than_the_failure_before_it() -> None:
    first = after_failure(None, "limited", "429", NOW_MS, None)
    again = after_failure(first, "limited", "429", first.open_until_ms, None)
    assert again.open_until_ms - first.open_until_ms == 2 * (first.open_until_ms - NOW_MS)
    assert again.failures == 2


def test_the_latest_reason_is_kept() -> None:
    circuit = after_failure(Circuit(1, 0, "first"), "reach", "second", NOW_MS, None)
    assert circuit.reason == "second"


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("reach", CircuitKey(7, 0, "m")),
        ("silent", CircuitKey(7, 0, "m")),
        ("server", CircuitKey(7, 0, "m")),
        ("limited", CircuitKey(7, 3, "m")),
        ("exhausted", CircuitKey(7, 3, "m")),
        ("refused_credential", CircuitKey(7, 3, "")),
    ],
)
def test_a_fault_says_something_about_its_own_scope_only(kind: FaultKind, key: CircuitKey) -> None:
    assert scope(kind, 7, 3, "m") == key
