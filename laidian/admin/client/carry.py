"""An import."""

from __future__ import annotations

from laidian.admin.client.calls import LONG_S, Calls
from laidian.admin.schema import Carried, Carry


class CarryCalls(Calls):
    async def carry(self, wanted: Carry) -> Carried:
        return await self.ask("POST", "/carry", Carried, body=wanted, wait_s=LONG_S)
