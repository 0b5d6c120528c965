"""What a Gemini model can do, by its name: generations differ in thinking, signatures and schemas.

A table and a few rules; knows nothing of bodies. Sources: protocol.md 6.3, ai.google.dev thinking and file-input guides (seen 2026-11).
A name without a number (`gemini-flash-latest`) is the newest generation; a name that is no Gemini's (gemma, an alias of the
operator) gets nothing that only Gemini knows.
"""

from __future__ import annotations

import re

import msgspec

from laidian.protocol.canonical import Effort
from laidian.protocol.gemini_wire import ThinkingConfig

_NUMBER = re.compile(r"gemini-(\d+)(?:\.(\d+))?")
_NEWEST = (99, 0)

_BUDGETS: dict[Effort, int] = {
    "none": 0,
    "minimal": 512,
    "low": 1_024,
    "medium": 8_192,
    "high": 24_576,
    "xhigh": 32_768,
    "max": 32_768,
}
"""Thinking tokens of a 2.5 model, as Google's own compatible endpoint maps efforts; bounded by the model's range."""

_RANGES: tuple[tuple[str, tuple[int, int, bool]], ...] = (
    ("lite", (512, 24_576, True)),
    ("flash", (1, 24_576, True)),
    ("pro", (128, 32_768, False)),
)
"""2.5 models: least and most thinking tokens, and whether thinking can be off."""

_LEVELS: dict[Effort, str] = {
    "none": "MINIMAL",
    "minimal": "MINIMAL",
    "low": "LOW",
    "medium": "MEDIUM",
    "high": "HIGH",
    "xhigh": "XHIGH",
    "max": "XHIGH",
}


class Generation(msgspec.Struct, frozen=True):
    """A model by its name."""

    name: str
    number: tuple[int, int]
    """(3, 1) for gemini-3.1; (0, 0) for what is no Gemini."""

    @property
    def signs_calls(self) -> bool:
        """Whether a call in the history needs its thought signature, or Google answers 400."""
        return self.number >= (3, 0)

    @property
    def takes_urls(self) -> bool:
        """Whether Google fetches https addresses itself (since January 2026, not for 2.0)."""
        return self.number >= (2, 5)

    @property
    def takes_result_media(self) -> bool:
        """Whether a function's result may hold pictures and files of its own."""
        return self.number >= (3, 0)

    @property
    def formats_with_tools(self) -> bool:
        """Whether JSON output and functions go together."""
        return not (0, 0) < self.number < (3, 0)

    @property
    def _plain(self) -> bool:
        """Models of a line that do not take settings of thinking."""
        return any(mark in self.name for mark in ("image", "tts", "embedding", "live", "audio"))

    def thinks(self) -> bool:
        return self.number >= (2, 5) and not self._plain

    def thinking(self, effort: Effort | None, budget: int | None, *, show: bool) -> ThinkingConfig | None:
        """The settings for what the client asked; None for none. Level and budget never stand together, which is a 400."""
        if not self.thinks() or (effort is None and budget is None and not show):
            return None
        level, tokens = None, None
        if self.number >= (3, 0):
            if effort is not None:
                level = self._level(effort)
            elif budget == 0:
                level = self._level("none")
            else:
                tokens = budget
        elif budget is not None:
            tokens = self._bounded(budget)
        elif effort is not None:
            tokens = self._bounded(_BUDGETS[effort])
        return ThinkingConfig(include_thoughts=show or None, thinking_budget=tokens, thinking_level=level)

    def _level(self, effort: Effort) -> str:
        """Thinking cannot be off from 3 on; `pro` has no MINIMAL, 3.0 pro no MEDIUM, and XHIGH came with 4."""
        level = _LEVELS[effort]
        pro = "pro" in self.name
        if level == "XHIGH" and self.number < (4, 0):
            return "HIGH"
        if level == "MINIMAL" and pro:
            return "LOW"
        if level == "MEDIUM" and pro and self.number < (3, 1):
            return "HIGH"
        return level

    def _bounded(self, tokens: int) -> int:
        if tokens < 0:
            return -1
        least, most, off = next((found for mark, found in _RANGES if mark in self.name), (1, 24_576, True))
        if tokens == 0 and off:
            return 0
        return min(max(tokens, least), most)


def generation(model: str) -> Generation:
    """From the upstream's name of a model, with or without `models/`."""
    name = model.removeprefix("models/").rpartition("/")[2].lower()
    found = _NUMBER.match(name)
    if found is not None:
        return Generation(name, (int(found[1]), int(found[2] or 0)))
    return Generation(name, _NEWEST if name.startswith("gemini-") else (0, 0))
