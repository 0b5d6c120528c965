"""TLS, egress proxies and dialling, against tiny proxies of our own."""

import asyncio
import base64
import contextlib
import socket
import ssl

import pytest
import trustme

from laidian.upstream import proxy as proxy_module
from laidian.upstream.connection import Timeouts
from laidian.upstream.faults import ConnectFault, DisconnectFault, TLSFault
from laidian.upstream.origin import Origin
from laidian.upstream.proxy import dial
from laidian.upstream.transport import Transport

HI = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


async def get(transport: Transport, origin: Origin) -> bytes:
    exchange = await transport.send(origin, b"GET", b"/v1?a=b", [(b"X", b"y")])
    return await exchange.read(2**20)


@pytest.fixture
async def secure(client_tls):
    instance = Transport(ssl_context=client_tls)
    yield instance
    await instance.aclose()
    assert instance.open_connections == 0


async def splice(line, port: int) -> None:
    """Joins a line with 127.0.0.1:port until either end closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while piece := await source.read(65_536):
                sink.write(piece)
                await sink.drain()
        sink.close()

    await asyncio.gather(copy(line.reader, writer), copy(reader, line.writer))


def connect_proxy(port: int, answer: bytes = b"HTTP/1.1 200 Connection established\r\n\r\n"):
    """A CONNECT proxy whose every tunnel ends at 127.0.0.1:port."""

    async def serve(line) -> None:
        line.peer.requests.append(await line.head())
        await line.send(answer)
        if b" 200 " in answer:
            await splice(line, port)

    return [serve]


def socks_proxy(port: int, user: bytes | None = None, reply: int = 0, bound: bytes = b"\x01\0\0\0\0"):
    """A SOCKS5 proxy; `requests` gets the methods offered, what was said to authenticate, and the address asked for."""

    async def serve(line) -> None:
        saw = line.peer.requests
        _, count = await line.reader.readexactly(2)
        saw.append(await line.reader.readexactly(count))
        if user is None:
            await line.send(b"\x05\x00")
        elif 2 not in saw[-1]:
            await line.send(b"\x05\xff")
            return
        else:
            await line.send(b"\x05\x02")
            _, size = await line.reader.readexactly(2)
            name = await line.reader.readexactly(size)
            (size,) = await line.reader.readexactly(1)
            saw.append(name + b":" + await line.reader.readexactly(size))
            await line.send(b"\x01\x00" if saw[-1] == user else b"\x01\x01")
            if saw[-1] != user:
                return
        _, _, _, kind = await line.reader.readexactly(4)
        sizes = {1: 4, 4: 16}
        size = sizes.get(kind) or (await line.reader.readexactly(1))[0]
        saw.append(bytes((kind,)) + await line.reader.readexactly(size + 2))
        await line.send(b"\x05" + bytes((reply,)) + b"\0" + bound + b"\0\0")
        if reply == 0 and port:
            await splice(line, port)

    return [serve]


def by(origin: Origin, scheme: str, peer, user: str = "") -> Origin:
    return Origin(origin.scheme, origin.host, origin.port, f"{scheme}://{user}127.0.0.1:{peer.port}")


# TLS


async def test_a_tls_connection_is_kept_alive(secure, listen, say, server_tls):
    peer = await listen([say.READ, HI, say.READ, HI], tls=server_tls)
    assert await get(secure, peer.origin) == b"hi"
    assert await get(secure, peer.origin) == b"hi"
    assert peer.connections == 1


async def test_a_large_answer_and_a_large_request_pass_through_tls(secure, listen, say, server_tls):
    body = bytes(range(256)) * 40_000
    peer = await listen(
        [say.READ, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body), body], tls=server_tls
    )
    exchange = await secure.send(peer.origin, b"POST", b"/", [], body)
    assert await exchange.read(len(body)) == body
    assert peer.requests[0].endswith(b"\r\n\r\n" + body)
    assert secure.idle_connections == 1


async def test_a_certificate_for_another_host_is_a_tls_fault(secure, listen, say, server_tls):
    peer = await listen([say.READ, HI], tls=server_tls)
    with pytest.raises(TLSFault, match=r"(?i)host") as caught:
        await get(secure, Origin("https", "localhost", peer.port))
    assert (caught.value.phase, caught.value.ambiguous) == ("connect", False)
    assert peer.requests == []


async def test_a_certificate_of_an_unknown_authority_is_a_tls_fault(transport, listen, say, server_tls):
    peer = await listen([say.READ, HI], tls=server_tls)
    with pytest.raises(TLSFault, match="certificate"):
        await get(transport, peer.origin)
    assert peer.requests == []


async def test_plain_http_behind_an_https_address_is_a_tls_fault(secure, listen, say):
    peer = await listen([b"HTTP/1.1 400 Bad Request\r\n\r\n"])
    with pytest.raises(TLSFault):
        await get(secure, Origin("https", "127.0.0.1", peer.port))


async def test_the_server_sees_the_name_it_is_asked_for(secure, listen, say, authority, monkeypatch):
    seen: list[str | None] = []
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    context.sni_callback = lambda _, name, __: seen.append(name)
    peer = await listen([say.READ, HI], tls=context)
    assert await get(secure, Origin("https", "localhost", peer.port)) == b"hi"
    assert seen == ["localhost"]


async def test_a_system_trust_store_is_used_and_http_1_1_offered_without_a_context(
    listen, say, monkeypatch, tmp_path
):
    chosen: list[str | None] = []

    async def note(line) -> None:
        chosen.append(line.writer.get_extra_info("ssl_object").selected_alpn_protocol())

    own = trustme.CA()
    own.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv(
        "SSL_CERT_FILE", str(tmp_path / "ca.pem")
    )  # OpenSSL's own, as a system's store would be
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.set_alpn_protocols(["h2", "http/1.1"])
    own.issue_cert("127.0.0.1").configure_cert(context)
    peer = await listen([note, say.READ, HI], tls=context)
    transport = Transport()
    assert await get(transport, peer.origin) == b"hi"
    assert chosen == ["http/1.1"]
    await transport.aclose()


@pytest.mark.parametrize("framing", [b"Content-Length: 9\r\n", b"Transfer-Encoding: chunked\r\n"])
async def test_a_tls_connection_cut_without_goodbye_leaves_a_framed_body_incomplete(
    secure, listen, say, server_tls, framing
):
    async def cut(line) -> None:
        line.writer.transport.abort()

    begun = b"9\r\npart" if b"chunked" in framing else b"part"
    peer = await listen([say.READ, b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n" + begun, cut], tls=server_tls)
    with pytest.raises(DisconnectFault):
        await get(secure, peer.origin)


async def test_a_body_without_framing_ends_with_the_tls_connection(secure, listen, say, server_tls):
    peer = await listen([say.READ, b"HTTP/1.1 200 OK\r\n\r\nhallo", say.CLOSE], tls=server_tls)
    assert await get(secure, peer.origin) == b"hallo"


async def test_a_stale_tls_connection_is_replaced_once(secure, listen, say, server_tls):
    peer = await listen([say.READ, HI, say.READ, say.CLOSE], [say.READ, HI], tls=server_tls)
    assert await get(secure, peer.origin) == b"hi"
    assert await get(secure, peer.origin) == b"hi"
    assert peer.connections == 2


# HTTP proxies


async def test_plain_http_goes_through_an_http_proxy_in_absolute_form(transport, listen, say):
    peer = await listen([say.READ, HI, say.READ, HI])
    origin = Origin("http", "upstream.test", 80, f"http://me:p%40ss@127.0.0.1:{peer.port}")
    assert await get(transport, origin) == b"hi"
    assert await get(transport, origin) == b"hi"
    credentials = base64.b64encode(b"me:p@ss")
    expected = b"GET http://upstream.test/v1?a=b HTTP/1.1\r\nHost: upstream.test\r\nX: y\r\n"
    assert peer.requests == [expected + b"Proxy-Authorization: Basic " + credentials + b"\r\n\r\n"] * 2
    assert peer.connections == 1


async def test_https_goes_through_an_http_proxy_by_connect(secure, listen, say, server_tls):
    upstream = await listen([say.READ, HI, say.READ, HI], tls=server_tls)
    proxy = await listen(connect_proxy(upstream.port))
    origin = by(Origin("https", "upstream.test", 443), "http", proxy, "me:hunter2@")
    assert await get(secure, origin) == b"hi"
    assert await get(secure, origin) == b"hi"
    credentials = base64.b64encode(b"me:hunter2")
    assert proxy.requests == [
        b"CONNECT upstream.test:443 HTTP/1.1\r\nHost: upstream.test:443\r\n"
        b"Proxy-Authorization: Basic " + credentials + b"\r\n\r\n"
    ]
    assert b"Proxy" not in upstream.requests[0]
    assert upstream.requests[0].startswith(b"GET /v1?a=b HTTP/1.1\r\nHost: upstream.test\r\n")
    assert upstream.connections == 1


async def test_a_wrong_host_behind_a_proxy_is_a_tls_fault(secure, listen, say, server_tls):
    upstream = await listen([say.READ, HI], tls=server_tls)
    proxy = await listen(connect_proxy(upstream.port))
    with pytest.raises(TLSFault, match="egress proxy"):
        await get(secure, by(Origin("https", "other.test", 443), "http", proxy))
    assert upstream.requests == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "with status 403"),
        (b"HTTP/1.1 407 Auth\r\nProxy-Authenticate: Basic\r\n\r\n", "asks for credentials"),
        (b"SSH-2.0-OpenSSH\r\n", "is it an HTTP proxy"),
        (b"HTTP/1.1 200 OK\r\n\r\nsurplus", "bytes of its own"),
    ],
)
async def test_a_proxy_that_refuses_is_a_connect_fault_without_its_credentials(secure, listen, answer, said):
    proxy = await listen(connect_proxy(1, answer) if b"surplus" not in answer else [answer])
    with pytest.raises(ConnectFault, match=said) as caught:
        await get(secure, by(Origin("https", "upstream.test", 443), "http", proxy, "me:hunter2@"))
    assert not caught.value.ambiguous
    assert "hunter2" not in str(caught.value)
    assert "me:" not in str(caught.value)
    await proxy.left()


async def test_a_407_of_a_forwarding_proxy_is_the_proxy_s_and_not_the_upstream_s_answer(
    transport, listen, say
):
    peer = await listen([say.READ, b"HTTP/1.1 407 Auth\r\nContent-Length: 0\r\n\r\n"])
    with pytest.raises(ConnectFault, match="asks for credentials"):
        await get(transport, Origin("http", "upstream.test", 80, f"http://me:hunter2@127.0.0.1:{peer.port}"))


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_a_proxy_that_leaves_or_stays_silent_is_a_connect_fault(secure, listen, say, scheme):
    proxy = await listen([say.CLOSE], [])
    origin = by(Origin("https", "upstream.test", 443), scheme, proxy)
    with pytest.raises(ConnectFault):
        await get(secure, origin)
    with pytest.raises(ConnectFault, match=r"within 0\.5 s"):
        await secure.send(origin, b"GET", b"/", [], timeouts=Timeouts(connect_s=0.5))
    await proxy.left(1)


async def test_cancelling_in_the_proxy_s_dialogue_closes_the_connection(secure, listen):
    heard = asyncio.Event()

    async def listen_only(line) -> None:
        await line.head()
        heard.set()

    proxy = await listen([listen_only])
    call = asyncio.create_task(get(secure, by(Origin("https", "upstream.test", 443), "http", proxy)))
    await heard.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await proxy.left()


# SOCKS5


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
@pytest.mark.parametrize("user", [None, b"me:hunter2"])
async def test_socks5_tunnels_plain_http_and_resolves_at_the_proxy(transport, listen, say, scheme, user):
    upstream = await listen([say.READ, HI, say.READ, HI])
    proxy = await listen(socks_proxy(upstream.port, user))
    origin = by(Origin("http", "upstream.test", 8080), scheme, proxy, "me:hunter2@" if user else "")
    assert await get(transport, origin) == b"hi"
    assert await get(transport, origin) == b"hi"
    asked = b"\x03upstream.test" + (8080).to_bytes(2)
    assert proxy.requests == ([b"\0", asked] if user is None else [b"\0\2", user, asked])
    assert upstream.requests[0].startswith(b"GET /v1?a=b HTTP/1.1\r\nHost: upstream.test:8080\r\n")
    assert upstream.connections == 1


async def test_socks5_tunnels_https(secure, listen, say, server_tls):
    upstream = await listen([say.READ, HI], tls=server_tls)
    proxy = await listen(socks_proxy(upstream.port, bound=b"\x03\x05bound"))
    assert await get(secure, by(Origin("https", "upstream.test", 443), "socks5", proxy)) == b"hi"


@pytest.mark.parametrize(
    ("host", "asked"), [("192.0.2.7", b"\x01\xc0\0\2\7"), ("::1", b"\x04" + b"\0" * 15 + b"\1")]
)
async def test_socks5_gets_an_address_as_an_address(transport, listen, say, host, asked):
    upstream = await listen([say.READ, HI])
    proxy = await listen(socks_proxy(upstream.port, bound=b"\x04" + b"\0" * 16))
    assert await get(transport, by(Origin("http", host, 80), "socks5", proxy)) == b"hi"
    assert proxy.requests[-1] == asked + (80).to_bytes(2)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (socks_proxy(1, b"me:other"), "refused the user and password"),
        (socks_proxy(1, reply=5), "upstream.test:80: connection refused"),
        (socks_proxy(1, reply=99), "reply code 99"),
        (socks_proxy(0, reply=0, bound=b"\x01\0\0\0\0\0\0surplus"), "bytes of its own"),
        ([b"HTTP/1.1 400 Bad\r\n\r\n"], "does not speak SOCKS5"),
    ],
)
async def test_a_socks5_refusal_is_a_connect_fault_without_its_credentials(transport, listen, script, said):
    proxy = await listen(script)
    with pytest.raises(ConnectFault, match=said) as caught:
        await get(transport, by(Origin("http", "upstream.test", 80), "socks5", proxy, "me:hunter2@"))
    assert not caught.value.ambiguous
    assert "hunter2" not in str(caught.value)
    await proxy.left()


async def test_a_socks5_proxy_that_wants_credentials_we_lack_is_a_connect_fault(transport, listen):
    proxy = await listen(socks_proxy(1, b"me:hunter2"))
    with pytest.raises(ConnectFault, match="asks for credentials"):
        await get(transport, by(Origin("http", "upstream.test", 80), "socks5", proxy))


async def test_an_origin_with_a_bad_proxy_is_refused_before_anything_is_sent(transport):
    with pytest.raises(ValueError, match="proxy scheme"):
        await get(transport, Origin("http", "127.0.0.1", 9, "ftp://me:hunter2@proxy"))


# Dialling


def reach(address: tuple[str, int]):
    return lambda: proxy_module._reach((socket.AF_INET, socket.SOCK_STREAM, 6, "", address))


async def test_an_address_that_refuses_gives_way_to_the_next(listen, unused_tcp_port):
    peer = await listen()
    won = await proxy_module._race([reach(("127.0.0.1", port)) for port in (unused_tcp_port, peer.port)])
    assert won.getpeername() == ("127.0.0.1", peer.port)
    won.close()


async def test_an_address_that_is_silent_costs_no_more_than_its_head_start(listen):
    peer = await listen()
    cancelled = asyncio.Event()

    async def silent() -> socket.socket:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        raise AssertionError

    started = asyncio.get_running_loop().time()
    won = await proxy_module._race([silent, reach(("127.0.0.1", peer.port))])
    assert 0.2 < asyncio.get_running_loop().time() - started < 2
    won.close()
    await cancelled.wait()


async def test_of_two_addresses_that_answer_at_once_one_is_closed():
    gate = asyncio.get_running_loop().create_future()
    sockets = [socket.socket(), socket.socket()]
    begun = 0

    async def answer(which: socket.socket) -> socket.socket:
        nonlocal begun
        begun += 1
        if begun == 2:
            gate.set_result(None)
        await asyncio.shield(gate)
        return which

    won = await proxy_module._race([lambda: answer(sockets[0]), lambda: answer(sockets[1])])
    async with asyncio.timeout(5):
        while all(each.fileno() >= 0 for each in sockets):
            await asyncio.sleep(0)
    assert [each.fileno() >= 0 for each in sockets] == [each is won for each in sockets]
    won.close()


async def test_when_no_address_answers_the_last_refusal_is_told(unused_tcp_port):
    with pytest.raises(ConnectionRefusedError):
        await proxy_module._race([reach(("127.0.0.1", unused_tcp_port))] * 2)


def test_the_families_take_turns():
    six, four = socket.AF_INET6, socket.AF_INET
    resolved = [(family, 1, 6, "", (str(index), 0)) for index, family in enumerate([six, six, six, four])]
    assert [address[4][0] for address in proxy_module._taking_turns(resolved)] == ["0", "3", "1", "2"]


async def test_dialling_a_name_reaches_one_of_its_addresses(listen):
    peer = await listen()
    won = await dial("localhost", peer.port)
    assert won.getpeername()[1] == peer.port
    assert not won.getblocking()
    won.close()


async def test_cancelling_a_race_ends_its_runners():
    begun, ended = asyncio.Event(), asyncio.Event()

    async def silent() -> socket.socket:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    race = asyncio.create_task(proxy_module._race([silent, silent]))
    await begun.wait()
    race.cancel()
    with pytest.raises(asyncio.CancelledError):
        await race
    async with asyncio.timeout(5):
        await ended.wait()
