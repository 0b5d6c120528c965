"""Slows down whoever presents credentials that do not exist: a token bucket of failures per peer, in bounded memory.

Knows neither what a credential is nor what a refusal says; whoever checks one asks here first or afterwards. The rule a newcomer would
break: nothing that the caller writes is an identity. A peer is the socket's address. Each worker counts for itself.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable

FAILURES = 5
"""Wrong credentials that an address has at once; they come back evenly over a minute."""
REFILL_S = 60.0 / FAILURES
PEERS = 4_096
"""Addresses remembered; the one that failed longest ago is forgotten first."""


class Backoff:
    def __init__(self, clock_s: Callable[[], float]) -> None:
        self._clock_s = clock_s
        self._spent: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """Peer to (failures not yet forgiven, when that was true)."""

    def wait_s(self, peer: str) -> float:
        """How long this peer has to wait before it may try again; 0 when it need not."""
        return max(0.0, (self._failures(peer) - (FAILURES - 1)) * REFILL_S) if peer in self._spent else 0.0

    def failed(self, peer: str) -> None:
        self._spent[peer] = (self._failures(peer) + 1, self._clock_s())
        self._spent.move_to_end(peer)
        if len(self._spent) > PEERS:
            self._spent.popitem(last=False)

    def __len__(self) -> int:
        return len(self._spent)

    def _failures(self, peer: str) -> float:
        failures, then_s = self._spent.get(peer, (0.0, 0.0))
        left = failures - (self._clock_s() - then_s) / REFILL_S
        if left > 0:
            return left
        self._spent.pop(peer, None)
        return 0.0


def address_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a literal means, an IPv4 one behind its IPv6 mapping; None for a name."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def peer_of(host: str) -> str:
    """Whom failures are counted by: an IPv4 address, or the /64 that an IPv6 host has all of."""
    address = address_of(host)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(address), 64), strict=False))
    return str(address) if address else host[:64]
