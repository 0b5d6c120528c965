"""Reading the `[[name:value]]` directives out of a user's text (the table is in the package docstring).

Directives stay in the text: they are counted like any other words. A name this file does not know is just
text; a known one with an impossible value is refused, so that a typing error cannot pass as a quiet success.
"""

from __future__ import annotations

import re

import msgspec

from .faults import FAULTS
from .values import Refusal

_DIRECTIVE = re.compile(r"\[\[([a-z_]+)(?::([^\]]*))?\]\]")
_NUMBERS = ("tokens", "reasoning", "cached", "cache_write", "tools", "delay", "pace", "chunk")
_LARGEST = 10_000_000


class Directives(msgspec.Struct, frozen=True):
    tokens: int | None = None
    say: str | None = None
    refuse: str | None = None
    reasoning: int = 0
    cached: int = 0
    cache_write: int = 0
    tools: int = 0
    """Tool calls asked for; `[[tool]]` is 1."""
    delay_ms: int = 0
    pace_ms: int = 0
    chunk: int = 1
    """Tokens per chunk."""
    fault: str | None = None


def read_directives(text: str) -> Directives:
    """The directives of a text. Raises Refusal (400) for a number or a fault name that makes no sense."""
    found = {str(name): str(value) for name, value in _DIRECTIVE.findall(text)}
    numbers = {name: _number(name, found[name]) for name in _NUMBERS if name in found}
    fault = found.get("fault")
    if fault is not None and fault not in FAULTS:
        raise Refusal(
            400, f"The simulated provider has no fault named '{fault}': {', '.join(sorted(FAULTS))}."
        )
    return Directives(
        tokens=numbers.get("tokens"),
        say=found.get("say"),
        refuse=found.get("refuse"),
        reasoning=numbers.get("reasoning", 0),
        cached=numbers.get("cached", 0),
        cache_write=numbers.get("cache_write", 0),
        tools=numbers.get("tools", 1 if "tool" in found else 0),
        delay_ms=numbers.get("delay", 0),
        pace_ms=numbers.get("pace", 0),
        chunk=max(numbers.get("chunk", 1), 1),
        fault=fault,
    )


def _number(name: str, value: str) -> int:
    if value.isascii() and value.isdigit() and int(value) <= _LARGEST:
        return int(value)
    raise Refusal(400, f"The directive [[{name}:{value}]] wants a whole number from 0 to {_LARGEST}.")
