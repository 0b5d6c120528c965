"""One provider and one instance for each module; its group has every capability, so that a route's state is the route's."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator

import msgspec
import pytest

from laidian.domain.group import CAPABILITIES
from tests.served import Served, served
from tests.simulated_provider import SimulatedProvider, simulated_provider


class Reply(msgspec.Struct, frozen=True):
    """An answer as a client sees it; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, object]:
        return json.loads(self.body)

    def error(self) -> dict[str, object]:
        """The `error` object, which all three families have."""
        error = self.json()["error"]
        assert isinstance(error, dict), self.body
        return error


class Caller:
    """Calls one instance; each call on a connection of its own."""

    def __init__(self, laidian: Served) -> None:
        self.laidian = laidian
        self.key = laidian.key

    def __call__(self, method: str, path: str, body: bytes | None = None, /, **headers: str) -> Reply:
        """Header names are spelled with `_` for `-`; nothing is added to them."""
        connection = http.client.HTTPConnection("127.0.0.1", self.laidian.port, timeout=30)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            response = connection.getresponse()
            seen = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, seen, response.read())
        finally:
            connection.close()

    def bearer(self, method: str, path: str, body: bytes | None = None, /, **headers: str) -> Reply:
        return self(method, path, body, authorization=f"Bearer {self.key}", **headers)


@pytest.fixture(scope="module")
def provider(request: pytest.FixtureRequest) -> Iterator[SimulatedProvider]:
    with simulated_provider() as running:
        yield running


@pytest.fixture(scope="module")
def laidian(provider: SimulatedProvider) -> Iterator[Served]:
    with served(provider) as running:
        running.write("UPDATE groups SET capabilities = ?", json.dumps(CAPABILITIES))
        running.write(
            "UPDATE upstreams SET models = ?",
            json.dumps(
                [
                    "gpt-5.4",
                    "gpt-image-2",
                    "text-embedding-3-small",
                    "openai/gpt-5.4",
                    "ft:gpt-4o-2024-08-06:org::id",
                ]
            ),
        )
        yield running


@pytest.fixture(scope="module")
def call(laidian: Served) -> Caller:
    return Caller(laidian)
