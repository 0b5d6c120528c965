"""One request, one answer, over real sockets: framings, the pool, time-outs, disconnects, cancellation, back-pressure."""

import asyncio
import gc

import pytest

from laidian.upstream.connection import HIGH_WATER, Timeouts
from laidian.upstream.faults import (
    ConnectFault,
    DisconnectFault,
    ProtocolFault,
    TimeoutFault,
    TransportFault,
)
from laidian.upstream.origin import Origin
from laidian.upstream.transport import Transport

OK = b"HTTP/1.1 200 OK\r\n"
HI = OK + b"Content-Length: 2\r\n\r\nhi"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
PATIENT = Timeouts()
SOON = Timeouts(connect_s=5, first_byte_s=0.1, idle_s=0.1)
SLICES = 64
"""Slices of 64 KiB of the large bodies: 4 MiB."""


async def get(transport: Transport, origin: Origin, timeouts: Timeouts = PATIENT) -> bytes:
    exchange = await transport.send(origin, b"GET", b"/", [], timeouts=timeouts)
    return await exchange.read(2**20)


@pytest.mark.parametrize(
    ("answer", "body", "kept"),
    [
        (HI, b"hi", True),
        (OK + b"Content-Length: 0\r\n\r\n", b"", True),
        (CHUNKED + b"2\r\nhi\r\n1;x\r\n!\r\n0\r\nT: u\r\n\r\n", b"hi!", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"", True),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", b"", True),
        (b"HTTP/1.1 103 Hints\r\n\r\n" + HI, b"hi", True),
        (OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nhi", b"hi", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", b"hi", False),
        (HI + b"HTTP/1.1 200 OK\r\n", b"hi", False),
    ],
)
async def test_each_framing_is_read_and_only_a_clean_connection_kept(
    transport, listen, say, answer, body, kept
):
    peer = await listen([say.READ, answer])
    exchange = await transport.send(peer.origin, b"GET", b"/", [])
    assert await exchange.read(100) == body
    assert await exchange.chunk() == b""
    assert transport.idle_connections == (1 if kept else 0)
    if not kept:
        await peer.left()


async def test_a_body_without_framing_ends_with_the_connection(transport, listen, say):
    peer = await listen([say.READ, OK + b"\r\nhal", b"lo", say.CLOSE])
    assert await get(transport, peer.origin) == b"hallo"
    assert transport.idle_connections == 0


async def test_head_responses_have_no_body_and_keep_their_connection(transport, listen, say):
    peer = await listen([say.READ, OK + b"Content-Length: 2\r\n\r\n", say.READ, HI])
    exchange = await transport.send(peer.origin, b"HEAD", b"/", [])
    assert (exchange.status, exchange.header(b"content-length"), await exchange.chunk()) == (200, b"2", b"")
    assert await get(transport, peer.origin) == b"hi"
    assert peer.connections == 1


async def test_the_request_arrives_exactly_as_written(transport, listen, say):
    peer = await listen([say.READ, HI, say.READ, HI, say.READ, HI])
    await transport.send(peer.origin, b"POST", b"/v1/x?a=b", [(b"X-Key", b"sk-1")], b'{"a":1}')
    await transport.send(peer.origin, b"POST", b"/empty", [])
    await transport.send(peer.origin, b"DELETE", b"/gone", [])
    host = b"Host: 127.0.0.1:%d\r\n" % peer.port
    assert peer.requests == [
        b"POST /v1/x?a=b HTTP/1.1\r\n" + host + b'X-Key: sk-1\r\nContent-Length: 7\r\n\r\n{"a":1}',
        b"POST /empty HTTP/1.1\r\n" + host + b"Content-Length: 0\r\n\r\n",
        b"DELETE /gone HTTP/1.1\r\n" + host + b"\r\n",
    ]
    assert peer.connections == 1


async def test_a_response_cut_at_every_byte_is_the_same_answer(transport, listen, say):
    answer = CHUNKED + b"5\r\nhello\r\n1\r\n!\r\n0\r\nT: u\r\n\r\n"

    async def drip(line) -> None:
        for index in range(len(answer)):
            await line.send(answer[index : index + 1])
            await asyncio.sleep(0)  # lets the other end read this byte alone

    peer = await listen([say.READ, drip])
    assert await get(transport, peer.origin) == b"hello!"
    assert transport.idle_connections == 1


async def test_chunks_are_handed_on_as_they_arrive_and_joined_when_several_have(transport, listen, say):
    first, second = asyncio.Event(), asyncio.Event()
    peer = await listen(
        [
            say.READ,
            CHUNKED + b"1\r\na\r\n",
            say.wait(first),
            b"1\r\nb\r\n1\r\nc\r\n",
            say.wait(second),
            b"0\r\n\r\n",
        ]
    )
    exchange = await transport.send(peer.origin, b"GET", b"/", [])
    assert await exchange.chunk() == b"a"
    first.set()
    assert await exchange.chunk() == b"bc"
    second.set()
    assert await exchange.chunk() == b""
    assert await exchange.chunk() == b""


async def test_header_gives_the_first_value_and_redirects_are_handed_back(transport, listen, say):
    peer = await listen(
        [say.READ, b"HTTP/1.1 302 F\r\nLocation: /a\r\nlocation: /b\r\nContent-Length: 0\r\n\r\n"]
    )
    exchange = await transport.send(peer.origin, b"GET", b"/", [])
    assert (exchange.status, exchange.header(b"location"), exchange.header(b"x-none")) == (302, b"/a", None)
    assert len(peer.requests) == 1


async def test_the_environment_s_proxy_is_not_used(transport, listen, say, monkeypatch):
    decoy = await listen()
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{decoy.port}")
    peer = await listen([say.READ, HI])
    assert await get(transport, peer.origin) == b"hi"
    assert decoy.connections == 0


@pytest.mark.parametrize("target", [b"", b"x", b"http://127.0.0.1/", b"@evil.test/"])
async def test_a_target_not_beginning_with_a_slash_is_refused(transport, target):
    with pytest.raises(ValueError, match="target"):
        await transport.send(Origin("http", "127.0.0.1", 9), b"GET", target, [])


async def test_read_refuses_a_body_over_its_limit_and_closes(transport, listen, say):
    peer = await listen([say.READ, OK + b"Content-Length: 9\r\n\r\nlonger"])
    exchange = await transport.send(peer.origin, b"GET", b"/", [])
    with pytest.raises(ProtocolFault, match="over 5 bytes") as caught:
        await exchange.read(5)
    assert caught.value.phase == "body"
    await peer.left()


# The pool


async def test_the_connection_used_last_is_used_first(transport, listen, say):
    both = asyncio.Event()
    order: list[int] = []

    def note(index: int):
        async def step(line) -> None:
            order.append(index)

        return step

    answer = [say.READ, say.wait(both), HI]
    peer = await listen(
        [*answer, say.READ, note(0), HI], [*answer, say.READ, note(1), HI, say.READ, note(1), HI]
    )
    first = asyncio.create_task(get(transport, peer.origin))
    second = asyncio.create_task(get(transport, peer.origin))
    while len(peer.requests) < 2:
        await asyncio.sleep(0)
    both.set()
    await asyncio.gather(first, second)
    assert (transport.open_connections, transport.idle_connections) == (2, 2)
    await get(transport, peer.origin)
    await get(transport, peer.origin)
    assert order[0] == order[1]
    assert peer.connections == 2


async def test_origins_do_not_share_connections(transport, listen, say):
    peer = await listen([say.READ, HI], [say.READ, HI])
    await get(transport, peer.origin)
    await get(transport, Origin("http", "localhost", peer.port))
    assert peer.connections == 2
    assert b"Host: localhost:%d\r\n" % peer.port in peer.requests[1]


async def test_an_idle_connection_is_closed_after_its_time(listen, say):
    transport = Transport(idle_ttl_s=0.05)
    peer = await listen([say.READ, HI], [say.READ, HI])
    await get(transport, peer.origin)
    assert transport.idle_connections == 1
    await peer.left(0)
    assert transport.idle_connections == 0
    assert await get(transport, peer.origin) == b"hi"
    await transport.aclose()


async def test_the_oldest_idle_connection_makes_room_for_the_newest(listen, say):
    transport = Transport(idle_per_origin=1)
    both = asyncio.Event()
    peer = await listen(*([[say.READ, say.wait(both), HI]] * 2))
    calls = [asyncio.create_task(get(transport, peer.origin)) for _ in range(2)]
    while len(peer.requests) < 2:
        await asyncio.sleep(0)
    both.set()
    assert await asyncio.gather(*calls) == [b"hi", b"hi"]
    assert transport.idle_connections == 1
    await transport.aclose()


async def test_unasked_bytes_on_an_idle_connection_close_it(transport, listen, say):
    speak = asyncio.Event()
    peer = await listen([say.READ, HI, say.wait(speak), HI], [say.READ, OK + b"Content-Length: 3\r\n\r\nnew"])
    await get(transport, peer.origin)
    assert transport.idle_connections == 1
    speak.set()
    await peer.left(0)
    assert transport.idle_connections == 0
    assert await get(transport, peer.origin) == b"new"


@pytest.mark.parametrize("end", ["CLOSE", "RESET"])
async def test_a_connection_the_peer_closed_while_idle_leaves_the_pool(transport, listen, say, end):
    peer = await listen([say.READ, HI, getattr(say, end)])
    await get(transport, peer.origin)
    async with asyncio.timeout(5):
        while transport.open_connections:
            await asyncio.sleep(0)
    assert transport.idle_connections == 0


@pytest.mark.parametrize("end", ["CLOSE", "RESET"])
@pytest.mark.parametrize("size", [10, 1_000_000])
async def test_a_stale_connection_is_replaced_once(transport, listen, say, end, size):
    peer = await listen([say.READ, HI, say.READ, getattr(say, end)], [say.READ, HI])
    await get(transport, peer.origin)
    exchange = await transport.send(peer.origin, b"POST", b"/", [], b"x" * size)
    assert await exchange.read(10) == b"hi"
    assert peer.connections == 2
    assert peer.requests[1] == peer.requests[2]


async def test_a_fresh_connection_that_dies_is_not_replaced(transport, listen, say):
    peer = await listen([say.READ, HI, say.READ, say.CLOSE], [say.READ, say.CLOSE], [say.READ, HI])
    await get(transport, peer.origin)
    with pytest.raises(DisconnectFault) as caught:
        await get(transport, peer.origin)
    assert (caught.value.phase, caught.value.ambiguous) == ("head", True)
    assert peer.connections == 2


async def test_a_reused_connection_that_dies_after_a_first_byte_is_not_replaced(transport, listen, say):
    peer = await listen([say.READ, HI, say.READ, b"H", say.CLOSE], [say.READ, HI])
    await get(transport, peer.origin)
    with pytest.raises(DisconnectFault) as caught:
        await get(transport, peer.origin)
    assert caught.value.ambiguous
    assert peer.connections == 1


async def test_a_reused_connection_that_dies_late_is_no_stale_one(transport, listen, say, monkeypatch):
    monkeypatch.setattr("laidian.upstream.connection.STALE_WINDOW_S", 0.0)
    peer = await listen([say.READ, HI, say.READ, say.CLOSE], [say.READ, HI])
    await get(transport, peer.origin)
    with pytest.raises(DisconnectFault) as caught:
        await get(transport, peer.origin)
    assert caught.value.ambiguous
    assert peer.connections == 1


async def test_a_streamed_request_is_never_sent_twice(transport, listen, say):
    async def body():
        yield b"once"

    peer = await listen([say.READ, HI, say.READ, say.CLOSE], [say.READ, HI])
    await get(transport, peer.origin)
    with pytest.raises(DisconnectFault) as caught:
        await transport.send(peer.origin, b"POST", b"/", [], body())
    assert caught.value.ambiguous
    assert peer.connections == 1


async def test_an_unread_complete_answer_frees_its_connection_and_stays_readable(transport, listen, say):
    peer = await listen([say.READ, HI, say.READ, OK + b"Content-Length: 3\r\n\r\nyou"])
    first = await transport.send(peer.origin, b"GET", b"/", [])
    second = await transport.send(peer.origin, b"GET", b"/", [])
    assert peer.connections == 1
    first.abort()
    assert await second.read(9) == b"you"
    assert await first.read(9) == b"hi"
    assert transport.idle_connections == 1


# Faults


async def test_nobody_listening_is_a_connect_fault(transport, unused_tcp_port):
    with pytest.raises(ConnectFault, match="refused") as caught:
        await get(transport, Origin("http", "127.0.0.1", unused_tcp_port))
    assert (caught.value.phase, caught.value.ambiguous) == ("connect", False)
    assert f"127.0.0.1:{unused_tcp_port}" in caught.value.message


@pytest.mark.parametrize("host", ["name.invalid", "a..b", "x" * 300])
async def test_a_name_that_does_not_resolve_is_a_connect_fault(transport, host):
    with pytest.raises(ConnectFault) as caught:
        await get(transport, Origin("http", host, 80))
    assert not caught.value.ambiguous


@pytest.mark.parametrize("end", ["CLOSE", "RESET"])
@pytest.mark.parametrize(
    ("begun", "seen"),
    [
        (OK + b"Content-Length: 9\r\n\r\npart", b"part"),
        (CHUNKED + b"9\r\npart", b"part"),
        (CHUNKED + b"4\r\npart\r\n", b"part"),
        (CHUNKED + b"4\r\npart\r\n0\r\n", b"part"),
    ],
)
async def test_a_body_cut_short_gives_what_came_and_then_a_fault(transport, listen, say, begun, seen, end):
    cut = asyncio.Event()
    peer = await listen([say.READ, begun, say.wait(cut), getattr(say, end)])
    exchange = await transport.send(peer.origin, b"GET", b"/", [])
    got = await exchange.chunk()
    cut.set()
    assert got == seen
    for _ in range(2):
        with pytest.raises(DisconnectFault) as caught:
            await exchange.chunk()
        assert (caught.value.phase, caught.value.ambiguous) == ("body", True)
    assert transport.idle_connections == 0


async def test_a_reset_in_a_body_without_framing_is_no_end_of_it(transport, listen, say):
    cut = asyncio.Event()
    peer = await listen([say.READ, OK + b"\r\npart", say.wait(cut), say.RESET])
    exchange = await transport.send(peer.origin, b"GET", b"/", [])
    assert await exchange.chunk() == b"part"
    cut.set()
    with pytest.raises(DisconnectFault):
        await exchange.chunk()


async def test_a_peer_that_does_not_speak_http_is_a_protocol_fault(transport, listen, say):
    peer = await listen([b"SSH-2.0-OpenSSH_9.2\r\n"])
    with pytest.raises(TransportFault) as caught:
        await get(transport, peer.origin)
    assert isinstance(caught.value, ProtocolFault | ConnectFault)  # the banner may beat the request
    await peer.left()


async def test_bad_framing_in_the_middle_of_a_body_is_a_protocol_fault(transport, listen, say):
    cut = asyncio.Event()
    peer = await listen([say.READ, CHUNKED + b"2\r\nhi\r\n", say.wait(cut), b"zz\r\n"])
    exchange = await transport.send(peer.origin, b"GET", b"/", [])
    assert await exchange.chunk() == b"hi"
    cut.set()
    with pytest.raises(ProtocolFault) as caught:
        await exchange.chunk()
    assert (caught.value.phase, caught.value.ambiguous) == ("body", True)
    await peer.left()


# Time-outs


async def test_no_head_in_time_is_a_timeout_that_drips_do_not_extend(transport, listen, say):
    async def drip(line) -> None:
        for _ in range(20):
            await line.send(b"HTTP/1.1 103 Hints\r\n\r\n")
            await asyncio.sleep(0.02)

    peer = await listen([say.READ, drip])
    started = asyncio.get_running_loop().time()
    with pytest.raises(TimeoutFault, match=r"within 0\.1 s") as caught:
        await get(transport, peer.origin, SOON)
    assert (caught.value.phase, caught.value.ambiguous) == ("head", True)
    assert asyncio.get_running_loop().time() - started < 2
    await peer.left()


async def test_silence_in_the_body_is_a_timeout(transport, listen, say):
    peer = await listen([say.READ, CHUNKED + b"2\r\nhi\r\n"])
    exchange = await transport.send(peer.origin, b"GET", b"/", [], timeouts=Timeouts(idle_s=0.1))
    assert await exchange.chunk() == b"hi"
    with pytest.raises(TimeoutFault, match=r"fell silent for 0\.1 s") as caught:
        await exchange.chunk()
    assert (caught.value.phase, caught.value.ambiguous) == ("body", True)
    await peer.left()


async def test_a_body_that_keeps_coming_is_not_timed_out(transport, listen, say):
    async def drip(line) -> None:
        for _ in range(20):
            await asyncio.sleep(0.1)
            await line.send(b"1\r\nx\r\n")
        await line.send(b"0\r\n\r\n")

    peer = await listen([say.READ, CHUNKED, drip])
    timeouts = Timeouts(idle_s=1.5)  # less than all of it, and much more than one pause
    assert await get(transport, peer.origin, timeouts) == b"x" * 20


async def test_a_socket_that_takes_nothing_is_a_timeout_while_sending(transport, listen, say):
    stuck = asyncio.Event()
    peer = await listen([say.wait(stuck)])
    with pytest.raises(TimeoutFault) as caught:
        await transport.send(peer.origin, b"POST", b"/", [], b"x" * 30_000_000, timeouts=SOON)
    assert (caught.value.phase, caught.value.ambiguous) == ("send", False)
    stuck.set()


async def test_a_handshake_that_does_not_end_is_a_connect_fault(transport, listen):
    peer = await listen([])
    origin = Origin("https", "127.0.0.1", peer.port)
    with pytest.raises(ConnectFault, match=r"within 0\.5 s") as caught:
        await get(transport, origin, Timeouts(connect_s=0.5))
    assert (caught.value.phase, caught.value.ambiguous) == ("connect", False)
    await peer.left()


async def test_giving_up_at_any_moment_of_connecting_leaves_no_connection_behind(transport, listen):
    peer = await listen(*([[]] * 40))
    origin = Origin("https", "127.0.0.1", peer.port)
    for step in range(40):
        with pytest.raises(ConnectFault):
            await get(transport, origin, Timeouts(connect_s=step * 0.0002))
    assert transport.open_connections == 0
    for index in range(peer.connections):
        await peer.left(index)


async def test_short_and_long_timeouts_follow_each_other_on_one_connection(transport, listen, say):
    peer = await listen([say.READ, HI, say.READ, HI, say.READ])
    await get(transport, peer.origin)
    await get(transport, peer.origin, Timeouts(first_byte_s=20, idle_s=20))
    with pytest.raises(TimeoutFault):
        await get(transport, peer.origin, SOON)
    assert peer.connections == 1


# Giving up


async def test_cancelling_before_the_head_closes_the_connection(transport, listen, say):
    asked = asyncio.Event()
    peer = await listen([say.READ, say.tell(asked)])
    call = asyncio.create_task(get(transport, peer.origin))
    await asked.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await peer.left()
    assert transport.idle_connections == 0


async def test_cancelling_while_connecting_closes_the_connection(transport, listen, say):
    greeted = asyncio.Event()

    async def hello(line) -> None:
        await line.reader.readexactly(1)
        greeted.set()

    peer = await listen([hello])
    call = asyncio.create_task(get(transport, Origin("https", "127.0.0.1", peer.port)))
    await greeted.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await peer.left()


async def test_cancelling_a_chunk_loses_nothing_for_who_reads_on(transport, listen, say):
    more = asyncio.Event()
    peer = await listen([say.READ, CHUNKED, say.wait(more), b"2\r\nhi\r\n0\r\n\r\n"])
    exchange = await transport.send(peer.origin, b"GET", b"/", [])
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(exchange.chunk(), 0.01)
    more.set()
    assert await exchange.read(10) == b"hi"
    assert transport.idle_connections == 1


async def test_abort_closes_wakes_the_reader_and_may_be_repeated(transport, listen, say):
    peer = await listen([say.READ, CHUNKED])
    exchange = await transport.send(peer.origin, b"GET", b"/", [])
    reading = asyncio.create_task(exchange.chunk())
    await asyncio.sleep(0)
    exchange.abort()
    exchange.abort()
    with pytest.raises(DisconnectFault, match="the relay ended the exchange"):
        await reading
    await peer.left()
    assert transport.idle_connections == 0


async def test_an_exchange_dropped_unread_closes_its_connection(transport, listen, say):
    peer = await listen([say.READ, CHUNKED + b"2\r\nhi\r\n"])
    exchange = await transport.send(peer.origin, b"GET", b"/", [])
    assert await exchange.chunk() == b"hi"
    del exchange
    gc.collect()
    await peer.left()


async def test_a_body_has_one_reader(transport, listen, say):
    peer = await listen([say.READ, CHUNKED])
    exchange = await transport.send(peer.origin, b"GET", b"/", [])
    reading = asyncio.create_task(exchange.chunk())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="one reader"):
        await exchange.chunk()
    exchange.abort()
    with pytest.raises(DisconnectFault):
        await reading


async def test_closing_the_transport_ends_what_runs_and_refuses_what_comes(listen, say):
    transport = Transport()
    peer = await listen([say.READ, HI, say.READ, CHUNKED], [say.READ])
    await get(transport, peer.origin)
    exchange = await transport.send(peer.origin, b"GET", b"/", [])
    waiting = asyncio.create_task(get(transport, peer.origin))
    while len(peer.requests) < 3:
        await asyncio.sleep(0)
    await transport.aclose()
    with pytest.raises(DisconnectFault, match="stopping"):
        await exchange.chunk()
    with pytest.raises(DisconnectFault, match="stopping") as caught:
        await waiting
    assert caught.value.ambiguous
    with pytest.raises(ConnectFault, match="stopping"):
        await get(transport, peer.origin)
    assert transport.open_connections == 0
    await peer.left(0)
    await peer.left(1)


# Back-pressure


async def test_a_fast_peer_is_held_back_by_a_slow_reader(transport, listen, say):
    sent = 0

    async def flood(line) -> None:
        nonlocal sent
        for _ in range(SLICES * 16):
            await line.send(b"x" * 65_536)
            sent += 65_536

    total = SLICES * 16 * 65_536
    peer = await listen([say.READ, OK + b"Content-Length: %d\r\n\r\n" % total, flood])
    exchange = await transport.send(peer.origin, b"GET", b"/", [], timeouts=Timeouts(idle_s=0.2))
    before = -1
    while before != sent or sent == 0:  # until the flood stands still
        before = sent
        await asyncio.sleep(0.1)
    assert sent < total / 2
    await asyncio.sleep(0.5)  # longer than idle_s: a slow reader is not the peer's silence
    got = largest = 0
    while piece := await exchange.chunk():
        got += len(piece)
        largest = max(largest, len(piece))
    assert got == total
    assert largest <= 4 * HIGH_WATER
    assert transport.idle_connections == 1
