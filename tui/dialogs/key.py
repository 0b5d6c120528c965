"""Forms of keys: new, edit, another group or quota for several, and money.

Each function returns the dialog; the screen pushes it and gets the server's answer. What a field means and which values are allowed is
the server's to say: a refusal comes back into the form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import msgspec

from laidian.admin.schema import Group, Key, KeyCreate, KeyCreated, KeyEdit, Quota, TopUp
from tui.dialogs.several import Several, each
from tui.form import Field, Form, Wrong
from tui.text import dollars, short_dollars
from tui.words import Words

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient


class Shelves(msgspec.Struct, frozen=True):
    """What a key can be put on."""

    groups: tuple[Group, ...]
    quotas: tuple[Quota, ...]

    @property
    def group_choices(self) -> list[tuple[str, str]]:
        return [(one.name, one.name) for one in self.groups]

    @property
    def quota_choices(self) -> list[tuple[str, str]]:
        return [(one.name, _quota_label(one)) for one in self.quotas]

    def quota(self, name: str) -> Quota | None:
        return next((one for one in self.quotas if one.name == name), None)


async def shelves(client: AdminClient) -> Shelves:
    return Shelves(await client.groups(), await client.quotas())


def _quota_label(quota: Quota) -> str:
    """With what it has left, which is why one chooses it."""
    return quota.name if quota.left_usd is None else f"{quota.name}  {short_dollars(quota.left_usd)}"


def _first(names: Sequence[str], usual: str) -> str:
    """What a new key gets unless something else is chosen."""
    return usual if usual in names else (names[0] if names else "")


def new_key(words: Words, given: Shelves, *, group: str = "", quota: str = "") -> Form[KeyCreated]:
    async def send(client: AdminClient, values: Mapping[str, str]) -> KeyCreated:
        if not values["name"]:
            raise Wrong("name", words.form.needed)
        return await client.create_key(
            KeyCreate(
                name=values["name"],
                group=values.get("group") or None,
                quota=values.get("quota") or None,
                limit_usd=values["limit_usd"] or None,
                expires_at=values["expires_at"] or None,
            )
        )

    own = words.keys
    groups, quotas = [one.name for one in given.groups], [one.name for one in given.quotas]
    fields = [Field("name", own.name, hint=own.name_hint)]
    if groups:
        value = group or _first(groups, "default")
        fields.append(
            Field("group", own.group_label, value=value, hint=own.group_hint, choices=given.group_choices)
        )
    if quotas:
        value = quota or _first(quotas, "unlimited")
        fields.append(
            Field("quota", own.quota_label, value=value, hint=own.quota_hint, choices=given.quota_choices)
        )
    fields += _limits(words)
    return Form(own.new_title, fields, send)


def edit_key(words: Words, key: Key, given: Shelves) -> Form[Key]:
    """Sends only what is another than it was."""
    before = {
        "name": key.name,
        "group": key.group,
        "quota": key.quota,
        "limit_usd": key.limit_usd or "",
        "expires_at": key.expires_at or "",
    }

    async def send(client: AdminClient, values: Mapping[str, str]) -> Key:
        changed: dict[str, Any] = {name: values[name] for name in before if values[name] != before[name]}
        for name in ("limit_usd", "expires_at"):
            if changed.get(name) == "":
                changed[name] = None
        return await client.edit_key(str(key.id), KeyEdit(**changed))

    own = words.keys
    fields = [
        Field("name", own.name, value=key.name, hint=own.name_hint),
        Field("group", own.group_label, value=key.group, hint=own.group_hint, choices=given.group_choices),
        Field("quota", own.quota_label, value=key.quota, hint=own.quota_hint, choices=given.quota_choices),
        *_limits(words, limit=before["limit_usd"], expires=before["expires_at"]),
    ]
    return Form(own.edit_title.format(name=key.name), fields, send)


def _limits(words: Words, *, limit: str = "", expires: str = "") -> list[Field]:
    own = words.keys
    return [
        Field("limit_usd", own.limit_label, value=limit, hint=own.limit_hint),
        Field("expires_at", own.expires_label, value=expires, hint=own.expires_hint),
    ]


def put_on(words: Words, what: str, names: Sequence[str], given: Shelves, value: str) -> Form[Several]:
    """Another group or quota (`what`) for one key or several."""
    choices = given.group_choices if what == "group" else given.quota_choices
    own = words.keys
    label, hint, title = (
        (own.group_label, own.group_hint, own.group_title)
        if what == "group"
        else (own.quota_label, own.quota_hint, own.quota_title)
    )

    async def send(client: AdminClient, values: Mapping[str, str]) -> Several:
        edit = KeyEdit(group=values[what]) if what == "group" else KeyEdit(quota=values[what])
        return await each(names, lambda name: client.edit_key(name, edit))

    field = Field(what, label, value=value, hint=hint, choices=choices)
    return Form(title.format(name=", ".join(names)), [field], send)


def add_balance(words: Words, keys: Sequence[Key], given: Shelves) -> Form[Several] | None:
    """Money for the prepaid quotas of these keys; without one, a higher limit of the key itself. None: it has neither."""
    names = dict.fromkeys(key.quota for key in keys)
    prepaid = [
        quota for name in names if (quota := given.quota(name)) is not None and quota.kind == "prepaid"
    ]
    if prepaid:
        return top_up(words, prepaid)
    (key,) = keys if len(keys) == 1 else (None,)
    return None if key is None or key.limit_usd is None else _raise_limit(words, key, key.limit_usd)


def top_up(words: Words, quotas: Sequence[Quota]) -> Form[Several]:
    own = words.keys
    if len(quotas) == 1:
        left = dollars(quotas[0].left_usd or "0")
        above = own.balance_above.format(quota=quotas[0].name, left=left, count=quotas[0].keys)
    else:
        above = own.balance_several.format(names=", ".join(one.name for one in quotas))

    async def send(client: AdminClient, values: Mapping[str, str]) -> Several:
        if not values["amount_usd"]:
            raise Wrong("amount_usd", words.form.needed)
        credit = TopUp(amount_usd=values["amount_usd"], note=values["note"])
        return await each([one.name for one in quotas], lambda name: client.top_up(name, credit))

    fields = [
        Field("amount_usd", own.amount, hint=own.amount_hint),
        Field("note", own.note, hint=own.note_hint),
    ]
    return Form(own.balance_title, fields, send, above=(above,))


def _raise_limit(words: Words, key: Key, limit_usd: str) -> Form[Several]:
    own = words.keys

    async def send(client: AdminClient, values: Mapping[str, str]) -> Several:
        try:
            by = Decimal(values["amount_usd"])
        except InvalidOperation:
            raise Wrong("amount_usd", own.amount_hint) from None
        if not by.is_finite():
            raise Wrong("amount_usd", own.amount_hint)
        edit = KeyEdit(limit_usd=f"{Decimal(limit_usd) + by:f}")
        return await each([str(key.id)], lambda name: client.edit_key(name, edit))

    hint = own.limit_by_hint.format(name=key.name, limit=dollars(limit_usd), spent=dollars(key.spent_usd))
    return Form(
        own.balance_title, [Field("amount_usd", own.limit_by, hint=own.amount_hint)], send, above=(hint,)
    )
