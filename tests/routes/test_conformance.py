"""Routing and authentication, case by case, by the numbers of the protocol reference (its section 8, cases 1 to 16, and others of the door)."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from laidian.domain.group import CAPABILITIES
from tests.routes.conftest import Caller, Reply
from tests.routes.test_surface import HANDSHAKE, MARK, in_shape
from tests.simulated_provider import SimulatedProvider

CHAT = {"model": "gpt-5.4", "messages": [{"role": "user", "content": "x"}]}


@pytest.fixture
def group(call: Caller) -> Iterator[Caller]:
    """For tests that change the group or the key; both are put back."""
    yield call
    call.laidian.write("UPDATE groups SET capabilities = ?, deny = '[]'", json.dumps(CAPABILITIES))
    call.laidian.write("UPDATE keys SET enabled = 1, expires_at_ms = NULL")


def names(reply: Reply, field: str, name: str) -> list[str]:
    entries = reply.json()[field]
    assert isinstance(entries, list)
    return [entry[name] for entry in entries]


def essence(reply: Reply) -> tuple[int, object]:
    """What two spellings of a request must have in common: everything but the request's id."""
    said = reply.json()
    said.pop("request_id", None)
    return reply.status, said


def test_case_1_bearer_lists_in_openais_shape(call: Caller):
    assert "gpt-5.4" in names(call.bearer("GET", "/v1/models"), "data", "id")


def test_case_2_googles_header_lists_in_geminis_shape(call: Caller):
    assert "models/gpt-5.4" in names(call("GET", "/v1/models", x_goog_api_key=call.key), "models", "name")


def test_case_3_anthropics_header_lists_in_anthropics_shape(call: Caller):
    reply = call("GET", "/v1/models", x_api_key=call.key, anthropic_version="2023-06-01")
    assert "gpt-5.4" in names(reply, "data", "id")
    assert reply.json()["has_more"] is False


def test_case_4_a_verb_is_geminis_even_below_v1(call: Caller):
    path = "models/gpt-5.4:generateContent"
    below_v1 = call("POST", f"/v1/{path}", b"[]", x_goog_api_key=call.key)
    in_shape("gemini", below_v1)
    assert essence(below_v1) == essence(call("POST", f"/v1beta/{path}", b"[]", x_goog_api_key=call.key))
    assert essence(below_v1) == essence(call.bearer("POST", f"/v1/{path}", b"[]"))


@pytest.mark.parametrize(
    "prefix", ["/v1beta/v1", "/v1beta/v1beta", "/v1beta/v1alpha", "//v1beta", "/v1/v1beta"]
)
def test_cases_5_and_6_doubled_prefixes_give_the_same_result(call: Caller, prefix: str):
    for verb in ("generateContent", "streamGenerateContent?alt=sse", "countTokens"):
        path = f"models/gpt-5.4:{verb}"
        plain = call("POST", f"/v1beta/{path}", b"[]", x_goog_api_key=call.key)
        assert essence(call("POST", f"{prefix}/{path}", b"[]", x_goog_api_key=call.key)) == essence(plain)
    assert call.bearer("GET", f"{prefix}/models").body == call.bearer("GET", "/v1beta/models").body


def test_case_7_a_key_in_the_query_opens_and_is_not_in_the_log(call: Caller):
    assert call("GET", f"/v1beta/models?key={call.key}").status == 200
    assert call("GET", f"/v1/models?pageSize=5&key={call.key}").status == 200
    assert call("GET", "/v1beta/models?key=sk-wrong").status == 401
    assert call.key not in call.laidian.log()


def test_case_8_bearer_opens_v1beta(call: Caller):
    assert "models/gpt-5.4" in names(call.bearer("GET", "/v1beta/models"), "models", "name")


def test_case_9_no_credential_is_a_401_in_each_familys_shape(call: Caller):
    for family, mark in MARK.items():
        reply = call("GET", "/v1/models", **mark)
        assert reply.status == 401
        in_shape(family, reply)


def test_case_10_a_disabled_or_expired_key_is_a_401_that_never_repeats_it(group: Caller):
    for change in ("enabled = 0", "expires_at_ms = 1"):
        group.laidian.write(f"UPDATE keys SET enabled = 1, expires_at_ms = NULL, {change}")
        for reply in (
            group.bearer("GET", "/v1/models"),
            group.bearer("POST", "/v1/chat/completions", json.dumps(CHAT).encode()),
        ):
            assert reply.status == 401
            assert reply.error()["code"] == "invalid_api_key"
            assert group.key[3:10] not in reply.body.decode()


def test_case_11_a_group_without_images_gets_404_and_no_upstream_is_called(
    group: Caller, provider: SimulatedProvider
):
    provider.reset()
    group.laidian.write("""UPDATE groups SET capabilities = '["chat"]'""")
    body = b'{"model":"gpt-image-2","prompt":"x"}'
    reply = group.bearer("POST", "/v1/images/generations", body)
    assert reply.status == 404
    assert reply.error()["code"] == "endpoint_not_supported"
    assert provider.requests() == []


def test_case_12_a_model_outside_the_group_is_a_404(group: Caller, provider: SimulatedProvider):
    provider.reset()
    group.laidian.write("""UPDATE groups SET deny = '["gpt-5.4"]'""")
    reply = group.bearer("POST", "/v1/chat/completions", json.dumps(CHAT).encode())
    assert (reply.status, reply.error()["code"]) == (404, "model_not_found")
    assert provider.requests() == []


def test_case_13_an_unknown_route_is_a_404(call: Caller):
    reply = call.bearer("POST", "/v1/xyz")
    assert reply.status == 404
    in_shape("openai", reply)


@pytest.mark.parametrize(
    "path", ["/v1/assistants", "/v1/realtime/client_secrets", "/v1/threads/t/runs", "/assistants"]
)
def test_case_14_a_refused_route_names_laidian(call: Caller, path: str):
    reply = call.bearer("POST", path)
    assert (reply.status, reply.error()["code"]) == (404, "endpoint_not_supported")
    assert "LaiDian" in in_shape("openai", reply)


def test_case_15_a_preflight_from_a_page_is_a_204_that_allows_what_it_asks(call: Caller):
    asked = "authorization,x-stainless-os"
    reply = call("OPTIONS", "/v1/models", origin="http://a.example", access_control_request_headers=asked)
    assert (reply.status, reply.headers["access-control-allow-headers"]) == (204, asked)


def test_case_16_a_slash_in_a_models_name_is_found_or_a_clean_404(call: Caller):
    assert call.bearer("GET", "/v1/models/openai/gpt-5.4").json()["id"] == "openai/gpt-5.4"
    reply = call.bearer("GET", "/v1/models/openai/gpt-6000")
    assert (reply.status, reply.error()["code"]) == (404, "model_not_found")


def test_case_46_a_websocket_on_responses_is_a_426(call: Caller):
    reply = call.bearer("GET", "/v1/responses", openai_beta="responses_websockets=2026-02-06", **HANDSHAKE)
    assert reply.status == 426
    in_shape("openai", reply)


def test_case_67_image_variations_are_retired(call: Caller):
    reply = call.bearer("POST", "/v1/images/variations")
    assert (reply.status, reply.error()["code"]) == (404, "endpoint_not_supported")
    assert "retired" in in_shape("openai", reply)


def test_case_85_geminis_live_path_is_a_426(call: Caller):
    service = "google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
    for path in (f"/ws/{service}?key={call.key}", f"/ws/{service}Constrained"):
        reply = call("GET", path, **HANDSHAKE)
        assert reply.status == 426
        in_shape("gemini", reply)


@pytest.mark.parametrize(
    "path",
    [
        "//v1/chat/completions",
        "/v1/v1/chat/completions",
        "/chat/completions",
        "/v1beta/openai/chat/completions",
    ],
)
def test_every_spelling_of_chat_reaches_the_upstream_at_one_path(
    call: Caller, provider: SimulatedProvider, path: str
):
    provider.reset()
    assert call.bearer("POST", path, json.dumps(CHAT).encode()).status == 200
    assert [seen.path for seen in provider.requests(count=1)] == ["/v1/chat/completions"]


def test_the_query_reaches_the_dialect_whatever_the_prefix(call: Caller, provider: SimulatedProvider):
    provider.reset()
    body = json.dumps({"contents": [{"role": "user", "parts": [{"text": "x"}]}]}).encode()
    for prefix in ("/v1beta", "/v1", "/v1beta/v1beta"):
        path = f"{prefix}/models/gpt-5.4:streamGenerateContent"
        events = call("POST", f"{path}?alt=sse&key={call.key}", body)
        assert (events.status, events.headers["content-type"].partition(";")[0]) == (200, "text/event-stream")
        assert events.body.startswith(b"data: ")
        array = call("POST", f"{path}?key={call.key}", body)
        assert (array.status, array.headers["content-type"].partition(";")[0]) == (200, "application/json")
        assert isinstance(json.loads(array.body), list)
    seen = provider.requests(count=6)
    assert len(seen) == 6
    assert not [one for one in seen if call.key in one.path or call.key in str(one.headers)]


def test_anthropics_beta_query_is_the_same_route(call: Caller):
    body = json.dumps({**CHAT, "max_tokens": 5}).encode()
    for path in ("/v1/messages", "/v1/messages?beta=true", "/v1/v1/messages?beta=true"):
        reply = call("POST", path, body, x_api_key=call.key, anthropic_version="2026-10-21")
        assert (reply.status, reply.json()["type"]) == (200, "message"), reply.body
