"""One provider and one instance for each module, with a key for every kind of quota; money is put where a test wants it with SQL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from laidian.domain.group import CAPABILITIES
from laidian.domain.quota import WindowKind, window_end_ms, window_start_ms
from tests.routes.conftest import Caller, Reply
from tests.served import Served, Setup, served
from tests.simulated_provider import SimulatedProvider, simulated_provider

GOLDEN = Path(__file__).parent / "golden"
PREPAID, LIMITED, PLAN, FIVE_HOURS, UNLIMITED, OTHER = range(1, 7)
"""Ids of keys, and of the quotas they are on: a balance; a balance and a limit of its own; a plan; one of five hours alone; none; and
another holder on the first one's balance."""
QUOTAS = (
    (2, "shared", "prepaid", "{}", 8_000_000_000),
    (
        3,
        "plan",
        "plan",
        '{"5h": 1000000000, "day": 5000000000, "week": 20000000000, "month": 60000000000}',
        0,
    ),
    (4, "sprint", "plan", '{"5h": 1000000000}', 0),
    (5, "house", "unlimited", "{}", 0),
)
CHAT = {"model": "gpt-5.4", "messages": [{"role": "user", "content": "x"}]}


class Holders(msgspec.Struct, frozen=True):
    """The instance, and each key by its id."""

    laidian: Served

    def as_key(self, key_id: int) -> Caller:
        caller = Caller(self.laidian)
        caller.key = self.laidian.keys[key_id - 1]
        return caller

    def get(self, key_id: int, path: str) -> Reply:
        return self.as_key(key_id).bearer("GET", path)

    def chat(self, key_id: int, **more: object) -> Reply:
        reply = self.as_key(key_id).bearer("POST", "/v1/chat/completions", json.dumps(CHAT | more).encode())
        self.laidian.wait_settled()
        return reply

    def write(self, statement: str, *values: object) -> None:
        self.laidian.write(statement, *values)

    def spend(self, key_id: int, start: str, model: str, charged_nano: int) -> None:
        """A record of the past: 100 fresh, 20 cached and 10 written tokens, 50 of output and 5 of thought, in 900 ms."""
        at_ms = int(datetime.fromisoformat(start).timestamp() * 1000)
        self.write(
            "INSERT INTO usage_records (request_id, key_id, group_id, quota_id, operation, model, asked_model, upstream_model, stream, "
            "started_at_ms, duration_ms, status, ended, error_code, usage_from, input, cached_input, cache_write, cache_write_1h, "
            "image_input, cached_image_input, audio_input, cached_audio_input, output, reasoning, image_output, audio_output, images, "
            "seconds, characters, web_searches, price_version, service_tier, multiplier_ppm, amount_nano, shortfall_nano, held_nano, "
            "windows, attempts, client) SELECT 'req_past_' || ? || '_' || (SELECT count(*) FROM usage_records), k.id, k.group_id, "
            "k.quota_id, 'openai.chat', ?, ?, ?, 0, ?, 900, 200, 'complete', '', 'upstream', 100, 20, 10, 0, 0, 0, 0, 0, 50, 5, 0, 0, "
            "0, 0, 0, 0, 'v', 'default', 1000000, ?, 7, ?, '{}', '[]', 'test' FROM keys k WHERE k.id = ?",
            key_id, model, model, model, at_ms, charged_nano + 7, charged_nano, key_id,
        )  # fmt: skip
        self.write("UPDATE keys SET spent_nano = spent_nano + ? WHERE id = ?", charged_nano, key_id)
        self.write(
            "UPDATE quotas SET spent_nano = spent_nano + ? WHERE id = (SELECT quota_id FROM keys WHERE id = ?)",
            charged_nano,
            key_id,
        )

    def charged_nano(self, key_id: int) -> int:
        """By the records."""
        return sum(record.charged_nano for record in self.laidian.records() if record.key_id == key_id)

    def clean(self) -> None:
        """As after the start: nothing asked, nothing spent."""
        for table in ("usage_records", "holds", "plan_windows", "circuits"):
            self.write(f"DELETE FROM {table}")
        self.write(
            "UPDATE keys SET spent_nano = 0, held_nano = 0, enabled = 1, expires_at_ms = NULL, deleted_at_ms = NULL"
        )
        self.write("UPDATE keys SET limit_nano = CASE id WHEN ? THEN 10000000000 END", LIMITED)
        self.write("UPDATE quotas SET spent_nano = 0, held_nano = 0, enabled = 1, expires_at_ms = NULL")
        self.write("UPDATE quotas SET credited_nano = 5000000000 WHERE id = 1")
        self.write("UPDATE quotas SET credited_nano = 8000000000 WHERE id = 2")
        self.write("UPDATE groups SET enabled = 1, multiplier_ppm = 1000000")


@pytest.fixture(scope="module")
def provider_process() -> Iterator[SimulatedProvider]:
    with simulated_provider() as running:
        yield running


@pytest.fixture(scope="module")
def instance(provider_process: SimulatedProvider) -> Iterator[Holders]:
    setup = Setup(credited_nano=5_000_000_000, keys=6)
    with served(provider_process, setup=setup) as running:
        running.write("UPDATE groups SET capabilities = ?", json.dumps(CAPABILITIES))
        for quota in QUOTAS:
            running.write(
                "INSERT INTO quotas (id, name, kind, limits_nano, credited_nano, created_at_ms) VALUES (?, ?, ?, ?, ?, 0)",
                *quota,
            )
        running.write("UPDATE keys SET quota_id = CASE id WHEN ? THEN 1 ELSE id END", OTHER)
        yield Holders(running)


@pytest.fixture
def holders(instance: Holders, provider_process: SimulatedProvider) -> Holders:
    provider_process.reset()
    instance.clean()
    return instance


def golden(name: str, **said: object) -> dict[str, object]:
    """An answer that is kept whole, with what no file can know put in: `"<name>"` becomes the value."""
    text = (GOLDEN / f"{name}.json").read_text()
    for placeholder, value in said.items():
        text = text.replace(f'"<{placeholder}>"', json.dumps(value))
    assert '"<' not in text, text
    return json.loads(text)


def moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def calendar() -> dict[str, object]:
    """When the windows of now begin and end, for a golden file."""
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    kinds: tuple[WindowKind, ...] = ("day", "week", "month")
    said: dict[str, object] = {}
    for kind in kinds:
        start_ms = window_start_ms(kind, now_ms, None)
        said |= {f"{kind}_start": moment(start_ms), f"{kind}_end": moment(window_end_ms(kind, start_ms))}
    return said


def in_days(days: int) -> tuple[int, str]:
    """An hour after so many days, in epoch milliseconds and as it is said."""
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=days, hours=1)
    return int(at.timestamp()) * 1000, moment(int(at.timestamp()) * 1000)
