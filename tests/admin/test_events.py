"""The stream of events from a real server with two workers: whatever worker serves a request, whoever listens hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import Any

import httpx2
import pytest

from laidian.admin.client import AdminClient, UsageFilter
from laidian.admin.schema import Changed, Ended, Event, Gap, Heard, KeyCreate, Refused, Started, Told
from laidian.domain.group import RateLimits
from tests.served import Served, Setup, served
from tests.simulated_provider import simulated_provider

LIMIT_S = 40.0


@pytest.fixture(scope="module")
def laidian() -> Iterator[Served]:
    with (
        simulated_provider() as provider,
        served(provider, workers=2, setup=Setup(keys=2, rates=RateLimits())) as running,
    ):
        yield running


@pytest.fixture
async def admin(laidian: Served) -> AsyncIterator[AdminClient]:
    async with AdminClient.over_http(laidian.base_url, laidian.folder.token(), actor="tui") as client:
        yield client


class Ear:
    """Collects events until one is as wanted."""

    def __init__(self, events: AsyncGenerator[Heard, None]) -> None:
        self._events = events
        self.heard: list[Heard] = []

    async def __aenter__(self) -> Ear:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._events.aclose()

    async def until(self, kind: type[Event], **fields: Any) -> Any:
        async with asyncio.timeout(LIMIT_S):
            async for heard in self._events:
                self.heard.append(heard)
                if isinstance(heard.event, kind) and _fits(heard.event, fields):
                    return heard.event
        raise AssertionError("the stream ended")


def _fits(event: Event, fields: dict[str, Any]) -> bool:
    inner = next(iter(getattr(event, name) for name in event.__struct_fields__))
    return all(getattr(inner, name) == value for name, value in fields.items())


async def chat(
    laidian: Served, text: str = "Hello", *, key: str = "", model: str = "gpt-5.4", stream: bool = False
) -> httpx2.Response:
    async with httpx2.AsyncClient(timeout=LIMIT_S) as client:
        return await client.post(
            f"{laidian.base_url}/v1/chat/completions",
            json={"model": model, "messages": [{"role": "user", "content": text}], "stream": stream},
            headers={"authorization": f"Bearer {key or laidian.key}"},
        )


async def test_a_listener_hears_of_requests_refusals_and_changes_of_every_worker(
    laidian: Served, admin: AdminClient
) -> None:
    async with Ear(admin.events()) as ear:
        told = await ear.until(Told)
        assert told.stats.in_flight == 0
        answers = [await chat(laidian) for _ in range(6)]
        for answer in answers:
            ended = await ear.until(Ended, request_id=answer.headers["x-request-id"])
            assert (ended.record.status, ended.record.key, ended.record.upstream) == (200, "key-1", "sim")
        refused = await chat(laidian, model="no-such-model")
        event = await ear.until(Refused, request_id=refused.headers["x-request-id"])
        assert (event.record.key, event.record.asked_model, event.record.status) == (
            "key-1",
            "no-such-model",
            404,
        )
        assert "no-such-model" in event.record.message
        await admin.create_key(KeyCreate(name="carol"))
        changed = await ear.until(Changed, action="key.create")
        assert (changed.operation.who, changed.operation.name) == ("tui", "carol")
        assert changed.operation.sentence == "created the key `carol`"


async def test_a_listener_that_was_away_goes_on_after_what_it_heard_last(
    laidian: Served, admin: AdminClient
) -> None:
    async with Ear(admin.events()) as ear:
        await ear.until(Told)
        first = await chat(laidian)
        await ear.until(Ended, request_id=first.headers["x-request-id"])
        last_id = ear.heard[-1].id
        await ear.until(Told)
        missed = await chat(laidian)
        laidian.wait_settled()
        async with Ear(admin.events(last_id=last_id)) as again:
            await again.until(Ended, request_id=missed.headers["x-request-id"])
            assert not any(isinstance(heard.event, Gap) for heard in again.heard)


async def test_a_request_in_flight_is_heard_of_and_ended_through_any_worker(
    laidian: Served, admin: AdminClient
) -> None:
    async with Ear(admin.events()) as ear:
        await ear.until(Told)
        stream = asyncio.create_task(chat(laidian, "[[tokens:20000]] [[pace:5]] go on", stream=True))
        started = await ear.until(Started)
        told = await admin.end_request(started.request.request_id)
        assert told.ending
        ended = await ear.until(Ended, request_id=started.request.request_id)
        assert ended.record.ended == "cancelled"
        answer = await stream
        # an answer that had begun ends early, one that had not is refused; nobody is invited to try again
        assert answer.status_code in (200, 403)
        assert '"code":"ended_by_operator"' in answer.text
        assert ended.record.error_code == "ended_by_operator"


async def test_every_refusal_is_a_row_with_its_sentence(laidian: Served, admin: AdminClient) -> None:
    unknown = await chat(laidian, key="sk-AbCd" + "x" * 40)
    missing = await chat(laidian, model="gpt-none", key=laidian.keys[1])
    ids = {answer.headers["x-request-id"] for answer in (unknown, missing)}
    async with asyncio.timeout(LIMIT_S):
        while True:
            page = await admin.usage(UsageFilter(kind="refused"), limit=50)
            found = {record.request_id: record for record in page.items if record.request_id in ids}
            if len(found) == 2:
                break
            await asyncio.sleep(0.1)
    stranger = found[unknown.headers["x-request-id"]]
    assert (stranger.key, stranger.status, stranger.error_code) == ("sk-AbCd…", 401, "invalid_api_key")
    own = found[missing.headers["x-request-id"]]
    assert (own.key, own.group, own.status, own.model) == ("key-2", "default", 404, "gpt-none")
    detail = await admin.usage_detail(own.request_id)
    assert detail.record == own
    assert (await admin.audit()).clean
