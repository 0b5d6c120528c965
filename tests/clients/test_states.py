"""What the route table says of a relayed row is what happens on each kind of upstream: translated everywhere, or served at home only.

That a row wants a key, reads its body and needs its capability is shown in tests/routes/test_surface.py; what is refused, local and kept
by affinity there too, and in tests/affinity.
"""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest

from laidian.protocol.dialect import OPERATIONS
from laidian.routes.surface import SURFACE
from laidian.routes.table import Row
from tests.clients.billing import Meter
from tests.clients.conftest import MODELS
from tests.served import HOST, Served

TEXT = [{"role": "user", "content": "x"}]
GEMINI = {"contents": [{"role": "user", "parts": [{"text": "x"}]}]}
QUESTION = [{"type": "predicate", "instructions": "?"}]
BODIES: dict[str, dict[str, Any]] = {
    "chat.completions": {"messages": TEXT},
    "responses": {"input": "x"},
    "responses.compact": {"input": "x"},
    "responses.input_tokens": {"input": "x"},
    "decisions": {"input": "x", "questions": QUESTION},
    "gemini.generate": GEMINI,
    "gemini.stream": GEMINI,
    "gemini.count_tokens": GEMINI,
    "anthropic.messages": {"messages": TEXT, "max_tokens": 9},
    "anthropic.count_tokens": {"messages": TEXT},
}
"""Operations on text; those on other things are only for models that are made for them, and have tests of their own."""

ELSEWHERE = {
    "completions": "end_to_end/test_sound_and_pictures.py",
    "embeddings": "clients/test_aliases.py",
    "moderations": "end_to_end/test_other_operations.py",
    "images.generations": "clients/test_pictures_on_gemini.py",
    "images.edits": "clients/test_pictures_on_gemini.py",
    "audio.speech": "end_to_end/test_sound_and_pictures.py",
    "audio.transcriptions": "end_to_end/test_sound_and_pictures.py",
    "audio.translations": "end_to_end/test_sound_and_pictures.py",
    "gemini.embed": "clients/test_aliases.py",
    "gemini.batch_embed": "clients/test_google_genai.py",
}
HOME = {"responses.compact": "openai", "decisions": "openai"}
"""Kind of upstream that alone serves an operation that is not translated."""

RELAYED = {operation.name: operation for operation in OPERATIONS}
ROWS = [row for row in SURFACE if row.operation in BODIES]


def ask(laidian: Served, row: Row, model: str) -> tuple[int, dict[str, str], bytes]:
    body = BODIES[row.operation]
    if row.family != "gemini":
        body = {**body, "model": model}
    headers = {"Authorization": f"Bearer {laidian.key}", "Content-Type": "application/json"}
    if row.family == "anthropic":
        headers["anthropic-version"] = "2023-06-01"
    connection = http.client.HTTPConnection(HOST, laidian.port, timeout=60)
    try:
        connection.request(row.method, row.path.replace("{model}", model), json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): text for name, text in answer.getheaders()}, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.operation)
def test_a_row_does_what_its_state_says(laidian: Served, row: Row, kind: str, meter: Meter):
    status, headers, body = ask(laidian, row, MODELS[kind])
    operation = RELAYED[row.operation]
    if row.state == "translated":
        assert status == 200, body
    elif operation.counts:
        assert status == 200, body
        at_home = kind == (row.family if row.family != "openai" else "openai")
        assert headers.get("x-laidian-estimated") == (None if at_home else "tokens")
    else:
        assert (status == 200) == (kind == HOME[row.operation]), body
    assert status in (200, 404), body
    meter.check()


def test_every_relayed_operation_is_here_or_elsewhere():
    assert set(BODIES) | set(ELSEWHERE) == set(RELAYED)
