"""The forms of a quota: new, and what is changed of one. Its kind never changes, a balance only by a payment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from laidian.admin.schema import Quota, QuotaCreate, QuotaEdit, QuotaKind, WindowKind
from tui.form import Field, Form, Wrong
from tui.words import Words

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient

WINDOWS: tuple[WindowKind, ...] = ("5h", "day", "week", "month")


def new_quota(words: Words) -> Form[Quota]:
    async def send(client: AdminClient, values: Mapping[str, str]) -> Quota:
        if not values["name"]:
            raise Wrong("name", words.form.needed)
        kind = values["kind"]
        # What belongs to another kind is not dropped in silence.
        if kind != "prepaid" and values["balance_usd"]:
            raise Wrong("balance_usd", words.quotas.only_prepaid)
        if kind != "plan" and (wrong := next((one for one in WINDOWS if values[f"limit_{one}"]), None)):
            raise Wrong(f"limit_{wrong}", words.quotas.only_plan)
        return await client.create_quota(
            QuotaCreate(
                name=values["name"],
                kind=cast("QuotaKind", kind),
                balance_usd=values["balance_usd"] or None,
                limits_usd=_limits(values),
                expires_at=values["expires_at"] or None,
                note=values["note"],
            )
        )

    own = words.quotas
    kinds = (("prepaid", own.kind_prepaid), ("plan", own.kind_plan), ("unlimited", own.kind_unlimited))
    fields = [
        Field("name", own.name_label, hint=own.name_hint),
        Field("kind", own.kind_label, value="prepaid", hint=own.kind_hint, choices=kinds),
        Field("balance_usd", own.balance_label, hint=own.balance_hint),
        Field("note", words.keys.note, hint=words.keys.note_hint),
        *_window_fields(words, {}),
        Field("expires_at", words.keys.expires_label, hint=words.keys.expires_hint),
    ]
    return Form(own.new_title, fields, send)


def edit_quota(words: Words, quota: Quota) -> Form[Quota]:
    before: dict[str, str] = {f"limit_{one.kind}": one.limit_usd for one in quota.windows}

    async def send(client: AdminClient, values: Mapping[str, str]) -> Quota:
        changed: dict[str, Any] = {}
        if values["name"] != quota.name:
            changed["name"] = values["name"]
        if values["expires_at"] != (quota.expires_at or ""):
            changed["expires_at"] = values["expires_at"] or None
        if quota.kind == "plan" and any(
            values[f"limit_{one}"] != before.get(f"limit_{one}", "") for one in WINDOWS
        ):
            changed["limits_usd"] = _limits(values)
        return await client.edit_quota(quota.name, QuotaEdit(**changed))

    own = words.quotas
    fields = [Field("name", own.name_label, value=quota.name, hint=own.name_hint)]
    if quota.kind == "plan":
        fields += _window_fields(words, before)
    fields.append(
        Field(
            "expires_at", words.keys.expires_label, value=quota.expires_at or "", hint=words.keys.expires_hint
        )
    )
    return Form(own.edit_title.format(name=quota.name), fields, send)


def _window_fields(words: Words, before: Mapping[str, str]) -> list[Field]:
    own = words.quotas
    labels = (own.limit_5h, own.limit_day, own.limit_week, own.limit_month)
    return [
        Field(f"limit_{one}", label, value=before.get(f"limit_{one}", ""), hint=own.limit_hint)
        for one, label in zip(WINDOWS, labels, strict=True)
    ]


def _limits(values: Mapping[str, str]) -> dict[WindowKind, str]:
    return {one: values[f"limit_{one}"] for one in WINDOWS if values[f"limit_{one}"]}
