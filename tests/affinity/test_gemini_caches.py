"""Cached contents: every row, ownership, and requests that use one."""

from __future__ import annotations

import json

import pytest

from tests.affinity.conftest import GEMINI, Reply, World
from tests.affinity.test_gemini_files import generate, uploaded

CONTENTS = [{"role": "user", "parts": [{"text": "a long text " * 200}]}]


def create(world: World, *, key: int = 1, model: str = GEMINI, **fields: object) -> Reply:
    body = {"model": f"models/{model}", "contents": CONTENTS, **fields}
    return world.call("POST", "/v1beta/cachedContents", body, key=key, gemini=True)


def made(world: World, *, key: int = 1) -> str:
    """The path of a new one below /v1beta, which is its name."""
    reply = create(world, key=key)
    assert reply.status == 200, reply.body
    return reply.text("name")


def test_every_operation_goes_to_the_holder(world: World):
    world.prefer("b")
    name = made(world)
    world.prefer("a")
    world.forget()
    path = f"/v1beta/{name}"
    assert world.call("GET", path, gemini=True).text("name") == name
    patch = {"expireTime": "2099-01-01T00:00:00Z"}
    changed = world.call("PATCH", f"{path}?updateMask=expireTime", patch, gemini=True)
    assert changed.text("expireTime") == patch["expireTime"]
    listed = world.call("GET", "/v1beta/cachedContents", gemini=True)
    assert listed.names("cachedContents", "expireTime") == [patch["expireTime"]]
    assert world.call("DELETE", path, gemini=True).json() == {}
    assert world.paths() == ([], [f"GET {path}", f"PATCH {path}?updateMask=expireTime", f"DELETE {path}"])
    assert world.call("GET", path, gemini=True).status == 404
    assert world.call("GET", "/v1beta/cachedContents", gemini=True).json() == {}


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_a_foreign_one_does_not_exist(world: World, method: str):
    name = made(world)
    world.forget()
    body = {"ttl": "60s"} if method == "PATCH" else None
    for key, one in ((2, name), (1, "cachedContents/nobody")):
        assert world.call(method, f"/v1beta/{one}", body, key=key, gemini=True).status == 404
    assert world.call("GET", "/v1beta/cachedContents", key=2, gemini=True).json() == {}
    assert world.paths() == ([], [])


def test_a_request_that_uses_one_goes_to_its_holder_and_its_hold_covers_it(world: World):
    world.prefer("b")
    name = made(world)
    world.prefer("a")
    world.forget()
    for field in ("cachedContent", "cached_content"):
        reply = generate(world, fields={field: name})
        assert reply.status == 200, reply.body
        record = world.laidian.record(reply.headers["x-request-id"])
        assert record.input > 500
        assert record.amount_nano <= record.held_nano
        for key, one in ((2, name), (1, "cachedContents/nobody")):
            refused = generate(world, key=key, fields={field: one})
            assert refused.status == 404
            assert one.removeprefix("cachedContents/") in refused.message()
    assert (len(world.a.requests()), len(world.b.requests())) == (0, 2)


def test_one_is_made_where_the_file_that_it_names_lies(world: World):
    world.prefer("b")
    file = uploaded(world)
    world.prefer("a")
    world.forget()
    contents = [{"role": "user", "parts": [{"fileData": {"fileUri": file.uri, "mimeType": "text/plain"}}]}]
    assert create(world, contents=contents).status == 200
    assert create(world, contents=contents, key=2).status == 404
    assert world.paths() == ([], ["POST /v1beta/cachedContents"])


def test_a_model_that_the_group_does_not_have_is_refused_and_an_alias_is_resolved(world: World):
    assert create(world, model="gemini-nobody").status == 404
    world.laidian.write("UPDATE groups SET aliases = ?", json.dumps({"fast": GEMINI}))
    try:
        assert create(world, model="fast").text("model") == f"models/{GEMINI}"
    finally:
        world.laidian.write("UPDATE groups SET aliases = '{}'")
    world.forget()
    for body in (b"", b"[]", b'{"contents":[]}', b'{"model":"models/../files"}'):
        assert world.call("POST", "/v1beta/cachedContents", body, gemini=True).status == 400
    assert world.paths() == ([], [])
