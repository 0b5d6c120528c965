"""Embeddings, moderations and images through a running instance, judged against the provider's own bill."""

from __future__ import annotations

from collections.abc import Iterator

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
