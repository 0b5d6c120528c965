"""What needs the operator: each trouble with a stable id, since when, and the screen and name where it is mended.

Computed from rows whenever somebody asks, never remembered: a trouble is gone when its cause is. The worst come first.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from laidian.admin.schema import Attention, Quota, Screen, Upstream
from laidian.admin.service.health import why_not_up
from laidian.admin.service.moments import iso
from laidian.domain.money import format_usd
from laidian.store.connection import Connection
from laidian.store.keys import near_limit, used_while_closed
from laidian.store.live import old_holds
from laidian.store.refusals import count_refusals, refusals_since
from laidian.store.rollups import DAY_MS, HOUR_MS

NEAR_PERCENT = 90
DISK_WARN, DISK_FAIL = 0.15, 0.03
"""Free shares of the disk."""
HOLD_AGE_MS = 2 * HOUR_MS
"""Longer than any answer may take: such a hold keeps money from its key."""
RISE_LEAST = 20
MODELS_TOLD = 3
_CREDENTIAL_WORDS = ("credential", "401", "403", "key")


class Disk(msgspec.Struct, frozen=True):
    total_bytes: int
    free_bytes: int


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What was read already for the same picture."""

    upstreams: tuple[Upstream, ...]
    quotas: tuple[Quota, ...]
    keys: int
    refused: dict[str, int]
    """How often a model was asked for in vain in the last day."""
    unpriced: tuple[str, ...]
    """Of these, the ones that only lack a price; the most wanted first."""
    book: str
    """Source of the price book that rules; empty: none."""
    shipped_book: str
    """Source of the one that came with this program."""
    disk: Disk | None


def attention(connection: Connection, seen: Seen, now_ms: int) -> tuple[Attention, ...]:
    """The worst first, in a stable order."""
    found = [
        *_beginnings(seen),
        *_upstreams(seen),
        *_quotas(seen),
        *_keys(connection, now_ms),
        *_models(seen),
        *_refusals(connection, now_ms),
        *_holds(connection, now_ms),
        *_machine(seen),
    ]
    return tuple(sorted(found, key=lambda one: one.severity != "fail"))


def _fail(
    id_: str, what: str, fix: str, screen: Screen, name: str = "", since: str | None = None
) -> Attention:
    return Attention(id=id_, severity="fail", what=what, fix=fix, since=since, screen=screen, name=name)


def _warn(
    id_: str, what: str, fix: str, screen: Screen, name: str = "", since: str | None = None
) -> Attention:
    return Attention(id=id_, severity="warn", what=what, fix=fix, since=since, screen=screen, name=name)


def _beginnings(seen: Seen) -> Iterator[Attention]:
    if not seen.upstreams:
        yield _fail("no-upstream", "There is no upstream, so nothing can be served.", "Add one.", "upstreams")
    elif all(one.state in ("disabled", "no_credential") for one in seen.upstreams):
        yield _fail(
            "no-upstream-on",
            "No upstream is enabled with a credential.",
            "Enable one, or give it a credential.",
            "upstreams",
        )
    if not seen.keys:
        yield _warn("no-key", "There is no key, so nobody can ask.", "Create one.", "keys")


def _upstreams(seen: Seen) -> Iterator[Attention]:
    for one in seen.upstreams:
        reason, since, until = why_not_up(one)
        probe = one.last_probe
        if one.state == "no_credential":
            yield _fail(
                f"upstream:{one.name}:credential",
                f"{one.name} has no enabled credential.",
                "Add or enable one.",
                "upstreams",
                one.name,
            )
        elif one.state != "disabled" and probe is not None and not probe.ok and probe.status in (401, 403):
            what = f"{one.name} rejects our credential ({probe.status})."
            yield _fail(
                f"upstream:{one.name}:credential",
                what,
                "Replace its credential, then probe it.",
                "upstreams",
                one.name,
                since or probe.at,
            )
        elif one.state == "resting":
            rejected = any(word in reason for word in _CREDENTIAL_WORDS)
            fix = (
                "Replace its credential, then probe it."
                if rejected
                else f"It is tried again at {until}; probe it to try now."
            )
            tell = _fail if rejected or not any(other.state == "up" for other in seen.upstreams) else _warn
            yield tell(
                f"upstream:{one.name}:resting",
                f"{one.name} rests: {reason}.",
                fix,
                "upstreams",
                one.name,
                since,
            )
        elif one.state == "up" and probe is not None and not probe.ok:
            yield _warn(f"upstream:{one.name}:probe", f"The last probe of {one.name} failed: {probe.reason}.", "Look at its probes.",
                        "upstreams", one.name, probe.at)  # fmt: skip


def _quotas(seen: Seen) -> Iterator[Attention]:
    for one in seen.quotas:
        if not one.keys:
            continue
        if one.state in ("used_up", "expired"):
            word = "used up" if one.state == "used_up" else "expired"
            resets = min((window.resets_at for window in one.windows if window.resets_at), default=None)
            fix = (
                f"Its window resets at {resets}; raise the limit to serve before."
                if resets
                else "Top it up, or extend it."
            )
            yield _fail(
                f"quota:{one.name}:{one.state}",
                f"Quota {one.name} is {word}; its {one.keys} keys are refused.",
                fix,
                "quotas",
                one.name,
            )
            continue
        for what, spent, limit in _spans(one):
            if limit > 0 and spent * 100 >= limit * NEAR_PERCENT:
                percent = int(spent * 100 / limit)
                yield _warn(f"quota:{one.name}:near", f"Quota {one.name} is at {percent}% of {what}.", "Top it up, or raise its limit.",
                            "quotas", one.name)  # fmt: skip
                break


def _spans(one: Quota) -> Iterator[tuple[str, float, float]]:
    if one.credited_usd is not None and one.left_usd is not None:
        credited = float(one.credited_usd)
        yield f"its ${one.credited_usd}", credited - float(one.left_usd), credited
    for window in one.windows:
        yield (
            f"its ${window.limit_usd} per {window.kind}",
            float(window.spent_usd) + float(window.held_usd),
            float(window.limit_usd),
        )


def _keys(connection: Connection, now_ms: int) -> Iterator[Attention]:
    for name, used_nano, limit_nano in near_limit(connection, NEAR_PERCENT, now_ms):
        what = f"Key {name} has used ${format_usd(used_nano)} of its ${format_usd(limit_nano)}."
        if used_nano >= limit_nano:
            yield _fail(f"key:{name}:limit", what, "Raise its limit.", "keys", name)
        else:
            yield _warn(f"key:{name}:limit", what, "Raise its limit before it is refused.", "keys", name)
    for name, number, first_ms, expired in used_while_closed(connection, now_ms - DAY_MS, now_ms):
        why, fix = (
            ("expired", "Extend it, or tell its holder.")
            if expired
            else ("disabled or deleted", "Enable it, or tell its holder.")
        )
        yield _warn(
            f"key:{name}:closed",
            f"Key {name} is {why} and was used {number} times since yesterday.",
            fix,
            "keys",
            name,
            iso(first_ms),
        )


def _models(seen: Seen) -> Iterator[Attention]:
    for name in seen.unpriced[:MODELS_TOLD]:
        number = seen.refused[name]
        what = f"Model {name} was asked for {number} times since yesterday and has no price."
        yield _warn(f"model:{name}:unpriced", what, "Set a price.", "models", name)


def _refusals(connection: Connection, now_ms: int) -> Iterator[Attention]:
    now = count_refusals(connection, now_ms - HOUR_MS)
    before = count_refusals(connection, now_ms - 25 * HOUR_MS, now_ms - HOUR_MS) / 24
    if now >= RISE_LEAST and now > 3 * before:
        what = f"{now} requests were refused in the last hour; it was {before:.0f} an hour in the day before."
        yield _warn(
            "refusals-rising",
            what,
            "Look at what was refused, and to whom.",
            "usage",
            "",
            iso(now_ms - HOUR_MS),
        )
    for name, (number, first_ms) in list(
        refusals_since(connection, now_ms - HOUR_MS, "insufficient_quota").items()
    )[:MODELS_TOLD]:
        yield _warn(f"key:{name}:quota", f"Key {name} was refused {number} times in the last hour for lack of money.",
                    "Look at its limit and its quota.", "keys", name, iso(first_ms))  # fmt: skip


def _holds(connection: Connection, now_ms: int) -> Iterator[Attention]:
    number, nano, first_ms = old_holds(connection, now_ms - HOLD_AGE_MS)
    if number:
        what = f"{number} requests have been in flight for more than two hours and hold ${format_usd(nano)}."
        yield _warn("old-holds", what, "End them.", "live", "", iso(first_ms))


def _machine(seen: Seen) -> Iterator[Attention]:
    if seen.disk is not None and seen.disk.total_bytes:
        share = seen.disk.free_bytes / seen.disk.total_bytes
        what = f"The disk is {100 - round(share * 100)}% used ({seen.disk.free_bytes / 1e9:.1f} GB free)."
        if share < DISK_FAIL:
            yield _fail("disk", what, "Free some space: a full disk refuses every request.", "doctor", "disk")
        elif share < DISK_WARN:
            yield _warn("disk", what, "Free some space.", "doctor", "disk")
    if seen.book != seen.shipped_book:
        what = f"This program brought another price book ({seen.shipped_book}) than the one in use ({seen.book or 'none'})."
        yield _warn("price-book", what, "Look at what would change, and adopt it.", "models")
