"""One instance for all tests of the dashboard that only look: a real server, in front of a simulated provider, with a little history."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import httpx2
import pytest

from laidian.admin.client import AdminClient
from tests.served import Place, Served, Setup, served, wait_until
from tests.simulated_provider import SimulatedProvider, simulated_provider
from tui.feed import Connect

SETUP = Setup(
    upstreams=(Place("sim", "openai", "/v1"), Place("gemini-a", "gemini", "/v1beta", ("gemini-*",))),
    capabilities=("chat", "responses", "images", "gemini"),
    limits_nano={"day": 10_000_000_000, "month": 100_000_000_000},
    keys=3,
)
CHAT = {"model": "gpt-5.4", "messages": [{"role": "user", "content": "hello"}]}


class Console:
    """A running instance, and how the dashboard gets to it."""

    def __init__(self, provider: SimulatedProvider, laidian: Served) -> None:
        self.provider = provider
        self.laidian = laidian
        self.now: datetime.datetime | None = None
        """For the dashboard it stays that time, so that hours and minutes are the same ones in every picture."""

    @property
    def connect(self) -> Connect:
        async def connect() -> AdminClient:
            return self.client()

        if self.now is not None:
            connect.now = lambda: self.now  # pyright: ignore[reportFunctionMemberAccess]
        return connect

    def client(self) -> AdminClient:
        return AdminClient.over_http(self.laidian.base_url, self.laidian.folder.token())

    def call(self, key: int = 0, **body: object) -> int:
        """One chat request with the key of that number; the status."""
        url = f"{self.laidian.base_url}/v1/chat/completions"
        headers = {"authorization": f"Bearer {self.laidian.keys[key]}"}
        return httpx2.post(url, headers=headers, json={**CHAT, **body}, timeout=60).status_code


@pytest.fixture(scope="session")
def provider() -> Iterator[SimulatedProvider]:
    with simulated_provider() as running:
        yield running


@pytest.fixture(scope="session")
def console(provider: SimulatedProvider) -> Iterator[Console]:
    """Shared: tests look at it and leave it as it is. Its history: five requests of three keys, one of which the provider refused."""
    with served(provider, setup=SETUP) as laidian:
        laidian.write("UPDATE keys SET name = '小王-笔记本' WHERE id = 2")
        laidian.write("UPDATE keys SET name = 'alice-mac' WHERE id = 1")
        laidian.write("UPDATE keys SET name = 'ci-bot', limit_nano = 10000000000 WHERE id = 3")
        console = Console(provider, laidian)
        assert console.call(0) == 200
        assert console.call(1) == 200
        assert console.call(2, model="gpt-5.4-mini") == 200
        assert console.call(2, model="gpt-5.4-mini") == 200
        provider.fault("http-400", times=1)
        assert console.call(0) == 400
        provider.clear_faults()
        laidian.wait_settled()
        wait_until(lambda: _probed(laidian) >= 2, "both upstreams are probed")
        console.now = datetime.datetime.now(datetime.UTC)
        yield console


def _probed(laidian: Served) -> int:
    with laidian.database() as database:
        return database.execute("SELECT count(DISTINCT upstream_id) FROM probes").fetchone()[0]


@pytest.fixture
def own_console(provider: SimulatedProvider) -> Iterator[Console]:
    """For tests that change something, or that take the server away."""
    with served(provider, setup=SETUP) as laidian:
        yield Console(provider, laidian)
