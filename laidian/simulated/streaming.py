"""Sending the events of a stream: pacing, the faults in its middle, and the bill's row before its last byte."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeAlias

from .call import Call
from .faults import HALFWAY, refusal_of
from .values import Ended, Event, Refusal, Usage
from .wire import EventStream

ErrorEvent: TypeAlias = Callable[[Refusal], Event]

FLUSH_S = 0.02
"""Time for what was sent to leave before a reset discards it."""


async def stream_events(
    call: Call,
    events: Sequence[Event],
    usage: Usage,
    error_event: ErrorEvent,
    *,
    pace_ms: int = 0,
    array: bool = False,
) -> None:
    """Send all events and charge `usage`. Raises ClientGone, charging what was generated until then, and Ended."""
    fault = call.fault
    kept = [event for event in events if not (event.terminal and fault == "eof-no-done")]
    half = -(-sum(event.content for event in kept) // 2) if fault in HALFWAY else None
    stream = EventStream(call.exchange, array=array, fault=fault)
    await stream.start()
    sent = 0
    for event in kept[:-1]:
        await call.exchange.pause(pace_ms if event.content and sent else 0)
        call.usage = usage.until(event.output_tokens)
        await stream.send(event)
        sent += event.content
        if sent == half:
            break
    if half is not None:
        await _break_off(call, stream, error_event)
    await call.exchange.pause(pace_ms if kept and kept[-1].content and sent else 0)
    call.usage = usage
    call.close(f"fault:{fault}" if fault == "eof-no-done" else "complete", 200)
    for event in kept[-1:]:
        await stream.send(event)
    await stream.end(whole=fault != "eof-no-done")


async def _break_off(call: Call, stream: EventStream, error_event: ErrorEvent) -> None:
    """End a stream in its middle as the fault says. Raises Ended."""
    call.close(f"fault:{call.fault}", 200)
    match call.fault:
        case "error-event":
            await stream.send(error_event(refusal_of("error-event")))
            await stream.end(whole=False)
        case "eof-mid-stream":
            await stream.end(whole=False)
        case "reset-mid-stream":
            await asyncio.sleep(FLUSH_S)
            await call.exchange.reset()
        case _:
            pass
    raise Ended
