"""Which bindings a test presses: every one must have a test, and this is where it says so.

    @presses(LaiDianApp, "T", "L")
    async def test_...(console): ...

`test_bindings.py` holds the register against the `BINDINGS` of all classes in `tui`, so a binding without a test fails there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T", bound=Callable[..., Any])
PRESSED: set[tuple[str, str]] = set()
"""Class that declares the binding, and key as Textual calls it."""


def presses(owner: type[Any], *keys: str) -> Callable[[T], T]:
    """For tests: these keys of that class are pressed here, and what they do is judged."""
    PRESSED.update((owner.__name__, key) for key in keys)

    def same(test: T) -> T:
        return test

    return same
