"""The words that every wire type is written with: names, bounded numbers and texts, states.

The rule a newcomer would break: a bound that a type can say is said here, once, and no service checks it again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta

When = str | int
"""A moment as people write it: ISO 8601, a date, a duration from now ("30d"), epoch seconds or milliseconds."""

Name = Annotated[str, Meta(max_length=64)]
"""1 to 64 printable characters without `/`, no blanks around; an upstream's without `,` and `+` too."""
Pattern = Annotated[str, Meta(min_length=1, max_length=200)]
"""A model name, or a shell pattern of model names."""
Patterns = Annotated[tuple[Pattern, ...], Meta(max_length=1000)]
Aliases = Annotated[dict[Pattern, Pattern], Meta(max_length=1000)]
Text = Annotated[str, Meta(max_length=500)]
Count = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Rank = Annotated[int, Meta(ge=-1_000_000, le=1_000_000)]
Weight = Annotated[int, Meta(ge=0, le=1_000_000)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]
SecretText = Annotated[str, Meta(max_length=4096)]

CAPABILITIES = ("chat", "responses", "embeddings", "images", "audio", "moderations", "gemini", "anthropic")
"""What a group can let its keys call; the server's own list, which a test holds this one to."""
QuotaKind = Literal["prepaid", "plan", "unlimited"]
WindowKind = Literal["5h", "day", "week", "month"]
UpstreamKind = Literal["openai", "gemini", "anthropic", "compatible", "responses"]
AbortPolicy = Literal["cancel", "drain"]
KeyState = Literal["active", "disabled", "expired", "used_up", "deleted"]
"""used_up: the key's own limit is reached; see the quota for the quota's."""
QuotaState = Literal["active", "disabled", "expired", "used_up", "deleted"]
UpstreamState = Literal["up", "resting", "no_credential", "disabled", "deleted"]
"""resting: some circuit is open, so part of the traffic does not go there now. disabled: drains, what runs goes on."""
Grouping = Literal["hour", "day", "model", "key", "group", "upstream", "status"]
Origin = Literal["book", "operator", "config"]


class Secretive:
    """Keeps what a struct carries in out of tracebacks and logs."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"

    def __rich_repr__(self) -> Iterator[str]:
        yield "…"
