"""Which upstream credential gets a request, and in which order the others follow.

Pure: health comes in as a function, chance as a number source. By rank (or priority), then weight, then health: a candidate
whose circuit is open is left out, and the reason is kept for the error message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Literal

import msgspec

from laidian.domain.group import Group
from laidian.domain.upstream import Credential, Upstream


class Candidate(msgspec.Struct, frozen=True):
    upstream: Upstream
    credential: Credential
    model: str
    """The upstream's own name for the model."""


BlockCause = Literal["resting", "disabled", "no_credential"]
"""resting: it failed, or asked to wait. disabled: drained by the operator. no_credential: it has none that is enabled."""


class Blocked(msgspec.Struct, frozen=True):
    """Why an upstream that serves the model gets nothing now."""

    upstream: str
    reason: str
    until_ms: int | None
    """Epoch milliseconds of the next try; None when only an operator can change it."""
    cause: BlockCause = "resting"
    """The same as `reason`, for readers who may not know accounts."""


class Selection(msgspec.Struct, frozen=True):
    candidates: tuple[Candidate, ...]
    blocked: tuple[Blocked, ...]


class Opened(msgspec.Struct, frozen=True):
    """An open circuit as selection sees it."""

    until_ms: int
    reason: str


Health = Callable[[int, int, str], Opened | None]
"""(upstream id, credential id, upstream's model name) -> None when traffic may go there."""


def select(
    group: Group, upstreams: Mapping[int, Upstream], model: str, health: Health, chance: Callable[[], float]
) -> Selection:
    """All credentials that may serve `model` for `group`, best first, and who is out and why."""
    found: list[tuple[int, float, Upstream, str]] = []
    blocked: list[Blocked] = []
    for rank, upstream in _ranked(group, upstreams):
        theirs = upstream.name_of(model)
        if theirs is None:
            continue
        if not upstream.enabled:
            blocked.append(Blocked(upstream.name, "disabled by the operator", None, "disabled"))
        elif not upstream.credentials:
            blocked.append(Blocked(upstream.name, "it has no enabled credential", None, "no_credential"))
        else:
            found.append((rank, _lot(upstream.weight, chance), upstream, theirs))
    if len(found) > 1:
        found.sort(key=lambda item: (item[0], item[1]))
    candidates: list[Candidate] = []
    for _, _, upstream, theirs in found:
        candidates.extend(_healthy(upstream, theirs, health, chance, blocked))
    return Selection(tuple(candidates), tuple(blocked))


def _ranked(group: Group, upstreams: Mapping[int, Upstream]) -> Iterable[tuple[int, Upstream]]:
    if not group.upstreams:
        return [(upstream.priority, upstream) for upstream in upstreams.values()]
    return [
        (rank.rank, upstreams[rank.upstream_id]) for rank in group.upstreams if rank.upstream_id in upstreams
    ]


def _lot(weight: int, chance: Callable[[], float]) -> float:
    # weighted shuffle without replacement (Efraimidis and Spirakis 2006): sort by random ** (1 / weight), here inverted
    return -(chance() ** (1.0 / weight)) if weight > 0 else 1.0


def _healthy(
    upstream: Upstream, model: str, health: Health, chance: Callable[[], float], blocked: list[Blocked]
) -> list[Candidate]:
    credentials = list(upstream.credentials)
    if len(credentials) > 1:
        first = int(chance() * len(credentials)) % len(credentials)
        credentials = credentials[first:] + credentials[:first]
    healthy: list[Candidate] = []
    for credential in credentials:
        opened = health(upstream.id, credential.id, model)
        if opened is None:
            healthy.append(Candidate(upstream, credential, model))
        else:
            blocked.append(Blocked(upstream.name, opened.reason, opened.until_ms))
    return healthy
