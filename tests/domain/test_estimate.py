"""Counting tokens from bytes: the bound errs high, the guess is near, pictures do not count as text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laidian.domain.estimate import (
    MEDIA_BYTES_PER_TOKEN,
    MEDIA_TOKENS,
    MESSAGE_OVERHEAD_TOKENS,
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
