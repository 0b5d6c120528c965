"""`laidian snippet` on a running demo and on a folder that nobody serves."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from laidian.admin.schema import Snippet
from tests.cli.running import Serving, call, environment

ODD = "not-a-key"


def test_alone_it_lists_the_clients(relay: Path) -> None:
    listed = call("snippet", "--json").json()
    assert {"curl", "codex", "claude-code", "cc-switch", "env"} < {one["client"] for one in listed}
    assert all(tuple(one) == Snippet.__struct_fields__ for one in listed)
    table = call("snippet")
    assert "Claude Code" in table.out
    assert "{key}" not in table.out


def test_a_client_is_printed_alone_with_a_stand_in_for_the_key(relay: Path) -> None:
    done = call("snippet", "python")
    assert done.code == 0
    assert done.out.startswith("from openai import OpenAI\n")
    assert 'api_key="sk-your-api-key"' in done.out
    assert "tested with openai" in done.err
    assert "put one in the place of your-model" in done.err, "the folder has no upstream"
    assert call("snippet", "Python", "-q").err == ""


def test_several_texts_are_told_apart_by_comments(relay: Path) -> None:
    out = call("snippet", "codex").out
    assert out.startswith("# ~/.codex/config.toml\n")
    assert "\n\n# shell\nexport LAIDIAN_API_KEY=" in out


@pytest.mark.parametrize("way", ["stdin", "env"])
def test_the_key_is_filled_in_from_a_pipe_or_a_variable(
    relay: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    call("group", "create", "chatters", "--capability", "chat", "-q")
    secret = call("key", "create", "bob", "--group", "chatters", "-q").out.strip()
    monkeypatch.setenv("MY_KEY", secret)
    options = ["--key-stdin"] if way == "stdin" else ["--key-env", "MY_KEY"]
    done = call("snippet", "curl", *options, stdin=f"{secret}\n")
    assert f"Bearer {secret}" in done.out
    assert secret not in done.err
    assert {one["client"] for one in call("snippet", "--json", *options, stdin=secret).json()} == {
        one["client"] for one in call("snippet", "--json", "--key", "bob").json()
    }, "the clients are those of the key's group"
    assert secret not in call("snippet", "curl", "--key", "bob").out


@pytest.mark.parametrize(
    ("options", "stdin", "code", "says"),
    [
        (["--key-stdin"], ODD, 2, "no key of LaiDian"),
        (["--key-stdin"], "", 2, "no key of LaiDian"),
        (["--key-env", "NOT_THERE"], "", 2, "NOT_THERE is not set"),
        (["--key-stdin", "--key-env", "X"], ODD, 2, "exclude"),
        (["--key", "alice", "--group", "default"], "", 2, "exclude"),
        (["--key-stdin"], "sk-" + "a" * 43, 1, "has no key sk-aaaa…aaaa"),
        (["--key", "sk-" + "a" * 43], "", 2, "others could see"),
        (["--key", "nobody"], "", 1, "nobody"),
        (["--group", "nobody"], "", 1, "nobody"),
        (["--model", "no-such-model"], "", 1, "no-such-model"),
    ],
)
def test_what_cannot_be_is_refused_without_repeating_it(
    relay: Path, options: list[str], stdin: str, code: int, says: str
) -> None:
    done = call("snippet", "curl", *options, stdin=stdin)
    assert (done.code, done.out) == (code, "")
    assert says in done.err
    assert ODD not in done.err
    assert "a" * 43 not in done.err


def test_an_unknown_client_is_answered_with_the_nearest(relay: Path) -> None:
    done = call("snippet", "claude")
    assert (done.code, done.out) == (1, "")
    assert "Did you mean claude-code?" in done.err
    assert "There are: curl" in call("snippet", "zzz").err


def test_what_it_prints_for_curl_runs_as_it_is(served: Serving) -> None:
    """`laidian key create … | laidian snippet curl --key-stdin | sh`, with the demo's models."""
    data = ("--data", str(served.data))
    secret = call("key", "create", "piped", "-q", *data).out
    text = call("snippet", "curl", "--key-stdin", "--fields", "parts", "--json", *data, stdin=secret).json()
    chat, image = (part["text"] for part in text[0]["parts"])
    for script, expected in ((chat, '"choices"'), (image, '"b64_json"')):
        done = subprocess.run(
            ["sh"], input=script, capture_output=True, text=True, timeout=60, env=environment()
        )
        assert expected in done.stdout, done.stdout + done.stderr
