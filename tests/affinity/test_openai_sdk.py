"""The official OpenAI SDK with responses, conversations, files and uploads, while the other upstream is preferred."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest
from openai import OpenAI

from tests.affinity.conftest import MODEL, World


@pytest.fixture
def client(world: World) -> Iterator[OpenAI]:
    with OpenAI(
        base_url=f"{world.laidian.base_url}/v1", api_key=world.laidian.keys[0], max_retries=0
    ) as client:
        yield client


def test_responses_live_their_whole_life(world: World, client: OpenAI):
    with client.responses.stream(model=MODEL, input="hello") as stream:
        first = stream.get_final_response()
    world.prefer("b")
    assert client.responses.retrieve(first.id).output_text == first.output_text
    played = list(client.responses.retrieve(first.id, stream=True, starting_after=1))
    assert played[-1].type == "response.completed"
    second = client.responses.create(model=MODEL, input="and then?", previous_response_id=first.id)
    assert second.previous_response_id == first.id
    assert [item.type for item in client.responses.input_items.list(second.id)] == ["message"]
    with pytest.raises(openai.BadRequestError):
        client.responses.cancel(first.id)
    client.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError) as gone:
        client.responses.retrieve(first.id)
    assert gone.value.code == "response_not_found"
    assert world.b.requests() == []


def test_conversations_grow_item_by_item(world: World, client: OpenAI):
    conversation = client.conversations.create(
        metadata={"a": "b"}, items=[{"role": "user", "content": "first"}]
    )
    world.prefer("b")
    client.responses.create(model=MODEL, input="second", conversation=conversation.id)
    assert client.conversations.update(conversation.id, metadata={"c": "d"}).metadata == {"c": "d"}
    items = client.conversations.items.list(conversation.id, limit=2, order="asc")
    assert len(list(items)) == 3, "all pages"
    added = client.conversations.items.create(conversation.id, items=[{"role": "user", "content": "third"}])
    client.conversations.items.delete(added.data[0].id or "", conversation_id=conversation.id)
    assert client.conversations.retrieve(conversation.id).id == conversation.id
    assert client.conversations.delete(conversation.id).deleted
    assert world.b.requests() == []


def test_files_and_uploads(world: World, client: OpenAI):
    made = [
        client.files.create(file=(f"{number}.txt", b"text %d" % number), purpose="user_data")
        for number in range(3)
    ]
    world.prefer("b")
    assert [one.id for one in client.files.list(limit=2)] == [one.id for one in made[::-1]], "all pages"
    assert client.files.content(made[1].id).read() == b"text 1"
    answer = client.responses.create(
        model=MODEL,
        input=[{"role": "user", "content": [{"type": "input_file", "file_id": made[0].id}]}],
    )
    assert answer.status == "completed"
    upload = client.uploads.upload_file_chunked(
        file=b"0123456789",
        filename="u.txt",
        bytes=10,
        part_size=4,
        mime_type="text/plain",
        purpose="user_data",
    )
    assert upload.file is not None
    assert client.files.content(upload.file.id).read() == b"0123456789"
    assert client.files.delete(made[0].id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(made[0].id)
    other = client.with_options(api_key=world.laidian.keys[1])
    assert list(other.files.list()) == []
    with pytest.raises(openai.NotFoundError):
        other.files.content(made[1].id)
    assert world.b.requests() == []
