"""Stored responses: kept by one upstream credential, seen by the key that made them (protocol.md, cases 49 to 53)."""

from __future__ import annotations

import json
import urllib.request

import pytest

from tests.affinity.conftest import GEMINI, MODEL, World
from tests.served import wait_until


def events(body: bytes) -> list[dict[str, object]]:
    return [json.loads(line[6:]) for line in body.split(b"\n") if line.startswith(b"data: ")]


def made(world: World, *, stream: bool) -> str:
    """The id of a new response at the preferred provider."""
    reply = world.respond(stream=stream)
    assert reply.status == 200, reply.body
    if not stream:
        return reply.text("id")
    response = events(reply.body)[-1]["response"]
    assert isinstance(response, dict)
    return str(response["id"])


@pytest.mark.parametrize("stream", [False, True])
def test_case_49_the_owner_gets_a_response_from_the_credential_that_made_it(world: World, stream: bool):
    response_id = made(world, stream=stream)
    world.prefer("b")
    world.forget()
    reply = world.call("GET", f"/v1/responses/{response_id}?include[]=reasoning.encrypted_content")
    assert (reply.status, reply.text("id")) == (200, response_id)
    assert world.paths() == (
        [f"GET /v1/responses/{response_id}?include%5B%5D=reasoning.encrypted_content"],
        [],
    )


def test_every_operation_on_a_response_goes_to_its_holder_and_deletion_ends_it(world: World):
    world.prefer("b")
    response_id = made(world, stream=False)
    world.prefer("a")
    world.forget()
    items = world.call("GET", f"/v1/responses/{response_id}/input_items?limit=5&order=asc&key=sk-not-this")
    assert items.names("data", "role") == ["user"]
    cancelled = world.call("POST", f"/v1/responses/{response_id}/cancel")
    assert (cancelled.status, cancelled.message()) == (400, "Cannot cancel a synchronous response.")
    assert world.call("DELETE", f"/v1/responses/{response_id}").json()["deleted"] is True
    assert world.paths() == (
        [],
        [
            f"GET /v1/responses/{response_id}/input_items?limit=5&order=asc",
            f"POST /v1/responses/{response_id}/cancel",
            f"DELETE /v1/responses/{response_id}",
        ],
    )
    world.forget()
    assert world.call("GET", f"/v1/responses/{response_id}").status == 404
    assert world.paths() == ([], [])


@pytest.mark.parametrize(
    ("method", "rest"), [("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("GET", "/input_items")]
)
def test_cases_50_and_51_foreign_and_unknown_ids_are_the_same_404_and_no_upstream_hears_of_them(
    world: World, method: str, rest: str
):
    response_id = made(world, stream=False)
    world.forget()
    foreign = world.call(method, f"/v1/responses/{response_id}{rest}", key=2)
    unknown = world.call(method, f"/v1/responses/resp_nobody{rest}")
    assert foreign.status == unknown.status == 404
    assert foreign.code() == "response_not_found"
    assert foreign.message().replace(response_id, "resp_nobody") == unknown.message()
    assert world.call(method, f"/v1/responses/{response_id}{rest}", key=None).status == 401
    assert world.paths() == ([], [])


def test_a_response_that_was_not_to_be_stored_is_not_remembered(world: World):
    reply = world.respond(store=False)
    assert reply.status == 200
    world.forget()
    assert world.call("GET", f"/v1/responses/{reply.text('id')}").status == 404
    assert world.paths() == ([], [])


def test_case_53_a_response_is_played_again_byte_for_byte_from_where_it_was_left(world: World):
    response_id = made(world, stream=True)
    for query, first in (("stream=true", 0), ("stream=true&starting_after=5", 6)):
        reply = world.call("GET", f"/v1/responses/{response_id}?{query}")
        assert reply.headers["content-type"].startswith("text/event-stream")
        assert events(reply.body)[0]["sequence_number"] == first
        direct = urllib.request.Request(
            f"{world.a.base_url}/v1/responses/{response_id}?{query}",
            headers={"authorization": "Bearer sim-0001"},
        )
        with urllib.request.urlopen(direct, timeout=10) as answer:
            assert reply.body == answer.read()


@pytest.mark.parametrize("stream", [False, True])
def test_what_continues_a_response_goes_to_its_holder(world: World, stream: bool):
    response_id = made(world, stream=stream)
    world.prefer("b")
    world.forget()
    for _ in range(5):
        assert world.respond(previous_response_id=response_id, stream=stream).status == 200
    a, b = world.paths()
    assert (len(a), b) == (5, [])


def test_a_foreign_or_unknown_previous_response_is_a_400_that_names_it(world: World):
    response_id = made(world, stream=False)
    world.forget()
    for key, name in ((2, response_id), (1, "resp_nobody")):
        reply = world.respond(previous_response_id=name, key=key)
        assert (reply.status, reply.code()) == (400, "previous_response_not_found")
        assert name in reply.message()
    assert world.paths() == ([], [])
    assert world.laidian.holds() == []


def test_case_52_a_holder_that_is_out_of_service_is_a_503_with_its_reason_and_never_another_upstream(
    world: World,
):
    response_id = made(world, stream=False)
    world.forget()
    world.laidian.write("UPDATE upstreams SET enabled = 0 WHERE name = 'a'")
    for reply in (
        world.respond(previous_response_id=response_id),
        world.call("GET", f"/v1/responses/{response_id}"),
    ):
        assert (reply.status, reply.code()) == (503, "no_available_channel")
        assert response_id in reply.message()
        assert "a: disabled by the operator" in reply.message()
    assert world.respond().status == 200, "what names nothing goes elsewhere"
    assert world.paths() == ([], ["POST /v1/responses"])


def test_case_52_a_holder_that_rests_is_a_503_that_says_until_when(world: World):
    response_id = made(world, stream=False)
    world.a.fault("http-401", key_prefix="sim-0001")
    assert world.respond(previous_response_id=response_id).status == 502
    reply = world.respond(previous_response_id=response_id)
    assert (reply.status, reply.code()) == (503, "no_available_channel")
    assert "a: " in reply.message()
    assert "next try" in reply.message()
    assert world.b.requests() == []
    world.a.clear_faults()
    assert world.call("GET", f"/v1/responses/{response_id}").status == 200, (
        "a look is not held up by a circuit"
    )


def test_a_holder_that_fails_is_never_replaced_by_another_upstream(world: World):
    response_id = made(world, stream=False)
    world.forget()
    world.a.fault("http-503", path="/v1/responses")
    assert world.respond(previous_response_id=response_id).status == 502
    reply = world.call("GET", f"/v1/responses/{response_id}")
    assert reply.status == 502
    assert "a: it answered 503" in reply.message()
    assert world.b.requests() == []


def test_a_404_about_something_in_the_request_is_not_told_as_a_missing_model(world: World):
    item = {"type": "item_reference", "id": "rs_nobody"}
    reply = world.call("POST", "/v1/responses", {"model": MODEL, "input": [item]})
    assert (reply.status, reply.code()) == (404, "invalid_request")
    assert "rs_nobody" in reply.message()
    error = reply.json()["error"]
    assert isinstance(error, dict)
    assert error["param"] == "input[0]"
    assert world.paths() == (["POST /v1/responses"], []), "no other upstream has it either"


def test_what_is_remembered_survives_a_restart(world: World):
    response_id = made(world, stream=True)
    world.laidian.restart()
    world.prefer("b")
    world.forget()
    assert world.call("GET", f"/v1/responses/{response_id}").status == 200
    assert world.respond(previous_response_id=response_id).status == 200
    assert world.b.requests() == []
    assert world.call("GET", f"/v1/responses/{response_id}", key=2).status == 404


def test_looking_at_a_response_costs_nothing_and_leaves_one_line(world: World):
    response_id = made(world, stream=False)
    records = len(world.laidian.records())
    reply = world.call("GET", f"/v1/responses/{response_id}")
    assert len(world.laidian.records()) == records
    assert world.laidian.holds() == []

    def lines() -> list[dict[str, object]]:
        own = reply.headers["x-request-id"]
        return [line for line in world.laidian.lines() if line["request_id"] == own]

    wait_until(lambda: bool(lines()), "the line is written")
    assert [(line["operation"], line["status"]) for line in lines()] == [("responses.retrieve", 200)]
    assert response_id not in world.laidian.log()


def test_the_hold_of_what_continues_a_response_covers_what_the_upstream_keeps(world: World):
    first = world.respond("long " * 4_000)
    alone, continued = world.respond("x"), world.respond("x", previous_response_id=first.text("id"))
    held = [world.laidian.record(one.headers["x-request-id"]).held_nano for one in (alone, continued)]
    billed = world.laidian.record(continued.headers["x-request-id"])
    assert billed.input > 4_000
    assert held[1] > held[0]
    assert billed.shortfall_nano == 0


def test_a_group_without_the_capability_gets_404(world: World):
    response_id = made(world, stream=False)
    world.laidian.write("""UPDATE groups SET capabilities = '["chat"]'""")
    world.forget()
    reply = world.call("GET", f"/v1/responses/{response_id}")
    assert (reply.status, reply.code()) == (404, "endpoint_not_supported")
    assert "`responses`" in reply.message()
    assert world.paths() == ([], [])


def test_a_translated_response_is_nobodys(world: World):
    world.laidian.write("UPDATE upstreams SET enabled = 0 WHERE kind = 'openai'")
    reply = world.call("POST", "/v1/responses", {"model": GEMINI, "input": "hi"})
    assert reply.status == 200, reply.body
    assert world.call("GET", f"/v1/responses/{reply.text('id')}").status == 404
