"""Quotas: made, shown, topped up, changed, deleted."""

from __future__ import annotations

from typing import cast

import msgspec
from msgspec import UNSET

from laidian.admin.schema import (
    Credit,
    Quota,
    QuotaCreate,
    QuotaEdit,
    QuotaKind,
    QuotaState,
    QuotaWindow,
    TopUp,
    WindowKind,
)
from laidian.admin.service.moments import iso, iso_or_none, parse_expiry
from laidian.admin.service.names import checked_name, in_use, taken, unknown
from laidian.admin.service.reading import amount, checked, plain
from laidian.domain.money import LARGEST_USD, NANO_PER_USD, format_usd
from laidian.domain.quota import WINDOW_KINDS, window_end_ms, window_start_ms
from laidian.errors import BadRequest, Conflict
from laidian.store import quotas as rows
from laidian.store.connection import Connection
from laidian.store.database import bump_catalog
from laidian.store.quotas import QuotaRow, QuotaValues, WindowRow


def list_quotas(connection: Connection, now_ms: int) -> tuple[Quota, ...]:
    """Every quota by name."""
    return tuple(
        _quota(row, rows.last_windows(connection, row.id), now_ms) for row in rows.read_quotas(connection)
    )


def show_quota(connection: Connection, name: str, now_ms: int) -> Quota:
    """Raises NotFound."""
    return _shown(connection, find_quota(connection, name).id, now_ms)


def find_quota(connection: Connection, name: str) -> QuotaRow:
    known = rows.read_quotas(connection)
    for row in known:
        if row.name == name:
            return row
    raise unknown("quota", name, (row.name for row in known), param="quota")


def create_quota(connection: Connection, change: QuotaCreate, *, now_ms: int) -> Quota:
    """Raises BadRequest when kind, balance and limits do not go together, Conflict for a taken name."""
    change = checked(change)
    checked_name(change.name, "a quota")
    if any(row.name == change.name for row in rows.read_quotas(connection)):
        raise taken("quota", change.name)
    kind = _kind(change)
    balance_nano = 0 if change.balance_usd is None else amount(change.balance_usd, "balance_usd")
    values = QuotaValues(
        change.name, change.enabled, parse_expiry(change.expires_at, now_ms), _limits(change.limits_usd)
    )
    quota_id = rows.insert_quota(connection, values, kind, now_ms)
    if balance_nano:
        rows.credit(connection, quota_id, balance_nano, plain(change.note, "note"), now_ms)
    bump_catalog(connection)
    return _shown(connection, quota_id, now_ms)


def _kind(change: QuotaCreate) -> QuotaKind:
    balance, limits = change.balance_usd is not None, bool(change.limits_usd)
    if balance and limits:
        raise BadRequest(
            "A quota has a balance or limits per window, not both. Make two, and give each key its own."
        )
    implied: QuotaKind | None = "prepaid" if balance else "plan" if limits else None
    kind = change.kind or implied
    if kind is None:
        raise BadRequest(
            "Say what the quota allows: balance_usd for a prepaid one, limits_usd for a plan, or the kind `unlimited`.",
            param="kind",
        )
    if kind == "plan" and not limits:
        raise BadRequest(
            f"A plan needs at least one limit in limits_usd, for {', '.join(WINDOW_KINDS)}.",
            param="limits_usd",
        )
    if implied is not None and implied != kind:
        raise BadRequest(
            f"A quota of kind {kind} takes no {'balance_usd' if balance else 'limits_usd'}.", param="kind"
        )
    return kind


def edit_quota(connection: Connection, name: str, change: QuotaEdit, *, now_ms: int) -> Quota:
    """Raises BadRequest, NotFound, or Conflict for a taken name. What runs and what was spent stays."""
    change = checked(change)
    row = find_quota(connection, name)
    if change.name is not UNSET and change.name != row.name:
        checked_name(change.name, "a quota")
        if any(one.name == change.name for one in rows.read_quotas(connection)):
            raise taken("quota", change.name)
    limits = msgspec.json.decode(row.limits, type=dict[WindowKind, int])
    if change.limits_usd is not UNSET:
        limits = _new_limits(row, change.limits_usd)
    values = QuotaValues(
        name=row.name if change.name is UNSET else change.name,
        enabled=bool(row.enabled) if change.enabled is UNSET else change.enabled,
        expires_at_ms=row.expires_at_ms
        if change.expires_at is UNSET
        else parse_expiry(change.expires_at, now_ms),
        limits_nano=limits,
    )
    rows.update_quota(connection, row.id, values)
    bump_catalog(connection)
    return _shown(connection, row.id, now_ms)


def _new_limits(row: QuotaRow, limits_usd: dict[WindowKind, str]) -> dict[WindowKind, int]:
    if row.kind != "plan":
        raise BadRequest(
            f"The quota `{row.name}` is {row.kind} and has no windows to limit.", param="limits_usd"
        )
    if not limits_usd:
        raise BadRequest(
            "A plan keeps at least one limit. Make an unlimited quota and move the keys to it.",
            param="limits_usd",
        )
    return _limits(limits_usd)


def top_up(connection: Connection, name: str, change: TopUp, *, now_ms: int) -> Quota:
    """Adds to a prepaid balance; a negative amount takes back, at most what is neither held nor spent.

    Raises BadRequest, NotFound, or Conflict for another kind of quota and for more than is there.
    """
    change = checked(change)
    row = find_quota(connection, name)
    if row.kind != "prepaid":
        raise Conflict(f"The quota `{name}` is {row.kind} and has no balance to change.", param="quota")
    nano = amount(change.amount_usd, "amount_usd", allow_negative=True)
    if nano == 0:
        raise BadRequest("The amount is 0, which changes nothing.", param="amount_usd")
    left_nano = row.credited_nano - row.held_nano - row.spent_nano
    if left_nano + nano < 0:
        held = f" ({format_usd(row.held_nano)} USD is held for requests in flight)" if row.held_nano else ""
        raise Conflict(
            f"The quota `{name}` has {format_usd(left_nano)} USD left{held}, so {format_usd(-nano)} USD cannot be taken back.",
            param="amount_usd",
        )
    if row.credited_nano + nano > LARGEST_USD * NANO_PER_USD:
        raise Conflict(
            f"The quota `{name}` would have been credited more than {LARGEST_USD} USD in all.",
            param="amount_usd",
        )
    rows.credit(connection, row.id, nano, plain(change.note, "note"), now_ms)
    return _shown(connection, row.id, now_ms)


def list_credits(connection: Connection, name: str) -> tuple[Credit, ...]:
    """What was paid in and taken back, newest first. Raises NotFound."""
    row = find_quota(connection, name)
    return tuple(
        Credit(quota=name, amount_usd=format_usd(one.amount_nano), note=one.note, at=iso(one.at_ms))
        for one in rows.read_credits(connection, row.id)
    )


def delete_quota(connection: Connection, name: str, *, now_ms: int) -> Quota:
    """The quota as it was. Raises NotFound, or Conflict while keys use it."""
    row = find_quota(connection, name)
    if users := rows.keys_of_quota(connection, row.id):
        raise in_use("quota", name, "the keys" if len(users) > 1 else "the key", users)
    gone = _shown(connection, row.id, now_ms)
    rows.delete_quota(connection, row.id, now_ms)
    bump_catalog(connection)
    return gone


def _limits(limits_usd: dict[WindowKind, str]) -> dict[WindowKind, int]:
    return {kind: amount(limits_usd[kind], "limits_usd") for kind in WINDOW_KINDS if kind in limits_usd}


def _shown(connection: Connection, quota_id: int, now_ms: int) -> Quota:
    return _quota(rows.read_quota(connection, quota_id), rows.last_windows(connection, quota_id), now_ms)


def _quota(row: QuotaRow, last: dict[str, WindowRow], now_ms: int) -> Quota:
    limits = msgspec.json.decode(row.limits, type=dict[WindowKind, int])
    left: list[int] = []
    windows: list[QuotaWindow] = []
    for kind, limit_nano in limits.items():
        window, left_nano = _window(kind, limit_nano, last.get(kind), now_ms)
        windows.append(window)
        left.append(left_nano)
    if row.kind == "prepaid":
        left = [row.credited_nano - row.held_nano - row.spent_nano]
    return Quota(
        name=row.name,
        kind=cast(QuotaKind, row.kind),
        enabled=bool(row.enabled),
        state=_state(row, min(left, default=None), now_ms),
        expires_at=iso_or_none(row.expires_at_ms),
        credited_usd=format_usd(row.credited_nano) if row.kind == "prepaid" else None,
        spent_usd=format_usd(row.spent_nano),
        held_usd=format_usd(row.held_nano),
        left_usd=format_usd(max(0, min(left))) if left else None,
        windows=tuple(windows),
        keys=row.keys,
        created_at=iso(row.created_at_ms),
    )


def _window(
    kind: WindowKind, limit_nano: int, last: WindowRow | None, now_ms: int
) -> tuple[QuotaWindow, int]:
    """The window that holds now, and what it has left."""
    start_ms = window_start_ms(kind, now_ms, last.start_ms if last else None)
    current = last if last is not None and last.start_ms == start_ms else None
    # a 5 h window that nobody has opened begins with the next request
    opened = current is not None or kind != "5h"
    held_nano, spent_nano = (current.held_nano, current.spent_nano) if current else (0, 0)
    left_nano = limit_nano - held_nano - spent_nano
    window = QuotaWindow(
        kind=kind,
        limit_usd=format_usd(limit_nano),
        spent_usd=format_usd(spent_nano),
        held_usd=format_usd(held_nano),
        left_usd=format_usd(max(0, left_nano)),
        started_at=iso(start_ms) if opened else None,
        resets_at=iso(window_end_ms(kind, start_ms)) if opened else None,
    )
    return window, left_nano


def _state(row: QuotaRow, left_nano: int | None, now_ms: int) -> QuotaState:
    if not row.enabled:
        return "disabled"
    if row.expires_at_ms is not None and row.expires_at_ms <= now_ms:
        return "expired"
    return "used_up" if left_nano is not None and left_nano <= 0 else "active"
