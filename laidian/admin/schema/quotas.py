"""Wire types of quotas: what may be spent, and the credits into them."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from laidian.admin.schema.words import Name, QuotaKind, QuotaState, Text, When, WindowKind


class QuotaWindow(msgspec.Struct, frozen=True, kw_only=True):
    """One limit of a plan, as it stands now."""

    kind: WindowKind
    limit_usd: str
    spent_usd: str
    held_usd: str
    left_usd: str
    started_at: str | None
    """None: a 5 h window that the next request opens."""
    resets_at: str | None


class Quota(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    kind: QuotaKind
    enabled: bool
    state: QuotaState
    expires_at: str | None
    credited_usd: str | None
    """All credits together; None unless prepaid."""
    spent_usd: str
    held_usd: str
    left_usd: str | None
    """Of the balance, or of the tightest window; None: unlimited."""
    windows: tuple[QuotaWindow, ...]
    keys: int
    """Keys that use it."""
    created_at: str


class QuotaCreate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    name: Name
    kind: QuotaKind | None = None
    """None: prepaid with a balance, plan with limits."""
    balance_usd: str | None = None
    """The first credit of a prepaid quota."""
    limits_usd: dict[WindowKind, str] = {}
    """Of a plan: at least one."""
    expires_at: When | None = None
    note: Text = ""
    """Kept with the first credit."""
    enabled: bool = True


class QuotaEdit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The kind of a quota never changes; a balance changes by `TopUp`."""

    name: Name | UnsetType = UNSET
    limits_usd: dict[WindowKind, str] | UnsetType = UNSET
    """Replaces them all."""
    expires_at: When | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET


class TopUp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    amount_usd: str
    """Negative takes back, at most what is left."""
    note: Text = ""


class Credit(msgspec.Struct, frozen=True, kw_only=True):
    """One payment into a prepaid quota, or one taken back."""

    quota: str
    amount_usd: str
    note: str
    at: str
