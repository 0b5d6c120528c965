"""Keys of one's own: `[tui.keys]` in config.toml gives a binding of a screen, of its table or of the whole dashboard another key.

    BINDINGS = named([Binding("n", "new", "keys.new")])      # may be changed by that name
    keymap = checked({"keys.new": "c,ctrl+n"})               # for App.set_keymap; raises WrongKeys with a sentence

A binding's name is what it says of itself (`section.word`), so that what means the same on two screens is changed on both. The rule a
newcomer would break: what lies on a screen (forms, questions, help) keeps its keys, and so does ctrl+c; whoever mistypes his map can
always answer and leave.
"""

from __future__ import annotations

import dataclasses
import difflib
import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from textual.binding import Binding, BindingType

FIXED = frozenset({"ctrl+c"})
_MODIFIERS = re.compile(r"(?:(?:ctrl|alt|shift)\+)*")


class WrongKeys(Exception):
    """What was wished for cannot be; a sentence for whoever wrote it."""


def named(bindings: Iterable[BindingType]) -> list[BindingType]:
    """The same bindings, each with a name that a key map can use."""
    return [
        dataclasses.replace(one, id=one.description)
        if isinstance(one, Binding) and one.id is None and not FIXED & set(one.key.split(","))
        else one
        for one in bindings
    ]


def checked(wanted: Mapping[str, str]) -> dict[str, str]:
    """As Textual wants it. Raises WrongKeys for a name that is none, a key that is none, and a key that would do two things."""
    if not wanted:
        return {}
    names = {name: key for name, key, _ in known()}
    keymap: dict[str, str] = {}
    for name, keys in wanted.items():
        if name not in names:
            raise WrongKeys(
                f'"{name}" is no binding of the dashboard.{_meant(name, names)} `laidian tui --keys` lists them all.'
            )
        keymap[name] = ",".join(_key(name, one.strip()) for one in _split(keys))
    _not_taken(keymap)
    return keymap


def known() -> list[tuple[str, str, str]]:
    """Name, keys and owner of every binding that can be changed, in the order of screens; a name that several have once."""
    from textual.keys import REPLACED_KEYS, key_to_character

    found: dict[str, tuple[list[str], str]] = {}
    for owner in _owners():
        for one in Binding.make_bindings(owner.__dict__.get("BINDINGS", ())):
            if one.id is not None:
                keys, _ = found.setdefault(one.id, ([], owner.__name__))
                sign = key_to_character(REPLACED_KEYS.get(one.key, one.key))
                shown = sign if sign is not None and sign.isprintable() and sign != " " else one.key
                if shown not in keys:
                    keys.append(shown)
    return [(name, ",".join(keys), owner) for name, (keys, owner) in found.items()]


def _split(keys: str) -> list[str]:
    """A comma is between two keys, unless it is the key itself."""
    return [keys] if keys.strip() == "," else keys.split(",")


def _key(name: str, key: str) -> str:
    """As Textual spells it: `?` is `question_mark`."""
    from textual.keys import (
        KEY_NAME_REPLACEMENTS,
        Keys,
        _character_to_key,  # pyright: ignore[reportPrivateUsage]
        key_to_character,
    )

    if not key:
        raise WrongKeys(f'{name} needs a key, such as "c", "ctrl+n" or "f5".')
    if key in FIXED:
        raise WrongKeys(f"{name} cannot have {key}: it copies what is selected and, pressed twice, leaves.")
    modifiers = _MODIFIERS.match(key)
    before = modifiers.group() if modifiers is not None and modifiers.group() != key else ""
    base = key[len(before) :]
    if len(base) == 1 and base.isprintable():
        return before + _character_to_key(base)
    names = {one.value for one in Keys} | set(KEY_NAME_REPLACEMENTS.values())
    if base in names or key in names or key_to_character(base) is not None:
        return key
    raise WrongKeys(
        f'{name} = "{key}": there is no such key.{_meant(key, names)} A key is one sign, or a name such as enter, f5 or pageup;'
        " ctrl+, alt+ and shift+ may stand before it."
    )


def _meant(said: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(said, list(known), n=1)
    return f" Did you mean {near[0]}?" if near else ""


def _not_taken(keymap: Mapping[str, str]) -> None:
    from textual.keys import format_key

    before = _uses({})
    for screen, names in _uses(keymap).items():
        usual = before[screen]
        for key, ones in names.items():
            if len(ones) > 1 and not ones <= usual.get(key, set()):
                raise WrongKeys(
                    f'"{format_key(key)}" would do {len(ones)} things on the same screen ({screen}): {" and ".join(sorted(ones))}.'
                    " Give one of them another key."
                )


def _uses(keymap: Mapping[str, str]) -> dict[str, dict[str, set[str]]]:
    """Screen to key to the names of what it does there: of the screen, of its table, of the dashboard."""
    from tui.app import LaiDianApp
    from tui.paged import PagedTable

    found: dict[str, dict[str, set[str]]] = {}
    for screen in _screens():
        uses = found.setdefault(screen.__name__, {})
        for node in (screen, PagedTable, LaiDianApp):
            for one in _merged(node):
                for key in keymap.get(one.id or "", one.key).split(","):
                    uses.setdefault(key, set()).add(one.description)
    return found


def _merged(node: type[Any]) -> Iterator[Binding]:
    """With those that it has from its bases; the nearest of a key goes first, as when it is pressed."""
    seen: set[str] = set()
    for base in node.__mro__:
        if base.__module__.startswith("tui."):
            for one in Binding.make_bindings(base.__dict__.get("BINDINGS", ())):
                if one.key not in seen:
                    seen.add(one.key)
                    yield one


def _screens() -> list[type[Any]]:
    from tui import screens
    from tui.frame import Framed

    found: dict[type[Any], None] = {}
    for module in pkgutil.iter_modules(screens.__path__, "tui.screens."):
        for thing in vars(importlib.import_module(module.name)).values():
            if isinstance(thing, type) and issubclass(thing, Framed) and thing.__module__ == module.name:
                found[thing] = None
    return list(found)


def _owners() -> list[type[Any]]:
    from tui.app import LaiDianApp
    from tui.frame import Detail, Framed
    from tui.paged import PagedTable

    return [LaiDianApp, Framed, Detail, PagedTable, *_screens()]
