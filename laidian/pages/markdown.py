"""A text of the operator's as markup: the little of Markdown that a notice needs, and nothing that could do harm.

    **bold**  *stressed*  `code`  [words](https://…)     an empty line begins a paragraph, lines that begin with `- ` are a list

Everything else stays as it was written, HTML and links to other places than http, https, mailto and this host included.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from laidian.pages.html import Child, Html, h

_INLINE = re.compile(
    r"""
    `(?P<code>[^`\n]+)`
    | \*\*(?P<bold>\S(?:[^*\n]*\S)?)\*\*
    | (?<!\w)\*(?P<stressed>\S(?:[^*\n]*\S)?)\*(?!\w)
    | \[(?P<words>[^\]\n]+)\]\((?P<to>(?:https?://|mailto:|/(?!/))[^\s()<>"\\]*)\)
    """,
    re.VERBOSE,
)


def markdown(text: str) -> Sequence[Html]:
    """Paragraphs and lists."""
    parts = (part.strip() for part in re.split(r"\n\s*\n", text.replace("\r\n", "\n")))
    return [_part(part) for part in parts if part]


def _part(part: str) -> Html:
    lines = [line.strip() for line in part.split("\n")]
    if all(line.startswith("- ") for line in lines):
        return h("ul", [h("li", _inline(line[2:])) for line in lines])
    return h("p", _inline("\n".join(lines)))


def _inline(text: str) -> Sequence[Child]:
    shown: list[Child] = []
    at = 0
    for found in _INLINE.finditer(text):
        shown += [text[at : found.start()], _marked(found)]
        at = found.end()
    return [*shown, text[at:]]


def _marked(found: re.Match[str]) -> Html:
    if found["code"] is not None:
        return h("code", found["code"])
    if found["bold"] is not None:
        return h("strong", found["bold"])
    if found["stressed"] is not None:
        return h("em", found["stressed"])
    return h("a", found["words"], href=found["to"], rel="noreferrer")
