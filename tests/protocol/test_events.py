"""Server-sent events: cut at their boundaries, whatever the line ends and wherever the network cut them."""

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laidian.protocol.events import SHORT_BYTES, EventCutter, data_of

STREAMS = {
    "line feeds": b'data: {"a":1}\n\n: comment\n\nevent: x\ndata: one\ndata: two\n\ndata: [DONE]\n\n',
    "CRLF": b'data: {"a":1}\r\n\r\n: comment\r\n\r\nevent: x\r\ndata: one\r\ndata: two\r\n\r\ndata: [DONE]\r\n\r\n',
    "CR": b'data: {"a":1}\r\r: comment\r\revent: x\rdata: one\rdata: two\r\rdata: [DONE]\r\r',
    "mixed": b'data: {"a":1}\r\n\n: comment\n\r\nevent: x\rdata: one\ndata: two\r\n\r\ndata: [DONE]\n\n',
    "UTF-8 and U+2028": 'data: {"t":"水\u2028\u2029é"}\n\ndata: 山\n\n'.encode(),
}
MEANING = [b'{"a":1}', None, b"one\ntwo", b"[DONE]"]


@pytest.mark.parametrize("name", ["line feeds", "CRLF", "CR", "mixed"])
def test_all_line_ends_mean_the_same_events(name: str):
    cutter = EventCutter()
    stream = STREAMS[name]
    # a lone CR at the very end may be half a CRLF, so the last event of a CR stream waits for one more byte
    events = cutter.feed(stream + (b":" if name == "CR" else b""))
    assert [data_of(event) for event in events] == MEANING
    assert b"".join(events) == stream


@pytest.mark.parametrize("name", STREAMS)
def test_every_cut_of_a_stream_gives_the_same_events(name: str):
    stream = STREAMS[name] + b":\n"
    whole = EventCutter().feed(stream)
    for cut in range(len(stream) + 1):
        cutter = EventCutter()
        assert cutter.feed(stream[:cut]) + cutter.feed(stream[cut:]) == whole


@given(st.sampled_from(sorted(STREAMS)), st.lists(st.integers(0, 120), max_size=12))
def test_no_byte_is_lost_however_the_network_cuts(name: str, cuts: list[int]):
    stream = STREAMS[name]
    cutter = EventCutter()
    seen = b""
    places = sorted({min(cut, len(stream)) for cut in cuts})
    for start, end in zip([0, *places], [*places, len(stream)], strict=True):
        seen += b"".join(cutter.feed(stream[start:end]))
    assert seen + cutter.rest == stream


def test_a_character_is_not_taken_for_a_line_end():
    assert len(EventCutter().feed(STREAMS["UTF-8 and U+2028"])) == 2


def test_data_without_a_space_and_a_byte_order_mark_are_read():
    assert data_of(b"data:{}\n\n") == b"{}"
    assert data_of(b"\xef\xbb\xbfdata: x\n\n") == b"x"
    assert data_of(b"data:  two spaces\n\n") == b" two spaces"
    assert data_of(b": only a comment\n\n") is None
    assert data_of(b"event: ping\n\n") is None


ENDS = [b"\n", b"\r\n", b"\r"]


@given(
    st.lists(st.tuples(st.integers(0, 3 * SHORT_BYTES), st.sampled_from(ENDS), st.booleans()), max_size=6),
    st.lists(st.integers(0, 20 * SHORT_BYTES), max_size=12),
    st.integers(1, 3),
)
def test_long_events_are_cut_like_short_ones_wherever_the_network_cuts(
    events: list[tuple[int, bytes, bool]], cuts: list[int], step: int
):
    stream = b"".join(
        b"data: " + b"x" * size + end + (b"data: y" + end if more else b"") + end
        for size, end, more in events
    )
    stream += b"data: z\n\n"
    whole = EventCutter().feed(stream)
    assert b"".join(whole) == stream
    ends = {len(stream) - 1, *(cut for cut in cuts if cut < len(stream))}
    at = 0
    for one in whole:  # and around every place where it matters
        at += len(one)
        ends |= {place for place in range(at - 5, at + 3, step) if 0 < place < len(stream)}
    cutter, seen = EventCutter(), list[bytes]()
    places = [0, *sorted(ends), len(stream)]
    for start, end in itertools.pairwise(places):
        seen += cutter.feed(stream[start:end])
        assert cutter.waiting == len(cutter.rest)
        assert b"".join(seen) + cutter.rest == stream[:end]
    assert seen == whole


def test_an_event_is_given_with_its_last_byte_however_long_it_is():
    for end in (b"\n\n", b"\r\n\r\n"):
        event = b"data: " + b"x" * 100_000 + end
        cutter = EventCutter()
        for start in range(0, len(event) - 1, 1000):
            assert cutter.feed(event[start : min(start + 1000, len(event) - 1)]) == []
        assert cutter.feed(event[-1:]) == [event]
        assert cutter.rest == b""


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n"])
def test_a_huge_event_in_small_pieces_costs_its_length(end: bytes):
    def best_s(size: int) -> float:
        piece, spans = b"x" * 16_384, list[float]()
        for _ in range(3):
            cutter = EventCutter()
            begun = time.perf_counter()
            for _ in range(size // len(piece)):
                cutter.feed(piece)
            (event,) = cutter.feed(end)
            spans.append(time.perf_counter() - begun)
            assert len(event) == size + len(end)
        return min(spans)

    # 16 times the bytes: 256 times the time where every piece is looked at again
    assert best_s(16 * 1024 * 1024) < 80 * best_s(1024 * 1024) + 0.01


def test_many_lines_before_one_carriage_return_cost_their_length():
    stream = b"data: x\n" * 200_000 + b"\r\n\n"
    begun = time.perf_counter()
    EventCutter().feed(stream)
    assert time.perf_counter() - begun < 2
