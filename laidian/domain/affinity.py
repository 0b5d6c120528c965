"""Objects that live at an upstream: who made them, which credential holds them, and what that means for the choice of an upstream.

A response, a file or a conversation exists in one provider account only and belongs to the key that made it. Two rules follow from
that and are pure here: a request that names such objects goes to the credential that holds them or nowhere (`pinned`); a conversation
goes back to where it was answered, as long as that works (`preferring`). The rule a newcomer would break: a pin never falls back to
another upstream, a preference always does.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from laidian.domain.group import Group
from laidian.domain.selection import Health, Opened, Selection, select
from laidian.domain.upstream import Upstream, UpstreamKind

ObjectKind = Literal[
    "response",
    "completion",
    "conversation",
    "file",
    "upload",
    "gemini.file",
    "gemini.upload",
    "gemini.cache",
    "gemini.continuation",
]
"""What is remembered. Kinds are name spaces: an id is looked up in its kind only."""

SESSIONS = 10_000
"""Conversations remembered per worker; the one that was silent longest is forgotten first."""
SESSION_MS = 3_600_000
"""Prompt caches of the providers live 5 minutes to an hour; after that one credential is as good as another."""


class Holder(msgspec.Struct, frozen=True):
    """The one place where an object is."""

    upstream_id: int
    credential_id: int


class Held(msgspec.Struct, frozen=True):
    """One object that a key made."""

    kind: ObjectKind
    id: str
    """The provider's own, or a digest where the provider's is a secret (`gemini.upload`, `gemini.continuation`)."""
    key_id: int
    holder: Holder
    created_at_ms: int
    expires_at_ms: int | None
    """Epoch milliseconds from which on the provider has it no more; None until it is deleted."""
    meta: str = "{}"
    """JSON. Of what is listed here: the object as its provider last said it."""


class Unreachable(msgspec.Struct, frozen=True):
    """Why the holder of an object cannot be asked now."""

    upstream: str
    """Its name; empty when it is gone."""
    reason: str
    until_ms: int | None = None
    """Epoch milliseconds of the next try; None when only the operator can change it."""


def pinned(selection: Selection, holder: Holder) -> Selection:
    """The candidates that are the holder: one, or none."""
    return Selection(
        tuple(
            one
            for one in selection.candidates
            if (one.upstream.id, one.credential.id) == (holder.upstream_id, holder.credential_id)
        ),
        selection.blocked,
    )


def preferring(selection: Selection, holder: Holder) -> Selection:
    """The same candidates, the holder first where it is among them."""
    first = pinned(selection, holder).candidates
    if not first or selection.candidates[: len(first)] == first:
        return selection
    others = tuple(one for one in selection.candidates if one not in first)
    return Selection((*first, *others), selection.blocked)


def at_home(
    holder: Holder, group: Group, upstreams: Mapping[int, Upstream]
) -> tuple[Upstream, int] | Unreachable:
    """The holder's upstream and the place of its credential among the upstream's; else why there is none."""
    upstream = upstreams.get(holder.upstream_id)
    if upstream is None:
        return Unreachable("", "the upstream that holds it was removed by the operator")
    if group.upstreams and all(rank.upstream_id != upstream.id for rank in group.upstreams):
        return Unreachable(upstream.name, f"group `{group.name}` does not use it any more")
    if not upstream.enabled:
        return Unreachable(upstream.name, "disabled by the operator")
    for place, credential in enumerate(upstream.credentials):
        if credential.id == holder.credential_id:
            return upstream, place
    return Unreachable(upstream.name, "the credential that holds it was removed or disabled by the operator")


def why_not(
    holder: Holder, group: Group, upstreams: Mapping[int, Upstream], model: str, health: Health
) -> Unreachable:
    """Why the holder is not among the candidates for a model."""
    home = at_home(holder, group, upstreams)
    if isinstance(home, Unreachable):
        return home
    upstream, place = home
    theirs = upstream.name_of(model)
    if theirs is None:
        return Unreachable(upstream.name, f"it does not serve model `{model}`")
    opened = health(upstream.id, upstream.credentials[place].id, theirs)
    if opened is None:
        return Unreachable(upstream.name, "it became free this moment; try again")
    return Unreachable(upstream.name, opened.reason, opened.until_ms)


def select_home(
    group: Group,
    upstreams: Mapping[int, Upstream],
    kind: UpstreamKind,
    health: Health,
    chance: Callable[[], float],
) -> Selection:
    """Where a new object can be made: the group's upstreams of one kind, in the order of any request, whatever models they serve."""
    of_kind = {
        upstream.id: msgspec.structs.replace(upstream, models=(), discovered=frozenset(), aliases={})
        for upstream in upstreams.values()
        if upstream.kind == kind
    }

    def whole(upstream_id: int, credential_id: int, model: str) -> Opened | None:
        # only what speaks of the credential as a whole counts: a model's rest is no reason to refuse a file
        return health(upstream_id, credential_id, "")

    return select(group, of_kind, "", whole, chance)


class Sessions:
    """Which credential answered a conversation last. In memory, per worker: a guess that saves caches, never a promise."""

    def __init__(self, most: int = SESSIONS, ttl_ms: int = SESSION_MS) -> None:
        self._most = most
        self._ttl_ms = ttl_ms
        self._last: OrderedDict[tuple[int, str, str], tuple[Holder, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._last)

    def holder(self, key_id: int, model: str, session: str, now_ms: int) -> Holder | None:
        """Who answered last; None when nobody did, or too long ago."""
        found = self._last.get((key_id, model, session))
        if found is None:
            return None
        holder, noted_at_ms = found
        if now_ms - noted_at_ms >= self._ttl_ms:
            del self._last[(key_id, model, session)]
            return None
        return holder

    def note(self, key_id: int, model: str, session: str, holder: Holder, now_ms: int) -> None:
        """`holder` answered."""
        place = (key_id, model, session)
        self._last[place] = (holder, now_ms)
        self._last.move_to_end(place)
        if len(self._last) > self._most:
            self._last.popitem(last=False)
