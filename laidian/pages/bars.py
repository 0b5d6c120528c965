"""Rows of bars as inline SVG: uptime, and what was spent a day. Every bar has a title, so that its figure can be read without its colour.

Sizes are attributes and colours are classes, since the policy lets no inline style through.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from laidian.pages.html import Html, h

TALL = 100


class Bar(msgspec.Struct, frozen=True):
    kind: str
    """The class: what it means."""
    height: float
    """0 to 1."""
    title: str


def bars(shown: Sequence[Bar], label: str, kind: str) -> Html:
    """`label`: what the whole picture says, for those who do not see it. `kind`: class of the picture."""
    gap = min(0.24, len(shown) / 250)
    drawn = [
        h(
            "rect",
            h("title", bar.title),
            class_=bar.kind,
            x=f"{number + gap / 2:.2f}",
            y=f"{TALL - _tall(bar):.0f}",
            width=f"{1 - gap:.2f}",
            height=f"{_tall(bar):.0f}",
        )
        for number, bar in enumerate(shown)
    ]
    return h(
        "svg", drawn, viewBox=f"0 0 {len(shown)} {TALL}", preserveAspectRatio="none", role="img", aria_label=label,
        class_=kind,
    )  # fmt: skip


def _tall(bar: Bar) -> float:
    return max(2.0, bar.height * TALL)
