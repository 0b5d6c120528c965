"""One instance with an upstream of every kind for each module; every test ends with the shared comparison of bill and records.

    def test_something(laidian, model, meter): ...

`model` is parametrized over the kinds of upstream, so each test that takes it runs natively and through every translation.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator

import pytest

from laidian.domain.group import CAPABILITIES
from tests.clients.billing import Meter
from tests.clients.recorder import recorded
from tests.served import Place, Served, Setup, served
from tests.simulated_provider import SimulatedProvider, simulated_provider

MODELS = {
    "openai": "gpt-5.4",
    "compatible": "gpt-5.4-mini",
    "gemini": "gemini-3-flash-preview",
    "anthropic": "claude-opus-4-5",
}
"""Kind of upstream to a model that only it serves."""

SETUP = Setup(
    upstreams=(
        Place("sim-openai", "openai", "/v1", ("gpt-5.4", "gpt-5.5", "gpt-image-2", "text-embedding-*")),
        Place("sim-compatible", "compatible", "/v1", ("gpt-5.4-mini",)),
        Place("sim-gemini", "gemini", "/v1beta", ("gemini-*",)),
        Place("sim-anthropic", "anthropic", "/v1", ("claude-*",)),
    ),
    capabilities=CAPABILITIES,
    keys=2,
)
"""The second key has used up its quota."""

ALIASES = {
    "claude-sonnet-5-5": "gpt-5.4",
    "claude-opus-5": "gemini-3-flash-preview",
    "gemini-2.5-pro": "claude-opus-4-5",
    "gemini-2.5-flash": "gpt-5.4",
    "gpt-5.6": "claude-opus-4-5",
    "gpt-5.6-mini": "gemini-3-flash-preview",
}
"""Names that make a client ask for all it can, since it knows the model, and that lead elsewhere."""

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
"""One pixel, in base64."""

BROKEN = ["error-event", "eof-mid-stream", "cut-mid-stream", "reset-mid-stream"]
"""Ways in which a provider's stream ends in the middle."""


@pytest.fixture(scope="module")
def provider_process() -> Iterator[SimulatedProvider]:
    with simulated_provider() as running:
        yield running


@pytest.fixture(scope="module")
def instance(provider_process: SimulatedProvider) -> Iterator[Served]:
    with served(provider_process, setup=SETUP) as running:
        running.write(
            "INSERT INTO quotas (id, name, kind, credited_nano, created_at_ms) VALUES (2, 'spent', 'prepaid', 0, 0)"
        )
        running.write("UPDATE keys SET quota_id = 2 WHERE id = 2")
        running.write("UPDATE groups SET aliases = ?", json.dumps(ALIASES))
        with recorded(running):
            yield running


@pytest.fixture
def provider(provider_process: SimulatedProvider) -> SimulatedProvider:
    provider_process.reset()
    return provider_process


@pytest.fixture
def laidian(instance: Served, provider: SimulatedProvider) -> Served:
    instance.wait_settled()
    return instance


@pytest.fixture(autouse=True)
def meter(laidian: Served, provider: SimulatedProvider) -> Iterator[Meter]:
    meter = Meter(laidian, provider)
    yield meter
    meter.check()


@pytest.fixture(params=MODELS.values(), ids=MODELS)
def model(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def mended(laidian: Served, model: str) -> Iterator[None]:
    """For tests that make an upstream fail: one success afterwards, so that its failures in a row do not add up over tests."""
    yield
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
    headers = {"Authorization": f"Bearer {laidian.key}", "Content-Type": "application/json"}
    url = f"{laidian.base_url}/v1/chat/completions"
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers)) as answer:
        assert answer.status == 200


def upstream_body(provider: SimulatedProvider) -> str:
    """What reached the provider last, as text."""
    return provider.requests()[-1].body.decode()
