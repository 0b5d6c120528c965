"""`/` is the seed's document, line for line, with this instance's address; what is not true here is named below, and nothing else differs."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.pages.conftest import Answer, ask, bearer
from tests.served import Place, Served, Setup, served
from tests.simulated_provider import SimulatedProvider

SEED = (Path(__file__).parent / "seed-api-docs.txt").read_text()
HOST = "https://givemesometoken.xyz"
DIFFERENT = {
    # there is no web console
    "No inflated multiplier and no hidden markup. Usage and billing are visible in the console.": (
        "No inflated multiplier and no hidden markup. Usage and billing are visible under Check a key."
    ),
    "Create an API key in the console, then send it as a Bearer token. This example uses gpt-5.4; you can also use gpt-5.5 if your key has access.": (
        "Get an API key from the operator, then send it as a Bearer token. This example uses gpt-5.4; you can also use gpt-5.5 if your key has access."
    ),
    "Open the console and check your balance, plan, group assignment, and usage records.": (
        "Open Check a key and check your balance, plan, group assignment, and usage records."
    ),
    f"Cherry Studio Use an OpenAI-compatible provider and set the custom API endpoint to {HOST}/v1. Add models manually according to your console access.": (
        f"Cherry Studio Use an OpenAI-compatible provider and set the custom API endpoint to {HOST}/v1. Add models manually according to your key's access."
    ),
}
INLINE = {"code", "a", "span", "b", "strong"}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.read.append("" if tag in INLINE else " ")

    def handle_endtag(self, tag: str) -> None:
        self.read.append("" if tag in INLINE else " ")

    def handle_data(self, data: str) -> None:
        self.read.append(data)


def readable(answer: Answer) -> str:
    reader = _Reader()
    reader.feed(answer.text)
    return " ".join("".join(reader.read).split())


LINES = [line for line in SEED.splitlines() if line.strip()]


def test_every_line_of_the_seeds_document_is_on_the_page(laidian: Served):
    page = readable(ask(laidian, "/"))
    missing = [
        line
        for line in LINES
        if " ".join(DIFFERENT.get(line, line).split()).replace(HOST, laidian.base_url) not in page
    ]
    assert missing == []
    assert set(DIFFERENT) <= set(LINES), "a difference that is none"


def test_what_differs_is_not_on_the_page_as_the_seed_has_it(laidian: Served):
    page = readable(ask(laidian, "/"))
    assert "console" not in page.replace("console.log", "")
    assert "givemesometoken" not in page
    for line in DIFFERENT:
        assert " ".join(line.split()).replace(HOST, laidian.base_url) not in page


def test_its_first_example_runs_as_it_stands(laidian: Served):
    blocks = re.findall(r"<pre[^>]*><code>(.*?)</code></pre>", ask(laidian, "/").text, re.DOTALL)
    text = html.unescape(blocks[0]).replace("sk-your-api-key", laidian.key)
    done = subprocess.run(["sh", "-c", text], capture_output=True, text=True, timeout=60)
    assert "[simulated]" in done.stdout, done.stderr
    python = next(html.unescape(one) for one in blocks if one.startswith("from openai"))
    done = subprocess.run(
        [sys.executable, "-c", python.replace("sk-your-api-key", laidian.key)],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert "[simulated]" in done.stdout, done.stderr


@pytest.fixture(scope="module")
def small(provider: SimulatedProvider):
    """An instance that may only chat, with one model, at another multiplier, and with a name of its own."""
    config = '[pages]\nbrand = "来点 Relay"\nkey = "off"\n[server]\npublic_url = "https://relay.example/"\n'
    setup = Setup(
        upstreams=(Place("sim", "openai", "/v1", ("gpt-5.5",)),), capabilities=("chat",), config=config
    )
    with served(provider, setup=setup) as running:
        running.write("UPDATE groups SET multiplier_ppm = 1250000")
        yield running


def test_an_instance_says_only_what_is_true_of_it(small: Served):
    page = readable(ask(small, "/"))
    for absent in (
        "Responses API",
        "images/generations",
        "v1beta",
        "Claude Code",
        "gpt-5.4",
        "No inflated multiplier",
        "Check a key",
    ):
        assert absent not in page
    for present in (
        "来点 Relay API Docs",
        "The rate multiplier is 1.25x.",
        "published prices times the multiplier",
        "This example uses gpt-5.5.",
        "https://relay.example/v1/chat/completions",
        "Describe 来点 Relay in one sentence.",
        "GET /v1/usage",
    ):
        assert present in page
    assert f"127.0.0.1:{small.port}" not in page


def test_a_page_that_is_off_is_not_there_and_nobody_links_to_it(small: Served):
    assert ask(small, "/key").status == 404
    assert ask(small, "/key", method="POST", body=b"key=sk-x").status == 404
    assert ask(small, "/view/key", bearer(small.key)).status == 404
    assert 'href="/key' not in ask(small, "/").text
