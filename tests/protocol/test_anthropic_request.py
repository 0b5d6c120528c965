"""A client's Anthropic request in the canonical form: what is carried, what is named as left out, what is refused."""

import base64
import json

import pytest

from laidian.errors import BadRequest
from laidian.protocol.anthropic import Anthropic
from laidian.protocol.anthropic_codec import AnthropicCodec
from laidian.protocol.canonical import (
    File,
    Format,
    Image,
    Message,
    Part,
    Request,
    Text,
    Thought,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)

USER: list[object] = [{"role": "user", "content": "hi"}]


def decode(**fields: object) -> Request:
    body = {"model": "m", "max_tokens": 100, "messages": USER, **fields}
    return decode_bytes(json.dumps(body).encode())


def decode_bytes(body: bytes) -> Request:
    return AnthropicCodec().decode_request(Anthropic().peek(body, "/v1/messages"))


def parts(*blocks: object, role: str = "user") -> tuple[Part, ...]:
    return decode(messages=[{"role": role, "content": list(blocks)}]).messages[0].parts


def refused(**fields: object) -> str | None:
    with pytest.raises(BadRequest) as caught:
        decode(**fields)
    assert f"`{caught.value.param}" in caught.value.message
    return caught.value.param


def test_what_was_not_said_stays_unsaid():
    assert decode() == Request(
        messages=(Message("user", (Text("hi"),)),), max_output_tokens=100, names=decode().names
    )


def test_settings_are_carried():
    request = decode(
        temperature=1,
        top_p=0.5,
        top_k=7,
        stop_sequences=["a", "b"],
        metadata={"user_id": "u"},
        service_tier="auto",
        stream=True,
    )
    assert (request.temperature, request.top_p, request.top_k, request.stop) == (1.0, 0.5, 7, ("a", "b"))
    assert (request.user, request.service_tier, request.stream, request.dropped) == ("u", "auto", True, ())
    assert decode(service_tier="standard_only").service_tier == ""


def test_a_system_prompt_of_either_form_comes_first():
    system = [
        {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}},
        {"type": "text", "text": "b"},
    ]
    request = decode(system=system)
    assert request.messages[0] == Message("system", (Text("a"), Text("b")))
    assert request.dropped == ("cache_control",)
    assert decode(system="a").messages[0] == Message("system", (Text("a"),))
    assert decode(system="").messages[0].role == "user"
    inside = decode(messages=[*USER, {"role": "system", "content": "now shout"}])
    assert inside.messages[1] == Message("system", (Text("now shout"),))


@pytest.mark.parametrize(
    ("block", "part"),
    [
        ({"type": "text", "text": "a"}, Text("a")),
        (
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QQ=="}},
            Image(data="QQ==", mime="image/png"),
        ),
        (
            {"type": "image", "source": {"type": "url", "url": "https://a/b.png"}},
            Image(url="https://a/b.png"),
        ),
        (
            {
                "type": "document",
                "title": "t",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "QQ=="},
            },
            File(data="QQ==", mime="application/pdf", filename="t"),
        ),
        (
            {"type": "document", "source": {"type": "url", "url": "https://a/b.pdf"}},
            File(url="https://a/b.pdf", mime="application/pdf"),
        ),
        (
            {
                "type": "document",
                "title": "t",
                "source": {"type": "text", "media_type": "text/plain", "data": "words"},
            },
            Text("t\nwords"),
        ),
        ({"type": "document", "source": {"type": "content", "content": "words"}}, Text("words")),
        (
            {
                "type": "search_result",
                "title": "t",
                "source": "https://a",
                "content": [{"type": "text", "text": "words"}],
            },
            Text("t\nhttps://a\nwords"),
        ),
    ],
)
def test_content_of_a_user_is_carried(block: object, part: Part):
    assert parts(block) == (part,)


def test_what_is_said_about_a_document_is_not_lost():
    block = {
        "type": "document",
        "context": "read this",
        "citations": {"enabled": True},
        "source": {"type": "base64", "media_type": "application/pdf", "data": "QQ=="},
    }
    request = decode(messages=[{"role": "user", "content": [block]}])
    assert request.messages[0].parts == (Text("read this"), File(data="QQ==", mime="application/pdf"))
    assert request.dropped == ("citations",)


def test_thinking_keeps_its_signature_and_its_maker():
    assert parts(
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        {"type": "thinking", "thinking": "", "signature": "omitted"},
        {"type": "thinking", "thinking": "shown by us", "signature": ""},
        {"type": "redacted_thinking", "data": "sealed"},
        role="assistant",
    ) == (
        Thought("hm", "sig", "anthropic"),
        Thought("", "omitted", "anthropic"),
        Thought("shown by us", "", ""),  # nobody's proof, so nobody's thought
        Thought("", "sealed", "anthropic", redacted=True),
    )


def test_calls_keep_their_spelling_and_results_learn_their_tool():
    body = (
        b'{"model":"m","max_tokens":9,"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f",'
        b'"input":{ "n":1.50, "s":"\\u6c34"}},{"type":"tool_use","id":"b","name":"g"}]},'
        b'{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"ok"},'
        b'{"type":"tool_result","tool_use_id":"b","is_error":true,"content":[{"type":"text","text":"no"},'
        b'{"type":"image","source":{"type":"url","url":"u"}}]},{"type":"tool_result","tool_use_id":"gone"}]}]}'
    )
    calls, results = decode_bytes(body).messages
    assert calls.parts == (ToolCall("a", "f", '{ "n":1.50, "s":"\\u6c34"}'), ToolCall("b", "g", "{}"))
    assert results.parts == (
        ToolResult("a", (Text("ok"),), "f"),
        ToolResult("b", (Text("no"), Image(url="u")), "g", is_error=True),
        ToolResult("gone", (), ""),
    )


def test_tools_are_carried_with_their_schema_as_spelled():
    body = (
        b'{"model":"m","max_tokens":9,"messages":[],"tools":[{"name":"f","input_schema":{"type":"object", "x":1.0}},'
        b'{"type":"custom","name":"g","description":"d","strict":true,"input_schema":{},"cache_control":{"type":"ephemeral"}},'
        b'{"type":"web_search_20250305","name":"web_search","max_uses":3}]}'
    )
    request = decode_bytes(body)
    assert request.tools == (
        Tool("f", parameters=b'{"type":"object", "x":1.0}'),
        Tool("g", "d", b"{}", strict=True),
    )
    assert request.web_search
    assert request.dropped == ("cache_control", "tools.max_uses")


@pytest.mark.parametrize(
    ("said", "choice", "parallel"),
    [
        ({"type": "auto"}, ToolChoice("auto"), None),
        ({"type": "none"}, ToolChoice("none"), None),
        ({"type": "any", "disable_parallel_tool_use": True}, ToolChoice("required"), False),
        (
            {"type": "tool", "name": "f", "disable_parallel_tool_use": False},
            ToolChoice("named", ("f",)),
            True,
        ),
    ],
)
def test_what_must_be_called_is_carried(said: object, choice: ToolChoice, parallel: bool | None):
    request = decode(tool_choice=said)
    assert (request.tool_choice, request.parallel_tool_calls) == (choice, parallel)


@pytest.mark.parametrize(
    ("fields", "effort", "budget", "shown"),
    [
        ({}, None, None, False),
        ({"output_config": {"effort": "max"}}, "max", None, False),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, None, 2000, True),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}, "low", -1, True),
        ({"thinking": {"type": "adaptive", "display": "omitted"}}, None, -1, False),
        ({"thinking": {"type": "between_tools"}}, None, -1, True),
        ({"thinking": {"type": "disabled"}, "output_config": {"effort": "high"}}, "none", 0, False),
    ],
)
def test_thinking_in_all_its_forms(
    fields: dict[str, object], effort: str | None, budget: int | None, shown: bool
):
    request = decode(**fields)
    assert (request.effort, request.thinking_budget, request.include_thoughts) == (effort, budget, shown)
    overruled = effort == "none"
    assert request.dropped == (("output_config.effort",) if overruled else ())


def test_a_schema_is_carried_from_its_new_and_from_its_old_place():
    body = b'{"model":"m","max_tokens":9,"messages":[],"%b":%b}'
    schema = b'{"type":"json_schema","schema":{"type":"object", "n":1.0}}'
    carried = Format("schema", schema=b'{"type":"object", "n":1.0}')
    assert decode_bytes(body % (b"output_config", b'{"format":' + schema + b"}")).format == carried
    assert decode_bytes(body % (b"output_format", schema)).format == carried


def test_what_only_tunes_is_named_and_nothing_else_is_lost_in_silence():
    request = decode(
        cache_control={"type": "ephemeral"},
        context_management={"edits": []},
        speed="fast",
        diagnostics={},
        novelty=1,
    )
    assert set(request.dropped) == {"cache_control", "context_management", "speed", "diagnostics", "novelty"}


def test_searches_of_earlier_turns_are_left_out_by_name():
    content = [
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}},
        {
            "type": "web_search_tool_result",
            "tool_use_id": "s",
            "content": [{"type": "web_search_result", "url": "u"}],
        },
        {"type": "text", "text": "found", "citations": [{"type": "web_search_result_location", "url": "u"}]},
    ]
    request = decode(messages=[{"role": "assistant", "content": content}])
    assert request.messages[0].parts == (Text("found"),)
    assert request.dropped == ("server_tool_use", "web_search_tool_result")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": None}, "messages"),
        ({"messages": 5}, "messages"),
        ({"messages": ["hi"]}, "messages.0"),
        ({"messages": [{"role": "user"}]}, "messages.0"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages.0.content"),
        ({"messages": [{"role": "robot", "content": "hi"}]}, "messages.0.role"),
        ({"messages": [*USER, {"role": "user", "content": [{"type": "text"}]}]}, "messages.1.content.0.text"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": 5}]}]}, "messages.0.content.0.text"),
        ({"messages": [{"role": "user", "content": [{"type": "container_upload"}]}]}, "messages.0.content.0"),
        ({"messages": [{"role": "user", "content": [{"type": "image"}]}]}, "messages.0.content.0.source"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "file", "file_id": "f"}}]}]},
            "messages.0.content.0.source",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "base64", "data": 5}}]}]},
            "messages.0.content.0.source.data",
        ),
        (
            {"messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": "{}"}]}]},
            "messages.0.content.0.input",
        ),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [{"type": "tool_result", "tool_use_id": "a", "content": [{"type": "tool_reference"}]}],
                    }
                ]
            },
            "messages.0.content.0.content.0",
        ),
        ({"messages": [{"role": "assistant", "content": [{"type": "server_tool_use", "name": "code"}]}]}, "messages.0.content.0"),
        ({"system": 5}, "system"),
        ({"system": [{"type": "text", "text": None}]}, "system.0.text"),
        ({"tools": [{"name": "f"}]}, "tools.0.input_schema"),
        ({"tools": [{"input_schema": {}}]}, "tools.0.name"),
        ({"tools": [{"type": "bash_20250124", "name": "bash"}]}, "tools.0"),
        ({"tools": [{"type": "code_execution_20250825", "name": "code_execution"}]}, "tools.0"),
        ({"tools": [{"type": "web_search_20260209", "name": "web_search", "allowed_domains": ["a"]}]}, "tools.0.allowed_domains"),
        ({"tools": [{"type": "web_search_20260209", "name": "web_search", "blocked_domains": ["a"]}]}, "tools.0.blocked_domains"),
        ({"tool_choice": {"type": "maybe"}}, "tool_choice"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice"),
        ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens"),
        ({"thinking": {"type": "loud"}}, "thinking.type"),
        ({"output_config": {"effort": "heroic"}}, "output_config.effort"),
        ({"output_config": {"format": {"type": "xml"}}}, "output_config.format"),
        ({"stop_sequences": "a"}, "stop_sequences"),
        ({"temperature": "1"}, "temperature"),
        ({"top_k": 1.5}, "top_k"),
        ({"container": "c"}, "container"),
        ({"mcp_servers": [{"url": "u"}]}, "mcp_servers"),
        ({"inference_geo": "us"}, "inference_geo"),
        ({"max_tokens": 0}, "max_tokens"),
    ],
)  # fmt: skip
def test_what_is_wrong_or_cannot_be_carried_is_refused_by_name(fields: dict[str, object], param: str):
    assert refused(**fields) == param


def test_a_file_of_text_is_the_same_text_after_a_round_trip():
    text = base64.b64encode("文字".encode()).decode()
    request = Request(
        messages=(Message("user", (File(data=text, mime="text/markdown", filename="t.md"),)),),
        max_output_tokens=9,
    )
    body = AnthropicCodec().encode_request(request, "claude-opus-4-5").body
    assert decode_bytes(body).messages[0].parts == (Text("t.md\n文字"),)


def test_deep_nesting_is_a_400():
    deep = b"[" * 100_000
    with pytest.raises(BadRequest):
        decode_bytes(b'{"model":"m","max_tokens":9,"messages":' + deep)
