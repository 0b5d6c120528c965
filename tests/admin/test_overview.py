"""The first screen's figures, and every trouble that needs the operator with the place where it is mended."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from laidian.admin.schema import Attention, KeyEdit, Overview, UpstreamEdit
from laidian.admin.service.keys import edit_key
from laidian.admin.service.upstreams import edit_upstream, record_probe
from laidian.domain.circuit import Circuit, CircuitKey
from laidian.domain.usage import Usage
from laidian.store.circuits import write_circuit
from laidian.store.rollups import fold
from laidian.upstream.probe import Probed
from tests.admin.conftest import Api
from tests.admin.desk import NOW_MS, Desk
from tests.admin.test_usage_pages import refuse

MINUTE_MS, HOUR_MS = 60_000, 3_600_000


async def picture(api: Api) -> Overview:
    return msgspec.convert(await api.ask("GET", "/overview"), Overview)


@pytest.fixture
def set_up(desk: Desk) -> Desk:
    """Nothing needs the operator."""
    desk.upstream("one", credentials=({"api_key": "sk-one"},), models=("gpt-5.4",))
    desk.do(lambda c: record_probe(c, "one", Probed(True, 200, 12, ("gpt-5.4",), ""), now_ms=NOW_MS))
    desk.key("alice")
    return desk


@pytest.mark.parametrize("folded", [False, True])
async def test_the_cards_count_the_last_hour_and_the_day(api: Api, set_up: Desk, folded: bool) -> None:
    set_up.serve("req_old", Usage(input=1_000), at_ms=NOW_MS - 24 * HOUR_MS - MINUTE_MS, upstream_id=1)
    for number in range(3):
        set_up.serve(f"req_{number}", Usage(input=1_000), at_ms=NOW_MS - MINUTE_MS, upstream_id=1)
    set_up.serve(
        "req_bad",
        Usage(),
        at_ms=NOW_MS - 2 * MINUTE_MS,
        status=502,
        ended="upstream_fault",
        usage_from="none",
        upstream_id=1,
    )
    refuse(set_up, "req_refused", at_ms=NOW_MS - MINUTE_MS)
    if folded:
        set_up.do(fold)
    found = await picture(api)
    cards = found.cards
    assert (cards.requests.now, cards.requests.series[-3:], len(cards.requests.series)) == (3, (1, 3, 0), 60)
    assert (cards.tokens.now, cards.spent_today_usd) == (3_000, "0.006")
    assert (cards.spend.now, cards.spend.before) == (6_000_000, 2_000_000)
    assert (cards.errors.now, cards.errors.series[-3:], cards.requests_5m) == (2, (1, 1, 0), 5)
    assert cards.last_error_status == 429
    (row,) = found.upstreams
    assert (row.name, row.state, row.requests_per_minute, row.success_percent_24h) == ("one", "up", 3, 75.0)
    assert (row.first_byte_ms[-2], row.first_byte_ms[-1], row.requests[-3:], row.failed[-3:]) == (
        400,
        None,
        (1, 3, 0),
        (1, 0, 0),
    )
    assert row.first_byte_p50_ms == 500
    assert [(key.name, key.group, key.requests_today, key.spent_today_usd) for key in found.top_keys] == [
        ("alice", "default", 4, "0.006")
    ]


async def test_when_all_is_well_nothing_needs_the_operator(api: Api, set_up: Desk) -> None:
    found = await picture(api)
    assert [one for one in found.attention if one.id != "disk"] == []
    setup = found.setup
    assert (setup.upstreams, setup.probed, setup.models, setup.keys, setup.requests) == (1, 1, 1, 1, False)


async def test_a_first_run_begins_with_what_is_missing(api: Api) -> None:
    found = await picture(api)
    assert [(one.id, one.screen) for one in found.attention if one.id != "disk"] == [
        ("no-upstream", "upstreams"),
        ("no-key", "keys"),
    ]


def _rejected(desk: Desk) -> None:
    desk.do(
        lambda c: record_probe(
            c, "one", Probed(False, 401, 5, (), "the credential is not accepted"), now_ms=NOW_MS
        )
    )


def _resting(desk: Desk) -> None:
    circuit = Circuit(3, NOW_MS + MINUTE_MS, "it answered 429: slow down")
    desk.do(lambda c: write_circuit(c, CircuitKey(1, 0, "gpt-5.4"), circuit, NOW_MS))


def _without_credential(desk: Desk) -> None:
    desk.upstream("two")


def _disabled(desk: Desk) -> None:
    desk.do(
        lambda c: edit_upstream(c, desk.vault, "one", UpstreamEdit(enabled=False), now_ms=NOW_MS, busy={})
    )


def _near(desk: Desk) -> None:
    desk.do(lambda c: edit_key(c, "alice", KeyEdit(limit_usd="0.001"), now_ms=NOW_MS))
    desk.serve("req_1", Usage(input=460))


def _quota_near(desk: Desk) -> None:
    desk.quota("team", balance_usd="0.001")
    desk.key("bob", quota="team")
    desk.serve("req_1", Usage(input=460), key="bob")


def _quota_used_up(desk: Desk) -> None:
    desk.quota("team", limits_usd={"day": "0.001"})
    desk.key("bob", quota="team")
    desk.serve("req_1", Usage(input=500), key="bob")


def _expired_in_use(desk: Desk) -> None:
    secret = desk.key("bob", expires_at=NOW_MS + 1).secret
    desk.do(lambda c: c.execute("UPDATE keys SET expires_at_ms = ? WHERE name = 'bob'", (NOW_MS - HOUR_MS,)))
    refuse(desk, "req_1", secret=secret, status=401, code="invalid_api_key")


def _unpriced(desk: Desk) -> None:
    desk.do(
        lambda c: edit_upstream(
            c, desk.vault, "one", UpstreamEdit(models=("gpt-5.4", "foo-preview")), now_ms=NOW_MS, busy={}
        )
    )
    refuse(desk, "req_1", model="foo-preview", status=404, code="model_not_priced")


def _rising(desk: Desk) -> None:
    for number in range(25):
        refuse(desk, f"req_{number}", at_ms=NOW_MS - 1_000)


def _no_money(desk: Desk) -> None:
    refuse(desk, "req_1", secret=desk.key("bob").secret, code="insufficient_quota", at_ms=NOW_MS - 1_000)


def _old_hold(desk: Desk) -> None:
    desk.hold("req_1", at_ms=NOW_MS - 3 * HOUR_MS)


@pytest.mark.parametrize(
    ("trouble", "id_", "severity", "screen", "name"),
    [
        (_rejected, "upstream:one:credential", "fail", "upstreams", "one"),
        (_resting, "upstream:one:resting", "fail", "upstreams", "one"),
        (_without_credential, "upstream:two:credential", "fail", "upstreams", "two"),
        (_disabled, "no-upstream-on", "fail", "upstreams", ""),
        (_near, "key:alice:limit", "warn", "keys", "alice"),
        (_quota_near, "quota:team:near", "warn", "quotas", "team"),
        (_quota_used_up, "quota:team:used_up", "fail", "quotas", "team"),
        (_expired_in_use, "key:bob:closed", "warn", "keys", "bob"),
        (_unpriced, "model:foo-preview:unpriced", "warn", "models", "foo-preview"),
        (_rising, "refusals-rising", "warn", "usage", ""),
        (_no_money, "key:bob:quota", "warn", "keys", "bob"),
        (_old_hold, "old-holds", "warn", "live", ""),
    ],
)
async def test_a_trouble_is_told_with_the_place_where_it_is_mended(
    api: Api, set_up: Desk, trouble: Callable[[Desk], None], id_: str, severity: str, screen: str, name: str
) -> None:
    trouble(set_up)
    found: list[Attention] = [one for one in (await picture(api)).attention if one.id != "disk"]
    (one,) = [one for one in found if one.id == id_]
    assert (one.severity, one.screen, one.name) == (severity, screen, name)
    assert one.what.endswith(".")
    assert one.fix.endswith(".")
    assert [other.id for other in found] == [id_]
