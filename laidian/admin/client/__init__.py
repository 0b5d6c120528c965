"""The admin API from the outside: one typed method per path of `laidian.admin.schema`, for the command line and the dashboard.

Knows no data folder and no terminal: it is handed a URL, or the admin application itself when no server runs, and the way through it
is the same for both. One file for each title of the schema; `AdminClient` is all of them together.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import TracebackType
from urllib.parse import urlsplit

import httpx2

from laidian.admin.client.address import checked_url, is_loopback, only_trusting
from laidian.admin.client.calls import LONG_S, TIMEOUT_S
from laidian.admin.client.carry import CarryCalls
from laidian.admin.client.groups import GroupCalls
from laidian.admin.client.instance import InstanceCalls
from laidian.admin.client.keys import KeyCalls
from laidian.admin.client.prices import PriceCalls
from laidian.admin.client.quotas import QuotaCalls
from laidian.admin.client.refusals import FOREIGN, LOST, UNREACHABLE, AdminError
from laidian.admin.client.snippets import SnippetCalls
from laidian.admin.client.upstreams import UpstreamCalls
from laidian.admin.client.usage import UsageCalls, UsageFilter

__all__ = [
    "FOREIGN",
    "LONG_S",
    "LOST",
    "TIMEOUT_S",
    "UNREACHABLE",
    "AdminClient",
    "AdminError",
    "UsageFilter",
    "checked_url",
    "is_loopback",
]

ASGIApp = Callable[..., Awaitable[None]]
"""`(scope, receive, send)`; every framework types these three differently."""


class AdminClient(
    CarryCalls,
    GroupCalls,
    InstanceCalls,
    KeyCalls,
    PriceCalls,
    QuotaCalls,
    SnippetCalls,
    UpstreamCalls,
    UsageCalls,
):
    """Speaks `/admin/v1`. Use as an async context manager, or call `aclose`."""

    @classmethod
    def over_http(
        cls,
        url: str,
        token: str,
        *,
        timeout_s: float | None = None,
        insecure: bool = False,
        certificate: str = "",
        actor: str = "cli",
    ) -> AdminClient:
        """For a server at `url` (without /admin/v1). Raises BadRequest for an address that would show the token to the network.

        `timeout_s` bounds every answer; None: `TIMEOUT_S`, or `LONG_S` where work is to be expected. `certificate`: PEM file of the one
        certificate that is trusted, whatever name it is for: how this machine's own server is reached by address.
        """
        url = checked_url(url, insecure=insecure)
        host = urlsplit(url).hostname or ""
        http = httpx2.AsyncClient(
            base_url=f"{url}/admin/v1",
            headers=_headers(token, actor),
            trust_env=not is_loopback(host),
            # Without TLS no authorities are loaded: that is some 5 MB and 20 ms of every command and dashboard on the machine itself.
            verify=only_trusting(certificate) if certificate else url.startswith("https://"),
        )
        return cls(http, url, timeout_s=timeout_s)

    @classmethod
    def in_process(
        cls, app: ASGIApp, token: str, address: str, *, timeout_s: float | None = None, actor: str = "cli"
    ) -> AdminClient:
        """For the admin application itself, started already, when no server runs."""
        http = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=app),
            base_url="http://127.0.0.1/admin/v1",
            headers=_headers(token, actor),
            trust_env=False,
        )
        return cls(http, address, timeout_s=timeout_s)

    async def __aenter__(self) -> AdminClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


def _headers(token: str, actor: str) -> dict[str, str]:
    """`actor`: who asks, for the operator's journal."""
    return {"authorization": f"Bearer {token}", "accept": "application/json", "x-laidian-actor": actor}
