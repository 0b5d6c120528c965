"""Quotas and the credits into them."""

from __future__ import annotations

from laidian.admin.client.address import part
from laidian.admin.client.calls import Calls
from laidian.admin.schema import Credit, Quota, QuotaCreate, QuotaEdit, TopUp


class QuotaCalls(Calls):
    async def quotas(self) -> tuple[Quota, ...]:
        return await self.ask("GET", "/quotas", tuple[Quota, ...])

    async def quota(self, name: str) -> Quota:
        return await self.ask("GET", f"/quotas/{part(name)}", Quota)

    async def create_quota(self, new: QuotaCreate) -> Quota:
        return await self.ask("POST", "/quotas", Quota, body=new)

    async def edit_quota(self, name: str, edit: QuotaEdit) -> Quota:
        return await self.ask("PATCH", f"/quotas/{part(name)}", Quota, body=edit)

    async def delete_quota(self, name: str) -> Quota:
        return await self.ask("DELETE", f"/quotas/{part(name)}", Quota)

    async def credits(self, name: str) -> tuple[Credit, ...]:
        """Newest first."""
        return await self.ask("GET", f"/quotas/{part(name)}/credits", tuple[Credit, ...])

    async def top_up(self, name: str, credit: TopUp) -> Quota:
        return await self.ask("POST", f"/quotas/{part(name)}/credits", Quota, body=credit)
