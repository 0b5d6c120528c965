"""A page of a listing."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """Some rows of a listing, in the listing's order. A cursor is given back as `cursor` and means nothing else."""

    items: tuple[T, ...]
    next: str | None
    """For the following page; None: this was the last. A page may be short, even empty, and have a next: a search looks at a
    bounded number of rows a page."""
    previous: str | None = None
    """For the page before this one; of the first page, for what has come since. None: the listing goes one way only."""
    total: int | None = None
    """Rows that fit, where counting is cheap; None: not counted."""
    searched_to: str | None = None
    """How far back a search has looked, when the page is short because of it."""
