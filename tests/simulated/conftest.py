"""One running provider for each test file, emptied before each test."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from tests.simulated_provider import SimulatedProvider, simulated_provider

KEY = "sim-test-key-000001"


@pytest.fixture(scope="module")
def running_provider() -> Iterator[SimulatedProvider]:
    with simulated_provider() as provider:
        yield provider


@pytest.fixture
def provider(running_provider: SimulatedProvider) -> SimulatedProvider:
    running_provider.reset()
    return running_provider


@pytest.fixture
def http(provider: SimulatedProvider) -> Iterator[httpx2.Client]:
    """A client with OpenAI's credential."""
    headers = {"authorization": f"Bearer {KEY}"}
    with httpx2.Client(base_url=provider.base_url, headers=headers, timeout=20, trust_env=False) as client:
        yield client
