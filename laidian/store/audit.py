"""Replays the ledger and compares: records, holds and credits on one side, counters on the other.

Everything is read in one transaction, so it runs beside a serving instance. It repairs nothing and judges nothing but
arithmetic. What is proved:

- of every quota: credited = its credits, spent = its records (amount less shortfall), held = its holds; the same two for keys and
  for every window of every plan, which records and holds name themselves;
- no prepaid quota is below zero, no counter is negative;
- a request id is a hold or a record, never both, never twice;
- a hold belongs to a registered worker or to a dead one, which the orphan rule will settle;
- the rollups up to their watermark are what the records add up to (store.audit_sums);
- the amount of a record is the price of its classes at its price version and multiplier. Two cases cannot be the plain product and
  are checked for what they must be: a `lost` record is at most its hold (orphan rule), and one whose price has no rate for a unit
  it used (`unit_not_priced`, or a lost one) is exactly its hold.

The rule a newcomer would break: a counter is never compared with another counter, only with the rows it is the sum of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import msgspec

from laidian.domain.money import format_usd
from laidian.domain.price import Price, Unpriced, price_usage
from laidian.domain.usage import UNITS, Usage
from laidian.store.audit_sums import compare_sums
from laidian.store.connection import Connection
from laidian.store.orphans import is_dead
from laidian.store.prices import price_of_version

LISTED = 100
"""Differences that are described; the others are counted."""


class Difference(msgspec.Struct, frozen=True):
    check: str
    """Name of the rule, stable."""
    subject: str
    """Of what: `quota team`, `request req_…`."""
    expected: str
    found: str
    message: str


class AuditFigures(msgspec.Struct, frozen=True, kw_only=True):
    quotas: int
    keys: int
    windows: int
    records: int
    holds: int
    orphaned_holds: int
    """Of dead workers: settled at the next start, or by another worker."""
    credited_nano: int
    spent_nano: int
    held_nano: int
    shortfall_nano: int
    amount_nano: int
    """Of all records, before shortfalls."""
    estimated: int
    lost: int
    unpriced: int
    """Charged at the hold because a unit had no rate."""
    differences: tuple[Difference, ...]
    """At most LISTED."""
    differences_total: int


class _Sums:
    """What the records and holds add up to."""

    def __init__(self) -> None:
        self.spent: dict[tuple[str, int], int] = defaultdict(int)
        self.held: dict[tuple[str, int], int] = defaultdict(int)
        """By ("key" or "quota", id)."""
        self.window_spent: dict[tuple[int, str, int], int] = defaultdict(int)
        self.window_held: dict[tuple[int, str, int], int] = defaultdict(int)
        """By (quota id, kind, start)."""
        self.records = self.estimated = self.lost = self.unpriced = 0
        self.amount_nano = self.shortfall_nano = 0
        self.holds = self.orphaned = 0


class _Found:
    """The differences so far."""

    def __init__(self) -> None:
        self.listed: list[Difference] = []
        self.total = 0

    def add(self, check: str, subject: str, expected: object, found: object, message: str) -> None:
        self.total += 1
        if len(self.listed) < LISTED:
            self.listed.append(Difference(check, subject, str(expected), str(found), message))

    def money(self, check: str, subject: str, expected_nano: int, found_nano: int, message: str) -> None:
        if expected_nano != found_nano:
            self.add(check, subject, format_usd(expected_nano), format_usd(found_nano), message)


_RECORDS = f"""
    SELECT request_id, key_id, quota_id, windows, ended, error_code, usage_from, price_version, service_tier, multiplier_ppm,
           amount_nano, shortfall_nano, held_nano, {", ".join(UNITS)}
    FROM usage_records ORDER BY id
"""


class _Record(msgspec.Struct):
    """The columns of _RECORDS before the units."""

    request_id: str
    key_id: int
    quota_id: int
    windows: str
    ended: str
    error_code: str
    usage_from: str
    price_version: str
    service_tier: str
    multiplier_ppm: int
    amount_nano: int
    shortfall_nano: int
    held_nano: int


_FIELDS = len(_Record.__struct_fields__)


def audit(connection: Connection, run_folder: Path) -> AuditFigures:
    """Reads everything once, in one transaction (the caller's, if it has one open). Takes about 6 s of processor time
    for a million records (measured with 200,000).

    `run_folder` is where workers lock their files. Raises sqlite3.Error when the database cannot be read.
    """
    if connection.in_transaction:
        return _audit(connection, run_folder)
    connection.execute("BEGIN")
    try:
        return _audit(connection, run_folder)
    finally:
        connection.execute("ROLLBACK")


def _audit(connection: Connection, run_folder: Path) -> AuditFigures:
    sums, found = _Sums(), _Found()
    _replay_records(connection, sums, found)
    _replay_holds(connection, run_folder, sums, found)
    quotas, credited, spent, held = _compare_quotas(connection, sums, found)
    keys = _compare_keys(connection, sums, found)
    windows = _compare_windows(connection, sums, found)
    _look_for_twins(connection, found)
    _compare_sums(connection, found)
    return AuditFigures(
        quotas=quotas,
        keys=keys,
        windows=windows,
        records=sums.records,
        holds=sums.holds,
        orphaned_holds=sums.orphaned,
        credited_nano=credited,
        spent_nano=spent,
        held_nano=held,
        shortfall_nano=sums.shortfall_nano,
        amount_nano=sums.amount_nano,
        estimated=sums.estimated,
        lost=sums.lost,
        unpriced=sums.unpriced,
        differences=tuple(found.listed),
        differences_total=found.total,
    )


def _replay_records(connection: Connection, sums: _Sums, found: _Found) -> None:
    prices: dict[str, Price] = {}
    for row in connection.execute(_RECORDS):
        record = _Record(*row[:_FIELDS])
        charged = record.amount_nano - record.shortfall_nano
        sums.records += 1
        sums.amount_nano += record.amount_nano
        sums.shortfall_nano += record.shortfall_nano
        sums.estimated += record.usage_from == "estimated"
        sums.lost += record.ended == "lost"
        sums.spent["key", record.key_id] += charged
        sums.spent["quota", record.quota_id] += charged
        for kind, start_ms in _windows(record.windows):
            sums.window_spent[record.quota_id, kind, start_ms] += charged
        if charged < 0:
            found.add("shortfall", f"request {record.request_id}", f"at most {format_usd(record.amount_nano)}",
                      format_usd(record.shortfall_nano), "its shortfall is larger than its amount")  # fmt: skip
        if record.price_version not in prices:
            prices[record.price_version] = price_of_version(connection, record.price_version)
        _check_amount(record, prices[record.price_version], row[_FIELDS:], sums, found)


def _check_amount(
    record: _Record, price: Price, quantities: tuple[int, ...], sums: _Sums, found: _Found
) -> None:
    subject = f"request {record.request_id}"
    if record.usage_from == "none":
        found.money("amount", subject, 0, record.amount_nano, "it used nothing and has an amount")
        return
    try:
        usage = Usage(*quantities)
        receipt = price_usage(
            price, usage, service_tier=record.service_tier, multiplier_ppm=record.multiplier_ppm
        )
    except Unpriced:
        sums.unpriced += 1
        if record.ended == "lost" or record.error_code == "unit_not_priced":
            message = "its price has no rate for a unit it used, so it must be charged at its hold"
            found.money("amount", subject, record.held_nano, record.amount_nano, message)
        else:
            found.add(
                "amount",
                subject,
                "a price for every unit",
                record.price_version,
                "a unit it used has no rate",
            )
        return
    except ValueError as error:
        found.add("usage", subject, "quantities of 0 or more", "a negative one", str(error))
        return
    if record.ended == "lost":
        expected = min(receipt.amount_nano, record.held_nano)
        found.money("amount", subject, expected, record.amount_nano, "it is not what the orphan rule says")
    else:
        found.money(
            "amount",
            subject,
            receipt.amount_nano,
            record.amount_nano,
            "it is not the price of its token classes",
        )


def _replay_holds(connection: Connection, run_folder: Path, sums: _Sums, found: _Found) -> None:
    registered = {owner for (owner,) in connection.execute("SELECT id FROM workers")}
    dead: dict[str, bool] = {}
    for request_id, owner, key_id, quota_id, amount_nano, windows in connection.execute(
        "SELECT request_id, owner, key_id, quota_id, amount_nano, windows FROM holds"
    ):
        sums.holds += 1
        sums.held["key", key_id] += amount_nano
        sums.held["quota", quota_id] += amount_nano
        for kind, start_ms in _windows(windows):
            sums.window_held[quota_id, kind, start_ms] += amount_nano
        if owner not in dead:
            dead[owner] = is_dead(run_folder, owner)
        sums.orphaned += dead[owner]
        if owner not in registered and not dead[owner]:
            message = "its worker lives but is not registered, so nobody would settle it after a crash"
            found.add("owner", f"request {request_id}", "a registered worker", owner, message)


def _compare_quotas(connection: Connection, sums: _Sums, found: _Found) -> tuple[int, int, int, int]:
    """How many, and what they have been credited, have spent and hold."""
    credited_by = dict(
        connection.execute("SELECT quota_id, sum(amount_nano) FROM credits GROUP BY quota_id").fetchall()
    )
    number = credited = spent = held = 0
    for quota_id, name, kind, credited_nano, held_nano, spent_nano in connection.execute(
        "SELECT id, name, kind, credited_nano, held_nano, spent_nano FROM quotas"
    ):
        subject = f"quota {name}"
        number, credited, spent, held = (
            number + 1,
            credited + credited_nano,
            spent + spent_nano,
            held + held_nano,
        )
        found.money(
            "credited",
            subject,
            credited_by.get(quota_id, 0),
            credited_nano,
            "its credits add up to something else",
        )
        _compare_counters(("quota", quota_id), subject, spent_nano, held_nano, sums, found)
        left = credited_nano - held_nano - spent_nano
        if kind == "prepaid" and left < 0:
            found.add("balance", subject, "0.00 or more", format_usd(left), "its balance is below zero")
    return number, credited, spent, held


def _compare_keys(connection: Connection, sums: _Sums, found: _Found) -> int:
    rows = connection.execute("SELECT id, name, held_nano, spent_nano FROM keys").fetchall()
    for key_id, name, held_nano, spent_nano in rows:
        _compare_counters(("key", key_id), f"key {name}", spent_nano, held_nano, sums, found)
    return len(rows)


def _compare_counters(
    place: tuple[str, int], subject: str, spent_nano: int, held_nano: int, sums: _Sums, found: _Found
) -> None:
    found.money(
        "spent", subject, sums.spent.get(place, 0), spent_nano, "its records add up to something else"
    )
    found.money("held", subject, sums.held.get(place, 0), held_nano, "its holds add up to something else")
    if spent_nano < 0 or held_nano < 0:
        found.add(
            "negative",
            subject,
            "counters of 0 or more",
            min(spent_nano, held_nano),
            "a counter is below zero",
        )


def _compare_windows(connection: Connection, sums: _Sums, found: _Found) -> int:
    rows = connection.execute(
        "SELECT w.quota_id, w.kind, w.start_ms, w.held_nano, w.spent_nano, q.name "
        "FROM plan_windows w JOIN quotas q ON q.id = w.quota_id"
    ).fetchall()
    seen: set[tuple[int, str, int]] = set()
    for quota_id, kind, start_ms, held_nano, spent_nano, name in rows:
        place = (quota_id, kind, start_ms)
        seen.add(place)
        subject = f"quota {name}, {kind} window of {start_ms}"
        found.money(
            "window_spent",
            subject,
            sums.window_spent.get(place, 0),
            spent_nano,
            "its records add up to something else",
        )
        found.money(
            "window_held",
            subject,
            sums.window_held.get(place, 0),
            held_nano,
            "its holds add up to something else",
        )
    for place in (sums.window_spent.keys() | sums.window_held.keys()) - seen:
        subject = f"quota number {place[0]}, {place[1]} window of {place[2]}"
        found.add(
            "window",
            subject,
            "a row with its counters",
            "none",
            "records or holds name a window that is not there",
        )
    return len(rows)


def _look_for_twins(connection: Connection, found: _Found) -> None:
    for (request_id,) in connection.execute(
        "SELECT request_id FROM holds INTERSECT SELECT request_id FROM usage_records"
    ):
        found.add(
            "twice", f"request {request_id}", "a hold or a record", "both", "it was settled and is still held"
        )
    for request_id, number in connection.execute(
        "SELECT request_id, count(*) FROM usage_records GROUP BY request_id HAVING count(*) > 1"
    ):
        found.add("twice", f"request {request_id}", 1, number, "it has more than one record")


def _compare_sums(connection: Connection, found: _Found) -> None:
    for one in compare_sums(connection):
        subject = one.table if one.day is None else f"{one.table}, day {one.day} since 1970"
        found.add(
            "sums",
            subject,
            "what the records add up to",
            f"{one.rows} other rows",
            "its records add up to something else",
        )


def _windows(text: str) -> Iterable[tuple[str, int]]:
    return () if text == "{}" else msgspec.json.decode(text, type=dict[str, int]).items()
