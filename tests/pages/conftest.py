"""An instance with an account of every kind, some history and something spent, as the pages show it; and a browser where there is one."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from laidian.domain.group import CAPABILITIES, RateLimits
from tests.pages.browser import PROGRAM, Browser, chromium
from tests.served import HOST, Place, Served, Setup, served, wait_until
from tests.simulated_provider import SimulatedProvider, simulated_provider

CONFIG = """
[pages]
contact = "mailto:help@relay.example"
notice = "Maintenance on Sunday.\\n\\nNothing will be <b>lost</b>."
incident = "One account is slow."
feed = true
"""
SETUP = Setup(
    upstreams=(
        Place("sim-openai", "openai", "/v1", ("gpt-5.4", "gpt-5.5", "gpt-image-2", "text-embedding-*")),
        Place("sim-gemini", "gemini", "/v1beta", ("gemini-*",)),
        Place("sim-anthropic", "anthropic", "/v1", ("claude-*",)),
    ),
    capabilities=CAPABILITIES,
    limits_nano={"5h": 1_000_000_000, "day": 5_000_000_000, "month": 50_000_000_000},
    keys=3,
    key_limit_nano=2_000_000_000,
    rates=RateLimits(requests_per_minute=60, tokens_per_minute=100_000, concurrent_requests=10),
    config=CONFIG,
)
"""The second key's group is disabled, the third has expired."""

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
HOUR_MS = 3_600_000


class Answer(msgspec.Struct, frozen=True):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    laidian: Served,
    path: str,
    headers: dict[str, str] | None = None,
    *,
    method: str = "GET",
    body: bytes | None = None,
) -> Answer:
    """As bytes go over the wire: nothing is added, decompressed or followed. Without headers, a browser's."""
    connection = http.client.HTTPConnection(HOST, laidian.port, timeout=60)
    try:
        connection.request(method, path, body=body, headers=BROWSER if headers is None else headers)
        answer = connection.getresponse()
        return Answer(
            answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        )
    finally:
        connection.close()


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}", "Accept": "application/json"}


@pytest.fixture(scope="module")
def provider() -> Iterator[SimulatedProvider]:
    with simulated_provider() as running:
        yield running


@pytest.fixture(scope="module")
def laidian(provider: SimulatedProvider) -> Iterator[Served]:
    with served(provider, setup=SETUP) as running:
        furnish(running)
        yield running


def furnish(laidian: Served) -> None:
    """Groups of the other keys, requests of the first one, and probes of the last days."""
    laidian.write(
        "INSERT INTO groups (id, name, capabilities, enabled, created_at_ms) VALUES (2, 'closed', '[\"chat\"]', 0, 0)"
    )
    laidian.write("UPDATE keys SET group_id = 2 WHERE id = 2")
    laidian.write("UPDATE keys SET expires_at_ms = 1 WHERE id = 3")
    wait_until(lambda: "claude-opus-4-5" in models(laidian), "every account was asked for its models")
    for model in ("gpt-5.4", "claude-opus-4-5", "gpt-5.4"):
        body = json.dumps({"model": model, "messages": [{"role": "user", "content": "hi"}]}).encode()
        headers = {**bearer(laidian.key), "Content-Type": "application/json"}
        assert ask(laidian, "/v1/chat/completions", headers, method="POST", body=body).status == 200
    laidian.wait_settled()
    wait_until(lambda: asked(laidian) == 3, "the requests are added up")
    hour = int(time.time() * 1000) // HOUR_MS
    for ago, good in ((1, 6), (2, 3), (30, 0), (24 * 40, 6)):
        for upstream_id in (1, 2, 3):
            laidian.write(
                "INSERT OR REPLACE INTO probe_hours VALUES (?, ?, 6, ?)", upstream_id, hour - ago, good
            )


def asked(laidian: Served) -> int:
    """Requests in the rollups."""
    with laidian.database() as database:
        return database.execute("SELECT coalesce(sum(requests), 0) FROM usage_hours").fetchone()[0]


def models(laidian: Served) -> list[str]:
    return [one["id"] for one in ask(laidian, "/v1/models", bearer(laidian.key)).json()["data"]]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if PROGRAM is None:
        pytest.skip(
            "Chromium is not installed; scripts/test installs it when it runs as root and apt is there"
        )
    with chromium() as running:
        yield running
