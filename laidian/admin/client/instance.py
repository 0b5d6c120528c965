"""The instance itself."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import httpx2
import msgspec

from laidian.admin.client.calls import LONG_S, Calls
from laidian.admin.client.refusals import FOREIGN, AdminError
from laidian.admin.schema import (
    AuditReport,
    Doctor,
    Event,
    Heard,
    Operation,
    Overview,
    Page,
    Settings,
    Status,
    Trial,
    TrialOutcome,
)

EVENTS_SILENCE_S = 20.0
"""The server says at least every 15 s that it is there."""


class InstanceCalls(Calls):
    async def status(self) -> Status:
        return await self.ask("GET", "/status", Status)

    async def audit(self) -> AuditReport:
        return await self.ask("GET", "/audit", AuditReport, wait_s=LONG_S)

    async def operations(self, *, limit: int, cursor: str | None = None) -> Page[Operation]:
        """Who changed what, newest first."""
        query = {"limit": str(limit)} | ({"cursor": cursor} if cursor else {})
        return await self.ask("GET", "/operations", Page[Operation], query=query)

    async def events(self, *, last_id: str = "") -> AsyncGenerator[Heard, None]:
        """What happens, as it happens, until the connection ends. Raises AdminError when it breaks; whoever wants to go on comes again
        with the id of the last event heard. Silence of more than `EVENTS_SILENCE_S` is a broken connection.
        """
        headers = {"accept": "text/event-stream"} | ({"last-event-id": last_id} if last_id else {})
        decoder = msgspec.json.Decoder(Event)
        heard, data = last_id, ""
        try:
            async with self.http.stream(
                "GET", "/events", headers=headers, timeout=self.bound(EVENTS_SILENCE_S)
            ) as response:
                if response.status_code >= 300:
                    await response.aread()
                    raise self.refusal(response)
                async for line in response.aiter_lines():
                    name, _, value = line.partition(": ")
                    if name == "id":
                        heard = value
                    elif name == "data":
                        data = value
                    elif not line and data:
                        yield Heard(id=heard, event=decoder.decode(data))
                        data = ""
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise self.lost(error, EVENTS_SILENCE_S) from None
        except msgspec.DecodeError:
            raise AdminError(
                502,
                FOREIGN,
                f"the events of {self.address} are not those that this version of LaiDian knows.",
            ) from None

    async def overview(self) -> Overview:
        """The dashboard's first screen."""
        return await self.ask("GET", "/overview", Overview)

    async def doctor(self) -> Doctor:
        return await self.ask("GET", "/doctor", Doctor, wait_s=LONG_S)

    async def settings(self) -> Settings:
        return await self.ask("GET", "/settings", Settings)

    async def test(self, trial: Trial) -> TrialOutcome:
        """Sends one tiny request through the whole path. A gate that is closed is an outcome, not an error."""
        return await self.ask("POST", "/test", TrialOutcome, body=trial, wait_s=LONG_S)
