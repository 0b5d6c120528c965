"""Server-sent events: cut at their boundaries, whatever the line ends and wherever the network cut them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laidian.protocol.events import EventCutter, data_of

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
