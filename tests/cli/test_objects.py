"""Keys, groups, quotas and upstreams through the admin application of this process, on a real folder."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import sqlite3
from pathlib import Path

import pytest

from laidian.admin.schema import Group, Key, Quota, Upstream
from laidian.data import price_book_bytes
from tests.cli.running import call, on_terminal

SECRET = "sk-provider-secret-0123456789"


def test_a_new_key_is_alone_on_stdout_and_talk_is_on_stderr(relay: Path) -> None:
    done = call(
        "key", "create", "bob", "--group", "default", "--quota", "team", "--limit", "3", "--expires", "30d"
    )
    assert done.code == 0
    assert done.out.startswith("sk-")
    assert done.out.count("\n") == 1
    assert done.out.strip() not in done.err
    assert "bob" in done.err
    shown = call("key", "show", "bob", "--json").json()
    assert (shown["limit_usd"], shown["quota"], shown["state"]) == ("3.00", "team", "active")
    assert shown["expires_at"] is not None
    assert done.out.strip() not in call("key", "show", "bob").out


def test_quiet_leaves_the_key_and_nothing_else(relay: Path) -> None:
    done = call("key", "create", "bob", "-q")
    assert done.err == ""
    assert done.out.startswith("sk-")


def test_a_created_key_in_json_carries_the_secret_once(relay: Path) -> None:
    made = call("key", "create", "bob", "--json").json()
    assert made["secret"].startswith("sk-")
    assert made["key"]["name"] == "bob"
    assert "secret" not in call("key", "show", "bob", "--json").json()


def test_a_noun_alone_lists(relay: Path) -> None:
    for noun in ("key", "group", "quota", "upstream", "price", "usage"):
        alone, listed = call(noun, "--json"), call(noun, "list", "--json")
        assert alone.code == 0
        assert alone.out == listed.out


def test_a_key_is_edited_disabled_enabled_rotated_and_deleted(relay: Path) -> None:
    first = call("key", "create", "bob", "-q").out
    edited = call("key", "edit", "bob", "--name", "bobby", "--limit", "$2.5", "--json").json()
    assert (edited["name"], edited["limit_usd"], edited["group"]) == ("bobby", "2.50", "default")
    assert call("key", "edit", "bobby", "--limit", "none", "--json").json()["limit_usd"] is None
    assert call("key", "disable", "bobby", "--json").json()["state"] == "disabled"
    assert call("key", "enable", "bobby", "--json").json()["state"] == "active"
    second = call("key", "rotate", "bobby", "--yes", "-q").out
    assert second.startswith("sk-")
    assert second != first
    assert call("key", "delete", "bobby", "--yes").code == 0
    assert [key["name"] for key in call("key", "list", "--json").json()] == ["alice"]


def test_an_edit_that_changes_nothing_is_wrong_usage(relay: Path) -> None:
    for noun, name in (("key", "alice"), ("group", "default"), ("quota", "team")):
        done = call(noun, "edit", name)
        assert (done.code, done.out) == (2, "")
        assert "nothing to change" in done.err


@pytest.mark.parametrize(
    "command",
    [
        ["key", "delete", "alice"],
        ["key", "rotate", "alice"],
        ["group", "delete", "default"],
        ["quota", "delete", "team"],
        ["upstream", "delete", "openai"],
        ["upstream", "delete-key", "openai", "key-1"],
        ["price", "retire", "gpt-5.4"],
        ["usage", "end", "req_1"],
    ],
)
def test_what_cannot_be_undone_needs_yes_where_nobody_can_be_asked(relay: Path, command: list[str]) -> None:
    for more in ([], ["--no-input"]):
        done = call(*command, *more)
        assert (done.code, done.out) == (2, "")
        assert "--yes" in done.err


def test_on_a_terminal_the_name_has_to_be_typed(relay: Path) -> None:
    code, seen = on_terminal(["key", "delete", "alice"], "no\n", LAIDIAN_DATA=str(relay))
    assert code == 1
    assert "nothing was changed" in seen
    assert len(call("key", "list", "--json").json()) == 1
    code, _ = on_terminal(["key", "delete", "alice"], "alice\n", LAIDIAN_DATA=str(relay))
    assert code == 0
    assert call("key", "list", "--json").json() == []


def test_a_group_takes_upstreams_in_order_patterns_aliases_and_limits(relay: Path) -> None:
    for name in ("a", "b", "c"):
        assert call("upstream", "add", name, "--kind", "openai", "--no-api-key", "-q").code == 0
    made = call(
        "group", "create", "team", "--upstreams", "a,b+c", "--allow", "gpt-*,o*", "--allow", "claude-*", "--deny", "gpt-2",
        "--alias", "fast=gpt-5.4", "--multiplier", "1.25x", "--requests-per-minute", "10", "--on-abort", "drain", "--json",
    ).json()  # fmt: skip
    assert made["upstreams"] == "a,b+c"
    assert made["allow"] == ["gpt-*", "o*", "claude-*"]
    assert made["deny"] == ["gpt-2"]
    assert made["aliases"] == {"fast": "gpt-5.4"}
    assert (made["multiplier"], made["requests_per_minute"], made["on_abort"]) == ("1.25x", 10, "drain")
    edited = call(
        "group", "edit", "team", "--upstreams", "none", "--allow", "none", "--requests-per-minute", "none",
        "--capability", "chat,responses", "--json",
    ).json()  # fmt: skip
    assert (edited["upstreams"], edited["allow"], edited["requests_per_minute"]) == ("", [], None)
    assert edited["capabilities"] == ["chat", "responses"]
    assert edited["aliases"] == {"fast": "gpt-5.4"}, "what was not named stays"
    assert len(call("group", "edit", "team", "--capability", "all", "--json").json()["capabilities"]) > 2
    assert call("group", "disable", "team", "--json").json()["enabled"] is False
    assert call("group", "enable", "team", "--json").json()["enabled"] is True
    assert call("group", "delete", "team", "--yes").code == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--alias", "fast"], "NAME=MODEL"),
        (["--requests-per-minute", "many"], "whole number"),
        (["--on-abort", "wait"], "wait"),
        (["--upstreams", "nobody"], "nobody"),
        (["--multiplier", "dear"], "dear"),
    ],
)
def test_a_group_is_not_made_from_values_that_make_no_sense(
    relay: Path, options: list[str], says: str
) -> None:
    done = call("group", "create", "team", *options)
    assert done.code in (1, 2)
    assert done.out == ""
    assert says in done.err
    assert [group["name"] for group in call("group", "list", "--json").json()] == ["default"]


def test_the_three_kinds_of_quota(relay: Path) -> None:
    assert call("quota", "create", "p", "--balance", "5.25", "--json").json()["left_usd"] == "5.25"
    plan = call("quota", "create", "m", "--plan", "--limit-5h", "1", "--limit-day", "5", "--json").json()
    assert (plan["kind"], {one["kind"]: one["limit_usd"] for one in plan["windows"]}) == (
        "plan",
        {"5h": "1.00", "day": "5.00"},
    )
    assert (
        call("quota", "create", "u", "--unlimited", "--expires", "30d", "--json").json()["kind"]
        == "unlimited"
    )
    for contradiction in (
        [],
        ["--balance", "1", "--unlimited"],
        ["--plan", "--unlimited", "--limit-day", "1"],
    ):
        done = call("quota", "create", "x", *contradiction)
        assert (done.code, done.out) == (2, "")
    shown = call("quota", "show", "m").out
    assert "window" in shown
    assert "$5.00" in shown


def test_editing_one_limit_of_a_plan_leaves_the_others(relay: Path) -> None:
    assert call("quota", "create", "m", "--limit-day", "5", "--limit-month", "50", "-q").code == 0
    edited = call("quota", "edit", "m", "--limit-day", "6", "--limit-week", "20", "--json").json()
    assert {one["kind"]: one["limit_usd"] for one in edited["windows"]} == {
        "day": "6.00",
        "week": "20.00",
        "month": "50.00",
    }
    edited = call("quota", "edit", "m", "--limit-month", "none", "--json").json()
    assert {one["kind"] for one in edited["windows"]} == {"day", "week"}


def test_a_balance_is_topped_up_and_taken_back(relay: Path) -> None:
    assert (
        call("quota", "topup", "team", "2.5", "--note", "invoice 17", "--json").json()["left_usd"] == "12.50"
    )
    assert call("quota", "topup", "team", "-5", "--json").json()["left_usd"] == "7.50"
    refused = call("quota", "topup", "team", "-100")
    assert refused.code != 0
    assert refused.out == ""
    credits = call("quota", "credits", "team", "--json").json()
    assert [(one["amount_usd"], one["note"]) for one in credits][:2] == [
        ("-5.00", ""),
        ("2.50", "invoice 17"),
    ]
    assert call("quota", "disable", "team", "--json").json()["state"] == "disabled"
    assert call("quota", "enable", "team", "--json").json()["state"] == "active"


def test_a_key_is_topped_up_through_the_quota_it_spends_from(relay: Path) -> None:
    done = call("key", "topup", "alice", "2.50", "--note", "cash")
    assert (done.code, done.out) == (0, "12.50\n")
    assert "for 1 key." in done.err
    assert call("quota", "credits", "team", "--json").json()[0]["note"] == "cash"
    assert call("key", "topup", "alice", "1", "--json").json()["left_usd"] == "13.50"
    assert call("key", "create", "bob", "--quota", "unlimited", "-q").code == 0
    refused = call("key", "topup", "bob", "1")
    assert (refused.code, refused.out) == (2, "")
    assert "laidian key edit bob --quota" in refused.err


def test_an_upstreams_credential_comes_from_a_pipe_a_variable_or_a_hidden_prompt_and_is_never_shown(
    relay: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = ["--kind", "openai", "--base-url", "http://127.0.0.1:1/v1"]
    piped = call("upstream", "add", "a", *base, "--api-key-stdin", "--json", stdin=f"{SECRET}\n")
    assert piped.json()["credentials"][0]["label"] == "key-1"
    monkeypatch.setenv("MY_KEY", SECRET)
    named = call("upstream", "create", "b", *base, "--api-key-env", "MY_KEY")
    assert named.code == 0
    code, seen = on_terminal(["upstream", "add", "c", *base], f"{SECRET}\n", LAIDIAN_DATA=str(relay))
    assert code == 0
    assert "API key (not shown)" in seen
    for text in (piped.out, piped.err, named.out, named.err, seen, call("upstream", "list", "--json").out):
        assert SECRET not in text
    fingerprints = {one["credentials"][0]["fingerprint"] for one in call("upstream", "list", "--json").json()}
    assert len(fingerprints) == 1, "three ways, one secret"


@pytest.mark.parametrize(
    ("options", "stdin", "says"),
    [
        ([], "", "--api-key-stdin"),
        (["--no-input"], "", "--api-key-stdin"),
        (["--api-key-stdin"], "  \n", "empty"),
        (["--api-key-stdin"], f"{SECRET}\nsomething else\n", "more than one word"),
        (["--api-key-env", "NOT_THERE"], "", "NOT_THERE"),
        (["--api-key-stdin", "--api-key-env", "X"], SECRET, "exclude"),
        (["--api-key-stdin", "--no-api-key"], SECRET, "contradicts"),
    ],
)
def test_a_missing_or_odd_credential_is_wrong_usage_and_is_not_repeated(
    relay: Path, options: list[str], stdin: str, says: str
) -> None:
    done = call("upstream", "add", "a", "--kind", "openai", *options, stdin=stdin)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert SECRET not in done.err
    assert call("upstream", "list", "--json").json() == []


def test_no_option_takes_a_secret() -> None:
    """What is on a command line is in `ps` and in the shell's history."""
    for verb in ("add", "add-key", "rotate-key"):
        help_text = call("upstream", verb, "--help").out
        assert "--api-key " not in help_text
        assert "--api-key-stdin" in help_text


def test_credentials_of_an_upstream_are_added_rotated_disabled_and_deleted(relay: Path) -> None:
    call("upstream", "add", "a", "--kind", "openai", "--api-key-stdin", "-q", stdin=SECRET)
    before = call("upstream", "show", "a", "--json").json()["credentials"][0]["fingerprint"]
    after = call(
        "upstream", "rotate-key", "a", "--api-key-stdin", "--json", stdin="sk-another-secret-9876543210"
    ).json()
    assert [one["fingerprint"] == before for one in after["credentials"]] == [False]
    two = call(
        "upstream", "add-key", "a", "--api-key-stdin", "--label", "spare", "--json", stdin=SECRET
    ).json()
    assert [one["label"] for one in two["credentials"]] == ["key-1", "spare"]
    done = call("upstream", "rotate-key", "a", "--api-key-stdin", stdin=SECRET)
    assert (done.code, "--label" in done.err) == (2, True)
    off = call("upstream", "disable-key", "a", "spare", "--json").json()
    assert [one["enabled"] for one in off["credentials"]] == [True, False]
    on = call("upstream", "enable-key", "a", "spare", "--json").json()
    assert [one["enabled"] for one in on["credentials"]] == [True, True]
    assert call("upstream", "delete-key", "a", "spare", "--yes").code == 0
    assert len(call("upstream", "show", "a", "--json").json()["credentials"]) == 1


def test_an_upstream_is_edited_and_deleted(relay: Path) -> None:
    call(
        "upstream",
        "add",
        "a",
        "--kind",
        "compatible",
        "--base-url",
        "http://127.0.0.1:1/v1",
        "--no-api-key",
        "-q",
    )
    edited = call(
        "upstream", "edit", "a", "--model", "my-*", "--alias", "best=my-1", "--priority", "5", "--weight", "3",
        "--max-concurrent", "7", "--idle-timeout", "30", "--json",
    ).json()  # fmt: skip
    assert (edited["models"], edited["aliases"], edited["priority"]) == (["my-*"], {"best": "my-1"}, 5)
    assert (edited["weight"], edited["max_concurrent"], edited["idle_timeout_s"]) == (3, 7, 30.0)
    assert (
        call("upstream", "edit", "a", "--max-concurrent", "none", "--json").json()["max_concurrent"] is None
    )
    assert call("upstream", "disable", "a", "--json").json()["state"] == "disabled"
    assert call("upstream", "enable", "a", "--json").json()["enabled"] is True
    assert call("upstream", "models", "a", "--json").code == 0
    assert call("upstream", "errors", "--json").json() == []
    assert call("upstream", "errors", "a", "--json").json() == []
    assert call("upstream", "reset", "--json").json() == {"reset": 0}
    assert call("upstream", "reset", "nobody").code == 1
    assert call("upstream", "delete", "a", "--yes").code == 0
    assert call("upstream", "list", "--json").json() == []


def test_a_probe_that_fails_is_data_and_exit_code_3(relay: Path) -> None:
    call(
        "upstream", "add", "dead", "--kind", "openai", "--base-url", "http://127.0.0.1:1/v1", "--api-key-stdin", "-q",
        stdin=SECRET,
    )  # fmt: skip
    done = call("upstream", "probe", "dead", "--json")
    assert done.code == 3
    (probe,) = done.json()
    assert (probe["ok"], probe["status"]) == (False, None)
    assert probe["reason"]
    assert SECRET not in done.out
    assert "failed" in call("upstream", "probes", "dead").out
    assert call("upstream", "probe").code == 2
    assert call("upstream", "probe", "dead", "--all").code == 2


def test_own_prices_are_set_listed_and_retired(relay: Path) -> None:
    done = call(
        "price", "set", "my-model", "--input", "1.25", "--cached-input", "0.1", "--output", "$10", "--rate", "input@flex=0.6",
        "--rate", "input>200000=2.5", "--source", "my contract", "--max-output-tokens", "4096", "--json",
    )  # fmt: skip
    price = done.json()
    rates = {
        (one["unit"], one["service_tier"], one["above_input_tokens"]): one["usd_per_million"]
        for one in price["rates"]
    }
    assert rates == {
        ("input", "default", 0): "1.25",
        ("cached_input", "default", 0): "0.10",
        ("output", "default", 0): "10.00",
        ("input", "flex", 0): "0.60",
        ("input", "default", 200_000): "2.50",
    }
    assert (price["origin"], price["source"], price["max_output_tokens"]) == ("operator", "my contract", 4096)
    assert [one["model"] for one in call("price", "list", "--json").json()] == ["my-model"]
    assert call("price", "show", "my-model", "--json").json()["price"]["model"] == "my-model"
    assert call("price", "retire", "my-model", "--yes", "--json").json()[0]["model"] == "my-model"
    gone = call("price", "show", "my-model")
    assert gone.code == 3
    assert "laidian price set" in gone.out
    assert call("price", "set", "my-model").code == 2


def use_an_older_book(relay: Path) -> None:
    """What an upgrade finds: the book that rules is not the one that is shipped."""
    book = json.loads(price_book_bytes())
    book["source"] = "genai-prices 0.2.2"
    book["entries"] = book["entries"][1:]
    with contextlib.closing(sqlite3.connect(relay / "laidian.db")) as database, database:
        database.execute(
            "UPDATE price_books SET source = ?, data = ?", (book["source"], json.dumps(book).encode())
        )


def test_a_price_book_is_adopted_only_after_a_look_or_a_yes(relay: Path) -> None:
    assert call("price", "book", "--json").json()["differs"] is False
    use_an_older_book(relay)
    assert call("price", "book", "--json").json()["differs"] is True
    assert call("price", "diff", "--json").json()["changes"]
    for more in ([], ["--no-input"]):
        assert call("price", "adopt", *more).code == 2
    assert call("price", "adopt", "--yes", "--json").json()["differs"] is False
    assert call("price", "diff").out == ""
    code, seen = on_terminal(["price", "adopt"], LAIDIAN_DATA=str(relay))
    assert code == 0
    assert "in use already" in seen


def test_lists_are_arrays_of_the_apis_fields_and_csv_has_the_same(relay: Path) -> None:
    call("upstream", "add", "a", "--kind", "openai", "--no-api-key", "-q")
    for noun, kind in (("key", Key), ("group", Group), ("quota", Quota), ("upstream", Upstream)):
        items = call(noun, "list", "--json").json()
        assert items
        assert all(tuple(item) == kind.__struct_fields__ for item in items)
        rows = list(csv.reader(io.StringIO(call(noun, "list", "--csv").out)))
        assert tuple(rows[0]) == kind.__struct_fields__
        assert len(rows) == len(items) + 1


def test_fields_choose_and_order_in_every_form(relay: Path) -> None:
    assert call("key", "list", "--json", "--fields", "group,name").json() == [
        {"group": "default", "name": "alice"}
    ]
    assert call("key", "list", "--csv", "--fields", "group,name").out == "group,name\ndefault,alice\n"
    assert call("key", "list", "--fields", "group,name").out == "group    name\ndefault  alice\n"
    assert call("key", "show", "alice", "--fields", "name").out == "name  alice\n"
    assert call("key", "show", "alice", "--json", "--fields", "name").json() == {"name": "alice"}


def test_options_before_the_command_mean_the_same_and_those_after_it_win(relay: Path, tmp_path: Path) -> None:
    assert call("--json", "key", "list").out == call("key", "list", "--json").out
    assert call("--data", str(tmp_path / "nowhere"), "key", "list").code == 1
    assert call("--data", str(tmp_path / "nowhere"), "key", "list", "--data", str(relay), "--json").code == 0


def test_an_empty_list_is_empty_data_and_a_hint_on_stderr(relay: Path) -> None:
    assert call("upstream", "list", "--json").out == "[]\n"
    assert call("upstream", "list", "--csv").out.startswith("name,kind,")
    table = call("upstream", "list")
    assert (table.code, table.out) == (0, "")
    assert "laidian upstream add" in table.err


def test_colour_only_on_a_terminal_that_may_have_it(relay: Path) -> None:
    variables = {"LAIDIAN_DATA": str(relay)}
    assert "\x1b" not in call("key", "list").out
    assert "\x1b[32mactive" in on_terminal(["key", "list"], **variables)[1]
    assert "\x1b" not in on_terminal(["key", "list", "--no-color"], **variables)[1]
    assert "\x1b" not in on_terminal(["key", "list"], NO_COLOR="1", **variables)[1]


def test_a_table_fits_the_terminal_and_is_whole_in_a_pipe(
    relay: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "a-rather-long-name-for-a-key-" * 2
    assert call("key", "create", name, "-q").code == 0
    assert name in call("key", "list").out
    monkeypatch.setenv("COLUMNS", "60")
    narrow = call("key", "list").out
    assert all(len(line) <= 60 for line in narrow.splitlines())
    assert "…" in narrow
    assert name not in narrow


def test_a_name_with_a_slash_a_space_or_dots_is_one_name(relay: Path) -> None:
    for name in ("team/a b", "x%2Fy", "小王"):
        made = call("quota", "create", name, "--unlimited", "--json")
        if made.code == 0:
            assert call("quota", "show", name, "--json").json()["name"] == name
        else:
            assert made.code == 2, made
    for path in (".", "..", "", " "):
        assert call("quota", "show", path).code in (1, 2), path
