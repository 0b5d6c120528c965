"""Embeddings, moderations, images and decisions through a running instance, judged against the provider's own bill."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest
from openai import OpenAI

from tests.served import Served
from tests.simulated_provider import SimulatedProvider


@pytest.fixture
def client(laidian: Served) -> Iterator[OpenAI]:
    laidian.write("""UPDATE groups SET capabilities = '["chat","embeddings","images","moderations"]'""")
    with OpenAI(base_url=f"{laidian.base_url}/v1", api_key=laidian.key, max_retries=0) as client:
        yield client


def test_embeddings_of_text_and_of_token_ids(client: OpenAI, laidian: Served, provider: SimulatedProvider):
    text = client.embeddings.create(model="text-embedding-3-small", input="hello there")
    ids = client.embeddings.create(model="text-embedding-3-small", input=[[1, 2, 3], [4]])
    assert len(text.data) == 1
    assert len(ids.data) == 2
    billed = [row.usage.input_tokens for row in provider.bill(rows=2).rows]
    records = laidian.records()[-2:]
    assert [record.input for record in records] == billed
    assert all(record.output == 0 and record.amount_nano > 0 for record in records)
    assert provider.requests()[-1].json()["input"] == [[1, 2, 3], [4]]  # type: ignore[index]


def test_moderations_are_free_and_recorded(client: OpenAI, laidian: Served, provider: SimulatedProvider):
    assert client.moderations.create(input="hello").results
    record = laidian.records()[-1]
    assert (record.amount_nano, record.ended, record.usage_from) == (0, "complete", "upstream")


def test_pictures_are_billed_by_their_token_classes(
    client: OpenAI, laidian: Served, provider: SimulatedProvider
):
    answer = client.images.generate(model="gpt-image-2", prompt="a harbour", size="1024x1024", n=2)
    assert answer.data is not None
    assert len(answer.data) == 2
    assert answer.usage is not None
    (row,) = provider.bill(rows=1).rows
    with laidian.database() as database:
        (stored,) = database.execute(
            "SELECT input, image_input, output, image_output, amount_nano, held_nano FROM usage_records ORDER BY id DESC LIMIT 1"
        )
    assert stored[0] + stored[1] == row.usage.input_tokens == answer.usage.input_tokens
    assert stored[2] + stored[3] == row.usage.output_tokens == answer.usage.output_tokens
    assert stored[3] == row.usage.output_image_tokens
    # gpt-image-2: text in 5, picture out 30 USD per million (price book)
    assert stored[4] == stored[0] * 5_000 + stored[3] * 30_000
    assert stored[5] >= stored[4]


def test_a_group_without_the_capability_gets_404_and_nothing_is_sent(
    client: OpenAI, laidian: Served, provider: SimulatedProvider
):
    laidian.write("""UPDATE groups SET capabilities = '["chat"]'""")
    with pytest.raises(Exception) as refused:
        client.images.generate(model="gpt-image-2", prompt="x")
    assert getattr(refused.value, "status_code", 0) == 404
    assert getattr(refused.value, "code", "") == "endpoint_not_supported"
    assert provider.requests() == []


QUESTIONS = [
    {"type": "predicate", "name": "polite", "instructions": "Is it polite?"},
    {"type": "choice", "instructions": "Which?", "choices": [{"value": "a"}, {"value": "b"}]},
    {"type": "score", "instructions": "How well?", "levels": [{"label": "badly"}, {"label": "well"}]},
]


def test_decisions_are_metered(client: OpenAI, laidian: Served, provider: SimulatedProvider):
    laidian.write("""UPDATE groups SET capabilities = '["responses"]'""")
    decision = client.decisions.create(model="gpt-5.4", input="Thank you.", questions=QUESTIONS)  # type: ignore[arg-type]
    assert [one.type for one in decision.answers] == ["predicate", "choice", "score"]
    (row,) = provider.bill(rows=1).rows
    record = laidian.records()[-1]
    assert (record.operation, record.usage_from, record.ended) == ("decisions", "upstream", "complete")
    assert (record.input, record.output) == (row.usage.input_tokens, row.usage.output_tokens)
    assert (record.input, record.output) == (decision.usage.input_tokens, decision.usage.output_tokens)
    assert record.held_nano >= record.amount_nano > 0
    assert provider.requests()[-1].json()["questions"] == QUESTIONS  # type: ignore[index]


@pytest.mark.parametrize("fault", ["no-usage", "junk"])
def test_decisions_without_usage_are_estimated_and_junk_is_none(
    client: OpenAI, laidian: Served, provider: SimulatedProvider, fault: str
):
    laidian.write("""UPDATE groups SET capabilities = '["responses"]'""")
    provider.fault(fault, path="/v1/decisions")
    asked = {"model": "gpt-5.4", "input": "Thank you.", "questions": QUESTIONS}
    if fault == "no-usage":
        client.decisions.create(**asked)  # type: ignore[arg-type]
        assert laidian.records()[-1].usage_from == "estimated"
        assert laidian.records()[-1].amount_nano > 0
        return
    with pytest.raises(openai.InternalServerError):
        client.decisions.create(**asked)  # type: ignore[arg-type]
    assert laidian.records()[-1].amount_nano == 0
