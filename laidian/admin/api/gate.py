"""Who may use the admin API: this machine, directly, with the admin token.

In this order: the place (unless `admin.remote`), the backoff, the token. A request that came through a proxy is refused even when
the proxy is on this machine, since its caller may not be; a Host that is a name is refused, since a web page could have made a
browser here resolve it to loopback (DNS rebinding). The rule a newcomer would break: nothing that the caller writes is an
identity. The backoff counts by the socket's address.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from laidian.admin.api.services import AdminServices
from laidian.errors import Forbidden, RateLimited, Unauthenticated
from laidian.relay.backoff import Backoff, address_of, peer_of

_FORWARDING = frozenset({b"forwarded", b"via", b"x-real-ip", b"cf-connecting-ip", b"true-client-ip"})
_FORWARDED_PREFIX = b"x-forwarded-"

_Connection = ASGIConnection[Any, Any, Any, Any]
_Headers = Sequence[tuple[bytes, bytes]]


class Gate:
    """Litestar's guard for everything below /admin."""

    def __init__(self, services: Callable[[], AdminServices]) -> None:
        self._services = services
        self._backoff: Backoff | None = None
        # bound here: Litestar wants a function, and a bound method is one
        self.guard = self._guard

    def _guard(self, connection: _Connection, _: BaseRouteHandler) -> None:
        """Raises Forbidden, RateLimited or Unauthenticated."""
        services = self._services()
        if self._backoff is None:
            self._backoff = Backoff(services.clock_s)
        host = connection.client.host if connection.client else ""
        headers: _Headers = list(connection.scope["headers"])
        if not services.config.admin.remote:
            check_place(host, headers)
        self._check_token(services, peer_of(host), headers)

    def _check_token(self, services: AdminServices, peer: str, headers: _Headers) -> None:
        assert self._backoff is not None
        wait_s = self._backoff.wait_s(peer)
        if wait_s > 0:
            raise RateLimited(
                f"Too many wrong admin tokens from this address. Wait {wait_s:.0f} s.",
                code="too_many_failures",
                retry_after_s=wait_s,
            )
        if token_is(services.token.reveal(), headers):
            return
        self._backoff.failed(peer)
        raise Unauthenticated(
            "The admin token is missing or wrong. Send `Authorization: Bearer …` with the text of the file admin.token in the data "
            "folder.",
            code="invalid_admin_token",
        )


def token_is(token: str, headers: _Headers) -> bool:
    given = [value for name, value in headers if name.lower() == b"authorization"]
    if len(given) != 1:
        return False
    scheme, _, credential = given[0].partition(b" ")
    if scheme.lower() != b"bearer":
        return False
    # digests have one length, so the comparison says nothing about the token's
    mine, theirs = hashlib.sha256(token.encode()).digest(), hashlib.sha256(credential.strip()).digest()
    return hmac.compare_digest(mine, theirs) and bool(token)


def check_place(peer: str, headers: _Headers) -> None:
    if not _is_loopback(peer):
        raise Forbidden(
            "The admin API answers only to this machine. Use an SSH tunnel, or set admin.remote = true in config.toml, with TLS in front.",
            code="not_local",
        )
    hosts: list[bytes] = []
    for raw, value in headers:
        name = raw.lower()
        if name in _FORWARDING or name.startswith(_FORWARDED_PREFIX):
            raise Forbidden(
                f"The admin API does not answer to forwarded requests, and this one has the header {name.decode('latin-1')}. "
                "Go there directly, or set admin.remote = true in config.toml.",
                code="forwarded",
            )
        if name == b"host":
            hosts.append(value)
    if len(hosts) != 1 or not _is_literal(hosts[0]):
        raise Forbidden(
            "The admin API answers only to a Host that is an address or localhost. Use http://127.0.0.1 and the port, or set "
            "admin.remote = true in config.toml.",
            code="unknown_host",
        )


def _is_loopback(host: str) -> bool:
    address = address_of(host)
    return address is not None and address.is_loopback


def _is_literal(raw: bytes) -> bool:
    host = raw.decode("latin-1")
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    return host.lower().rstrip(".") == "localhost" or address_of(host) is not None
