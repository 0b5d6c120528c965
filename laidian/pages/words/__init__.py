"""The texts of the pages, in English and Simplified Chinese: two flat catalogues with the same ids and the same fields, as tests see to.

What is data stays as it is in either language: states' JSON values, error codes, header names, names of fields.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Literal, get_args

import msgspec

from laidian.pages.html import Child, Html, joined

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
TAGS: dict[Language, str] = {"en": "en", "zh": "zh-CN"}
"""As `lang` says it."""

_FORMATTER = Formatter()


class Words:
    """One language. Called with an id, it gives the text, its fields filled with texts or markup."""

    def __init__(self, language: Language, texts: dict[str, str]) -> None:
        self.language: Language = language
        self.texts = texts

    def __call__(self, name: str, /, **fields: Child) -> Html:
        """Raises KeyError for an unknown id or a missing field."""
        return joined(self._parts(name, fields))

    def plain(self, name: str, /, **fields: str | int) -> str:
        """For an attribute: no markup, not escaped yet."""
        return self.texts[name].format(**fields)

    def _parts(self, name: str, fields: dict[str, Child]) -> Iterable[Child]:
        for literal, field, _, _ in _FORMATTER.parse(self.texts[name]):
            yield literal
            if field is not None:
                yield fields[field]


@cache
def words(language: Language) -> Words:
    """Read once, when the first page is asked for."""
    data = files(__name__).joinpath(f"{language}.json").read_bytes()
    return Words(language, msgspec.json.decode(data, type=dict[str, str]))


def chosen(asked: str, accepted: str, fallback: Language) -> Language:
    """`?lang=`, then Accept-Language by its weights, then the configuration's."""
    if asked[:2].lower() in LANGUAGES:
        return "zh" if asked[:2].lower() == "zh" else "en"
    ranked: list[tuple[float, Language]] = []
    for entry in accepted.split(",")[:32]:
        tag, _, weight = entry.strip().partition(";")
        primary = tag.strip().lower().partition("-")[0]
        for language in LANGUAGES:
            if primary == language and (value := _weight(weight)) > 0:
                ranked.append((value, language))
    return max(ranked, key=lambda one: one[0])[1] if ranked else fallback


def _weight(text: str) -> float:
    name, _, value = text.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0
