"""The admin API from the outside: one typed method per path of `laidian.admin.schema`, for the command line and the dashboard.

Owns HTTP: addresses, the token, time limits, and turning whatever goes wrong into one exception. Knows no data folder and
no terminal: it is handed a URL, or the admin application itself when no server runs, and the way through it is the same for
both. The rule a newcomer would break: every answer is decoded into a struct of the schema here, and nowhere else.
"""

from __future__ import annotations

import ipaddress
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Literal, TypeVar
from urllib.parse import quote, urlsplit

import httpx2
import msgspec

from laidian.admin.schema import (
    AuditReport,
    BookAdopt,
    Circuit,
    CircuitsReset,
    CredentialCreate,
    CredentialEdit,
    Credit,
    ErrorAnswer,
    Group,
    GroupCreate,
    GroupEdit,
    Grouping,
    Key,
    KeyCreate,
    KeyCreated,
    KeyEdit,
    LiveRequest,
    Page,
    Price,
    PriceBookState,
    PriceDiff,
    PriceFound,
    PriceSet,
    Probe,
    Quota,
    QuotaCreate,
    QuotaEdit,
    Status,
    TopUp,
    Upstream,
    UpstreamCreate,
    UpstreamEdit,
    UpstreamModel,
    UsageDetail,
    UsageRecord,
    UsageSummary,
)
from laidian.errors import BadRequest, LaidianError

T = TypeVar("T")
Method = Literal["GET", "POST", "PATCH", "DELETE"]
ASGIApp = Callable[..., Awaitable[None]]
"""`(scope, receive, send)`; every framework types these three differently."""

TIMEOUT_S = 30.0
"""Silence that an ordinary answer may keep; the API answers in milliseconds, a busy disk in seconds."""
LONG_S = 600.0
"""For a replay of the ledger, an export, and a probe that waits for an upstream's own time limits."""
# It logs a line per request at INFO, and whoever configures logging to show that would get ours among the server's own.
logging.getLogger("httpx2").setLevel(logging.WARNING)

UNREACHABLE = "server_unreachable"
"""Code of an `AdminError` without an answer."""
LOST = "answer_lost"
"""Code of an `AdminError` whose request went out, so that it may have been carried out."""
FOREIGN = "not_the_admin_api"
"""Code of an `AdminError` for an answer that LaiDian cannot have written."""


class AdminError(LaidianError):
    """The one thing that goes wrong with the admin API. `code` and `message` are the server's own where it gave any."""

    def __init__(self, status: int, code: str, message: str, *, param: str | None = None) -> None:
        super().__init__(message, code=code, param=param)
        self.status = status
        """HTTP status; 0: no answer came."""

    @property
    def away(self) -> bool:
        """No answer, or a server that is stopping: worth another try later."""
        return self.status == 0 or self.code == "server_stopping"


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
    status: int | None = None
    request_id: str = ""


class AdminClient:
    """Speaks `/admin/v1`. Use as an async context manager, or call `aclose`."""

    def __init__(self, http: httpx2.AsyncClient, address: str, *, timeout_s: float | None) -> None:
        self._http = http
        self.address = address
        """What is spoken to, for people: the URL, or the place of the data."""
        self._timeout_s = timeout_s

    @classmethod
    def over_http(
        cls, url: str, token: str, *, timeout_s: float | None = None, insecure: bool = False
    ) -> AdminClient:
        """For a server at `url` (without /admin/v1). Raises BadRequest for an address that would show the token to the network.

        `timeout_s` bounds every answer; None: `TIMEOUT_S`, or `LONG_S` where work is to be expected.
        """
        url = checked_url(url, insecure=insecure)
        host = urlsplit(url).hostname or ""
        http = httpx2.AsyncClient(
            base_url=f"{url}/admin/v1", headers=_credential(token), trust_env=not is_loopback(host)
        )
        return cls(http, url, timeout_s=timeout_s)

    @classmethod
    def in_process(
        cls, app: ASGIApp, token: str, address: str, *, timeout_s: float | None = None
    ) -> AdminClient:
        """For the admin application itself, started already, when no server runs."""
        http = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=app),
            base_url="http://127.0.0.1/admin/v1",
            headers=_credential(token),
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

    async def aclose(self) -> None:
        await self._http.aclose()

    # The instance

    async def status(self) -> Status:
        return await self._ask("GET", "/status", Status)

    async def audit(self) -> AuditReport:
        return await self._ask("GET", "/audit", AuditReport, wait_s=LONG_S)

    # Keys

    async def keys(self) -> tuple[Key, ...]:
        return await self._ask("GET", "/keys", tuple[Key, ...])

    async def key(self, key: str) -> Key:
        return await self._ask("GET", f"/keys/{_part(key)}", Key)

    async def create_key(self, new: KeyCreate) -> KeyCreated:
        return await self._ask("POST", "/keys", KeyCreated, body=new)

    async def edit_key(self, key: str, edit: KeyEdit) -> Key:
        return await self._ask("PATCH", f"/keys/{_part(key)}", Key, body=edit)

    async def rotate_key(self, key: str) -> KeyCreated:
        return await self._ask("POST", f"/keys/{_part(key)}/rotate", KeyCreated)

    async def delete_key(self, key: str) -> Key:
        return await self._ask("DELETE", f"/keys/{_part(key)}", Key)

    # Groups

    async def groups(self) -> tuple[Group, ...]:
        return await self._ask("GET", "/groups", tuple[Group, ...])

    async def group(self, name: str) -> Group:
        return await self._ask("GET", f"/groups/{_part(name)}", Group)

    async def create_group(self, new: GroupCreate) -> Group:
        return await self._ask("POST", "/groups", Group, body=new)

    async def edit_group(self, name: str, edit: GroupEdit) -> Group:
        return await self._ask("PATCH", f"/groups/{_part(name)}", Group, body=edit)

    async def delete_group(self, name: str) -> Group:
        return await self._ask("DELETE", f"/groups/{_part(name)}", Group)

    # Quotas

    async def quotas(self) -> tuple[Quota, ...]:
        return await self._ask("GET", "/quotas", tuple[Quota, ...])

    async def quota(self, name: str) -> Quota:
        return await self._ask("GET", f"/quotas/{_part(name)}", Quota)

    async def create_quota(self, new: QuotaCreate) -> Quota:
        return await self._ask("POST", "/quotas", Quota, body=new)

    async def edit_quota(self, name: str, edit: QuotaEdit) -> Quota:
        return await self._ask("PATCH", f"/quotas/{_part(name)}", Quota, body=edit)

    async def delete_quota(self, name: str) -> Quota:
        return await self._ask("DELETE", f"/quotas/{_part(name)}", Quota)

    async def credits(self, name: str) -> tuple[Credit, ...]:
        """Newest first."""
        return await self._ask("GET", f"/quotas/{_part(name)}/credits", tuple[Credit, ...])

    async def top_up(self, name: str, credit: TopUp) -> Quota:
        return await self._ask("POST", f"/quotas/{_part(name)}/credits", Quota, body=credit)

    # Upstreams

    async def upstreams(self) -> tuple[Upstream, ...]:
        return await self._ask("GET", "/upstreams", tuple[Upstream, ...])

    async def upstream(self, name: str) -> Upstream:
        return await self._ask("GET", f"/upstreams/{_part(name)}", Upstream)

    async def create_upstream(self, new: UpstreamCreate) -> Upstream:
        return await self._ask("POST", "/upstreams", Upstream, body=new)

    async def edit_upstream(self, name: str, edit: UpstreamEdit) -> Upstream:
        return await self._ask("PATCH", f"/upstreams/{_part(name)}", Upstream, body=edit)

    async def delete_upstream(self, name: str) -> Upstream:
        return await self._ask("DELETE", f"/upstreams/{_part(name)}", Upstream)

    async def add_credential(self, name: str, new: CredentialCreate) -> Upstream:
        return await self._ask("POST", f"/upstreams/{_part(name)}/credentials", Upstream, body=new)

    async def edit_credential(self, name: str, label: str, edit: CredentialEdit) -> Upstream:
        path = f"/upstreams/{_part(name)}/credentials/{_part(label)}"
        return await self._ask("PATCH", path, Upstream, body=edit)

    async def delete_credential(self, name: str, label: str) -> Upstream:
        return await self._ask("DELETE", f"/upstreams/{_part(name)}/credentials/{_part(label)}", Upstream)

    async def probe(self, name: str) -> Probe:
        """Checks now. A failed probe is an answer, not an error."""
        return await self._ask("POST", f"/upstreams/{_part(name)}/probe", Probe, wait_s=LONG_S)

    async def probes(self, name: str, *, limit: int) -> tuple[Probe, ...]:
        """Newest first."""
        return await self._ask(
            "GET", f"/upstreams/{_part(name)}/probes", tuple[Probe, ...], query={"limit": str(limit)}
        )

    async def upstream_models(self, name: str) -> tuple[UpstreamModel, ...]:
        return await self._ask("GET", f"/upstreams/{_part(name)}/models", tuple[UpstreamModel, ...])

    async def circuits(self) -> tuple[Circuit, ...]:
        return await self._ask("GET", "/circuits", tuple[Circuit, ...])

    async def reset_circuits(self, upstream: str = "") -> CircuitsReset:
        """Empty: of every upstream."""
        query = {"upstream": upstream} if upstream else {}
        return await self._ask("POST", "/circuits/reset", CircuitsReset, query=query)

    # Prices

    async def prices(self) -> tuple[Price, ...]:
        """The operator's own."""
        return await self._ask("GET", "/prices", tuple[Price, ...])

    async def find_price(self, model: str) -> PriceFound:
        return await self._ask("GET", "/prices/find", PriceFound, query={"model": model})

    async def set_price(self, price: PriceSet) -> Price:
        return await self._ask("POST", "/prices", Price, body=price)

    async def retire_prices(self, model: str) -> tuple[Price, ...]:
        return await self._ask("DELETE", "/prices", tuple[Price, ...], query={"model": model})

    async def price_book(self) -> PriceBookState:
        return await self._ask("GET", "/prices/book", PriceBookState)

    async def price_diff(self) -> PriceDiff:
        return await self._ask("GET", "/prices/book/diff", PriceDiff)

    async def adopt_prices(self, source: str) -> PriceBookState:
        return await self._ask("POST", "/prices/book/adopt", PriceBookState, body=BookAdopt(source=source))

    # Usage

    async def usage(self, only: UsageFilter, *, limit: int, cursor: str | None = None) -> Page[UsageRecord]:
        """One page, newest first."""
        query = _query(only) | {"limit": str(limit)} | ({"cursor": cursor} if cursor else {})
        return await self._ask("GET", "/usage", Page[UsageRecord], query=query)

    async def usage_summary(self, by: Grouping, only: UsageFilter) -> UsageSummary:
        return await self._ask(
            "GET", "/usage/summary", UsageSummary, query=_query(only) | {"by": by}, wait_s=LONG_S
        )

    async def usage_detail(self, request_id: str) -> UsageDetail:
        return await self._ask("GET", f"/usage/{_part(request_id)}", UsageDetail)

    async def export_usage(self, only: UsageFilter) -> AsyncIterator[UsageRecord]:
        """All of them, one by one, however many there are. Raises AdminError when the answer breaks off."""
        decoder = msgspec.json.Decoder(UsageRecord)
        try:
            async with self._http.stream(
                "GET", "/usage/export", params=_query(only), timeout=self._bound(LONG_S)
            ) as response:
                if response.status_code >= 400:
                    await response.aread()
                    raise self._refusal(response)
                async for line in response.aiter_lines():
                    if line:
                        yield decoder.decode(line)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise self._lost(error, LONG_S) from None
        except msgspec.DecodeError:
            raise AdminError(
                502, FOREIGN, f"the export from {self.address} holds a line that is not a usage record."
            ) from None

    async def live(self) -> tuple[LiveRequest, ...]:
        return await self._ask("GET", "/live", tuple[LiveRequest, ...])

    async def end_request(self, request_id: str) -> LiveRequest:
        return await self._ask("DELETE", f"/live/{_part(request_id)}", LiveRequest)

    # One request

    async def _ask(
        self,
        method: Method,
        path: str,
        kind: type[T],
        *,
        query: dict[str, str] | None = None,
        body: msgspec.Struct | None = None,
        wait_s: float = TIMEOUT_S,
    ) -> T:
        headers = {"content-type": "application/json"} if body is not None else {}
        try:
            response = await self._http.request(
                method,
                path,
                params=query,
                headers=headers,
                content=None if body is None else msgspec.json.encode(body),
                timeout=self._bound(wait_s),
            )
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise self._lost(error, wait_s) from None
        if response.status_code >= 300:
            raise self._refusal(response)
        try:
            return msgspec.json.decode(response.content, type=kind)
        except msgspec.DecodeError as error:
            raise AdminError(
                502,
                FOREIGN,
                f"{self.address} answered {method} {path} with something else than this version of LaiDian expects"
                f" ({error}). Is it a LaiDian of another version?",
            ) from None

    def _bound(self, wait_s: float) -> float:
        return wait_s if self._timeout_s is None else self._timeout_s

    def _refusal(self, response: httpx2.Response) -> AdminError:
        """The server's own words, or that it was no LaiDian that answered."""
        try:
            said = msgspec.json.decode(response.content, type=ErrorAnswer).error
        except msgspec.DecodeError:
            return AdminError(
                response.status_code,
                FOREIGN,
                f"{self.address} answered with status {response.status_code}, and not as LaiDian's admin API does.",
            )
        return AdminError(response.status_code, said.code, said.message, param=said.param)

    def _lost(self, error: Exception, wait_s: float) -> AdminError:
        if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.UnsupportedProtocol):
            return AdminError(
                0, UNREACHABLE, f"the server at {self.address} does not answer: {_reason(error)}."
            )
        if isinstance(error, httpx2.TimeoutException):
            return AdminError(
                0,
                LOST,
                f"the server at {self.address} gave no answer within {self._bound(wait_s):g} s;"
                " it may still carry out what was asked. Wait longer with --timeout.",
            )
        return AdminError(
            0,
            LOST,
            f"the connection to {self.address} broke before the answer: {_reason(error)}."
            " What was asked may have been carried out.",
        )


def checked_url(url: str, *, insecure: bool) -> str:
    """An address without trailing slash or /admin/v1. Raises BadRequest: no http(s), or plain http to another machine."""
    plain = re.sub(r"(/admin(/v1)?)?/*$", "", url.strip())
    parts = urlsplit(plain)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadRequest(f"the server's address {url!r} is not an http:// or https:// address.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise BadRequest(
            "the server's address holds more than scheme, host, port and path; leave the rest out."
        )
    if parts.scheme == "http" and not insecure and not is_loopback(parts.hostname):
        raise BadRequest(
            f"{plain} is not encrypted, and the admin token would cross the network in the clear."
            " Use https://, a tunnel (ssh -L), or --insecure if you know the way is safe."
        )
    return plain


def is_loopback(host: str) -> bool:
    """Whether a host as written in a URL is this machine, without asking a name server."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _credential(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}", "accept": "application/json"}


def _part(name: str) -> str:
    """A name as one part of a path. Raises BadRequest: an empty one would address the list."""
    if not name.strip():
        raise BadRequest("a name is missing: it is empty.")
    # httpx2 resolves dot segments as RFC 3986 asks, so "." and ".." must not look like ones.
    return {".": "%2E", "..": "%2E%2E"}.get(name) or quote(name, safe="")


def _query(only: UsageFilter) -> dict[str, str]:
    found = msgspec.structs.asdict(only)
    return {name: str(value) for name, value in found.items() if value not in ("", None)}


def _reason(error: Exception) -> str:
    """An error in a few words; some carry none but their kind."""
    return str(error).rstrip(".") or type(error).__name__
