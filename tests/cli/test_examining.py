"""Looking into a running instance: doctor, operations, models, a test of a key."""

from __future__ import annotations

from pathlib import Path

import pytest

from laidian.admin.schema import Check, Model, Operation, ServedModel
from tests.cli.running import Serving, call, spawn

pytestmark = pytest.mark.xdist_group("cli-examining")


@pytest.fixture(autouse=True)
def _in_its_folder(served: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAIDIAN_DATA", str(served.data))
    assert call("upstream", "probe", "--all").code == 0


def test_a_doctor_that_finds_nothing_wrong_ends_with_0(served: Serving) -> None:
    done = call("doctor", "--json")
    assert done.code == 0, done
    checks = done.json()["checks"]
    assert {"config", "database", "files"} <= {one["id"] for one in checks}
    assert not [one for one in checks if one["state"] == "fail"]
    assert all(one["fix"] for one in checks if one["state"] != "ok")
    table = call("doctor")
    assert table.out.split("\n")[0].split() == ["check", "state", "found"]
    assert call("doctor", "--csv").out.startswith(",".join(Check.__struct_fields__))
    warned = any(one["state"] == "warn" for one in checks)
    assert call("doctor", "--strict").code == (3 if warned else 0)


def test_what_is_wrong_comes_with_its_remedy_and_3(served: Serving) -> None:
    (served.data / "laidian.db").chmod(0o644)
    try:
        done = call("doctor")
    finally:
        (served.data / "laidian.db").chmod(0o600)
    assert done.code == 3
    assert "chmod -R go-rwx" in done.err


def test_a_doctor_comes_without_a_server_too(tmp_path: Path) -> None:
    empty = str(tmp_path / "other")
    assert call("quota", "create", "x", "--balance", "1", "--data", empty, "-q").code == 0
    done = call("doctor", "--json", "--data", empty)
    assert done.code in (0, 3)
    assert done.json()["checks"]


def test_every_change_is_in_the_journal_newest_first_and_without_secrets(served: Serving) -> None:
    secret = call("key", "create", "watched", "-q").out.strip()
    assert call("key", "disable", "watched").code == 0
    listed = call("operations", "--json").json()
    assert [(one["action"], one["name"]) for one in listed[:2]] == [
        ("key.edit", "watched"),
        ("key.create", "watched"),
    ]
    assert tuple(listed[0]) == Operation.__struct_fields__
    assert secret not in call("operations", "--limit", "0").out
    one = call("operations", "--limit", "1", "--json")
    assert len(one.json()) == 1
    assert "there are more" in one.err


def test_models_say_what_can_be_had_and_what_not_and_why(served: Serving) -> None:
    models = {one["model"]: one for one in call("model", "--json").json()}
    assert models["gpt-5.4"]["state"] == "up"
    assert tuple(models["gpt-5.4"]) == Model.__struct_fields__
    away = call("model", "list", "--unavailable", "--json").json()
    assert all(one["reason"] for one in away)
    assert "gpt-5.4" not in {one["model"] for one in away}
    assert "served by" in call("model").out


def test_a_keys_models_are_its_groups(served: Serving) -> None:
    assert call("group", "create", "small", "--allow", "gpt-5.4", "-q").code == 0
    assert call("key", "create", "small", "--group", "small", "-q").code == 0
    (only,) = call("key", "models", "small", "--json").json()
    assert (only["model"], only["available"]) == ("gpt-5.4", True)
    assert tuple(only) == ServedModel.__struct_fields__
    assert call("group", "models", "small", "--csv", "--fields", "model").out == "model\ngpt-5.4\n"
    everything = call("key", "models", "small", "--all")
    assert "why not" in everything.out
    assert call("key", "models", "smal").code == 1


def test_a_key_is_tested_by_name_or_by_the_very_credential(served: Serving) -> None:
    secret = call("key", "create", "tested", "-q").out.strip()
    by_name = call("key", "test", "tested", "--json")
    assert by_name.code == 0, by_name
    assert (by_name.json()["ok"], by_name.json()["status"]) == (True, 200)
    assert call("usage", "show", by_name.json()["request_id"]).code == 0
    piped = call("key", "test", "--api-key-stdin", "--model", "gpt-5.4", stdin=secret)
    assert piped.code == 0, piped
    assert secret not in piped.out + piped.err
    assert call("key", "disable", "tested").code == 0
    refused = call("key", "test", "--api-key-stdin", "--model", "gpt-5.4", "--json", stdin=secret)
    assert refused.code == 3
    assert refused.json()["code"] == "invalid_api_key"
    assert call("key", "test").code == 2
    assert call("key", "test", "tested", "--api-key-stdin", stdin=secret).code == 2
    assert not [key for key in call("key", "list", "--json").json() if key["name"].startswith("test-")]


def test_a_model_that_cannot_be_had_says_which_gate_is_closed(served: Serving) -> None:
    assert call("key", "create", "other", "-q").code == 0
    done = call("key", "test", "other", "--model", "no-such-model")
    assert done.code == 3
    assert "no-such-model" in done.out
    assert call("group", "create", "none", "--allow", "no-such-model", "-q").code == 0
    assert call("key", "create", "nothing", "--group", "none", "-q").code == 0
    empty = call("key", "test", "nothing")
    assert (empty.code, empty.out) == (2, "")
    assert "laidian key models nothing --all" in empty.err


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("laidian key show de", ["demo"]),
        ("laidian upstream edit simulated-o", ["simulated-openai"]),
        ("laidian usage list --upstream simulated-g", ["simulated-gemini"]),
        ("laidian group create de", []),
        ("laidian key show nobody", []),
    ],
)
def test_the_shell_hears_names_of_the_running_server(served: Serving, line: str, names: list[str]) -> None:
    asked = {
        "_LAIDIAN_COMPLETE": "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split()) - 1),
    }
    done = spawn(LAIDIAN_DATA=str(served.data), **asked)
    assert [word.partition(",")[2] for word in done.out.split()] == names
    assert done.err == ""


def test_the_shell_waits_for_nobody(tmp_path: Path) -> None:
    asked = {"_LAIDIAN_COMPLETE": "bash_complete", "COMP_WORDS": "laidian key show a", "COMP_CWORD": "3"}
    for place in (
        {"LAIDIAN_DATA": str(tmp_path)},
        {"LAIDIAN_SERVER": "http://127.0.0.1:1", "LAIDIAN_ADMIN_TOKEN": "x"},
    ):
        done = spawn(**asked, **place)
        assert (done.out.strip(), done.err) == ("", "")
    assert not (tmp_path / "laidian.db").exists()
