"""An upstream that fails, before its answer or in the middle of it, never looks like a finished answer to any client."""

from __future__ import annotations

import pytest

from laidian.errors import UpstreamBroken
from laidian.protocol.codec import TranslatingTap
from laidian.protocol.dialect import StreamFault
from tests.translation import answers
from tests.translation.answers import SCENARIOS
from tests.translation.codecs import PAIRS, Spoken, pair_id
from tests.translation.meaning import meaning
from tests.translation.test_answers import events_of, read, said, translation

BROKEN = UpstreamBroken("The answer was broken off in the middle: one: it sent an error.")


def fault_of(tap: TranslatingTap) -> StreamFault:
    """The fault, at the latest when the upstream's body ends."""
    if tap.fault is not None:
        return tap.fault
    with pytest.raises(StreamFault) as caught:
        tap.end()
    return caught.value


@pytest.mark.parametrize(("client", "upstream"), PAIRS, ids=pair_id)
def test_an_error_before_the_answer_leaves_the_client_untouched(client: Spoken, upstream: Spoken):
    """Nothing is written, so another upstream can still be tried."""
    tap = translation(client, upstream, "text", stream=True).tap()
    assert tap.feed(answers.error_event(upstream.name)) == b""
    assert "exploded" in fault_of(tap).message


@pytest.mark.parametrize(("client", "upstream"), PAIRS, ids=pair_id)
def test_an_error_in_the_middle_reaches_the_client_as_one(client: Spoken, upstream: Spoken):
    stream = events_of(answers.stream(upstream.name, "text"))
    tap = translation(client, upstream, "text", stream=True).tap()
    begun = b"".join(tap.feed(event) for event in stream[: len(stream) // 2 + 1])
    assert begun
    begun += tap.feed(answers.error_event(upstream.name))
    assert "exploded" in fault_of(tap).message
    assert not tap.finished
    with pytest.raises(StreamFault):
        read(client, begun)
    told = tap.failure(BROKEN)  # Responses alone ends a broken stream in its own way
    with pytest.raises(StreamFault) as caught:
        read(client, begun + (told or client.family.error_event(BROKEN)))
    assert "broken off" in caught.value.message


@pytest.mark.parametrize(("client", "upstream"), PAIRS, ids=pair_id)
def test_what_came_in_the_same_packet_before_an_error_is_delivered(client: Spoken, upstream: Spoken):
    stream = answers.stream(upstream.name, "text")
    begun = b"".join(events_of(stream)[: len(events_of(stream)) // 2 + 1])
    apart = translation(client, upstream, "text", stream=True).tap()
    expected = apart.feed(begun)
    tap = translation(client, upstream, "text", stream=True).tap()
    assert tap.feed(begun + answers.error_event(upstream.name)) == expected
    assert "exploded" in fault_of(tap).message


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize(("client", "upstream"), PAIRS, ids=pair_id)
def test_a_stream_that_just_stops_is_finished_or_a_fault(client: Spoken, upstream: Spoken, scenario: str):
    stream = events_of(answers.stream(upstream.name, scenario))
    whole = {True: 0, False: 0}
    for cut in range(len(stream)):
        tap = translation(client, upstream, scenario, stream=True).tap()
        written = b"".join(tap.feed(event) for event in stream[:cut])
        whole[tap.finished] += 1
        if not tap.finished:
            fault_of(tap)
            with pytest.raises(StreamFault):
                read(client, written)
            continue
        got, want = meaning(read(client, written + tap.end())), said(scenario)
        assert (got.text, got.calls, got.reason) == (want.text, want.calls, want.reason)
    assert whole[False] > len(stream) // 3


@pytest.mark.parametrize(("client", "upstream"), PAIRS, ids=pair_id)
def test_half_an_event_at_the_end_is_no_answer(client: Spoken, upstream: Spoken):
    stream = answers.stream(upstream.name, "text")
    tap = translation(client, upstream, "text", stream=True).tap()
    tap.feed(stream[: stream.index("世".encode()) + 1])
    fault_of(tap)


@pytest.mark.parametrize(
    "junk", [b"data: <html>bad gateway</html>\n\n", b"data: {broken\n\n", b"data: " + b"[" * 5000 + b"\n\n"]
)
@pytest.mark.parametrize(("client", "upstream"), PAIRS, ids=pair_id)
def test_junk_in_a_stream_is_a_fault_and_never_reaches_the_client(
    client: Spoken, upstream: Spoken, junk: bytes
):
    first, *_ = events_of(answers.stream(upstream.name, "text"))
    tap = translation(client, upstream, "text", stream=True).tap()
    written = tap.feed(first) + tap.feed(junk)
    fault_of(tap)
    assert b"html" not in written


@pytest.mark.parametrize(("client", "upstream"), PAIRS, ids=pair_id)
def test_what_is_no_answer_is_a_fault(client: Spoken, upstream: Spoken):
    chosen = translation(client, upstream, "text", stream=False)
    for junk in (answers.error_body(upstream.name), b"<html>", b"", b"null", b"[]", b"{}", b"[" * 5000):
        with pytest.raises(StreamFault):
            chosen.read_answer(junk)
