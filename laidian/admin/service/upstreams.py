"""Upstreams: added, shown, changed, probed, deleted. Secrets go in and never come out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import cast

import msgspec
from msgspec import UNSET

from laidian.admin.schema import (
    Circuit,
    CircuitsReset,
    Credential,
    CredentialCreate,
    CredentialEdit,
    Probe,
    Upstream,
    UpstreamCreate,
    UpstreamEdit,
    UpstreamKind,
    UpstreamModel,
    UpstreamState,
)
from laidian.admin.service.moments import iso
from laidian.admin.service.names import checked_name, in_use, of_config, taken, unknown
from laidian.admin.service.places import checked_base_url, checked_proxy
from laidian.admin.service.reading import checked, printable
from laidian.domain.catalog import Catalog
from laidian.errors import BadRequest
from laidian.store import upstreams as rows
from laidian.store.connection import Connection
from laidian.store.database import bump_catalog
from laidian.store.upstreams import CircuitRow, CredentialRow, ProbeRow, UpstreamRow, UpstreamValues
from laidian.store.vault import Vault
from laidian.upstream.probe import Probed

FINGERPRINT_DIGITS = 8
NAME_WITHOUT = "/,+"
"""`,` and `+` order the upstreams of a group."""


# Reading


def list_upstreams(connection: Connection, now_ms: int, busy: Mapping[int, int]) -> tuple[Upstream, ...]:
    """Every upstream by name. `busy`: requests in flight by id, as this worker knows them."""
    view = _View(connection, now_ms, busy)
    return tuple(view.upstream(row) for row in rows.read_upstreams(connection))


def show_upstream(connection: Connection, name: str, now_ms: int, busy: Mapping[int, int]) -> Upstream:
    """Raises NotFound."""
    return _View(connection, now_ms, busy).upstream(find_upstream(connection, name))


def find_upstream(connection: Connection, name: str) -> UpstreamRow:
    known = rows.read_upstreams(connection)
    for row in known:
        if row.name == name:
            return row
    raise unknown("upstream", name, (row.name for row in known), param="upstream")


def list_circuits(connection: Connection, now_ms: int) -> tuple[Circuit, ...]:
    """Everything that rests now, and everything that waits for its trial."""
    return tuple(_circuit(row, now_ms) for row in rows.list_circuits(connection))


def list_probes(connection: Connection, name: str, limit: int) -> tuple[Probe, ...]:
    """Newest first. Raises NotFound."""
    row = find_upstream(connection, name)
    return tuple(probe_wire(probe, name) for probe in rows.read_probes(connection, row.id, limit))


def list_models(catalog: Catalog, name: str, now_ms: int) -> tuple[UpstreamModel, ...]:
    """What an upstream can be said to serve, and whether it is priced. Raises NotFound."""
    for upstream in catalog.upstreams.values():
        if upstream.name == name:
            return tuple(
                UpstreamModel(
                    model=model,
                    upstream_model=upstream.name_of(model) or model,
                    known_from="alias"
                    if model in upstream.aliases
                    else "configured"
                    if model in upstream.models
                    else "probe",
                    priced=catalog.price_of(model, now_ms) is not None,
                )
                for model in sorted(upstream.listed())
            )
    raise unknown("upstream", name, (one.name for one in catalog.upstreams.values()), param="upstream")


# Changing


def add_upstream(
    connection: Connection, vault: Vault, change: UpstreamCreate, *, now_ms: int, from_config: bool = False
) -> Upstream:
    """Raises BadRequest, or Conflict for a taken name. An upstream without a credential gets no traffic until it has one."""
    change = checked(change)
    _check_name(connection, change.name)
    values = UpstreamValues(
        name=change.name,
        base_url=checked_base_url(change.kind, change.base_url),
        enabled=change.enabled,
        priority=change.priority,
        weight=change.weight,
        max_concurrent=change.max_concurrent,
        models=change.models,
        aliases=change.aliases,
        connect_timeout_s=change.connect_timeout_s,
        first_byte_timeout_s=change.first_byte_timeout_s,
        idle_timeout_s=change.idle_timeout_s,
        from_config=from_config,
    )
    _check(values)
    upstream_id = rows.insert_upstream(connection, values, change.kind, now_ms)
    if change.proxy:
        put_proxy(connection, vault, upstream_id, change.proxy)
    for credential in change.credentials:
        put_credential(connection, vault, upstream_id, credential, now_ms)
    bump_catalog(connection)
    return show_upstream(connection, change.name, now_ms, {})


def edit_upstream(
    connection: Connection,
    vault: Vault,
    name: str,
    change: UpstreamEdit,
    *,
    now_ms: int,
    busy: Mapping[int, int],
) -> Upstream:
    """Raises BadRequest, NotFound, or Conflict for a taken name and for an upstream that config.toml provisions.

    Disabling drains: nothing new goes there, what runs goes on.
    """
    change = checked(change)
    row = find_upstream(connection, name)
    if row.from_config:
        raise of_config("upstream", name)
    if change.name is not UNSET and change.name != name:
        _check_name(connection, change.name)
    apply_edit(connection, vault, row, change, from_config=False)
    return show_upstream(connection, name if change.name is UNSET else change.name, now_ms, busy)


def apply_edit(
    connection: Connection, vault: Vault, row: UpstreamRow, change: UpstreamEdit, *, from_config: bool
) -> None:
    """Writes what a checked edit changes; used by the provisioning, too."""
    values = _edited(row, change, from_config)
    _check(values)
    rows.update_upstream(connection, row.id, values)
    if change.proxy is not UNSET:
        put_proxy(connection, vault, row.id, change.proxy)
    bump_catalog(connection)


def _edited(row: UpstreamRow, change: UpstreamEdit, from_config: bool) -> UpstreamValues:
    decode, kind = msgspec.json.decode, cast(UpstreamKind, row.kind)
    return UpstreamValues(
        name=row.name if change.name is UNSET else change.name,
        base_url=row.base_url if change.base_url is UNSET else checked_base_url(kind, change.base_url),
        enabled=bool(row.enabled) if change.enabled is UNSET else change.enabled,
        priority=row.priority if change.priority is UNSET else change.priority,
        weight=row.weight if change.weight is UNSET else change.weight,
        max_concurrent=row.max_concurrent if change.max_concurrent is UNSET else change.max_concurrent,
        models=decode(row.models, type=tuple[str, ...]) if change.models is UNSET else change.models,
        aliases=decode(row.aliases, type=dict[str, str]) if change.aliases is UNSET else change.aliases,
        connect_timeout_s=row.connect_timeout_s
        if change.connect_timeout_s is UNSET
        else change.connect_timeout_s,
        first_byte_timeout_s=row.first_byte_timeout_s
        if change.first_byte_timeout_s is UNSET
        else change.first_byte_timeout_s,
        idle_timeout_s=row.idle_timeout_s if change.idle_timeout_s is UNSET else change.idle_timeout_s,
        from_config=from_config,
    )


def delete_upstream(connection: Connection, name: str, *, now_ms: int, busy: Mapping[int, int]) -> Upstream:
    """The upstream as it was; its secrets are erased, its records stay.

    Raises NotFound, or Conflict while a group names it (a group that loses its last upstream would mean all) or config.toml
    provisions it.
    """
    row = find_upstream(connection, name)
    if row.from_config:
        raise of_config("upstream", name)
    if groups := rows.groups_of_upstream(connection).get(row.id):
        raise in_use("upstream", name, "the groups" if len(groups) > 1 else "the group", groups)
    gone = show_upstream(connection, name, now_ms, busy)
    rows.delete_upstream(connection, row.id, now_ms)
    bump_catalog(connection)
    return gone


# Credentials


def add_credential(
    connection: Connection,
    vault: Vault,
    name: str,
    change: CredentialCreate,
    *,
    now_ms: int,
    busy: Mapping[int, int],
) -> Upstream:
    """Raises BadRequest, NotFound or Conflict."""
    change = checked(change)
    row = find_upstream(connection, name)
    if row.from_config:
        raise of_config("upstream", name)
    put_credential(connection, vault, row.id, change, now_ms)
    bump_catalog(connection)
    return show_upstream(connection, name, now_ms, busy)


def edit_credential(
    connection: Connection,
    vault: Vault,
    name: str,
    label: str,
    change: CredentialEdit,
    *,
    now_ms: int,
    busy: Mapping[int, int],
) -> Upstream:
    """Renames, enables, disables, or rotates: a new secret replaces the old one at once and starts with closed circuits."""
    change = checked(change)
    row, credential = _find_credential(connection, name, label)
    if change.label is not UNSET and change.label != label:
        _check_label(connection, row.id, change.label)
    if change.api_key is not UNSET:
        reseal(connection, vault, credential.id, change.api_key)
    rows.update_credential(
        connection,
        credential.id,
        label if change.label is UNSET else change.label,
        enabled=bool(credential.enabled) if change.enabled is UNSET else change.enabled,
    )
    bump_catalog(connection)
    return show_upstream(connection, name, now_ms, busy)


def delete_credential(
    connection: Connection, name: str, label: str, *, now_ms: int, busy: Mapping[int, int]
) -> Upstream:
    """Erases the secret; records go on naming the row."""
    _, credential = _find_credential(connection, name, label)
    rows.erase_credential(connection, credential.id)
    bump_catalog(connection)
    return show_upstream(connection, name, now_ms, busy)


def put_credential(
    connection: Connection, vault: Vault, upstream_id: int, change: CredentialCreate, now_ms: int
) -> None:
    """Seals a secret for a row of its own."""
    secret = checked_secret(change.api_key)
    label = change.label or _free_label(connection, upstream_id)
    _check_label(connection, upstream_id, label)
    credential_id = rows.insert_credential(connection, upstream_id, label, fingerprint(secret), now_ms)
    reseal(connection, vault, credential_id, secret)


def reseal(connection: Connection, vault: Vault, credential_id: int, secret: str) -> None:
    secret = checked_secret(secret)
    sealed = vault.seal(secret, f"credentials:{credential_id}")
    rows.seal_credential(connection, credential_id, sealed, fingerprint(secret))


def put_proxy(connection: Connection, vault: Vault, upstream_id: int, proxy: str) -> None:
    """Seals the egress proxy with its credentials; empty text removes it."""
    proxy = proxy.strip()
    if not proxy:
        rows.replace_proxy(connection, upstream_id, None, "")
        return
    shown = checked_proxy(proxy)
    rows.replace_proxy(connection, upstream_id, vault.seal(proxy, f"upstreams:{upstream_id}"), shown)


def fingerprint(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()[:FINGERPRINT_DIGITS]


def checked_secret(secret: str) -> str:
    """The credential without the line end that came with it. Raises BadRequest, never repeating it."""
    secret = secret.strip()
    if not secret:
        raise BadRequest(
            "The API key is empty. A server that asks for none takes any text, for example `none`.",
            param="api_key",
        )
    if not secret.isascii() or not secret.isprintable() or " " in secret:
        raise BadRequest(
            "The API key holds blanks or characters that no header can carry. Paste it again.",
            param="api_key",
        )
    return secret


# Probes and circuits


def record_probe(connection: Connection, name: str, probed: Probed, *, now_ms: int) -> Probe:
    """Keeps a probe's result, and the models it listed when it succeeded. Raises NotFound when the upstream is gone."""
    row = find_upstream(connection, name)
    number = len(probed.models) if probed.ok else None
    kept = ProbeRow(row.id, now_ms, int(probed.ok), probed.status, probed.duration_ms, number, probed.reason)
    rows.insert_probe(connection, kept)
    if probed.ok and set(rows.read_models(connection, row.id)) != set(probed.models):
        rows.replace_models(connection, row.id, probed.models, now_ms)
        bump_catalog(connection)
    return probe_wire(kept, name)


def reset_circuits(connection: Connection, name: str | None) -> CircuitsReset:
    """Closes the circuits of one upstream, or all, for every worker from its next request on. Raises NotFound."""
    upstream_id = None if name is None else find_upstream(connection, name).id
    closed = rows.reset_circuits(connection, upstream_id)
    if closed:
        bump_catalog(connection)
    return CircuitsReset(reset=closed)


# The pieces


class _View:
    """What an upstream is shown with, read once for all of them."""

    def __init__(self, connection: Connection, now_ms: int, busy: Mapping[int, int]) -> None:
        self._now_ms = now_ms
        self._busy = busy
        self._credentials = rows.read_credentials(connection)
        self._circuits = rows.list_circuits(connection)
        self._probes = rows.last_probes(connection)
        self._groups = rows.groups_of_upstream(connection)

    def upstream(self, row: UpstreamRow) -> Upstream:
        credentials = self._credentials.get(row.id, [])
        circuits = tuple(_circuit(one, self._now_ms) for one in self._circuits if one.upstream_id == row.id)
        probe = self._probes.get(row.id)
        return Upstream(
            name=row.name,
            kind=cast(UpstreamKind, row.kind),
            base_url=row.base_url,
            enabled=bool(row.enabled),
            state=_state(row, credentials, circuits),
            priority=row.priority,
            weight=row.weight,
            max_concurrent=row.max_concurrent,
            proxy=row.proxy_shown,
            models=msgspec.json.decode(row.models, type=tuple[str, ...]),
            aliases=msgspec.json.decode(row.aliases, type=dict[str, str]),
            discovered=row.discovered,
            credentials=tuple(_credential(one) for one in credentials),
            circuits=circuits,
            groups=tuple(self._groups.get(row.id, ())),
            # holds name their upstream only every few seconds; this worker knows its own at once
            in_flight=max(row.in_flight, self._busy.get(row.id, 0)),
            last_probe=None if probe is None else probe_wire(probe, row.name),
            connect_timeout_s=row.connect_timeout_s,
            first_byte_timeout_s=row.first_byte_timeout_s,
            idle_timeout_s=row.idle_timeout_s,
            from_config=bool(row.from_config),
            created_at=iso(row.created_at_ms),
        )


def _state(
    row: UpstreamRow, credentials: list[CredentialRow], circuits: tuple[Circuit, ...]
) -> UpstreamState:
    if not row.enabled:
        return "disabled"
    if not any(one.enabled for one in credentials):
        return "no_credential"
    return "resting" if any(one.state == "open" for one in circuits) else "up"


def _credential(row: CredentialRow) -> Credential:
    return Credential(
        label=row.label,
        fingerprint=row.fingerprint,
        enabled=bool(row.enabled),
        created_at=iso(row.created_at_ms),
    )


def _circuit(row: CircuitRow, now_ms: int) -> Circuit:
    return Circuit(
        upstream=row.upstream,
        credential=row.credential,
        model=row.model,
        state="open" if row.open_until_ms > now_ms else "half_open",
        open_until=iso(row.open_until_ms),
        failures=row.failures,
        reason=row.reason,
        changed_at=iso(row.changed_at_ms),
    )


def probe_wire(row: ProbeRow, name: str) -> Probe:
    return Probe(
        upstream=name,
        at=iso(row.at_ms),
        ok=bool(row.ok),
        status=row.status,
        duration_ms=row.duration_ms,
        models=row.models,
        reason=row.reason,
    )


def _check_name(connection: Connection, name: str) -> None:
    checked_name(name, "an upstream", without=NAME_WITHOUT)
    if any(row.name == name for row in rows.read_upstreams(connection)):
        raise taken("upstream", name)


def _check(values: UpstreamValues) -> None:
    printable(values.models, "models")
    printable([*values.aliases, *values.aliases.values()], "aliases")


def _check_label(connection: Connection, upstream_id: int, label: str) -> None:
    checked_name(label, "a credential", param="label")
    if any(one.label == label for one in rows.read_credentials(connection).get(upstream_id, [])):
        raise taken("credential", label)


def _free_label(connection: Connection, upstream_id: int) -> str:
    labels = {one.label for one in rows.read_credentials(connection).get(upstream_id, [])}
    number = len(labels) + 1
    while f"key-{number}" in labels:
        number += 1
    return f"key-{number}"


def _find_credential(connection: Connection, name: str, label: str) -> tuple[UpstreamRow, CredentialRow]:
    row = find_upstream(connection, name)
    if row.from_config:
        raise of_config("upstream", name)
    known = rows.read_credentials(connection).get(row.id, [])
    for credential in known:
        if credential.label == label:
            return row, credential
    raise unknown(
        f"credential of upstream `{name}` called", label, (one.label for one in known), param="label"
    )
