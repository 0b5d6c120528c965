"""Requests as clients really sent them, sent again through every translation: they need no client to be installed, and stay when one moves on.

Each file of `golden/` says whose it is, in which version, and of what day; `tests/clients/recorder.py` wrote them. One that is recorded anew
may differ in ids and in what the client's maker changed, and has to pass all the same.
"""

from __future__ import annotations

import http.client
import json
import re
from datetime import date
from pathlib import Path

import pytest

from tests.clients.billing import Meter
from tests.clients.conftest import MODELS
from tests.clients.recorder import KEY, Golden, read
from tests.served import HOST, Served
from tests.simulated_provider import SimulatedProvider

FOLDER = Path(__file__).parent / "golden"
GOLDEN = read(FOLDER)
OWN = {
    "/v1/embeddings": "text-embedding-3-small",
    "/v1/images/generations": "gpt-image-2",
    "/v1/models/MODEL:batchEmbedContents": "gemini-embedding-001",
}
"""Routes that only one kind of model serves."""

REPLAYED = [
    (name, model)
    for name, golden in GOLDEN.items()
    for model in ([OWN[golden.path]] if golden.path in OWN else MODELS.values())
]
CLIENTS = (
    "codex", "claude-cli", "geminicli", "opencode", "litellm", "ai-7", "openai-python", "anthropic-python", "google-genai-sdk",
    "openai-js", "anthropic-js",
)  # fmt: skip
"""What the files' names begin with; aider speaks through litellm, and llm through an older openai-python."""


def send(laidian: Served, golden: Golden, model: str) -> tuple[int, bytes]:
    headers = {name: text.replace(KEY, laidian.key) for name, text in golden.headers.items()}
    if "authorization" in headers:
        headers["authorization"] = f"Bearer {laidian.key}"
    body = {**golden.body, "model": model} if "model" in golden.body else golden.body
    path = golden.path.replace("MODEL", model).replace(KEY, laidian.key)
    connection = http.client.HTTPConnection(HOST, laidian.port, timeout=60)
    try:
        connection.request(golden.method, path, json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize(("name", "model"), REPLAYED)
def test_a_request_of_a_real_client_is_answered_and_metered(
    laidian: Served, provider: SimulatedProvider, name: str, model: str, meter: Meter
):
    status, answer = send(laidian, GOLDEN[name], model)
    assert status == 200, answer[:500]
    assert b"error" not in answer[:20]
    (record,) = meter.check(requests=1)
    assert record.model == model
    sent = [seen for seen in provider.requests() if seen.method == "POST"]
    assert len(sent) <= 1, "one request is one upstream; none where tokens are counted here"


@pytest.mark.parametrize("name", GOLDEN)
def test_a_file_says_whose_request_it_is_and_holds_nothing_that_it_must_not(name: str):
    golden, text = GOLDEN[name], (FOLDER / f"{name}.json").read_text()
    assert re.search(r"\d", golden.source), "the client's version"
    assert date.fromisoformat(golden.seen).year >= 2026
    assert not re.search(r"sk-[0-9A-Za-z]{20}|/tmp/|/home/|/root/|/work/", text)
    prose = [one for one in re.findall(r'"((?:[^"\\]|\\.)*)"', text) if len(one) > 200 and " " in one]
    assert prose == [], "a maker's own words"


def test_every_kind_of_client_is_among_them():
    assert [one for one in CLIENTS if not any(name.startswith(one) for name in GOLDEN)] == []
