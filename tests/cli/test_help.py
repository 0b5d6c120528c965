"""Every command explains itself: one sentence, an example that is true, its options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click
import pytest

from laidian.cli.call import ListCommand, Noun
from laidian.cli.root import root
from tests.cli.running import call


def commands(context: click.Context | None = None) -> Iterator[tuple[str, click.Command]]:
    """All of them with their path, `laidian key create`; nouns too."""
    context = context or root.make_context("laidian", [], resilient_parsing=True)
    assert isinstance(context.command, click.Group)
    for name in context.command.list_commands(context):
        command = context.command.get_command(context, name)
        assert command is not None
        below = click.Context(command, parent=context, info_name=name)
        yield below.command_path, command
        if isinstance(command, click.Group):
            yield from commands(below)


EVERY = dict(commands())


def examples(command: click.Command) -> list[str]:
    """The lines of a block that is kept as it is."""
    _, _, block = (command.help or "").partition("\b\n")
    return [line for line in block.split("\n\n")[0].splitlines() if "laidian " in line]


@pytest.mark.parametrize("path", EVERY)
def test_every_command_has_a_sentence_and_an_example_before_its_options(path: str) -> None:
    command = EVERY[path]
    sentence = (command.help or "").split("\n\n")[0].replace("\n", " ").strip()
    assert re.match(r"[A-Z].*[.:]", sentence), sentence
    shown = examples(command)
    assert any(path in line for line in shown), f"no example of `{path}`"
    text = call(*path.split()[1:], "--help").out
    assert text.index(shown[0].strip()) < text.index("Options")


@pytest.mark.parametrize("path", EVERY)
def test_every_example_names_commands_and_options_that_exist(path: str) -> None:
    for line in examples(EVERY[path]):
        command_line = re.search(r"(?:^|\(|\| )(laidian [^|<>)]*)", line.strip().partition("   ")[0])
        assert command_line, line
        words = shlex.split(command_line[1], comments=True)[1:]
        context, command = root.make_context("laidian", [], resilient_parsing=True), root
        while isinstance(command, click.Group) and words and not words[0].startswith("-"):
            found = command.get_command(context, words.pop(0))
            assert found is not None, line
            context, command = click.Context(found, parent=context), found
        if isinstance(command, Noun):
            command = command.get_command(context, command.alone)
            assert command is not None
        known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
        assert {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)} <= known, line


def test_every_listing_has_json_csv_and_fields() -> None:
    lists = [
        path for path, command in EVERY.items() if path.endswith((" list", " profiles", " models", " live"))
    ]
    assert len(lists) >= 9
    for path in lists:
        options = {name for one in EVERY[path].params for name in one.opts}
        assert {"--json", "--csv", "--fields", "-q"} <= options, path


def test_everything_that_changes_or_asks_can_be_told_not_to_ask() -> None:
    for path, command in EVERY.items():
        if path.endswith((" delete", " rotate", " restore", " end")):
            options = {name for one in command.params for name in one.opts}
            assert {"--yes", "--no-input"} <= options, path


def test_every_noun_does_something_alone() -> None:
    for path, command in EVERY.items():
        if isinstance(command, Noun):
            assert command.alone in command.commands, path
            assert "Alone: `" in (command.help or ""), path


def test_a_listing_of_the_api_is_a_list_command() -> None:
    for path in (path for path in EVERY if path.endswith(" list")):
        assert isinstance(EVERY[path], ListCommand), path
