"""Wire types of what happens now: requests in flight, and the stream of events.

The rule a newcomer would break: an event is told from a row of the database, never from the memory of one worker, so any worker can
tell it and a reader that comes back continues where it was.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from laidian.admin.schema.operations import Operation
from laidian.admin.schema.upstreams import Probe
from laidian.admin.schema.usage import UsageRecord


class LiveRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request in flight: its hold."""

    request_id: str
    worker: str
    key: str
    group: str
    quota: str
    operation: str
    model: str
    asked_model: str
    upstream: str
    """Empty: none has answered yet, as far as known."""
    stream: bool
    started_at: str
    age_ms: int
    input_tokens: int
    """Likely."""
    output_tokens: int
    """Likely, so far; noted every two seconds."""
    held_usd: str
    multiplier: str
    ending: bool = False
    """The operator has told it to end, and its worker has not done so yet."""


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """Counters of this moment."""

    at: str
    in_flight: int
    held_usd: str
    requests_per_minute: int
    """Settled in the last 60 seconds."""
    tokens_per_minute: int
    failed_5m: int
    """Accepted ones that failed in the last five minutes."""
    refused_5m: int
    requests_5m: int
    """All that ended in the last five minutes, the failed ones included and the refused ones not."""
    requests_today: int
    spent_today_usd: str
    catalog_version: int


class Told(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="stats"):
    """Each second."""

    stats: Stats


class Started(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="started"):
    """A request was accepted. One that ended within the same half second is only told as ended."""

    request: LiveRequest


class Progress(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="progress"):
    """What a request in flight has come to; at most once a second each."""

    request: LiveRequest


class Ended(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="ended"):
    record: UsageRecord


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="refused"):
    record: UsageRecord
    """Of kind `refused`."""


class ProbeMade(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="probe"):
    probe: Probe


class CircuitMoved(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="circuit"):
    upstream: str
    credential: str
    """Label; empty: whatever the credential."""
    model: str
    """Empty: whatever the model."""
    state: Literal["open", "half_open", "closed"]
    open_until: str | None
    reason: str


class Changed(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="change"):
    """The operator changed the set-up."""

    operation: Operation


class Gap(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="gap"):
    """Some events were left out: read the listings again. Comes when a reader was too slow or away for too long."""

    reason: str


Event = Told | Started | Progress | Ended | Refused | ProbeMade | CircuitMoved | Changed | Gap
"""One message of `/events`: its JSON names its kind in `event`, as the line before it does."""


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """An event as a reader got it."""

    id: str
    """Give the last one back as `Last-Event-ID` to continue after it."""
    event: Event
