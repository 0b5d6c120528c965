"""The first account at a provider, tried at once, and the first key.

The questions stand between requests of one open client: opening the data folder anew for each of them costs a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from laidian.admin.schema import CredentialCreate, GroupCreate, KeyCreate, Probe, QuotaCreate, UpstreamCreate
from laidian.admin.schema.presets import BY_ID, PRESETS, Preset
from laidian.cli.call import Call
from laidian.cli.secret import read_api_key
from laidian.cli.setup.answers import Answers
from laidian.cli.setup.questions import choose, fill, say
from laidian.cli.values import amount
from laidian.errors import BadRequest

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient


async def add_upstream(call: Call, answers: Answers, client: AdminClient) -> Probe | None:
    """Adds an account and asks it at once for its models. None when none was wanted."""
    known = await upstream_names(client)
    if answers.upstream in known:
        say(call, f"Upstream `{answers.upstream}` is there already.")
        return None
    if known:
        say(call, f"Upstreams: {', '.join(known)}")
    choices = {preset.id: preset.title for preset in PRESETS} | {"none": "none now"}
    provider = choose(
        call, "Provider", choices, answers.provider, "none" if known or not call.may_ask() else "openai"
    )
    if provider == "none":
        return None
    preset = BY_ID[provider]
    name = answers.upstream or preset.id
    if answers.upstream is None and name in known:
        if not call.may_ask():
            say(call, f"Upstream `{name}` is there already.")
            return None
        name = fill(call, "Name", None, f"{name}-2")
    base_url = preset.base_url
    if preset.asks_url or answers.base_url:
        base_url = fill(call, "Base URL", answers.base_url, "")
        if not base_url:
            raise BadRequest("this provider needs its base URL: --base-url URL")
    while True:
        probe = await _try(client, _new(call, answers, preset, name, base_url))
        if probe.ok:
            say(call, f"Upstream `{name}` works: {probe.models} models.")
            return probe
        say(call, f"Upstream `{name}` does not work: {probe.reason}")
        if not call.may_ask() or answers.api_key_stdin or answers.api_key_env:
            return probe
        what = choose(
            call,
            "And now",
            {"again": "another key", "keep": "keep it so", "drop": "do without it"},
            None,
            "again",
        )
        if what == "keep":
            return probe
        await client.delete_upstream(name)
        if what == "drop":
            return None


def _new(call: Call, answers: Answers, preset: Preset, name: str, base_url: str) -> UpstreamCreate:
    credentials: tuple[CredentialCreate, ...] = ()
    if preset.needs_key:
        secret = read_api_key(call, stdin=answers.api_key_stdin, variable=answers.api_key_env)
        credentials = (CredentialCreate(api_key=secret),)
    return UpstreamCreate(name=name, kind=preset.kind, base_url=base_url, credentials=credentials)


async def _try(client: AdminClient, new: UpstreamCreate) -> Probe:
    await client.create_upstream(new)
    return await client.probe(new.name)


async def upstream_names(client: AdminClient) -> tuple[str, ...]:
    return tuple(one.name for one in await client.upstreams())


async def first_key(call: Call, answers: Answers, client: AdminClient) -> tuple[str, str]:
    """Name and credential; empty when none was wanted or it is there already."""
    keys = {key.name for key in await client.keys()}
    name = fill(call, "Name of a key to make", answers.key, "" if keys or not call.may_ask() else "me")
    if not name:
        return "", ""
    if name in keys:
        say(call, f"Key `{name}` is there already; its credential cannot be shown again.")
        return "", ""
    group = fill(call, "Its group", answers.group, "default")
    balance = answers.balance
    quota = answers.quota
    if quota is None and balance is None and call.may_ask():
        balance = click.prompt("What it may spend, in US dollars", default="none", err=True, type=str)
    if quota is None:
        quota = "unlimited" if balance in (None, "none") else name
    return name, await _make(client, name, group, quota, balance)


async def _make(client: AdminClient, name: str, group: str, quota: str, balance: str | None) -> str:
    if group not in {one.name for one in await client.groups()}:
        await client.create_group(GroupCreate(name=group))
    if quota not in {one.name for one in await client.quotas()}:
        money = None if balance in (None, "none") else amount(balance)
        kind = "unlimited" if money is None else "prepaid"
        await client.create_quota(QuotaCreate(name=quota, kind=kind, balance_usd=money, note="setup"))
    created = await client.create_key(KeyCreate(name=name, group=group, quota=quota))
    return created.secret
