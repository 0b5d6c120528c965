"""Who gets a request: rank, then weight, then health; and why the others do not."""

from __future__ import annotations

import random
from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laidian.domain.group import Group, Rank, RateLimits
from laidian.domain.selection import Blocked, Candidate, Opened, Selection, select
from laidian.domain.upstream import Credential, Secret, Upstream

GROUP = Group(1, "default", True, (), (), (), {}, frozenset({"chat"}), 1_000_000, RateLimits(), "cancel")
DRAWS = 20_000


def upstream(
    id_: int, *, priority: int = 0, weight: int = 1, credentials: int = 1, **changes: object
) -> Upstream:
    found = Upstream(
        id=id_,
        name=f"up-{id_}",
        kind="openai",
        base_url="http://127.0.0.1:1/v1",
        enabled=True,
        priority=priority,
        weight=weight,
        max_concurrent=None,
        proxy=None,
        models=(),
        aliases={},
        discovered=frozenset(),
        credentials=tuple(Credential(id_ * 10 + n, f"c{n}", Secret("sim")) for n in range(credentials)),
        connect_timeout_s=1,
        first_byte_timeout_s=1,
        idle_timeout_s=1,
    )
    return msgspec.structs.replace(found, **changes)


def well(upstream_id: int, credential_id: int, model: str) -> Opened | None:
    return None


def choose(
    *upstreams: Upstream, group: Group = GROUP, model: str = "m", dice: random.Random | None = None
) -> Selection:
    chance = (dice or random.Random(1)).random
    return select(group, {one.id: one for one in upstreams}, model, well, chance)


def order(selection: Selection) -> list[int]:
    return [candidate.upstream.id for candidate in selection.candidates]


def firsts(*upstreams: Upstream) -> Counter[int]:
    """Who comes first, over many draws with one seed."""
    dice = random.Random(20261122)
    return Counter(order(choose(*upstreams, dice=dice))[0] for _ in range(DRAWS))


@pytest.mark.parametrize("weights", [(1, 1), (1, 2), (1, 3, 6), (10, 10, 80), (1, 99)])
def test_the_same_rank_shares_by_weight(weights: tuple[int, ...]) -> None:
    counts = firsts(*(upstream(number, weight=weight) for number, weight in enumerate(weights, start=1)))
    for number, weight in enumerate(weights, start=1):
        share = weight / sum(weights)
        # five standard deviations of a binomial draw
        assert abs(counts[number] / DRAWS - share) < 5 * (share * (1 - share) / DRAWS) ** 0.5


def test_the_second_place_is_drawn_by_weight_among_the_others() -> None:
    dice = random.Random(20261122)
    upstreams = [upstream(1, weight=1), upstream(2, weight=1), upstream(3, weight=3)]
    seconds: Counter[int] = Counter()
    for _ in range(DRAWS):
        first, second, _ = order(choose(*upstreams, dice=dice))
        if first == 1:
            seconds[second] += 1
    assert abs(seconds[3] / seconds.total() - 0.75) < 0.04


def test_an_upstream_of_weight_zero_comes_last_in_its_rank() -> None:
    dice = random.Random(2)
    for _ in range(500):
        found = choose(upstream(1, weight=0), upstream(2), upstream(3, priority=1), dice=dice)
        assert order(found) == [2, 1, 3]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=8), st.randoms())
def test_lower_priorities_come_first_and_nobody_is_lost(
    places: list[tuple[int, int]], dice: random.Random
) -> None:
    upstreams = [upstream(n, priority=p, weight=w) for n, (p, w) in enumerate(places, start=1)]
    found = choose(*upstreams, dice=dice)
    priorities = [candidate.upstream.priority for candidate in found.candidates]
    assert priorities == sorted(priorities)
    assert sorted(order(found)) == [one.id for one in upstreams]
    assert found.blocked == ()


def test_a_groups_own_ranks_replace_the_priorities_and_leave_out_who_is_not_named() -> None:
    group = msgspec.structs.replace(GROUP, upstreams=(Rank(2, 0), Rank(1, 1), Rank(99, 0)))
    found = choose(upstream(1, priority=0), upstream(2, priority=9), upstream(3), group=group)
    assert order(found) == [2, 1]


def test_an_upstream_that_does_not_serve_the_model_is_no_candidate_and_no_excuse() -> None:
    found = choose(upstream(1, models=("other-*",)), upstream(2, discovered=frozenset({"m2"})))
    assert found == Selection((), ())


def test_the_upstreams_own_name_of_the_model_is_used_and_asked_for() -> None:
    asked: list[tuple[int, int, str]] = []

    def health(upstream_id: int, credential_id: int, model: str) -> Opened | None:
        asked.append((upstream_id, credential_id, model))
        return None

    one = upstream(1, aliases={"m": "theirs"})
    found = select(GROUP, {1: one}, "m", health, random.Random(1).random)
    assert found.candidates == (Candidate(one, one.credentials[0], "theirs"),)
    assert asked == [(1, 10, "theirs")]


def test_each_reason_to_be_left_out_is_told_with_its_end() -> None:
    resting, off, bare, fine = (
        upstream(1),
        upstream(2, enabled=False),
        upstream(3, credentials=0),
        upstream(4),
    )

    def health(upstream_id: int, credential_id: int, model: str) -> Opened | None:
        return Opened(1234, "it answered 503") if upstream_id == 1 else None

    found = select(GROUP, {u.id: u for u in (resting, off, bare, fine)}, "m", health, random.Random(1).random)
    assert order(found) == [4]
    assert set(found.blocked) == {
        Blocked("up-1", "it answered 503", 1234),
        Blocked("up-2", "disabled by the operator", None, "disabled"),
        Blocked("up-3", "it has no enabled credential", None, "no_credential"),
    }


def test_a_resting_credential_leaves_the_others_of_its_upstream_in() -> None:
    one = upstream(1, credentials=3)

    def health(upstream_id: int, credential_id: int, model: str) -> Opened | None:
        return Opened(5, "429") if credential_id == 11 else None

    found = select(GROUP, {1: one}, "m", health, random.Random(1).random)
    assert sorted(candidate.credential.id for candidate in found.candidates) == [10, 12]
    assert found.blocked == (Blocked("up-1", "429", 5),)


def test_the_credentials_of_an_upstream_take_turns_by_chance() -> None:
    dice = random.Random(20261122)
    one = upstream(1, credentials=4)
    counts = Counter(choose(one, dice=dice).candidates[0].credential.id for _ in range(DRAWS))
    assert set(counts) == {10, 11, 12, 13}
    assert all(abs(count / DRAWS - 0.25) < 0.02 for count in counts.values())


@pytest.mark.parametrize("draw", [0.0, 0.999999999999])
def test_the_ends_of_chance_are_no_special_case(draw: float) -> None:
    found = select(GROUP, {1: upstream(1, credentials=3), 2: upstream(2)}, "m", well, lambda: draw)
    assert len(found.candidates) == 4
