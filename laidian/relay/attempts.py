"""Trying upstreams until one answers: what counts as whose failure, and what comes next.

The rule: before the client has a byte, a failure of an upstream moves on to the next candidate, within a number of attempts and
one budget of time; the caller's own 4xx ends the search and says nothing about the upstream; an upstream's 401 or 403 is the
operator's credential and never the client's. After the first byte nothing is ever tried again.
"""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime

import msgspec

from laidian.domain.circuit import FaultKind
from laidian.domain.selection import Candidate
from laidian.errors import LaidianError, UpstreamBroken, UpstreamLimited, UpstreamRefused, UpstreamSilent
from laidian.protocol.family import Family
from laidian.upstream.faults import TimeoutFault, TransportFault
from laidian.upstream.transport import Exchange

ERROR_BYTES = 64 * 1024
"""How much of an upstream's error answer is read."""

_EXHAUSTED_CODES = frozenset(
    {"insufficient_quota", "credit_balance_exhausted", "billing_hard_limit_reached", "project_spend_limit_exceeded",
     "organization_spend_limit_exceeded", "organization_usage_limit_exceeded", "billing_not_active"}
)  # fmt: skip
"""OpenAI's words for "the operator's money there is used up" (protocol.md 5.1)."""

_BAD_KEY = "api key not valid"
"""Google answers 400 for a wrong key, also in its compatible endpoint (protocol.md 2.5)."""

_TELLTALE = re.compile(
    r"(?:sk|sess|rk|AIza|org|proj|key)[-_][\w*.…-]{4,}|AIza[\w-]{10,}|https?://[^\s\"']+|\bBearer\s+\S+"
)
"""Pieces of the operator's account that an upstream's message may repeat."""


class Attempt(msgspec.Struct):
    """One upstream tried, for the record. `outcome` is `ok` or a fault kind."""

    upstream: str
    credential: str
    outcome: str
    status: int
    duration_ms: int
    message: str


class AttemptFailed(Exception):
    """The upstream failed and another may do better."""

    def __init__(
        self,
        kind: FaultKind,
        name: str,
        reason: str,
        *,
        detail: str = "",
        status: int = 0,
        retry_after_ms: int | None = None,
        counts: bool = True,
    ) -> None:
        super().__init__(f"{name}: {reason}")
        self.kind: FaultKind = kind
        self.name = name
        """The upstream's."""
        self.reason = reason.rstrip(".")
        """For the client: never an address."""
        self.detail = detail or reason
        """For the operator."""
        self.status = status
        self.retry_after_ms = retry_after_ms
        self.counts = counts
        """Whether it says something about the upstream's health."""


def of_transport(fault: TransportFault, name: str) -> AttemptFailed:
    """The failure of an exchange; addresses stay with the operator."""
    if fault.phase == "connect":
        return AttemptFailed("reach", name, "it cannot be reached", detail=fault.message)
    if isinstance(fault, TimeoutFault):
        return AttemptFailed("silent", name, "it did not answer in time", detail=fault.message)
    return AttemptFailed("server", name, "it broke off the connection or its answer", detail=fault.message)


async def judge(exchange: Exchange, candidate: Candidate, family: Family, now_ms: int) -> None:
    """Returns for a 200; raises AttemptFailed or UpstreamRefused for anything else, having read the answer's reason."""
    status = exchange.status
    if status == 200:
        return
    name = candidate.upstream.name
    if status < 400:
        exchange.abort()
        kind = "a redirect" if 300 <= status < 400 else "an unexpected success"
        raise AttemptFailed(
            "server", name, f"it answered {status}, {kind}, which is not followed", status=status
        )
    retry_after_ms = _retry_after_ms(
        exchange.header(b"retry-after-ms"), exchange.header(b"retry-after"), now_ms
    )
    body = await exchange.read(ERROR_BYTES)
    error = family.read_error(body)
    said = scrubbed(error.message).rstrip(".") or f"HTTP {status}"
    if status in (401, 402, 403) or (status == 400 and _BAD_KEY in error.message.lower()):
        kind = "exhausted" if status == 402 else "refused_credential"
        raise AttemptFailed(
            kind, name, f"it does not accept the operator's credential ({status})", status=status
        )
    if status == 400 and error.code in _EXHAUSTED_CODES:
        raise AttemptFailed("exhausted", name, "the operator's balance there is used up", status=status)
    if status == 429:
        if error.code in _EXHAUSTED_CODES or error.type in _EXHAUSTED_CODES:
            raise AttemptFailed("exhausted", name, "the operator's balance there is used up", status=status)
        raise AttemptFailed(
            "limited", name, f"it limits the rate: {said}", status=status, retry_after_ms=retry_after_ms
        )
    if status in (408, 409) or status >= 500:
        raise AttemptFailed(
            "server", name, f"it answered {status}: {said}", status=status, retry_after_ms=retry_after_ms
        )
    of_the_request = error.param not in (
        None,
        "",
        "model",
    )  # an item or a file that it names, and no other upstream has either
    if (status == 404 and not of_the_request) or (status == 400 and error.code == "model_not_found"):
        # another upstream may have the model; and what this one lacks is no fault of its health
        raise AttemptFailed("server", name, f"it answered {status}: {said}", status=status, counts=False)
    raise UpstreamRefused(
        status,
        scrubbed(error.message) or f"The upstream refused the request with status {status}.",
        code=error.code or "invalid_request",
        param=error.param,
        type_=error.type or "invalid_request_error",
    )


def verdict(failures: list[AttemptFailed], model: str) -> LaidianError:
    """What the client is told when every attempt failed."""
    tried = "; ".join(f"{failure.name}: {failure.reason}" for failure in failures)
    if all(failure.status == 404 for failure in failures):
        return UpstreamRefused(
            404,
            f"The upstream does not have the model `{model}`: {failures[-1].reason}. GET /v1/models lists yours.",
            code="model_not_found",
            param="model",
            type_="invalid_request_error",
        )
    waits = [failure.retry_after_ms for failure in failures if failure.retry_after_ms is not None]
    wait_s = min(waits) / 1000 if waits else None
    if all(failure.kind == "limited" for failure in failures):
        return UpstreamLimited(
            f"Every upstream that serves `{model}` limits its rate right now. {tried}. This is not your key's limit.",
            retry_after_s=wait_s or 5.0,
        )
    if all(failure.kind == "silent" for failure in failures):
        return UpstreamSilent(
            f"No upstream answered in time for `{model}`. {tried}. Try again, or ask for less output."
        )
    return UpstreamBroken(
        f"No upstream could answer for `{model}`. {tried}. This is not your key's fault; the operator sees it."
    )


def scrubbed(message: str) -> str:
    """An upstream's message without account ids, key fragments and addresses, on one line, bounded."""
    return " ".join(_TELLTALE.sub("[removed]", message).split())[:600]


def _retry_after_ms(milliseconds: bytes | None, seconds: bytes | None, now_ms: int) -> int | None:
    """Both forms of waiting, in milliseconds; Retry-After may be seconds or an HTTP date. None when there is no sense in it."""
    for raw, factor in ((milliseconds, 1), (seconds, 1000)):
        if raw is None:
            continue
        try:
            wait_ms = float(raw) * factor
        except ValueError:
            wait_ms = _until_date_ms(raw.decode("latin-1"), now_ms)
        if wait_ms is not None and 0 <= wait_ms < 1e12:
            return int(wait_ms)
    return None


def _until_date_ms(value: str, now_ms: int) -> float | None:
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() * 1000 - now_ms)
    except (TypeError, ValueError):
        return None
