"""What the last line, the help and the palette say of keys is true, and nothing is bound that no test presses."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import Any

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

import tui
from tests.tui.walk import PRESSED
from tui.words import CHINESE, ENGLISH, described


def own_bindings() -> list[tuple[type[Any], Binding]]:
    """Every binding that a class of ours declares, one for each key."""
    found: list[tuple[type[Any], Binding]] = []
    seen: set[type[Any]] = set()
    for module in pkgutil.walk_packages(tui.__path__, "tui."):
        for thing in vars(importlib.import_module(module.name)).values():
            if not (
                isinstance(thing, type) and issubclass(thing, DOMNode) and thing.__module__.startswith("tui.")
            ):
                continue
            if thing in seen:
                continue
            seen.add(thing)
            for binding in Binding.make_bindings(thing.__dict__.get("BINDINGS", ())):
                found.append((thing, binding))
    return found


BINDINGS = own_bindings()


@pytest.mark.parametrize(
    ("owner", "binding"), BINDINGS, ids=[f"{owner.__name__}-{binding.key}" for owner, binding in BINDINGS]
)
def test_a_binding_says_what_it_does_in_both_languages_and_has_its_action(
    owner: type[Any], binding: Binding
) -> None:
    assert described(ENGLISH, binding.description)
    assert described(CHINESE, binding.description)
    action = binding.action.partition("(")[0]
    target, _, name = action.rpartition(".")
    if target == "app":
        from tui.app import LaiDianApp

        owner = LaiDianApp
    assert hasattr(owner, f"action_{name}"), f"{owner.__name__} has no action {name}"


def test_no_binding_is_without_a_test() -> None:
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        importlib.import_module(f"tests.tui.{path.stem}")
    bound = {(owner.__name__, binding.key) for owner, binding in BINDINGS}
    assert sorted(bound - PRESSED) == [], "pressed by no test"
    assert sorted(PRESSED - bound) == [], "pressed by a test, and not bound"
