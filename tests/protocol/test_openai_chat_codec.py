"""Chat Completions as one end of a translation: what is read, refused, dropped and written, and what odd servers send."""

import json
from typing import Any

import httpx2
import msgspec
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laidian.domain.usage import Usage
from laidian.errors import BadRequest
from laidian.protocol.canonical import (
    Audio,
    Cited,
    Event,
    File,
    Finished,
    Format,
    Image,
    ImageMade,
    Message,
    Refusal,
    RefusalDelta,
    Request,
    Started,
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
    Used,
)
from laidian.protocol.dialect import Peek, StreamFault
from laidian.protocol.openai_chat import OpenAIChat
from laidian.protocol.openai_chat_codec import OpenAIChatCodec
from laidian.simulated.openai_chat_checks import chat_prompt

CODEC = OpenAIChatCodec()
HELLO = [{"role": "user", "content": "hi"}]
ASKED = Request((Message("user", (Text("hi"),)),))
BEGUN = Started("chatcmpl-1", "up", 1_795_000_000)
USED = Used(Usage(input=7, cached_input=3, output=2, reasoning=5))


def peek(**fields: Any) -> Peek:
    return OpenAIChat().peek(json.dumps({"model": "m", "messages": HELLO, **fields}).encode(), "/v1")


def decoded(**fields: Any) -> Request:
    return CODEC.decode_request(peek(**fields))


def encoded(request: Request, model: str = "llama-4") -> dict[str, Any]:
    body = json.loads(CODEC.encode_request(request, model).body)
    chat_prompt(body)
    return body


def sent(*messages: Message, model: str = "llama-4", **more: Any) -> list[dict[str, Any]]:
    return encoded(Request(messages, **more), model)["messages"]


def event(*deltas: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
    choices = [{"index": 0, "delta": delta, "finish_reason": finish} for delta in deltas or ({},)]
    chunk = {"id": "chatcmpl-1", "created": 1_795_000_000, "model": "up", "choices": choices} | more
    return b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\n\n"


def call(
    index: int | None, id: str | None = None, name: str | None = None, arguments: str = ""
) -> dict[str, Any]:
    piece: dict[str, Any] = {"function": {"name": name, "arguments": arguments}, "id": id}
    return {"tool_calls": [piece | ({} if index is None else {"index": index})]}


def read(*pieces: bytes) -> list[Event]:
    reader = CODEC.reader()
    events: list[Event] = []
    for piece in pieces:
        events += reader.feed(piece)
    return events + reader.end()


def written(*events: Event, request: Request = ASKED, **fields: Any) -> bytes:
    """The stream of an answer, from its start to its end."""
    writer = CODEC.writer(peek(stream=True, **fields), request)
    return writer.write([BEGUN, *events, Finished("stop")]) + writer.end()


def deltas(stream: bytes) -> list[dict[str, Any]]:
    chunks = [json.loads(line[6:]) for line in stream.decode().split("\n") if line.startswith("data: {")]
    return [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]


def whole(*events: Event, request: Request = ASKED, **fields: Any) -> dict[str, Any]:
    body = CODEC.write_whole(peek(**fields), request, [BEGUN, *events, Finished("stop")])
    return json.loads(body)["choices"][0]["message"]


class TestReadingRequests:
    def test_every_part_of_a_message_finds_its_place(self):
        request = decoded(
            messages=[
                {"role": "developer", "content": "d"},
                {"role": "system", "content": [{"type": "text", "text": "s"}]},
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "t", "cache_control": {"type": "ephemeral"}},
                        {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}},
                        {"type": "image_url", "image_url": "data:image/jpeg;base64,AAAA"},
                        {"type": "input_audio", "input_audio": {"data": "BBBB", "format": "mp3"}},
                        {
                            "type": "file",
                            "file": {"file_data": "data:application/pdf;base64,CCCC", "filename": "a.pdf"},
                        },
                        {"type": "file", "file": {"file_data": "DDDD", "filename": "b.PDF"}},
                        {"type": "file", "file": {"file_id": "file-1"}},
                    ],
                },
                {"role": "assistant", "content": "", "refusal": "no"},
            ]
        )
        assert request.messages == (
            Message("developer", (Text("d"),)),
            Message("system", (Text("s"),)),
            Message(
                "user",
                (
                    Text("t"),
                    Image(url="https://x/y.png", detail="low"),
                    Image("AAAA", "image/jpeg"),
                    Audio("BBBB", "audio/mp3"),
                    File("CCCC", "application/pdf", "a.pdf"),
                    File("DDDD", "application/pdf", "b.PDF"),
                    File(file_id="file-1"),
                ),
            ),
            Message("assistant", (Refusal("no"),)),
        )
        assert request.dropped == ()

    def test_a_tool_result_knows_its_tool(self):
        request = decoded(
            messages=[
                *HELLO,
                {
                    "role": "assistant",
                    "content": None,
                    "reasoning_content": "hm",
                    "tool_calls": [
                        {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x" :1.0}'},
                         "extra_content": {"google": {"thought_signature": "sig"}}},
                        {"id": "b", "type": "custom", "custom": {"name": "g", "input": "raw"}},
                    ],
                },
                {"role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "B"}]},
                {"role": "tool", "tool_call_id": "a", "content": "A"},
            ]
        )  # fmt: skip
        assert request.messages[1:] == (
            Message(
                "assistant",
                (
                    Thought("hm"),
                    ToolCall("a", "f", '{"x" :1.0}', signature="sig"),
                    ToolCall("b", "g", "raw", custom=True),
                ),
            ),
            Message("user", (ToolResult("b", (Text("B"),), "g", custom=True),)),
            Message("user", (ToolResult("a", (Text("A"),), "f"),)),
        )

    def test_signed_thoughts_come_back_one_by_one(self):
        details = [
            {
                "type": "reasoning.text",
                "text": "one",
                "signature": "s1",
                "format": "anthropic-claude-v1",
                "index": 0,
            },
            {"type": "reasoning.encrypted", "data": "d", "format": "anthropic-claude-v1", "index": 1},
            {"type": "reasoning.text", "text": "unsigned", "index": 2},
        ]
        request = decoded(
            messages=[
                *HELLO,
                {
                    "role": "assistant",
                    "content": "x",
                    "reasoning_content": "one…",
                    "reasoning_details": details,
                },
            ]
        )
        assert request.messages[1].parts == (
            Thought("one", "s1", "anthropic"),
            Thought("", "d", "anthropic", redacted=True),
            Text("x"),
        )

    def test_settings_are_read_and_named_as_the_client_named_them(self):
        request = decoded(
            max_tokens=9, temperature=1, top_p=0.5, top_k=4, stop="END", seed=-3, presence_penalty=0.5,
            frequency_penalty=-0.5, logprobs=True, top_logprobs=2, reasoning_effort="xhigh", verbosity="low",
            modalities=["text", "image"], user="u", service_tier="flex", metadata={"k": "v"}, n=1,
            web_search_options={}, parallel_tool_calls=False,
            response_format={"type": "json_object"}, tools=[{"type": "function", "function": {"name": "f"}}],
            tool_choice="none",
        )  # fmt: skip
        assert request == Request(
            messages=(Message("user", (Text("hi"),)),),
            tools=(Tool("f"),), web_search=True, tool_choice=ToolChoice("none"), parallel_tool_calls=False,
            format=Format("json"), max_output_tokens=9, temperature=1.0, top_p=0.5, top_k=4, stop=("END",), seed=-3,
            presence_penalty=0.5, frequency_penalty=-0.5, top_logprobs=2, effort="xhigh", verbosity="low",
            modalities=("text", "image"), user="u", service_tier="flex", metadata=b'{"k":"v"}', names=request.names,
        )  # fmt: skip
        assert request.name_of("max_output_tokens") == "max_tokens"
        newer = decoded(max_tokens=9, max_completion_tokens=8)
        assert (newer.max_output_tokens, newer.name_of("max_output_tokens")) == (8, "max_completion_tokens")

    def test_schemas_are_not_respelled(self):
        body = b'{"model":"m","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f","parameters":{ "type" :"object","x":1.50}}}],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{ "a" : 1e2 }}}}'
        request = CODEC.decode_request(OpenAIChat().peek(body, "/v1"))
        assert request.tools[0].parameters == b'{ "type" :"object","x":1.50}'
        assert request.format == Format("schema", "n", b'{ "a" : 1e2 }')

    @pytest.mark.parametrize(
        ("choice", "names", "read_choice"),
        [
            ("auto", ("f", "g"), ToolChoice("auto")),
            ("required", ("f", "g"), ToolChoice("required")),
            ({"type": "function", "function": {"name": "g"}}, ("f", "g"), ToolChoice("named", ("g",))),
            (
                {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "g"}}]}},
                ("f", "g"),
                ToolChoice("required", ("g",)),
            ),
            (
                {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "g"}}]}},
                ("g",),
                ToolChoice("auto"),
            ),
        ],
    )  # fmt: skip
    def test_tool_choices(self, choice: Any, names: tuple[str, ...], read_choice: ToolChoice):
        tools = [{"type": "function", "function": {"name": name}} for name in ("f", "g")]
        request = decoded(tools=tools, tool_choice=choice)
        assert (tuple(tool.name for tool in request.tools), request.tool_choice) == (names, read_choice)

    def test_what_only_files_away_or_is_unknown_is_dropped_by_name(self):
        request = decoded(
            logit_bias={}, prediction={"type": "content"}, store=True, prompt_cache_key="k", enable_thinking=True,
            web_search_options={"search_context_size": "low", "user_location": {"type": "approximate"}},
            messages=[{"role": "user", "content": "hi", "name": "ann"}],
        )  # fmt: skip
        assert sorted(request.dropped) == [
            "enable_thinking", "logit_bias", "messages[].name", "prediction", "prompt_cache_key", "store",
            "web_search_options.search_context_size", "web_search_options.user_location",
        ]  # fmt: skip
        assert decoded(store=False, logit_bias=None).dropped == ()

    def test_openrouters_reasoning_is_understood(self):
        request = decoded(reasoning={"effort": "low", "max_tokens": 2000})
        assert (request.effort, request.thinking_budget, request.include_thoughts) == ("low", 2000, True)
        assert not decoded(reasoning={"exclude": True}).include_thoughts
        assert decoded(include_reasoning=True).include_thoughts

    @pytest.mark.parametrize(
        ("fields", "param"),
        [
            ({"n": 2}, "n"),
            ({"audio": {"voice": "alloy", "format": "wav"}}, "audio"),
            ({"modalities": ["text", "audio"]}, "modalities"),
            ({"moderation": {"model": "x"}}, "moderation"),
            ({"messages": []}, "messages"),
            ({"messages": None}, "messages"),
            ({"messages": "hi"}, "messages"),
            ({"messages": [5]}, "messages[0]"),
            ({"messages": [{}]}, "messages[0].role"),
            ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
            ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
            ({"messages": [{"role": "user", "content": [{"type": "video_url"}]}]}, "messages[0].content[0].type"),
            ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].type"),
            ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "gs://x"}}]}]}, "messages[0].content[0].image_url.url"),
            ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:text/html;base64,AA"}}]}]}, "messages[0].content[0].image_url.url"),
            ({"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "", "format": "flac"}}]}]}, "messages[0].content[0].input_audio.format"),
            ({"messages": [{"role": "user", "content": [{"type": "file", "file": {}}]}]}, "messages[0].content[0].file"),
            ({"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_data": "AAAA"}}]}]}, "messages[0].content[0].file.file_data"),
            ({"messages": [{"role": "system", "content": [{"type": "image_url", "image_url": {"url": "https://x"}}]}]}, "messages[0].content[0]"),
            ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
            ({"messages": [{"role": "function", "content": "x"}]}, "messages[0].name"),
            ({"messages": [{"role": "assistant", "audio": {"id": "a"}}]}, "messages[0].audio"),
            ({"messages": [{"role": "assistant", "tool_calls": [{"id": "a"}]}]}, "messages[0].tool_calls[0].function.name"),
            ({"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f"}}]}]}, "messages[0].tool_calls[0].id"),
            ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
            ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
            ({"tools": [{"type": "function", "function": {"name": "f", "parameters": []}}]}, "tools[0].function.parameters"),
            ({"tools": {}}, "tools"),
            ({"tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": "always"}, "tool_choice"),
            ({"tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": {"type": "x"}}, "tool_choice.type"),
            ({"tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": {"type": "function"}}, "tool_choice"),
            ({"response_format": {"type": "xml"}}, "response_format.type"),
            ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
            ({"reasoning_effort": "extreme"}, "reasoning_effort"),
            ({"reasoning": {"effort": "extreme"}}, "reasoning.effort"),
            ({"temperature": "hot"}, "temperature"),
            ({"stop": 5}, "stop"),
            ({"stop": [5]}, "stop[0]"),
            ({"metadata": {"k": 1}}, "metadata[...]"),
            ({"seed": 1.5}, "seed"),
        ],
    )  # fmt: skip
    def test_what_is_wrong_or_cannot_be_carried_is_a_400_naming_it(self, fields: dict[str, Any], param: str):
        with pytest.raises(BadRequest) as caught:
            decoded(**fields)
        assert caught.value.param == param
        assert param.split("[")[0].split(".")[0] in caught.value.message

    def test_json_that_is_too_deep_is_a_400(self):
        deep = b"[" * 900 + b"]" * 900
        body = b'{"model":"m","messages":[{"role":"user","content":' + deep + b"}]}"
        with pytest.raises(BadRequest):
            CODEC.decode_request(OpenAIChat().peek(body, "/v1"))

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.sampled_from(["function", "text", "user", "tool"]),
            lambda inner: st.lists(inner, max_size=2)
            | st.dictionaries(
                st.sampled_from(["role", "content", "type", "text", "function", "name", "tool_calls", "id", "image_url", "url"]),
                inner,
                max_size=3,
            ),
            max_leaves=8,
        ),
        st.sampled_from(["messages", "tools", "tool_choice", "response_format", "stop", "reasoning", "functions", "modalities"]),
    )  # fmt: skip
    def test_no_nonsense_makes_a_traceback(self, value: Any, name: str):
        try:
            request = decoded(**{name: value})
        except BadRequest:
            return
        assert request.messages


class TestWritingRequests:
    @pytest.mark.parametrize(
        ("model", "field"),
        [
            ("gpt-5.4", "max_completion_tokens"), ("openai/gpt-6-sol", "max_completion_tokens"), ("o4-mini", "max_completion_tokens"),
            ("gpt-4o", "max_tokens"), ("gpt-oss-120b", "max_tokens"), ("llama-4", "max_tokens"), ("kimi-k2", "max_tokens"),
        ],
    )  # fmt: skip
    def test_the_output_limit_has_the_name_that_the_model_knows(self, model: str, field: str):
        body = encoded(msgspec.structs.replace(ASKED, max_output_tokens=5), model)
        assert {name: body[name] for name in body if name.startswith("max")} == {field: 5}

    def test_a_plain_request_says_nothing_that_was_not_said(self):
        assert encoded(ASKED) == {"model": "llama-4", "messages": HELLO}
        assert encoded(msgspec.structs.replace(ASKED, stream=True)) == {
            "model": "llama-4",
            "messages": HELLO,
            "stream": True,
            "stream_options": {"include_usage": True},
        }

    def test_developer_turns_are_written_as_system(self):
        assert sent(Message("developer", (Text("a"), Text("b"))), *ASKED.messages)[0] == {
            "role": "system",
            "content": "a\n\nb",
        }

    def test_calls_and_results_that_stand_apart_are_brought_together(self):
        messages = sent(
            *ASKED.messages,
            Message("assistant", (Text("let me see"),)),
            Message("assistant", (ToolCall("a", "f", "{}"),)),
            Message("assistant", (ToolCall("b", "g", '{"x":1}', signature="sig"),)),
            Message("user", (ToolResult("a", (Text("A"), Image("AAAA", "image/png"))),)),
            Message("user", (ToolResult("b", (Text("B1"), Text("B2"))), Text("and now?"))),
        )
        assert messages[1:] == [
            {
                "role": "assistant",
                "content": "let me see",
                "tool_calls": [
                    {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                    {
                        "id": "b",
                        "type": "function",
                        "function": {"name": "g", "arguments": '{"x":1}'},
                        "extra_content": {"google": {"thought_signature": "sig"}},
                    },
                ],
            },
            {"role": "tool", "tool_call_id": "a", "content": "A"},
            {"role": "tool", "tool_call_id": "b", "content": "B1\nB2"},
            {
                "role": "user",
                "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}],
            },
            {"role": "user", "content": "and now?"},
        ]

    def test_extensions_are_kept_from_openais_own_models(self):
        turns = (
            *ASKED.messages,
            Message("assistant", (Thought("hm", "s", "gemini"), ToolCall("a", "f", "{}", signature="s"))),
            Message("user", (ToolResult("a", (Text("A"),)),)),
        )
        extended = sent(*turns)[1]
        assert extended["reasoning_content"] == "hm"
        assert extended["tool_calls"][0]["extra_content"] == {"google": {"thought_signature": "s"}}
        plain = CODEC.encode_request(Request(turns), "gpt-5.4")
        assert b"hm" not in plain.body
        assert b"extra_content" not in plain.body
        assert plain.dropped == ("messages[].reasoning",)

    def test_a_turn_of_reasoning_alone_is_left_out(self):
        assert len(sent(*ASKED.messages, Message("assistant", (Thought("hm"),)), *ASKED.messages)) == 2

    @pytest.mark.parametrize(
        ("effort", "budget", "model", "written_effort", "dropped"),
        [
            ("minimal", None, "x", "minimal", ()),
            ("high", 5, "x", "high", ()),
            (None, 0, "gpt-5.4", "none", ()),
            (None, 0, "x", None, ("thinking_budget",)),
            (None, -1, "x", None, ("thinking_budget",)),
            (None, 1024, "x", "low", ()),
            (None, 8192, "x", "medium", ()),
            (None, 20000, "x", "high", ()),
        ],
    )
    def test_a_budget_of_thought_becomes_an_effort(
        self,
        effort: Any,
        budget: int | None,
        model: str,
        written_effort: str | None,
        dropped: tuple[str, ...],
    ):
        result = CODEC.encode_request(
            msgspec.structs.replace(ASKED, effort=effort, thinking_budget=budget), model
        )
        assert json.loads(result.body).get("reasoning_effort") == written_effort
        assert result.dropped == dropped

    def test_only_the_allowed_tools_are_offered_where_one_of_some_must_be_called(self):
        tools = (Tool("f"), Tool("g", namespace="ns"), Tool("h"))
        body = encoded(
            msgspec.structs.replace(ASKED, tools=tools, tool_choice=ToolChoice("required", ("f", "g")))
        )
        assert [tool["function"]["name"] for tool in body["tools"]] == ["f", "ns__g"]
        assert body["tool_choice"] == "required"
        named = encoded(msgspec.structs.replace(ASKED, tools=tools, tool_choice=ToolChoice("named", ("g",))))
        assert named["tool_choice"] == {"type": "function", "function": {"name": "ns__g"}}

    def test_a_choice_of_tools_without_tools_is_not_written(self):
        request = msgspec.structs.replace(ASKED, tool_choice=ToolChoice("none"), parallel_tool_calls=True)
        assert encoded(request) == {"model": "llama-4", "messages": HELLO}

    def test_what_does_no_harm_is_dropped_by_the_clients_name(self):
        request = msgspec.structs.replace(
            ASKED, top_k=4, web_search=True, metadata=b"{}", service_tier="standard_only", verbosity="max",
            names={"top_k": "generationConfig.topK"},
        )  # fmt: skip
        assert set(CODEC.encode_request(request, "x").dropped) == {
            "generationConfig.topK", "web_search", "metadata", "service_tier", "verbosity",
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("change", "param"),
        [
            ({"choices": 2}, "choices"),
            ({"modalities": ("audio",)}, "modalities"),
            ({"messages": (Message("user", (File(url="https://x/y.pdf"),)),)}, "contents"),
            ({"messages": (Message("user", (Audio("AA", "audio/flac"),)),)}, "contents"),
            ({"messages": (Message("system", (Image(url="https://x"),)),)}, "contents"),
            ({"messages": (Message("assistant", (Audio("AA", "audio/wav"),)),)}, "contents"),
        ],
    )
    def test_what_chat_cannot_say_is_refused_by_the_clients_name(self, change: dict[str, Any], param: str):
        request = msgspec.structs.replace(ASKED, names={"messages": "contents"}, **change)
        with pytest.raises(BadRequest) as caught:
            CODEC.encode_request(request, "x")
        assert caught.value.param == param

    def test_a_picture_the_model_made_goes_back_where_it_can(self):
        turns = (*ASKED.messages, Message("assistant", (Image("AAAA", "image/png"),)))
        image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
        body = json.loads(CODEC.encode_request(Request(turns), "gemini-3-pro-image").body)
        assert body["messages"][1]["images"] == [image]
        with pytest.raises(BadRequest):
            CODEC.encode_request(Request(turns), "gpt-5.4")

    @given(st.data())
    def test_what_is_written_reads_as_the_same(self, data: st.DataObject):
        text = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
        user = st.lists(st.builds(Text, text) | st.just(Image("AAAA", "image/png")) | st.just(Audio("BB", "audio/wav")), min_size=1, max_size=3)  # fmt: skip
        turns: list[Message] = []
        for number in range(data.draw(st.integers(1, 4))):
            turns.append(Message("user", tuple(data.draw(user))))
            if data.draw(st.booleans()):
                calls = tuple(
                    ToolCall(f"c{number}_{place}", "f", '{"a":"é"}')
                    for place in range(data.draw(st.integers(1, 3)))
                )
                turns.append(Message("assistant", calls))
                turns += [
                    Message("user", (ToolResult(call.id, (Text(data.draw(text)),), "f"),)) for call in calls
                ]
            turns.append(Message("assistant", (Text(data.draw(text)),)))
        turns.append(Message("user", (Text("go on"),)))
        request = Request(
            tuple(turns),
            tools=(Tool("f", "d", b'{"type":"object"}', True),),
            format=Format("schema", "n", b"{}", data.draw(st.sampled_from([None, False]))),
            temperature=data.draw(st.none() | st.floats(0, 2)),
            stop=tuple(data.draw(st.lists(text, max_size=4))),
            effort=data.draw(st.sampled_from([None, "none", "max"])),
            top_logprobs=data.draw(st.sampled_from([None, 0, 3])),
        )
        body = CODEC.encode_request(request, "llama-4").body
        chat_prompt(json.loads(body))
        again = CODEC.decode_request(OpenAIChat().peek(body, "/v1"))
        assert msgspec.structs.replace(again, names={}) == request


class TestReadingAnswers:
    def test_azures_first_chunk_has_no_answer_in_it(self):
        first = b'data: {"choices":[],"created":0,"id":"","model":"","prompt_filter_results":[]}\n\n'
        assert read(first, event({"content": "x"}), event(finish="stop")) == [
            BEGUN,
            TextDelta("x"),
            Finished("stop"),
        ]

    def test_calls_that_all_have_index_0_are_told_apart_by_their_ids(self):
        events = read(
            event(call(0, "a", "f", '{"x":')), event(call(0, None, None, "1}")), event(call(0, "b", "f", "{}")), event(finish="stop")
        )  # fmt: skip
        assert events[1:] == [
            ToolStarted(0, "a", "f"), ToolDelta(0, '{"x":'), ToolDelta(0, "1}"), ToolStarted(1, "b", "f"), ToolDelta(1, "{}"),
            ToolFinished(0), ToolFinished(1), Finished("tool_calls"),
        ]  # fmt: skip

    def test_an_id_and_a_name_in_every_delta_start_one_call(self):
        events = read(
            event(call(0, "a", "f", "{")), event(call(0, "a", "f", "}")), event(finish="tool_calls")
        )
        assert events[1:-2] == [ToolStarted(0, "a", "f"), ToolDelta(0, "{"), ToolDelta(0, "}")]

    def test_interleaved_calls_keep_their_arguments(self):
        events = read(
            event(call(0, "a", "f"), ), event(call(1, "b", "g")), event(call(0, None, None, "{}")), event(call(1, None, None, "[]")),
            event(finish="tool_calls"),
        )  # fmt: skip
        assert [one for one in events if isinstance(one, ToolDelta)] == [
            ToolDelta(0, "{}"),
            ToolDelta(1, "[]"),
        ]

    def test_a_call_without_an_id_gets_one_and_a_late_name_is_waited_for(self):
        events = read(event(call(0, None, None, "{")), event(call(0, None, "f", "}")), event(finish="stop"))
        assert events[1:3] == [ToolStarted(0, "call_1_0", "f"), ToolDelta(0, "{}")]

    def test_a_call_that_is_never_named_is_a_fault(self):
        with pytest.raises(StreamFault):
            read(event(call(0, "a", None, "{}")), event(finish="tool_calls"))

    def test_usage_on_every_chunk_is_read_and_the_last_one_counts(self):
        first = {"prompt_tokens": 1, "completion_tokens": 1}
        last = {"prompt_tokens": 10, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 3},
                "completion_tokens_details": {"reasoning_tokens": 5}}  # fmt: skip
        events = read(
            event({"content": "x"}, usage=first), event(finish="stop", usage=last, service_tier="flex")
        )
        assert events[-1] == Used(USED.usage, "flex")
        assert events[2] == Used(Usage(input=1, output=1))

    @pytest.mark.parametrize("nonsense", [-1, "5", 1e30, {"prompt_tokens": "x"}, [], True])
    def test_usage_that_is_nonsense_is_not_believed(self, nonsense: Any):
        events = read(event({"content": "x"}), event(finish="stop", usage={"prompt_tokens": nonsense}))
        assert not [one for one in events if isinstance(one, Used)]

    @pytest.mark.parametrize(
        ("said", "reason"),
        [("stop", "stop"), ("eos", "stop"), ("length", "length"), ("content_filter", "content_filter"), ("function_call", "tool_calls")],
    )  # fmt: skip
    def test_reasons(self, said: str, reason: str):
        assert read(event({"content": "x"}, finish=said))[-1] == Finished(reason)  # pyright: ignore[reportArgumentType]

    def test_extensions_of_compatible_servers_are_read(self):
        events = read(
            event({"reasoning": "a"}),
            event({"reasoning_content": "b"}),
            event(
                {
                    "reasoning_details": [
                        {"type": "reasoning.text", "signature": "s", "format": "anthropic-claude-v1"}
                    ]
                }
            ),
            event({"content": [{"type": "text", "text": "list"}]}),
            event({"images": [{"type": "image_url", "image_url": {"url": "data:image/webp;base64,AAAA"}}]}),
            event({"images": [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}]}),
            event(
                {
                    "annotations": [
                        {"type": "url_citation", "url_citation": {"url": "https://z", "title": None}}
                    ]
                }
            ),
            event({"refusal": "no"}),
            event(finish="stop"),
        )
        assert events[1:-1] == [
            ThoughtDelta("a"), ThoughtDelta("b"), ThoughtDelta("", "s", "anthropic"), TextDelta("list"),
            ImageMade("AAAA", "image/webp"), TextDelta("![image](https://x/y.png)"), Cited("https://z"), RefusalDelta("no"),
        ]  # fmt: skip

    def test_log_probabilities_pass_as_they_are_spelled(self):
        chunk = b'data: {"id":"chatcmpl-1","created":1795000000,"model":"up","choices":[{"index":0,"delta":{"content":"x"},"logprobs":{"content":[{"token":"x","logprob":-0.10}],"refusal":null}}]}\n\n'
        (_, text, _) = read(chunk, event(finish="stop"))
        assert text == TextDelta("x", b'[{"token":"x","logprob":-0.10}]')
        assert b'"logprobs":{"content":[{"token":"x","logprob":-0.10}],"refusal":null}' in written(text)

    def test_only_the_first_choice_is_read(self):
        other = b'data: {"id":"chatcmpl-1","choices":[{"index":1,"delta":{"content":"no"},"finish_reason":"stop"}]}\n\n'
        events = read(event({"content": "x"}), other, event(finish="stop"))
        assert events == [BEGUN, TextDelta("x"), Finished("stop")]

    def test_what_comes_after_the_end_does_not_count(self):
        end = event(finish="stop") + b"data: [DONE]\n\n" + event({"content": "late"}) + b"data: junk\n\n"
        assert read(event({"content": "x"}) + end) == [BEGUN, TextDelta("x"), Finished("stop")]

    def test_what_came_before_an_error_is_given_before_the_fault(self):
        reader = CODEC.reader()
        error = b'data: {"error":{"message":"boom"}}\n\n'
        assert reader.feed(event({"content": "x"}) + error) == [BEGUN, TextDelta("x")]
        with pytest.raises(StreamFault, match="boom"):
            reader.feed(b"")
        with pytest.raises(StreamFault, match="boom"):
            reader.end()

    def test_an_error_that_says_nothing_is_still_one(self):
        for error in (b'{"error":{}}', b'{"error":"x"}', b'{"error":[]}'):
            with pytest.raises(StreamFault):
                CODEC.reader().feed(b"data: " + error + b"\n\n")
            with pytest.raises(StreamFault):
                CODEC.read_whole(error)
        with pytest.raises(StreamFault):
            read(event({"content": "x"}), event(finish="error"))

    def test_every_cut_of_a_stream_gives_the_same_events(self):
        stream = (
            b"\xef\xbb\xbf: hello\n\n" + event({"role": "assistant", "content": ""}) + event({"content": "水\u2028"})
            + event(call(0, "a", "f", "{}")) + event(finish="tool_calls") + event(choices=[], usage={"prompt_tokens": 1}) + b"data: [DONE]\n\n"
        )  # fmt: skip
        for ends in (b"\n", b"\r\n", b"\r"):
            spelled = stream.replace(b"\n", ends)
            wanted = read(spelled)
            assert len(wanted) == 7
            for cut in range(len(spelled)):
                assert read(spelled[:cut], spelled[cut:]) == wanted

    def test_a_whole_answer_may_lack_what_compatible_servers_forget(self):
        assert CODEC.read_whole(b'{"choices":[{"message":{"content":"x"}}]}') == [
            Started("chatcmpl-0", "", 0),
            TextDelta("x"),
            Finished("stop"),
        ]
        body = b'{"id":"1","choices":[{"message":{"content":null,"tool_calls":[{"function":{"name":"f","arguments":"{}"}},{"function":{"name":"f","arguments":"{}"}}]},"finish_reason":"stop"}]}'
        assert [one.index for one in CODEC.read_whole(body) if isinstance(one, ToolStarted)] == [0, 1]


class TestWritingAnswers:
    def test_a_stream_says_the_role_once_and_first_and_the_usage_last(self):
        stream = written(TextDelta("a"), TextDelta("b"), USED, stream_options={"include_usage": True})
        assert deltas(stream) == [
            {"role": "assistant", "content": ""},
            {"content": "a"},
            {"content": "b"},
            {},
        ]
        chunks = [json.loads(line[6:]) for line in stream.decode().split("\n") if line.startswith("data: {")]
        assert {(chunk["id"], chunk["created"], chunk["model"], chunk["object"]) for chunk in chunks} == {
            ("chatcmpl-1", 1_795_000_000, "m", "chat.completion.chunk")
        }
        assert [chunk["usage"] for chunk in chunks[:-1]] == [None] * 4
        assert chunks[-1]["choices"] == []
        assert chunks[-1]["usage"] == {
            "prompt_tokens": 10, "completion_tokens": 7, "total_tokens": 17, "prompt_tokens_details": {"cached_tokens": 3},
            "completion_tokens_details": {"reasoning_tokens": 5},
        }  # fmt: skip
        assert stream.endswith(b"\n\ndata: [DONE]\n\n")

    def test_usage_that_nobody_reported_is_not_invented(self):
        assert b'"usage":{' not in written(TextDelta("a"), stream_options={"include_usage": True})

    def test_ids_of_other_dialects_become_chat_ids(self):
        for id, shown in (("chatcmpl-7", "chatcmpl-7"), ("msg_7", "chatcmpl-msg_7"), ("", "chatcmpl-0")):
            body = CODEC.write_whole(peek(), ASKED, [Started(id, "u", 5), Finished("stop")])
            assert json.loads(body)["id"] == shown

    def test_calls_say_id_and_name_once_and_end_with_their_reason(self):
        events = [
            ToolStarted(0, "a", "f", signature="sig"), ToolStarted(1, "b", "g"), ToolDelta(1, "{"), ToolDelta(0, "[]"), ToolDelta(1, "}"),
            ToolFinished(0), ToolFinished(1),
        ]  # fmt: skip
        stream = written(*events)
        assert b'"finish_reason":"tool_calls"' in stream
        assert [one["tool_calls"][0] for one in deltas(stream) if "tool_calls" in one] == [
            {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""},
             "extra_content": {"google": {"thought_signature": "sig"}}},
            {"index": 1, "id": "b", "type": "function", "function": {"name": "g", "arguments": ""}},
            {"index": 1, "function": {"arguments": "{"}},
            {"index": 0, "function": {"arguments": "[]"}},
            {"index": 1, "function": {"arguments": "}"}},
        ]  # fmt: skip
        message = whole(*events)
        assert message["content"] is None
        assert [one["function"]["arguments"] for one in message["tool_calls"]] == ["[]", "{}"]
        assert not [one for one in message["tool_calls"] if "index" in one]

    def test_a_signature_goes_with_the_whole_thought_that_it_signs(self):
        events = [
            ThoughtDelta("on"), ThoughtDelta("e", "s1", "anthropic"), ThoughtDelta("two"), ThoughtDelta("", "s2", "anthropic"),
            ThoughtDelta("", "blob", "anthropic", True), ThoughtDelta("plain"), TextDelta("x"), ThoughtDelta("", "s3", "elsewhere"),
        ]  # fmt: skip
        message = whole(*events)
        assert message["reasoning_content"] == "onetwoplain"
        details = message["reasoning_details"]
        assert [(one.get("text"), one.get("signature"), one.get("data")) for one in details] == [
            ("one", "s1", None), ("two", "s2", None), (None, None, "blob"),
        ]  # fmt: skip
        assert "s3" not in json.dumps(message)
        again = decoded(messages=[*HELLO, message]).messages[1].parts
        assert again[:3] == (
            Thought("one", "s1", "anthropic"),
            Thought("two", "s2", "anthropic"),
            Thought("", "blob", "anthropic", True),
        )
        assert "".join(one.get("reasoning_content", "") for one in deltas(written(*events))) == "onetwoplain"

    def test_pictures_and_sources_have_their_places(self):
        events = [ImageMade("AAAA", "image/png"), ImageMade("BBBB", "image/jpeg"), Cited("https://x", "X")]
        message = whole(*events)
        assert [one["image_url"]["url"] for one in message["images"]] == [
            "data:image/png;base64,AAAA",
            "data:image/jpeg;base64,BBBB",
        ]
        assert message["content"] == ""
        assert message["annotations"][0]["url_citation"]["url"] == "https://x"
        assert [one["images"][0]["index"] for one in deltas(written(*events)) if "images" in one] == [0, 1]
        assert decoded(messages=[*HELLO, message]).messages[1].parts == (
            Image("AAAA", "image/png"),
            Image("BBBB", "image/jpeg"),
        )

    def test_a_refusal_is_no_content(self):
        message = whole(RefusalDelta("I "), RefusalDelta("won't"))
        assert (message["content"], message["refusal"]) == (None, "I won't")

    def test_a_legacy_client_is_answered_in_its_words(self):
        events = [ToolStarted(0, "a", "f"), ToolDelta(0, "{}"), ToolFinished(0)]
        stream = written(*events, functions=[{"name": "f"}])
        assert b"tool_calls" not in stream
        assert b'"finish_reason":"function_call"' in stream
        assert [one["function_call"] for one in deltas(stream) if "function_call" in one] == [
            {"name": "f", "arguments": ""},
            {"arguments": "{}"},
        ]


class TestOfficialSdk:
    """openai-python's own stream helper takes what is written for what OpenAI sends."""

    def completion(self, stream: bytes) -> Any:
        def answer(request: httpx2.Request) -> httpx2.Response:
            return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=stream)

        transport = httpx2.MockTransport(answer)
        with (
            openai.OpenAI(api_key="sk-x", base_url="http://127.0.0.1/v1", http_client=httpx2.Client(transport=transport)) as client,
            client.chat.completions.stream(model="m", messages=[{"role": "user", "content": "hi"}]) as events,
        ):  # fmt: skip
            return events.get_final_completion()

    def test_text_reasoning_pictures_sources_and_usage(self):
        stream = written(
            ThoughtDelta("hm", "s", "anthropic"), ThoughtDelta("", "t", "anthropic"), TextDelta("Hel"), TextDelta("lo"),
            ImageMade("AAAA", "image/png"), ImageMade("BBBB", "image/png"), Cited("https://x"), Cited("https://y"), USED,
            stream_options={"include_usage": True},
        )  # fmt: skip
        final = self.completion(stream)
        message = final.choices[0].message
        assert (message.role, message.content, message.reasoning_content) == ("assistant", "Hello", "hm")
        assert [one["image_url"]["url"][-4:] for one in message.images] == ["AAAA", "BBBB"]
        assert len(message.annotations) == len(message.reasoning_details) == 2
        assert (final.usage.prompt_tokens, final.usage.completion_tokens_details.reasoning_tokens) == (10, 5)
        assert final.choices[0].finish_reason == "stop"

    def test_parallel_calls(self):
        final = self.completion(
            written(
                ToolStarted(0, "a", "f"), ToolDelta(0, '{"x"'), ToolDelta(0, ":1}"), ToolFinished(0),
                ToolStarted(1, "b", "g"), ToolDelta(1, "{}"), ToolFinished(1),
            )
        )  # fmt: skip
        calls = final.choices[0].message.tool_calls
        assert [(one.id, one.function.name, one.function.arguments) for one in calls] == [
            ("a", "f", '{"x":1}'),
            ("b", "g", "{}"),
        ]
        assert final.choices[0].finish_reason == "tool_calls"

    def test_a_refusal(self):
        message = self.completion(written(RefusalDelta("I "), RefusalDelta("won't"))).choices[0].message
        assert message.refusal == "I won't"
        assert not message.content
