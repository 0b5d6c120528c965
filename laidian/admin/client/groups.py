"""Groups."""

from __future__ import annotations

from laidian.admin.client.address import part
from laidian.admin.client.calls import Calls
from laidian.admin.schema import Group, GroupCreate, GroupEdit, GroupServing


class GroupCalls(Calls):
    async def groups(self) -> tuple[Group, ...]:
        return await self.ask("GET", "/groups", tuple[Group, ...])

    async def group(self, name: str) -> Group:
        return await self.ask("GET", f"/groups/{part(name)}", Group)

    async def create_group(self, new: GroupCreate) -> Group:
        return await self.ask("POST", "/groups", Group, body=new)

    async def edit_group(self, name: str, edit: GroupEdit) -> Group:
        return await self.ask("PATCH", f"/groups/{part(name)}", Group, body=edit)

    async def delete_group(self, name: str) -> Group:
        return await self.ask("DELETE", f"/groups/{part(name)}", Group)

    async def serving(self, name: str) -> GroupServing:
        """Who serves what now."""
        return await self.ask("GET", f"/groups/{part(name)}/serving", GroupServing)
