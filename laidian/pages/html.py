"""HTML as values: elements are calls, and every text is escaped because there is no other way to put one in.

Instead of a template language: nothing to install, nothing to load from a zip file, and a misspelled name is found by the type checker.
The rule a newcomer would break: `Html` is only made here. Texts from outside also lose what could reorder or hide other texts.
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Union

Attribute = str | int | bool | None
Child = Union[str, "Html", int, None, Sequence["Child"]]

_VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})


class Html(str):
    """Markup that is done."""

    __slots__ = ()


def h(tag: str, /, *children: Child, **attributes: Attribute) -> Html:
    """An element. `class_` and `for_` lose their underscore, `aria_label` becomes `aria-label`; True is a bare attribute, None none."""
    written = "".join(_attribute(name, value) for name, value in attributes.items())
    if tag in _VOID:
        return Html(f"<{tag}{written}>")
    return Html(f"<{tag}{written}>{joined(children)}</{tag}>")


def joined(children: Iterable[Child]) -> Html:
    """Several after one another."""
    return Html("".join(_written(child) for child in children))


def text(value: str) -> Html:
    """A text as markup."""
    return Html(html.escape(clean(value)))


def clean(value: str) -> str:
    """Without control characters, but line breaks and tabs, and without the marks that reorder what stands around them."""
    if value.isascii() and value.isprintable():
        return value
    return "".join(
        mark for mark in value if mark in "\n\t" or unicodedata.category(mark) not in ("Cc", "Cf", "Cs")
    )


def _written(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Html):
        return child
    if isinstance(child, str):
        return text(child)
    if isinstance(child, int):
        return str(child)
    return joined(child)


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = name.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{text(str(value))}"'
