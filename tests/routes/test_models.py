"""The model list tells the truth in the caller's shape, and a single model says which gate is closed."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from laidian.domain.group import CAPABILITIES
from tests.routes.conftest import Caller

PRICED = {
    "gpt-5.4",
    "gpt-image-2",
    "text-embedding-3-small",
    "openai/gpt-5.4",
    "ft:gpt-4o-2024-08-06:org::id",
}
GEMINI = {"x_goog_api_client": "test"}
ANTHROPIC = {"anthropic_version": "2026-10-21"}


@pytest.fixture
def group(call: Caller) -> Iterator[Caller]:
    """For tests that change the group; it is put back."""
    yield call
    call.laidian.write(
        "UPDATE groups SET capabilities = ?, deny = '[]', aliases = '{}'", json.dumps(CAPABILITIES)
    )


def listed(call: Caller) -> set[str]:
    data = call.bearer("GET", "/v1/models").json()["data"]
    assert isinstance(data, list)
    return {entry["id"] for entry in data}


def test_openais_list_has_numbers_and_strings_and_never_null(call: Caller):
    answer = call.bearer("GET", "/v1/models").json()
    assert answer["object"] == "list"
    assert isinstance(answer["data"], list)
    assert {entry["id"] for entry in answer["data"]} == PRICED
    for entry in answer["data"]:
        assert set(entry) == {"id", "object", "created", "owned_by"}
        assert entry["object"] == "model"
        assert type(entry["created"]) is int
        assert type(entry["owned_by"]) is str


def test_geminis_list_comes_in_pages_with_verbs_that_would_work(call: Caller):
    first = call.bearer("GET", "/v1/models?pageSize=3", **GEMINI).json()
    rest = call.bearer("GET", f"/v1beta/models?pageSize=3&pageToken={first['nextPageToken']}").json()
    assert isinstance(first["models"], list)
    assert isinstance(rest["models"], list)
    assert "nextPageToken" not in rest
    models = {entry["name"]: entry for entry in [*first["models"], *rest["models"]]}
    assert set(models) == {f"models/{name}" for name in PRICED}
    assert "generateContent" in models["models/gpt-5.4"]["supportedGenerationMethods"]
    assert "embedContent" in models["models/text-embedding-3-small"]["supportedGenerationMethods"]
    assert "generateContent" not in models["models/text-embedding-3-small"]["supportedGenerationMethods"]
    assert "generateContent" not in models["models/gpt-image-2"].get("supportedGenerationMethods", [])


def test_anthropics_list_is_walked_by_id(call: Caller):
    page = call.bearer("GET", "/v1/models?limit=2", **ANTHROPIC).json()
    assert isinstance(page["data"], list)
    assert [entry["id"] for entry in page["data"]] == sorted(PRICED)[:2]
    assert (page["has_more"], page["last_id"]) == (True, sorted(PRICED)[1])
    assert page["data"][0]["type"] == "model"


@pytest.mark.parametrize(
    "name", ["gpt-5.4", "openai/gpt-5.4", "openai%2Fgpt-5.4", "ft:gpt-4o-2024-08-06:org::id"]
)
def test_a_single_model_is_found_by_its_whole_name(call: Caller, name: str):
    plain = name.replace("%2F", "/")
    assert call.bearer("GET", f"/v1/models/{name}").json()["id"] == plain
    assert call.bearer("GET", f"/v1/models/{name}", **GEMINI).json()["name"] == f"models/{plain}"
    assert call.bearer("GET", f"/v1/models/{name}", **ANTHROPIC).json()["id"] == plain


def test_an_explained_model_is_a_200_either_way(call: Caller):
    told = call.bearer("GET", "/v1/models/openai/gpt-5.4?explain=1").json()
    assert told == {"id": "openai/gpt-5.4", "available": True, "gate": None, "reason": None, "until": None}
    assert call("GET", "/v1/models/gpt-5.4?explain=1").status == 401
    assert call.bearer("GET", "/v1/models/nope?explain=0").status == 404


def explained(call: Caller, name: str) -> tuple[object, object, str]:
    reply = call.bearer("GET", f"/v1/models/{name}?explain=1")
    assert reply.status == 200, reply.body
    told = reply.json()
    assert (told["id"], told["available"]) == (name, False)
    assert isinstance(told["reason"], str)
    assert name not in listed(call), "the list and the explanation agree"
    return told["gate"], told["until"], told["reason"]


def test_the_groups_gate_is_named(group: Caller):
    group.laidian.write("""UPDATE groups SET deny = '["gpt-5*"]'""")
    gate, until, reason = explained(group, "gpt-5.4")
    assert (gate, until) == ("group", None)
    assert "group `default`" in reason


def test_the_upstreams_gate_is_named(call: Caller):
    gate, until, reason = explained(call, "nobody-has-this")
    assert (gate, until) == ("upstream", None)
    assert "no upstream" in reason


def test_the_prices_gate_is_named(group: Caller):
    group.laidian.write("UPDATE upstreams SET aliases = ?", '{"unpriced-one":"gpt-5.4"}')
    try:
        gate, until, reason = explained(group, "unpriced-one")
    finally:
        group.laidian.write("UPDATE upstreams SET aliases = '{}'")
    assert (gate, until) == ("price", None)
    assert "laidian price set" in reason


def test_the_capabilitys_gate_is_named(group: Caller):
    group.laidian.write("""UPDATE groups SET capabilities = '["chat"]'""")
    gate, until, reason = explained(group, "gpt-image-2")
    assert (gate, until) == ("capability", None)
    assert "`images`" in reason
    assert listed(group) == PRICED - {"gpt-image-2", "text-embedding-3-small"}


def test_a_disabled_upstream_is_a_gate_that_only_the_operator_opens(call: Caller):
    call.laidian.write("UPDATE upstreams SET enabled = 0")
    try:
        gate, until, reason = explained(call, "gpt-5.4")
    finally:
        call.laidian.write("UPDATE upstreams SET enabled = 1")
    assert (gate, until) == ("upstream", None)
    assert "disabled by the operator" in reason


def test_an_alias_is_listed_by_its_public_name(group: Caller):
    group.laidian.write("""UPDATE groups SET aliases = '{"fast":"gpt-5.4"}'""")
    assert "fast" in listed(group)
    assert group.bearer("GET", "/v1/models/fast?explain=1").json()["available"] is True
