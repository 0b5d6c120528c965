"""/admin/v1/status, /audit and /live"""

from __future__ import annotations

import os

from litestar import delete, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from laidian.admin.api.services import AdminServices
from laidian.admin.schema import AuditReport, LiveRequest, Status
from laidian.admin.service import live
from laidian.admin.service.report import audit_report
from laidian.admin.service.status import Instance
from laidian.admin.service.status import status as status_of


@get("/status")
async def show_status(services: NamedDependency[AdminServices]) -> Status:
    """What runs, what works, what today cost."""
    now_ms = services.now_ms()
    instance = Instance(
        pid=os.getpid(),
        started_at_ms=services.started_at_ms,
        base_url=services.base_url,
        data=str(services.data),
        busy=services.busy,
        stopping=services.stopping(),
    )
    return await services.reader.read(lambda c: status_of(c, instance, now_ms))


@get("/audit")
async def show_audit(services: NamedDependency[AdminServices]) -> AuditReport:
    """Replays the ledger: about a second for a hundred thousand records."""
    now_ms, run_folder = services.now_ms(), services.run_folder
    return await services.reader.read(lambda c: audit_report(c, run_folder, now_ms))


@get("/live")
async def list_live(services: NamedDependency[AdminServices]) -> tuple[LiveRequest, ...]:
    """Requests in flight, oldest first."""
    now_ms = services.now_ms()
    return await services.reader.read(lambda c: live.list_live(c, now_ms))


@delete("/live/{request_id:str}", status_code=200)
async def cancel_live(request_id: FromPath[str], services: NamedDependency[AdminServices]) -> LiveRequest:
    """Ends a request, whichever worker has it; what it used is settled."""
    now_ms = services.now_ms()
    found = await services.change(
        "request.end", request_id, lambda c: live.end_request(c, request_id, now_ms)
    )
    services.cancel(request_id)
    return found


HANDLERS = [show_status, show_audit, list_live, cancel_live]
