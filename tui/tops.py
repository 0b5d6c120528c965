"""The screens behind the tabs: their names, keys and where they are made. Each is imported when it is first shown."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from tui.frame import Top


class TopScreen(msgspec.Struct, frozen=True):
    name: str
    """Also of its module in tui.screens, of its words, and of its tab (`tab_…`) and command (`go_…`) in the frame's words."""
    key: str
    maker: str
    """The class in that module."""

    def make(self) -> Top[Any]:
        module = importlib.import_module(f"tui.screens.{self.name}")
        made: Top[Any] = getattr(module, self.maker)()
        made.top = self.name
        return made


TOPS = (
    TopScreen("dashboard", "1", "Dashboard"),
    TopScreen("keys", "2", "Keys"),
    TopScreen("groups", "3", "Groups"),
    TopScreen("quotas", "4", "Quotas"),
    TopScreen("upstreams", "5", "Upstreams"),
    TopScreen("models", "6", "Models"),
    TopScreen("live", "7", "Live"),
    TopScreen("usage", "8", "Usage"),
    TopScreen("doctor", "9", "Doctor"),
    TopScreen("settings", "0", "Settings"),
)
