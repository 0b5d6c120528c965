"""The README is a promise: what it names exists, and what exists and matters to its reader is named."""

from __future__ import annotations

import inspect
import re
import shlex
from pathlib import Path

import click
import pytest

from laidian import errors
from laidian.cli.root import root as command_line
from laidian.relay import journal

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def shell_lines() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line.split("  #")[0].strip() for line in lines if line.strip()]


COMMANDS = [line for line in shell_lines() if line.startswith("laidian ")]


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_in_it_exists_with_its_options(line: str):
    words = shlex.split(line)[1:]
    command: click.Command = command_line
    context = click.Context(command)
    while words and isinstance(command, click.Group) and not words[0].startswith("-"):
        found = command.get_command(context, words[0])
        assert found is not None, f"`laidian {words[0]}` does not exist"
        command, words = found, words[1:]
    known = {option for parameter in command.params for option in parameter.opts}
    for word in words:
        assert not word.startswith("--") or word.split("=")[0] in known, f"{word} is no option of it"


def test_it_shows_commands_at_all():
    assert len(COMMANDS) >= 8


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"\b(?:scripts/[\w.]+|config\.example\.toml)\b", README)))
)
def test_every_file_in_it_exists(path: str):
    assert (ROOT / path).exists()


def codes() -> list[str]:
    kinds = [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.LaidianError)
    ]
    return sorted({kind.code for kind in kinds})


@pytest.mark.parametrize("code", codes())
def test_every_error_code_is_in_it(code: str):
    assert f"`{code}`" in README


def test_every_metric_is_in_it():
    names = [
        metric._name  # pyright: ignore[reportPrivateUsage]
        for metric in vars(journal).values()
        if hasattr(metric, "_name") and hasattr(metric, "describe")
    ]
    assert len(names) >= 6
    for name in names:
        assert name in README


def test_the_two_commands_come_first():
    first = shell_lines()[:2]
    assert [line.split()[0] for line in first] == ["scripts/serve", "scripts/test"]
    assert "scripts/test" in (ROOT / ".ci" / "run").read_text()
