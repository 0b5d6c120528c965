"""The way to a host: addresses raced against each other, or a tunnel through an egress proxy.

Owns dialling (RFC 8305) and the opening dialogues of HTTP CONNECT (RFC 9110, 9.3.6) and SOCKS5 (RFC 1928, 1929). It
refuses to look at the environment: a proxy is used when the upstream's row names one. The rule a newcomer would
break: through a proxy, names are resolved at the proxy (both spellings, `socks5` and `socks5h`), so that a name
looked up does not betray the traffic; and a proxy's credentials never reach a message or a `repr`.
"""

import asyncio
import base64
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal
from urllib.parse import unquote, urlsplit

import msgspec

from laidian.upstream.faults import ConnectFault, ProtocolFault
from laidian.upstream.wire import ResponseReader

__all__ = ["Proxy", "authority", "dial", "open_tunnel", "parse_proxy"]

NEXT_ADDRESS_S = 0.25
"""Head start of one address before the next is tried beside it: RFC 8305, section 5."""

_SOCKS_REFUSALS = {
    1: "general failure",
    2: "not allowed by its rules",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "time to live expired",
    7: "CONNECT not supported",
    8: "address type not supported",
}
"""RFC 1928, section 6."""

_Address = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]


class Proxy(msgspec.Struct, frozen=True):
    """An egress proxy of an upstream."""

    kind: Literal["http", "socks5"]
    """`http` tunnels https by CONNECT and forwards http in absolute form; `socks5` tunnels both."""

    host: str
    """Name or address, without brackets."""

    port: int
    """1 to 65535."""

    username: str | None = None
    """None when the proxy asks for nothing."""

    password: str | None = None
    """None exactly when `username` is."""

    def __repr__(self) -> str:
        return f"Proxy({self.kind!r}, {authority(self.host, self.port)!r})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        # msgspec's own, which rich prefers, would print every field.
        return [("to", authority(self.host, self.port))]

    def authorization(self) -> bytes | None:
        """The value of Proxy-Authorization (RFC 7617), or None without credentials."""
        if self.username is None:
            return None
        pair = f"{self.username}:{self.password or ''}".encode()
        return b"Basic " + base64.b64encode(pair)


def authority(host: str, port: int) -> str:
    """`host:port`, with the brackets an IPv6 address needs."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parse_proxy(url: str) -> Proxy:
    """Reads `http://user:pw@host:port`, `socks5://…` or `socks5h://…`; user and password percent-encoded.

    The port is 80 (http) or 1080 (SOCKS) when absent. Raises ValueError, without the URL in its text because of
    the credentials, for other schemes, a missing host, a bad port, and anything behind the port.
    """
    if any(character <= " " or character == "\x7f" for character in url):
        raise ValueError("The proxy URL holds a blank or a control character.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("The proxy URL has no valid host and port; write scheme://host:port.") from None
    if parts.scheme not in ("http", "socks5", "socks5h"):
        raise ValueError(f"The proxy scheme {parts.scheme!r} is not one of http, socks5, socks5h.")
    if not parts.hostname or port == 0:
        raise ValueError("The proxy URL has no valid host and port; write scheme://host:port.")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("The proxy URL has something behind its port; write scheme://host:port.")
    kind = "http" if parts.scheme == "http" else "socks5"
    username = None if parts.username is None else unquote(parts.username)
    password = None if username is None else unquote(parts.password or "")
    for secret in (username, password):
        if secret is not None and kind == "socks5" and not 1 <= len(secret.encode()) <= 255:
            raise ValueError("User and password of a SOCKS5 proxy must have 1 to 255 bytes each (RFC 1929).")
    return Proxy(kind, parts.hostname, port or (80 if kind == "http" else 1080), username, password)


# Dialling


async def dial(host: str, port: int) -> socket.socket:
    """A connected, non-blocking TCP socket to the first address of `host` that answers.

    Addresses of the two families take turns, and each gets a head start of 0.25 s: a broken IPv6 route costs a
    quarter of a second instead of the kernel's two minutes. Done here because uvloop 0.23's `create_connection`
    takes no `happy_eyeballs_delay`. Raises OSError (the last address's, `gaierror` included) and UnicodeError.
    """
    loop = asyncio.get_running_loop()
    addresses = _taking_turns(await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    if len(addresses) == 1:
        return await _reach(addresses[0])
    return await _race([lambda address=address: _reach(address) for address in addresses])


def _taking_turns(addresses: Sequence[_Address]) -> list[_Address]:
    """The resolver's order, with the other family in every second place."""
    first = [address for address in addresses if address[0] == addresses[0][0]]
    other = [address for address in addresses if address[0] != addresses[0][0]]
    turns: list[_Address] = []
    for index in range(max(len(first), len(other))):
        turns += first[index : index + 1] + other[index : index + 1]
    return turns


async def _reach(address: _Address) -> socket.socket:
    family, kind, protocol, _, sockaddr = address
    candidate = socket.socket(family, kind, protocol)
    try:
        candidate.setblocking(False)
        await asyncio.get_running_loop().sock_connect(candidate, sockaddr)
    except BaseException:
        candidate.close()
        raise
    return candidate


async def _race(starts: list[Callable[[], Awaitable[socket.socket]]]) -> socket.socket:
    first: asyncio.Future[socket.socket] = asyncio.get_running_loop().create_future()
    running: set[asyncio.Future[socket.socket]] = set()
    failure: BaseException | None = None

    def settle(runner: asyncio.Future[socket.socket]) -> None:
        if runner.cancelled() or runner.exception() is not None:
            return
        if first.done():
            runner.result().close()
        else:
            first.set_result(runner.result())

    try:
        while starts or running:
            if starts:
                runner = asyncio.ensure_future(starts.pop(0)())
                runner.add_done_callback(settle)
                running.add(runner)
            patience_s = NEXT_ADDRESS_S if starts else None
            done, running = await asyncio.wait(
                running, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED
            )
            if first.done():
                return first.result()
            failure = next((runner.exception() for runner in done), failure)
    except BaseException:
        if not first.cancel():
            first.result().close()
        raise
    finally:
        for runner in running:
            runner.cancel()
    raise failure or OSError("The name has no address.")


# Tunnels


async def open_tunnel(proxy: Proxy, host: str, port: int) -> asyncio.Transport:
    """A transport through `proxy` whose next byte is the first one to or from `host:port`.

    Its protocol is a spent one: the caller sets its own, or starts TLS, before it next awaits. Raises
    ConnectFault for a proxy that refuses, closes, or speaks something else, and OSError when it is not reached.
    """
    dialogue = _Dialogue(f"The egress proxy {authority(proxy.host, proxy.port)}", authority(host, port))
    transport, _ = await asyncio.get_running_loop().create_connection(
        lambda: dialogue, sock=await dial(proxy.host, proxy.port)
    )
    try:
        if proxy.kind == "http":
            await _connect(dialogue, transport, proxy, host, port)
        else:
            await _socks5(dialogue, transport, proxy, host, port)
        dialogue.refuse_surplus()
    except BaseException:
        transport.abort()
        raise
    return transport


class _Dialogue(asyncio.Protocol):
    """What the proxy has said and we have not yet read."""

    def __init__(self, who: str, whither: str) -> None:
        self.who = who
        self.whither = whither
        self._received = b""
        self._closed = False
        self._waiter: asyncio.Future[None] | None = None

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def some(self) -> bytes:
        """Whatever has arrived, at least a byte."""
        while not self._received:
            if self._closed:
                raise ConnectFault(
                    f"{self.who} closed the connection before the tunnel to {self.whither} stood."
                )
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        received, self._received = self._received, b""
        return received

    async def exactly(self, size: int) -> bytes:
        taken = b""
        while len(taken) < size:
            taken += await self.some()
        self._received = taken[size:] + self._received
        return taken[:size]

    def refuse_surplus(self) -> None:
        if self._received:
            raise ConnectFault(f"{self.who} sent bytes of its own into the tunnel to {self.whither}.")


async def _connect(
    dialogue: _Dialogue, transport: asyncio.Transport, proxy: Proxy, host: str, port: int
) -> None:
    target = authority(host, port).encode()
    lines = [b"CONNECT " + target + b" HTTP/1.1", b"Host: " + target]
    credentials = proxy.authorization()
    if credentials is not None:
        lines.append(b"Proxy-Authorization: " + credentials)
    transport.write(b"\r\n".join(lines) + b"\r\n\r\n")
    reader = ResponseReader(b"CONNECT", authority(proxy.host, proxy.port))
    surplus: list[bytes] = []
    try:
        while not reader.head_complete:
            reader.feed(await dialogue.some(), surplus)
    except ProtocolFault:
        raise ConnectFault(f"{dialogue.who} did not answer CONNECT in HTTP; is it an HTTP proxy?") from None
    if reader.status == 407:
        raise ConnectFault(
            f"{dialogue.who} asks for credentials, or refused those in the proxy URL (status 407)."
        )
    if not 200 <= reader.status < 300:
        raise ConnectFault(
            f"{dialogue.who} refused the tunnel to {dialogue.whither} with status {reader.status}."
        )
    if any(surplus) or reader.surplus:
        raise ConnectFault(f"{dialogue.who} sent bytes of its own into the tunnel to {dialogue.whither}.")


async def _socks5(
    dialogue: _Dialogue, transport: asyncio.Transport, proxy: Proxy, host: str, port: int
) -> None:
    methods = b"\x00" if proxy.username is None else b"\x00\x02"
    transport.write(bytes((5, len(methods))) + methods)
    version, method = await dialogue.exactly(2)
    if version != 5:
        raise ConnectFault(f"{dialogue.who} does not speak SOCKS5.")
    if method == 2 and proxy.username is not None:
        user, password = proxy.username.encode(), (proxy.password or "").encode()
        transport.write(bytes((1, len(user))) + user + bytes((len(password),)) + password)
        if (await dialogue.exactly(2))[1] != 0:
            raise ConnectFault(f"{dialogue.who} refused the user and password in the proxy URL.")
    elif method != 0:
        raise ConnectFault(f"{dialogue.who} asks for credentials that the proxy URL does not hold.")
    transport.write(b"\x05\x01\x00" + _socks_address(host) + port.to_bytes(2))
    reply, kind = (await dialogue.exactly(4))[1::2]
    if reply != 0:
        reason = _SOCKS_REFUSALS.get(reply, f"reply code {reply}")
        raise ConnectFault(f"{dialogue.who} did not reach {dialogue.whither}: {reason}.")
    sizes = {1: 4, 4: 16}
    if kind not in sizes and kind != 3:
        raise ConnectFault(f"{dialogue.who} does not speak SOCKS5.")
    await dialogue.exactly((sizes.get(kind) or (await dialogue.exactly(1))[0]) + 2)


def _socks_address(host: str) -> bytes:
    """RFC 1928, section 5: an address as it is, a name for the proxy to resolve."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.encode()
        if len(name) > 255:
            raise ConnectFault(f"The host name of {len(name)} bytes is too long for SOCKS5 (255).") from None
        return bytes((3, len(name))) + name
    return (b"\x01" if address.version == 4 else b"\x04") + address.packed
