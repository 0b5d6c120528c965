"""The instance itself."""

from __future__ import annotations

from laidian.admin.client.calls import LONG_S, Calls
from laidian.admin.schema import AuditReport, Status


class InstanceCalls(Calls):
    async def status(self) -> Status:
        return await self.ask("GET", "/status", Status)

    async def audit(self) -> AuditReport:
        return await self.ask("GET", "/audit", AuditReport, wait_s=LONG_S)
