"""Another gateway's data, read and taken in: what comes over, what does not and why, and that a holder's key goes on working."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from laidian.cli.carry import one_api
from laidian.cli.carry.bag import fit_name, nano, plain, unique
from laidian.cli.carry.documents import pg_tables
from tests.carry.gateways import (
    CLIPROXYAPI,
    LITELLM,
    ONE_API_COLUMNS,
    UNI_API,
    database,
    new_api,
    sub2api_dump,
    sub2api_json,
)
from tests.cli.running import Outcome, call
from tests.served import Served, Setup, served
from tests.simulated_provider import SimulatedProvider, simulated_provider

pytestmark = pytest.mark.xdist_group("carry")


@pytest.fixture(scope="module")
def provider() -> Iterator[SimulatedProvider]:
    with simulated_provider() as running:
        yield running


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LAIDIAN_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def outcomes(done: Outcome) -> dict[tuple[str, str], str]:
    return {(one["kind"], one["name"]): one["outcome"] for one in done.json()["things"]}


def left(done: Outcome) -> dict[tuple[str, str], str]:
    return {(one["kind"], one["name"]): one["reason"] for one in done.json()["left"]}


def shown(noun: str, name: str) -> dict[str, Any]:
    return call(noun, "show", name, "--json").json()


# new-api and one-api


def test_nothing_stays_of_a_trial_and_it_says_what_an_import_then_does(
    provider: SimulatedProvider, tmp_path: Path
) -> None:
    source = new_api(tmp_path / "one-api.db", provider.base_url, "sim-0001")
    trial = call("import", "new-api", str(source), "--json")
    assert trial.code == 0, trial
    assert trial.json()["applied"] is False
    assert "--apply" in trial.err
    assert call("key", "list", "--json").json() == []
    assert call("upstream", "list", "--json").json() == []
    applied = call("import", "new-api", str(source), "--apply", "--json")
    assert applied.json()["applied"] is True
    assert outcomes(applied) == outcomes(trial)
    assert left(applied) == left(trial)
    noted = {(one["action"], one["name"]) for one in call("operations", "--limit", "0", "--json").json()}
    assert {("key.create", "phone"), ("upstream.create", "main"), ("price.set", "house-model")} <= noted
    again = call("import", "new-api", str(source), "--apply", "--json")
    assert set(outcomes(again).values()) == {"kept"}
    assert call("audit").code == 0


def test_what_new_api_has_is_here_in_our_words(provider: SimulatedProvider, tmp_path: Path) -> None:
    source = new_api(tmp_path / "one-api.db", provider.base_url, "sim-0001")
    done = call("import", "new-api", str(source), "--apply", "--json")

    main = shown("upstream", "main")
    assert (main["kind"], main["base_url"]) == ("openai", f"{provider.base_url}/v1")
    assert (main["priority"], main["weight"], len(main["credentials"])) == (-10, 3, 2)
    assert (main["models"], main["aliases"]) == (["gpt-5.4", "gpt-5.5", "quick"], {"quick": "gpt-5.4-mini"})
    assert (shown("upstream", "deepseek-cn")["base_url"], shown("upstream", "deepseek-cn")["enabled"]) == (
        "https://api.deepseek.com/v1", False,
    )  # fmt: skip
    assert shown("upstream", "claude")["kind"] == "anthropic"

    assert (shown("group", "vip")["multiplier"], shown("group", "vip")["upstreams"]) == (
        "0.85x",
        "deepseek-cn+main,claude",
    )
    assert shown("quota", "friend")["left_usd"] == "2.50"
    assert shown("key", "laptop")["group"] == "new-api default", (
        "our own default may use every upstream at 1x"
    )
    assert shown("group", "new-api default")["upstreams"] == "main"
    phone = shown("key", "phone")
    assert (phone["group"], phone["quota"], phone["limit_usd"]) == ("vip", "friend", "1.00")
    assert phone["expires_at"].startswith("2100-01-01")
    assert phone["display"] == "sk-BBBB…BBBB"
    limited = shown("key", "laptop-2")
    assert shown("group", limited["group"])["allow"] == ["gpt-5.4", "gpt-5.5"]
    assert shown("group", limited["group"])["multiplier"] == "0.85x"
    assert [shown("key", name)["enabled"] for name in ("laptop", "bound", "off")] == [True, False, False]
    assert "gone" not in [key["name"] for key in call("key", "list", "--json").json()]

    price = call("price", "show", "house-model", "--json").json()["price"]
    assert {rate["unit"]: rate["usd_per_million"] for rate in price["rates"]} == {
        "input": "0.25", "output": "1.00", "cached_input": "0.025",
    }  # fmt: skip
    assert outcomes(done)["price", "gpt-5.4"] == "kept", "the price book knows better than somebody's ratio"

    reasons = left(done)
    assert "Azure" in reasons["upstream", "azure"]
    assert "service account" in reasons["upstream", "vertex"]
    assert "disabled" in reasons["key", "bound"]
    assert ("param override", "deepseek/cn") in reasons
    assert ("price", "mj_imagine") in reasons
    assert "sim-0001" not in done.out + done.err
    assert "sk-" + "A" * 48 not in done.out + done.err


def test_a_holder_changes_only_the_base_url(
    provider: SimulatedProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(provider, setup=Setup()) as laidian:
        monkeypatch.setenv("LAIDIAN_DATA", str(laidian.folder.root))
        source = new_api(tmp_path / "one-api.db", provider.base_url, "sim-0001")
        assert call("import", "new-api", str(source), "--apply").code == 0
        assert _chat(laidian, "sk-" + "B" * 48).status_code == 200
        assert _chat(laidian, "sk-" + "C" * 48, model="gpt-5.4-nano").status_code == 404, (
            "the limit came over"
        )
        assert _chat(laidian, "sk-" + "E" * 48).status_code == 401
        assert float(shown("quota", "friend")["spent_usd"]) > 0
        assert call("audit").code == 0


def _chat(laidian: Served, key: str, model: str = "gpt-5.4") -> httpx2.Response:
    return httpx2.post(
        f"{laidian.base_url}/v1/chat/completions",
        headers={"authorization": f"Bearer {key}"},
        json={"model": model, "messages": [{"role": "user", "content": "Hello"}]},
        timeout=30,
    )


def test_a_number_that_one_api_and_new_api_read_differently_is_read_as_its_owner_does(tmp_path: Path) -> None:
    source = database(
        tmp_path / "one-api.db", ONE_API_COLUMNS,
        channels=[{"id": 1, "type": 40, "key": "k", "name": "doubao", "models": "m"},
                  {"id": 2, "type": 8, "key": "k", "name": "own", "base_url": "https://own.example/v1/chat/completions"},
                  {"id": 3, "type": 1, "key": "", "name": "empty"}],
        tokens=[{"id": 1, "user_id": 1, "key": "a" * 48, "name": "t", "unlimited_quota": 1, "models": "m", "subnet": ""}],
        users=[{"id": 1, "username": "u", "quota": 1}],
    )  # fmt: skip
    carried = one_api.read(source, "one-api").carry(apply=False)
    places = {one.name: one.base_url for one in carried.upstreams}
    assert places["doubao"] == "https://ark.cn-beijing.volces.com/api/v3"
    assert places["own"] == "https://own.example/v1"
    assert carried.quotas[0].balance_usd == "0.000002"
    assert carried.keys[0].digest == hashlib.sha256(b"sk-" + b"a" * 48).hexdigest()
    assert [group.allow for group in carried.groups if group.name == carried.keys[0].group] == [("m",)]


def test_a_file_that_is_none_of_theirs_is_refused(tmp_path: Path) -> None:
    other = database(tmp_path / "other.db", "CREATE TABLE x (y);")
    assert call("import", "one-api", str(other)).code == 2
    (tmp_path / "text").write_text("text")
    assert call("import", "one-api", str(tmp_path / "text")).code == 7
    assert call("import", "one-api", str(tmp_path / "nowhere")).code == 1
    assert call("import", "other", str(other)).code == 2
    assert call("import", "one-api", str(other), "--keys", "x").code == 2
    assert not (tmp_path / "data").exists()


# sub2api


@pytest.mark.parametrize("form", ["json", "dump"])
def test_sub2api_comes_from_a_dump_or_from_json(form: str, tmp_path: Path) -> None:
    source = sub2api_json(tmp_path / "x") if form == "json" else sub2api_dump(tmp_path / "x")
    done = call("import", "sub2api", str(source), "--apply", "--json")
    assert done.code == 0, done
    assert set(outcomes(done).values()) == {"made"}
    openai, relay = shown("upstream", "openai"), shown("upstream", "relay")
    assert (openai["kind"], openai["max_concurrent"], openai["proxy"]) == (
        "openai",
        5,
        "socks5://127.0.0.1:1080",
    )
    assert (relay["kind"], relay["enabled"], relay["aliases"]) == (
        "compatible",
        False,
        {"fast": "gpt-5.4-mini"},
    )
    assert (shown("group", "standard")["multiplier"], shown("group", "standard")["upstreams"]) == (
        "1.5x",
        "openai,relay",
    )
    work, plan = shown("key", "work"), shown("key", "plan")
    assert (work["quota"], work["limit_usd"]) == ("a@example.com", "7.50")
    assert work["expires_at"].startswith("2099-12-31T10:00:00")
    assert shown("quota", "a@example.com")["left_usd"] == "12.3456789"
    windows = {one["kind"]: one["limit_usd"] for one in shown("quota", plan["quota"])["windows"]}
    assert windows == {"day": "5.00", "month": "50.00"}
    assert [shown("key", name)["enabled"] for name in ("work", "loose", "bound")] == [True, False, False]
    assert "login" in left(done)["upstream", "claude max"]


def test_a_dump_keeps_tabs_lines_and_nothings_apart() -> None:
    text = 'x\nCOPY public.t (a, b, "c") FROM stdin;\none\\ttwo\\nthree\\\\four\t\\N\t{"k": 1}\n\\.\nCOPY public.u (a) FROM stdin;\n1\n\\.\n'
    assert pg_tables(text, ["t"]) == {"t": [{"a": "one\ttwo\nthree\\four", "b": None, "c": '{"k": 1}'}]}


# YAML


def test_litellm_deployments_become_upstreams_by_endpoint_and_credential(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_OPENAI_KEY", "sk-from-the-environment")
    (tmp_path / "config.yaml").write_text(LITELLM)
    virtual = "sk-virtual-key-of-litellm-1234"
    rows = [
        {"token": hashlib.sha256(virtual.encode()).hexdigest(), "key_alias": "team", "max_budget": 10, "spend": 2.5,
         "models": ["gpt-5.4"], "expires": None, "blocked": None},
        {"token": "no hash", "key_alias": "odd"},
    ]  # fmt: skip
    (tmp_path / "keys.json").write_text(json.dumps(rows))
    done = call(
        "import",
        "litellm",
        str(tmp_path / "config.yaml"),
        "--keys",
        str(tmp_path / "keys.json"),
        "--apply",
        "--json",
    )
    assert done.code == 0, done
    openai, house = shown("upstream", "openai"), shown("upstream", "openai-2")
    assert (openai["models"], openai["aliases"]) == (["gpt-5.4", "fast"], {"fast": "gpt-5.4-mini"})
    assert (house["kind"], house["base_url"], house["models"]) == (
        "compatible",
        "http://127.0.0.1:8000/v1",
        ["house"],
    )
    assert shown("upstream", "deepseek")["models"] == []
    assert shown("group", "litellm")["aliases"] == {"gpt-4": "gpt-5.4"}
    rates = call("price", "show", "house", "--json").json()["price"]["rates"]
    assert {rate["unit"]: rate["usd_per_million"] for rate in rates} == {"input": "0.25", "output": "1.00"}
    team = shown("key", "team")
    assert team["limit_usd"] == "7.50"
    assert shown("group", team["group"])["allow"] == ["gpt-5.4"]
    assert call("key", "show", virtual, "--json").json()["name"] == "team", "the hash is the digest"
    reasons = left(done)
    assert "NOT_SET_HERE" in reasons["credential", "claude"]
    assert "bedrock" in reasons["deployment", "bedrock"]
    assert ("key", "master_key") in reasons
    assert "sk-master" not in done.out + done.err
    assert "sk-from-the-environment" not in done.out + done.err


def test_uni_api_providers_and_what_each_key_may_use(tmp_path: Path) -> None:
    (tmp_path / "api.yaml").write_text(UNI_API)
    done = call("import", "uni-api", str(tmp_path / "api.yaml"), "--apply", "--json")
    assert done.code == 0, done
    main = shown("upstream", "main")
    assert (main["kind"], main["base_url"], len(main["credentials"])) == (
        "compatible",
        "https://relay.example/v1",
        2,
    )
    assert (main["models"], main["aliases"]) == (["gpt-5.4", "sonnet"], {"sonnet": "claude-sonnet-4-6"})
    assert main["proxy"] == "socks5://127.0.0.1:1080"
    assert [shown("upstream", name)["kind"] for name in ("anthropic", "gemini")] == ["anthropic", "gemini"]
    assert shown("group", shown("key", "some")["group"])["allow"] == ["gpt-5.4", "sonnet"]
    gem = shown("group", shown("key", "gem")["group"])
    assert (gem["upstreams"], gem["allow"]) == ("gemini", ["*"])
    assert [shown("key", name)["enabled"] for name in ("admin", "some", "paid")] == [True, True, False]
    assert ("upstream", "vertex") in left(done)


def test_cliproxyapi_keys_without_the_logins(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(CLIPROXYAPI)
    done = call("import", "cliproxyapi", str(tmp_path / "config.yaml"), "--apply", "--json")
    assert done.code == 0, done
    kinds = {one["name"]: one["kind"] for one in call("upstream", "list", "--json").json()}
    assert kinds == {
        "gemini": "gemini", "claude": "anthropic", "codex": "compatible", "openrouter": "compatible", "openrouter-2": "compatible",
    }  # fmt: skip
    assert shown("upstream", "openrouter-2")["proxy"] == "socks5://127.0.0.1:1081"
    assert shown("upstream", "gemini")["aliases"] == {"gemini-flash": "gemini-2.5-flash"}
    assert [key["name"] for key in call("key", "list", "--json").json()] == ["cliproxyapi-1", "cliproxyapi-2"]
    assert ("logins", "~/.cli-proxy-api") in left(done)


@pytest.mark.parametrize("source", ["litellm", "uni-api", "cliproxyapi"])
@pytest.mark.parametrize(
    "text", ["key: [sk-very-secret", "- 1", "other: 1", "!!python/object/apply:os.system ['true']", ""]
)
def test_what_is_no_such_file_is_refused_without_quoting_it(source: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(text)
    done = call("import", source, str(tmp_path / "x.yaml"))
    assert (done.code, done.out) == (2, "")
    assert "x.yaml" in done.err
    assert "very-secret" not in done.err


def test_a_table_for_people_names_what_is_not_carried(tmp_path: Path) -> None:
    (tmp_path / "api.yaml").write_text(UNI_API)
    done = call("import", "uni-api", str(tmp_path / "api.yaml"))
    assert "not carried" in done.out
    assert "would be made" in done.err
    assert call("import", "uni-api", str(tmp_path / "api.yaml"), "--csv").out.startswith(
        "kind,name,outcome,reason\n"
    )


def test_one_thing_that_cannot_be_taken_does_not_keep_the_others_out(tmp_path: Path) -> None:
    text = UNI_API.replace("https://relay.example/v1/chat/completions", "nonsense")
    (tmp_path / "api.yaml").write_text(text)
    done = call("import", "uni-api", str(tmp_path / "api.yaml"), "--apply", "--json")
    assert done.code == 0
    found = outcomes(done)
    assert found["upstream", "main"] == "refused"
    assert found["upstream", "gemini"] == "made"
    assert found["group", "uni-api"] == "refused", "a group without one of its upstreams is not that group"
    assert found["key", "gem"] == "made"


# Small things


@pytest.mark.parametrize(
    ("name", "fit"),
    [
        ("a/b", "a-b"),
        ("  x ", "x"),
        ("", "unnamed"),
        ("..", "unnamed"),
        ("a\x1b[1m", "a-[1m"),
        ("n" * 70, "n" * 64),
    ],
)
def test_a_name_is_made_fit(name: str, fit: str) -> None:
    assert fit_name(name) == fit


def test_money_comes_over_to_the_nano_dollar() -> None:
    assert nano("12.3456789012") == 12_345_678_901
    assert nano(0.1) == 100_000_000
    assert nano("much") is None
    assert plain(Decimal("1E-7")) == "0.000000100"
    assert unique("a", {"a": 1, "a-2": 1}) == "a-3"
