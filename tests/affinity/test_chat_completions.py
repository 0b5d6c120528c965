"""Stored chat completions (protocol.md 1.2): kept by one upstream credential, seen by the key that made them, listed for nobody."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest
from openai import OpenAI

from tests.affinity.conftest import GEMINI, MODEL, World

PROMPT = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}]


@pytest.fixture
def client(world: World) -> Iterator[OpenAI]:
    url = f"{world.laidian.base_url}/v1"
    with OpenAI(base_url=url, api_key=world.laidian.keys[0], max_retries=0) as client:
        yield client


def made(client: OpenAI, *, stream: bool) -> str:
    """The id of a new completion that is to be kept."""
    if not stream:
        return client.chat.completions.create(model=MODEL, messages=PROMPT, store=True).id  # type: ignore[arg-type]
    chunks = list(client.chat.completions.create(model=MODEL, messages=PROMPT, store=True, stream=True))  # type: ignore[arg-type]
    return chunks[0].id


@pytest.mark.parametrize("stream", [False, True])
def test_a_stored_completion_lives_its_whole_life_at_the_credential_that_made_it(
    world: World, client: OpenAI, stream: bool
):
    completion_id = made(client, stream=stream)
    world.prefer("b")
    assert client.chat.completions.retrieve(completion_id).id == completion_id
    changed = client.chat.completions.update(completion_id, metadata={"a": "b"})
    assert changed.metadata == {"a": "b"}
    messages = list(client.chat.completions.messages.list(completion_id, limit=1))
    assert [one.content for one in messages] == ["Be brief.", "hello"], "all pages"
    assert client.chat.completions.delete(completion_id).deleted
    with pytest.raises(openai.NotFoundError) as gone:
        client.chat.completions.retrieve(completion_id)
    assert gone.value.code == "chat_completion_not_found"
    assert world.b.requests() == []


@pytest.mark.parametrize(
    ("method", "rest", "body"), [("GET", "", None), ("POST", "", {"metadata": {}}), ("DELETE", "", None), ("GET", "/messages", None)]
)  # fmt: skip
def test_foreign_and_unknown_completions_are_the_same_404_and_no_upstream_hears_of_them(
    world: World, client: OpenAI, method: str, rest: str, body: object
):
    completion_id = made(client, stream=False)
    world.forget()
    foreign = world.call(method, f"/v1/chat/completions/{completion_id}{rest}", body, key=2)
    unknown = world.call(method, f"/v1/chat/completions/chatcmpl-nobody{rest}", body)
    assert foreign.status == unknown.status == 404
    assert foreign.message().replace(completion_id, "chatcmpl-nobody") == unknown.message()
    assert world.call(method, f"/v1/chat/completions/{completion_id}{rest}", body, key=None).status == 401
    assert world.paths() == ([], [])


def test_a_completion_that_was_not_to_be_stored_is_not_remembered(world: World, client: OpenAI):
    unsaid = client.chat.completions.create(model=MODEL, messages=PROMPT)  # type: ignore[arg-type]
    refused = client.chat.completions.create(model=MODEL, messages=PROMPT, store=False)  # type: ignore[arg-type]
    world.forget()
    for completion in (unsaid, refused):
        assert world.call("GET", f"/v1/chat/completions/{completion.id}").status == 404
    assert world.paths() == ([], [])


@pytest.mark.parametrize("model", [GEMINI, MODEL])
def test_a_translated_completion_is_nobodys(world: World, model: str):
    kind = "enabled = 0" if model == GEMINI else "kind = 'responses'"
    world.laidian.write(f"UPDATE upstreams SET {kind} WHERE kind = 'openai'")
    try:
        reply = world.call(
            "POST", "/v1/chat/completions", {"model": model, "messages": PROMPT, "store": True}
        )
        assert reply.status == 200, reply.body
        world.forget()
        assert world.call("GET", f"/v1/chat/completions/{reply.text('id')}").status == 404
        assert world.paths() == ([], [])
    finally:
        world.laidian.write("UPDATE upstreams SET kind = 'openai' WHERE kind = 'responses'")


def test_the_list_of_all_completions_is_refused_since_it_is_the_operators(world: World, client: OpenAI):
    made(client, stream=False)
    with pytest.raises(openai.NotFoundError) as refused:
        client.chat.completions.list()
    assert refused.value.code == "endpoint_not_supported"
    assert "every other key's" in str(refused.value)


def test_a_look_at_a_completion_leaves_no_record(world: World, client: OpenAI):
    completion_id = made(client, stream=False)
    records = len(world.laidian.records())
    client.chat.completions.retrieve(completion_id)
    assert len(world.laidian.records()) == records
    assert world.laidian.holds() == []
