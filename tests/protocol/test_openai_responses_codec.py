"""OpenAI Responses, translated: requests of clients read, requests to upstreams written, signatures carried."""

from __future__ import annotations

import json

import msgspec
import pytest

from laidian.errors import BadRequest
from laidian.protocol.canonical import (
    Audio,
    File,
    Format,
    Image,
    Message,
    Refusal,
    Request,
    Text,
    TextDelta,
    Thought,
    ThoughtDelta,
    Tool,
    ToolCall,
    ToolChoice,
    ToolDelta,
    ToolFinished,
    ToolResult,
    ToolStarted,
)
from laidian.protocol.openai_responses_carrier import Carried, carried, carry
from tests.protocol.responses_speech import CODEC, SCHEMA, decoded, from_items, output, peeked


def refused(**fields: object) -> BadRequest:
    with pytest.raises(BadRequest) as caught:
        decoded(**fields)
    return caught.value


# Requests of clients


def test_a_plain_request_says_all_its_settings():
    request = decoded(
        instructions="be brief",
        stream=True,
        max_output_tokens=50,
        temperature=0.5,
        top_p=0.9,
        parallel_tool_calls=False,
        reasoning={"effort": "low", "summary": "auto"},
        text={"verbosity": "low", "format": {"type": "json_object"}},
        metadata={"a": "b"},
        service_tier="flex",
        safety_identifier="u1",
        include=["reasoning.encrypted_content"],
        store=False,
        prompt_cache_key="k",
        client_metadata={"x": "y"},
    )
    assert request.messages == (Message("system", (Text("be brief"),)), Message("user", (Text("hi"),)))
    assert (request.stream, request.max_output_tokens, request.temperature, request.top_p) == (
        True,
        50,
        0.5,
        0.9,
    )
    assert (request.effort, request.include_thoughts, request.verbosity) == ("low", True, "low")
    assert request.format == Format("json")
    assert (request.parallel_tool_calls, request.user, request.service_tier) == (False, "u1", "flex")
    assert request.metadata == b'{"a":"b"}'
    assert request.dropped == ()
    assert request.name_of("user") == "safety_identifier"
    assert request.name_of("format") == "text.format"


def test_a_thought_that_is_named_and_not_sent_is_left_out():
    """As the Vercel AI SDK 7.0.173 sends the second turn of a tool call unless `store` is false."""
    request = decoded(
        input=[
            {"role": "user", "content": "the weather?"},
            {"type": "item_reference", "id": "rs_1"},
            {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "21"},
        ]
    )
    assert request.dropped == ("input[].item_reference",)
    assert request.messages[1].parts == (ToolCall("c1", "weather", "{}"),)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"conversation": {"id": "conv_1"}}, "conversation"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"background": True}, "background"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0].type"),
        ({"input": [{"type": "compaction", "encrypted_content": "x"}]}, "input[0].type"),
        ({"input": [{"type": "computer_call_output", "call_id": "c", "output": {}}]}, "input[0].type"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]},
            "input[0].content[0].file_id",
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]},
            "input[0].content[0].file_id",
        ),
        ({"input": [{"role": "user", "content": [{"type": "input_video"}]}]}, "input[0].content[0].type"),
        ({"tool_choice": {"type": "file_search"}, "tools": [{"type": "file_search"}]}, "tool_choice"),
        ({"tool_choice": {"type": "web_search_preview"}, "tools": [{"type": "web_search"}]}, "tool_choice"),
        ({"tool_choice": {"type": "mcp", "server_label": "x"}}, "tool_choice"),
        ({"tool_choice": "required", "tools": [{"type": "code_interpreter"}]}, "tool_choice"),
        ({"text": {"format": {"type": "grammar"}}}, "text.format.type"),
    ],
)
def test_what_cannot_be_carried_is_a_400_naming_it(fields: dict[str, object], param: str):
    error = refused(**fields)
    assert (error.status, error.param, error.code) == (400, param, "unsupported_parameter")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": None}, "input"),
        ({"input": []}, "input"),
        ({"input": 5}, "input"),
        ({"input": [5]}, "input[0]"),
        ({"input": [{}]}, "input[0].type"),
        ({"input": [{"role": "robot", "content": "x"}]}, "input[0].role"),
        ({"input": [{"role": "user"}]}, "input[0].content"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_text", "text": 5}]}]},
            "input[0].content[0].text",
        ),
        ({"input": [{"role": "user", "content": [{"type": "input_text"}]}]}, "input[0].content[0].text"),
        ({"input": [{"type": "function_call", "name": "f", "arguments": "{}"}]}, "input[0].call_id"),
        (
            {"input": [{"type": "function_call", "call_id": "c", "name": "f", "arguments": {}}]},
            "input[0].arguments",
        ),
        ({"input": [{"type": "function_call_output", "call_id": "c"}]}, "input[0].output"),
        ({"input": [{"type": "function_call_output", "call_id": "c", "output": 5}]}, "input[0].output"),
        ({"tools": {}}, "tools"),
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
        ({"tools": [{"type": "function", "name": "f", "parameters": "x"}]}, "tools[0].parameters"),
        (
            {"tools": [{"type": "namespace", "name": "n", "tools": [{"type": "function"}]}]},
            "tools[0].tools[0].name",
        ),
        ({"tool_choice": "sometimes"}, "tool_choice"),
        ({"tool_choice": {"type": "function", "name": "nobody"}}, "tool_choice"),
        ({"reasoning": {"effort": "utmost"}}, "reasoning.effort"),
        ({"reasoning": []}, "reasoning"),
        ({"instructions": 5}, "instructions"),
        ({"metadata": {"a": 1}}, "metadata[...]"),
        ({"text": {"format": {"type": "json_schema", "name": "x"}}}, "text.format.schema"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "data:,"}]}]},
            "input[0].content[0].image_url",
        ),
    ],
)
def test_a_wrong_field_is_a_400_naming_it(fields: dict[str, object], param: str):
    error = refused(**fields)
    assert (error.status, error.param) == (400, param)


def test_deep_nesting_is_a_refusal():
    deep = b'{"model":"m","input":' + b'[{"content":' * 3000 + b"1" + b"}]" * 3000 + b"}"
    with pytest.raises(BadRequest):
        CODEC.decode_request(peeked(deep))


def test_every_kind_of_content_is_read():
    (message,) = from_items(
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "look"},
                {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low"},
                {"type": "input_image", "image_url": "https://x.test/a.png"},
                {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,BBBB"},
                {"type": "input_file", "filename": "a.txt", "file_data": "CCCC"},
                {"type": "input_file", "file_url": "https://x.test/a.pdf"},
                {"type": "input_audio", "input_audio": {"data": "DDDD", "format": "mp3"}},
            ],
        }
    )
    assert message == Message(
        "user",
        (
            Text("look"),
            Image(data="AAAA", mime="image/png", detail="low"),
            Image(url="https://x.test/a.png"),
            File(data="BBBB", mime="application/pdf", filename="a.pdf"),
            File(data="CCCC", mime="text/plain", filename="a.txt"),
            File(url="https://x.test/a.pdf"),
            Audio("DDDD", "audio/mp3"),
        ),
    )


def test_items_of_one_turn_become_one_message_and_their_outputs_another():
    messages = from_items(
        {"role": "developer", "content": "rules"},
        {"role": "user", "content": "go"},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "calling"}]},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a": 1}', "namespace": "ns"},
        {"type": "custom_tool_call", "call_id": "c2", "name": "patch", "input": "*** x"},
        {"type": "function_call_output", "call_id": "c1", "output": "one"},
        {
            "type": "custom_tool_call_output",
            "call_id": "c2",
            "output": [{"type": "input_text", "text": "two"}],
        },
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
        {"role": "user", "content": "again"},
    )
    assert messages == (
        Message("developer", (Text("rules"),)),
        Message("user", (Text("go"),)),
        Message(
            "assistant",
            (
                Thought("hm"),
                Text("calling"),
                ToolCall("c1", "f", '{"a": 1}', namespace="ns"),
                ToolCall("c2", "patch", "*** x", custom=True),
            ),
        ),
        Message(
            "user",
            (
                ToolResult("c1", (Text("one"),), name="f", namespace="ns"),
                ToolResult("c2", (Text("two"),), name="patch", custom=True),
            ),
        ),
        Message("assistant", (Refusal("no"),)),
        Message("user", (Text("again"),)),
    )


def test_a_tool_result_may_hold_pictures():
    parts = [{"type": "input_image", "image_url": "data:image/png;base64,AAAA"}]
    (message,) = from_items({"type": "function_call_output", "call_id": "c", "output": parts})
    assert message == Message("user", (ToolResult("c", (Image(data="AAAA", mime="image/png"),)),))


def test_tools_of_codex_keep_their_namespace_and_hosted_ones_are_named():
    """protocol.md 8, case 57."""
    body = (
        b'{"model":"m","input":"x","tools":['
        b'{"type":"function","name":"shell","description":"d","parameters":' + SCHEMA + b',"strict":true},'
        b'{"type":"namespace","name":"mcp__a","description":"A","tools":['
        b'{"type":"function","name":"look","parameters":' + SCHEMA + b"}]},"
        b'{"type":"custom","name":"patch","format":{"type":"grammar","syntax":"lark","definition":"a: b"}},'
        b'{"type":"custom","name":"free","format":{"type":"text"}},'
        b'{"type":"web_search","search_context_size":"low"},'
        b'{"type":"mcp","server_label":"x","server_url":"http://x"},{"type":"bad\\r\\nx: y"}],"tool_choice":"auto"}'
    )
    request = CODEC.decode_request(peeked(body))
    assert request.tools == (
        Tool("shell", "d", SCHEMA, True),
        Tool("look", "", SCHEMA, namespace="mcp__a"),
        Tool("patch", custom=True, grammar=b'{"type":"grammar","syntax":"lark","definition":"a: b"}'),
        Tool("free", custom=True),
    )
    assert request.web_search
    assert request.tool_choice == ToolChoice("auto")
    assert request.dropped == ("tools.web_search.search_context_size", "tools.mcp", "tools.unknown")


def test_tools_added_in_the_middle_of_the_conversation_are_tools():
    added = {"type": "additional_tools", "role": "developer", "tools": [{"type": "function", "name": "late"}]}
    request = decoded(input=[{"role": "user", "content": "x"}, added])
    assert [tool.name for tool in request.tools] == ["late"]


FUNCTIONS = [{"type": "function", "name": name} for name in ("a", "b")]


@pytest.mark.parametrize(
    ("choice", "expected", "names"),
    [
        ("none", ToolChoice("none"), ["a", "b"]),
        ("required", ToolChoice("required"), ["a", "b"]),
        ({"type": "function", "name": "b"}, ToolChoice("named", ("b",)), ["a", "b"]),
        (
            {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "b"}]},
            ToolChoice("required", ("b",)),
            ["b"],
        ),
        (
            {
                "type": "allowed_tools",
                "mode": "auto",
                "tools": [{"type": "function", "name": "a"}, {"type": "mcp"}],
            },
            ToolChoice("auto"),
            ["a"],
        ),
    ],
)
def test_tool_choices_are_read(choice: object, expected: ToolChoice, names: list[str]):
    request = decoded(tools=[*FUNCTIONS, {"type": "web_search"}], tool_choice=choice)
    assert request.tool_choice == expected
    assert [tool.name for tool in request.tools] == names
    assert request.web_search == (len(names) == 2)


def test_what_is_left_out_is_named_and_no_name_can_break_a_header():
    request = decoded(
        store=True,
        truncation="auto",
        max_tool_calls=3,
        moderation={"model": "x"},
        reasoning={"mode": "pro"},
        seed=4,
        **{"x\r\ny": 1},
        input=[
            {"type": "web_search_call", "id": "ws", "status": "completed", "action": {"type": "search"}},
            {"type": "reasoning", "summary": [], "encrypted_content": "gAAAAB=="},
            {"role": "user", "content": "hi"},
        ],
    )
    assert set(request.dropped) == {
        "store", "truncation", "max_tool_calls", "moderation", "reasoning.mode", "seed", "unknown_field",
        "input[].web_search_call", "input[].encrypted_content",
    }  # fmt: skip
    assert request.messages == (Message("user", (Text("hi"),)),)
    assert decoded(truncation="disabled", store=False).dropped == ()


def test_log_probabilities_are_asked_for_by_include():
    assert decoded(top_logprobs=3).top_logprobs is None
    assert decoded(include=["message.output_text.logprobs"]).top_logprobs == 0
    assert decoded(include=["message.output_text.logprobs"], top_logprobs=3).top_logprobs == 3


# Signatures of other makers


@pytest.mark.parametrize(
    "what",
    [
        Carried("c2ln", "gemini"),
        Carried("c2ln", "gemini", of_call=True),
        Carried("c2ln", "anthropic"),
        Carried("c2ln", "anthropic", redacted=True),
    ],
)
def test_a_signature_comes_back_as_what_it_was(what: Carried):
    assert carry(what).startswith(("gm1.", "an1."))
    assert carried(carry(what)) == what


def test_blobs_of_others_are_nobodys_signature():
    assert carried("gAAAAABo") is None
    assert carry(Carried("gAAAAABo", "responses")) == "gAAAAABo"


def test_signatures_written_into_a_stream_are_recognised_in_the_next_request():
    items = output(
        [
            ThoughtDelta("thinking", maker="anthropic"),
            ThoughtDelta(signature="c2ln", maker="anthropic"),
            ThoughtDelta(signature="cmVk", maker="anthropic", redacted=True),
            TextDelta("calling"),
            ToolStarted(0, "c1", "f", signature="Z2Vt"),
            ToolDelta(0, "{}"),
            ToolFinished(0),
            ToolStarted(1, "c2", "f"),
            ToolFinished(1),
        ],
        reason="tool_calls",
    )
    (message,) = from_items(*items)
    assert message.parts == (
        Thought("thinking", "c2ln", "anthropic"),
        Thought("", "cmVk", "anthropic", redacted=True),
        Text("calling"),
        ToolCall("c1", "f", "{}", signature="Z2Vt"),
        ToolCall("c2", "f", "{}"),
    )
    kinds = [item["type"] for item in items]
    assert kinds == ["reasoning", "reasoning", "message", "reasoning", "function_call", "function_call"]


def test_a_calls_signature_seals_the_thought_before_it():
    items = output(
        [ThoughtDelta("hm"), ToolStarted(0, "c1", "f", signature="Z2Vt"), ToolFinished(0)],
        reason="tool_calls",
    )
    assert [item["type"] for item in items] == ["reasoning", "function_call"]
    (message,) = from_items(*items)
    assert message.parts == (Thought("hm"), ToolCall("c1", "f", "{}", signature="Z2Vt"))


def test_a_signature_whose_call_is_gone_is_not_given_to_another():
    messages = from_items(
        {"type": "reasoning", "summary": [], "encrypted_content": "gm1.call.Z2Vt"},
        {"role": "user", "content": "never mind"},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
    )
    assert messages[-1].parts == (ToolCall("c", "f", "{}"),)


# Requests to upstreams


def encoded(request: Request) -> dict[str, object]:
    return json.loads(CODEC.encode_request(request, "up/m").body)


HELLO = (Message("user", (Text("hi"),)),)


def test_a_plain_request_is_stateless_and_asks_for_encrypted_reasoning():
    assert encoded(Request(HELLO)) == {
        "model": "up/m",
        "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}],
        "store": False,
        "include": ["reasoning.encrypted_content"],
    }
    assert CODEC.stream_path("m", stream=True) == "/responses"


def test_schemas_are_carried_as_they_are_spelled_and_strict_is_always_said():
    request = Request(
        HELLO,
        tools=(
            Tool("f", parameters=SCHEMA),
            Tool("g", strict=True),
            Tool("p", custom=True, grammar=b'{"type": "grammar"}'),
        ),
        web_search=True,
        format=Format("schema", "x", SCHEMA),
    )
    body = CODEC.encode_request(request, "m").body
    assert body.count(SCHEMA) == 2
    tools = json.loads(body)["tools"]
    assert [tool.get("strict") for tool in tools] == [False, True, None, None]
    assert tools[2] == {"type": "custom", "name": "p", "format": {"type": "grammar"}}
    assert tools[3] == {"type": "web_search"}
    assert json.loads(body)["text"]["format"]["strict"] is False


@pytest.mark.parametrize(
    ("choice", "written"),
    [
        (ToolChoice("auto"), "auto"),
        (ToolChoice("required"), "required"),
        (ToolChoice("named", ("f",)), {"type": "function", "name": "f"}),
        (ToolChoice("named", ("p",)), {"type": "custom", "name": "p"}),
        (
            ToolChoice("required", ("f", "p")),
            {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "f"}, {"type": "custom", "name": "p"}],
            },
        ),
    ],
)
def test_tool_choices_are_written(choice: ToolChoice, written: object):
    tools = (Tool("f"), Tool("p", custom=True))
    assert encoded(Request(HELLO, tools=tools, tool_choice=choice))["tool_choice"] == written
    assert "tool_choice" not in encoded(Request(HELLO, tool_choice=choice))


@pytest.mark.parametrize(
    ("request_", "param"),
    [
        (Request(HELLO, choices=2, names={"choices": "n"}), "n"),
        (Request(HELLO, stop=("x",), names={"stop": "stopSequences"}), "stopSequences"),
        (Request(HELLO, modalities=("text", "audio")), "modalities"),
        (
            Request(
                (Message("assistant", (Image(data="A", mime="image/png"),)),), names={"messages": "contents"}
            ),
            "contents",
        ),
    ],
)
def test_what_the_api_cannot_say_is_refused_by_the_clients_name(request_: Request, param: str):
    with pytest.raises(BadRequest) as caught:
        CODEC.encode_request(request_, "m")
    assert caught.value.param == param


def test_harmless_settings_are_named_by_the_clients_name():
    request = Request(
        (Message("assistant", (Thought("x", "sig", "anthropic"), Text("hi"))),),
        seed=1,
        top_k=2,
        frequency_penalty=0.1,
        max_output_tokens=5,
        service_tier="odd",
        names={"top_k": "topK", "max_output_tokens": "max_tokens"},
    )
    written = CODEC.encode_request(request, "m")
    assert written.dropped == ("seed", "topK", "frequency_penalty", "max_tokens", "service_tier", "reasoning")
    body = json.loads(written.body)
    assert body["max_output_tokens"] == 16
    assert not {"seed", "top_k", "frequency_penalty", "service_tier"} & body.keys()


@pytest.mark.parametrize(
    ("effort", "budget", "thoughts", "reasoning"),
    [
        (None, None, False, None),
        ("high", None, False, {"effort": "high"}),
        (None, None, True, {"summary": "auto"}),
        (None, 0, False, {"effort": "none"}),
        (None, 1024, True, {"effort": "low", "summary": "auto"}),
        (None, 8000, False, {"effort": "medium"}),
        (None, 30000, False, {"effort": "high"}),
        (None, -1, False, None),
    ],
)
def test_thinking_is_asked_for_by_effort(
    effort: str | None, budget: int | None, thoughts: bool, reasoning: object
):
    request = msgspec.convert(
        {"messages": [], "effort": effort, "thinking_budget": budget, "include_thoughts": thoughts}, Request
    )
    assert encoded(request).get("reasoning") == reasoning


CONVERSATION = Request(
    (
        Message("system", (Text("rules"),)),
        Message(
            "user",
            (Text("go"), Image(data="AAAA", mime="image/png", detail="low"), Audio("BBBB", "audio/wav")),
        ),
        Message(
            "user",
            (File(data="CCCC", mime="application/pdf", filename="a.pdf"), File(url="https://x.test/b")),
        ),
        Message(
            "assistant",
            (
                Thought("hm", "Z0FB", "responses"),
                Text("calling"),
                ToolCall("c1", "f", '{"a":  1}', namespace="ns"),
                ToolCall("c2", "p", "raw", custom=True),
            ),
        ),
        Message(
            "user",
            (
                ToolResult("c1", (Text("one"), Image(url="https://x.test/i")), name="f", namespace="ns"),
                ToolResult("c2", (Text("two"),), name="p", custom=True),
            ),
        ),
        Message("assistant", (Refusal("no"),)),
        Message("developer", (Text("more"),)),
        Message("user", (Text("again"),)),
    ),
    tools=(
        Tool("f", "d", SCHEMA, True, namespace="ns"),
        Tool("p", custom=True, grammar=b'{"type":"grammar"}'),
    ),
    web_search=True,
    tool_choice=ToolChoice("auto"),
    parallel_tool_calls=False,
    format=Format("schema", "x", SCHEMA, True, "d"),
    max_output_tokens=100,
    temperature=0.5,
    top_p=0.25,
    top_logprobs=2,
    effort="low",
    include_thoughts=True,
    verbosity="low",
    user="u",
    service_tier="flex",
    metadata=b'{"a":"b"}',
    stream=True,
)


def test_a_request_written_and_read_again_means_the_same():
    body = CODEC.encode_request(CONVERSATION, "m").body
    again = CODEC.decode_request(peeked(body))
    thoughtless = [
        msgspec.structs.replace(
            message,
            parts=tuple(
                Thought(part.text)
                if isinstance(part, Thought)
                else msgspec.structs.replace(part, detail="")
                if isinstance(part, Image) and part.detail == "auto"
                else part
                for part in message.parts
            ),
        )
        for message in CONVERSATION.messages
    ]
    # a blob of OpenAI's is never carried elsewhere; `detail` is said when it was not
    assert [without_auto(one) for one in again.messages] == thoughtless
    assert again.dropped == ("input[].encrypted_content",)
    for field in Request.__struct_fields__:
        if field not in ("messages", "dropped", "names"):
            assert getattr(again, field) == getattr(CONVERSATION, field), field


def without_auto(message: Message) -> Message:
    def plain(part: object) -> object:
        if isinstance(part, Image) and part.detail == "auto":
            return msgspec.structs.replace(part, detail="")
        if isinstance(part, ToolResult):
            return msgspec.structs.replace(part, parts=tuple(plain(one) for one in part.parts))
        return part

    return msgspec.structs.replace(message, parts=tuple(plain(one) for one in message.parts))
