"""The rule of laidian.domain.hold, as properties."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from laidian.domain.hold import Demand, charge_nano, hold_nano
from laidian.domain.quota import Counter

amounts = st.integers(0, 10**12)
counters = st.builds(Counter, st.none() | amounts, amounts, amounts)


@st.composite
def sound_counters(draw: st.DrawFn) -> Counter:
    """A counter with nothing above its limit."""
    held, spent = draw(amounts), draw(amounts)
    left = draw(st.none() | amounts)
    return Counter(None if left is None else held + spent + left, held, spent)


@st.composite
def demands(draw: st.DrawFn) -> Demand:
    least = draw(amounts)
    return Demand(least + draw(amounts), least)


def lefts(found: list[Counter]) -> list[int]:
    return [counter.left_nano for counter in found if counter.left_nano is not None]


@given(demands(), st.lists(counters, max_size=6))
def test_a_hold_never_takes_more_than_any_counter_has_left(demand: Demand, found: list[Counter]) -> None:
    amount = hold_nano(demand, found)
    if amount is not None:
        assert all(amount <= left for left in lefts(found))
        assert demand.least_nano <= amount <= demand.worst_nano


@given(demands(), st.lists(counters, max_size=6))
def test_a_request_is_refused_only_when_its_least_is_not_affordable(
    demand: Demand, found: list[Counter]
) -> None:
    affordable = all(left >= demand.least_nano for left in lefts(found))
    assert (hold_nano(demand, found) is not None) == affordable


@given(demands(), st.lists(counters, max_size=6))
def test_a_hold_is_the_worst_case_wherever_that_is_affordable(demand: Demand, found: list[Counter]) -> None:
    assume(all(left >= demand.worst_nano for left in lefts(found)))
    assert hold_nano(demand, found) == demand.worst_nano


@given(amounts, st.lists(counters, max_size=6))
def test_a_request_with_its_own_limit_is_held_whole_or_refused(worst: int, found: list[Counter]) -> None:
    assert hold_nano(Demand(worst, worst), found) in (worst, None)


def test_a_request_without_a_limit_is_held_at_what_the_tightest_counter_has_left() -> None:
    found = [Counter(None, 5, 5), Counter(100, 10, 20), Counter(90, 0, 40)]
    assert hold_nano(Demand(1_000, 50), found) == 50
    assert hold_nano(Demand(1_000, 51), found) is None


def test_no_limit_anywhere_holds_the_worst_case() -> None:
    assert hold_nano(Demand(7, 3), []) == 7
    assert hold_nano(Demand(7, 3), [Counter(None, 0, 10**15)]) == 7


def test_a_free_request_needs_nothing_left() -> None:
    assert hold_nano(Demand(0, 0), [Counter(10, 4, 6)]) == 0


@given(amounts, amounts, st.lists(sound_counters(), max_size=6))
def test_a_charge_takes_at_most_the_hold_and_what_is_left(
    amount: int, held: int, found: list[Counter]
) -> None:
    charge = charge_nano(amount, held, found)
    assert 0 <= charge <= amount
    assert all(charge <= left + held for left in lefts(found))


@given(amounts, amounts, st.lists(sound_counters(), max_size=6))
def test_a_charge_is_the_amount_wherever_that_is_there(amount: int, held: int, found: list[Counter]) -> None:
    room = min((left + held for left in lefts(found)), default=amount)
    assert charge_nano(amount, held, found) == min(amount, room)


@given(amounts, amounts, st.lists(counters, max_size=6))
def test_a_charge_is_never_less_than_the_hold_affords(amount: int, held: int, found: list[Counter]) -> None:
    """Also when the operator has lowered a limit since: what was set aside is there, and a longer answer is not free."""
    assert charge_nano(amount, held, found) >= min(amount, held)


@given(amounts, amounts, amounts, st.lists(counters, max_size=6))
def test_more_use_is_never_charged_less(amount: int, more: int, held: int, found: list[Counter]) -> None:
    assert charge_nano(amount, held, found) <= charge_nano(amount + more, held, found)
