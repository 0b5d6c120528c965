"""Client snippets."""

from __future__ import annotations

from laidian.admin.client.calls import Calls
from laidian.admin.schema import Snippet


class SnippetCalls(Calls):
    async def snippets(
        self, *, key: str | None = None, group: str | None = None, model: str | None = None
    ) -> tuple[Snippet, ...]:
        """Of every client that the key's group has a use for, with `{key}` left open; see the schema for who is meant without any."""
        query = {"key": key, "group": group, "model": model}
        named = {name: value for name, value in query.items() if value}
        return await self.ask("GET", "/snippets", tuple[Snippet, ...], query=named)
