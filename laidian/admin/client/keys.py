"""Keys."""

from __future__ import annotations

from laidian.admin.client.address import part
from laidian.admin.client.calls import Calls
from laidian.admin.schema import Key, KeyCreate, KeyCreated, KeyEdit


class KeyCalls(Calls):
    async def keys(self) -> tuple[Key, ...]:
        return await self.ask("GET", "/keys", tuple[Key, ...])

    async def key(self, key: str) -> Key:
        return await self.ask("GET", f"/keys/{part(key)}", Key)

    async def create_key(self, new: KeyCreate) -> KeyCreated:
        return await self.ask("POST", "/keys", KeyCreated, body=new)

    async def edit_key(self, key: str, edit: KeyEdit) -> Key:
        return await self.ask("PATCH", f"/keys/{part(key)}", Key, body=edit)

    async def rotate_key(self, key: str) -> KeyCreated:
        return await self.ask("POST", f"/keys/{part(key)}/rotate", KeyCreated)

    async def delete_key(self, key: str) -> Key:
        return await self.ask("DELETE", f"/keys/{part(key)}", Key)
