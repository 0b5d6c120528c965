"""How upstreams, their credentials, probes and what rests are shown: one with all its lines, several as tables."""

from __future__ import annotations

from collections.abc import Sequence

import click

from laidian.admin.schema import Circuit, Credential, Probe, Upstream
from laidian.cli.call import Call
from laidian.cli.clock import now
from laidian.cli.output import put_one, put_table
from laidian.cli.table import Column
from laidian.cli.text import milliseconds, moment

COLUMNS_OF_UPSTREAMS: tuple[Column[Upstream], ...] = (
    Column("name", lambda upstream: upstream.name),
    Column("state", lambda upstream: upstream.state, colored=True),
    Column("kind", lambda upstream: upstream.kind),
    Column("base url", lambda upstream: upstream.base_url),
    Column("priority", lambda upstream: str(upstream.priority), right=True, optional=True),
    Column("weight", lambda upstream: str(upstream.weight), right=True, optional=True),
    Column("credentials", lambda upstream: str(len(upstream.credentials)), right=True, optional=True),
    Column("models", lambda upstream: ",".join(upstream.models) or f"{upstream.discovered} found"),
    Column("in flight", lambda upstream: str(upstream.in_flight), right=True, optional=True),
)


def put_upstream(call: Call, found: Upstream) -> None:
    """One with everything but its secrets."""
    at = now()
    probed = found.last_probe
    lines = [
        ("name", found.name),
        ("state", found.state),
        ("kind", found.kind),
        ("base url", found.base_url),
        ("proxy", found.proxy or "-"),
        ("models", ", ".join(found.models) or f"{found.discovered} found by a probe"),
        ("aliases", ", ".join(f"{name}={model}" for name, model in found.aliases.items()) or "-"),
        ("priority, weight", f"{found.priority}, {found.weight}"),
        (
            "requests at once",
            f"{found.in_flight} of {'any number' if found.max_concurrent is None else found.max_concurrent}",
        ),
        (
            "time limits",
            f"connect {found.connect_timeout_s:g} s, first byte {found.first_byte_timeout_s:g} s,"
            f" silence {found.idle_timeout_s:g} s",
        ),
        ("groups", ", ".join(found.groups) or "-"),
        ("last probe", "never" if probed is None else f"{_verdict(probed)}, {moment(probed.at, at)}"),
        ("from config", "yes: change it in config.toml" if found.from_config else "no"),
        ("created", moment(found.created_at, at)),
    ]
    if not put_one(call, found, lines):
        return
    if found.credentials:
        click.echo()
        put_table(call, found.credentials, _columns_of_credentials())
    if found.circuits:
        click.echo()
        put_table(call, found.circuits, columns_of_circuits())


def _verdict(probe: Probe) -> str:
    return f"ok, {probe.models} models" if probe.ok else f"failed: {probe.reason}"


def _columns_of_credentials() -> Sequence[Column[Credential]]:
    at = now()
    return (
        Column("credential", lambda one: one.label),
        Column("state", lambda one: "active" if one.enabled else "disabled", colored=True),
        Column("fingerprint", lambda one: one.fingerprint),
        Column("since", lambda one: moment(one.created_at, at)),
    )


def columns_of_circuits() -> Sequence[Column[Circuit]]:
    at = now()
    return (
        Column("upstream", lambda circuit: circuit.upstream),
        Column("credential", lambda circuit: circuit.credential or "any", optional=True),
        Column("model", lambda circuit: circuit.model or "any"),
        Column("state", lambda circuit: circuit.state, colored=True),
        Column(
            "next try",
            lambda circuit: moment(circuit.open_until, at),
            short=lambda circuit: moment(circuit.open_until, at, short=True),
        ),
        Column("failures", lambda circuit: str(circuit.failures), right=True, optional=True),
        Column("reason", lambda circuit: circuit.reason),
    )


def columns_of_probes() -> Sequence[Column[Probe]]:
    at = now()
    return (
        Column("upstream", lambda probe: probe.upstream),
        Column("result", lambda probe: "ok" if probe.ok else "failed", colored=True),
        Column("status", lambda probe: "-" if probe.status is None else str(probe.status), right=True),
        Column("took", lambda probe: milliseconds(probe.duration_ms), right=True),
        Column("models", lambda probe: "-" if probe.models is None else str(probe.models), right=True),
        Column(
            "when",
            lambda probe: moment(probe.at, at),
            short=lambda probe: moment(probe.at, at, short=True),
            optional=True,
        ),
        Column("reason", lambda probe: probe.reason or "-"),
    )
