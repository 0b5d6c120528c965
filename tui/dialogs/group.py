"""The form of a group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from laidian.admin.schema import CAPABILITIES, Group, GroupCreate, GroupEdit
from tui.form import Field, Form, Wrong
from tui.words import Words

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient

COUNTS = ("requests_per_minute", "tokens_per_minute", "concurrent_requests")


def group_form(words: Words, group: Group | None, *, focus: str = "") -> Form[Group]:
    """New, or, with a group, what is changed of it: only what is another than before is sent."""
    before = _shown(group)

    async def send(client: AdminClient, values: Mapping[str, str]) -> Group:
        if not values["name"]:
            raise Wrong("name", words.form.needed)
        said: dict[str, Any] = {
            name: _read(words, name, text) for name, text in values.items() if text != before[name]
        }
        if group is not None:
            return await client.edit_group(group.name, GroupEdit(**said))
        return await client.create_group(GroupCreate(**said))

    own = words.groups
    labels = {
        "name": (own.name_label, own.name_hint),
        "upstreams": (own.upstreams_label, own.upstreams_hint),
        "allow": (own.allow_label, own.allow_hint),
        "deny": (own.deny_label, own.deny_hint),
        "aliases": (own.aliases_label, own.aliases_hint),
        "capabilities": (own.capabilities_label, own.capabilities_hint.format(names=" ".join(CAPABILITIES))),
        "multiplier": (own.multiplier_label, own.multiplier_hint),
        "requests_per_minute": (own.requests_label, own.count_hint),
        "tokens_per_minute": (own.tokens_label, own.count_hint),
        "concurrent_requests": (own.parallel_label, own.count_hint),
    }
    fields = [Field(name, label, value=before[name], hint=hint) for name, (label, hint) in labels.items()]
    policies = (("cancel", own.abort_cancel), ("drain", own.abort_drain))
    fields.append(
        Field("on_abort", own.abort_label, value=before["on_abort"], hint=own.abort_hint, choices=policies)
    )
    title = own.new_title if group is None else own.edit_title.format(name=group.name)
    return Form(title, fields, send, focus=focus)


def _shown(group: Group | None) -> dict[str, str]:
    """As the fields show it."""
    if group is None:
        empty = dict.fromkeys(("name", "upstreams", "allow", "deny", "aliases", "capabilities", *COUNTS), "")
        return {**empty, "multiplier": "1x", "on_abort": "cancel"}
    return {
        "name": group.name,
        "upstreams": group.upstreams,
        "allow": " ".join(group.allow),
        "deny": " ".join(group.deny),
        "aliases": " ".join(f"{ours}={theirs}" for ours, theirs in group.aliases.items()),
        "capabilities": "" if set(group.capabilities) == set(CAPABILITIES) else " ".join(group.capabilities),
        "multiplier": group.multiplier,
        "on_abort": group.on_abort,
        **{name: "" if (found := getattr(group, name)) is None else str(found) for name in COUNTS},
    }


def _read(words: Words, name: str, text: str) -> object:
    """As the API has it."""
    if name in COUNTS:
        return read_count(words, name, text)
    if name in ("allow", "deny"):
        return tuple(names_in(text))
    if name == "capabilities":
        return tuple(names_in(text)) or None
    if name == "aliases":
        return aliases_in(words, name, text)
    return text


def names_in(text: str) -> list[str]:
    return text.replace(",", " ").split()


def read_count(words: Words, name: str, text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or not int(text):
        raise Wrong(name, words.form.no_number)
    return int(text)


def aliases_in(words: Words, name: str, text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in names_in(text):
        ours, sign, theirs = pair.partition("=")
        if not (ours and sign and theirs):
            raise Wrong(name, words.groups.aliases_hint)
        found[ours] = theirs
    return found
