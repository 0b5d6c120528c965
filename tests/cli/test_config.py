from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec
import pytest

from laidian.config import Config
from tests.cli.running import call

FILE = """
[server]
port = 9000

[[upstream]]
name = "openai"
kind = "openai"
api_key = "sk-in-the-file-secret"
proxy = "socks5://user:proxysecret@127.0.0.1:1080"
aliases = { "a \\"quoted\\" name" = "x\\u007fy" }
models = ["gpt-*", "o*"]

[[price]]
model = "my-model"
rates = { input = "1.25", "input@flex" = "0.6" }
"""


def test_path_is_the_option_the_variable_or_the_data_folder(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call("config", "path").out == f"{data / 'config.toml'}\n"
    assert "does not exist" in call("config", "path").err
    monkeypatch.setenv("LAIDIAN_CONFIG", str(tmp_path / "named.toml"))
    assert call("config", "path", "--json").json() == {"path": str(tmp_path / "named.toml"), "exists": False}
    assert call("config", "path", "--config", "/x/y.toml").out == "/x/y.toml\n"
    assert not data.exists()


def test_show_is_toml_that_says_the_same_and_hides_credentials(tmp_path: Path) -> None:
    file = tmp_path / "given.toml"
    file.write_text(FILE)
    shown = call("config", "show", "--config", str(file))
    assert (shown.code, shown.err) == (0, "")
    again = msgspec.convert(tomllib.loads(shown.out), Config)
    (upstream,) = again.upstream
    assert again.server.port == 9000
    assert upstream.aliases == {'a "quoted" name': "x\x7fy"}
    assert upstream.models == ("gpt-*", "o*")
    assert upstream.proxy == "socks5://…@127.0.0.1:1080"
    assert again.price[0].rates == {"input": "1.25", "input@flex": "0.6"}
    for text in (shown.out, call("config", "--json", "--config", str(file)).out):
        assert "sk-in-the-file-secret" not in text
        assert "proxysecret" not in text


def test_show_without_a_file_is_the_defaults() -> None:
    assert msgspec.convert(tomllib.loads(call("config").out), Config) == Config()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[server]\nprot = 1\n", "`port`"),
        ("[server]\nport = 'x'\n", "port"),
        ("[server\n", "not valid TOML"),
    ],
)
def test_check_names_file_and_key_and_ends_with_3(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "given.toml"
    file.write_text(text)
    done = call("config", "check", "--config", str(file), "--json")
    assert done.code == 3
    assert done.json()["ok"] is False
    assert says in done.json()["message"]
    assert str(file) in done.json()["message"]
    assert call("config", "show", "--config", str(file)).code == 1


def test_check_is_content_with_a_good_file_and_with_none(tmp_path: Path) -> None:
    assert call("config", "check").code == 0
    (tmp_path / "given.toml").write_text(FILE)
    assert call("config", "check", "--config", str(tmp_path / "given.toml"), "--json").json()["ok"] is True
    assert call("config", "check", "--config", str(tmp_path / "missing.toml")).code == 3
