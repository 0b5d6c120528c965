"""/admin/v1/quotas"""

from __future__ import annotations

from litestar import delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from laidian.admin.api.services import AdminServices
from laidian.admin.schema import Credit, Quota, QuotaCreate, QuotaEdit, TopUp
from laidian.admin.service import quotas


@get("/quotas")
async def list_quotas(services: NamedDependency[AdminServices]) -> tuple[Quota, ...]:
    """Every quota by name."""
    now_ms = services.now_ms()
    return await services.reader.read(lambda connection: quotas.list_quotas(connection, now_ms))


@post("/quotas")
async def create_quota(data: JSONBody[QuotaCreate], services: NamedDependency[AdminServices]) -> Quota:
    now_ms = services.now_ms()
    return await services.change(
        "quota.create", data.name, lambda c: quotas.create_quota(c, data, now_ms=now_ms), data
    )


@get("/quotas/{name:str}")
async def show_quota(name: FromPath[str], services: NamedDependency[AdminServices]) -> Quota:
    now_ms = services.now_ms()
    return await services.reader.read(lambda connection: quotas.show_quota(connection, name, now_ms))


@patch("/quotas/{name:str}")
async def edit_quota(
    name: FromPath[str], data: JSONBody[QuotaEdit], services: NamedDependency[AdminServices]
) -> Quota:
    now_ms = services.now_ms()
    return await services.change(
        "quota.edit", name, lambda c: quotas.edit_quota(c, name, data, now_ms=now_ms), data
    )


@delete("/quotas/{name:str}", status_code=200)
async def delete_quota(name: FromPath[str], services: NamedDependency[AdminServices]) -> Quota:
    """Refused while keys use it."""
    now_ms = services.now_ms()
    return await services.change("quota.delete", name, lambda c: quotas.delete_quota(c, name, now_ms=now_ms))


@get("/quotas/{name:str}/credits")
async def list_credits(name: FromPath[str], services: NamedDependency[AdminServices]) -> tuple[Credit, ...]:
    """Newest first."""
    return await services.reader.read(lambda connection: quotas.list_credits(connection, name))


@post("/quotas/{name:str}/credits")
async def top_up(
    name: FromPath[str], data: JSONBody[TopUp], services: NamedDependency[AdminServices]
) -> Quota:
    """Adds to a prepaid balance, or takes back what is left of it."""
    now_ms = services.now_ms()
    return await services.change(
        "quota.top_up", name, lambda c: quotas.top_up(c, name, data, now_ms=now_ms), data
    )


HANDLERS = [list_quotas, create_quota, show_quota, edit_quota, delete_quota, list_credits, top_up]
