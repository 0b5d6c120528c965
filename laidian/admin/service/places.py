"""Where an upstream may be: its base URL and egress proxy, checked before anything is sent there.

Loopback and private networks are the operator's own business. Addresses that only cloud metadata services and neighbours on the
link have are refused, in every spelling that a resolver takes for an address: a credential sent there is lost, and what answers
is not a provider (reliability.md section 5, SSRF).
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from laidian.domain.upstream import UpstreamKind
from laidian.errors import BadRequest
from laidian.upstream.origin import parse_base_url
from laidian.upstream.providers import PROVIDERS, completed_base_url
from laidian.upstream.proxy import authority, parse_proxy

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_REFUSED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",  # "this host": a connection to it reaches loopback by a name that does not say so
        "169.254.0.0/16",  # link-local, and the metadata address of AWS, Azure, GCP and others
        "100.100.100.200/32",  # Alibaba Cloud's metadata address
        "::/128",
        "fe80::/10",
        "fd00:ec2::254/128",  # AWS metadata by IPv6
    )
)
_REFUSED_NAMES = frozenset({"metadata.google.internal", "metadata", "instance-data"})
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def checked_base_url(kind: UpstreamKind, base_url: str) -> str:
    """The whole base URL: the provider's own when empty, with the version path that people leave off.

    Raises BadRequest with a sentence that does not repeat the URL.
    """
    url = base_url.strip() or PROVIDERS[kind].base_url
    if not url:
        raise BadRequest(
            f"An upstream of kind `{kind}` needs a base URL, for example http://127.0.0.1:11434/v1.",
            param="base_url",
        )
    try:
        parse_base_url(url)
        whole = completed_base_url(kind, url)
        origin, _ = parse_base_url(whole)
    except ValueError as error:
        raise BadRequest(str(error), param="base_url") from None
    _check_host(origin.host, "base_url")
    return whole


def checked_proxy(proxy: str) -> str:
    """How the proxy may be shown: without its credentials. Raises BadRequest with a sentence that does not repeat the URL."""
    try:
        parsed = parse_proxy(proxy)
    except ValueError as error:
        raise BadRequest(str(error), param="proxy") from None
    _check_host(parsed.host, "proxy")
    return f"{urlsplit(proxy).scheme}://{authority(parsed.host, parsed.port)}"


def _check_host(host: str, param: str) -> None:
    name = host.rstrip(".").lower()
    address = _address(name)
    if name in _REFUSED_NAMES or (address is not None and _refused(address)):
        raise BadRequest(
            f"The host in {param} is a link-local, metadata or unspecified address, which no provider has. "
            "Write the address the server really has.",
            param=param,
        )


def _address(host: str) -> _Address | None:
    """A literal address, the old spellings (`0xa9fea9fe`, `2852039166`, `127.1`) included; None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def _refused(address: _Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None and _refused(inner):
            return True
        # a scope ("fe80::1%eth0") is not part of what a network contains
        address = ipaddress.IPv6Address(int(address))
    return any(address in network for network in _REFUSED)
