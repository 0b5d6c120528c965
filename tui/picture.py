"""What the first screen shows at one moment: the seam between the server and the widgets.

A screen draws a `Picture` and nothing else, so a later source (a stream instead of polling) changes this file only.
"""

from __future__ import annotations

import asyncio

import msgspec

from laidian.admin.client import AdminClient, UsageFilter
from laidian.admin.schema import Status, UsageRecord

LATEST = 20
"""Usage records on the first screen."""


class Picture(msgspec.Struct, frozen=True):
    status: Status
    latest: tuple[UsageRecord, ...]
    """Newest first, at most `LATEST`."""


async def look(client: AdminClient) -> Picture:
    """Raises AdminError when the server is away or refuses."""
    status, page = await asyncio.gather(client.status(), client.usage(UsageFilter(), limit=LATEST))
    return Picture(status, page.items)
