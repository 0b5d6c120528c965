"""One request to the simulated provider, from its credential to its row on the bill.

A `Call` is what an operation's handler gets. It owns when the bill's row is written (once, before the last
byte leaves), which fault is in force, and the faults that need no answer at all. It does not know any
dialect: an operation brings the function that words a refusal.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from itertools import count
from typing import TypeAlias

import msgspec

from .bill import Bill, BillRow
from .faults import HARMLESS, SLOW_FIRST_BYTE_MS, USAGE, FaultBook, Rule, is_refusal, refusal_of
from .journal import PREFIX_LENGTH, Journal
from .shelf import Shelves
from .values import ClientGone, Ended, Json, JsonObject, Refusal, Usage
from .wire import Exchange

Worded: TypeAlias = Callable[[Refusal, str], Json]
"""How a dialect words a refusal: (refusal, request id) -> body."""

HTML_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n"
_TRANSPORT_AND_SHAPE = HARMLESS | USAGE

_ACCOUNT_HEADERS = (
    ("openai-organization", "org-simulated"),
    ("anthropic-organization-id", "org-simulated"),
    ("x-ratelimit-remaining-requests", "4999"),
    ("set-cookie", "simulated=1; path=/; HttpOnly"),
)
"""Headers that describe the operator's account: real providers send them, and no relay may hand them on."""


class Provider:
    """All state of one simulated provider; it lives in one process and is lost with it."""

    def __init__(self) -> None:
        self.bill = Bill()
        self.journal = Journal()
        self.faults = FaultBook()
        self.shelves = Shelves()
        self._numbers = count(1)

    def next_number(self) -> int:
        return next(self._numbers)


class Call:
    def __init__(
        self, provider: Provider, exchange: Exchange, dialect: str, worded: Worded, billed: bool
    ) -> None:
        self.provider = provider
        self.exchange = exchange
        self.dialect = dialect
        self.number = provider.next_number()
        self.request_id = f"req_sim{self.number:08d}"
        self.started_s = int(time.time())
        self.body = b""
        self.model = ""
        self.stream = False
        self.service_tier: str | None = None
        self.key = ""
        """The credential; only its prefix ever leaves this object."""
        self.usage = Usage()
        """Charged if the exchange ended now."""
        self.rule: Rule | None = None
        self._worded = worded
        self._billed = billed
        self._closed = False
        self._thought = False
        exchange.extra_headers += [("x-request-id", self.request_id), ("request-id", self.request_id)]
        exchange.extra_headers += _ACCOUNT_HEADERS

    @property
    def fault(self) -> str | None:
        return self.rule.fault if self.rule is not None else None

    def object(self) -> JsonObject:
        """The body as a JSON object. Raises Refusal (400) for anything else, NaN and UTF-16 included."""
        refusal = Refusal(
            400, "We could not parse the JSON body of your request. The API expects a JSON object."
        )
        try:
            value: Json = msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise refusal from None
        if not isinstance(value, dict):
            raise refusal
        return value

    async def begin(self, model: str, *, stream: bool = False, fault: str | None = None) -> None:
        """Choose the fault, and carry it out if it comes before an answer.

        Raises Refusal for `http-…` faults, Ended when the fault has answered, ClientGone if the client leaves.
        """
        self.model, self.stream = model, stream
        self.rule = Rule(fault) if fault is not None else self._rule_in_force()
        if self.fault is not None and self.fault not in _TRANSPORT_AND_SHAPE:
            await self._answer_with_fault(self.fault)
        self.exchange.gzip = self.fault == "gzip-anyway"

    async def think(self, usage: Usage, delay_ms: int = 0) -> None:
        """Wait before the first byte. `usage` is charged if the client leaves meanwhile (ClientGone)."""
        self._thought = True
        self.usage = usage
        if self.rule is not None and self.rule.fault == "slow-first-byte":
            delay_ms += self.rule.ms or SLOW_FIRST_BYTE_MS
        await self.exchange.pause(delay_ms)

    async def answer(self, body: Json) -> None:
        """Send a whole answer, charged at `usage`, with the faults that can befall one."""
        await self.answer_bytes(msgspec.json.encode(body), "application/json")

    async def answer_bytes(self, body: bytes, content_type: str) -> None:
        """The same for an answer that is no JSON."""
        if not self._thought:
            await self.think(self.usage)
        await self.exchange.pause(0)
        match self.fault:
            case "cut-mid-stream" | "eof-mid-stream" | "eof-no-done" | "reset-mid-stream":
                self.close(f"fault:{self.fault}", 200)
                await self.exchange.send_half(200, body, content_type)
                if self.fault == "reset-mid-stream":
                    await self.exchange.reset()
                raise Ended
            case "error-event":
                raise refusal_of("error-event")
            case _:
                self.close("complete", 200)
                await self.exchange.send(200, body, content_type)

    async def refuse(self, refusal: Refusal) -> None:
        """Send an error in the dialect's shape. It costs nothing."""
        self.usage = Usage()
        self.close(f"fault:{self.fault}" if self._spoiled() else "error", refusal.status)
        headers: list[tuple[str, str]] = []
        if refusal.retry_after_s is not None:
            headers.append(("retry-after", str(refusal.retry_after_s)))
        await self.exchange.send_json(refusal.status, self._worded(refusal, self.request_id), headers)

    def close(self, ended: str, status: int) -> None:
        """Write the row, once; later calls do nothing."""
        if self._closed or not self._billed:
            return
        self._closed = True
        self.provider.bill.add(
            BillRow(
                seq=0,
                request_id=self.exchange.headers.get("x-client-request-id"),
                provider_request_id=self.request_id,
                key_prefix=self.key[:PREFIX_LENGTH],
                dialect=self.dialect,
                model=self.model,
                stream=self.stream,
                usage=self.usage,
                output_tokens_sent=self.usage.output_tokens,
                ended=ended,
                fault=self.fault,
                status=status,
                service_tier=self.service_tier,
            )
        )

    def distorted(self, usage: JsonObject) -> JsonObject | None:
        """The usage report as the fault in force wants it; None for no report at all."""
        match self.fault:
            case "no-usage":
                return None
            case "usage-negative":
                return _each_count(usage, lambda value: -value - 1)
            case "usage-string":
                return _each_count(usage, str)
            case "usage-huge":
                return _each_count(usage, lambda value: 10**18)
            case _:
                return usage

    def _rule_in_force(self) -> Rule | None:
        return self.provider.faults.take(
            model=self.model, path=self.exchange.path, key=self.key, billed=self._billed
        )

    def _spoiled(self) -> bool:
        return self.fault is not None and self.fault not in _TRANSPORT_AND_SHAPE

    async def _answer_with_fault(self, fault: str) -> None:
        if is_refusal(fault):
            raise refusal_of(fault)
        ended = f"fault:{fault}"
        match fault:
            case "http-502-html":
                self.close(ended, 502)
                await self.exchange.send(502, HTML_PAGE, "text/html")
            case "junk":
                self.close(ended, 200)
                await self.exchange.send(200, HTML_PAGE, "text/html")
            case "error-200":
                self.close(ended, 200)
                await self.exchange.send_json(200, self._worded(refusal_of(fault), self.request_id))
            case "redirect":
                self.close(ended, 302)
                await self.exchange.send(302, b"", "text/plain", [("location", "/redirected")])
            case "reset":
                self.close(ended, 0)
                await self.exchange.reset()
            case "hang":
                await self._hang(ended)
            case _:
                return
        raise Ended

    async def _hang(self, ended: str) -> None:
        try:
            await self.exchange.wait_until(self.provider.faults.released)
        except ClientGone:
            self.close(ended, 0)
            raise
        raise Refusal(
            504, "[simulated] The request hung until the faults were cleared.", code="upstream_timeout"
        )


class Operation(msgspec.Struct, frozen=True):
    """One method and path a dialect answers. A new dialect is a new file with a tuple of these."""

    method: str
    path: re.Pattern[str]
    """Matched against the whole path."""
    handle: Callable[[Call, re.Match[str]], Awaitable[None]]
    dialect: str
    worded: Worded
    credential: Callable[[Exchange], str]
    """The credential of the request. Raises Refusal in the dialect's own way."""
    billed: bool = True
    """True when the operation costs money and so has a row on the bill."""
    speaks: Callable[[Exchange], bool] = lambda exchange: True
    """Whether a request with these headers means this dialect, where dialects share a path."""


def with_usage(body: JsonObject, name: str, usage: JsonObject | None) -> JsonObject:
    """The body with its usage report, if there is one to give."""
    return body if usage is None else {**body, name: usage}


def _each_count(usage: JsonObject, change: Callable[[int], Json]) -> JsonObject:
    changed: JsonObject = {}
    for name, value in usage.items():
        if isinstance(value, dict):
            changed[name] = _each_count(value, change)
        elif isinstance(value, int) and not isinstance(value, bool):
            changed[name] = change(value)
        else:
            changed[name] = value
    return changed
