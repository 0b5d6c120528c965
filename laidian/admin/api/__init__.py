"""The admin API on HTTP: `admin_router` and what it needs. Paths and types are in `laidian.admin.schema`."""

from laidian.admin.api.router import admin_router
from laidian.admin.api.services import AdminServices

__all__ = ["AdminServices", "admin_router"]
