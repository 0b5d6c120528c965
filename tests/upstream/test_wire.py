"""The reader of responses and the writer of request heads, without a socket."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laidian.upstream.faults import ProtocolFault
from laidian.upstream.wire import HEAD_LIMIT, LINE_LIMIT, ResponseReader, request_head

PEER = "api.example.com:443"
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def read(*arrivals: bytes, method: bytes = b"POST") -> tuple[ResponseReader, bytes]:
    reader = ResponseReader(method, PEER)
    body: list[bytes] = []
    sizes = [reader.feed(arrival, body) for arrival in arrivals if arrival]
    assert sum(sizes) == sum(map(len, body))
    return reader, b"".join(body)


def refusal(data: bytes, method: bytes = b"POST") -> ProtocolFault:
    """The fault of a response, which must be the same whole and byte by byte."""
    with pytest.raises(ProtocolFault) as whole:
        read(data, method=method)
    with pytest.raises(ProtocolFault) as dripped:
        read(*(data[i : i + 1] for i in range(len(data))), method=method)
    assert whole.value.phase == dripped.value.phase
    assert whole.value.ambiguous
    assert PEER in str(whole.value)
    return whole.value


def test_headers_are_lower_cased_in_order_and_stripped():
    reader, body = read(OK + b"X-B:  two \t\r\nx-a: one\r\nX-b:\r\nContent-Length: 2\r\n\r\nhi")
    assert reader.status == 200
    assert reader.headers == ((b"x-b", b"two"), (b"x-a", b"one"), (b"x-b", b""), (b"content-length", b"2"))
    assert body == b"hi"
    assert reader.complete
    assert reader.keep_alive
    assert not reader.surplus


@pytest.mark.parametrize("head", [b"HTTP/1.1 200\r\n", b"HTTP/1.1 200 \r\n", b"HTTP/1.1 200 All is well\r\n"])
def test_the_reason_may_be_missing_or_long(head: bytes):
    assert read(head + b"Content-Length: 0\r\n\r\n")[0].complete


@pytest.mark.parametrize(
    ("method", "head"),
    [
        (b"GET", b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"),
        (b"GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"),
        (b"HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
        (b"HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        (b"GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ],
)
def test_responses_without_a_body_are_complete_with_their_head(method: bytes, head: bytes):
    reader, body = read(head, method=method)
    assert reader.complete
    assert reader.keep_alive
    assert body == b""


def test_interim_responses_are_passed_over():
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    reader, body = read(interim + OK + b"Content-Length: 1\r\n\r\nx")
    assert (reader.status, body) == (200, b"x")
    assert reader.headers == ((b"content-length", b"1"),)


def test_a_body_without_framing_lasts_until_the_end_of_the_connection():
    reader, body = read(OK + b"\r\nhal", b"lo")
    assert body == b"hallo"
    assert not reader.complete
    assert not reader.keep_alive
    assert reader.feed_eof()
    assert reader.complete


@pytest.mark.parametrize(
    "begun",
    [b"", b"HTTP/1.1 2", OK + b"Content-Length: 3\r\n\r\nab", CHUNKED + b"3\r\nabc\r\n", CHUNKED + b"0\r\n"],
)
def test_an_early_end_leaves_a_framed_response_incomplete(begun: bytes):
    reader, _ = read(begun)
    assert not reader.feed_eof()
    assert not reader.complete


@pytest.mark.parametrize(
    ("version", "connection", "kept"),
    [
        (b"1.1", None, True),
        (b"1.1", b"close", False),
        (b"1.1", b"Keep-Alive, CLOSE", False),
        (b"1.1", b"keep-alive", True),
        (b"1.1", b"enclosed", True),
        (b"1.0", None, False),
        (b"1.0", b"Keep-Alive", True),
    ],
)
def test_keep_alive_follows_version_and_connection_header(
    version: bytes, connection: bytes | None, kept: bool
):
    line = b"" if connection is None else b"Connection: " + connection + b"\r\n"
    reader, _ = read(b"HTTP/" + version + b" 200 OK\r\n" + line + b"Content-Length: 0\r\n\r\n")
    assert reader.keep_alive is kept


def test_a_1_0_response_in_chunks_is_read_but_its_connection_not_kept():
    head = b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"
    reader, body = read(head + b"1\r\nx\r\n0\r\n\r\n")
    assert (body, reader.complete, reader.keep_alive) == (b"x", True, False)


def test_chunks_with_extensions_padding_and_trailers_are_decoded_in_one_pass():
    reader = ResponseReader(b"GET", PEER)
    body: list[bytes] = []
    rest = (
        b'5;name="a b"\r\nhello\r\n0001  \r\n,\r\nA\r\n0123456789\r\n0;end\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n'
    )
    assert reader.feed(CHUNKED + rest, body) == 16
    assert body == [b"hello", b",", b"0123456789"]
    assert reader.complete
    assert not reader.surplus


@pytest.mark.parametrize(
    "response",
    [
        OK + b"Content-Length: 2\r\n\r\nhi",
        OK + b"Content-Length: 0\r\n\r\n",
        CHUNKED + b"2\r\nhi\r\n0\r\n\r\n",
        CHUNKED + b"2\r\nhi\r\n0\r\nX: y\r\n\r\n",
        b"HTTP/1.1 204 No\r\n\r\n",
    ],
)
def test_bytes_behind_a_response_are_surplus_and_no_part_of_it(response: bytes):
    for arrivals in ([response + b"HTTP/1.1 200 OK\r\n\r\n"], [response, b"H"]):
        reader, body = read(*arrivals)
        assert reader.complete
        assert reader.surplus
        assert body in (b"hi", b"")


def test_equal_lengths_said_twice_are_one_length():
    assert read(OK + b"Content-Length: 2, 2\r\nContent-Length: 2\r\n\r\nhi")[1] == b"hi"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (b"Content-Length: 2\r\nContent-Length: 3\r\n", "two different values"),
        (b"Content-Length: 2, 3\r\n", "two different values"),
        (b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "framed its answer twice"),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", "framed its answer twice"),
        (b"Transfer-Encoding: gzip, chunked\r\n", "other than chunked"),
        (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "other than chunked"),
        (b"Transfer-Encoding: identity\r\n", "other than chunked"),
        (b"Content-Length: -1\r\n", "no number"),
        (b"Content-Length: +1\r\n", "no number"),
        (b"Content-Length: 1_0\r\n", "no number"),
        (b"Content-Length: \r\n", "no number"),
        (b"Content-Length: 9999999999999999999\r\n", "no number"),
        (b"X-Long: a\r\n b\r\n", "folded"),
        (b"X Y: a\r\n", "without a proper name"),
        (b"X : a\r\n", "without a proper name"),
        (b"no colon\r\n", "without a proper name"),
        (b": nameless\r\n", "without a proper name"),
        (b"X: a\nY: b\r\n", "bare"),
        (b"X: a\rY: b\r\n", "bare"),
        (b"X: a\0b\r\n", "NUL"),
    ],
)
def test_heads_that_cannot_be_framed_beyond_doubt_are_refused(lines: bytes, said: str):
    fault = refusal(OK + lines + b"\r\n")
    assert said in str(fault)
    assert fault.phase == "head"


@pytest.mark.parametrize(
    "begun",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x15\x03\x01\x00\x02\x02",
        b"HTTP/2 200\r\n\r\n",
        b"\r\nHTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 099 Low\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        b"HTTP/1.1 103 Hints\r\n\r\n" * 33,
    ],
)
def test_what_is_no_response_is_refused_without_waiting_for_more(begun: bytes):
    assert refusal(begun).phase == "head"


def test_a_head_is_bounded_in_bytes_and_lines():
    def lines(count: int) -> bytes:
        return OK + b"".join(b"X-%d: y\r\n" % i for i in range(count - 1)) + b"Content-Length: 0\r\n\r\n"

    assert read(lines(LINE_LIMIT))[0].complete
    assert "129 header lines" in str(refusal(lines(LINE_LIMIT + 1)))
    with pytest.raises(ProtocolFault, match="over 65536 bytes"):
        read(OK + b"X: " + b"a" * HEAD_LIMIT + b"\r\n\r\n")
    with pytest.raises(ProtocolFault, match="over 65536 bytes"):
        read(OK + b"X: ", b"a" * 40_000, b"a" * 40_000)


@pytest.mark.parametrize(
    ("chunks", "said"),
    [
        (b"g\r\n", "no hexadecimal"),
        (b"-1\r\n", "no hexadecimal"),
        (b"0x1\r\nx\r\n", "no hexadecimal"),
        (b" 1\r\nx\r\n", "no hexadecimal"),
        (b"\r\n", "no hexadecimal"),
        (b";ext\r\n", "no hexadecimal"),
        (b"1000000000000000\r\n", "no hexadecimal"),
        (b"1\r\nxy\r\n", "longer than its stated size"),
        (b"1\r\nx\n0\r\n\r\n", "longer than its stated size"),
        (b"1\nx\n0\n\n", "bare LF"),
        (b"1;" + b"e" * 5000, "over 4096 bytes"),
        (b"0\r\n" + b"X: y\r\n" * 20_000, "trailers over 65536 bytes"),
    ],
)
def test_broken_chunks_are_refused(chunks: bytes, said: str):
    reader = ResponseReader(b"GET", PEER)
    with pytest.raises(ProtocolFault, match=said) as caught:
        reader.feed(CHUNKED + chunks, [])
    assert caught.value.phase == "body"


def test_a_long_chunk_extension_is_refused_whole_too():
    with pytest.raises(ProtocolFault, match="extension over 4096 bytes"):
        read(CHUNKED + b"1;" + b"e" * 5000 + b"\r\nx\r\n")


@pytest.mark.parametrize("cuts", [1, 2, 3, 5])
def test_every_split_of_a_chunked_response_gives_the_same_answer(cuts: int):
    response = CHUNKED + b"5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nT: u\r\n\r\n"
    for start in range(cuts):
        arrivals = [response[:start]] + [response[i : i + cuts] for i in range(start, len(response), cuts)]
        reader, body = read(*arrivals)
        assert (body, reader.complete, reader.surplus, reader.keep_alive) == (b"hello!", True, False, True)


def test_every_two_part_split_gives_the_same_answer():
    response = b"HTTP/1.1 100 C\r\n\r\n" + CHUNKED + b"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"
    for cut in range(1, len(response)):
        reader, body = read(response[:cut], response[cut:])
        assert (body, reader.complete, reader.surplus) == (b"hello!", True, False)


@st.composite
def responses(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A valid response and its body."""
    body_pieces = draw(st.lists(st.binary(min_size=1, max_size=40), max_size=8))
    body = b"".join(body_pieces)
    head = b"HTTP/1.%d %d X\r\n" % (
        draw(st.integers(0, 1)),
        draw(st.sampled_from([200, 201, 400, 404, 429, 500, 529])),
    )
    for name, value in draw(
        st.lists(st.tuples(st.sampled_from("abc"), st.text("xyz ;=", max_size=9)), max_size=5)
    ):
        head += b"X-%s:%s\r\n" % (name.encode(), value.encode())
    if draw(st.booleans()):
        return head + b"Content-Length: %d\r\n\r\n" % len(body) + body, body
    extension = draw(st.sampled_from([b"", b";a", b"; a=b"]))
    chunks = b"".join(b"%X%s\r\n%s\r\n" % (len(piece), extension, piece) for piece in body_pieces)
    trailers = draw(st.sampled_from([b"", b"T: 1\r\n", b"T: 1\r\nU: 2\r\n"]))
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n" + trailers + b"\r\n", body


@settings(max_examples=400, deadline=None)
@given(response=responses(), data=st.data())
def test_any_cut_of_any_response_gives_the_same_answer(response: tuple[bytes, bytes], data: st.DataObject):
    wire, body = response
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=12)))
    arrivals = [wire[start:end] for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True)]
    whole, _ = read(wire)
    reader, got = read(*arrivals)
    assert got == body
    assert reader.complete
    assert not reader.surplus
    assert (reader.status, reader.headers, reader.keep_alive) == (
        whole.status,
        whole.headers,
        whole.keep_alive,
    )


@settings(max_examples=400, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=60), max_size=6), st.sampled_from([b"", OK, CHUNKED]))
def test_noise_ends_in_an_answer_or_a_protocol_fault_and_nothing_else(noise: list[bytes], begun: bytes):
    reader = ResponseReader(b"POST", PEER)
    said = ""
    try:
        for arrival in [begun, *noise]:
            if arrival:
                reader.feed(arrival, [])
    except ProtocolFault as fault:
        said = fault.message
    assert said == "" or (PEER in said and said.endswith("."))
    assert reader.heard or not (noise or begun)


def test_a_request_head_holds_what_the_caller_gave_and_the_transport_s_own_and_no_more():
    head = request_head(
        b"POST", b"/v1/x?y=1", b"h:1", [(b"X-A", b"1"), (b"b", b"")], b"Content-Length: 2\r\n"
    )
    assert head == b"POST /v1/x?y=1 HTTP/1.1\r\nHost: h:1\r\nX-A: 1\r\nb: \r\nContent-Length: 2\r\n\r\n"
    assert request_head(b"GET", b"/", b"h", []) == b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"


@pytest.mark.parametrize("value", [b"sk-secret\r\nX: y", b"sk-secret\n", b"\rsk-secret", b"sk-secret\0"])
def test_a_header_value_with_a_line_break_or_nul_is_refused_without_being_repeated(value: bytes):
    with pytest.raises(ValueError, match="Authorization") as caught:
        request_head(b"GET", b"/", b"h", [(b"Fine", b"1"), (b"Authorization", value)])
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", [b"", b"a b", b"a:", b"a\r\nb", b"\xc3\xa4"])
def test_a_header_name_that_is_no_token_is_refused(name: bytes):
    with pytest.raises(ValueError, match="not an HTTP token"):
        request_head(b"GET", b"/", b"h", [(name, b"1")])


@pytest.mark.parametrize("name", [b"Host", b"content-length", b"Transfer-Encoding"])
def test_the_transport_s_own_headers_are_refused(name: bytes):
    with pytest.raises(ValueError, match="belongs to the transport"):
        request_head(b"GET", b"/", b"h", [(name, b"1")])


@pytest.mark.parametrize(
    ("method", "target"),
    [(b"GET", b"/a b"), (b"GET", b"/\r\nX: y"), (b"GET", b""), (b"G T", b"/"), (b"", b"/")],
)
def test_a_method_or_target_that_would_break_the_head_is_refused(method: bytes, target: bytes):
    with pytest.raises(ValueError, match=r"token|target"):
        request_head(method, target, b"h", [])
