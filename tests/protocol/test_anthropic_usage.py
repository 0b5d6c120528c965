"""Anthropic's usage objects: disjoint classes, the last word counts, nonsense does not."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laidian.domain.usage import Usage
from laidian.protocol.anthropic_usage import UsageReader, written_usage

COUNT = st.integers(0, 1_000_000)


def read(*objects: object) -> UsageReader:
    reader = UsageReader()
    for one in objects:
        reader.see(msgspec.Raw(json.dumps(one).encode()))
    return reader


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        ({"input_tokens": 3, "output_tokens": 2}, Usage(input=3, output=2)),
        (
            {
                "input_tokens": 3,
                "cache_read_input_tokens": 50,
                "cache_creation_input_tokens": 20,
                "output_tokens": 2,
            },
            Usage(input=3, cached_input=50, cache_write=20, output=2),
        ),
        (
            {
                "input_tokens": 3,
                "cache_creation_input_tokens": 20,
                "cache_creation": {"ephemeral_5m_input_tokens": 5, "ephemeral_1h_input_tokens": 15},
                "output_tokens": 2,
            },
            Usage(input=3, cache_write=5, cache_write_1h=15, output=2),
        ),
        (
            {"input_tokens": 3, "cache_creation": {"ephemeral_1h_input_tokens": 15}, "output_tokens": 2},
            Usage(input=3, cache_write_1h=15, output=2),
        ),
        (
            {"input_tokens": 3, "output_tokens": 9, "output_tokens_details": {"thinking_tokens": 4}},
            Usage(input=3, output=5, reasoning=4),
        ),
        (
            {"input_tokens": 3, "output_tokens": 9, "output_tokens_details": {"thinking_tokens": 40}},
            Usage(input=3, output=9),
        ),
        (
            {
                "input_tokens": 3,
                "output_tokens": 9,
                "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 7},
            },
            Usage(input=3, output=9, web_searches=2),
        ),
        (
            {
                "input_tokens": 3,
                "output_tokens": 9,
                "cache_read_input_tokens": None,
                "cache_creation": None,
                "server_tool_use": None,
            },
            Usage(input=3, output=9),
        ),
    ],
)
def test_every_token_is_in_exactly_one_class(told: object, usage: Usage):
    assert read(told).usage() == usage


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"input_tokens": 3},
        {"output_tokens": 3},
        {"input_tokens": -1, "output_tokens": 3},
        {"input_tokens": "3", "output_tokens": 3},
        {"input_tokens": 3.5, "output_tokens": 3},
        {"input_tokens": 10**18, "output_tokens": 3},
        {"input_tokens": 3, "output_tokens": 3, "output_tokens_details": {"thinking_tokens": -4}},
        {"input_tokens": 3, "output_tokens": 3, "cache_creation": {"ephemeral_1h_input_tokens": 10**12}},
        {"input_tokens": True, "output_tokens": 3},
        [],
        None,
        7,
    ],
)
def test_nonsense_is_no_usage(told: object):
    assert read(told).usage() is None


def test_the_last_word_of_each_field_counts():
    start = {
        "input_tokens": 5,
        "cache_creation_input_tokens": 20,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 20},
        "output_tokens": 1,
    }
    assert read(start, {"output_tokens": 30}, {"output_tokens": 44}).usage() == Usage(
        input=5, cache_write_1h=20, output=44
    )
    assert read(
        start, {"input_tokens": 7, "cache_creation_input_tokens": 25, "output_tokens": 44}
    ).usage() == Usage(input=7, cache_write=5, cache_write_1h=20, output=44)


def test_an_input_of_nothing_at_the_end_does_not_make_the_request_free():
    start = {"input_tokens": 500, "cache_read_input_tokens": 4, "output_tokens": 1}
    end = {"input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 8}
    assert read(start, end).usage() == Usage(input=500, cached_input=4, output=8)
    assert read(
        {"input_tokens": 0, "output_tokens": 0}, {"input_tokens": 500, "output_tokens": 8}
    ).usage() == Usage(input=500, output=8)


def test_an_estimate_at_the_start_is_put_right_at_the_end_even_when_it_was_too_high():
    assert read(
        {"input_tokens": 900, "output_tokens": 0},
        {"input_tokens": 0, "cache_read_input_tokens": 800, "output_tokens": 8},
    ).usage() == (Usage(cached_input=800, output=8))


def test_nonsense_at_the_end_leaves_what_was_known():
    start = {"input_tokens": 5, "output_tokens": 1}
    assert read(start, {"output_tokens": -3}).usage() == Usage(input=5, output=1)


@pytest.mark.parametrize(
    ("told", "tier"),
    [
        ([{}], "default"),
        ([{"service_tier": "standard"}], "standard"),
        ([{"service_tier": "priority"}, {}], "priority"),
        ([{"service_tier": "standard", "speed": "fast"}, {"service_tier": "standard"}], "fast"),
        ([{"service_tier": "batch", "speed": "standard"}], "batch"),
        ([{"service_tier": 5}], "default"),
    ],
)
def test_the_answer_names_the_rates_it_was_made_at(told: list[object], tier: str):
    assert read(*told).service_tier == tier


@given(st.builds(
    Usage, input=COUNT, cached_input=COUNT, cache_write=COUNT, cache_write_1h=COUNT, output=COUNT, reasoning=COUNT,
    web_searches=COUNT,
))  # fmt: skip
def test_what_is_written_is_read_as_the_same(usage: Usage):
    reader = UsageReader()
    reader.see(msgspec.Raw(msgspec.json.encode(written_usage(usage))))
    assert reader.usage() == usage


def test_pictures_and_sound_are_written_among_the_text():
    usage = Usage(
        input=1, image_input=2, audio_input=4, cached_image_input=8, cached_input=16, output=1, image_output=2
    )
    written = written_usage(usage, "priority")
    assert (written.input_tokens, written.cache_read_input_tokens, written.output_tokens) == (7, 24, 3)
    assert written.service_tier == "priority"
    assert written_usage(usage, "flex").service_tier == "standard"
