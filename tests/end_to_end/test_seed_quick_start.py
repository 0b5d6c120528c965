"""The seed's Quick Start, as written in the document itself, with only host and key changed."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.seed import curl, mine
from tests.served import Served

PLAIN = curl("/v1/chat/completions")
STREAM = curl("/v1/chat/completions", stream=True)


def run(command: str, laidian: Served) -> str:
    text = mine(command, laidian).replace("curl ", "curl -sS ", 1)
    done = subprocess.run(["bash", "-c", text], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_plain_example_answers_and_is_metered(laidian: Served):
    answer = json.loads(run(PLAIN, laidian))
    assert answer["object"] == "chat.completion"
    assert answer["choices"][0]["message"]["content"]
    record = laidian.records()[-1]
    assert (record.input, record.output) == (
        answer["usage"]["prompt_tokens"],
        answer["usage"]["completion_tokens"],
    )
    assert (record.ended, record.usage_from) == ("complete", "upstream")


def test_the_streaming_example_streams_and_is_metered(laidian: Served):
    lines = [line for line in run(STREAM, laidian).splitlines() if line]
    assert all(line.startswith("data: ") for line in lines)
    assert lines[-1] == "data: [DONE]"
    chunks = [json.loads(line[6:]) for line in lines[:-1]]
    assert all(chunk["choices"] for chunk in chunks), (
        "a chunk without choices reached a client that asked for no usage"
    )
    assert not any("usage" in chunk for chunk in chunks)
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    record = laidian.records()[-1]
    assert (record.stream, record.ended, record.usage_from) == (1, "complete", "upstream")
    assert record.output > 0


@pytest.mark.parametrize(
    "path",
    ["/chat/completions", "/v1/v1/chat/completions", "//v1//chat/completions", "/v1/chat/completions/"],
)
def test_a_base_url_that_is_a_little_off_works_too(laidian: Served, path: str):
    command = PLAIN.replace("/v1/chat/completions", path)
    assert json.loads(run(command, laidian))["choices"]
