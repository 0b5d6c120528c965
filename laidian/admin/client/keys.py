"""Keys."""

from __future__ import annotations

import msgspec

from laidian.admin.client.address import part
from laidian.admin.client.calls import Calls
from laidian.admin.schema import Key, KeyCreate, KeyCreated, KeyEdit, KeyQuery, Page

LARGEST_PAGE = 500
"""Rows that the server gives at most."""


class KeyCalls(Calls):
    async def keys(self) -> tuple[Key, ...]:
        """Every key by name, however many there are."""
        found: list[Key] = []
        cursor: str | None = None
        while True:
            page = await self.key_page(KeyQuery(), limit=LARGEST_PAGE, cursor=cursor)
            found += page.items
            if page.next is None:
                return tuple(found)
            cursor = page.next

    async def key_page(
        self, only: KeyQuery, *, limit: int, cursor: str | None = None, offset: int | None = None
    ) -> Page[Key]:
        """One page in the order of `only.sort`, beyond a cursor or from a number on; its `total` says how many fit."""
        query = {name: str(value) for name, value in msgspec.structs.asdict(only).items() if value}
        query["limit"] = str(limit)
        if cursor:
            query["cursor"] = cursor
        if offset is not None:
            query["offset"] = str(offset)
        return await self.ask("GET", "/keys", Page[Key], query=query)

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
