"""Request bodies: large ones, streamed ones, and peers that answer before they have heard all."""

import asyncio
import tracemalloc

import pytest

from laidian.upstream.connection import Timeouts
from laidian.upstream.faults import DisconnectFault, TimeoutFault

OK = b"HTTP/1.1 200 OK\r\n"
HI = OK + b"Content-Length: 2\r\n\r\nhi"
TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig"
LARGE = 20_000_000


async def streamed(*pieces: bytes):
    for piece in pieces:
        await asyncio.sleep(0)
        yield piece


async def head_only(line) -> None:
    line.peer.requests.append(await line.head())


def body_of(request: bytes) -> bytes:
    return request.split(b"\r\n\r\n", 1)[1]


async def test_a_large_body_arrives_whole_without_lying_in_memory_twice(transport, listen):
    body = bytes(range(256)) * (LARGE // 256)
    got = 0
    faithful = True

    async def count(line) -> None:
        nonlocal got, faithful
        await line.head()
        while got < len(body):
            piece = await line.reader.read(65_536)
            faithful = faithful and body[got : got + len(piece)] == piece
            got += len(piece)

    peer = await listen([count, HI])
    tracemalloc.start()
    try:
        exchange = await transport.send(peer.origin, b"POST", b"/", [], body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert await exchange.read(9) == b"hi"
    assert got == len(body)
    assert faithful
    assert peak < LARGE / 2
    assert transport.idle_connections == 1


async def test_a_streamed_body_is_chunked_and_empty_pieces_do_not_end_it(transport, listen, say):
    peer = await listen([say.READ, HI, say.READ, HI])
    exchange = await transport.send(peer.origin, b"POST", b"/", [], streamed(b"one", b"", b"two" * 100_000))
    assert await exchange.read(9) == b"hi"
    head, body = peer.requests[0].split(b"\r\n\r\n", 1)
    assert b"Transfer-Encoding: chunked" in head
    assert b"Content-Length" not in head
    assert body == b"one" + b"two" * 100_000
    await transport.send(peer.origin, b"POST", b"/", [], streamed())
    assert body_of(peer.requests[1]) == b""
    assert peer.connections == 1


@pytest.mark.parametrize("pieces", [[], [b""], [b"one", b"two"], [b"x" * 300_000, b"y"]])
async def test_a_streamed_body_of_known_length_is_not_chunked(transport, listen, say, pieces):
    body = b"".join(pieces)
    peer = await listen([say.READ, HI])
    exchange = await transport.send(
        peer.origin, b"POST", b"/", [], streamed(*pieces), content_length=len(body)
    )
    assert await exchange.read(9) == b"hi"
    assert body_of(peer.requests[0]) == body
    assert b"Content-Length: %d\r\n" % len(body) in peer.requests[0]
    assert b"Transfer-Encoding" not in peer.requests[0]
    assert transport.idle_connections == 1


@pytest.mark.parametrize(("stated", "said"), [(4, "longer than its stated 4"), (9, "ended 3 bytes before")])
async def test_a_streamed_body_of_another_length_than_stated_is_refused(transport, listen, say, stated, said):
    peer = await listen([say.READ])
    with pytest.raises(ValueError, match=said):
        await transport.send(peer.origin, b"POST", b"/", [], streamed(b"one", b"two"), content_length=stated)
    await peer.left()
    assert transport.idle_connections == 0


@pytest.mark.parametrize(("body", "stated"), [(b"abc", 2), (None, 1), (b"", -1)])
async def test_a_length_that_is_not_the_body_s_is_refused(transport, listen, body, stated):
    peer = await listen()
    with pytest.raises(ValueError, match="content length"):
        await transport.send(peer.origin, b"POST", b"/", [], body, content_length=stated)
    assert peer.connections == 0


async def test_what_the_source_raises_reaches_the_caller(transport, listen, say):
    async def broken():
        yield b"one"
        raise LookupError("the spool file is gone")

    peer = await listen([say.READ])
    with pytest.raises(LookupError, match="spool"):
        await transport.send(peer.origin, b"POST", b"/", [], broken())
    await peer.left()


async def test_a_source_that_is_cancelled_does_not_leave_the_caller_waiting(transport, listen, say):
    async def given_up():
        yield b"one"
        raise asyncio.CancelledError

    peer = await listen([say.READ])
    with pytest.raises(DisconnectFault, match="source was cancelled") as caught:
        await transport.send(peer.origin, b"POST", b"/", [], given_up())
    assert (caught.value.phase, caught.value.ambiguous) == ("send", False)
    await peer.left()


async def test_cancelling_the_send_ends_the_source_and_closes(transport, listen, say):
    begun, ended = asyncio.Event(), asyncio.Event()

    async def endless():
        try:
            yield b"one"
            begun.set()
            await asyncio.Event().wait()
        finally:
            ended.set()

    peer = await listen([say.READ])
    call = asyncio.create_task(transport.send(peer.origin, b"POST", b"/", [], endless()))
    await begun.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert ended.is_set()
    await peer.left()


async def test_a_slow_source_is_not_the_upstream_s_silence(transport, listen, say):
    async def slow():
        yield b"one"
        await asyncio.sleep(2.5)
        yield b"two"

    peer = await listen([say.READ, HI])
    timeouts = Timeouts(first_byte_s=2, idle_s=2)
    exchange = await transport.send(peer.origin, b"POST", b"/", [], slow(), timeouts=timeouts)
    assert await exchange.read(9) == b"hi"


async def test_an_early_refusal_of_a_large_body_is_noticed(transport, listen):
    peer = await listen([head_only, TOO_LARGE])
    exchange = await transport.send(peer.origin, b"POST", b"/", [], b"x" * LARGE)
    assert exchange.status == 413
    assert await exchange.read(9) == b"big"
    await peer.left()
    assert transport.idle_connections == 0


async def test_an_early_refusal_followed_by_a_close_is_noticed_too(transport, listen, say):
    for _ in range(10):
        peer = await listen([head_only, TOO_LARGE, say.CLOSE])  # closing on unread bytes resets
        exchange = await transport.send(peer.origin, b"POST", b"/", [], b"x" * LARGE)
        assert (exchange.status, await exchange.read(9)) == (413, b"big")
    assert transport.open_connections == 0


async def test_an_early_refusal_is_noticed_while_the_source_is_silent(transport, listen, say):
    ended, rest = asyncio.Event(), asyncio.Event()

    async def stalled():
        try:
            yield b"one"
            await asyncio.Event().wait()
        finally:
            ended.set()

    begun = b"HTTP/1.1 413 X\r\nTransfer-Encoding: chunked\r\n\r\n"
    peer = await listen([head_only, begun, say.wait(rest), b"3\r\nbig\r\n0\r\n\r\n"])
    exchange = await transport.send(peer.origin, b"POST", b"/", [], stalled())
    assert ended.is_set()
    rest.set()
    assert (exchange.status, await exchange.read(9)) == (413, b"big")
    await peer.left()


async def test_an_early_answer_that_is_no_refusal_still_gets_the_whole_body(transport, listen):
    got = 0

    async def swallow(line) -> None:
        nonlocal got
        while got < LARGE:
            got += len(await line.reader.read(65_536))

    peer = await listen(
        [head_only, OK + b"Transfer-Encoding: chunked\r\n\r\n", swallow, b"2\r\nhi\r\n0\r\n\r\n"]
    )
    exchange = await transport.send(peer.origin, b"POST", b"/", [], b"x" * LARGE)
    assert await exchange.read(9) == b"hi"
    assert got == LARGE
    assert transport.idle_connections == 1


async def test_a_peer_that_answers_at_length_without_listening_is_a_timeout_and_no_deadlock(
    transport, listen
):
    async def flood(line) -> None:
        while True:
            await line.send(b"x" * 65_536)

    peer = await listen([head_only, OK + b"\r\n", flood])
    timeouts = Timeouts(idle_s=0.2)
    exchange = await transport.send(peer.origin, b"POST", b"/", [], b"x" * LARGE, timeouts=timeouts)
    assert (await exchange.chunk()).strip(b"x") == b""
    with pytest.raises(TimeoutFault, match="took no more of the request") as caught:
        await exchange.chunk()
    assert caught.value.ambiguous


async def test_a_peer_that_answers_early_and_leaves_does_not_keep_us_waiting_for_the_source(
    transport, listen, say
):
    asked = asyncio.Event()

    async def stalled():
        yield b"one"
        asked.set()
        await asyncio.Event().wait()

    begun = OK + b"Transfer-Encoding: chunked\r\n\r\n"
    peer = await listen([head_only, begun, say.wait(asked), say.RESET])
    exchange = await transport.send(peer.origin, b"POST", b"/", [], stalled())
    with pytest.raises(DisconnectFault) as caught:
        await exchange.chunk()
    assert (caught.value.phase, caught.value.ambiguous) == ("body", True)


async def test_a_peer_that_leaves_in_the_middle_of_the_request_has_not_processed_it(transport, listen, say):
    peer = await listen([head_only, say.RESET])
    with pytest.raises(DisconnectFault, match="before it had taken the whole request") as caught:
        await transport.send(peer.origin, b"POST", b"/", [], b"x" * LARGE)
    assert (caught.value.phase, caught.value.ambiguous) == ("send", False)
