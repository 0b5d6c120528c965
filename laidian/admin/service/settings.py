"""The configuration that runs, as a screen shows it: every setting with its value, none with a secret."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from laidian.admin.schema import Setting, Settings
from laidian.config import Config

_PROVISIONED = frozenset({"upstream", "group", "price"})
"""Lists in the file that are rows of the database, shown on screens of their own; upstreams' have secrets."""


def settings(config: Config, file: Path | None, data: Path) -> Settings:
    """Sections in the order of the file."""
    return Settings(file="" if file is None else str(file), data=str(data), settings=tuple(_settings(config)))


def _settings(config: Config) -> Iterator[Setting]:
    usual = Config()
    for section in config.__struct_fields__:
        if section in _PROVISIONED:
            continue
        here, there = getattr(config, section), getattr(usual, section)
        for name in here.__struct_fields__:
            value = getattr(here, name)
            yield Setting(
                name=f"{section}.{name}", value=_spelled(value), changed=value != getattr(there, name)
            )


def _spelled(value: object) -> str:
    """As TOML has it, which for all types but a table is as JSON has it."""
    if isinstance(value, dict):
        pairs: dict[str, object] = value  # pyright: ignore[reportUnknownVariableType]
        return "{" + ", ".join(f"{_spelled(name)} = {_spelled(one)}" for name, one in pairs.items()) + "}"
    return msgspec.json.encode(value).decode()
