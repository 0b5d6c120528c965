"""The simulated provider is a strict judge: another account's objects do not exist, and what is not exactly right is refused."""

from __future__ import annotations

import http.client
import json

import pytest

from tests.affinity.conftest import GEMINI, MODEL, form
from tests.simulated_provider import SimulatedProvider

FORM = {"content-type": "multipart/form-data; boundary=b"}
START = {"x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start", "x-goog-upload-header-content-type": "a/b"}  # fmt: skip


@pytest.fixture
def provider(providers: tuple[SimulatedProvider, SimulatedProvider]) -> SimulatedProvider:
    providers[0].reset()
    return providers[0]


def ask(
    provider: SimulatedProvider, account: str, method: str, path: str, body: object = None, **headers: str
) -> tuple[int, dict[str, object], dict[str, str]]:
    sent = {"authorization": f"Bearer sim-{account}"} | {k.replace("_", "-"): v for k, v in headers.items()}
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    connection = http.client.HTTPConnection("127.0.0.1", provider.port, timeout=10)
    try:
        connection.request(method, path, data, sent)
        answer = connection.getresponse()
        raw = answer.read()
        seen = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, json.loads(raw) if raw.startswith(b"{") else {}, seen
    finally:
        connection.close()


def test_every_kind_of_object_is_its_accounts_only(provider: SimulatedProvider):
    _, response, _ = ask(provider, "one", "POST", "/v1/responses", {"model": MODEL, "input": "x"})
    _, conversation, _ = ask(provider, "one", "POST", "/v1/conversations", {})
    _, file, _ = ask(provider, "one", "POST", "/v1/files", form(b"x"), **FORM)
    _, cache, _ = ask(
        provider,
        "one",
        "POST",
        "/v1beta/cachedContents",
        {"model": f"models/{GEMINI}", "contents": [{"parts": [{"text": "x"}]}]},
    )
    for path, refused in (
        (f"/v1/responses/{response['id']}", 404),
        (f"/v1/conversations/{conversation['id']}", 404),
        (f"/v1/files/{file['id']}", 404),
        (f"/v1beta/{cache['name']}", 403),
    ):
        assert ask(provider, "one", "GET", path)[0] == 200, path
        assert ask(provider, "two", "GET", path)[0] == refused, path
        assert ask(provider, "two", "DELETE", path)[0] == refused, path
    for more in (
        {"previous_response_id": response["id"]},
        {"conversation": conversation["id"]},
        {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": file["id"]}]}]},
    ):
        body = {"model": MODEL, "input": "x", **more}
        assert ask(provider, "one", "POST", "/v1/responses", body)[0] == 200, more
        assert ask(provider, "two", "POST", "/v1/responses", body)[0] in (400, 404), more


def test_what_is_continued_is_counted_again(provider: SimulatedProvider):
    body = {"model": MODEL, "input": "word " * 400}
    _, first, _ = ask(provider, "one", "POST", "/v1/responses", body)
    body = {"model": MODEL, "input": "x", "previous_response_id": first["id"]}
    ask(provider, "one", "POST", "/v1/responses", body)
    one, two = provider.bill(rows=2).rows
    assert two.usage.input_tokens > one.usage.input_tokens + one.usage.output_tokens


def test_what_was_not_stored_is_not_there(provider: SimulatedProvider):
    _, response, _ = ask(
        provider, "one", "POST", "/v1/responses", {"model": MODEL, "input": "x", "store": False}
    )
    assert response["store"] is False
    assert ask(provider, "one", "GET", f"/v1/responses/{response['id']}")[0] == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/conversations", {"item": []}),
        ("POST", "/v1/conversations", {"items": [{"role": "user"}]}),
        ("POST", "/v1/uploads", {"bytes": 1}),
        ("POST", "/v1/files", form(b"x", purpose=None)),
        ("POST", "/v1/files", form(b"x", field="data")),
        ("POST", "/v1beta/cachedContents", {"model": f"models/{GEMINI}", "content": []}),
    ],
)
def test_what_is_not_exactly_right_is_refused(
    provider: SimulatedProvider, method: str, path: str, body: object
):
    headers = FORM if isinstance(body, bytes) else {}
    assert ask(provider, "one", method, path, body, **headers)[0] == 400


def test_a_resumable_upload_keeps_its_order(provider: SimulatedProvider):
    status, _, told = ask(provider, "one", "POST", "/upload/v1beta/files", {"file": {}}, **START)
    assert status == 200
    path = "/" + told["x-goog-upload-url"].split("/", 3)[3]
    for command, offset, size in (("upload", "0", 1_000), ("upload", "5", 262_144), ("explode", "0", 0)):
        headers = {"x-goog-upload-command": command, "x-goog-upload-offset": offset}
        assert ask(provider, "", "POST", path, b"x" * size, **headers)[0] == 400, command
    headers = {"x-goog-upload-command": "upload, finalize", "x-goog-upload-offset": "0"}
    assert ask(provider, "", "POST", path, b"x", **headers)[0] == 200
    assert ask(provider, "", "POST", path, b"x", **headers)[0] == 404
