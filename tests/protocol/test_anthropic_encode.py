"""A canonical request as an Anthropic one: turns, tools, thinking and sampling by generation of models, refusals by the client's names."""

import json
from typing import Any

import msgspec
import pytest

from laidian.errors import BadRequest
from laidian.protocol.anthropic import Anthropic
from laidian.protocol.anthropic_codec import AnthropicCodec
from laidian.protocol.anthropic_generation import generation_of
from laidian.protocol.canonical import (
    Audio,
    Encoded,
    File,
    Format,
    Image,
    Message,
    Part,
    Refusal,
    Request,
    Text,
    Thought,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)

USER = Message("user", (Text("hi"),))
TOOL = Tool("f", "d", b'{"type":"object", "x":1.0}')
OLD, MIDDLE, NEW, NEWEST = "claude-sonnet-4-5", "claude-opus-4-6", "claude-sonnet-5", "claude-opus-5-5"


def encoded(model: str = OLD, /, **fields: Any) -> Encoded:
    fields = {"messages": (USER,), **fields}
    return AnthropicCodec().encode_request(Request(**fields), model)


def written(model: str = OLD, /, **fields: Any) -> dict[str, Any]:
    return json.loads(encoded(model, **fields).body)


def refused(model: str = OLD, /, **fields: Any) -> str | None:
    with pytest.raises(BadRequest) as caught:
        encoded(model, **fields)
    assert f"`{caught.value.param}`" in caught.value.message
    return caught.value.param


def assistant(*parts: Part) -> Message:
    return Message("assistant", parts)


def user(*parts: Part) -> Message:
    return Message("user", parts)


def test_the_least_request_has_nothing_that_was_not_said():
    assert encoded(OLD).body == (
        b'{"model":"claude-sonnet-4-5","max_tokens":64000,"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}'
    )


@pytest.mark.parametrize(
    ("model", "limit"),
    [
        ("claude-opus-4-1-20250805", 32_000), ("claude-opus-4-20250514", 32_000), ("claude-sonnet-4-0", 64_000),
        ("claude-haiku-4-5-20251001", 64_000), ("claude-opus-4.6", 128_000), ("claude-sonnet-5", 128_000), ("claude-sonnet-5-5", 128_000),
        ("claude-3-haiku-20240307", 4_096), ("claude-unheard-of-9", 64_000), ("glm-5", 8_192),
    ],
)  # fmt: skip
def test_a_limit_that_the_client_did_not_name_is_the_models(model: str, limit: int):
    assert written(model)["max_tokens"] == limit
    assert written(model, max_output_tokens=7)["max_tokens"] == 7


def test_later_rows_of_the_table_do_not_hide_behind_earlier_ones():
    assert not generation_of("claude-opus-5-5").forced_tools
    assert generation_of("claude-opus-5-20260723").forced_tools
    assert generation_of("anthropic/claude-haiku-5-5").can_stop_thinking
    assert generation_of("claude-fable-5-2").thinking == "adaptive"


def test_instructions_go_to_the_front_wherever_they_stood():
    turns = (
        Message("system", (Text("a"),)),
        USER,
        Message("developer", (Text("b"), Text(""))),
        assistant(Text("c")),
    )
    body = written(messages=turns)
    assert body["system"] == [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant"]


def test_results_stand_first_in_the_one_turn_after_their_calls():
    turns = (
        USER,
        assistant(Text("I call"), ToolCall("a", "f", '{ "n":1.0}')),
        assistant(ToolCall("b", "g", "")),
        user(Text("by the way")),
        user(ToolResult("b", (), is_error=True), ToolResult("a", (Text("1"), Text(""), Image(url="u")))),
        user(Text("go on")),
    )
    body = encoded(messages=turns).body
    assert b'"input":{ "n":1.0}' in body
    _, calls, results = json.loads(body)["messages"]
    assert [block["type"] for block in calls["content"]] == ["text", "tool_use", "tool_use"]
    assert calls["content"][2] == {"type": "tool_use", "id": "b", "name": "g", "input": {}}
    assert results["role"] == "user"
    assert results["content"] == [
        {"type": "tool_result", "tool_use_id": "b", "is_error": True},
        {
            "type": "tool_result",
            "tool_use_id": "a",
            "content": [
                {"type": "text", "text": "1"},
                {"type": "image", "source": {"type": "url", "url": "u"}},
            ],
        },
        {"type": "text", "text": "by the way"},
        {"type": "text", "text": "go on"},
    ]


@pytest.mark.parametrize(
    "turns",
    [
        (USER, assistant(ToolCall("a", "f", "{}"))),
        (USER, assistant(ToolCall("a", "f", "{}")), USER),
        (USER, assistant(ToolCall("a", "f", "{}")), USER, assistant(Text("x"))),
        (USER, assistant(ToolCall("a", "f", "{}")), user(ToolResult("b", ()))),
        (USER, assistant(ToolCall("a", "f", "{}")), user(ToolResult("a", ()), ToolResult("a", ()))),
        (user(ToolResult("a", ())),),
        (USER, assistant(ToolCall("a", "f", "[1]")), user(ToolResult("a", ()))),
        (USER, assistant(ToolCall("a", "f", '{"x":')), user(ToolResult("a", ()))),
        (user(Text("")),),
        (),
        (Message("system", (Text("a"),)),),
        (Message("system", (Image(url="u"),)),),
        (assistant(Image(url="u")),),
        (user(ToolCall("a", "f", "{}")),),
        (user(Audio("QQ==", "audio/wav")),),
        (user(Image(data="QQ==", mime="image/tiff")),),
        (user(Image(data="QQ==")),),
        (user(File(file_id="file_1")),),
        (user(File(data="QQ==", mime="application/zip")),),
        (user(File(url="https://a/b.txt", mime="text/plain")),),
        (user(File(data="gA==", mime="text/plain")),),
    ],
)  # fmt: skip
def test_turns_that_anthropic_could_not_be_told_are_refused(turns: tuple[Message, ...]):
    assert refused(messages=turns, names={"messages": "contents"}) == "contents"


def test_ids_that_anthropic_does_not_take_are_replaced_alike_in_call_and_result():
    turns = (USER, assistant(ToolCall("call:1/ö", "f", "{}")), user(ToolResult("call:1/ö", ())))
    _, call, result = written(messages=turns)["messages"]
    id_ = call["content"][0]["id"]
    assert id_ == result["content"][0]["tool_use_id"]
    assert id_.startswith("toolu_")
    assert len(id_) == 30


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (Image(data="QQ==", mime="image/webp"), {"type": "image", "source": {"type": "base64", "media_type": "image/webp", "data": "QQ=="}}),
        (Image(url="https://a"), {"type": "image", "source": {"type": "url", "url": "https://a"}}),
        (
            File(data="QQ==", mime="application/pdf", filename="a.pdf"),
            {"type": "document", "title": "a.pdf", "source": {"type": "base64", "media_type": "application/pdf", "data": "QQ=="}},
        ),
        (File(url="https://a"), {"type": "document", "source": {"type": "url", "url": "https://a"}}),
        (
            File(data="5rC0", mime="text/csv"),
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "水"}},
        ),
        (File(data="QQ==", mime="image/png"), {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QQ=="}}),
    ],
)  # fmt: skip
def test_pictures_and_documents_are_written(part: Part, block: object):
    assert written(messages=(user(part),))["messages"][0]["content"] == [block]


def test_only_anthropics_own_thoughts_go_back_to_it():
    turns = (
        USER,
        assistant(
            Thought("hm", "sig", "anthropic"),
            Thought("", "sealed", "anthropic", redacted=True),
            Thought("secret of another", "AAA", "gemini"),
            Thought("unsigned"),
            Refusal("no"),
        ),
        assistant(Thought("only this", "", "gemini")),
        USER,
    )
    body = encoded(messages=turns).body
    assert json.loads(body)["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        {"type": "redacted_thinking", "data": "sealed"},
        {"type": "text", "text": "no"},
    ]
    assert b"secret" not in body
    assert b"unsigned" not in body


def test_tools_are_written_with_their_schema_as_spelled():
    custom = Tool("patch", custom=True, grammar=b'{"type":"grammar"}', namespace="ns")
    result = encoded(tools=(TOOL, Tool("g", strict=True), custom))
    assert b'"input_schema":{"type":"object", "x":1.0}' in result.body
    first, second, third = json.loads(result.body)["tools"]
    assert (first["name"], first["description"], "strict" in first) == ("f", "d", False)
    assert second == {"name": "g", "input_schema": {"type": "object", "properties": {}}, "strict": True}
    assert (third["name"], list(third["input_schema"]["properties"])) == ("ns__patch", ["input"])
    assert result.dropped == ("tools.format",)
    older = encoded("claude-sonnet-4-0", tools=(Tool("g", strict=True),))
    assert b"strict" not in older.body
    assert older.dropped == ("tools.strict",)


def test_calls_of_custom_tools_and_namespaces_are_written_as_the_tools_are():
    turns = (
        USER,
        assistant(ToolCall("a", "patch", "*** Begin", custom=True, namespace="ns")),
        user(ToolResult("a", ())),
    )
    call = written(messages=turns)["messages"][1]["content"][0]
    assert call == {"type": "tool_use", "id": "a", "name": "ns__patch", "input": {"input": "*** Begin"}}


@pytest.mark.parametrize(
    ("choice", "parallel", "said"),
    [
        (None, None, None),
        (None, True, None),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (ToolChoice("auto"), None, {"type": "auto"}),
        (ToolChoice("none"), False, {"type": "none"}),
        (ToolChoice("required"), None, {"type": "any"}),
        (ToolChoice("required"), False, {"type": "any", "disable_parallel_tool_use": True}),
        (ToolChoice("named", ("f",)), None, {"type": "tool", "name": "f"}),
        (ToolChoice("named", ("g",)), None, {"type": "tool", "name": "ns__g"}),
    ],
)
def test_what_must_be_called_is_said(choice: ToolChoice | None, parallel: bool | None, said: object):
    tools = (TOOL, Tool("g", namespace="ns"))
    body = written(tools=tools, tool_choice=choice, parallel_tool_calls=parallel)
    assert body.get("tool_choice") == said
    assert "tool_choice" not in written(tool_choice=choice, parallel_tool_calls=parallel)


def test_a_choice_among_some_tools_offers_only_those():
    body = written(tools=(TOOL, Tool("g"), Tool("h")), tool_choice=ToolChoice("required", ("g", "h")))
    assert [tool["name"] for tool in body["tools"]] == ["g", "h"]
    assert body["tool_choice"] == {"type": "any"}


def test_web_search_is_offered_as_anthropics():
    assert written(web_search=True)["tools"] == [{"type": "web_search_20250305", "name": "web_search"}]


def test_models_that_decide_themselves_cannot_be_forced_to_call():
    forced = {"tools": (TOOL,), "tool_choice": ToolChoice("required")}
    assert refused(NEWEST, **forced) == "tool_choice"
    assert written(NEW, **forced)["tool_choice"] == {"type": "any"}


DISABLED = {"type": "disabled"}
ADAPTIVE = {"type": "adaptive"}


@pytest.mark.parametrize(
    ("model", "fields", "thinking", "effort", "dropped"),
    [
        (OLD, {}, None, None, ()),
        (OLD, {"effort": "none"}, None, None, ()),
        (OLD, {"effort": "minimal"}, {"type": "enabled", "budget_tokens": 1024}, None, ()),
        (OLD, {"effort": "high"}, {"type": "enabled", "budget_tokens": 16384}, None, ()),
        (OLD, {"effort": "high", "max_output_tokens": 2000}, {"type": "enabled", "budget_tokens": 1600}, None, ()),
        (OLD, {"effort": "high", "max_output_tokens": 1100}, None, None, ("reasoning_effort",)),
        (OLD, {"thinking_budget": 5000}, {"type": "enabled", "budget_tokens": 5000}, None, ()),
        (OLD, {"thinking_budget": 5}, {"type": "enabled", "budget_tokens": 1024}, None, ()),
        (OLD, {"thinking_budget": -1}, {"type": "enabled", "budget_tokens": 8192}, None, ()),
        (OLD, {"thinking_budget": 0}, None, None, ()),
        (OLD, {"include_thoughts": True}, None, None, ()),
        (OLD, {"effort": "low", "tools": (TOOL,), "tool_choice": ToolChoice("required")}, None, None, ("reasoning_effort",)),
        (MIDDLE, {"effort": "xhigh"}, ADAPTIVE, "high", ()),
        (MIDDLE, {"effort": "max", "include_thoughts": True}, ADAPTIVE, "max", ()),
        (MIDDLE, {"effort": "none"}, None, None, ()),
        (MIDDLE, {"thinking_budget": 5000}, {"type": "enabled", "budget_tokens": 5000}, None, ()),
        (MIDDLE, {"thinking_budget": -1}, ADAPTIVE, None, ()),
        (NEW, {}, None, None, ()),
        (NEW, {"effort": "none"}, DISABLED, None, ()),
        (NEW, {"effort": "minimal"}, ADAPTIVE, "low", ()),
        (NEW, {"effort": "xhigh"}, ADAPTIVE, "xhigh", ()),
        (NEW, {"effort": "low", "include_thoughts": True}, {"type": "adaptive", "display": "summarized"}, "low", ()),
        (NEW, {"include_thoughts": True}, {"type": "adaptive", "display": "summarized"}, None, ()),
        (NEW, {"thinking_budget": 1000}, ADAPTIVE, "low", ()),
        (NEW, {"thinking_budget": 5000}, ADAPTIVE, "medium", ()),
        (NEW, {"thinking_budget": 50000}, ADAPTIVE, "high", ()),
        (NEW, {"thinking_budget": 0}, DISABLED, None, ()),
        (NEW, {"effort": "low", "tools": (TOOL,), "tool_choice": ToolChoice("required")}, None, "low", ()),
        (NEWEST, {"effort": "none"}, None, "low", ("reasoning_effort",)),
        (NEWEST, {"effort": "medium"}, ADAPTIVE, "medium", ()),
        ("claude-3-haiku", {"effort": "high"}, None, None, ("reasoning_effort",)),
        ("glm-5", {"effort": "low"}, {"type": "enabled", "budget_tokens": 2048}, None, ()),
    ],
)  # fmt: skip
def test_thinking_goes_by_the_generation_of_the_model(
    model: str, fields: dict[str, Any], thinking: object, effort: str | None, dropped: tuple[str, ...]
):
    result = encoded(model, names={"effort": "reasoning_effort"}, **fields)
    body = json.loads(result.body)
    assert (body.get("thinking"), body.get("output_config", {}).get("effort")) == (thinking, effort)
    assert result.dropped == dropped


def test_a_budget_is_not_given_where_calls_without_thoughts_are_answered():
    loop = (USER, assistant(ToolCall("a", "f", "{}")), user(ToolResult("a", ())))
    result = encoded(OLD, messages=loop, effort="high")
    assert b"thinking" not in result.body
    assert result.dropped == ("effort",)
    thought = (USER, assistant(Thought("", "sig", "anthropic"), *loop[1].parts), loop[2])
    assert written(OLD, messages=thought, effort="high")["thinking"]["type"] == "enabled"
    assert written(NEW, messages=loop, effort="high")["thinking"] == ADAPTIVE
    assert (
        written(OLD, messages=(*loop, assistant(Text("x")), USER), effort="high")["thinking"]["type"]
        == "enabled"
    )


SAMPLING: dict[str, Any] = {"temperature": 0.5, "top_p": 0.9, "top_k": 40}


@pytest.mark.parametrize(
    ("model", "fields", "kept", "dropped"),
    [
        ("glm-5", SAMPLING, {"temperature", "top_p", "top_k"}, ()),
        ("claude-sonnet-4-0", SAMPLING, {"temperature", "top_p", "top_k"}, ()),
        (OLD, SAMPLING, {"temperature", "top_k"}, ("top_p",)),
        (OLD, {"top_p": 0.9}, {"top_p"}, ()),
        (OLD, {**SAMPLING, "effort": "low"}, set(), ("temperature", "top_p", "top_k")),
        (OLD, {**SAMPLING, "effort": "none"}, {"temperature", "top_k"}, ("top_p",)),
        (NEW, SAMPLING, set(), ("temperature", "top_p", "top_k")),
        (NEW, {"temperature": 1.0}, set(), ("temperature",)),
    ],
)
def test_sampling_goes_by_the_generation_of_the_model(
    model: str, fields: dict[str, Any], kept: set[str], dropped: tuple[str, ...]
):
    result = encoded(model, **fields)
    assert set(SAMPLING) & set(json.loads(result.body)) == kept
    assert result.dropped == dropped


def test_a_temperature_above_one_is_one_and_the_client_is_told():
    result = encoded(OLD, temperature=1.7)
    assert json.loads(result.body)["temperature"] == 1.0
    assert result.dropped == ("temperature",)


def test_a_schema_is_carried_as_spelled():
    schema = Format("schema", "n", b'{"type":"object", "x":1.0}', strict=True)
    body = encoded(OLD, format=schema).body
    assert b'"output_config":{"format":{"type":"json_schema","schema":{"type":"object", "x":1.0}}}' in body
    assert "output_config" not in written(OLD, format=Format("text"))
    both = written(NEW, format=schema, effort="low")["output_config"]
    assert (both["effort"], both["format"]["type"]) == ("low", "json_schema")


def test_settings_are_written_or_named():
    result = encoded(
        OLD, stop=("a",), user="u", service_tier="flex", stream=True, seed=1, presence_penalty=0.5, frequency_penalty=0.0,
        verbosity="low", metadata=b'{"a":"b"}', max_output_tokens=9, parallel_tool_calls=True,
        messages=(user(Text("hi"), Image(url="u", detail="high")),), names={"presence_penalty": "presencePenalty"},
    )  # fmt: skip
    body = json.loads(result.body)
    assert (body["stop_sequences"], body["metadata"], body["stream"]) == (["a"], {"user_id": "u"}, True)
    assert set(body) == {"model", "max_tokens", "messages", "stop_sequences", "metadata", "stream"}
    assert set(result.dropped) == {
        "detail",
        "service_tier",
        "seed",
        "presencePenalty",
        "verbosity",
        "metadata",
    }
    assert written(service_tier="default")["service_tier"] == "standard_only"
    assert written(service_tier="auto")["service_tier"] == "auto"


@pytest.mark.parametrize(
    ("model", "fields", "param"),
    [
        (OLD, {"choices": 2, "names": {"choices": "n"}}, "n"),
        (OLD, {"top_logprobs": 0}, "top_logprobs"),
        (OLD, {"modalities": ("text", "audio")}, "modalities"),
        (OLD, {"modalities": ("image",)}, "modalities"),
        (OLD, {"format": Format("json"), "names": {"format": "response_format"}}, "response_format"),
        ("claude-sonnet-4-0", {"format": Format("schema", schema=b"{}")}, "format"),
        (OLD, {"stop": ("a", " \n")}, "stop"),
    ],
)
def test_what_cannot_be_carried_is_refused_by_the_clients_name(
    model: str, fields: dict[str, Any], param: str
):
    assert refused(model, **fields) == param


def test_a_request_is_the_same_after_going_there_and_back():
    request = Request(
        messages=(
            Message("system", (Text("be brief"),)),
            user(Text("look"), Image(data="QQ==", mime="image/png"), File(data="QQ==", mime="application/pdf", filename="a.pdf")),
            assistant(Thought("hm", "sig", "anthropic"), Text("calling"), ToolCall("a", "f", '{"x": 1}'), ToolCall("b", "f", "{}")),
            user(ToolResult("a", (Text("1"),), "f"), ToolResult("b", (Text("2"),), "f", is_error=True), Text("and?")),
        ),
        tools=(TOOL,), tool_choice=ToolChoice("auto"), parallel_tool_calls=False, web_search=True,
        format=Format("schema", schema=b'{"type":"object"}'), max_output_tokens=4000, stop=("x",), effort="xhigh", thinking_budget=-1,
        include_thoughts=True, user="u", service_tier="auto", stream=True,
    )  # fmt: skip
    codec = AnthropicCodec()
    body = codec.encode_request(request, NEW).body
    back = codec.decode_request(Anthropic().peek(body, "/v1/messages"))
    assert msgspec.structs.replace(back, names={}) == request
