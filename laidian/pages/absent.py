"""What a browser gets at an address where nothing is: a page in its language with the way on, in place of JSON."""

from __future__ import annotations

from laidian.pages.frame import Frame
from laidian.pages.html import h


def absent_page(frame: Frame) -> bytes:
    """The same whether there never was a page or the operator switched it off."""
    w = frame.words
    content = h("section", h("h1", w("absent.title")), h("p", w("absent.text"), class_="lead"), class_="hero")
    return frame.page(None, content)
