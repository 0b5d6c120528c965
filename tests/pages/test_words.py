"""Both languages say the same things, and say all of them."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

import laidian.pages
from laidian.pages.html import Html, clean, h
from laidian.pages.words import LANGUAGES, Language, chosen, words

SOURCES = "".join(path.read_text() for path in Path(laidian.pages.__file__).parent.glob("*.py"))


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_both_catalogues_have_the_same_ids_with_the_same_fields():
    english, chinese = words("en").texts, words("zh").texts
    assert list(english) == list(chinese)
    for name, text in english.items():
        assert fields(text) == fields(chinese[name]), name


def test_every_id_is_used_and_every_used_id_is_there():
    known = set(words("en").texts)
    said = set(re.findall(r'"((?:\w+\.)\w+)"', SOURCES)) & known
    begun = {name.split("{")[0] for name in re.findall(r'f"(\w+\.\w*\{[^"]*)"', SOURCES)}
    unused = {name for name in known if name not in said and not any(name.startswith(one) for one in begun)}
    assert unused == set()
    called = set(re.findall(r'\b(?:w|words)(?:\.plain)?\(\s*"([\w.]+)"', SOURCES))
    assert called <= known


def test_chinese_is_chinese():
    same = {name for name, text in words("en").texts.items() if text == words("zh").texts[name] and text}
    kept = {"docs.base_url", "docs.responses", "docs.endpoint_responses", "key.heading", "capability.responses",
            "capability.gemini", "capability.anthropic"}  # fmt: skip
    assert same <= kept


def test_what_stands_in_a_text_is_escaped_and_markup_is_not():
    w = words("en")
    assert w("key.receipt_error", code=h("code", "<x>")) == "Error: <code>&lt;x&gt;</code>."
    assert w("key.receipt_error", code="<b>") == "Error: &lt;b&gt;."
    with pytest.raises(KeyError):
        w("key.receipt_error")
    with pytest.raises(KeyError):
        w("no.such.text")


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [
        ("", "", "en"),
        ("", "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("", "en-US,en;q=0.9,zh;q=0.8", "en"),
        ("", "zh;q=0.2, en;q=0.9", "en"),
        ("", "de-DE, fr", "en"),
        ("", "zh;q=0", "en"),
        ("", "zh;q=nonsense, ;;, =", "en"),
        ("zh", "en", "zh"),
        ("zh-TW", "en", "zh"),
        ("en", "zh", "en"),
        ("<script>", "zh", "zh"),
    ],
)
def test_the_language_is_what_was_asked_for_then_what_the_browser_wants(
    asked: str, accepted: str, language: Language
):
    assert chosen(asked, accepted, "en") == language


def test_the_configured_language_is_for_everybody_else():
    assert chosen("", "de", "zh") == "zh"
    assert LANGUAGES == ("en", "zh")


# Markup


def test_texts_and_attributes_are_escaped_whatever_they_hold():
    element = h(
        "a", "<script>&", None, [1, Html("<b></b>")], href='"><script>', class_="x", hidden=True, title=None
    )
    assert element == '<a href="&quot;&gt;&lt;script&gt;" class="x" hidden>&lt;script&gt;&amp;1<b></b></a>'
    assert h("input", data_x="1") == '<input data-x="1">'


def test_what_could_hide_or_reorder_other_texts_is_left_out():
    assert clean("a\x00b\x1b[31m\u202ec\u2066d\nü 来\t") == "ab[31mcd\nü 来\t"
