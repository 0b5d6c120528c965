"""A page of a listing."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    items: tuple[T, ...]
    next: str | None
    """Give it back as `cursor` for the following page; None: this was the last."""
