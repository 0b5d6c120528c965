"""`/status/badge.svg`: how it stands as a small picture for other people's pages, drawn from the same monitors as `/status`.

Colours are attributes, since the policy of this host lets no inline style through where the picture is opened by itself.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Literal

from laidian.pages.html import Html, clean, h
from laidian.pages.status import HEADLINE_STATES, Monitor, headline, percent
from laidian.pages.uptime import DAYS
from laidian.pages.words import Words

Shown = Literal["state", "uptime"]
COLOURS = {"up": "#1b7a38", "part": "#8f5a00", "resting": "#8f5a00", "down": "#c2202b", "none": "#66666b"}
"""By state; white on each is readable (4.5:1 and more)."""
GROUND = "#3d3d42"
GOOD, FAIR = 0.99, 0.95
"""Shares of uptime that are still green, and still amber."""
LONGEST = 48
"""Marks of a label."""


def badge(words: Words, brand: str, monitors: Sequence[Monitor], name: str, shown: Shown) -> Html | None:
    """Of everything, or of the model or upstream `name`; None when the status has none of that name."""
    if not name:
        said = headline(monitors)
        shares = [one.uptime.whole for one in monitors if one.uptime.whole is not None]
        label, state, share = brand, HEADLINE_STATES[said], min(shares, default=None)
        text = words.plain(f"status.{said}")
    else:
        found = next((one for one in monitors if name in one.names), None)
        if found is None:
            return None
        label, state, share = name, found.state, found.uptime.whole
        text = words.plain(f"state.{state}")
    if shown == "uptime":
        state = "none" if share is None else "up" if share >= GOOD else "part" if share >= FAIR else "down"
        text = words.plain("status.percent", days=str(DAYS), percent=percent(share))
    return _drawn(clean(label), text, COLOURS[state])


def _drawn(label: str, text: str, colour: str) -> Html:
    if len(label) > LONGEST:
        label = label[: LONGEST - 1] + "…"
    left, right, said = _wide(label) + 12, _wide(text) + 12, f"{label}: {text}"
    return h(
        "svg",
        h("title", said),
        h("rect", width=left + right, height=20, rx=4, fill=colour),
        h("path", d=f"M4 0H{left}V20H4A4 4 0 0 1 0 16V4A4 4 0 0 1 4 0Z", fill=GROUND),
        h(
            "g",
            h("text", label, x=6, y=14, textLength=left - 12),
            h("text", text, x=left + 6, y=14, textLength=right - 12),
            fill="#fff",
            font_size=11,
            font_family="Verdana, DejaVu Sans, PingFang SC, Microsoft YaHei, Noto Sans CJK SC, sans-serif",
        ),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {left + right} 20",
        width=left + right,
        height=20,
        role="img",
        aria_label=said,
    )  # fmt: skip


def _wide(text: str) -> int:
    """Pixels at 11 px, near enough: the text is drawn at this length."""
    return round(sum(12 if unicodedata.east_asian_width(mark) in "WF" else 6.4 for mark in text))
