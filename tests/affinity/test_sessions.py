"""Conversations go back to the upstream that answered them last, as long as it works (protocol.md 0.13)."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from laidian.domain.affinity import (
    Held,
    Holder,
    Sessions,
    Unreachable,
    at_home,
    pinned,
    preferring,
    select_home,
    why_not,
)
from laidian.domain.group import Group, Rank, RateLimits
from laidian.domain.selection import Blocked, Candidate, Opened, Selection
from laidian.domain.upstream import Credential, Secret, Upstream, UpstreamKind
from laidian.protocol.document import Fields
from laidian.protocol.family import FamilyName
from laidian.protocol.stored import LONGEST_HISTORY_BYTES, conversation_of
from tests.affinity.conftest import GEMINI, MODEL, World

HEADERS = ["session_id", "x_session_affinity", "x_session_id", "x_claude_code_session_id"]


def upstream(
    number: int, *, kind: UpstreamKind = "openai", enabled: bool = True, models: Sequence[str] = ()
) -> Upstream:
    """With two credentials: 10 times its number, and one more."""
    credentials = tuple(Credential(number * 10 + more, "", Secret("")) for more in (0, 1))
    return Upstream(
        number, f"u{number}", kind, "http://u", enabled, 0, 1, None, None, tuple(models), {}, frozenset(), credentials,
        1, 1, 1,
    )  # fmt: skip


def group(*ranks: int) -> Group:
    return Group(
        1,
        "g",
        True,
        tuple(Rank(one, 0) for one in ranks),
        (),
        (),
        {},
        frozenset(),
        10**6,
        RateLimits(),
        "cancel",
    )


def candidates(*pairs: tuple[int, int]) -> tuple[Candidate, ...]:
    found = {number: upstream(number) for number, _ in pairs}
    return tuple(Candidate(found[one], found[one].credentials[place], "m") for one, place in pairs)


def health(*resting: tuple[int, str]):
    def opened(upstream_id: int, credential_id: int, model: str) -> Opened | None:
        return Opened(5_000, "it limits the rate") if (credential_id, model) in resting else None

    return opened


ALL = candidates((1, 0), (1, 1), (2, 0), (2, 1))
BLOCKED = (Blocked("u3", "resting", 1),)


@pytest.mark.parametrize("place", range(4))
def test_a_preference_reorders_and_loses_nobody(place: int):
    holder = Holder(ALL[place].upstream.id, ALL[place].credential.id)
    preferred = preferring(Selection(ALL, BLOCKED), holder)
    assert preferred.candidates[0] == ALL[place]
    assert preferred.candidates[1:] == tuple(one for one in ALL if one != ALL[place])
    assert preferred.blocked == BLOCKED


def test_a_preference_for_somebody_who_is_not_there_changes_nothing():
    selection = Selection(ALL, BLOCKED)
    assert preferring(selection, Holder(2, 10)) is selection


def test_a_pin_leaves_the_holder_or_nobody():
    assert pinned(Selection(ALL, BLOCKED), Holder(2, 21)) == Selection((ALL[3],), BLOCKED)
    assert pinned(Selection(ALL, BLOCKED), Holder(2, 10)).candidates == ()


@pytest.mark.parametrize(
    ("holder", "ranks", "model", "reason"),
    [
        (Holder(9, 90), (), "m", Unreachable("", "the upstream that holds it was removed by the operator")),
        (Holder(1, 10), (2,), "m", Unreachable("u1", "group `g` does not use it any more")),
        (Holder(3, 30), (), "m", Unreachable("u3", "disabled by the operator")),
        (Holder(1, 19), (), "m", Unreachable("u1", "the credential that holds it was removed or disabled by the operator")),
        (Holder(2, 20), (), "m", Unreachable("u2", "it does not serve model `m`")),
        (Holder(1, 10), (), "m", Unreachable("u1", "it limits the rate", 5_000)),
        (Holder(1, 11), (), "m", Unreachable("u1", "it became free this moment; try again")),
    ],
)  # fmt: skip
def test_the_reason_why_a_holder_cannot_be_asked(
    holder: Holder, ranks: tuple[int, ...], model: str, reason: Unreachable
):
    upstreams = {1: upstream(1), 2: upstream(2, models=["other"]), 3: upstream(3, enabled=False)}
    assert why_not(holder, group(*ranks), upstreams, model, health((10, "m"))) == reason


def test_a_holder_at_home_is_found_whatever_its_circuits_say():
    one = upstream(1)
    assert at_home(Holder(1, 11), group(), {1: one}) == (one, 1)


def test_new_objects_go_to_upstreams_of_their_kind_whatever_models_those_serve():
    upstreams = {
        1: upstream(1, models=["nothing-else"]),
        2: upstream(2, kind="gemini"),
        3: upstream(3, kind="compatible"),
        4: upstream(4),
    }
    found = select_home(group(), upstreams, "openai", health((40, ""), (10, "m")), lambda: 0.5)
    assert {one.credential.id for one in found.candidates} == {10, 11, 41}
    assert [one.upstream for one in found.blocked] == ["u4"]


def test_a_session_is_remembered_for_a_while_for_its_key_and_model_only():
    sessions, holder = Sessions(ttl_ms=1_000), Holder(1, 10)
    sessions.note(1, "m", "s", holder, 100)
    assert sessions.holder(1, "m", "s", 1_099) == holder
    assert sessions.holder(2, "m", "s", 100) is None
    assert sessions.holder(1, "n", "s", 100) is None
    assert sessions.holder(1, "m", "s", 1_100) is None
    assert len(sessions) == 0


def test_sessions_are_bounded_and_the_longest_silent_one_goes_first():
    sessions = Sessions(most=2)
    for number in (1, 2, 1, 3):
        sessions.note(1, "m", str(number), Holder(number, 0), 0)
    assert [sessions.holder(1, "m", str(number), 1) for number in (1, 2, 3)] == [
        Holder(1, 0),
        None,
        Holder(3, 0),
    ]
    assert len(sessions) == 2


def test_what_is_held_shows_no_more_than_it_must():
    held = Held("file", "file-1", 1, Holder(1, 10), 0, None)
    assert held.meta == "{}"


def chat(world: World, body: dict[str, object], **headers: str) -> str:
    """Which provider answered."""
    world.forget()
    full = {"model": MODEL, "messages": [{"role": "user", "content": "x"}], **body}
    assert world.call("POST", "/v1/chat/completions", full, headers=headers).status == 200
    a, b = world.paths()
    assert len(a) + len(b) == 1
    return "a" if a else "b"


@pytest.mark.parametrize("header", HEADERS)
def test_a_session_goes_back_to_who_answered_it(world: World, header: str):
    session = {header: f"session of {header}"}
    world.prefer("b")
    assert chat(world, {}, **session) == "b"
    world.prefer("a")
    assert chat(world, {}, **session) == "b"
    assert chat(world, {}) == "a"
    assert chat(world, {}, **{header: "another"}) == "a"


def test_a_prompt_cache_key_is_a_session(world: World):
    world.prefer("b")
    assert chat(world, {"prompt_cache_key": "k"}) == "b"
    world.prefer("a")
    assert chat(world, {"prompt_cache_key": "k"}) == "b"
    assert chat(world, {"prompt_cache_key": "l"}) == "a"
    assert chat(world, {"prompt_cache_key": None}) == "a"


def test_a_session_moves_on_when_its_upstream_fails_and_then_stays_there(world: World):
    session = {"session_id": "moving"}
    assert chat(world, {}, **session) == "a"
    world.laidian.write("UPDATE upstreams SET enabled = 0 WHERE name = 'a'")
    assert chat(world, {}, **session) == "b"
    world.laidian.write("UPDATE upstreams SET enabled = 1")
    assert chat(world, {}, **session) == "b"


def test_one_keys_sessions_say_nothing_about_anothers(world: World):
    session = {"session_id": "shared name"}
    world.prefer("b")
    assert chat(world, {}, **session) == "b"
    world.prefer("a")
    world.forget()
    body = {"model": MODEL, "messages": [{"role": "user", "content": "x"}]}
    assert world.call("POST", "/v1/chat/completions", body, key=2, session_id="shared name").status == 200
    assert world.b.requests() == []


def test_a_stream_of_another_family_sticks_too(world: World):
    body = {"contents": [{"role": "user", "parts": [{"text": "x"}]}]}
    path = f"/v1beta/models/{GEMINI}:streamGenerateContent?alt=sse"
    world.prefer("b")
    for _ in range(2):
        assert world.call("POST", path, body, gemini=True, x_session_id="g").status == 200
        world.prefer("a")
    assert world.a.requests() == []


USER, SYSTEM = {"role": "user", "content": "x"}, {"role": "system", "content": "s"}
CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}


def named(family: FamilyName, **body: object) -> tuple[str, bool]:
    return conversation_of(family, Fields(json.dumps(body).encode()))


def test_a_conversation_without_a_name_is_known_by_its_beginning_up_to_the_users_first_turn():
    first, continued = named("openai", messages=[SYSTEM, USER])
    assert first
    assert not continued
    answered = {"role": "assistant", "content": "y"}
    assert named("openai", messages=[SYSTEM, USER, answered, {"role": "user", "content": "z"}]) == (
        first,
        True,
    )
    assert named("anthropic", messages=[SYSTEM, USER, answered]) == (first, True)
    assert named("openai", input=[SYSTEM, USER, CALL]) == (first, True)
    assert named("openai", messages=[SYSTEM, {"role": "user", "content": "w"}])[0] != first
    gemini = {"role": "user", "parts": [{"text": "x"}]}
    assert named("gemini", contents=[gemini])[1] is False
    assert named("gemini", contents=[gemini, {"role": "model", "parts": []}])[1] is True


def test_what_is_no_history_has_no_name():
    for body in (
        {"input": "x"},
        {"messages": []},
        {"messages": "x"},
        {"messages": [SYSTEM]},
        {"prompt": "x"},
    ):
        assert named("openai", **body) == ("", False)
    assert named("openai", messages=[{"role": "user", "content": "x" * LONGEST_HISTORY_BYTES}]) == ("", False)


def test_a_conversation_of_a_client_that_names_none_goes_back_to_who_answered_it(world: World):
    begun = [{"role": "user", "content": "a story of two providers"}]
    on = [*begun, {"role": "assistant", "content": "Once"}, {"role": "user", "content": "go on"}]
    world.prefer("b")
    assert chat(world, {"messages": begun}) == "b"
    world.prefer("a")
    assert chat(world, {"messages": on}) == "b"
    assert chat(world, {"messages": [{"role": "user", "content": "another"}, *on[1:]]}) == "a"
    assert chat(world, {"messages": begun}) == "a", (
        "a first turn goes anywhere: many questions of one kind are spread"
    )


def test_a_native_gemini_conversation_stays_where_its_signatures_were_made(world: World):
    path = f"/v1beta/models/{GEMINI}:generateContent"
    begun = [{"role": "user", "parts": [{"text": "signed by one of two"}]}]
    world.prefer("b")
    answer = world.call("POST", path, {"contents": begun}, gemini=True).json()
    world.prefer("a")
    world.forget()
    (candidate,) = answer["candidates"]  # type: ignore[misc]
    on = [*begun, candidate["content"], {"role": "user", "parts": [{"text": "go on"}]}]
    assert world.call("POST", path, {"contents": on}, gemini=True).status == 200
    assert world.a.requests() == []
