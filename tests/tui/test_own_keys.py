"""Keys that the operator wants otherwise: they work, every place that names a key says so, and what cannot be is a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from laidian.cli.call import Call
from laidian.cli.commands.tui import own_keys
from laidian.config import ConfigProblem
from tests.cli.running import call
from tests.tui.conftest import Console
from tests.tui.screens import shown
from tui.form import Form
from tui.keys import WrongKeys, checked, known
from tui.words import CHINESE, ENGLISH, described

WANTED = {"keys.new": "c", "frame.help": "f1", "frame.go_groups": "ctrl+g", "table.filter": "f5,/"}


async def test_a_key_of_ones_own_works_and_is_what_last_line_help_palette_and_tabs_show(
    console: Console,
) -> None:
    async with shown(console.connect, first="keys", keys=checked(WANTED)) as seen:
        await seen.until(lambda: seen.here.table.total == 3)
        last = seen.text.splitlines()[-1]
        assert " c New" in last
        assert " n " not in last
        assert " f1 Help" in last
        assert " ^g Groups" in seen.text.splitlines()[1]
        await seen.press("n", "question_mark")
        assert len(seen.app.screen_stack) == 1, "the usual ones are gone"
        await seen.press("f1")
        assert " c " in next(line for line in seen.here._lines.text.splitlines() if "New" in line)
        await seen.press("escape", "colon", *"new")
        await seen.until(lambda: seen.here._list.row is not None and seen.here._list.row.label == "New")
        assert seen.here._list.row.key == "c"
        await seen.press("escape", "c")
        await seen.until(lambda: isinstance(seen.here, Form))
        await seen.press(*"cc")
        assert seen.here.values["name"] == "cc", "in a form it is a letter"
        await seen.press("escape")
        for key in ("f5", "slash"):
            await seen.press(key, *"c")
            assert seen.here.table.filter == "c", "and in a filter"
            await seen.press("escape")
        await seen.press("ctrl+g")
        await seen.until(lambda: seen.app.current_mode == "groups")


async def test_two_keys_may_change_places(console: Console) -> None:
    async with shown(
        console.connect, first="keys", keys=checked({"keys.new": "e", "keys.edit": "n"})
    ) as seen:
        await seen.until(lambda: seen.here.table.total == 3)
        for key, title in (("e", ENGLISH.keys.new_title), ("n", "Key alice-mac")):
            assert seen.here.table.point("alice-mac")
            await seen.press(key)
            await seen.until(lambda: isinstance(seen.here, Form))
            assert title in seen.text
            await seen.press("escape")


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"key.new": "c"}, "Did you mean keys.new?"),
        ({"xyzzy": "c"}, "laidian tui --keys"),
        ({"keys.new": ""}, "keys.new needs a key"),
        ({"keys.new": "c,"}, "keys.new needs a key"),
        ({"keys.new": "ctrl-n"}, "Did you mean ctrl+n?"),
        ({"keys.new": "ctrl+c"}, "keys.new cannot have ctrl+c"),
        (
            {"live.cancel": "p"},
            '"p" would do 2 things on the same screen (Live): live.cancel and live.pause.',
        ),
        ({"frame.theme": "d"}, "frame.theme and"),
        ({"keys.new": "?"}, '"?" would do 2 things on the same screen (Keys): frame.help and keys.new.'),
        ({"keys.new": "z", "keys.edit": "z"}, "keys.edit and keys.new"),
    ],
)
def test_what_cannot_be_is_a_sentence(wanted: dict[str, str], sentence: str) -> None:
    with pytest.raises(WrongKeys) as wrong:
        checked(wanted)
    assert sentence in str(wrong.value)


def test_nothing_wished_for_is_nothing_changed_and_every_name_is_described() -> None:
    assert checked({}) == {}
    names = [name for name, _, _ in known()]
    assert len(names) == len(set(names)) > 80
    for name in names:
        assert described(ENGLISH, name)
        assert described(CHINESE, name)
    assert checked({name: keys for name, keys, _ in known()}), "their own keys do"


def test_the_map_is_read_from_the_configuration_of_this_machine(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[tui.keys]\n"keys.new" = "c"\n')
    assert own_keys(Call(config=str(file)), None) == {"keys.new": "c"}
    assert own_keys(Call(data=str(tmp_path)), None) == {"keys.new": "c"}
    assert own_keys(Call(data=str(tmp_path / "none")), None) == {}
    file.write_text('[tui.keys]\n"keys.now" = "c"\n')
    with pytest.raises(ConfigProblem, match=r"\[tui.keys\].*keys.now.*Did you mean keys.new"):
        own_keys(Call(config=str(file)), None)
    file.write_text("[tui]\nkey = {}\n")
    with pytest.raises(ConfigProblem, match="Did you mean `keys`"):
        own_keys(Call(config=str(file)), None)


def test_the_names_are_listed_without_a_server() -> None:
    listed = call("tui", "--keys")
    assert listed.code == 0
    assert "keys.new" in listed.out
    assert "question_mark" not in listed.out, "keys as they are on the keyboard"
