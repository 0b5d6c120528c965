"""One archive for all tests of a run, and an empty home to start it in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.packaging.one_file import build


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("dist") / "laidian.pyz")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home folder: no cache, no configuration."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder
