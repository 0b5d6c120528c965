"""Addresses of servers and of things on them."""

from __future__ import annotations

import ipaddress
import re
import ssl
from urllib.parse import quote, urlsplit

from laidian.errors import BadRequest


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


def only_trusting(certificate: str) -> ssl.SSLContext:
    """For a server on this machine that is reached by address: what it shows must be this very certificate, or signed by one in the file.

    Raises BadRequest for a file that cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(cafile=certificate)
    except (OSError, ssl.SSLError):
        raise BadRequest(f"the server's certificate {certificate} cannot be read by this user.") from None
    return context


def is_loopback(host: str) -> bool:
    """Whether a host as written in a URL is this machine, without asking a name server."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def part(name: str) -> str:
    """A name as one part of a path. Raises BadRequest: an empty one would address the list."""
    if not name.strip():
        raise BadRequest("a name is missing: it is empty.")
    # httpx2 resolves dot segments as RFC 3986 asks, so "." and ".." must not look like ones.
    return {".": "%2E", "..": "%2E%2E"}.get(name) or quote(name, safe="")
