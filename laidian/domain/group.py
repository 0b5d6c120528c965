"""What a key may use: models, capabilities, upstreams in order, rates, and what a hang-up means.

Pure rules over one value. A model name is matched after the group's alias was applied, never before.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Literal

import msgspec

CAPABILITIES = ("chat", "responses", "embeddings", "images", "audio", "moderations", "gemini", "anthropic")
"""Every capability a group can have; an operation names the one it needs."""

AbortPolicy = Literal["cancel", "drain"]
"""What happens upstream when the client hangs up: `cancel` closes it and bills what was seen; `drain` reads on, bounded, and bills exactly."""


class Rank(msgspec.Struct, frozen=True):
    """One upstream of a group. Lower ranks are tried first; the same rank shares by the upstreams' weights."""

    upstream_id: int
    rank: int


class RateLimits(msgspec.Struct, frozen=True):
    """Limits of each key in the group; None means no limit."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrent_requests: int | None = None

    @property
    def by_minute(self) -> bool:
        """Whether a minute window has to be kept at all."""
        return self.requests_per_minute is not None or self.tokens_per_minute is not None


class Group(msgspec.Struct, frozen=True):
    id: int
    name: str
    enabled: bool
    upstreams: tuple[Rank, ...]
    """Empty means: every upstream, by its own priority."""
    allow: tuple[str, ...]
    """Shell patterns of model names; empty allows all."""
    deny: tuple[str, ...]
    """Shell patterns; a denied model stays denied whatever `allow` says."""
    aliases: dict[str, str]
    """Public name to the name that is priced and routed."""
    capabilities: frozenset[str]
    multiplier_ppm: int
    """Price multiplier in millionths; 1_000_000 is 1x."""
    rates: RateLimits
    on_abort: AbortPolicy

    def resolve(self, model: str) -> str:
        """The model behind a public name; a name without an alias is itself."""
        return self.aliases.get(model, model)

    def permits(self, model: str) -> bool:
        """Whether the resolved model is inside the group's patterns."""
        if any(fnmatchcase(model, pattern) for pattern in self.deny):
            return False
        return not self.allow or any(fnmatchcase(model, pattern) for pattern in self.allow)

    def alias_of(self, model: str) -> tuple[str, ...]:
        """The public names that lead to a model."""
        return tuple(name for name, target in self.aliases.items() if target == model)
