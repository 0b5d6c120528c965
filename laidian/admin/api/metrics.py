"""GET /metrics: the counters of all workers, for Prometheus on this machine, or elsewhere with the admin token."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest, multiprocess

from laidian.admin.api.gate import check_place, token_is
from laidian.admin.api.services import AdminServices
from laidian.errors import Forbidden


def metrics_route(services: Callable[[], AdminServices]) -> HTTPRouteHandler:
    @get("/metrics", sync_to_thread=False)
    def metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Raises Forbidden for another machine without the token."""
        headers = list(request.scope["headers"])
        if not token_is(services().token.reveal(), headers):
            _only_here(request.client.host if request.client else "", headers)
        return Response(_text(), headers={"content-type": CONTENT_TYPE_LATEST})

    return metrics


def _only_here(peer: str, headers: Any) -> None:
    try:
        check_place(peer, headers)
    except Forbidden:
        raise Forbidden(
            "/metrics answers only to this machine, or with the admin token as `Authorization: Bearer …`.",
            code="not_local",
        ) from None


def _text() -> bytes:
    """Prometheus' text form of every worker's counters."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # pyright: ignore[reportUnknownMemberType]
    return generate_latest(registry)
