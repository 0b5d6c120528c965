"""One provider endpoint as the relay sees it: where it is, what it serves, with which credentials."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Literal

import msgspec

UpstreamKind = Literal["openai", "gemini", "anthropic", "compatible", "responses"]


class Secret:
    """A string that never shows itself: not in a repr, not in a format, not in JSON. Read it with `reveal()`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__


class Credential(msgspec.Struct, frozen=True):
    id: int
    label: str
    secret: Secret


class Upstream(msgspec.Struct, frozen=True):
    id: int
    name: str
    kind: UpstreamKind
    base_url: str
    enabled: bool
    priority: int
    """Lower is tried first, where the group does not rank its upstreams itself."""
    weight: int
    """Share of the traffic among upstreams of the same rank; 0 is last."""
    max_concurrent: int | None
    """Requests in flight at once; None is unlimited. Divided among workers, at least one each."""
    proxy: Secret | None
    """Egress proxy URL: http://, socks5:// or socks5h://, possibly with a password."""
    models: tuple[str, ...]
    """Shell patterns of model names that the operator says it serves; empty: what a probe found."""
    aliases: dict[str, str]
    """Our name of a model to this upstream's own."""
    discovered: frozenset[str]
    """Model names that the last successful probe listed; empty until one succeeded."""
    credentials: tuple[Credential, ...]
    connect_timeout_s: float
    first_byte_timeout_s: float
    idle_timeout_s: float

    def name_of(self, model: str) -> str | None:
        """This upstream's name for a model, or None when it does not serve it.

        An upstream with neither patterns nor a successful probe is taken to serve anything: its own 404 will tell.
        """
        theirs = self.aliases.get(model)
        if theirs is not None:
            return theirs
        if self.models:
            return model if any(fnmatchcase(model, pattern) for pattern in self.models) else None
        if self.discovered:
            return model if model in self.discovered else None
        return model

    def listed(self) -> frozenset[str]:
        """Models it can be said to serve by name: exact patterns, aliases, and discovered names inside the patterns."""
        exact = {pattern for pattern in self.models if not any(mark in pattern for mark in "*?[")}
        found = {name for name in self.discovered if self.name_of(name) is not None}
        return frozenset(exact | found | set(self.aliases))
