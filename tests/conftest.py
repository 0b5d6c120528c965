"""For every test: that what is tested is what was asked for, and that no judgement hangs on how busy the machine is."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

import laidian
from tests.program import ARCHIVE

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_configure() -> None:
    if ARCHIVE and not str(laidian.__file__).startswith(os.environ["LAIDIAN_CACHE"]):
        raise pytest.UsageError(
            f"laidian comes from {laidian.__file__}, not from {ARCHIVE}; use scripts/test_archive"
        )
