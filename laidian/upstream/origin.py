"""Where requests go: an upstream's base URL, read once, as the origin that connections are shared within.

Owns the origin and the reading of a base URL into it. It refuses to connect, to look a name up, and to repeat a URL in
an error: an operator may have pasted a credential into it. The rule a newcomer would break: an origin is compared whole,
egress proxy included, so a field added here divides the connections anew.
"""

from urllib.parse import quote, urlsplit

import msgspec

from laidian.upstream.proxy import authority, parse_proxy

__all__ = ["DEFAULT_PORTS", "Origin", "parse_base_url"]

DEFAULT_PORTS = {"http": 80, "https": 443}
"""The schemes an upstream may have, and the port a URL without one means."""


class Origin(msgspec.Struct, frozen=True):
    """Where requests go and by which way: connections are shared within one origin and never between two."""

    scheme: str
    """`http` or `https`."""

    host: str
    """Name (ASCII, lower case) or address, without brackets."""

    port: int
    """1 to 65535."""

    proxy: str | None = None
    """URL of the egress proxy with its credentials (see `parse_proxy`), or None to go directly. A secret."""

    def __repr__(self) -> str:
        by_proxy = "" if self.proxy is None else ", by proxy"
        return f"Origin({self.scheme}://{authority(self.host, self.port)}{by_proxy})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        # msgspec's own, which rich prefers, would print every field.
        return [("to", authority(self.host, self.port))]


def parse_base_url(url: str, proxy: str | None = None) -> tuple[Origin, str]:
    """An upstream's base URL as origin and path prefix; the prefix is percent-encoded, without trailing slash.

    `https://api.example.com/v1/` gives `(https api.example.com 443, "/v1")`. Raises ValueError with a sentence
    that does not repeat the URL, for another scheme, a missing host, a bad port, user info, query or fragment,
    and for a proxy that `parse_proxy` refuses.
    """
    if any(character <= " " or character == "\x7f" for character in url):
        raise ValueError("The base URL holds a blank or a control character.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(
            "The base URL has no valid host and port; write https://host or https://host:port."
        ) from None
    if parts.scheme not in DEFAULT_PORTS:
        raise ValueError(f"The base URL's scheme is {parts.scheme!r}; it must be https or http.")
    if "@" in parts.netloc:
        raise ValueError(
            "The base URL holds a user or password; give the credential to the upstream instead."
        )
    if "?" in url or "#" in url:
        raise ValueError("The base URL holds a query or a fragment; leave off everything from '?' or '#' on.")
    if not parts.hostname or port == 0:
        raise ValueError("The base URL has no valid host and port; write https://host or https://host:port.")
    if proxy is not None:
        parse_proxy(proxy)
    origin = Origin(parts.scheme, _ascii_host(parts.hostname), port or DEFAULT_PORTS[parts.scheme], proxy)
    return origin, quote(parts.path.rstrip("/"), safe="/%:@!$&'()*+,;=~")


def _ascii_host(host: str) -> str:
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        raise ValueError("The base URL's host is no valid international name.") from None
