"""Counting tokens from bytes: the bound errs high, the guess is near, pictures do not count as text."""

from __future__ import annotations

import base64
import json
import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laidian.domain.estimate import (
    LONG_STRING_BYTES,
    MEDIA_BYTES_PER_TOKEN,
    MEDIA_KEYS,
    MEDIA_TOKENS,
    MESSAGE_OVERHEAD_TOKENS,
    TEXT_KEYS,
    bound_input_tokens,
    bound_tokens,
    likely_input_tokens,
    likely_tokens,
    split_media,
)

texts = st.text(max_size=300).map(lambda text: text.encode("utf-8", "ignore"))


def picture(size: int) -> bytes:
    return b'{"url":"data:image/png;base64,' + b"A" * size + b'"}'


@given(texts)
def test_the_bound_is_never_below_the_guess(text: bytes) -> None:
    assert bound_tokens(text) >= likely_tokens(text) >= 0


@given(texts, texts)
def test_more_text_is_never_fewer_tokens(text: bytes, more: bytes) -> None:
    assert bound_tokens(text + more) >= bound_tokens(text)
    assert likely_tokens(text + more) >= likely_tokens(text)


@given(texts, texts)
def test_text_in_two_pieces_counts_within_two_tokens_of_the_whole(text: bytes, more: bytes) -> None:
    """A stream is counted piece by piece."""
    apart = likely_tokens(text) + likely_tokens(more)
    assert abs(apart - likely_tokens(text + more)) <= 2


@pytest.mark.parametrize(
    ("text", "bound", "likely"),
    [
        ("", 1, 0),
        ("a", 1, 1),
        ("word", 2, 1),
        ("a" * 42, 15, 10),
        ("中" * 4, 7, 3),
        ("é", 2, 0),
        ("🙂", 3, 1),
    ],
)
def test_the_two_rules_by_example(text: str, bound: int, likely: int) -> None:
    assert (bound_tokens(text.encode()), likely_tokens(text.encode())) == (bound, likely)


def test_a_picture_counts_as_a_picture() -> None:
    body = picture(5_000_000)
    text, tokens = split_media(body)
    assert text == b'{"url":"data:image/png"}'
    assert tokens == 5_000_000 // MEDIA_BYTES_PER_TOKEN
    assert bound_input_tokens(body) < 13_000


def test_a_small_picture_counts_as_a_whole_one() -> None:
    assert split_media(picture(10))[1] == MEDIA_TOKENS


@given(st.lists(st.integers(0, 2_000_000), min_size=1, max_size=4), texts)
def test_every_picture_counts_and_the_text_around_them_stays(sizes: list[int], text: bytes) -> None:
    around = text.replace(b";base64,", b"")
    body = around.join(picture(size) for size in sizes)
    rest, tokens = split_media(body)
    assert tokens == sum(max(MEDIA_TOKENS, (size + 8) // MEDIA_BYTES_PER_TOKEN) for size in sizes)
    assert len(rest) == len(body) - sum(size + 8 for size in sizes)


def test_a_picture_that_is_cut_off_ends_with_the_body() -> None:
    rest, tokens = split_media(b'{"url":"data:image/png;base64,' + b"A" * 4_000)
    assert rest == b'{"url":"data:image/png'
    assert tokens == MEDIA_TOKENS


@given(texts)
def test_a_request_counts_its_overhead_once(text: bytes) -> None:
    body = json.dumps({"content": text.decode()}).encode()
    assert bound_input_tokens(body) == bound_tokens(body) + MESSAGE_OVERHEAD_TOKENS
    assert likely_input_tokens(body) == likely_tokens(body)


PAYLOAD = base64.b64encode(random.Random(5).randbytes(3_750_000)).decode()
"""5 MB."""


@pytest.mark.parametrize(
    "body",
    [
        {
            "contents": [
                {"parts": [{"inlineData": {"mimeType": "image/png", "data": PAYLOAD}}, {"text": "what?"}]}
            ]
        },
        {"messages": [{"content": [{"type": "image", "source": {"type": "base64", "data": PAYLOAD}}]}]},
        {
            "messages": [
                {"content": [{"type": "input_audio", "input_audio": {"data": PAYLOAD, "format": "wav"}}]}
            ]
        },
        {"images": [{"image_url": f"data:image/png;base64,{PAYLOAD}"}], "prompt": "a hat"},
    ],
    ids=["gemini", "anthropic", "openai sound", "openai picture"],
)
def test_a_bare_base64_picture_counts_as_a_picture_in_every_protocol(body: dict[str, object]) -> None:
    for written in (
        json.dumps(body),
        json.dumps(body, separators=(",", ":")),
        json.dumps(body, indent=4),
        json.dumps(body).replace("/", "\\/"),
    ):
        rest, tokens = split_media(written.encode())
        assert len(rest) < 400
        assert 12_500 <= tokens < 13_000
        assert bound_input_tokens(written.encode()) < 13_200


@pytest.mark.parametrize("key", sorted(key.decode() for key in TEXT_KEYS))
def test_what_a_model_reads_as_text_is_never_a_picture(key: str) -> None:
    for value in (PAYLOAD, f"data:text/plain;base64,{PAYLOAD}", f"see ;base64,{PAYLOAD}"):
        body = json.dumps({key: value}).encode()
        assert split_media(body) == (body, 0)


def test_text_that_quotes_a_picture_stays_text() -> None:
    inner = json.dumps({"inlineData": {"data": PAYLOAD}})
    body = json.dumps({"text": inner}).encode()
    assert split_media(body) == (body, 0)
    for odd in (json.dumps({"data": PAYLOAD + " and words"}), json.dumps({"data": ["x", PAYLOAD]})):
        assert split_media(odd.encode()) == (odd.encode(), 0)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(MEDIA_KEYS)),
            st.integers(0, 3 * LONG_STRING_BYTES),
            st.text(max_size=3 * LONG_STRING_BYTES),
        ),
        max_size=5,
    ),
    st.booleans(),
)
def test_exactly_the_long_payloads_are_taken_out_wherever_they_lie(
    parts: list[tuple[bytes, int, str]], compact: bool
) -> None:
    separators = (",", ":") if compact else (", ", ": ")
    entries = [{"text": text + " ", key.decode(): "Q" * size} for key, size, text in parts]
    body = json.dumps(entries, separators=separators, ensure_ascii=False).encode("utf-8", "ignore")
    long = [size for _, size, _ in parts if size >= LONG_STRING_BYTES]
    rest, tokens = split_media(body)
    assert tokens == sum(max(MEDIA_TOKENS, size // MEDIA_BYTES_PER_TOKEN) for size in long)
    assert len(rest) == len(body) - sum(long)
    kept = [
        entry | {key.decode(): ""} if size >= LONG_STRING_BYTES else entry
        for entry, (key, size, _) in zip(entries, parts, strict=True)
    ]
    assert rest == json.dumps(kept, separators=separators, ensure_ascii=False).encode("utf-8", "ignore")


@given(st.binary(max_size=20_000))
def test_any_bytes_can_be_split(body: bytes) -> None:
    rest, tokens = split_media(body)
    assert len(rest) <= len(body)
    assert (tokens > 0) == (len(rest) < len(body))


@pytest.mark.parametrize(
    "piece",
    [
        b'"',
        b"a",
        b"\\",
        b";base64,",
        b'{"data":"' + b"A" * LONG_STRING_BYTES + b'"},',
        b'{"role":"user","content":"hello there"},',
    ],
)
def test_time_grows_with_the_body_and_no_faster(piece: bytes) -> None:
    def best_s(body: bytes) -> float:
        spans: list[float] = []
        for _ in range(5):
            begun = time.perf_counter()
            split_media(body)
            spans.append(time.perf_counter() - begun)
        return min(spans)

    small, large = piece * (250_000 // len(piece)), piece * (2_000_000 // len(piece))
    # 8 times the bytes, with room for a busy machine; 64 times the time where it were quadratic
    assert best_s(large) < 24 * best_s(small) + 0.002
