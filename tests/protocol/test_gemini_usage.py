"""Gemini's usage and model list."""

import json

import msgspec
import pytest

from laidian.domain.usage import Usage
from laidian.errors import BadRequest
from laidian.protocol.gemini_models import Offer, write_model, write_models
from laidian.protocol.gemini_usage import read_tier, read_usage, write_usage


def details(**tokens: int) -> list[dict[str, object]]:
    return [{"modality": modality, "tokenCount": count} for modality, count in tokens.items()]


def usage_of(**fields: object) -> Usage | None:
    return read_usage(json.dumps(fields).encode())


def test_thoughts_and_tool_results_stand_beside_and_cached_tokens_inside():
    usage = usage_of(
        promptTokenCount=100,
        cachedContentTokenCount=30,
        toolUsePromptTokenCount=7,
        candidatesTokenCount=40,
        thoughtsTokenCount=20,
        totalTokenCount=167,
    )
    assert usage == Usage(input=77, cached_input=30, output=40, reasoning=20)
    assert usage is not None
    assert usage.total_input_tokens + usage.total_output_tokens == 167


def test_modalities_are_priced_apart():
    usage = usage_of(
        promptTokenCount=100,
        promptTokensDetails=details(TEXT=40, IMAGE=30, AUDIO=20, VIDEO=10),
        cachedContentTokenCount=25,
        cacheTokensDetails=details(TEXT=10, IMAGE=10, AUDIO=5),
        candidatesTokenCount=50,
        candidatesTokensDetails=details(TEXT=5, IMAGE=40, AUDIO=5),
    )
    assert usage == Usage(
        input=40, cached_input=10, image_input=20, cached_image_input=10, audio_input=15, cached_audio_input=5,
        output=5, image_output=40, audio_output=5,
    )  # fmt: skip


def test_cached_tokens_without_details_never_make_a_class_negative():
    usage = usage_of(
        promptTokenCount=100, promptTokensDetails=details(TEXT=10, AUDIO=90), cachedContentTokenCount=50
    )
    assert usage == Usage(cached_input=10, audio_input=50, cached_audio_input=40)


def test_thoughts_that_are_counted_in_the_candidates_are_counted_once():
    usage = usage_of(promptTokenCount=10, candidatesTokenCount=50, thoughtsTokenCount=20, totalTokenCount=60)
    assert usage == Usage(input=10, output=30, reasoning=20)


def test_candidates_that_are_not_said_are_what_the_total_has_left():
    assert usage_of(promptTokenCount=10, totalTokenCount=25, thoughtsTokenCount=5) == Usage(
        input=10, output=10, reasoning=5
    )
    assert usage_of(promptTokenCount=10, totalTokenCount=10) == Usage(input=10)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"trafficType": "ON_DEMAND"},
        {"promptTokenCount": -1},
        {"promptTokenCount": "5"},
        {"promptTokenCount": True},
        {"promptTokenCount": 10**12},
        {"promptTokenCount": 5, "thoughtsTokenCount": -1},
        {"promptTokenCount": 5, "promptTokensDetails": details(IMAGE=-5)},
    ],
)
def test_nonsense_is_not_believed(fields: dict[str, object]):
    assert read_usage(json.dumps(fields).encode()) is None


def test_parts_larger_than_the_whole_leave_the_whole():
    usage = usage_of(
        promptTokenCount=10,
        cachedContentTokenCount=99,
        promptTokensDetails=details(IMAGE=50),
        candidatesTokenCount=5,
        candidatesTokensDetails=details(IMAGE=9, AUDIO=9),
    )
    assert usage is not None
    assert (usage.total_input_tokens, usage.total_output_tokens) == (10, 5)


@pytest.mark.parametrize(
    ("fields", "tier"),
    [
        ({"serviceTier": "flex"}, "flex"),
        ({"serviceTier": "PRIORITY"}, "priority"),
        ({"serviceTier": "standard"}, "default"),
        ({"trafficType": "ON_DEMAND_FLEX"}, "flex"),
        ({"trafficType": "PROVISIONED_THROUGHPUT"}, "default"),
        ({}, "default"),
    ],
)
def test_the_tier_is_the_upstreams_word(fields: dict[str, object], tier: str):
    assert read_tier(json.dumps(fields).encode()) == tier


@pytest.mark.parametrize(
    "usage",
    [
        Usage(),
        Usage(input=1, output=2),
        Usage(input=3, cached_input=4, output=5, reasoning=6),
        Usage(
            input=1, image_input=2, cached_image_input=3, audio_input=4, cached_audio_input=5, cached_input=6
        ),
        Usage(input=1, image_output=1120, output=3, audio_output=2, reasoning=7),
    ],
)
def test_what_is_written_is_read_again(usage: Usage):
    raw = msgspec.json.encode(write_usage(usage, "flex"))
    assert read_usage(raw) == usage
    assert read_tier(raw) == "flex"


OFFERS = [Offer(f"m{number}") for number in range(5)] + [
    Offer("e", generates=False, embeds=True, counts=False)
]


def test_pages_neither_skip_nor_repeat_even_when_the_list_changes_in_between():
    first = json.loads(write_models(OFFERS, b"pageSize=2"))
    assert [model["name"] for model in first["models"]] == ["models/e", "models/m0"]
    token = first["nextPageToken"].encode()
    changed = [offer for offer in OFFERS if offer.name != "m0"]
    second = json.loads(write_models(changed, b"pageSize=3&pageToken=" + token.replace(b"=", b"%3D")))
    assert [model["name"] for model in second["models"]] == ["models/m1", "models/m2", "models/m3"]
    last = json.loads(write_models(changed, b"pageToken=" + second["nextPageToken"].encode()))
    assert [model["name"] for model in last["models"]] == ["models/m4"]
    assert "nextPageToken" not in last


def test_only_verbs_that_work_are_listed_and_unknown_limits_are_left_out():
    model = json.loads(write_model(Offer("e", generates=False, embeds=True, counts=False)))
    assert model["supportedGenerationMethods"] == ["embedContent", "batchEmbedContents"]
    assert "inputTokenLimit" not in model
    assert json.loads(write_model(Offer("m", input_tokens=8)))["inputTokenLimit"] == 8
    assert json.loads(write_models([], b"")) == {"models": []}


@pytest.mark.parametrize("query", [b"pageSize=x", b"pageSize=-1", b"pageToken=***", b"pageToken=%FF"])
def test_a_page_that_makes_no_sense_is_refused(query: bytes):
    with pytest.raises(BadRequest):
        write_models(OFFERS, query)
