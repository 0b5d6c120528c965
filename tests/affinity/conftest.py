"""Two providers and one instance with an OpenAI and a Gemini upstream at each, and two keys; one set for each module.

Every upstream has a credential of its own, and a provider keeps objects by credential: what reaches the wrong one is not found there.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator

import msgspec
import pytest

from laidian.domain.group import CAPABILITIES
from tests.served import Place, Served, Setup, served
from tests.simulated_provider import SeenRequest, SimulatedProvider, simulated_provider

MODEL = "gpt-5.4"
GEMINI = "gemini-3-flash-preview"


class Reply(msgspec.Struct, frozen=True):
    """An answer as a client sees it; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, object]:
        return json.loads(self.body)

    def text(self, name: str) -> str:
        """A field of the answer that must be text."""
        value = self.json()[name]
        assert isinstance(value, str), self.body
        return value

    def names(self, listed: str, name: str) -> list[str]:
        """A field of each of the listed objects."""
        entries = self.json().get(listed, [])
        assert isinstance(entries, list)
        return [entry[name] for entry in entries]

    def message(self) -> str:
        error = self.json()["error"]
        assert isinstance(error, dict), self.body
        return error["message"]

    def code(self) -> object:
        error = self.json()["error"]
        assert isinstance(error, dict), self.body
        return error["code"]


class World:
    """An instance between two keys and two providers. Upstreams: `a` and `b` are OpenAI's, `ga` and `gb` Gemini's."""

    def __init__(self, laidian: Served, a: SimulatedProvider, b: SimulatedProvider) -> None:
        self.laidian = laidian
        self.a = a
        self.b = b

    def prefer(self, letter: str) -> None:
        """From now on whatever may go anywhere goes to the provider of that letter."""
        other = "b" if letter == "a" else "a"
        for name, priority in ((letter, 0), (f"g{letter}", 0), (other, 1), (f"g{other}", 1)):
            self.laidian.write("UPDATE upstreams SET priority = ? WHERE name = ?", priority, name)

    def seen(self) -> tuple[list[SeenRequest], list[SeenRequest]]:
        """What reached each provider since the last `forget`."""
        return self.a.requests(), self.b.requests()

    def forget(self) -> None:
        for provider in (self.a, self.b):
            provider.reset()

    def paths(self) -> tuple[list[str], list[str]]:
        """The same as method and path."""
        a, b = self.seen()
        return [f"{one.method} {one.path}" for one in a], [f"{one.method} {one.path}" for one in b]

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        /,
        *,
        key: int | None = 1,
        gemini: bool = False,
        headers: dict[str, str] | None = None,
        **named: str,
    ) -> Reply:
        """One call with the key of that number; a body that is not bytes is sent as JSON. Headers are spelled with `_` for `-`."""
        sent = {name.replace("_", "-"): value for name, value in ((headers or {}) | named).items()}
        if key is not None:
            credential = self.laidian.keys[key - 1]
            sent |= {"x-goog-api-key": credential} if gemini else {"authorization": f"Bearer {credential}"}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("content-type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.laidian.port, timeout=30)
        try:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            return Reply(
                response.status,
                {name.lower(): value for name, value in response.getheaders()},
                response.read(),
            )
        finally:
            connection.close()

    def respond(self, text: str = "hi", /, *, key: int = 1, **fields: object) -> Reply:
        return self.call("POST", "/v1/responses", {"model": MODEL, "input": text, **fields}, key=key)

    def upload(self, content: bytes = b"content", /, *, key: int = 1, filename: str = "a.txt") -> str:
        """The id of a new file of OpenAI's."""
        reply = self.call(
            "POST",
            "/v1/files",
            form(content, filename),
            key=key,
            content_type="multipart/form-data; boundary=b",
        )
        assert reply.status == 200, reply.body
        return reply.text("id")


def form(
    content: bytes, filename: str = "a.txt", *, field: str = "file", purpose: str | None = "user_data"
) -> bytes:
    head = (
        b""
        if purpose is None
        else (b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n' + purpose.encode() + b"\r\n")
    )
    return (
        head
        + f'--b\r\nContent-Disposition: form-data; name="{field}"; filename="{filename}"\r\n'.encode()
        + b"Content-Type: text/plain\r\n\r\n"
        + content
        + b"\r\n--b--\r\n"
    )


@pytest.fixture(scope="module")
def providers() -> Iterator[tuple[SimulatedProvider, SimulatedProvider]]:
    with simulated_provider() as a, simulated_provider() as b:
        yield a, b


@pytest.fixture(scope="module")
def instance(providers: tuple[SimulatedProvider, SimulatedProvider]) -> Iterator[Served]:
    a, b = providers
    places = (
        Place("a", "openai", "/v1"),
        Place("b", "openai", "/v1"),
        Place("ga", "gemini", "/v1beta"),
        Place("gb", "gemini", "/v1beta"),
    )
    with served(a, setup=Setup(upstreams=places, capabilities=CAPABILITIES, keys=2)) as laidian:
        for name, path in (("b", "/v1"), ("gb", "/v1beta")):
            laidian.write("UPDATE upstreams SET base_url = ? WHERE name = ?", b.base_url + path, name)
        yield laidian


@pytest.fixture
def world(instance: Served, providers: tuple[SimulatedProvider, SimulatedProvider]) -> World:
    """Clean: nothing made, nothing seen, no faults, every upstream at work, `a` preferred."""
    instance.wait_settled()
    instance.write("UPDATE upstreams SET enabled = 1")
    instance.write("UPDATE groups SET capabilities = ?", json.dumps(CAPABILITIES))
    instance.write("DELETE FROM circuits")
    instance.write("DELETE FROM objects")
    world = World(instance, *providers)
    world.prefer("a")
    world.forget()
    return world
