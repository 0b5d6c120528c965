"""Forms of an upstream: an account is added and asked at once for its models, changed, and given another credential.

The rule a newcomer would break: a form that has added the upstream does not add it again. What is corrected after a failed probe goes to
the one that was made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from laidian.admin.schema import (
    PRESETS,
    CredentialCreate,
    CredentialEdit,
    Preset,
    Probe,
    Upstream,
    UpstreamCreate,
    UpstreamEdit,
)
from tui.dialogs.group import aliases_in, names_in, read_count
from tui.form import Choice, Field, Form, Wrong
from tui.words import Words

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient

BY_ID = {one.id: one for one in PRESETS}


class Added(msgspec.Struct, frozen=True):
    name: str
    probe: Probe


class AddUpstream(Form[Added]):
    """Provider, address, key; then a probe. It closes when the account answers."""

    def __init__(self, words: Words, taken: frozenset[str]) -> None:
        own = words.accounts
        self._taken = taken
        self._texts = words
        self._made = ""
        """The upstream, once the server has it."""
        self._suggested = free_name(PRESETS[0].id, taken)
        choices = [(one.id, _title(words, one)) for one in PRESETS]
        fields = (
            Field("provider", own.provider, hint=own.provider_hint, choices=choices),
            Field("base_url", own.base_url, hint=_url_hint(words, PRESETS[0])),
            Field("api_key", own.api_key, hint=own.api_key_hint, secret=True),
            Field("name", own.name, value=self._suggested, hint=own.name_hint),
        )
        super().__init__(own.add_title, fields, self._added)

    @property
    def preset(self) -> Preset:
        return BY_ID[self.entry("provider").value]

    def on_choice_changed(self, _: Choice.Changed) -> None:
        super().on_choice_changed(_)
        own, preset = self._texts.accounts, self.preset
        self.hints["base_url"] = _url_hint(self._texts, preset)
        self.hints["api_key"] = own.api_key_hint if preset.needs_key else own.api_key_none
        if self.values["name"] == self._suggested and not self._made:
            self._suggested = free_name(preset.id, self._taken)
            self.put("name", self._suggested)

    async def _added(self, client: AdminClient, values: Mapping[str, str]) -> Added:
        own, preset = self._texts.accounts, BY_ID[values["provider"]]
        if preset.asks_url and not values["base_url"]:
            raise Wrong("base_url", own.base_url_needed)
        if preset.needs_key and not preset.asks_url and not values["api_key"] and not self._made:
            raise Wrong("api_key", own.api_key_needed)
        base_url = values["base_url"] or preset.base_url
        if self._made:
            await self._correct(client, values, base_url)
        else:
            credentials = (CredentialCreate(api_key=values["api_key"]),) if values["api_key"] else ()
            new = UpstreamCreate(
                name=values["name"], kind=preset.kind, base_url=base_url, credentials=credentials
            )
            self._made = (await client.create_upstream(new)).name
        probe = await client.probe(self._made)
        if not probe.ok:
            raise Wrong("api_key", own.not_found.format(reason=probe.reason))
        return Added(self._made, probe)

    async def _correct(self, client: AdminClient, values: Mapping[str, str], base_url: str) -> None:
        """What was made stays; its kind cannot change, so another kind of provider is made anew in its place."""
        found = await client.upstream(self._made)
        if found.kind != BY_ID[values["provider"]].kind:
            await client.delete_upstream(self._made)
            self._made = ""
            await self._added_again(client, values, base_url)
            return
        edit: dict[str, Any] = {"name": values["name"]} if values["name"] != found.name else {}
        if base_url and base_url.rstrip("/") != found.base_url:
            edit["base_url"] = base_url
        if edit:
            self._made = (await client.edit_upstream(self._made, UpstreamEdit(**edit))).name
        if not values["api_key"]:
            return
        if found.credentials:
            label = found.credentials[0].label
            await client.edit_credential(self._made, label, CredentialEdit(api_key=values["api_key"]))
        else:
            await client.add_credential(self._made, CredentialCreate(api_key=values["api_key"]))

    async def _added_again(self, client: AdminClient, values: Mapping[str, str], base_url: str) -> None:
        credentials = (CredentialCreate(api_key=values["api_key"]),) if values["api_key"] else ()
        kind = BY_ID[values["provider"]].kind
        new = UpstreamCreate(name=values["name"], kind=kind, base_url=base_url, credentials=credentials)
        self._made = (await client.create_upstream(new)).name

    def action_leave(self) -> None:
        if self._made:
            self.notify(self._texts.accounts.kept.format(name=self._made), markup=False)
        super().action_leave()


def free_name(wanted: str, taken: frozenset[str]) -> str:
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    return name


def _title(words: Words, preset: Preset) -> str:
    """Names of firms are the same in every language."""
    own = words.accounts
    return {"compatible": own.other_server, "ollama": own.ollama}.get(preset.id, preset.title)


def _url_hint(words: Words, preset: Preset) -> str:
    if preset.asks_url:
        return words.accounts.base_url_own
    if not preset.base_url:
        return words.accounts.base_url_public
    return words.accounts.base_url_hint.format(url=preset.base_url)


def edit_upstream(words: Words, upstream: Upstream) -> Form[Upstream]:
    before = {
        "name": upstream.name,
        "base_url": upstream.base_url,
        "models": " ".join(upstream.models),
        "aliases": " ".join(f"{ours}={theirs}" for ours, theirs in upstream.aliases.items()),
        "priority": str(upstream.priority),
        "weight": str(upstream.weight),
        "max_concurrent": "" if upstream.max_concurrent is None else str(upstream.max_concurrent),
        "first_byte_timeout_s": f"{upstream.first_byte_timeout_s:g}",
    }

    async def send(client: AdminClient, values: Mapping[str, str]) -> Upstream:
        changed = {name: _read(words, name, text) for name, text in values.items() if text != before[name]}
        return await client.edit_upstream(upstream.name, UpstreamEdit(**changed))

    own = words.accounts
    labels = {
        "name": (own.name, own.name_hint),
        "base_url": (own.base_url, own.base_url_own),
        "models": (own.models, own.models_hint),
        "aliases": (own.aliases, words.groups.aliases_hint),
        "priority": (own.priority, own.priority_hint),
        "weight": (own.weight, own.weight_hint),
        "max_concurrent": (own.parallel, own.parallel_hint),
        "first_byte_timeout_s": (own.first_byte, own.first_byte_hint),
    }
    fields = [Field(name, label, value=before[name], hint=hint) for name, (label, hint) in labels.items()]
    return Form(own.edit_title.format(name=upstream.name), fields, send)


def _read(words: Words, name: str, text: str) -> Any:
    if name == "models":
        return tuple(names_in(text))
    if name == "aliases":
        return aliases_in(words, name, text)
    if name == "max_concurrent":
        return read_count(words, name, text)
    if name in ("priority", "weight", "first_byte_timeout_s"):
        try:
            return float(text) if name == "first_byte_timeout_s" else int(text)
        except ValueError:
            raise Wrong(name, words.accounts.number) from None
    return text


def credential_form(words: Words, upstream: Upstream) -> Form[Upstream]:
    """Another secret in the place of one, one more, or one less. A new secret is probed by whoever pushed this."""
    own = words.accounts
    choices: list[tuple[str, str]] = []
    for one in upstream.credentials:
        choices.append((f"replace {one.label}", own.replace.format(label=one.label)))
    choices.append(("add", own.another))
    for one in upstream.credentials:
        turned = own.turn_off if one.enabled else own.turn_on
        choices.append((f"{'off' if one.enabled else 'on'} {one.label}", turned.format(label=one.label)))
        choices.append((f"remove {one.label}", own.remove.format(label=one.label)))

    async def send(client: AdminClient, values: Mapping[str, str]) -> Upstream:
        what, _, label = values["what"].partition(" ")
        secret = values["api_key"]
        if what in ("replace", "add") and not secret:
            raise Wrong("api_key", words.form.needed)
        if what == "replace":
            return await client.edit_credential(upstream.name, label, CredentialEdit(api_key=secret))
        if what == "add":
            return await client.add_credential(upstream.name, CredentialCreate(api_key=secret))
        if what == "remove":
            return await client.delete_credential(upstream.name, label)
        return await client.edit_credential(upstream.name, label, CredentialEdit(enabled=what == "on"))

    fields = (
        Field("what", own.which, hint=own.which_hint, choices=choices),
        Field("api_key", own.api_key, hint=own.api_key_hint, secret=True),
    )
    return Form(own.credential_title.format(name=upstream.name), fields, send, focus="api_key")
