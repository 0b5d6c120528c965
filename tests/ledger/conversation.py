"""Clients for tests of the ledger: they ask, read some of the answer, and leave when they like."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx2

from tests.served import Served

WORDS = "the quick brown fox jumps over the lazy dog and then it rests " * 40
"""English enough that an estimate by bytes is near the provider's count."""


def chat(
    content: str, *, stream: bool = False, model: str = "gpt-5.4", limit: int | None = 4_000
) -> dict[str, object]:
    body: dict[str, object] = {"model": model, "messages": [{"role": "user", "content": content}]}
    if stream:
        body["stream"] = True
    if limit is not None:
        body["max_completion_tokens"] = limit
    return body


@contextlib.asynccontextmanager
async def clients(laidian: Served) -> AsyncIterator[httpx2.AsyncClient]:
    """Connections of their own for each request, so that leaving one is a hang-up."""
    async with httpx2.AsyncClient(
        base_url=f"{laidian.base_url}/v1",
        headers={"authorization": f"Bearer {laidian.key}"},
        timeout=60,
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=0),
        trust_env=False,
    ) as http:
        yield http


async def ask(laidian: Served, body: dict[str, object]) -> httpx2.Response:
    """The whole answer."""
    async with clients(laidian) as http:
        return await http.post("/chat/completions", json=body)


async def leave_stream(laidian: Served, body: dict[str, object], events: int) -> str:
    """Hangs up after so many events; the request's id."""
    async with clients(laidian) as http, http.stream("POST", "/chat/completions", json=body) as answer:
        assert answer.status_code == 200, await answer.aread()
        seen = 0
        async for line in answer.aiter_lines():
            seen += line.startswith("data:")
            if seen == events:
                break
        return answer.headers["x-request-id"]


async def leave_unanswered(laidian: Served, body: dict[str, object], after_s: float) -> str:
    """Hangs up so long after it was admitted, before a byte of the answer came; the request's id."""
    async with clients(laidian) as http:
        asking = asyncio.create_task(http.post("/chat/completions", json=body))
        while not (held := laidian.holds()):
            await asyncio.sleep(0.01)
        await asyncio.sleep(after_s)
        assert not asking.done(), "it was answered before the client left"
        asking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asking
    (request_id,) = held
    return request_id
