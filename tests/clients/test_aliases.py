"""Other ways to the same models: Google's alias of OpenAI's paths, OpenAI's embeddings of Gemini's models, Gemini's single embedding."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator

import openai
import pytest
from openai import OpenAI

from tests.clients.billing import Meter
from tests.clients.conftest import MODELS
from tests.served import HOST, Served
from tests.simulated_provider import SimulatedProvider

EMBEDDING = "gemini-embedding-001"


@pytest.fixture(params=["/v1beta/openai", "/v1beta/openai/", "/v1", "/v1/v1", ""])
def client(laidian: Served, request: pytest.FixtureRequest) -> Iterator[OpenAI]:
    with OpenAI(base_url=laidian.base_url + request.param, api_key=laidian.key, max_retries=0) as client:
        yield client


def test_every_base_url_that_people_write_leads_to_chat_and_models(client: OpenAI, model: str, meter: Meter):
    answer = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "[[say:a harbour]]"}]
    )
    assert answer.choices[0].message.content == "[simulated] a harbour"
    assert set(MODELS.values()) <= {one.id for one in client.models.list()}
    assert client.models.retrieve(model).id == model
    meter.check(requests=1)


def test_it_leads_to_embeddings_and_pictures_too(client: OpenAI, meter: Meter):
    assert client.embeddings.create(model="text-embedding-3-small", input="x").data
    assert client.images.generate(model="gpt-image-2", prompt="a harbour").data
    meter.check(requests=2)


def test_an_openai_client_gets_the_embeddings_of_a_gemini_model(
    client: OpenAI, provider: SimulatedProvider, meter: Meter
):
    answer = client.embeddings.create(model=EMBEDDING, input=["one", "two words"], dimensions=8)
    assert [len(one.embedding) for one in answer.data] == [8, 8]
    (record,) = meter.check(requests=1)
    assert (record.operation, record.model, record.input) == (
        "embeddings",
        EMBEDDING,
        answer.usage.prompt_tokens,
    )
    seen = provider.requests()[-1]
    assert seen.path == "/v1beta/openai/embeddings"
    assert seen.headers["authorization"].startswith("Bearer ")


def test_googles_refusal_of_an_embedding_is_told_in_openais_words(
    client: OpenAI, provider: SimulatedProvider, meter: Meter
):
    with pytest.raises(openai.BadRequestError) as refused:
        client.embeddings.create(model=EMBEDDING, input="x", dimensions=10**6)
    assert "at most" in str(refused.value)
    (record,) = meter.check(requests=1)
    assert record.amount_nano == 0


def test_a_single_embedding_is_metered(laidian: Served, meter: Meter):
    connection = http.client.HTTPConnection(HOST, laidian.port, timeout=60)
    body = json.dumps({"content": {"parts": [{"text": "one and two"}]}, "outputDimensionality": 8})
    for path in (f"/v1beta/models/{EMBEDDING}:embedContent", f"/v1/models/{EMBEDDING}:embedContent"):
        headers = {"x-goog-api-key": laidian.key, "Content-Type": "application/json"}
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        told = json.loads(answer.read())
        assert (answer.status, len(told["embedding"]["values"])) == (200, 8)
    connection.close()
    for record in meter.check(requests=2):
        assert (record.operation, record.input) == ("gemini.embed", told["usageMetadata"]["promptTokenCount"])
