from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.admin.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A database after its first start, without upstreams."""
    desk = Desk(tmp_path)
    desk.start()
    yield desk
    desk.close()
