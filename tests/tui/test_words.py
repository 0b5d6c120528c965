"""Both catalogues say the same things, and fit where they are drawn."""

from __future__ import annotations

import string
from typing import Annotated, get_args, get_origin, get_type_hints

import msgspec
import pytest
from rich.cells import cell_len

from laidian.cli.commands.tui import SCREENS
from tui.tops import TOPS
from tui.words import CATALOGUES, CHINESE, ENGLISH, Words, language_of
from tui.words.section import Cells

SECTIONS = list(Words.__struct_fields__)


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_is_whole_in_both_languages_and_fills_the_same_places(section: str) -> None:
    english, chinese = getattr(ENGLISH, section), getattr(CHINESE, section)
    assert type(english) is type(chinese)
    for name in english.__struct_fields__:
        ours, theirs = getattr(english, name), getattr(chinese, name)
        assert ours, name
        assert theirs, name
        assert places(ours) == places(theirs), name


@pytest.mark.parametrize("language", CATALOGUES)
@pytest.mark.parametrize("section", SECTIONS)
def test_labels_fit_the_cells_they_are_drawn_in(section: str, language: str) -> None:
    texts: msgspec.Struct = getattr(CATALOGUES[language], section)  # pyright: ignore[reportArgumentType]
    for name, hint in get_type_hints(type(texts), include_extras=True).items():
        if get_origin(hint) is Annotated:
            (limit,) = [one for one in get_args(hint) if isinstance(one, Cells)]
            assert cell_len(getattr(texts, name)) <= limit.most, f"{section}.{name}: {getattr(texts, name)}"


@pytest.mark.parametrize("language", CATALOGUES)
def test_ten_tabs_fit_eighty_columns(language: str) -> None:
    words = CATALOGUES[language].frame  # pyright: ignore[reportArgumentType]
    line = " ".join(f"{top.key} {getattr(words, f'tab_{top.name}')}" for top in TOPS)
    assert cell_len(line) <= 80


def test_the_command_line_knows_every_tab() -> None:
    assert [top.name for top in TOPS] == list(SCREENS)


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LAIDIAN_LANG": "zh", "LC_ALL": "en_US.UTF-8"}, "zh"),
    ],
)
def test_the_language_is_the_environments(variables: dict[str, str], language: str) -> None:
    assert language_of(variables) == language
