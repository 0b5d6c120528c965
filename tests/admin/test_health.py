"""How upstreams do, who serves what, and what a model lacks; asked through the API."""

from __future__ import annotations

import msgspec
import pytest

from laidian.admin.schema import GroupServing, Model, UpstreamError, UpstreamHealth
from laidian.admin.service.upstreams import record_probe
from laidian.domain.circuit import Circuit, CircuitKey
from laidian.domain.usage import Usage
from laidian.store.rollups import fold
from laidian.upstream.probe import Probed
from tests.admin.conftest import Api
from tests.admin.desk import NOW_MS, Desk
from tests.admin.test_usage_pages import refuse

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
SECRET = ({"api_key": "sk-one"},)


@pytest.mark.parametrize("folded", [False, True])
async def test_an_upstreams_day_and_hour_are_told_with_empty_stretches(
    api: Api, desk: Desk, folded: bool
) -> None:
    desk.upstream("one", credentials=SECRET)
    desk.upstream("two", credentials=SECRET)
    desk.key("alice")
    desk.do(
        lambda c: record_probe(c, "one", Probed(True, 200, 12, ("gpt-5.4",), ""), now_ms=NOW_MS - MINUTE_MS)
    )
    desk.serve("req_1", Usage(input=10), at_ms=NOW_MS - 5 * HOUR_MS, upstream_id=1)
    desk.serve("req_2", Usage(input=10), at_ms=NOW_MS - 3 * MINUTE_MS, upstream_id=1)
    desk.serve(
        "req_3",
        Usage(),
        at_ms=NOW_MS - 3 * MINUTE_MS,
        upstream_id=1,
        status=502,
        ended="upstream_fault",
        usage_from="none",
    )
    desk.serve("req_4", Usage(input=10), at_ms=NOW_MS - 3 * MINUTE_MS, upstream_id=2)
    if folded:
        desk.do(fold)
    found = msgspec.convert(await api.ask("GET", "/upstreams/one/health"), UpstreamHealth)
    assert (found.requests_24h, found.failed_24h, found.success_percent_24h) == (3, 1, 66.7)
    assert (len(found.hours), len(found.minutes)) == (24, 60)
    assert (found.hours[-6].requests, found.hours[-6].at) == (1, "2026-11-22T05:00:00Z")
    assert (found.minutes[-4].requests, found.minutes[-4].failed) == (2, 1)
    assert (found.minutes[-1].requests, found.minutes[-1].first_byte_p50_ms) == (0, None)
    assert (found.first_byte_p50_ms, found.state, found.next_probe_at) == (500, "up", "2026-11-22T10:09:00Z")
    await api.ask("GET", "/upstreams/three/health", expect=404)


async def test_errors_of_an_upstream_include_those_that_another_made_good(api: Api, desk: Desk) -> None:
    desk.upstream("one", credentials=SECRET)
    desk.upstream("two", credentials=SECRET)
    desk.key("alice")
    desk.serve("req_1", Usage(input=10))
    desk.serve("req_2", Usage(), status=502, ended="upstream_fault", usage_from="none")
    tried = '[{"upstream":"one","credential":"a","outcome":"server","status":503,"duration_ms":7,"message":"it is overloaded"}'
    again = '{"upstream":"two","credential":"a","outcome":"ok","status":200,"duration_ms":9,"message":""}]'
    desk.do(
        lambda c: c.execute(
            "UPDATE usage_records SET attempts = ? WHERE request_id = 'req_1'", (f"{tried},{again}",)
        )
    )
    desk.do(
        lambda c: c.execute(
            "UPDATE usage_records SET attempts = ? WHERE request_id = 'req_2'", (f"{tried}]",)
        )
    )
    found = msgspec.convert(await api.ask("GET", "/upstreams/one/errors"), list[UpstreamError])
    assert [(one.request_id, one.status, one.message, one.answered) for one in found] == [
        ("req_2", 503, "it is overloaded", False),
        ("req_1", 503, "it is overloaded", True),
    ]
    assert await api.ask("GET", "/upstreams/two/errors") == []
    assert len(await api.ask("GET", "/upstreams/one/errors?limit=1")) == 1


async def test_a_group_shows_who_serves_what_now_and_why_not(api: Api, desk: Desk) -> None:
    desk.upstream("one", credentials=SECRET, models=("gpt-5.4", "gpt-5.5"))
    desk.upstream("two", credentials=SECRET, models=("gpt-5.4", "foo-preview"))
    desk.upstream("off", credentials=SECRET, models=("gpt-5.4",), enabled=False)
    desk.group("team", upstreams="one,two,off", multiplier="1.2", capabilities=("chat",), deny=("gpt-5.5",))
    api.services.health.replace({CircuitKey(1, 1, ""): Circuit(3, NOW_MS + MINUTE_MS, "it answered 429")})
    found = msgspec.convert(await api.ask("GET", "/groups/team/serving"), GroupServing)
    assert (found.upstreams, found.multiplier) == (("one", "two", "off"), "1.2x")
    models = {one.model: one for one in found.models}
    assert set(models) == {"gpt-5.4", "foo-preview"}
    served = models["gpt-5.4"]
    assert (served.available, served.served_by, served.gate) == (True, "two", "")
    assert [(cell.upstream, cell.rank, cell.state) for cell in served.cells] == [
        ("one", 1, "resting"),
        ("two", 2, "up"),
        ("off", 3, "disabled"),
    ]
    assert (served.cells[0].reason, served.cells[0].until) == ("it answered 429", "2026-11-22T10:01:00Z")
    assert served.input_usd is not None
    unpriced = models["foo-preview"]
    assert (unpriced.available, unpriced.gate, unpriced.served_by) == (False, "price", "")
    assert "no price" in unpriced.reason
    assert [cell.state for cell in unpriced.cells] == ["none", "up", "none"]
    await api.ask("GET", "/groups/nobody/serving", expect=404)


async def test_every_model_says_whether_it_can_be_had_and_what_it_lacks(api: Api, desk: Desk) -> None:
    desk.upstream("one", credentials=SECRET, models=("gpt-5.4", "foo-preview"))
    desk.key("alice")
    desk.serve("req_1", Usage(input=1_000), upstream_id=1)
    refuse(desk, "req_2", model="foo-preview", status=404, code="model_not_priced")
    refuse(desk, "req_3", model="gpt-9", status=404, code="model_not_found")
    models = {one.model: one for one in msgspec.convert(await api.ask("GET", "/models"), list[Model])}
    assert {name: one.state for name, one in models.items()} == {
        "gpt-5.4": "up",
        "foo-preview": "unpriced",
        "gpt-9": "no_upstream",
    }
    ours = models["gpt-5.4"]
    assert (ours.requests_24h, ours.spent_24h_usd, ours.groups, ours.first_byte_p50_ms) == (
        1,
        "0.002",
        ("default",),
        500,
    )
    assert ours.price is not None
    assert ours.price.origin == "book"
    assert "chat" in ours.kinds
    assert (models["foo-preview"].refused_24h, models["gpt-9"].refused_24h) == (1, 1)
    assert "laidian price set foo-preview" in models["foo-preview"].reason
    api.services.health.replace({CircuitKey(1, 1, ""): Circuit(3, NOW_MS + MINUTE_MS, "it answered 429")})
    resting = {one["model"]: one for one in await api.ask("GET", "/models")}["gpt-5.4"]
    assert (resting["state"], resting["reason"], resting["until"]) == (
        "resting",
        "one: it answered 429.",
        "2026-11-22T10:01:00Z",
    )
