"""/admin/v1/operations"""

from __future__ import annotations

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from laidian.admin.api.services import AdminServices
from laidian.admin.schema import Operation, Page
from laidian.admin.service import operations

PAGE = 100


@get("/operations")
async def list_operations(
    services: NamedDependency[AdminServices], limit: FromQuery[int] = PAGE, cursor: FromQuery[str] = ""
) -> Page[Operation]:
    """Who changed what, newest first."""
    return await services.reader.read(lambda c: operations.list_operations(c, limit=limit, cursor=cursor))


HANDLERS = [list_operations]
