from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.running import OURS, Serving, call, demo


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A test's data folder is its own, whatever the machine's variables say."""
    for name in list(os.environ):
        if name.startswith(OURS) or name in ("NO_COLOR", "COLUMNS"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LAIDIAN_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Where LAIDIAN_DATA points: not there yet."""
    return tmp_path / "data"


@pytest.fixture
def relay(data: Path) -> Path:
    """A data folder with a group, a quota and a key, and no server."""
    assert call("quota", "create", "team", "--balance", "10", "-q").code == 0
    assert call("key", "create", "alice", "--quota", "team", "-q").code == 0
    return data


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A running demo, shared by the tests of one file."""
    with demo(tmp_path_factory.mktemp("demo") / "data") as serving:
        yield serving
