"""/admin/v1/keys"""

from __future__ import annotations

from typing import Annotated

from litestar import delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from laidian.admin.api.services import AdminServices
from laidian.admin.schema import Key, KeyCreate, KeyCreated, KeyEdit, KeyQuery, Page
from laidian.admin.service import keys

PAGE = 100


@get("/keys")
async def list_keys(
    services: NamedDependency[AdminServices],
    limit: FromQuery[int] = PAGE,
    cursor: FromQuery[str] = "",
    offset: FromQuery[int | None] = None,
    sort: FromQuery[str] = "name",
    filter_: Annotated[str, QueryParameter(name="filter")] = "",
    state_: Annotated[str, QueryParameter(name="state")] = "",
    group: FromQuery[str] = "",
    quota: FromQuery[str] = "",
) -> Page[Key]:
    """Some of them, in any order, with what they are filtered by; and how many fit in all."""
    now_ms = services.now_ms()
    query = KeyQuery(sort=sort, filter=filter_, state=state_, group=group, quota=quota)
    return await services.reader.read(
        lambda c: keys.list_keys(c, query, limit=limit, cursor=cursor, offset=offset, now_ms=now_ms)
    )


@post("/keys")
async def create_key(data: JSONBody[KeyCreate], services: NamedDependency[AdminServices]) -> KeyCreated:
    """A new key with its credential, shown once."""
    now_ms, entropy = services.now_ms(), services.entropy()
    return await services.change(
        "key.create", data.name, lambda c: keys.create_key(c, data, entropy=entropy, now_ms=now_ms), data
    )


@get("/keys/{key:str}")
async def show_key(key: FromPath[str], services: NamedDependency[AdminServices]) -> Key:
    now_ms = services.now_ms()
    return await services.reader.read(lambda connection: keys.show_key(connection, key, now_ms))


@patch("/keys/{key:str}")
async def edit_key(
    key: FromPath[str], data: JSONBody[KeyEdit], services: NamedDependency[AdminServices]
) -> Key:
    now_ms = services.now_ms()
    return await services.change("key.edit", key, lambda c: keys.edit_key(c, key, data, now_ms=now_ms), data)


@post("/keys/{key:str}/rotate", status_code=200)
async def rotate_key(key: FromPath[str], services: NamedDependency[AdminServices]) -> KeyCreated:
    """A new credential; the old one is dead at once."""
    now_ms, entropy = services.now_ms(), services.entropy()
    return await services.change(
        "key.rotate", key, lambda c: keys.rotate_key(c, key, entropy=entropy, now_ms=now_ms)
    )


@delete("/keys/{key:str}", status_code=200)
async def delete_key(key: FromPath[str], services: NamedDependency[AdminServices]) -> Key:
    """The key as it was; its usage stays."""
    now_ms = services.now_ms()
    return await services.change("key.delete", key, lambda c: keys.delete_key(c, key, now_ms=now_ms))


HANDLERS = [list_keys, create_key, show_key, edit_key, rotate_key, delete_key]
