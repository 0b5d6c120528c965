"""What an operator may write into a notice, and what stays text."""

from __future__ import annotations

import pytest

from laidian.pages.html import joined
from laidian.pages.markdown import markdown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("One.\n\n\n Two\nlines. ", "<p>One.</p><p>Two\nlines.</p>"),
        ("**Sunday**, *all* day: `gpt-5.4`", "<p><strong>Sunday</strong>, <em>all</em> day: <code>gpt-5.4</code></p>"),
        ("- one\n- **two**", "<ul><li>one</li><li><strong>two</strong></li></ul>"),
        ("- one\nand on", "<p>- one\nand on</p>"),
        ("See [the plan](https://x.example/a?b=1&c=2).", '<p>See <a href="https://x.example/a?b=1&amp;c=2" rel="noreferrer">the plan</a>.</p>'),
        ("[status](/status) [us](mailto:a@b.example)", '<p><a href="/status" rel="noreferrer">status</a> <a href="mailto:a@b.example" rel="noreferrer">us</a></p>'),
        ("2 * 3 * 4 ** 5", "<p>2 * 3 * 4 ** 5</p>"),
        ("**<b>x</b>**", "<p><strong>&lt;b&gt;x&lt;/b&gt;</strong></p>"),
        ("`**code**`", "<p><code>**code**</code></p>"),
        ("", ""),
        (" \n\n ", ""),
    ],
)  # fmt: skip
def test_the_little_that_is_known(text: str, shown: str):
    assert joined(markdown(text)) == shown


@pytest.mark.parametrize(
    "text",
    ["[x](javascript:alert(1))", "[x](//evil.example)", "[x](data:text/html,x)", '[x](https://a.example"onclick=")', "[x](JAVASCRIPT:1)",
     "<script>alert(1)</script>", "[<img src=x>](https://a.example/<script>)", "![x](https://a.example/x.png) <"],
)  # fmt: skip
def test_what_could_do_harm_stays_text(text: str):
    shown = joined(markdown(text))
    assert "<script" not in shown
    assert "<img" not in shown
    assert 'onclick="' not in shown
    assert all(f'href="{scheme}' not in shown.lower() for scheme in ("javascript", "//", "data"))


def test_a_long_text_of_half_marks_takes_no_time():
    text = "*" * 3_000 + "[" * 3_000 + "`" + "a " * 3_000
    assert len(joined(markdown(text))) > 9_000
