"""An admin API on a real database file, reached through ASGI by the client that the command line uses."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from litestar import Litestar

from laidian.admin.api import AdminServices, admin_router
from laidian.config import AdminSettings, Config
from laidian.domain.upstream import Secret, Upstream
from laidian.store.reader import Reader
from laidian.store.writer import Writer
from laidian.upstream.health import Health
from laidian.upstream.probe import Probed
from tests.admin.desk import NOW_MS, Desk

TOKEN = "admin-token-of-these-tests"


class Clock:
    """A time that only a test moves."""

    def __init__(self) -> None:
        self.ms = NOW_MS

    def now_ms(self) -> int:
        return self.ms

    def seconds(self) -> float:
        return self.ms / 1000


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bare_desk(tmp_path: Path) -> Iterator[Desk]:
    """A migrated database before its first start."""
    desk = Desk(tmp_path)
    yield desk
    desk.close()


@pytest.fixture
def desk(bare_desk: Desk) -> Desk:
    """A database after its first start, without upstreams."""
    bare_desk.start()
    return bare_desk


class Prober:
    """Answers probes with what the test says, and remembers whom it was asked about."""

    def __init__(self) -> None:
        self.answer: Probed | Exception = Probed(True, 200, 12, ("gpt-5.4", "gpt-5.5"), "")
        self.asked: list[Upstream] = []

    async def __call__(self, upstream: Upstream) -> Probed:
        self.asked.append(upstream)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Api:
    """The API with its token, and what a test looks at behind it."""

    def __init__(self, app: Litestar, services: AdminServices, prober: Prober, cancelled: list[str]) -> None:
        self.app = app
        self.services = services
        self.prober = prober
        self.cancelled = cancelled

    def client(
        self, *, peer: str = "127.0.0.1", token: str | None = TOKEN, host: str = "127.0.0.1:8080"
    ) -> httpx2.AsyncClient:
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        transport = httpx2.ASGITransport(app=self.app, client=(peer, 50_000))  # pyright: ignore[reportArgumentType]
        return httpx2.AsyncClient(transport=transport, base_url=f"http://{host}", headers=headers)

    async def ask(self, method: str, path: str, body: object = None, *, expect: int | None = None) -> Any:
        """The decoded answer; fails with the answer's text when the status is another one."""
        content = None if body is None else msgspec.json.encode(body)
        async with self.client() as client:
            response = await client.request(method, f"/admin/v1{path}", content=content)
        wanted = expect or (201 if method == "POST" and response.status_code == 201 else 200)
        assert response.status_code == wanted, response.text
        return response.json()


Make = Callable[..., Any]


@pytest.fixture
async def make_api(desk: Desk, clock: Clock) -> AsyncIterator[Make]:
    opened: list[AdminServices] = []

    def make(*, remote: bool = False) -> Api:
        writer = Writer(desk.path)
        writer.start()
        prober = Prober()
        cancelled: list[str] = []
        entropy = (bytes([number]) * 32 for number in itertools.count(1))

        def cancel(request_id: str) -> bool:
            cancelled.append(request_id)
            return request_id != "req_elsewhere"

        services = AdminServices(
            writer=writer,
            reader=Reader(desk.path),
            catalog=desk.reader(),
            vault=desk.vault,
            health=Health(clock.now_ms, lambda _key, _circuit: None),
            probe=prober,
            cancel=cancel,
            stopping=lambda: False,
            token=Secret(TOKEN),
            config=Config(admin=AdminSettings(remote=remote)),
            data=desk.folder,
            run_folder=desk.run,
            started_at_ms=NOW_MS - 90_000,
            now_ms=clock.now_ms,
            clock_s=clock.seconds,
            entropy=lambda: next(entropy),
        )
        opened.append(services)
        return Api(
            Litestar([admin_router(lambda: services)], openapi_config=None), services, prober, cancelled
        )

    yield make
    for services in opened:
        await services.writer.aclose()
        services.reader.close()


@pytest.fixture
async def api(make_api: Make) -> Api:
    return make_api()
