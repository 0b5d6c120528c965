"""Responses in the background: on the books to the token, whoever waits for them, and whatever dies meanwhile (protocol.md, case 53)."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator

import openai
import pytest
from openai import OpenAI

from laidian.domain.group import CAPABILITIES
from laidian.store.audit import audit
from tests.affinity.conftest import MODEL, World
from tests.affinity.test_responses import events
from tests.served import Record, Setup, served, wait_until
from tests.simulated_provider import BilledUsage

SLOW = "[[tokens:40]] [[pace:25]] [[reasoning:3]] [[cached:2]]"
"""A second of work."""
SLOWER = "[[tokens:40]] [[pace:750]]"
"""Half a minute: for what has to happen meanwhile, and is not waited for."""


@pytest.fixture
def client(world: World) -> Iterator[OpenAI]:
    url = f"{world.laidian.base_url}/v1"
    with OpenAI(base_url=url, api_key=world.laidian.keys[0], max_retries=0) as client:
        yield client


def begun(world: World, text: str = SLOW) -> tuple[str, str]:
    """(response, request) of a new response in the background."""
    reply = world.respond(text, background=True)
    assert (reply.status, reply.text("status")) == (200, "queued"), reply.body
    return reply.text("id"), reply.headers["x-request-id"]


def record_of(world: World, request_id: str) -> Record:
    """Once it is settled."""
    world.laidian.wait_settled()
    return world.laidian.record(request_id)


def same_as_billed(world: World, record: Record) -> None:
    """The record says what the provider charges, and the provider charges once."""
    (row,) = world.a.bill(rows=1).rows
    assert row.request_id == record.request_id
    assert row.usage == BilledUsage(
        input_tokens=record.input + record.cached_input,
        cached_input_tokens=record.cached_input,
        output_tokens=record.output + record.reasoning,
        reasoning_tokens=record.reasoning,
    )
    assert record.amount_nano > 0
    assert record.shortfall_nano == 0
    sound(world)


def sound(world: World) -> None:
    """The ledger agrees with itself, whatever is still awaited."""
    with world.laidian.database() as reader:
        found = audit(reader, world.laidian.folder.run)
    assert found.differences == ()


def status_of(world: World, response_id: str) -> str:
    return world.call("GET", f"/v1/responses/{response_id}").text("status")


class Stream:
    """A stream that is read event by event and can be left."""

    def __init__(self, world: World, path: str, body: object = None) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", world.laidian.port, timeout=30)
        headers = {"Authorization": f"Bearer {world.laidian.key}", "Content-Type": "application/json"}
        method, data = ("GET", None) if body is None else ("POST", json.dumps(body))
        self.connection.request(method, path, data, headers)
        self.answer = self.connection.getresponse()
        self.request_id = self.answer.getheader("x-request-id") or ""

    def next(self) -> dict[str, object]:
        while True:
            line = self.answer.readline()
            assert line, "it ended"
            if line.startswith(b"data: "):
                return json.loads(line[6:])

    def leave(self) -> None:
        self.answer.close()
        self.connection.close()


def test_its_hold_stays_open_and_the_clients_own_look_settles_it(world: World):
    response_id, request_id = begun(world, SLOW.replace("25", "150"))
    assert world.laidian.holds() == [request_id]
    reply = world.call("GET", f"/v1/responses/{response_id}")
    while reply.text("status") != "completed":
        assert reply.json()["usage"] is None
        reply = world.call("GET", f"/v1/responses/{response_id}")
    assert world.laidian.holds() == [], "no client sees an end that is not on the books"
    record = world.laidian.record(request_id)
    assert (record.ended, record.usage_from, record.status) == ("complete", "upstream", 200)
    assert (record.cached_input, record.reasoning) == (2, 3)
    same_as_billed(world, record)


def test_one_that_nobody_asks_for_again_is_settled_all_the_same(world: World):
    _, request_id = begun(world, "[[tokens:5]]")
    record = record_of(world, request_id)
    assert (record.ended, record.usage_from) == ("complete", "upstream")
    same_as_billed(world, record)


def test_case_53_a_stream_that_was_left_goes_on_behind_the_last_event_that_was_seen(world: World):
    left = Stream(world, "/v1/responses", {"model": MODEL, "input": SLOW, "background": True, "stream": True})
    seen = [left.next() for _ in range(6)]
    assert [one["sequence_number"] for one in seen] == list(range(6))
    response = seen[0]["response"]
    assert isinstance(response, dict)
    left.leave()
    again = f"/v1/responses/{response['id']}?stream=true&starting_after=5"
    assert world.call("GET", again, key=2).status == 404
    rest = events(world.call("GET", again).body)
    assert [one["sequence_number"] for one in rest] == list(range(6, 6 + len(rest)))
    assert rest[-1]["type"] == "response.completed"
    record = record_of(world, left.request_id)
    assert (record.ended, record.usage_from, record.stream) == ("complete", "upstream", 1)
    same_as_billed(world, record)


def test_a_stream_that_is_read_to_its_end_is_settled_before_its_end_is_sent(world: World):
    reply = world.respond("[[tokens:5]] [[pace:5]]", background=True, stream=True)
    assert events(reply.body)[-1]["type"] == "response.completed"
    assert world.laidian.holds() == []
    same_as_billed(world, world.laidian.record(reply.headers["x-request-id"]))
    with world.laidian.database() as database:
        assert database.execute("SELECT count(*) FROM awaited").fetchone() == (0,)


def test_a_stream_that_the_upstream_breaks_off_did_not_fail_and_can_be_taken_up_again(world: World):
    world.a.fault("cut-mid-stream", path="/v1/responses", times=1)
    reply = world.respond("[[tokens:20]] [[pace:5]]", background=True, stream=True)
    told = events(reply.body)
    assert "error" in told[-1]
    assert "response.failed" not in {one.get("type") for one in told}
    response = told[0]["response"]
    assert isinstance(response, dict)
    rest = events(world.call("GET", f"/v1/responses/{response['id']}?stream=true&starting_after=3").body)
    assert (rest[0]["sequence_number"], rest[-1]["type"]) == (4, "response.completed")
    record = record_of(world, reply.headers["x-request-id"])
    assert (record.ended, record.usage_from) == ("complete", "upstream")
    assert record.output == world.a.bill(rows=1).rows[0].usage.output_tokens


def test_the_stream_of_one_is_followed_while_it_is_made(world: World):
    response_id, request_id = begun(world)
    followed = events(world.call("GET", f"/v1/responses/{response_id}?stream=true").body)
    assert [one["sequence_number"] for one in followed] == list(range(len(followed)))
    assert followed[-1]["type"] == "response.completed"
    same_as_billed(world, record_of(world, request_id))


def test_one_that_is_cancelled_costs_what_it_had_come_to_and_is_marked_as_an_estimate(world: World):
    response_id, request_id = begun(world, SLOWER)
    assert world.call("POST", f"/v1/responses/{response_id}/cancel", key=2).status == 404
    reply = world.call("POST", f"/v1/responses/{response_id}/cancel")
    assert (reply.status, reply.text("status")) == (200, "cancelled")
    assert world.laidian.holds() == []
    record = world.laidian.record(request_id)
    assert (record.ended, record.usage_from) == ("cancelled", "estimated")
    assert record.amount_nano > 0
    assert world.a.bill(rows=1).rows[0].ended == "cancelled"


def test_one_that_is_deleted_is_ended_first_so_that_it_is_not_free(world: World):
    response_id, request_id = begun(world, SLOWER)
    assert world.call("DELETE", f"/v1/responses/{response_id}").json()["deleted"] is True
    record = world.laidian.record(request_id)
    assert (record.ended, record.usage_from) == ("cancelled", "estimated")
    assert record.amount_nano > 0
    assert world.call("GET", f"/v1/responses/{response_id}").status == 404
    assert [path for path in world.paths()[0] if path.startswith("POST")] == [
        "POST /v1/responses",
        f"POST /v1/responses/{response_id}/cancel",
    ]


def test_one_that_is_gone_at_the_provider_is_settled_by_an_estimate(world: World):
    response_id, request_id = begun(world, SLOWER)
    connection = http.client.HTTPConnection(world.a.host, world.a.port, timeout=30)
    connection.request("DELETE", f"/v1/responses/{response_id}", headers={"Authorization": "Bearer sim-0001"})
    assert connection.getresponse().status == 200
    connection.close()
    record = record_of(world, request_id)
    assert (record.ended, record.usage_from, record.error_code) == ("lost", "estimated", "response_gone")
    assert 0 < record.amount_nano <= record.held_nano
    sound(world)


def test_the_operator_can_end_one(world: World):
    response_id, request_id = begun(world, SLOWER)
    token = (world.laidian.folder.root / "admin.token").read_text().strip()
    connection = http.client.HTTPConnection("127.0.0.1", world.laidian.port, timeout=30)
    connection.request("DELETE", f"/admin/v1/live/{request_id}", headers={"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    connection.close()
    assert record_of(world, request_id).ended == "cancelled"
    assert status_of(world, response_id) == "cancelled"


@pytest.mark.parametrize("killed", [True, False], ids=["kill -9", "SIGTERM"])
def test_whatever_becomes_of_the_process_the_next_one_settles_it_exactly(world: World, killed: bool):
    response_id, request_id = begun(world)
    if killed:
        world.laidian.kill9(whole_tree=True)
        world.laidian.start()
    else:
        world.laidian.stop()
        assert world.laidian.holds() == [request_id]
        sound(world)
        world.laidian.start()
    record = record_of(world, request_id)
    assert (record.ended, record.usage_from) == ("complete", "upstream")
    same_as_billed(world, record)
    assert status_of(world, response_id) == "completed"


def test_an_orphan_beside_it_is_settled_by_the_orphan_rule(world: World):
    _, awaited = begun(world, "[[tokens:40]] [[pace:150]]")
    streamed = Stream(world, "/v1/responses", {"model": MODEL, "input": SLOWER, "stream": True})
    streamed.next()
    world.laidian.kill9(whole_tree=True)
    world.laidian.start()
    assert world.laidian.record(streamed.request_id).ended == "lost"
    record = record_of(world, awaited)
    assert (record.ended, record.usage_from) == ("complete", "upstream")


def test_a_provider_that_cannot_be_asked_for_a_while_is_asked_again(world: World):
    _, request_id = begun(world, "[[tokens:2]]")
    world.a.fault("reset", path="/v1/responses/", times=2)
    record = record_of(world, request_id)
    assert (record.ended, record.usage_from) == ("complete", "upstream")


def test_what_it_came_to_is_known_to_whatever_continues_it(world: World):
    response_id, request_id = begun(world, "long " * 3_000 + "[[tokens:5]]")
    record_of(world, request_id)
    alone, continued = world.respond("x"), world.respond("x", previous_response_id=response_id)
    assert continued.status == 200
    held = [world.laidian.record(one.headers["x-request-id"]).held_nano for one in (alone, continued)]
    assert held[1] > held[0]


def test_an_upstream_that_refuses_one_leaves_nothing_behind(world: World):
    reply = world.respond(background=True, store=False)
    assert reply.status == 400
    assert world.laidian.holds() == []
    with world.laidian.database() as database:
        assert database.execute("SELECT count(*) FROM awaited").fetchone() == (0,)


def test_the_sdk_waits_for_one_and_follows_another(world: World, client: OpenAI):
    waited = client.responses.create(model=MODEL, input=SLOW, background=True)
    while waited.status in ("queued", "in_progress"):
        waited = client.responses.retrieve(waited.id)
    assert (waited.status, waited.output_text.startswith("[simulated]")) == ("completed", True)
    followed = client.responses.create(model=MODEL, input=SLOW, background=True, stream=True)
    last = -1
    response_id = ""
    for event in followed:
        last = event.sequence_number
        if event.type == "response.created":
            response_id = event.response.id
        if last == 7:
            break
    followed.close()
    rest = list(client.responses.retrieve(response_id, stream=True, starting_after=last))
    assert (rest[0].sequence_number, rest[-1].type) == (8, "response.completed")
    with pytest.raises(openai.NotFoundError):
        client.with_options(api_key=world.laidian.keys[1]).responses.retrieve(response_id)
    world.laidian.wait_settled()
    billed = {row.request_id: row.usage.output_tokens for row in world.a.bill(rows=2).rows}
    records = {one.request_id: one.output + one.reasoning for one in world.laidian.records()[-2:]}
    assert records == billed


def test_it_has_two_lines_in_the_log_one_that_it_goes_on_and_one_of_what_it_came_to(world: World):
    _, request_id = begun(world, "[[tokens:2]]")

    def lines() -> list[dict[str, object]]:
        return [line for line in world.laidian.lines() if line["request_id"] == request_id]

    record = record_of(world, request_id)
    wait_until(lambda: len(lines()) == 2, "both lines are written")
    begun_, done = lines()
    assert (begun_["operation"], begun_["ended"]) == ("responses", "background")
    assert "amount_nano" not in begun_
    assert (done["operation"], done["ended"]) == ("responses.background", "complete")
    assert (done["amount_nano"], done["output_tokens"]) == (record.amount_nano, record.output)


def test_whichever_worker_hears_that_it_is_done_settles_it_once(world: World):
    setup = Setup(capabilities=CAPABILITIES)
    world.a.reset()
    with served(world.a, workers=2, setup=setup) as laidian:
        two = World(laidian, world.a, world.b)
        for _ in range(3):
            response_id, request_id = begun(two)
            while status_of(two, response_id) != "completed":
                pass
            assert request_id not in laidian.holds()
        assert len(laidian.records()) == 3
        assert {row.request_id for row in world.a.bill(rows=3).rows} == {
            record.request_id for record in laidian.records()
        }
        assert {record.usage_from for record in laidian.records()} == {"upstream"}
