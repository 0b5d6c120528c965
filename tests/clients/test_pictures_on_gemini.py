"""OpenAI's Images API onto a Gemini model that draws, and the same model by its own protocol and by chat (protocol.md 6.6)."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator

import openai
import pytest
from google import genai
from google.genai import types
from openai import OpenAI

from tests.clients.billing import Meter
from tests.clients.conftest import PNG
from tests.served import Served
from tests.simulated_provider import SimulatedProvider

MODEL = "gemini-3-pro-image-preview"
PICTURE_TOKENS = 1_120
"""Of one picture of the simulated provider."""


@pytest.fixture
def client(laidian: Served) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{laidian.base_url}/v1", api_key=laidian.key, max_retries=0) as client:
        yield client


def png(name: str = "in.png") -> io.BytesIO:
    picture = io.BytesIO(base64.b64decode(PNG))
    picture.name = name
    return picture


def test_a_picture_is_generated_and_billed_by_its_classes(
    client: OpenAI, provider: SimulatedProvider, meter: Meter
):
    raw = client.images.with_raw_response.generate(
        model=MODEL, prompt="a harbour", size="1536x1024", quality="high"
    )
    answer = raw.parse()
    assert answer.data is not None
    assert base64.b64decode(answer.data[0].b64_json or "").startswith(b"\x89PNG")
    assert (answer.size, answer.output_format) == ("1x1", "png"), "what it is, not what was asked for"
    assert raw.headers["x-laidian-dropped"] == "quality"
    (record,) = meter.check(requests=1)
    assert (record.operation, record.model, record.image_output) == (
        "images.generations",
        MODEL,
        PICTURE_TOKENS,
    )
    assert answer.usage is not None
    told = (answer.usage.input_tokens, answer.usage.output_tokens)
    assert told == (record.input, record.output + record.image_output)
    seen = provider.requests()[-1]
    assert seen.path == f"/v1beta/models/{MODEL}:generateContent"
    assert seen.json()["generationConfig"]["imageConfig"] == {"aspectRatio": "3:2", "imageSize": "1K"}  # type: ignore[index, call-overload]


def test_a_dollar_is_enough_for_a_picture_of_thirteen_cents(client: OpenAI, laidian: Served, meter: Meter):
    laidian.write(
        "UPDATE quotas SET kind = 'prepaid', credited_nano = spent_nano + held_nano + 1000000000 WHERE id = 1"
    )
    try:
        assert client.images.generate(model=MODEL, prompt="a harbour").data
        assert client.images.edit(model=MODEL, prompt="bluer", image=png()).data
    finally:
        laidian.write("UPDATE quotas SET kind = 'unlimited', credited_nano = 0 WHERE id = 1")
    for record in meter.check(requests=2):
        assert record.amount_nano < record.held_nano < 1_000_000_000


def test_a_stream_ends_with_the_picture_and_has_no_partial_ones(client: OpenAI, meter: Meter):
    events = list(client.images.generate(model=MODEL, prompt="a harbour", stream=True, partial_images=2))
    assert [event.type for event in events] == ["image_generation.completed"]
    (record,) = meter.check(requests=1)
    assert (record.stream, record.image_output) == (1, PICTURE_TOKENS)
    assert events[0].usage.total_tokens == record.input + record.output + record.image_output  # type: ignore[union-attr]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_pictures_are_edited_from_a_form(
    client: OpenAI, provider: SimulatedProvider, meter: Meter, stream: bool
):
    asked = {
        "model": MODEL,
        "prompt": "bluer",
        "image": [png("a.png"), png("图.png")],
        "input_fidelity": "high",
    }
    if stream:
        events = list(client.images.edit(**asked, stream=True))  # type: ignore[call-overload]
        assert [event.type for event in events] == ["image_edit.completed"]
    else:
        assert client.images.edit(**asked).data  # type: ignore[call-overload]
    (record,) = meter.check(requests=1)
    assert record.operation == "images.edits"
    assert record.image_input > 0
    parts = provider.requests()[-1].json()["contents"][0]["parts"]  # type: ignore[index, call-overload]
    assert parts == [{"inlineData": {"mimeType": "image/png", "data": PNG}}] * 2 + [{"text": "bluer"}]


def test_pictures_are_edited_from_json(client: OpenAI, meter: Meter):
    body = {"model": MODEL, "prompt": "x", "images": [{"image_url": f"data:image/png;base64,{PNG}"}]}
    answer = client.post("/images/edits", body=body, cast_to=object)
    assert answer["data"][0]["b64_json"]  # type: ignore[index]
    assert meter.check(requests=1)[0].image_input > 0


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_picture_that_is_not_drawn_is_an_error_and_what_it_used_is_charged(
    client: OpenAI, meter: Meter, stream: bool
):
    def draw() -> None:
        list(client.images.generate(model=MODEL, prompt="[[blocked]]", stream=stream))  # type: ignore[call-overload]

    with pytest.raises(openai.APIError) as refused:
        draw()
    assert refused.value.code == "content_policy_violation"
    (record,) = meter.check(requests=1)
    assert (record.ended, record.image_output, record.amount_nano > 0) == ("complete", 0, True)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_picture_without_a_word_of_usage_is_estimated_as_a_picture(
    client: OpenAI, meter: Meter, stream: bool
):
    answer = client.images.generate(model=MODEL, prompt="a harbour [[fault:no-usage]]", stream=stream)  # type: ignore[call-overload]
    assert list(answer)
    record = meter.unsaid()
    assert (record.image_output, record.input > 0) == (PICTURE_TOKENS, True)


def test_what_cannot_be_carried_is_refused_by_name_and_nothing_is_sent(
    client: OpenAI, provider: SimulatedProvider, meter: Meter
):
    with pytest.raises(openai.BadRequestError) as refused:
        client.images.edit(model=MODEL, prompt="x", image=png(), mask=png("mask.png"))
    assert refused.value.param == "mask"
    with pytest.raises(openai.BadRequestError) as refused:
        client.images.generate(model=MODEL, prompt="x", n=3)
    assert refused.value.param == "n"
    assert provider.requests() == []
    meter.check(requests=2)


def test_a_model_that_only_writes_says_so(client: OpenAI, provider: SimulatedProvider, meter: Meter):
    with pytest.raises(openai.BadRequestError) as refused:
        client.images.generate(model="claude-opus-4-5", prompt="a harbour")
    assert "image" in str(refused.value)
    assert provider.requests() == []


def test_googles_own_client_gets_the_same_picture_for_the_same_money(laidian: Served, meter: Meter):
    client = genai.Client(api_key=laidian.key, http_options=types.HttpOptions(base_url=laidian.base_url))
    answer = client.models.generate_content(
        model=MODEL,
        contents="a harbour",
        config=types.GenerateContentConfig(response_modalities=["TEXT", "IMAGE"]),
    )
    parts = answer.parts or []
    assert [part.inline_data.mime_type for part in parts if part.inline_data] == ["image/png"]
    (record,) = meter.check(requests=1)
    assert record.image_output == PICTURE_TOKENS


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_chat_client_that_asks_for_pictures_gets_them(client: OpenAI, meter: Meter, stream: bool):
    asked = {
        "model": MODEL,
        "messages": [{"role": "user", "content": "a harbour"}],
        "modalities": ["text", "image"],
        "stream": stream,
    }
    answer = client.chat.completions.create(**asked)  # type: ignore[call-overload]
    if stream:
        pictures = [
            one for chunk in answer for one in (chunk.choices[0].delta.model_extra or {}).get("images", [])
        ]
    else:
        pictures = answer.choices[0].message.model_extra["images"]
    assert len(pictures) == 1
    (record,) = meter.check(requests=1)
    assert record.image_output == PICTURE_TOKENS
