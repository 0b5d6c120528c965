"""The entry point as a process: what it imports, what it says, how it ends."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from laidian import __version__
from laidian.cli.root import COMMANDS
from tests.cli.running import PYTHON, call, environment, on_terminal, spawn
from tests.program import program

HEAVY = (
    "litestar",
    "granian",
    "textual",
    "httpx2",
    "sqlite_utils",
    "cryptography",
    "sqlite3",
    "prometheus_client",
)


def imported(*arguments: str) -> set[str]:
    """Top-level packages that a command left behind."""
    script = (
        "import sys\nfrom laidian.cli import main\n"
        "code = main(sys.argv[1:])\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)\nsys.exit(code)"
    )
    done = subprocess.run(
        [PYTHON, "-c", script, *arguments],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["key", "create", "--help"], ["help", "exit-codes"]]
)
def test_help_and_version_import_nothing_heavy(arguments: list[str]) -> None:
    found = imported(*arguments)
    assert "click" in found
    assert found.isdisjoint(HEAVY)


def test_help_names_every_command_and_is_all_on_stdout() -> None:
    done = spawn("--help")
    assert (done.code, done.err) == (0, "")
    assert all(f" {name} " in done.out for name in COMMANDS)
    assert spawn().out == done.out, "in a pipe, `laidian` alone is the help"


def test_every_command_has_help_with_a_sentence() -> None:
    for name in COMMANDS:
        done = call(name, "-h")
        assert done.code == 0, name
        sentence = done.out.split("\n\n")[0] if done.out.strip() else ""
        assert "Usage: laidian" in done.out, sentence
        assert done.err == ""


def test_the_version_is_the_packages() -> None:
    assert spawn("--version").out == f"laidian {__version__}\n"
    assert spawn("version", "--json").json()["version"] == __version__
    assert call("version").out.splitlines()[0] == f"laidian   {__version__}"


def test_alone_on_a_terminal_it_says_where_things_stand_and_what_comes_next(data: Path) -> None:
    code, seen = on_terminal([], LAIDIAN_DATA=str(data))
    assert code == 0
    assert "not serving" in seen
    assert "nothing there yet" in seen
    assert "laidian serve" in seen
    assert "laidian key create NAME" in seen
    assert "Usage" not in seen
    assert not data.exists(), "looking made a data folder"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["kye"], "Did you mean 'key'?"),
        (["key", "lst"], "Did you mean 'list'?"),
        (["key", "list", "--jsn"], "--json"),
        (["key", "create"], "missing argument 'NAME'"),
        (["key", "list", "--fields", "nmae"], "Did you mean name?"),
        (["key", "list", "--fields", ","], "it names no field"),
        (["key", "list", "--json", "--csv"], "exclude each other"),
        (["key", "list", "--server", "http://127.0.0.1:1", "--data", "x"], "exclude each other"),
        (["serve", "--port", "70000"], "70000"),
        (["help", "nothing"], "there is no topic or command `nothing`"),
        (["completion", "tcsh"], "'tcsh'"),
        (["upstream", "add", "x", "--kind", "azure"], "'azure'"),
        (["key", "list", "--timeout", "0"], "0"),
    ],
)
def test_wrong_usage_ends_with_2_one_sentence_and_no_data(
    arguments: list[str], says: str, relay: Path
) -> None:
    done = call(*arguments)
    assert (done.code, done.out) == (2, "")
    first, second = done.err.splitlines()
    assert first.startswith("error: ")
    assert says in first
    assert second.startswith("See: laidian ")
    assert second.endswith("--help")


def test_help_topics_say_what_the_code_does() -> None:
    codes = call("help", "exit-codes").out
    for code in ("0", "1", "2", "3", "4", "5", "6", "7", "70", "130"):
        assert any(line.split()[:1] == [code] for line in codes.splitlines())
    variables = call("help", "environment").out
    for name in ("LAIDIAN_DATA", "LAIDIAN_CONFIG", "LAIDIAN_SERVER", "LAIDIAN_ADMIN_TOKEN", "NO_COLOR"):
        assert name in variables
    assert "--json" in call("help", "formatting").out
    assert call("help", "key", "create").out == call("key", "create", "--help").out
    assert call("help").out == call("--help").out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_the_shells_script(shell: str) -> None:
    done = call("completion", shell)
    assert (done.code, done.err) == (0, "")
    assert "_LAIDIAN_COMPLETE" in done.out


def test_the_shell_hears_verbs_when_it_asks_for_completions() -> None:
    done = spawn(_LAIDIAN_COMPLETE="bash_complete", COMP_WORDS="laidian key ", COMP_CWORD="2")
    assert "plain,create" in done.out
    assert "plain,rotate" in done.out
    assert "--csv" not in done.out


def test_a_reader_that_leaves_early_is_no_error(relay: Path) -> None:
    command = f"{shlex.join(program('help', 'formatting'))}; echo code $? >&2"
    done = subprocess.run(
        ["/bin/bash", "-c", f"( {command} ) | true"],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
    assert "code 0" in done.stderr
