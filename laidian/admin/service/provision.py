"""config.toml's upstreams, groups and prices: made or brought up to date by name at every start.

The file rules over what it names: such rows refuse edits. What vanished from it is switched off and handed to the operator, never
deleted: its records and the keys that use it stay.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar, cast

import msgspec

from laidian.admin.schema import (
    CredentialCreate,
    Group,
    GroupCreate,
    GroupEdit,
    PriceSet,
    Provisioned,
    UpstreamCreate,
    UpstreamEdit,
    UpstreamKind,
)
from laidian.admin.service import groups, prices, upstreams
from laidian.admin.service.operations import note_provisioned
from laidian.admin.service.places import checked_base_url
from laidian.admin.service.reading import checked, multiplier, problem
from laidian.config import Config, ConfigProblem, GroupEntry, PriceEntry, UpstreamEntry
from laidian.domain.money import format_multiplier
from laidian.errors import LaidianError
from laidian.store.connection import Connection
from laidian.store.database import bump_catalog
from laidian.store.groups import GroupRow, read_groups
from laidian.store.prices import read_own_prices, retire_price
from laidian.store.upstreams import (
    UpstreamRow,
    erase_credential,
    read_credentials,
    read_upstreams,
    replace_kind,
    sealed_proxy,
    update_credential,
)
from laidian.store.vault import Vault

T = TypeVar("T", bound=msgspec.Struct)

LABEL = "config.toml"
"""Of the one credential that the file can give an upstream."""


class _Changes:
    def __init__(self) -> None:
        self.created: list[str] = []
        self.updated: list[str] = []
        self.disabled: list[str] = []


def provision(
    connection: Connection, vault: Vault, config: Config, *, environment: Mapping[str, str], now_ms: int
) -> Provisioned:
    """Writes only what differs, so a start without changes leaves the catalogue's version alone.

    Raises ConfigProblem that names the entry, for anything the same change by hand would be refused for, for a credential that
    cannot be read, and for a name given twice.
    """
    changes = _Changes()
    _once("upstream", [entry.name for entry in config.upstream])
    _once("group", [entry.name for entry in config.group])
    _once("price", [entry.model for entry in config.price])
    for entry in config.upstream:
        with _Entry("upstream", entry.name):
            _upstream(connection, vault, entry, _secret(entry, environment), changes, now_ms)
    for group in config.group:
        with _Entry("group", group.name):
            _group(connection, group, changes, now_ms)
    _prices(connection, config.price, changes, now_ms)
    _vanished(connection, vault, config, changes)
    done = Provisioned(
        created=tuple(changes.created), updated=tuple(changes.updated), disabled=tuple(changes.disabled)
    )
    note_provisioned(connection, done, now_ms)
    return done


class _Entry:
    """Adds the entry's name to what a use case refuses."""

    def __init__(self, what: str, name: str) -> None:
        self._place = f"{what} `{name[:64]}`"

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, LaidianError):
            raise ConfigProblem(
                f"The configuration file, {self._place}: {error.message}", param=error.param
            ) from None


def _once(what: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigProblem(
            f"The configuration file has two entries for the {what} `{twice[0][:64]}`; keep one."
        )


def _secret(entry: UpstreamEntry, environment: Mapping[str, str]) -> str:
    """The credential from wherever the entry says it is; empty when it names none."""
    ways = [way for way in ("api_key", "api_key_env", "api_key_file") if getattr(entry, way)]
    if len(ways) > 1:
        raise ConfigProblem(f"{' and '.join(ways)} are both given; keep one.")
    if entry.api_key_env:
        value = environment.get(entry.api_key_env, "")
        if not value:
            raise ConfigProblem(f"the environment variable {entry.api_key_env} is not set or empty.")
        return upstreams.checked_secret(value)
    if entry.api_key_file:
        try:
            return upstreams.checked_secret(Path(entry.api_key_file).expanduser().read_text())
        except (OSError, UnicodeDecodeError) as error:
            why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "it is no text"
            raise ConfigProblem(f"the file {entry.api_key_file} cannot be read: {why}.") from None
    return upstreams.checked_secret(entry.api_key) if entry.api_key else ""


def _as(entry: UpstreamEntry | GroupEntry, kind: type[T]) -> T:
    """An entry as the change that it stands for, which has the same fields. Raises BadRequest."""
    try:
        return msgspec.convert(entry, kind, from_attributes=True)
    except msgspec.ValidationError as error:
        raise problem(error, kind) from None


# Upstreams


def _upstream(
    connection: Connection, vault: Vault, entry: UpstreamEntry, secret: str, changes: _Changes, now_ms: int
) -> None:
    row = next((row for row in read_upstreams(connection) if row.name == entry.name), None)
    if row is None:
        upstreams.add_upstream(connection, vault, _addition(entry, secret), now_ms=now_ms, from_config=True)
        changes.created.append(f"upstream {entry.name}")
        return
    before = upstreams.show_upstream(connection, entry.name, now_ms, {})
    moved = row.kind != entry.kind
    if moved:
        replace_kind(connection, row.id, entry.kind)
        row = next(one for one in read_upstreams(connection) if one.id == row.id)
    if moved or not row.from_config or _differs(connection, vault, row, entry):
        upstreams.apply_edit(connection, vault, row, _as(entry, UpstreamEdit), from_config=True)
    _credential(connection, vault, row, secret, now_ms)
    if upstreams.show_upstream(connection, entry.name, now_ms, {}) != before or moved:
        changes.updated.append(f"upstream {entry.name}")


def _addition(entry: UpstreamEntry, secret: str) -> UpstreamCreate:
    credentials = (CredentialCreate(api_key=secret, label=LABEL),) if secret else ()
    return msgspec.structs.replace(_as(entry, UpstreamCreate), credentials=credentials)


def _differs(connection: Connection, vault: Vault, row: UpstreamRow, entry: UpstreamEntry) -> bool:
    shown = upstreams.show_upstream(connection, row.name, 0, {})
    sealed = sealed_proxy(connection, row.id)
    proxy = vault.open(sealed, f"upstreams:{row.id}").reveal() if sealed is not None else ""
    return (
        shown.base_url != checked_base_url(cast(UpstreamKind, row.kind), entry.base_url)
        or proxy != entry.proxy.strip()
        or any(
            getattr(shown, name) != getattr(entry, name)
            for name in (
                "models", "aliases", "priority", "weight", "max_concurrent", "connect_timeout_s", "first_byte_timeout_s",
                "idle_timeout_s", "enabled",
            )
        )
    )  # fmt: skip


def _credential(connection: Connection, vault: Vault, row: UpstreamRow, secret: str, now_ms: int) -> None:
    """The file's credential is the only one of its upstream; without one in the file there is none."""
    known = read_credentials(connection).get(row.id, [])
    mine = next((one for one in known if one.label == LABEL), None)
    for other in known:
        if other is not mine or not secret:
            erase_credential(connection, other.id)
            bump_catalog(connection)
    if not secret:
        return
    if mine is None:
        upstreams.put_credential(
            connection, vault, row.id, CredentialCreate(api_key=secret, label=LABEL), now_ms
        )
        bump_catalog(connection)
    elif mine.fingerprint != upstreams.fingerprint(secret) or not mine.enabled:
        upstreams.reseal(connection, vault, mine.id, secret)
        update_credential(connection, mine.id, LABEL, enabled=True)
        bump_catalog(connection)


# Groups


def _group(connection: Connection, entry: GroupEntry, changes: _Changes, now_ms: int) -> None:
    row = next((row for row in read_groups(connection) if row.name == entry.name), None)
    if row is None:
        groups.create_group(connection, _as(entry, GroupCreate), now_ms=now_ms, from_config=True)
        changes.created.append(f"group {entry.name}")
        return
    edit = _as(entry, GroupEdit)
    if row.from_config and not _group_differs(groups.show_group(connection, entry.name), entry):
        return
    groups.apply_edit(connection, row, edit, from_config=True)
    changes.updated.append(f"group {entry.name}")


def _group_differs(shown: Group, entry: GroupEntry) -> bool:
    return (
        shown.upstreams != groups.normal_upstreams(entry.upstreams)
        or shown.capabilities != groups.capabilities(entry.capabilities)
        or shown.multiplier != format_multiplier(multiplier(entry.multiplier))
        or any(
            getattr(shown, name) != getattr(entry, name)
            for name in (
                "allow", "deny", "aliases", "requests_per_minute", "tokens_per_minute", "concurrent_requests", "on_abort", "enabled",
            )
        )
    )  # fmt: skip


# Prices


def _prices(connection: Connection, entries: tuple[PriceEntry, ...], changes: _Changes, now_ms: int) -> None:
    for entry in entries:
        with _Entry("price", entry.model):
            change = PriceSet(
                model=entry.model,
                rates=entry.rates,
                source=entry.source,
                source_date=entry.source_date,
                max_output_tokens=entry.max_output_tokens,
            )
            wanted = prices.priced(checked(change), now_ms=now_ms, origin="config")
            mine = [own for own in read_own_prices(connection) if own.price.model == entry.model]
            if [own.price.version for own in mine] == [wanted.version]:
                continue
            for own in mine:
                retire_price(connection, own.price.version, now_ms)
            prices.set_price(connection, change, now_ms=now_ms, origin="config")
            (changes.updated if mine else changes.created).append(f"price {entry.model}")
    named = {entry.model for entry in entries}
    for own in read_own_prices(connection):
        if own.origin == "config" and own.price.model not in named:
            retire_price(connection, own.price.version, now_ms)
            bump_catalog(connection)
            changes.disabled.append(f"price {own.price.model}")


# What the file no longer names


def _vanished(connection: Connection, vault: Vault, config: Config, changes: _Changes) -> None:
    named = {entry.name for entry in config.upstream}
    for row in read_upstreams(connection):
        if row.from_config and row.name not in named:
            upstreams.apply_edit(connection, vault, row, UpstreamEdit(enabled=False), from_config=False)
            changes.disabled.append(f"upstream {row.name}")
    _vanished_groups(connection, read_groups(connection), {entry.name for entry in config.group}, changes)


def _vanished_groups(
    connection: Connection, rows: list[GroupRow], named: set[str], changes: _Changes
) -> None:
    for row in rows:
        if row.from_config and row.name not in named:
            groups.apply_edit(connection, row, GroupEdit(enabled=False), from_config=False)
            changes.disabled.append(f"group {row.name}")
