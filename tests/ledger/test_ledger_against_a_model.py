"""The ledger on a real file, through the real writer, beside a model in plain Python that does every sum itself.

After each step every row that carries money is compared with the model, and the identities are checked by SQL.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from laidian.domain.group import RateLimits
from laidian.domain.quota import WindowKind
from laidian.domain.record import Hold, HoldRequest, Refusal, Settled, Settlement
from laidian.domain.usage import Usage
from laidian.store.database import connect
from laidian.store.ledger import extend_hold, note_progress, open_hold, settle, sweep_rates
from laidian.store.orphans import Worker, settle_orphans
from laidian.store.writer import Writer
from tests.ledger.books import INPUT_NANO, OUTPUT_NANO, KeyRow, QuotaRow, ask, ending, make_books
from tests.ledger.identities import violations

T = TypeVar("T")

START_MS = int(dt.datetime(2027, 1, 30, 21, 0, tzinfo=dt.UTC).timestamp() * 1000)
"""A Saturday shortly before the ends of a day, a week and a month."""
HOUR_MS = 3_600_000
FIVE_HOURS_MS = 5 * HOUR_MS
LATE = [0, 0, 0, 1, 30_000, HOUR_MS]
"""Milliseconds between a request's head and its hold: a body takes its time."""
MINUTE_MS = 60_000

QUOTAS = [
    QuotaRow("prepaid", credited_nano=500),
    QuotaRow("plan", limits_nano={"5h": 200, "day": 300, "week": 500, "month": 800}),
    QuotaRow("unlimited"),
    QuotaRow("plan", limits_nano={"5h": 150}),
]
KEYS = [KeyRow(1), KeyRow(1, 120), KeyRow(2), KeyRow(2, 150), KeyRow(3), KeyRow(3, 90), KeyRow(4)]

key_ids = st.integers(1, len(KEYS))
owners = st.sampled_from(["worker-a", "worker-b"])
amounts = st.integers(0, 160)


class Purse:
    """A counter of the model."""

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.held = self.spent = 0

    @property
    def left(self) -> int | None:
        return None if self.limit is None else self.limit - self.held - self.spent


class Request:
    """A hold of the model."""

    def __init__(self, asked: HoldRequest, amount: int, windows: dict[WindowKind, int]) -> None:
        self.asked = asked
        self.amount = amount
        self.windows = windows
        self.noted_output = 0


def calendar_start_ms(kind: WindowKind, now_ms: int) -> int:
    """By the calendar, another way than the product's."""
    day = dt.datetime.fromtimestamp(now_ms / 1000, dt.UTC).date()
    first = {
        "day": day,
        "week": dt.date.fromisocalendar(*day.isocalendar()[:2], 1),
        "month": dt.date(day.year, day.month, 1),
    }[kind]
    return (first - dt.date(1970, 1, 1)).days * 24 * HOUR_MS


@functools.cache
def new_books() -> bytes:
    """The file that every run starts from."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        make_books(path, QUOTAS, KEYS)
        return path.read_bytes()


class LedgerMachine(RuleBasedStateMachine):
    known = Bundle("known")
    """Request ids that were asked for, admitted or not, settled or not."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="ledger-"))
        path = self.folder / "ledger.db"
        path.write_bytes(new_books())
        self.loop = asyncio.new_event_loop()
        self.writer = Writer(path, synchronous="OFF")
        self.loop.run_until_complete(self._start())
        self.reader = connect(path, synchronous="OFF", read_only=True)
        self.now_ms = START_MS
        self.credited = {number: quota.credited_nano for number, quota in enumerate(QUOTAS, start=1)}
        self.quotas = {
            number: Purse(quota.credited_nano if quota.kind == "prepaid" else None)
            for number, quota in enumerate(QUOTAS, start=1)
        }
        self.limits: dict[int, dict[WindowKind, int]] = {
            number: dict(quota.limits_nano)
            for number, quota in enumerate(QUOTAS, start=1)
            if quota.limits_nano
        }
        self.keys = {number: Purse(key.limit_nano) for number, key in enumerate(KEYS, start=1)}
        self.windows: dict[tuple[int, WindowKind, int], Purse] = {}
        self.rates: dict[tuple[int, int], list[int]] = {}
        self.holds: dict[str, Request] = {}
        self.records: dict[str, int] = {}
        self.serial = 0

    async def _start(self) -> None:
        self.writer.start()

    @initialize()
    def workers_sign_on(self) -> None:
        self.workers = {name: self._sign_on(name) for name in ("worker-a", "worker-b")}

    def _sign_on(self, name: str) -> Worker:
        worker = Worker(self.folder, name)
        self.run(lambda connection: worker.register(connection, self.now_ms))
        return worker

    def teardown(self) -> None:
        self.loop.run_until_complete(self.writer.aclose())
        self.reader.close()
        self.loop.close()
        shutil.rmtree(self.folder)

    def run(self, *operations: Callable[[Any], Any]) -> Any:
        """All in one batch; the result of the last one, once everything is committed."""
        return self.run_all(*operations)[-1]

    def run_all(self, *operations: Callable[[Any], Any]) -> list[Any]:
        async def together() -> list[Any]:
            return await asyncio.gather(*map(self.writer.submit, operations), return_exceptions=True)

        results = self.loop.run_until_complete(together())
        for operation, result in zip(operations, results, strict=True):
            if operation is not _fails and isinstance(result, BaseException):
                raise result
        return results

    # The model's own sums

    def window_of(self, quota_id: int, kind: WindowKind, now_ms: int) -> int:
        if kind != "5h":
            return calendar_start_ms(kind, now_ms)
        starts = [start for (quota, other, start) in self.windows if quota == quota_id and other == "5h"]
        near = [start for start in starts if abs(start - now_ms) < FIVE_HOURS_MS]
        return max(near, default=now_ms)

    def purses(self, key_id: int, quota_id: int, windows: dict[WindowKind, int]) -> list[Purse]:
        inside = [
            self.windows.get((quota_id, kind, start)) or Purse(self.limits[quota_id][kind])
            for kind, start in windows.items()
        ]
        return [self.keys[key_id], self.quotas[quota_id], *inside]

    def move(self, key_id: int, quota_id: int, windows: dict[WindowKind, int], held: int, spent: int) -> None:
        for kind, start in windows.items():
            self.windows.setdefault((quota_id, kind, start), Purse(self.limits[quota_id][kind]))
        for purse in self.purses(key_id, quota_id, windows):
            purse.held += held
            purse.spent += spent

    def expected_gate(self, asked: HoldRequest) -> str | None:
        """Of the rate gates."""
        rates, minute = asked.rates, asked.now_ms // MINUTE_MS
        open_now = sum(1 for request in self.holds.values() if request.asked.key_id == asked.key_id)
        if rates.concurrent_requests is not None and open_now >= rates.concurrent_requests:
            return "concurrency"
        requests, tokens = self.rates.get((asked.key_id, minute), [0, 0])
        if rates.requests_per_minute is not None and requests >= rates.requests_per_minute:
            return "requests"
        limit = rates.tokens_per_minute
        if limit is not None and tokens and tokens + asked.rate_tokens > limit:
            return "tokens"
        return None

    def expected_charge(self, request: Request, amount: int) -> int:
        asked = request.asked
        lefts = [purse.left for purse in self.purses(asked.key_id, asked.quota_id, request.windows)]
        room = min((left for left in lefts if left is not None), default=amount)
        return min(amount, request.amount + max(0, room))

    def settled(self, request_id: str, charged: int, tokens: int) -> None:
        """The model's side of a settlement."""
        request = self.holds.pop(request_id)
        asked = request.asked
        self.move(asked.key_id, asked.quota_id, request.windows, -request.amount, charged)
        minute = self.rates.get((asked.key_id, asked.now_ms // MINUTE_MS))
        if asked.rates.by_minute and minute is not None:
            minute[1] = max(0, minute[1] + tokens - asked.rate_tokens)
        self.records[request_id] = charged

    # What happens

    @rule(
        target=known,
        key_id=key_ids,
        worst=amounts,
        least=st.none() | st.integers(0, 40),
        owner=owners,
        requests=st.none() | st.integers(1, 3),
        tokens=st.none() | st.integers(1, 60),
        concurrent=st.none() | st.integers(1, 3),
        rate_tokens=st.integers(0, 50),
        input_tokens=st.integers(0, 30),
        late_ms=st.sampled_from(LATE),
        beside_a_failure=st.booleans(),
    )
    def ask_for_a_hold(
        self,
        key_id: int,
        worst: int,
        least: int | None,
        owner: str,
        requests: int | None,
        tokens: int | None,
        concurrent: int | None,
        rate_tokens: int,
        input_tokens: int,
        late_ms: int,
        beside_a_failure: bool,
    ) -> str:
        self.serial += 1
        asked = ask(
            f"request-{self.serial}",
            worst_nano=worst,
            least_nano=None if least is None else min(least, worst),
            key_id=key_id,
            quota_id=KEYS[key_id - 1].quota_id,
            owner=owner,
            rates=RateLimits(requests, tokens, concurrent),
            rate_tokens=rate_tokens,
            input_tokens=input_tokens,
            now_ms=self.now_ms - late_ms,
        )
        changes_before = self.reader.execute("PRAGMA data_version").fetchone()
        around = [_fails] if beside_a_failure else []
        result = self.run(*around, lambda connection: open_hold(connection, asked))
        gate = self.expected_gate(asked)
        if gate is not None:
            assert isinstance(result, Refusal)
            assert result.gate == gate
        else:
            self.expect_money(asked, result)
        if isinstance(result, Refusal):
            assert self.reader.execute("PRAGMA data_version").fetchone() == changes_before, "a refusal wrote"
        return asked.request_id

    def expect_money(self, asked: HoldRequest, result: object) -> None:
        limits: dict[WindowKind, int] = self.limits.get(asked.quota_id, {})
        windows: dict[WindowKind, int] = {
            kind: self.window_of(asked.quota_id, kind, asked.now_ms) for kind in limits
        }
        lefts = [purse.left for purse in self.purses(asked.key_id, asked.quota_id, windows)]
        left = min((left for left in lefts if left is not None), default=10**9)
        if left < asked.demand.least_nano:
            assert isinstance(result, Refusal)
            assert result.gate in ("balance", "window", "key_limit")
            assert result.left_nano < result.needed_nano == asked.demand.least_nano
            return
        amount = min(asked.demand.worst_nano, max(left, 0))
        assert result == Hold(asked.request_id, amount)
        self.move(asked.key_id, asked.quota_id, windows, amount, 0)
        if asked.rates.by_minute:
            minute = self.rates.setdefault((asked.key_id, asked.now_ms // MINUTE_MS), [0, 0])
            minute[0] += 1
            minute[1] += asked.rate_tokens
        self.holds[asked.request_id] = Request(asked, amount, windows)

    @rule(
        request_id=known,
        over=st.integers(-160, 160),
        usage=st.builds(
            Usage, input=st.integers(0, 40), output=st.integers(0, 40), reasoning=st.integers(0, 9)
        ),
        times=st.integers(1, 3),
    )
    def settle_it(self, request_id: str, over: int, usage: Usage, times: int) -> None:
        """At, below and above the hold, once and several times in one batch, held and not held any more."""
        request = self.holds.get(request_id)
        amount = max(0, (request.amount if request else 0) + over)
        settlement = ending(request_id, amount, usage=usage)
        results = self.run_all(*[_settling(settlement)] * times)
        if request is None:
            assert results == [None] * times
            return
        charged = self.expected_charge(request, amount)
        quota = self.quotas[request.asked.quota_id]
        unspent = None if quota.limit is None else quota.limit - quota.spent - charged
        assert results == [Settled(charged, amount - charged, unspent), *[None] * (times - 1)]
        self.settled(request_id, charged, usage.total_input_tokens + usage.total_output_tokens)

    @rule(request_id=known, more=st.integers(0, 120))
    def extend_it(self, request_id: str, more: int) -> None:
        result = self.run(lambda connection: extend_hold(connection, request_id, more))
        request = self.holds.get(request_id)
        if request is None:
            assert result is False
            return
        asked = request.asked
        lefts = [purse.left for purse in self.purses(asked.key_id, asked.quota_id, request.windows)]
        assert result is all(left is None or left >= more for left in lefts)
        if result:
            request.amount += more
            self.move(asked.key_id, asked.quota_id, request.windows, more, 0)

    @rule(request_id=known, output=st.integers(0, 60))
    def note_its_progress(self, request_id: str, output: int) -> None:
        self.run(lambda connection: note_progress(connection, [(1, output, request_id)]))
        if request_id in self.holds:
            self.holds[request_id].noted_output = output

    @rule(amount=st.integers(1, 300))
    def top_up(self, amount: int) -> None:
        def credit(connection: Any) -> None:
            connection.execute(
                "INSERT INTO credits (quota_id, amount_nano, note, at_ms) VALUES (1, ?, '', 0)", (amount,)
            )
            connection.execute("UPDATE quotas SET credited_nano = credited_nano + ? WHERE id = 1", (amount,))

        self.run(credit)
        purse = self.quotas[1]
        assert purse.limit is not None
        purse.limit += amount

    @rule(key_id=key_ids, limit=st.none() | st.integers(0, 300))
    def change_a_keys_limit(self, key_id: int, limit: int | None) -> None:
        self.run(
            lambda connection: connection.execute(
                "UPDATE keys SET limit_nano = ? WHERE id = ?", (limit, key_id)
            )
        )
        self.keys[key_id].limit = limit

    @rule(quota_id=st.sampled_from([2, 4]), limit=st.integers(0, 400))
    def change_a_plans_limit(self, quota_id: int, limit: int) -> None:
        self.limits[quota_id]["5h"] = limit
        text = msgspec.json.encode(self.limits[quota_id]).decode()
        self.run(
            lambda connection: connection.execute(
                "UPDATE quotas SET limits_nano = ? WHERE id = ?", (text, quota_id)
            )
        )
        for (quota, kind, _), purse in self.windows.items():
            if quota == quota_id and kind == "5h":
                purse.limit = limit

    @rule(step_ms=st.sampled_from([1, 999, 20_000, MINUTE_MS, HOUR_MS, 4 * HOUR_MS, 26 * HOUR_MS]))
    def time_passes(self, step_ms: int) -> None:
        self.now_ms += step_ms

    @rule()
    def old_minutes_are_swept(self) -> None:
        now_ms = self.now_ms
        self.run(lambda connection: sweep_rates(connection, now_ms))
        oldest = now_ms // MINUTE_MS - 120
        self.rates = {place: counts for place, counts in self.rates.items() if place[1] >= oldest}

    @rule(name=owners)
    def a_worker_dies(self, name: str) -> None:
        """Its lock goes with it; another one settles what it left, and it comes back under its name."""
        os.close(self.workers[name]._file)
        orphans = {request_id: hold for request_id, hold in self.holds.items() if hold.asked.owner == name}
        settled = self.run(lambda connection: settle_orphans(connection, self.folder, self.now_ms))
        assert settled == len(orphans)
        for request_id, request in orphans.items():
            tokens = request.asked.input_tokens + request.noted_output
            amount = request.asked.input_tokens * INPUT_NANO + request.noted_output * OUTPUT_NANO
            self.settled(request_id, min(amount, request.amount), tokens)
        self.workers[name] = self._sign_on(name)

    # What must be true

    @invariant()
    def rows_are_as_the_model_says(self) -> None:
        if not hasattr(self, "reader"):
            return
        read = self.reader.execute
        assert dict(_pairs(read("SELECT id, held_nano, spent_nano FROM keys"))) == _counts(self.keys)
        assert dict(_pairs(read("SELECT id, held_nano, spent_nano FROM quotas"))) == _counts(self.quotas)
        windows = {
            (row[0], row[1], row[2]): row[3:]
            for row in read("SELECT quota_id, kind, start_ms, held_nano, spent_nano FROM plan_windows")
        }
        assert windows == _counts(self.windows)
        rates = {
            (row[0], row[1]): list(row[2:])
            for row in read("SELECT key_id, minute, requests, tokens FROM rate_windows")
        }
        assert rates == self.rates
        holds = dict(read("SELECT request_id, amount_nano FROM holds").fetchall())
        assert holds == {request_id: request.amount for request_id, request in self.holds.items()}
        records = dict(read("SELECT request_id, amount_nano - shortfall_nano FROM usage_records").fetchall())
        assert records == self.records

    @invariant()
    def the_identities_hold(self) -> None:
        assert violations(self.reader, limits=False, file=False) == []


def _fails(connection: Any) -> None:
    connection.execute("UPDATE quotas SET spent_nano = spent_nano + 1")
    raise ValueError("this operation fails after it has written")


def _settling(settlement: Settlement) -> Callable[[Any], Settled | None]:
    return lambda connection: settle(connection, settlement)


def _pairs(rows: Any) -> list[tuple[int, tuple[int, int]]]:
    return [(row[0], (row[1], row[2])) for row in rows]


def _counts(purses: dict[T, Purse]) -> dict[T, tuple[int, int]]:
    return {name: (purse.held, purse.spent) for name, purse in purses.items()}


LedgerMachine.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestTheLedger = LedgerMachine.TestCase
