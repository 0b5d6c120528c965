from __future__ import annotations

import pytest

from laidian.admin.schema import KeyEdit, QuotaEdit, TopUp
from laidian.admin.service.keys import edit_key
from laidian.admin.service.quotas import (
    delete_quota,
    edit_quota,
    list_credits,
    list_quotas,
    show_quota,
    top_up,
)
from laidian.domain.record import Refusal
from laidian.domain.usage import Usage
from laidian.errors import BadRequest, Conflict, NotFound
from tests.admin.desk import NOW_MS, Desk


def test_a_prepaid_quota_begins_with_a_credit(desk: Desk) -> None:
    desk.quota("wallet", balance_usd="10", note="first")
    quota = show_quota(desk.connection, "wallet", NOW_MS)
    assert (quota.kind, quota.credited_usd, quota.left_usd, quota.state) == (
        "prepaid",
        "10.00",
        "10.00",
        "active",
    )
    (credit,) = list_credits(desk.connection, "wallet")
    assert (credit.amount_usd, credit.note, credit.at) == ("10.00", "first", "2026-11-22T10:00:00Z")


def test_a_balance_of_zero_is_used_up_and_has_no_credit(desk: Desk) -> None:
    desk.quota("wallet", balance_usd="0")
    assert show_quota(desk.connection, "wallet", NOW_MS).state == "used_up"
    assert list_credits(desk.connection, "wallet") == ()


def test_a_top_up_adds_and_takes_back_at_most_what_is_left(desk: Desk) -> None:
    desk.quota("wallet", balance_usd="1")
    desk.key("alice", quota="wallet")
    desk.serve("req_1", Usage(input=100_000))
    desk.hold("req_2", nano=300_000_000)
    assert desk.do(lambda c: top_up(c, "wallet", TopUp(amount_usd="0.5"), now_ms=NOW_MS)).left_usd == "1.00"
    with pytest.raises(
        Conflict, match=r"has 1.00 USD left \(0.30 USD is held for requests in flight\), so 1.01 USD"
    ):
        desk.do(lambda c: top_up(c, "wallet", TopUp(amount_usd="-1.01"), now_ms=NOW_MS))
    quota = desk.do(lambda c: top_up(c, "wallet", TopUp(amount_usd="-$1", note="refund"), now_ms=NOW_MS))
    assert (quota.credited_usd, quota.spent_usd, quota.held_usd, quota.left_usd) == (
        "0.50",
        "0.20",
        "0.30",
        "0.00",
    )
    assert [credit.amount_usd for credit in list_credits(desk.connection, "wallet")] == [
        "-1.00",
        "0.50",
        "1.00",
    ]


@pytest.mark.parametrize("amount", ["0", "ten", "", "1e3", "9000001"])
def test_a_top_up_that_is_no_amount_is_refused(desk: Desk, amount: str) -> None:
    desk.quota("wallet", balance_usd="1")
    with pytest.raises(BadRequest) as refusal:
        desk.do(lambda c: top_up(c, "wallet", TopUp(amount_usd=amount), now_ms=NOW_MS))
    assert refusal.value.param == "amount_usd"


def test_only_a_prepaid_quota_is_topped_up(desk: Desk) -> None:
    with pytest.raises(Conflict, match="unlimited and has no balance"):
        desk.do(lambda c: top_up(c, "unlimited", TopUp(amount_usd="1"), now_ms=NOW_MS))


def test_a_plan_shows_each_window_with_its_reset(desk: Desk) -> None:
    desk.quota("plan", limits_usd={"month": "10", "5h": "0.50", "day": "1"})
    desk.key("alice", quota="plan")
    before = {window.kind: window for window in show_quota(desk.connection, "plan", NOW_MS).windows}
    assert list(before) == ["5h", "day", "month"]
    assert (before["5h"].started_at, before["5h"].resets_at) == (None, None)
    desk.serve("req_1", Usage(input=100_000))
    quota = show_quota(desk.connection, "plan", NOW_MS + 60_000)
    after = {window.kind: window for window in quota.windows}
    assert after["5h"].started_at == "2026-11-22T10:00:00Z"
    assert after["5h"].resets_at == "2026-11-22T15:00:00Z"
    assert after["day"].resets_at == "2026-11-23T00:00:00Z"
    assert after["month"].resets_at == "2026-12-01T00:00:00Z"
    assert [window.spent_usd for window in quota.windows] == ["0.20"] * 3
    assert quota.left_usd == after["5h"].left_usd == "0.30"
    later = show_quota(desk.connection, "plan", NOW_MS + 86_400_000)
    assert [window.spent_usd for window in later.windows] == ["0.00", "0.00", "0.20"]


def test_new_limits_of_a_plan_hold_from_the_next_request_on(desk: Desk) -> None:
    desk.quota("plan", limits_usd={"day": "1"})
    desk.key("alice", quota="plan")
    desk.serve("req_1", Usage(input=100_000))
    desk.do(lambda c: edit_quota(c, "plan", QuotaEdit(limits_usd={"day": "0.1", "week": "5"}), now_ms=NOW_MS))
    quota = show_quota(desk.connection, "plan", NOW_MS)
    assert (quota.state, quota.left_usd) == ("used_up", "0.00")
    assert isinstance(desk.hold("req_2"), Refusal)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"balance_usd": "1", "limits_usd": {"day": "1"}},
        {"kind": "unlimited", "balance_usd": "1"},
        {"kind": "plan"},
        {"kind": "prepaid", "limits_usd": {"day": "1"}},
        {"limits_usd": {"hour": "1"}},
        {"balance_usd": "-1"},
        {"kind": "unlimited", "expires_at": "2020-01-01"},
    ],
)
def test_a_quota_whose_parts_do_not_go_together_is_refused(desk: Desk, fields: dict[str, object]) -> None:
    with pytest.raises(BadRequest):
        desk.quota("odd", **fields)
    assert [quota.name for quota in list_quotas(desk.connection, NOW_MS)] == ["unlimited"]


def test_a_quota_in_use_is_not_deleted(desk: Desk) -> None:
    desk.quota("wallet", balance_usd="1")
    desk.key("alice", quota="wallet")
    with pytest.raises(Conflict, match="used by the key alice"):
        desk.do(lambda c: delete_quota(c, "wallet", now_ms=NOW_MS))
    desk.do(lambda c: edit_key(c, "alice", KeyEdit(quota="unlimited"), now_ms=NOW_MS))
    assert desk.do(lambda c: delete_quota(c, "wallet", now_ms=NOW_MS)).credited_usd == "1.00"
    with pytest.raises(NotFound):
        show_quota(desk.connection, "wallet", NOW_MS)


def test_limits_belong_to_plans_only(desk: Desk) -> None:
    with pytest.raises(BadRequest, match="no windows"):
        desk.do(lambda c: edit_quota(c, "unlimited", QuotaEdit(limits_usd={"day": "1"}), now_ms=NOW_MS))
    desk.quota("plan", limits_usd={"day": "1"})
    with pytest.raises(BadRequest, match="at least one limit"):
        desk.do(lambda c: edit_quota(c, "plan", QuotaEdit(limits_usd={}), now_ms=NOW_MS))


def test_a_note_that_a_terminal_would_obey_is_refused(desk: Desk) -> None:
    desk.quota("wallet", balance_usd="1")
    with pytest.raises(BadRequest) as refusal:
        desk.do(lambda c: top_up(c, "wallet", TopUp(amount_usd="1", note="\x1b]0;title"), now_ms=NOW_MS))
    assert refusal.value.param == "note"
    assert "\x1b" not in refusal.value.message
