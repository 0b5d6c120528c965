"""Conversations: every row, ownership, and responses that belong to one."""

from __future__ import annotations

import pytest

from tests.affinity.conftest import World


def made(world: World, **fields: object) -> str:
    reply = world.call("POST", "/v1/conversations", {"metadata": {"topic": "x"}, **fields})
    assert reply.status == 200, reply.body
    return reply.text("id")


def test_every_operation_on_a_conversation_goes_to_its_holder(world: World):
    world.prefer("b")
    path = f"/v1/conversations/{made(world, items=[{'role': 'user', 'content': 'first'}])}"
    world.prefer("a")
    world.forget()
    assert world.call("GET", path).json()["metadata"] == {"topic": "x"}
    assert world.call("POST", path, {"metadata": {"topic": "y"}}).json()["metadata"] == {"topic": "y"}
    added = world.call(
        "POST", f"{path}/items?include[]=x", {"items": [{"role": "user", "content": "second"}]}
    )
    (item_id,) = added.names("data", "id")
    assert len(world.call("GET", f"{path}/items?limit=10&order=asc").names("data", "id")) == 2
    assert world.call("GET", f"{path}/items/{item_id}").text("id") == item_id
    assert world.call("DELETE", f"{path}/items/{item_id}").status == 200
    assert len(world.call("GET", f"{path}/items").names("data", "id")) == 1
    assert world.call("DELETE", path).json()["deleted"] is True
    a, b = world.paths()
    assert (a, len(b)) == ([], 8)
    assert world.call("GET", path).status == 404
    assert len(world.paths()[1]) == 8


@pytest.mark.parametrize(
    ("method", "rest", "body"),
    [
        ("GET", "", None),
        ("POST", "", {"metadata": {}}),
        ("DELETE", "", None),
        ("GET", "/items", None),
        ("POST", "/items", {"items": []}),
        ("GET", "/items/msg_1", None),
        ("DELETE", "/items/msg_1", None),
    ],
)
def test_a_foreign_conversation_does_not_exist(world: World, method: str, rest: str, body: object):
    conversation_id = made(world)
    world.forget()
    for key, name in ((2, conversation_id), (1, "conv_nobody")):
        reply = world.call(method, f"/v1/conversations/{name}{rest}", body, key=key)
        assert (reply.status, reply.code()) == (404, "conversation_not_found")
    assert world.paths() == ([], [])


@pytest.mark.parametrize("as_object", [False, True])
def test_a_response_in_a_conversation_goes_where_the_conversation_is_and_is_its_keys_only(
    world: World, as_object: bool
):
    conversation_id = made(world)
    world.prefer("b")
    world.forget()
    named = {"id": conversation_id} if as_object else conversation_id
    for text in ("one", "two"):
        reply = world.respond(text, conversation=named)
        assert reply.status == 200, reply.body
    assert reply.json()["conversation"] == {"id": conversation_id}
    assert world.paths() == (["POST /v1/responses"] * 2, [])
    assert len(world.call("GET", f"/v1/conversations/{conversation_id}/items").names("data", "id")) == 4
    for key, name in ((2, conversation_id), (1, "conv_nobody")):
        refused = world.respond(conversation={"id": name} if as_object else name, key=key)
        assert (refused.status, refused.code()) == (404, "conversation_not_found")
    assert world.b.requests() == []


def test_the_hold_grows_with_the_conversation(world: World):
    conversation_id = made(world)
    world.respond("long " * 3_000, conversation=conversation_id)
    reply = world.respond("x", conversation=conversation_id)
    record, alone = (world.laidian.record(one.headers["x-request-id"]) for one in (reply, world.respond("x")))
    assert record.input > 3_000
    assert record.held_nano > alone.held_nano
    assert record.amount_nano <= record.held_nano


def test_an_item_that_names_a_file_of_another_key_is_refused(world: World):
    file_id, conversation_id = world.upload(key=2), made(world)
    world.forget()
    item = {"role": "user", "content": [{"type": "input_file", "file_id": file_id}]}
    for path in ("/v1/conversations", f"/v1/conversations/{conversation_id}/items"):
        reply = world.call("POST", path, {"items": [item]})
        assert (reply.status, reply.code()) == (404, "file_not_found")
        assert file_id in reply.message()
    assert world.paths() == ([], [])


def test_an_item_id_that_could_be_another_path_is_refused(world: World):
    conversation_id = made(world)
    world.forget()
    for item_id in ("%2e%2e%2ffiles", "a%3Fb", "x" * 200):
        reply = world.call("GET", f"/v1/conversations/{conversation_id}/items/{item_id}")
        assert reply.status in (400, 404)
    assert world.paths() == ([], [])


def test_a_body_that_is_no_object_is_refused_here(world: World):
    for body in (b"", b"[]", b"{", b'{"metadata":{},"metadata":{}}'):
        assert world.call("POST", "/v1/conversations", body).status == 400
    assert world.paths() == ([], [])
