"""config.example.toml says everything that the configuration knows, and nothing else."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from laidian.config import Config, GroupEntry, PriceEntry, UpstreamEntry, load_config

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"
ENTRIES: dict[str, type[msgspec.Struct]] = {
    "upstream": UpstreamEntry,
    "group": GroupEntry,
    "price": PriceEntry,
}
SECTIONS = [name for name in Config.__struct_fields__ if name not in ENTRIES]


def written() -> dict[str, dict[str, Any]]:
    """The file with its commented-out settings switched on, entries as their first one."""
    text = re.sub(r"(?m)^# (\w+ = )", r"\1", EXAMPLE.read_text())
    found = tomllib.loads(text)
    return {name: value[0] if isinstance(value, list) else value for name, value in found.items()}


def test_the_example_is_a_configuration_that_loads(tmp_path: Path) -> None:
    config = load_config(str(EXAMPLE), {}, tmp_path)
    assert config.server == Config().server
    switched_on = tmp_path / "config.toml"
    switched_on.write_text(re.sub(r"(?m)^# (\w+ = )", r"\1", EXAMPLE.read_text()))
    assert load_config(None, {}, tmp_path).group[0].requests_per_minute == 60


@pytest.mark.parametrize("section", SECTIONS)
def test_every_setting_is_in_the_example_with_its_default(section: str) -> None:
    kind = type(getattr(Config(), section))
    assert list(written()[section]) == list(kind.__struct_fields__)
    assert msgspec.convert(written()[section], kind) == kind()


@pytest.mark.parametrize("name", list(ENTRIES))
def test_every_field_of_an_entry_is_in_the_example_with_its_default(name: str) -> None:
    kind = ENTRIES[name]
    shown = written()[name]
    assert set(shown) == set(kind.__struct_fields__)
    entry = msgspec.convert(tomllib.loads(EXAMPLE.read_text())[name][0], kind)
    for field in msgspec.structs.fields(kind):
        if not field.required:
            default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()  # pyright: ignore[reportCallIssue]
            assert getattr(entry, field.name) == default, field.name


def test_nothing_is_in_the_example_that_the_configuration_does_not_know() -> None:
    assert set(written()) == set(Config.__struct_fields__)


def test_every_setting_is_explained() -> None:
    lines = EXAMPLE.read_text().splitlines()
    unexplained = {"api_key_file", "api_key", "port", "first_byte_timeout_s", "idle_timeout_s", "source_date",
                   "tokens_per_minute", "concurrent_requests", "name", "status", "incident"}  # fmt: skip
    for number, line in enumerate(lines):
        match = re.match(r"(?:# )?(\w+) = ", line)
        if match and match[1] not in unexplained:
            assert lines[number - 1].startswith("#"), line
