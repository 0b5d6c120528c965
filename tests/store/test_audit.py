"""The audit finds every way in which rows and counters can disagree, and nothing where they agree."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from laidian.admin.schema import TopUp
from laidian.admin.service.quotas import top_up
from laidian.domain.usage import Usage
from laidian.store.audit import LISTED, AuditFigures, audit
from laidian.store.database import connect
from laidian.store.orphans import Worker, settle_orphans
from tests.admin.desk import NOW_MS, Desk


def figures(desk: Desk) -> AuditFigures:
    connection = connect(desk.path, read_only=True)
    try:
        return audit(connection, desk.run)
    finally:
        connection.close()


def checks(desk: Desk) -> set[str]:
    return {difference.check for difference in figures(desk).differences}


@pytest.fixture
def ledger(desk: Desk) -> Desk:
    """Three quotas of each kind, settled records of every sort, and a hold in flight."""
    desk.quota("wallet", balance_usd="1")
    desk.quota("plan", limits_usd={"day": "1", "5h": "0.5"})
    desk.key("alice", quota="wallet", limit_usd="0.9")
    desk.key("bob", quota="plan")
    desk.key("carol")
    desk.do(lambda c: top_up(c, "wallet", TopUp(amount_usd="-0.25"), now_ms=NOW_MS))
    for number, key in enumerate(("alice", "bob", "carol")):
        desk.serve(f"req_{number}", Usage(input=1_000, cached_input=50, output=7), key=key)
    desk.serve("req_free", Usage(), usage_from="none", status=502)
    desk.serve("req_images", Usage(input=3, images=1))
    desk.serve("req_short", Usage(output=200_000))
    desk.serve("req_dear", Usage(input=10), key="carol", multiplier_ppm=1_000_000)
    desk.hold("req_live", key="bob")
    desk.do(lambda c: c.execute("INSERT INTO workers VALUES ('worker', 1, 0)"))
    return desk


def test_a_ledger_of_every_sort_of_record_is_clean(ledger: Desk) -> None:
    found = figures(ledger)
    assert found.differences == ()
    assert found.differences_total == 0
    assert (found.quotas, found.keys, found.windows, found.records, found.holds) == (3, 3, 2, 7, 1)
    assert found.credited_nano == 750_000_000
    assert found.held_nano == 100_000
    assert found.shortfall_nano > 0
    assert found.spent_nano == found.amount_nano - found.shortfall_nano
    assert found.unpriced == 1


def test_an_empty_ledger_is_clean(desk: Desk) -> None:
    assert figures(desk).differences_total == 0


@pytest.mark.parametrize(
    ("damage", "check"),
    [
        ("UPDATE quotas SET spent_nano = spent_nano - 1 WHERE name = 'wallet'", "spent"),
        ("UPDATE quotas SET held_nano = 0 WHERE name = 'plan'", "held"),
        ("UPDATE quotas SET credited_nano = credited_nano + 1 WHERE name = 'wallet'", "credited"),
        ("DELETE FROM credits WHERE amount_nano < 0", "credited"),
        ("UPDATE keys SET spent_nano = 0 WHERE name = 'carol'", "spent"),
        ("UPDATE keys SET held_nano = held_nano + 5 WHERE name = 'alice'", "held"),
        ("UPDATE plan_windows SET spent_nano = spent_nano - 1 WHERE kind = 'day'", "window_spent"),
        ("UPDATE plan_windows SET held_nano = 0 WHERE kind = '5h'", "window_held"),
        ("DELETE FROM plan_windows WHERE kind = 'day'", "window"),
        ("DELETE FROM usage_records WHERE request_id = 'req_0'", "spent"),
        ("UPDATE usage_records SET amount_nano = amount_nano + 1 WHERE request_id = 'req_1'", "amount"),
        ("UPDATE usage_records SET output = output + 1 WHERE request_id = 'req_2'", "amount"),
        ("UPDATE usage_records SET input = -1 WHERE request_id = 'req_2'", "usage"),
        ("UPDATE usage_records SET multiplier_ppm = 2000000 WHERE request_id = 'req_2'", "amount"),
        ("UPDATE usage_records SET amount_nano = 9 WHERE request_id = 'req_free'", "amount"),
        ("UPDATE usage_records SET held_nano = held_nano + 1 WHERE request_id = 'req_images'", "amount"),
        ("UPDATE usage_records SET error_code = '' WHERE request_id = 'req_images'", "amount"),
        ("UPDATE usage_records SET shortfall_nano = amount_nano + 1 WHERE request_id = 'req_1'", "shortfall"),
        ("UPDATE usage_records SET request_id = 'req_live' WHERE request_id = 'req_1'", "twice"),
        ("DELETE FROM holds", "held"),
    ],
)
def test_every_disagreement_is_found(ledger: Desk, damage: str, check: str) -> None:
    assert ledger.do(lambda c: c.execute(damage)).rowcount > 0
    assert check in checks(ledger)


def test_a_balance_below_zero_is_found_even_where_the_table_would_have_refused_it(ledger: Desk) -> None:
    ledger.connection.execute("PRAGMA ignore_check_constraints = ON")
    ledger.do(lambda c: c.execute("UPDATE quotas SET spent_nano = 2000000000 WHERE name = 'wallet'"))
    assert {"balance", "spent"} <= checks(ledger)


def test_a_hold_of_a_worker_that_lives_unregistered_has_no_owner(ledger: Desk) -> None:
    worker = Worker(ledger.run, "stranger")
    ledger.hold("req_stranger", key="carol", owner="stranger")
    assert checks(ledger) == {"owner"}
    ledger.do(lambda c: worker.register(c, NOW_MS))
    found = figures(ledger)
    assert found.differences_total == 0
    assert (found.holds, found.orphaned_holds) == (2, 1), (
        "the hold of the ledger's own worker, which has no lock, is an orphan"
    )
    ledger.do(lambda c: c.execute("DELETE FROM holds WHERE owner = 'stranger'"))
    ledger.do(worker.leave)


def test_orphans_are_counted_and_what_the_orphan_rule_made_of_them_is_right(ledger: Desk) -> None:
    assert figures(ledger).orphaned_holds == 1
    assert ledger.do(lambda c: settle_orphans(c, ledger.run, NOW_MS + 5_000)) == 1
    found = figures(ledger)
    assert (found.differences_total, found.orphaned_holds, found.lost) == (0, 0, 1)
    ledger.do(
        lambda c: c.execute("UPDATE usage_records SET amount_nano = amount_nano + 1 WHERE ended = 'lost'")
    )
    assert "amount" in checks(ledger)


def test_the_list_of_differences_has_an_end_and_their_number_has_not(ledger: Desk) -> None:
    for number in range(LISTED + 5):
        ledger.serve(f"req_more_{number}", Usage(input=1), key="carol")
    ledger.do(
        lambda c: c.execute(
            "UPDATE usage_records SET amount_nano = amount_nano + 1 WHERE request_id LIKE 'req_more%'"
        )
    )
    found = figures(ledger)
    assert len(found.differences) == LISTED
    assert found.differences_total >= LISTED + 5


def test_an_audit_looks_at_one_state_while_the_ledger_moves(ledger: Desk) -> None:
    reader = connect(ledger.path, read_only=True)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM holds").fetchone()
    moves: list[Callable[[], object]] = [
        lambda: ledger.settle("req_live", Usage(input=1)),
        lambda: ledger.serve("req_later", Usage(input=5), key="carol"),
    ]
    for move in moves:
        move()
    found = audit(reader, ledger.run)
    assert (found.records, found.holds, found.differences_total) == (7, 1, 0)
    reader.execute("ROLLBACK")
    found = audit(reader, ledger.run)
    assert (found.records, found.holds, found.differences_total) == (9, 0, 0)
    assert not reader.in_transaction
    reader.close()
