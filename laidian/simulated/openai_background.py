"""Responses in the background: made while nobody waits, looked at, followed as a stream, cancelled.

`[[delay:ms]]` is how long one is queued, `[[pace:ms]]` the time between its events. It is on the bill when it is done, whoever has left
meanwhile; a cancelled one costs what it had come to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Protocol

from .call import Call
from .directives import read_directives
from .generation import compose
from .models import Model
from .shelf import Running, StoredResponse
from .values import Answer, ClientGone, Ended, Event, JsonObject, Prompt
from .wire import EventStream, Exchange

_LOOK_MS = 5.0
"""Between two looks of one who follows."""


class BackgroundShape(Protocol):
    """What a response's own shape offers."""

    def replay(self, answer: Answer, chunk_tokens: int) -> tuple[Event, ...]: ...

    def store(
        self, answer: Answer, events: tuple[Event, ...], running: Running | None = None
    ) -> StoredResponse | None: ...


async def answer_later(call: Call, model: Model, prompt: Prompt, shape: BackgroundShape) -> None:
    """Begin a response and tell what there is of it: its head, or with `stream` its events as they come."""
    directives = read_directives(prompt.last_user_text)
    call.model, call.stream, call.service_tier = model.id, prompt.stream, prompt.service_tier
    await call.begin(model.id, stream=prompt.stream, fault=directives.fault)
    answer = compose(prompt, directives, model, call.number, call.started_s)
    events = shape.replay(answer, directives.chunk)
    loop = asyncio.get_running_loop()
    running = Running(loop.time() + directives.delay_ms / 1000, directives.pace_ms / 1000)
    stored = shape.store(answer, events, running)
    assert stored is not None, "the checks refuse what is not to be stored"

    def settle(whole: bool) -> None:
        running.settle = None
        call.usage = answer.usage if whole else answer.usage.until(_tokens(stored))
        call.close("complete" if whole else "cancelled", 200)

    running.settle = settle
    loop.call_at(running.begins_at_s + _length_s(stored), lambda: running.settle and running.settle(True))
    if not prompt.stream:
        await call.exchange.send_json(200, {**_unfinished(stored), "status": "queued"})
        return
    try:
        await follow(call.exchange, stored, -1, call.fault)
    except ClientGone:
        raise Ended from None  # nobody has to be there for it to go on, and to be billed


async def follow(exchange: Exchange, stored: StoredResponse, after: int, fault: str | None) -> None:
    """Its events behind one of them, as they come."""
    stream = EventStream(exchange, array=False, fault=fault)
    await stream.start()
    place = after + 1
    while True:
        for event in stored.events[place : _come(stored)]:
            await stream.send(event)
            place += 1
        if place >= len(stored.events) or _cancelled(stored):
            break
        if fault == "cut-mid-stream" and place > len(stored.events) // 2:
            return
        await exchange.pause(_LOOK_MS)
    await stream.end()


def now(stored: StoredResponse) -> JsonObject:
    """The response as it is at this moment."""
    if stored.running is None or (_come(stored) == len(stored.events) and not _cancelled(stored)):
        return stored.body
    if _cancelled(stored):
        return {**_unfinished(stored), "status": "cancelled"}
    begun = asyncio.get_running_loop().time() >= stored.running.begins_at_s
    return {**_unfinished(stored), "status": "in_progress" if begun else "queued"}


def cancel(stored: StoredResponse) -> bool:
    """Ends it where it is; False for a response that somebody waited for."""
    running = stored.running
    if running is None:
        return False
    if running.settle is not None:
        running.ended_at_s = asyncio.get_running_loop().time()
        running.settle(False)
    return True


def _unfinished(stored: StoredResponse) -> JsonObject:
    return {**stored.body, "output": [], "usage": None, "incomplete_details": None}


def _cancelled(stored: StoredResponse) -> bool:
    return stored.running is not None and stored.running.ended_at_s is not None


def _come(stored: StoredResponse) -> int:
    """How many of its events there are."""
    running = stored.running
    if running is None:
        return len(stored.events)
    at_s = running.ended_at_s if running.ended_at_s is not None else asyncio.get_running_loop().time()
    return sum(1 for moment in _moments(stored.events, running) if moment <= at_s)


def _moments(events: tuple[Event, ...], running: Running) -> Iterator[float]:
    moment = running.begins_at_s
    for event in events:
        moment += running.pace_s if event.content or event.terminal else 0.0
        yield moment


def _length_s(stored: StoredResponse) -> float:
    assert stored.running is not None
    return list(_moments(stored.events, stored.running))[-1] - stored.running.begins_at_s


def _tokens(stored: StoredResponse) -> int:
    events = stored.events[: _come(stored)]
    return events[-1].output_tokens if events else 0
