"""The admin API over HTTP: what it takes, what it answers, what it never says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from laidian.admin import schema
from laidian.admin.schema import Page, Status, UsageRecord
from laidian.domain.circuit import Circuit, CircuitKey
from laidian.domain.usage import Usage
from laidian.store.circuits import write_circuit
from laidian.store.live import asked_to_end
from laidian.upstream.probe import Probed
from tests.admin.conftest import Api, Clock
from tests.admin.desk import NOW_MS, Desk

SECRET = "sk-provider-secret-1234567890"


async def add_openai(api: Api) -> None:
    body = {
        "name": "openai",
        "kind": "openai",
        "proxy": "socks5://user:hush-hush@10.0.0.1:1080",
        "credentials": [{"api_key": SECRET}],
    }
    await api.ask("POST", "/upstreams", body, expect=201)


# A round through everything


async def test_a_key_lives_through_the_api(api: Api, desk: Desk) -> None:
    made = await api.ask("POST", "/keys", {"name": "alice", "limit_usd": "5"}, expect=201)
    assert made["secret"].startswith("sk-")
    assert (await api.ask("GET", "/keys"))["items"] == [made["key"]]
    assert (await api.ask("PATCH", "/keys/alice", {"enabled": False}))["state"] == "disabled"
    rotated = await api.ask("POST", f"/keys/{made['key']['id']}/rotate")
    assert rotated["secret"] != made["secret"]
    assert (await api.ask("GET", "/keys/alice"))["display"] == rotated["key"]["display"]
    assert (await api.ask("DELETE", "/keys/alice"))["name"] == "alice"
    await api.ask("GET", "/keys/alice", expect=404)


async def test_quotas_and_groups_live_through_the_api(api: Api) -> None:
    await api.ask("POST", "/quotas", {"name": "wallet", "balance_usd": "1"}, expect=201)
    assert (await api.ask("POST", "/quotas/wallet/credits", {"amount_usd": "2"}, expect=201))[
        "left_usd"
    ] == "3.00"
    assert [one["amount_usd"] for one in await api.ask("GET", "/quotas/wallet/credits")] == ["2.00", "1.00"]
    assert (await api.ask("PATCH", "/quotas/wallet", {"enabled": False}))["state"] == "disabled"
    assert (await api.ask("DELETE", "/quotas/wallet"))["name"] == "wallet"
    await api.ask("POST", "/groups", {"name": "team", "multiplier": "2"}, expect=201)
    assert (await api.ask("PATCH", "/groups/team", {"requests_per_minute": 5}))["requests_per_minute"] == 5
    assert (await api.ask("DELETE", "/groups/team"))["multiplier"] == "2x"


async def test_an_upstream_lives_through_the_api(api: Api) -> None:
    await add_openai(api)
    await api.ask("POST", "/upstreams/openai/credentials", {"api_key": "second"}, expect=201)
    await api.ask("PATCH", "/upstreams/openai/credentials/key-2", {"enabled": False})
    shown = await api.ask("DELETE", "/upstreams/openai/credentials/key-1")
    assert [(one["label"], one["enabled"]) for one in shown["credentials"]] == [("key-2", False)]
    assert (await api.ask("PATCH", "/upstreams/openai", {"weight": 7}))["weight"] == 7
    assert (await api.ask("DELETE", "/upstreams/openai"))["name"] == "openai"


async def test_a_probe_is_made_kept_and_changes_what_is_served(api: Api) -> None:
    await add_openai(api)
    probe = await api.ask("POST", "/upstreams/openai/probe")
    assert (probe["ok"], probe["models"], probe["at"]) == (True, 2, "2026-11-22T10:00:00Z")
    (asked,) = api.prober.asked
    assert asked.credentials[0].secret.reveal() == SECRET
    api.prober.answer = Probed(False, None, 9, (), "no connection came about")
    await api.ask("POST", "/upstreams/openai/probe")
    probes = await api.ask("GET", "/upstreams/openai/probes?limit=5")
    assert [(one["ok"], one["reason"]) for one in probes] == [(False, "no connection came about"), (True, "")]
    models = await api.ask("GET", "/upstreams/openai/models")
    assert [one["model"] for one in models] == ["gpt-5.4", "gpt-5.5"]
    await api.ask("POST", "/upstreams/opnai/probe", expect=404)
    assert len(api.prober.asked) == 2


async def test_a_reset_circuit_gets_traffic_at_once(api: Api, desk: Desk) -> None:
    await add_openai(api)
    key = CircuitKey(1, 0, "gpt-5.4")
    circuit = Circuit(3, NOW_MS + 60_000, "it answered 500")
    desk.do(lambda c: write_circuit(c, key, circuit, NOW_MS))
    api.services.health.replace({key: circuit})
    assert api.services.health.opened(1, 1, "gpt-5.4") is not None
    assert (await api.ask("GET", "/circuits"))[0]["reason"] == "it answered 500"
    status = await api.ask("GET", "/status")
    assert (status["upstreams"][0]["state"], status["upstreams"][0]["reason"]) == (
        "resting",
        "gpt-5.4: it answered 500",
    )
    assert await api.ask("POST", "/circuits/reset?upstream=openai") == {"reset": 1}
    assert api.services.health.opened(1, 1, "gpt-5.4") is None
    assert await api.ask("GET", "/circuits") == []


async def test_prices_live_through_the_api(api: Api) -> None:
    assert (await api.ask("GET", "/prices/find?model=house/7b:free"))["price"] is None
    await api.ask(
        "POST", "/prices", {"model": "house/7b:free", "rates": {"input": "1", "output": "2"}}, expect=201
    )
    assert (await api.ask("GET", "/prices/find?model=house/7b:free"))["price"]["origin"] == "operator"
    assert len(await api.ask("GET", "/prices")) == 1
    assert len(await api.ask("DELETE", "/prices?model=house/7b:free")) == 1
    state = await api.ask("GET", "/prices/book")
    assert not state["differs"]
    assert (await api.ask("GET", "/prices/book/diff"))["changes"] == []
    assert await api.ask("POST", "/prices/book/adopt", {"source": state["shipped_source"]}) == state


async def test_usage_is_read_page_by_page_and_exported_whole(api: Api, desk: Desk) -> None:
    desk.key("alice")
    for number in range(7):
        desk.serve(f"req_{number}", Usage(input=number))
    page = msgspec.convert(await api.ask("GET", "/usage?limit=5&since=24h"), Page[UsageRecord])
    assert [record.request_id for record in page.items] == [f"req_{number}" for number in (6, 5, 4, 3, 2)]
    rest = await api.ask("GET", f"/usage?limit=5&cursor={page.next}")
    assert ([record["request_id"] for record in rest["items"]], rest["next"]) == (["req_1", "req_0"], None)
    summary = await api.ask("GET", "/usage/summary?by=key")
    assert (summary["rows"][0]["name"], summary["total"]["requests"]) == ("alice", 7)
    assert (await api.ask("GET", "/usage/req_3"))["receipt"]["lines"][0]["quantity"] == 3
    async with api.client() as client:
        response = await client.get("/admin/v1/usage/export?key=alice")
    assert response.headers["content-type"].startswith("application/x-ndjson")
    lines = [msgspec.json.decode(line, type=UsageRecord) for line in response.content.splitlines()]
    assert [line.request_id for line in lines] == [f"req_{number}" for number in range(6, -1, -1)]


async def test_an_export_of_nothing_is_empty_and_of_nonsense_refused(api: Api) -> None:
    async with api.client() as client:
        response = await client.get("/admin/v1/usage/export")
        assert (response.status_code, response.content) == (200, b"")
        assert (await client.get("/admin/v1/usage/export?key=nobody")).status_code == 404


async def test_an_export_longer_than_a_page_has_every_record(api: Api, desk: Desk) -> None:
    desk.key("alice")
    desk.serve("req_1", Usage(input=1))
    columns = [
        row[1]
        for row in desk.connection.execute("PRAGMA table_info(usage_records)")
        if row[1] not in ("id", "request_id")
    ]
    names = ", ".join(columns)
    desk.do(
        lambda c: c.execute(
            f"WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 1203) "
            f"INSERT INTO usage_records (request_id, {names}) SELECT 'req_' || i, {names} FROM n, usage_records WHERE request_id = 'req_1'"
        )
    )
    async with api.client() as client:
        response = await client.get("/admin/v1/usage/export")
    lines = [msgspec.json.decode(line, type=UsageRecord).request_id for line in response.content.splitlines()]
    assert len(lines) == len(set(lines)) == 1203


async def test_a_request_in_flight_is_ended_whichever_worker_has_it(api: Api, desk: Desk) -> None:
    desk.key("alice")
    desk.hold("req_here")
    desk.hold("req_elsewhere", owner="another")
    assert {one["request_id"] for one in await api.ask("GET", "/live")} == {"req_here", "req_elsewhere"}
    told = await api.ask("DELETE", "/live/req_elsewhere")
    assert (told["key"], told["ending"]) == ("alice", True)
    assert asked_to_end(desk.connection, "another") == ["req_elsewhere"]
    assert asked_to_end(desk.connection, "worker") == []
    await api.ask("DELETE", "/live/req_here")
    assert [one["ending"] for one in await api.ask("GET", "/live")] == [True, True]
    await api.ask("DELETE", "/live/req_nowhere", expect=404)
    assert api.cancelled == ["req_elsewhere", "req_here"]


async def test_the_status_is_one_screen_about_the_instance(api: Api, desk: Desk, clock: Clock) -> None:
    await add_openai(api)
    desk.key("alice")
    desk.serve("req_1", Usage(input=1_000), upstream_id=1)
    desk.serve("req_2", Usage(), status=502, usage_from="none")
    desk.hold("req_3", nano=5_000)
    status = msgspec.convert(await api.ask("GET", "/status"), Status)
    assert (status.uptime_s, status.base_url, status.keys) == (90, "http://127.0.0.1:8080/v1", 1)
    assert (status.requests_today, status.failed_today, status.spent_today_usd) == (2, 1, "0.002")
    assert (status.in_flight, status.held_usd, status.price_book) == (1, "0.000005", "genai-prices 0.2.3")
    assert [(one.name, one.state, one.reason) for one in status.upstreams] == [("openai", "up", "")]
    assert status.data == str(desk.folder)
    assert status.catalog_version == desk.version()
    assert status.sqlite.wal_reset_bug == ("cannot do harm" in status.sqlite.verdict)


async def test_the_audit_is_run_beside_the_traffic(api: Api, desk: Desk) -> None:
    desk.key("alice")
    desk.serve("req_1", Usage(input=1_000))
    report = await api.ask("GET", "/audit")
    assert (report["clean"], report["records"], report["records_amount_usd"]) == (True, 1, "0.002")
    desk.do(lambda c: c.execute("UPDATE keys SET spent_nano = spent_nano + 1"))
    report = await api.ask("GET", "/audit")
    assert not report["clean"]
    assert report["differences"][0] == {
        "check": "spent",
        "subject": "key alice",
        "expected": "0.002",
        "found": "0.002000001",
        "message": "its records add up to something else",
    }


# Refusals


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "param", "words"),
    [
        ("POST", "/keys", b'{"nam":"a"}', 400, "nam", "Did you mean `name`?"),
        ("POST", "/keys", b'{"name":7}', 400, "name", "Expected `str`, got `int`"),
        ("POST", "/keys", b"{}", 400, None, "missing required field `name`"),
        ("POST", "/keys", b"", 400, None, "The body is empty"),
        ("POST", "/keys", b"[]", 400, None, "Expected `object`, got `array`"),
        ("POST", "/keys", b'{"name":', 400, None, "not valid JSON"),
        ("POST", "/keys", b'{"name":"\xff"}', 400, None, "not valid JSON"),
        ("POST", "/keys", b'{"name":"a","limit_usd":1.5}', 400, "limit_usd", "Expected `str"),
        ("POST", "/keys", b'{"name":"a","limit_usd":"ten"}', 400, "limit_usd", "not an amount"),
        ("POST", "/keys", b'{"name":"' + b"a" * 65 + b'"}', 400, "name", "length <= 64"),
        (
            "POST",
            "/upstreams",
            b'{"name":"a","kind":"sk-secret"}',
            400,
            "kind",
            "one of openai, gemini, anthropic, compatible, responses",
        ),
        (
            "POST",
            "/upstreams",
            b'{"name":"a","kind":"openai","credentials":[{"key":"x"}]}',
            400,
            "credentials[0]",
            "no field `key`",
        ),
        (
            "POST",
            "/quotas",
            b'{"name":"a","limits_usd":{"hour":"1"}}',
            400,
            "limits_usd",
            "one of 5h, day, week, month",
        ),
        ("PATCH", "/groups/default", b'{"requests_per_minute":-1}', 400, "requests_per_minute", ">= 1"),
        ("PATCH", "/groups/defualt", b"{}", 404, "group", "Did you mean `default`?"),
        ("GET", "/usage?limit=many", None, 400, "limit", "Expected `int"),
        ("GET", "/usage?modle=gpt", None, 400, "modle", "Did you mean `model`?"),
        ("GET", "/usage?status=odd", None, 400, "status", "429"),
        ("GET", "/prices/find", None, 400, "model", "model"),
        ("GET", "/nothing", None, 404, None, "There is no GET /admin/v1/nothing"),
        ("POST", "/keys", b"[" * 200_000, 400, None, ""),
        ("POST", "/keys", b" " * 1_100_000, 413, None, "larger"),
    ],
)
async def test_a_request_that_makes_no_sense_is_refused_with_its_field(
    api: Api, method: str, path: str, body: bytes | None, status: int, param: str | None, words: str
) -> None:
    async with api.client() as client:
        response = await client.request(method, f"/admin/v1{path}", content=body)
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert set(error) == {"code", "message", "param"}
    assert error["param"] == param
    assert words in error["message"]
    assert "sk-secret" not in response.text
    assert "Traceback" not in response.text


async def test_a_bug_is_a_sentence_and_its_trace_stays_here(
    api: Api, capfd: pytest.CaptureFixture[str]
) -> None:
    await add_openai(api)
    api.prober.answer = RuntimeError("the inside of the server")
    answer = await api.ask("POST", "/upstreams/openai/probe", expect=500)
    assert answer["error"]["code"] == "internal_error"
    assert "inside" not in answer["error"]["message"]
    assert "the inside of the server" in capfd.readouterr().err


async def test_a_refused_change_writes_nothing(api: Api, desk: Desk) -> None:
    version = desk.version()
    await api.ask("POST", "/keys", {"name": "alice", "group": "nobody"}, expect=404)
    await api.ask("POST", "/keys", {"name": "a/b"}, expect=400)
    assert desk.version() == version
    assert (await api.ask("GET", "/keys"))["items"] == []


# What is never said


async def test_no_secret_is_in_any_answer_but_the_one_that_makes_it(api: Api, desk: Desk) -> None:
    await add_openai(api)
    made = await api.ask("POST", "/keys", {"name": "alice"}, expect=201)
    rotated = await api.ask("POST", "/keys/alice/rotate")
    desk.serve("req_1", Usage(input=1), upstream_id=1)
    secrets = (SECRET, "hush-hush", made["secret"], rotated["secret"])
    paths = [
        "/status", "/audit", "/keys", "/keys/alice", "/groups", "/groups/default", "/quotas", "/quotas/unlimited", "/upstreams",
        "/upstreams/openai", "/upstreams/openai/probes", "/upstreams/openai/models", "/circuits", "/prices", "/prices/book",
        "/usage", "/usage/summary", "/usage/export", "/usage/req_1", "/live", "/openapi.json", "/usage?key=" + made["secret"],
    ]  # fmt: skip
    async with api.client() as client:
        for path in paths:
            response = await client.get(f"/admin/v1{path}")
            assert not any(secret in response.text for secret in secrets), path
            assert response.headers["cache-control"] == "no-store", path
        edited = await client.patch("/admin/v1/upstreams/openai", content=b'{"weight":2}')
    assert not any(secret in edited.text for secret in secrets)
    everything = desk.all_bytes()
    assert not any(secret.encode() in everything for secret in secrets)
    assert made["key"]["display"].encode() in everything, "the search would find it"
    assert not any(secret in repr(api.services.catalog.current().upstreams) for secret in secrets)


def test_every_type_that_carries_a_secret_hides_it() -> None:
    carriers = {
        schema.CredentialCreate(api_key=SECRET),
        schema.CredentialEdit(api_key=SECRET),
        schema.UpstreamEdit(proxy=SECRET),
    }
    creation = schema.UpstreamCreate(
        name="a", kind="openai", proxy=SECRET, credentials=(schema.CredentialCreate(api_key=SECRET),)
    )
    for carrier in (*carriers, creation):
        assert SECRET not in f"{carrier!r} {carrier}"
    held = {"api_key", "proxy", "secret"}
    for name, kind in vars(schema).items():
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind is not schema.Upstream:
            assert not held & set(kind.__struct_fields__) or kind.__repr__ is not msgspec.Struct.__repr__, (
                name
            )


# The document


async def test_the_document_describes_exactly_the_paths_that_the_schema_lists(api: Api) -> None:
    document = await api.ask("GET", "/openapi.json")
    served = {
        (method.upper(), path.removeprefix("/admin/v1"))
        for path, item in document["paths"].items()
        for method in item
    }
    assert schema.__doc__ is not None
    listed = {
        (method, re.sub(r"[?].*", "", path))
        for method, path in re.findall(r"^    (GET|POST|PATCH|DELETE) +(/\S*)", schema.__doc__, re.MULTILINE)
    }
    assert served == listed - {("GET", "/openapi.json")}


def test_the_schema_needs_nothing_but_msgspec() -> None:
    sources = [path.read_text() for path in Path(schema.__file__).parent.glob("*.py")]
    imports = {
        name for source in sources for name in re.findall(r"^(?:from|import) (\S+)", source, re.MULTILINE)
    }
    foreign = {name for name in imports if not name.startswith("laidian.admin.schema.")}
    assert foreign == {"__future__", "collections.abc", "typing", "msgspec"}


def test_reading_types_know_no_ids_of_rows() -> None:
    exempt: dict[str, Any] = {
        "Key": {"id"},
        "Check": {"id"},
        "Attention": {"id"},
        "Heard": {"id"},
        "Preset": {"id"},
    }
    for name, kind in vars(schema).items():
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            ids = {field for field in kind.__struct_fields__ if field == "id" or field.endswith("_id")}
            assert ids <= exempt.get(name, {"request_id"}), name
