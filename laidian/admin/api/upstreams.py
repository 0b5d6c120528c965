"""/admin/v1/upstreams and /admin/v1/circuits"""

from __future__ import annotations

from litestar import delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from laidian.admin.api.services import AdminServices
from laidian.admin.schema import (
    Circuit,
    CircuitsReset,
    CredentialCreate,
    CredentialEdit,
    Probe,
    Upstream,
    UpstreamCreate,
    UpstreamEdit,
    UpstreamError,
    UpstreamHealth,
    UpstreamModel,
)
from laidian.admin.service import health, upstreams
from laidian.admin.service.names import unknown
from laidian.errors import BadRequest
from laidian.store.circuits import read_circuits

PROBES_SHOWN = 20
MOST_PROBES = 1_000


@get("/upstreams")
async def list_upstreams(services: NamedDependency[AdminServices]) -> tuple[Upstream, ...]:
    """Every upstream by name."""
    now_ms, busy = services.now_ms(), services.busy
    return await services.reader.read(lambda c: upstreams.list_upstreams(c, now_ms, busy))


@post("/upstreams")
async def add_upstream(data: JSONBody[UpstreamCreate], services: NamedDependency[AdminServices]) -> Upstream:
    now_ms, vault = services.now_ms(), services.vault
    return await services.change(
        "upstream.create", data.name, lambda c: upstreams.add_upstream(c, vault, data, now_ms=now_ms), data
    )


@get("/upstreams/{name:str}")
async def show_upstream(name: FromPath[str], services: NamedDependency[AdminServices]) -> Upstream:
    now_ms, busy = services.now_ms(), services.busy
    return await services.reader.read(lambda c: upstreams.show_upstream(c, name, now_ms, busy))


@patch("/upstreams/{name:str}")
async def edit_upstream(
    name: FromPath[str], data: JSONBody[UpstreamEdit], services: NamedDependency[AdminServices]
) -> Upstream:
    """Disabling drains: nothing new goes there, what runs goes on."""
    now_ms, vault, busy = services.now_ms(), services.vault, services.busy
    return await services.change(
        "upstream.edit",
        name,
        lambda c: upstreams.edit_upstream(c, vault, name, data, now_ms=now_ms, busy=busy),
        data,
    )


@delete("/upstreams/{name:str}", status_code=200)
async def delete_upstream(name: FromPath[str], services: NamedDependency[AdminServices]) -> Upstream:
    """Refused while a group names it. Its secrets are erased, its records stay."""
    now_ms, busy = services.now_ms(), services.busy
    return await services.change(
        "upstream.delete", name, lambda c: upstreams.delete_upstream(c, name, now_ms=now_ms, busy=busy)
    )


@post("/upstreams/{name:str}/credentials")
async def add_credential(
    name: FromPath[str], data: JSONBody[CredentialCreate], services: NamedDependency[AdminServices]
) -> Upstream:
    now_ms, vault, busy = services.now_ms(), services.vault, services.busy
    return await services.change(
        "upstream.credential.add",
        name,
        lambda c: upstreams.add_credential(c, vault, name, data, now_ms=now_ms, busy=busy),
        data,
    )


@patch("/upstreams/{name:str}/credentials/{label:str}")
async def edit_credential(
    name: FromPath[str],
    label: FromPath[str],
    data: JSONBody[CredentialEdit],
    services: NamedDependency[AdminServices],
) -> Upstream:
    """Renames, enables, disables; a new `api_key` replaces the old one at once."""
    now_ms, vault, busy = services.now_ms(), services.vault, services.busy
    changed = await services.change(
        "upstream.credential.edit",
        name,
        lambda c: upstreams.edit_credential(c, vault, name, label, data, now_ms=now_ms, busy=busy),
        data,
    )
    await _share_health(services)
    return changed


@delete("/upstreams/{name:str}/credentials/{label:str}", status_code=200)
async def delete_credential(
    name: FromPath[str], label: FromPath[str], services: NamedDependency[AdminServices]
) -> Upstream:
    now_ms, busy = services.now_ms(), services.busy
    return await services.change(
        "upstream.credential.delete",
        name,
        lambda c: upstreams.delete_credential(c, name, label, now_ms=now_ms, busy=busy),
    )


@post("/upstreams/{name:str}/probe", status_code=200)
async def probe_upstream(name: FromPath[str], services: NamedDependency[AdminServices]) -> Probe:
    """Asks for the model list, which costs nothing, and keeps what came of it."""
    known = services.catalog.current().upstreams.values()
    upstream = next((one for one in known if one.name == name), None)
    if upstream is None:
        raise unknown("upstream", name, (one.name for one in known), param="upstream")
    probed = await services.probe(upstream)
    now_ms = services.now_ms()
    return await services.writer.submit(lambda c: upstreams.record_probe(c, name, probed, now_ms=now_ms))


@get("/upstreams/{name:str}/probes")
async def list_probes(
    name: FromPath[str], services: NamedDependency[AdminServices], limit: FromQuery[int] = PROBES_SHOWN
) -> tuple[Probe, ...]:
    """Newest first."""
    if not 1 <= limit <= MOST_PROBES:
        raise BadRequest(f"A list has 1 to {MOST_PROBES} probes, not {limit}.", param="limit")
    return await services.reader.read(lambda c: upstreams.list_probes(c, name, limit))


@get("/upstreams/{name:str}/health")
async def show_health(name: FromPath[str], services: NamedDependency[AdminServices]) -> UpstreamHealth:
    """Latency of a day and of an hour, the share of good answers, and when it is probed next."""
    now_ms, busy = services.now_ms(), services.busy
    return await services.reader.read(lambda c: health.upstream_health(c, name, now_ms, busy))


@get("/upstreams/{name:str}/errors")
async def list_errors(
    name: FromPath[str], services: NamedDependency[AdminServices], limit: FromQuery[int] = PROBES_SHOWN
) -> tuple[UpstreamError, ...]:
    """Tries that went wrong, newest first, also of requests that another upstream answered."""
    if not 1 <= limit <= MOST_PROBES:
        raise BadRequest(f"A list has 1 to {MOST_PROBES} errors, not {limit}.", param="limit")
    return await services.reader.read(lambda c: health.upstream_errors(c, name, limit))


@get("/upstreams/{name:str}/models")
async def list_models(
    name: FromPath[str], services: NamedDependency[AdminServices]
) -> tuple[UpstreamModel, ...]:
    """What it can be said to serve, and whether it is priced."""
    return upstreams.list_models(services.catalog.current(), name, services.now_ms())


@get("/circuits")
async def list_circuits(services: NamedDependency[AdminServices]) -> tuple[Circuit, ...]:
    """Everything that rests now."""
    now_ms = services.now_ms()
    return await services.reader.read(lambda c: upstreams.list_circuits(c, now_ms))


@post("/circuits/reset", status_code=200)
async def reset_circuits(
    services: NamedDependency[AdminServices], upstream: FromQuery[str] = ""
) -> CircuitsReset:
    """Of one upstream, or of all."""
    done = await services.change(
        "circuits.reset",
        upstream or "of all upstreams",
        lambda c: upstreams.reset_circuits(c, upstream or None),
    )
    await _share_health(services)
    return done


async def _share_health(services: AdminServices) -> None:
    """This worker sees the rows at once; the others look every second."""
    services.health.replace(await services.reader.read(read_circuits))


HANDLERS = [
    list_upstreams,
    add_upstream,
    show_upstream,
    edit_upstream,
    delete_upstream,
    add_credential,
    edit_credential,
    delete_credential,
    probe_upstream,
    list_probes,
    show_health,
    list_errors,
    list_models,
    list_circuits,
    reset_circuits,
]
