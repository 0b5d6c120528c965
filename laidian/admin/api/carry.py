"""/admin/v1/carry"""

from __future__ import annotations

from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from laidian.admin.api.services import AdminServices
from laidian.admin.schema import Carried, Carry
from laidian.admin.service.carry import TrialRun, carry

BODY_MAX_BYTES = 32 * 1024 * 1024
"""100,000 keys."""


@post("/carry", status_code=200, request_max_body_size=BODY_MAX_BYTES)
async def carry_over(data: JSONBody[Carry], services: NamedDependency[AdminServices]) -> Carried:
    """What another gateway's data becomes here. Nothing stays unless it says `apply`."""
    now_ms, catalog = services.now_ms(), services.catalog.current()

    def price_of(model: str) -> str | None:
        price = catalog.price_of(model, now_ms)
        return None if price is None else price.source

    try:
        return await services.writer.submit(
            lambda connection: carry(
                connection, services.vault, data, now_ms=now_ms, price_of=price_of, who=services.who
            )
        )
    except TrialRun as trial:
        return trial.carried


HANDLERS = [carry_over]
