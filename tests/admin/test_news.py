"""What a listener hears between two looks: everything once, gaps told, from rows alone."""

from __future__ import annotations

import pytest

from laidian.admin.schema import CircuitMoved, Ended, Event, Gap, ProbeMade, Progress, Refused, Started, Told
from laidian.admin.service import news
from laidian.admin.service.news import Listener, look
from laidian.admin.service.upstreams import record_probe
from laidian.domain.circuit import Circuit, CircuitKey
from laidian.domain.usage import Usage
from laidian.store.circuits import write_circuit
from laidian.store.ledger import note_progress
from laidian.upstream.probe import Probed
from tests.admin.desk import NOW_MS, Desk
from tests.admin.test_usage_pages import refuse


class Ear:
    def __init__(self, desk: Desk, last_id: str = "") -> None:
        self._desk = desk
        self.listener = Listener(last_id)
        self.last_id = last_id

    def hear(self, at_ms: int = NOW_MS, *, with_stats: bool = False) -> list[Event]:
        found = look(self._desk.connection, self.listener.seen, at_ms, with_stats=with_stats)
        heard = self.listener.hear(found)
        self.last_id = heard[-1].id if heard else self.last_id
        return [one.event for one in heard]


@pytest.fixture
def ear(desk: Desk) -> Ear:
    desk.upstream("one")
    desk.key("alice")
    ear = Ear(desk)
    ear.hear()
    return ear


def kinds(events: list[Event]) -> list[type]:
    return [type(event) for event in events]


def test_a_request_is_heard_of_when_it_starts_goes_on_and_ends(desk: Desk, ear: Ear) -> None:
    desk.hold("req_1")
    assert kinds(ear.hear()) == [Started]
    assert ear.hear() == []
    desk.do(lambda c: note_progress(c, [(1, 250, "req_1")]))
    (went_on,) = ear.hear()
    assert isinstance(went_on, Progress)
    assert (went_on.request.output_tokens, went_on.request.upstream) == (250, "one")
    desk.settle("req_1", Usage(input=10))
    (ended,) = ear.hear()
    assert isinstance(ended, Ended)
    assert (ended.record.request_id, ended.record.input_tokens) == ("req_1", 10)
    assert ear.hear() == []


def test_refusals_probes_and_circuits_are_heard_of_once(desk: Desk, ear: Ear) -> None:
    refuse(desk, "req_1")
    desk.do(lambda c: record_probe(c, "one", Probed(True, 200, 5, ("gpt-5.4",), ""), now_ms=NOW_MS))
    desk.do(
        lambda c: write_circuit(
            c, CircuitKey(1, 0, "gpt-5.4"), Circuit(3, NOW_MS + 5_000, "slow down"), NOW_MS
        )
    )
    assert set(kinds(ear.hear())) == {Refused, ProbeMade, CircuitMoved}
    assert ear.hear() == []
    (half,) = ear.hear(NOW_MS + 6_000)
    assert isinstance(half, CircuitMoved)
    assert half.state == "half_open"
    desk.do(lambda c: write_circuit(c, CircuitKey(1, 0, "gpt-5.4"), None, NOW_MS))
    (closed,) = ear.hear(NOW_MS + 7_000)
    assert isinstance(closed, CircuitMoved)
    assert (closed.state, closed.open_until) == ("closed", None)


def test_who_comes_again_goes_on_after_the_last_id_and_hears_nothing_twice(desk: Desk, ear: Ear) -> None:
    desk.serve("req_1", Usage(input=1))
    ear.hear()
    desk.serve("req_2", Usage(input=1))
    refuse(desk, "req_3")
    again = Ear(desk, ear.last_id)
    assert {getattr(event, "record").request_id for event in again.hear()} == {"req_2", "req_3"}  # noqa: B009


def test_who_breaks_off_in_the_middle_hears_the_rest_again(desk: Desk, ear: Ear) -> None:
    for number in range(3):
        desk.serve(f"req_{number}", Usage(input=1))
    heard = ear.listener.hear(look(desk.connection, ear.listener.seen, NOW_MS, with_stats=False))
    assert kinds(Ear(desk, heard[1].id).hear()) == [Ended] * 3
    assert Ear(desk, heard[2].id).hear() == []


def test_who_was_away_for_too_long_or_saw_another_database_is_told_of_a_gap(
    desk: Desk, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "MOST", 2)
    for number in range(5):
        desk.serve(f"req_{number}", Usage(input=1))
    assert kinds(ear.hear()) == [Gap, Ended, Ended]
    assert kinds(Ear(desk, "900.0.0.0").hear())[0] is Gap
    assert Ear(desk, "nonsense").hear() == []


def test_the_counters_are_those_of_the_last_minutes(desk: Desk, ear: Ear) -> None:
    at_ms = NOW_MS + 30_000
    desk.serve("req_1", Usage(input=100), at_ms=NOW_MS - 30_000)
    desk.serve("req_2", Usage(), at_ms=NOW_MS + 10_000, status=502, ended="upstream_fault", usage_from="none")
    desk.hold("req_3", nano=5_000)
    refuse(desk, "req_4")
    (told,) = [event for event in ear.hear(at_ms, with_stats=True) if isinstance(event, Told)]
    stats = told.stats
    # half of the minute before still counts
    assert (stats.requests_per_minute, stats.tokens_per_minute) == (2, 50)
    assert (stats.failed_5m, stats.refused_5m, stats.requests_5m, stats.in_flight) == (1, 1, 2, 1)
    assert (stats.requests_today, stats.held_usd) == (2, "0.000005")
