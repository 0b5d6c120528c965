"""Why an exchange with an upstream failed.

Owns the one tree of transport failures. It refuses to judge them: whether to try another upstream, what the client is told
and what is settled is the relay's business, decided from `phase` and `ambiguous`. The rule a newcomer would
break: a message never carries a header value, a query string or the credentials of a proxy, because it ends in
log lines and in answers to clients.

    TransportFault
    ├── ConnectFault        no connection: DNS, refused, unreachable, proxy refused, too slow
    │   └── TLSFault        a connection, but no trust: certificate, host name, handshake
    ├── TimeoutFault        connected, but silent for too long
    ├── DisconnectFault     closed or reset before the message was complete
    └── ProtocolFault       the peer does not speak HTTP/1.x, or framed its message wrongly
"""

from typing import Literal

__all__ = [
    "ConnectFault",
    "DisconnectFault",
    "Phase",
    "ProtocolFault",
    "TLSFault",
    "TimeoutFault",
    "TransportFault",
]

Phase = Literal["connect", "send", "head", "body"]
"""How far the exchange had come: reaching the upstream, sending the request, awaiting the head, reading the body."""


class TransportFault(Exception):
    """An exchange failed. `str()` of it is `message`."""

    phase: Phase
    """How far the exchange had come."""

    ambiguous: bool
    """True when the upstream may have processed, and billed, the request. False is certain; True is not."""

    message: str
    """A sentence without secrets: what happened, with host, port and figures."""

    def __init__(self, message: str, *, phase: Phase, ambiguous: bool) -> None:
        super().__init__(message)
        self.message = message
        self.phase = phase
        self.ambiguous = ambiguous


class ConnectFault(TransportFault):
    """No connection came about: nothing of the request left this machine, so it is never ambiguous."""

    def __init__(self, message: str) -> None:
        super().__init__(message, phase="connect", ambiguous=False)


class TLSFault(ConnectFault):
    """The handshake failed: untrusted or expired certificate, another host's name, no common TLS version."""


class TimeoutFault(TransportFault):
    """The upstream was silent too long: it did not take the request (`send`), began no head (`head`), or stopped (`body`)."""


class DisconnectFault(TransportFault):
    """The connection ended before the message was complete: closed or reset by the peer, or aborted by us."""


class ProtocolFault(TransportFault):
    """The bytes were not an HTTP/1.x message, or broke a limit of ours. Trying again would not help."""
