"""The picture that the README opens with is one of today's dashboard, and asks no other server for anything."""

from __future__ import annotations

import html
import re

import pytest

from scripts.picture_of_dashboard import PLACE, picture
from tests.program import ROOT

MOST = 100_000
"""Bytes."""


def lines(svg: str) -> list[str]:
    """What it says, line by line; each line is a row of texts with the same y."""
    rows: dict[float, list[tuple[float, str]]] = {}
    for x, y, text in re.findall(r'<text[^>]* x="([\d.]+)" y="([\d.]+)"[^>]*>(.*?)</text>', svg):
        rows.setdefault(float(y), []).append((float(x), html.unescape(text).replace("\xa0", " ")))
    return ["".join(text for _, text in sorted(row)) for _, row in sorted(rows.items())]


@pytest.fixture(scope="module")
def kept() -> str:
    return PLACE.read_text()


def test_the_readme_opens_with_it(kept: str) -> None:
    readme = (ROOT / "README.md").read_text()
    assert "tui/picture.svg" in readme.partition("\n## ")[0]
    assert len(kept.encode()) < MOST


def test_it_asks_no_other_server(kept: str) -> None:
    addresses = set(re.findall(r"https?://[^\s\"'<)]+", kept))
    assert all("127.0.0.1" in one or "w3.org" in one or "textualize.io" in one for one in addresses), (
        addresses
    )
    assert "url(http" not in kept
    assert "@font-face" not in kept


def test_what_it_shows_is_what_the_script_draws_today(kept: str) -> None:
    """Figures and times are others at every drawing; tabs, titles and keys are not."""

    def steady(svg: str) -> list[str]:
        shown = lines(svg)
        titles = re.findall(r"╭─ ([A-Za-z ]+)", "\n".join(shown))
        tabs = [line for line in shown if "1 Dash" in line]
        keys = [line for line in shown if "? Help" in line]
        assert titles, shown
        assert tabs, shown
        assert keys, shown
        return [*(title.strip() for title in titles), *(line.strip() for line in (*tabs, *keys))]

    assert steady(kept) == steady(picture()), "draw it anew: scripts/picture"
