"""/admin/v1/overview, /doctor, /settings and /test"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from laidian.admin.api.services import AdminServices
from laidian.admin.api.trial import run_trial
from laidian.admin.schema import Doctor, Overview, Settings, Trial, TrialOutcome
from laidian.admin.service import doctor, settings
from laidian.admin.service.overview import disk_of, overview
from laidian.admin.service.status import Instance
from laidian.domain.price_book import parse_book


@get("/overview")
async def show_overview(services: NamedDependency[AdminServices]) -> Overview:
    """The dashboard's first screen in one consistent picture."""
    now_ms, catalog, disk = services.now_ms(), services.catalog.current(), disk_of(services.data)
    instance = Instance(
        pid=os.getpid(),
        started_at_ms=services.started_at_ms,
        base_url=services.base_url,
        data=str(services.data),
        busy=services.busy,
        stopping=services.stopping(),
    )
    source, public = _source_of(services.shipped_book), bool(services.config.server.public_url)
    return await services.reader.read(
        lambda c: overview(c, instance, catalog, source, disk, now_ms, public_url=public)
    )


@lru_cache(maxsize=4)
def _source_of(shipped: Callable[[], bytes]) -> str:
    """What the shipped book calls itself; it is read once."""
    return parse_book(shipped()).source


@get("/doctor")
async def show_doctor(services: NamedDependency[AdminServices]) -> Doctor:
    """Every check, with what to do. Reads the whole database once."""
    place = doctor.Place(
        data=services.data,
        config_file=_config_file(services),
        disk=disk_of(services.data),
        running=services.front is not None,
    )
    config, shipped, now_ms = services.config, services.shipped_book(), services.now_ms()
    return await services.reader.read(lambda c: doctor.examine(c, config, place, shipped, now_ms))


@get("/settings")
async def show_settings(services: NamedDependency[AdminServices]) -> Settings:
    """The configuration that this process runs with, without secrets."""
    return settings.settings(services.config, _config_file(services), services.data)


def _config_file(services: AdminServices) -> Path | None:
    """The file that was read at the start; the usual one when nobody named another."""
    usual = services.data / "config.toml"
    return services.config_file or (usual if usual.exists() else None)


@post("/test", status_code=200)
async def test_request(data: JSONBody[Trial], services: NamedDependency[AdminServices]) -> TrialOutcome:
    """Sends one tiny chat request through the whole path and says what happened, or which gate was closed."""
    return await run_trial(services, data)


HANDLERS = [show_overview, show_doctor, show_settings, test_request]
