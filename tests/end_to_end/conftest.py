"""One provider and one instance for each module; every test starts with a clean bill, no faults and closed circuits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.served import Served, served
from tests.simulated_provider import SimulatedProvider, simulated_provider


@pytest.fixture(scope="module")
def provider_process() -> Iterator[SimulatedProvider]:
    with simulated_provider() as running:
        yield running


@pytest.fixture(scope="module")
def instance(provider_process: SimulatedProvider) -> Iterator[Served]:
    with served(provider_process) as running:
        yield running


@pytest.fixture
def provider(provider_process: SimulatedProvider) -> SimulatedProvider:
    provider_process.reset()
    return provider_process


@pytest.fixture
def laidian(instance: Served, provider: SimulatedProvider) -> Served:
    instance.wait_settled()
    return instance
