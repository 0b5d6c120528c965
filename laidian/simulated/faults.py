"""The names of all faults, and the book of those that are switched on.

A fault comes from a directive in the prompt (it wins) or from the book, which the control API writes. A
rule with `times` is used up by the requests it hits. Rules reach the operations that cost money; one with
a `path` reaches whatever request has that text in its path, the model list included.

Two faults need more than ASGI offers: `reset` and `reset-mid-stream` find the connection's socket among the
process's own descriptors and send a real TCP reset (Linux). Elsewhere they are approximated: `reset` by the
500 that Granian gives for no answer at all, `reset-mid-stream` by a FIN inside the body, like `cut-mid-stream`.
"""

from __future__ import annotations

import asyncio

import msgspec

from .values import Refusal

FAULTS: dict[str, str] = {
    "http-400": "400 in the provider's shape",
    "http-401": "401, the credential is refused",
    "http-403": "403, the credential may not do this",
    "http-408": "408",
    "http-429": "429 rate limit with Retry-After: 1",
    "http-429-quota": "429 insufficient_quota, the account's money is used up",
    "http-500": "500 in the provider's shape",
    "http-502-html": "502 with an HTML page",
    "http-503": "503 in the provider's shape",
    "http-529": "529 overloaded, as Anthropic says it",
    "hang": "no byte until the faults are cleared (then 504) or the client leaves; bills nothing",
    "reset": "TCP reset before any byte",
    "reset-mid-stream": "TCP reset after half of the content",
    "cut-mid-stream": "FIN after half of the content, without the last chunk (truncated body)",
    "eof-mid-stream": "a clean end of body after half of the content",
    "error-event": "an error event after half of the content, then a clean end",
    "eof-no-done": "all content, then a clean end without the terminal event",
    "no-usage": "no usage, even when asked for",
    "usage-twice": "usage told twice",
    "usage-negative": "usage with negative counts",
    "usage-string": "usage with counts as strings",
    "usage-huge": "usage with counts beyond reason (10**18)",
    "junk": "200 with an HTML page; bills nothing",
    "error-200": "200 with an error object; bills nothing",
    "crlf": "SSE lines end with CRLF",
    "comments": "SSE comments between the events",
    "split": "each event in three pieces, cut inside a character where there is one of several bytes",
    "merge": "three events in one chunk",
    "slow-first-byte": "wait before the first byte: `ms` of the rule, else 2000",
    "redirect": "302 to /redirected",
    "gzip-anyway": "a gzip-encoded answer nobody asked for",
}

HARMLESS = frozenset({"crlf", "comments", "split", "merge", "slow-first-byte", "gzip-anyway"})
"""Faults that change how the answer travels, not what it says."""
USAGE = frozenset({"no-usage", "usage-twice", "usage-negative", "usage-string", "usage-huge"})
HALFWAY = frozenset({"reset-mid-stream", "cut-mid-stream", "eof-mid-stream", "error-event"})

SLOW_FIRST_BYTE_MS = 2_000


_REFUSALS: dict[str, tuple[int, str, str | None]] = {
    "http-400": (400, "The request is invalid.", "invalid_value"),
    "http-401": (401, "Incorrect API key provided.", "invalid_api_key"),
    "http-403": (403, "You have insufficient permissions for this operation.", "insufficient_permissions"),
    "http-408": (408, "The request took too long to arrive.", "request_timeout"),
    "http-429": (429, "Rate limit reached; try again in 1s.", "rate_limit_exceeded"),
    "http-429-quota": (429, "You exceeded your current quota.", "insufficient_quota"),
    "http-500": (500, "The server had an error while processing your request.", None),
    "http-503": (503, "The server is overloaded.", "server_is_overloaded"),
    "http-529": (529, "Overloaded", "server_is_overloaded"),
}


def is_refusal(fault: str) -> bool:
    """Whether the fault is an error answer in the provider's shape, in place of the answer."""
    return fault in _REFUSALS


def refusal_of(fault: str) -> Refusal:
    """The error the fault says; for faults that are not one in themselves, a 500."""
    status, message, code = _REFUSALS.get(
        fault, (500, "The server had an error in the middle of an answer.", None)
    )
    quota = code == "insufficient_quota"
    return Refusal(
        status,
        f"[simulated] {message}",
        kind=code if quota else None,
        code=code,
        retry_after_s=1 if fault == "http-429" else None,
    )


class Rule(msgspec.Struct, forbid_unknown_fields=True):
    """One switched-on fault. All conditions given must hold."""

    fault: str
    model: str | None = None
    """Only requests for this model."""
    path: str | None = None
    """Only requests whose path contains this text; then free operations count too."""
    key_prefix: str | None = None
    """Only requests whose credential begins with this text."""
    times: int | None = None
    """How many requests it still hits; None for all until cleared."""
    ms: int | None = None
    """Milliseconds, for `slow-first-byte`."""


class FaultBook:
    """The rules in force, first match first, and those who hang until they are cleared."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self._release = asyncio.Event()

    def add(self, rule: Rule) -> None:
        """Raises ValueError, as a sentence, for a fault or a count that does not exist."""
        if rule.fault not in FAULTS:
            raise ValueError(
                f"there is no fault named '{rule.fault}'; there are: {', '.join(sorted(FAULTS))}"
            )
        if rule.times is not None and rule.times < 1:
            raise ValueError(f"times is {rule.times}; it must be at least 1, or absent for always")
        self.rules.append(rule)

    def take(self, *, model: str, path: str, key: str, billed: bool) -> Rule | None:
        """The rule that hits this request, if any; one of its times is used up."""
        for rule in self.rules:
            if not _hits(rule, model=model, path=path, key=key, billed=billed):
                continue
            if rule.times is not None:
                rule.times -= 1
                if rule.times == 0:
                    self.rules.remove(rule)
            return rule
        return None

    def clear(self) -> None:
        """Switch all faults off and let those who hang go on."""
        self.rules.clear()
        self._release.set()
        self._release = asyncio.Event()

    @property
    def released(self) -> asyncio.Event:
        """Set by the next `clear`."""
        return self._release


def _hits(rule: Rule, *, model: str, path: str, key: str, billed: bool) -> bool:
    if rule.path is None and not billed:
        return False
    if rule.path is not None and rule.path not in path:
        return False
    if rule.model is not None and rule.model != model:
        return False
    return rule.key_prefix is None or key.startswith(rule.key_prefix)
