"""The one place that reads the wall clock, and how a moment is written; rules take the time as an argument."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now_ms() -> int:
    """Epoch milliseconds."""
    return time.time_ns() // 1_000_000


def moment(at_ms: int) -> str:
    """An epoch in milliseconds as people and programs read it: 2026-11-22T10:00:00Z."""
    # half the time of strftime; lists have thousands of them
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC).isoformat()[:19]}Z"
