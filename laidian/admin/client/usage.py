"""Usage records and requests in flight."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import msgspec

from laidian.admin.client.address import part
from laidian.admin.client.calls import LONG_S, Calls
from laidian.admin.client.refusals import FOREIGN, AdminError
from laidian.admin.schema import Grouping, LiveRequest, Page, UsageDetail, UsageRecord, UsageSummary


class UsageFilter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which usage records; everything left out takes all. Names as in the query of `/usage`."""

    since: str = ""
    """ISO 8601, a date, or a duration back from now: `24h`."""
    until: str = ""
    key: str = ""
    model: str = ""
    group: str = ""
    upstream: str = ""
    ended: str = ""
    status: int | str | None = None
    """A number, or a class as in `UsageQuery`."""
    request_id: str = ""
    operation: str = ""
    client: str = ""
    text: str = ""
    kind: str = ""


class UsageCalls(Calls):
    async def usage(
        self, only: UsageFilter, *, limit: int, cursor: str | None = None, at: str = ""
    ) -> Page[UsageRecord]:
        """One page, newest first: the newest, those beyond a cursor of another page, or those from a moment back."""
        query = query_of(only) | {"limit": str(limit)}
        query |= ({"cursor": cursor} if cursor else {}) | ({"at": at} if at else {})
        return await self.ask("GET", "/usage", Page[UsageRecord], query=query)

    async def usage_summary(self, by: Grouping, only: UsageFilter, *, top: int = 0) -> UsageSummary:
        """`top`: at most so many rows; 0 for all."""
        query = query_of(only) | {"by": by} | ({"top": str(top)} if top else {})
        return await self.ask("GET", "/usage/summary", UsageSummary, query=query, wait_s=LONG_S)

    async def usage_detail(self, request_id: str) -> UsageDetail:
        return await self.ask("GET", f"/usage/{part(request_id)}", UsageDetail)

    async def export_usage(self, only: UsageFilter) -> AsyncIterator[UsageRecord]:
        """All of them, one by one, however many there are. Raises AdminError when the answer breaks off."""
        decoder = msgspec.json.Decoder(UsageRecord)
        try:
            async with self.http.stream(
                "GET", "/usage/export", params=query_of(only), timeout=self.bound(LONG_S)
            ) as response:
                if response.status_code >= 400:
                    await response.aread()
                    raise self.refusal(response)
                async for line in response.aiter_lines():
                    if line:
                        yield decoder.decode(line)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise self.lost(error, LONG_S) from None
        except msgspec.DecodeError:
            raise AdminError(
                502, FOREIGN, f"the export from {self.address} holds a line that is not a usage record."
            ) from None

    async def live(self) -> tuple[LiveRequest, ...]:
        return await self.ask("GET", "/live", tuple[LiveRequest, ...])

    async def end_request(self, request_id: str) -> LiveRequest:
        return await self.ask("DELETE", f"/live/{part(request_id)}", LiveRequest)


def query_of(only: UsageFilter) -> dict[str, str]:
    found = msgspec.structs.asdict(only)
    return {name: str(value) for name, value in found.items() if value not in ("", None)}
