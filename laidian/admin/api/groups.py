"""/admin/v1/groups"""

from __future__ import annotations

from litestar import delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from laidian.admin.api.services import AdminServices
from laidian.admin.schema import Group, GroupCreate, GroupEdit
from laidian.admin.service import groups


@get("/groups")
async def list_groups(services: NamedDependency[AdminServices]) -> tuple[Group, ...]:
    """Every group by name."""
    return await services.reader.read(groups.list_groups)


@post("/groups")
async def create_group(data: JSONBody[GroupCreate], services: NamedDependency[AdminServices]) -> Group:
    now_ms = services.now_ms()
    return await services.change(
        "group.create", data.name, lambda c: groups.create_group(c, data, now_ms=now_ms), data
    )


@get("/groups/{name:str}")
async def show_group(name: FromPath[str], services: NamedDependency[AdminServices]) -> Group:
    return await services.reader.read(lambda connection: groups.show_group(connection, name))


@patch("/groups/{name:str}")
async def edit_group(
    name: FromPath[str], data: JSONBody[GroupEdit], services: NamedDependency[AdminServices]
) -> Group:
    return await services.change("group.edit", name, lambda c: groups.edit_group(c, name, data), data)


@delete("/groups/{name:str}", status_code=200)
async def delete_group(name: FromPath[str], services: NamedDependency[AdminServices]) -> Group:
    """Refused while keys use it."""
    now_ms = services.now_ms()
    return await services.change("group.delete", name, lambda c: groups.delete_group(c, name, now_ms=now_ms))


HANDLERS = [list_groups, create_group, show_group, edit_group, delete_group]
