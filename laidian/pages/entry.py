"""The field for a key: a form that works without a script, and that the script answers in place without leaving the page.

It is no password field, only drawn like one: a browser would offer to keep a password.
"""

from __future__ import annotations

from laidian.errors import LaidianError
from laidian.pages.frame import PATHS, Frame, PageName
from laidian.pages.html import Html, h
from laidian.pages.words import Words


def entry_form(frame: Frame, name: PageName, *, optional: bool = False) -> Html:
    """With the place below it where the script puts the view. `optional`: the page has something to read without a key, too."""
    w = frame.words
    language = w.language
    form = h(
        "form",
        h(
            "div",
            h("label", w("entry.label"), for_="key", class_="name"),
            h(
                "input", type="text", id="key", name="key", required=True, autocomplete="off", autocapitalize="none", class_="secret",
                spellcheck="false", placeholder="sk-…", aria_describedby="key-note", maxlength=200,
            ),
        ),
        h("button", w("entry.look"), type="submit"),
        h("button", w("entry.forget"), type="button", class_="quiet", data_forget=True, hidden=True),
        method="post",
        action=f"{PATHS[name]}?lang={language}",
        class_="ask",
        data_view=f"/view/{name}?lang={language}",
    )  # fmt: skip
    return h(
        "section",
        h("h2", w("entry.own_models"), id="entry-title") if optional else None,
        h("p", w(f"entry.why_{name}")),
        form,
        h("p", w("entry.note"), id="key-note", class_="small"),
        h("div", id="view", aria_live="polite"),
        aria_labelledby="entry-title" if optional else None,
        class_="entry",
    )


def refused_view(words: Words, error: LaidianError) -> Html:
    """Why a key is not shown: in the reader's words where there are any, and the server's sentence."""
    known = {"invalid_api_key": "refused.unknown", "too_many_failures": "refused.too_many"}
    return h(
        "div",
        h("p", words(known.get(error.code, "refused.other")), class_="wrong", tabindex=-1),
        h("p", error.message, class_="small", lang="en"),
    )
