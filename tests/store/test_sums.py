"""Sums from the rollups are those of the records, to the unit, whatever was folded when and wherever a time is cut."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from laidian.domain.usage import Usage
from laidian.store.audit import audit
from laidian.store.rollups import DAY_MS, HOUR_MS, fold, folded_to, forget
from laidian.store.sums import Grouping, SumFilter, add_up, charged_since, merged
from laidian.store.usage import UsageFilter, sum_records
from tests.admin.desk import NOW_MS, Desk

BEGIN_MS = NOW_MS - 12 * DAY_MS
GROUPINGS: tuple[Grouping, ...] = ("hour", "day", "model", "key", "group", "upstream", "status")
_COUNT = 160


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Requests of twelve days on two keys in two groups and two upstreams, every eighth failed, not in the order of their beginning."""
    desk = Desk(tmp_path_factory.mktemp("sums"))
    desk.start()
    desk.group("team")
    desk.upstream("one")
    desk.upstream("two")
    desk.key("alice")
    desk.key("bob", group="team")
    for number in range(_COUNT):
        usage, failed = Usage(input=number, cached_input=3, output=7, reasoning=1), number % 8 == 5
        at_ms = BEGIN_MS + (number * 12 * DAY_MS // _COUNT) - (number % 5) * 7 * HOUR_MS
        # a status of 0 is a lost request
        desk.serve(
            f"req_{number:03}", Usage() if failed else usage, key=("alice", "bob")[number % 3 == 1], at_ms=at_ms,
            model=("gpt-5.4", "gpt-5.5")[number % 2], upstream_id=(1, 2, None)[number % 3], status=(503, 0)[number % 16 == 5] if failed else 200,
            usage_from="none" if failed else ("upstream", "estimated")[number % 7 == 0],
        )  # fmt: skip
    yield desk
    desk.close()


def figures(desk: Desk, wanted: SumFilter, by: Grouping) -> list[tuple[int, ...]]:
    return sorted(msgspec.structs.astuple(one)[1:9] for one in add_up(desk.connection, wanted, by))


def from_records(desk: Desk, wanted: SumFilter, by: Grouping) -> list[tuple[int, ...]]:
    plain = UsageFilter(
        since_ms=wanted.since_ms,
        until_ms=wanted.until_ms,
        key_id=wanted.key_ids[0] if wanted.key_ids else None,
        model=wanted.model or "",
        group="team" if wanted.group_ids else "",
        upstream="one" if wanted.upstream_ids else "",
        failed=wanted.classes is not None,
    )
    return sorted(msgspec.structs.astuple(one)[1:] for one in sum_records(desk.connection, plain, by))


def moments() -> st.SearchStrategy[int | None]:
    some = st.integers(BEGIN_MS - 2 * DAY_MS, NOW_MS + DAY_MS)
    return st.none() | some | some.map(lambda at: at - at % HOUR_MS) | some.map(lambda at: at - at % DAY_MS)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    more=st.integers(0, 40),
    since=moments(),
    until=moments(),
    by=st.sampled_from(GROUPINGS),
    key=st.none() | st.just((1,)),
    model=st.none() | st.just("gpt-5.5"),
    group=st.none() | st.just((2,)),
    upstream=st.none() | st.just((1,)),
    failed=st.booleans(),
)
def test_sums_are_those_of_the_records(
    ledger: Desk,
    more: int,
    since: Any,
    until: Any,
    by: Grouping,
    key: Any,
    model: Any,
    group: Any,
    upstream: Any,
    failed: bool,
) -> None:
    # the examples share one ledger, so that they see it folded to ever other records
    ledger.do(lambda c: fold(c, more))
    ledger.do(lambda c: forget(c, NOW_MS))
    wanted = SumFilter(
        since_ms=since, until_ms=until, key_ids=key, model=model, group_ids=group, upstream_ids=upstream,
        classes=(0, 4, 5) if failed else None,
    )  # fmt: skip
    assert figures(ledger, wanted, by) == from_records(ledger, wanted, by)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(more=st.integers(0, 40), since=moments(), until=st.none() | moments(), most=st.integers(1, 3))
def test_the_dearest_keys_come_with_all_their_figures(
    ledger: Desk, more: int, since: Any, until: Any, most: int
) -> None:
    ledger.do(lambda c: fold(c, more))
    wanted = SumFilter(since_ms=since, until_ms=until)
    all_keys = add_up(ledger.connection, wanted, "key")
    assert [(-one.charged_nano, one.name) for one in all_keys] == sorted(
        (-one.charged_nano, one.name) for one in all_keys
    )
    assert add_up(ledger.connection, wanted, "key", most=most) == all_keys[:most]
    if since is not None and until is None:
        charged = [(one.name, one.charged_nano) for one in all_keys]
        assert list(charged_since(ledger.connection, since).items()) == charged
        assert list(charged_since(ledger.connection, since, most).items()) == charged[:most]


def test_folding_goes_on_where_it_stopped_and_ends(desk: Desk) -> None:
    desk.key("alice")
    for number in range(5):
        desk.serve(f"req_{number}", Usage(input=10))
    assert desk.do(lambda c: fold(c, 2))
    assert folded_to(desk.connection) == 2
    assert desk.do(lambda c: fold(c, 2))
    assert not desk.do(lambda c: fold(c, 2))
    assert not desk.do(lambda c: fold(c, 2))
    assert folded_to(desk.connection) == 5
    (total,) = add_up(desk.connection, SumFilter(), None)
    assert total.requests == 5


def test_a_request_that_began_yesterday_and_ended_today_is_of_yesterday(desk: Desk) -> None:
    desk.key("alice")
    desk.serve("req_today", Usage(input=10), at_ms=NOW_MS)
    desk.do(fold)
    desk.serve("req_late", Usage(input=20), at_ms=NOW_MS - DAY_MS)
    desk.do(fold)
    midnight = NOW_MS - NOW_MS % DAY_MS
    for since, until, expected in ((None, midnight, 20), (midnight, None, 10), (None, None, 30)):
        (found,) = add_up(desk.connection, SumFilter(since_ms=since, until_ms=until), "key")
        assert found.input_tokens == expected


def test_latency_is_kept_in_classes(desk: Desk) -> None:
    desk.key("alice")
    desk.serve("req_1", Usage(input=10))
    desk.do(fold)
    desk.serve("req_2", Usage(input=10))
    (found,) = add_up(desk.connection, SumFilter(), "model")
    assert (sum(found.durations), sum(found.first_byte_counts)) == (2, 2)
    assert found.first_byte_counts[6] == 2  # 400 to 600 ms
    assert found.durations[8] == 2  # 1000 to 1500 ms
    assert merged([found, found]).durations[8] == 4
    assert merged([]).requests == 0


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE usage_hours SET charged_nano = charged_nano + 1", "UPDATE usage_days SET requests = requests + 1",
        "UPDATE group_days SET output_tokens = output_tokens + 1", "UPDATE key_days SET failed = failed + 1",
        "UPDATE key_totals SET input_tokens = input_tokens + 1", "UPDATE key_sums SET input_tokens = input_tokens + 1",
        "UPDATE group_hours SET output_tokens = output_tokens + 1", "DELETE FROM usage_hours", "DELETE FROM group_hours",
        "DELETE FROM key_sums",
    ],
)  # fmt: skip
def test_the_audit_proves_the_sums_from_the_records(desk: Desk, damage: str) -> None:
    desk.key("alice")
    desk.serve("req_1", Usage(input=1_000))
    desk.do(fold)
    desk.serve("req_2", Usage(input=1_000))
    assert audit(desk.connection, desk.run).differences == ()
    desk.do(lambda c: c.execute(damage))
    found = audit(desk.connection, desk.run)
    assert {one.check for one in found.differences} == {"sums"}
