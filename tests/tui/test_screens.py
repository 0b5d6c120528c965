"""Pictures of every tab, in both languages and in ASCII, at three sizes."""

from __future__ import annotations

import pytest

from tests.tui.conftest import Console
from tests.tui.screens import Shown, assert_screen
from tui.tops import TOPS

OTHERS = [top for top in TOPS if top.name not in ("dashboard", "doctor")]
"""The dashboard's figures move with the minute and the doctor's findings with the machine; their pictures are in tests of their own."""


@pytest.mark.parametrize("top", OTHERS, ids=[top.name for top in OTHERS])
async def test_picture_of_a_tab(console: Console, top: object) -> None:
    async def drive(seen: Shown) -> None:
        await seen.settled()

    await assert_screen(top.name, console.connect, keys=(top.key,), drive=drive)  # pyright: ignore[reportAttributeAccessIssue]
