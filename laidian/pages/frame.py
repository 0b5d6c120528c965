"""What all pages share: head, navigation, the operator's notice, footer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from laidian import __version__
from laidian.clock import moment
from laidian.config import PagesSettings
from laidian.pages.html import Child, Html, h
from laidian.pages.markdown import markdown
from laidian.pages.words import LANGUAGES, TAGS, Words

PageName = Literal["docs", "models", "status", "key"]
PATHS: dict[PageName, str] = {"docs": "/", "models": "/models", "status": "/status", "key": "/key"}
"""In the order of the navigation."""


class Frame(msgspec.Struct, frozen=True):
    """What a page is drawn in."""

    words: Words
    settings: PagesSettings
    assets: dict[str, str]
    """Name to address, the content's mark included."""

    def page(self, name: PageName | None, *content: Child, title: str = "", feed: str = "") -> bytes:
        """A whole document. Without a name it is none of the pages, but what is said where there is none. `feed`: address of its RSS."""
        w, settings = self.words, self.settings
        own = w.plain(f"nav.{name}" if name else "absent.title")
        head = h(
            "head",
            h("meta", charset="utf-8"),
            h("meta", name="viewport", content="width=device-width, initial-scale=1"),
            h("meta", name="color-scheme", content="light dark"),
            h("title", title or f"{own} · {settings.brand}"),
            h("link", rel="icon", href=self.assets["icon.svg"], type="image/svg+xml"),
            h("link", rel="stylesheet", href=self.assets["page.css"]),
            h("link", rel="alternate", type="application/rss+xml", href=feed) if feed else None,
            h("script", "", src=self.assets["page.js"], defer=True),
        )
        body = h(
            "body",
            h("a", w("nav.skip"), href="#content", class_="skip"),
            self._navigation(name),
            self._notice(settings.notice),
            h("main", *content, id="content", data_page=name or "absent", **self._script_words()),
            self._footer(),
        )
        return b"<!doctype html>" + h("html", head, body, lang=TAGS[w.language]).encode()

    def _script_words(self) -> dict[str, str]:
        """What the script says."""
        return {
            f"data_{name}": self.words.plain(f"script.{name}")
            for name in ("copy", "copied", "selected", "away")
        }

    def _navigation(self, current: PageName | None) -> Html:
        w, settings = self.words, self.settings
        links = [
            h(
                "li",
                h(
                    "a",
                    w(f"nav.{name}"),
                    href=self.link(name),
                    aria_current="page" if name == current else None,
                ),
            )
            for name in PATHS
            if getattr(settings, name) != "off"
        ]
        other = LANGUAGES[1 - LANGUAGES.index(w.language)]
        switch = h(
            "a", w("nav.other_language"), href=f"{PATHS[current] if current else ''}?lang={other}", lang=TAGS[other], hreflang=TAGS[other],
            class_="language",
        )  # fmt: skip
        brand = (
            h("a", settings.brand, href=self.link("docs"), class_="brand")
            if settings.docs != "off"
            else settings.brand
        )
        return h(
            "header",
            h(
                "nav",
                h("div", brand, class_="brand-place"),
                h("ul", links),
                switch,
                aria_label=w.plain("nav.label"),
            ),
        )

    def _notice(self, notice: str) -> Html | None:
        return (
            h("aside", markdown(notice), class_="notice", aria_label=self.words.plain("notice.label"))
            if notice
            else None
        )

    def _footer(self) -> Html:
        contact = self.settings.contact
        link = contact.startswith(("https://", "http://", "mailto:"))
        shown: Child = (
            h("a", contact.removeprefix("mailto:"), href=contact, rel="noreferrer") if link else contact
        )
        return h(
            "footer",
            h("p", self.words("footer.contact", contact=shown)) if contact else None,
            h("p", f"LaiDian {__version__}"),
        )

    def link(self, name: PageName) -> str:
        """To a page in the language that is being read."""
        return f"{PATHS[name]}?lang={self.words.language}"


def clock(at_ms: int) -> Html:
    """A moment, to the minute: `2026-11-22 10:00 UTC`."""
    exact = moment(at_ms)
    return h("time", f"{exact[:10]} {exact[11:16]} UTC", datetime=exact)


def code(text: str) -> Html:
    """A word of a program in a sentence."""
    return h("code", text)


def block(text: str, label: str) -> Html:
    """A text to copy; the script puts a button beside it."""
    return h("div", h("pre", h("code", text), tabindex=0, role="region", aria_label=label), class_="block")


def table(
    heads: Sequence[str],
    rows: Sequence[Sequence[Child]],
    *,
    caption: str,
    numbers: Sequence[int] = (),
    short: Sequence[int] = (),
    name: str = "",
) -> Html:
    """A table whose first column names the row; on a phone each row is a small list. `numbers`: columns set right; `short`: columns that
    stand beside their head there; `name`: a class for the style."""

    def kind(at: int) -> str | None:
        return "number" if at in numbers else "short" if at in short else None

    head = h(
        "tr",
        [
            h("th", one, scope="col", class_="number" if at in numbers else None)
            for at, one in enumerate(heads)
        ],
    )
    body = [
        h(
            "tr",
            h("th", row[0], scope="row"),
            [h("td", cell, class_=kind(at), data_label=heads[at]) for at, cell in enumerate(row) if at],
        )
        for row in rows
    ]
    drawn = h("table", h("caption", caption, class_="unseen"), h("thead", head), h("tbody", body))
    return h("div", drawn, class_=f"table {name}".rstrip(), tabindex=0, role="region", aria_label=caption)
