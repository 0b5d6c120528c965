"""Gemini requests, read from clients and written for upstreams."""

import base64
import json
from typing import Any

import pytest

from laidian.errors import BadRequest
from laidian.protocol.canonical import (
    Audio,
    Encoded,
    File,
    Format,
    Image,
    Message,
    Request,
    Text,
    Thought,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from laidian.protocol.gemini import Gemini
from laidian.protocol.gemini_codec import GeminiCodec
from laidian.protocol.gemini_generation import generation
from laidian.protocol.gemini_schema import to_gemini, to_json_schema
from laidian.protocol.gemini_turns import SENTINEL

GEMINI, CODEC = Gemini(), GeminiCodec()
PATH = "/v1beta/models/m:generateContent"
PNG = base64.b64encode(b"\xff\xfe\xfb\xefpng").decode()
ASKS = (Message("user", (Text("q"),)),)


def decoded(body: Any, path: str = PATH) -> Request:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return CODEC.decode_request(GEMINI.peek(raw, path))


def written(request: Request, model: str = "gemini-3-pro-preview") -> Any:
    return json.loads(CODEC.encode_request(request, model).body)


def refused(body: Any) -> str:
    with pytest.raises(BadRequest) as caught:
        decoded({"contents": [{"parts": [{"text": "q"}]}]} | body)
    assert caught.value.param is not None
    return caught.value.param


def refused_upstream(request: Request, model: str = "gemini-3-pro-preview") -> str:
    with pytest.raises(BadRequest) as caught:
        CODEC.encode_request(request, model)
    assert caught.value.param is not None
    return caught.value.param


def content(*parts: dict[str, Any], role: str = "user") -> dict[str, Any]:
    return {"role": role, "parts": list(parts)}


class TestReading:
    def test_a_plain_request(self):
        request = decoded(
            {
                "contents": [content({"text": "a"}), content({"text": "b"}, role="model"), content({"text": "c"})],
                "systemInstruction": {"parts": [{"text": "be kind"}]},
                "generationConfig": {
                    "temperature": 1, "topP": 0.5, "topK": 40, "maxOutputTokens": 9, "stopSequences": ["x"], "seed": 4,
                    "presencePenalty": 0.1, "frequencyPenalty": 0.2, "responseLogprobs": True, "logprobs": 3,
                    "thinkingConfig": {"thinkingLevel": "low", "includeThoughts": True, "thinkingBudget": -1},
                },
                "serviceTier": "flex",
            }
        )  # fmt: skip
        assert [message.role for message in request.messages] == ["system", "user", "assistant", "user"]
        assert (request.temperature, request.top_p, request.top_k, request.max_output_tokens) == (
            1.0,
            0.5,
            40,
            9,
        )
        assert (request.stop, request.seed, request.top_logprobs) == (("x",), 4, 3)
        assert (request.effort, request.thinking_budget, request.include_thoughts) == ("low", -1, True)
        assert (request.service_tier, request.dropped, request.stream) == ("flex", (), False)
        assert request.name_of("max_output_tokens") == "generationConfig.maxOutputTokens"

    def test_the_forms_of_googles_documents_are_taken(self):
        request = decoded(
            b'{"system_instruction":{"parts":{"text":"s"}},"contents":{"parts":{"text":"u"}},'
            b'"generation_config":{"max_output_tokens":"5"},"tools":{"function_declarations":{"name":"f"}}}'
        )
        assert request.messages == (Message("system", (Text("s"),)), Message("user", (Text("u"),)))
        assert request.max_output_tokens == 5
        assert request.tools == (Tool("f"),)

    def test_names_that_belong_to_the_caller_keep_their_underscores(self):
        request = decoded(
            b'{"contents":[{"role":"model","parts":[{"function_call":{"name":"f","args":{"mime_type":{"file_uri": 1}}}}]}],'
            b'"tools":[{"function_declarations":[{"name":"f","parameters_json_schema":{"properties":{"mime_type": {}}}}]}]}'
        )
        call = request.messages[0].parts[0]
        assert isinstance(call, ToolCall)
        assert call.arguments == '{"mime_type":{"file_uri": 1}}'
        assert request.tools[0].parameters == b'{"properties":{"mime_type": {}}}'

    def test_pictures_sound_and_documents_in_either_base64_alphabet(self):
        urlsafe = PNG.replace("+", "-").replace("/", "_").rstrip("=")
        assert urlsafe != PNG
        request = decoded(
            {
                "contents": [
                    content(
                        {"inlineData": {"mimeType": "image/png", "data": urlsafe}},
                        {"inline_data": {"mime_type": "audio/wav", "data": "AAAA"}},
                        {
                            "inlineData": {
                                "mimeType": "application/pdf",
                                "data": "AAAA",
                                "displayName": "a.pdf",
                            }
                        },
                        {"fileData": {"mimeType": "image/png", "fileUri": "https://x.example/a.png"}},
                        {"fileData": {"fileUri": "https://x.example/a.pdf"}},
                    )
                ]
            }
        )
        assert request.messages[0].parts == (
            Image(PNG, "image/png"),
            Audio("AAAA", "audio/wav"),
            File("AAAA", "application/pdf", "a.pdf"),
            Image(mime="image/png", url="https://x.example/a.png"),
            File(url="https://x.example/a.pdf"),
        )

    def test_calls_without_ids_get_the_same_ones_every_time_and_results_find_their_calls(self):
        call, result = (
            {"functionCall": {"name": "f"}},
            {"functionResponse": {"name": "f", "response": {"output": "r"}}},
        )
        other = {"functionCall": {"id": "own", "name": "g", "args": {}}}
        body = {"contents": [content(call, other, call, role="model"), content(result, result)]}
        request = decoded(body)
        assert request == decoded(body)
        calls = [part.id for part in request.messages[0].parts if isinstance(part, ToolCall)]
        results = [part.call_id for part in request.messages[1].parts if isinstance(part, ToolResult)]
        assert calls == ["call_0", "own", "call_2"]
        assert results == ["call_0", "call_2"]

    @pytest.mark.parametrize(
        ("response", "text", "is_error"),
        [
            ({"output": "x"}, "x", False),
            ({"result": {"a": 1}}, '{"a":1}', False),
            ({"error": "bad"}, "bad", True),
            ({"a": 1, "output": 2}, '{"a":1,"output":2}', False),
            ({}, "{}", False),
        ],
    )
    def test_results_are_unwrapped_as_the_sdks_wrap_them(self, response: Any, text: str, is_error: bool):
        parts = (
            {"functionCall": {"id": "c", "name": "f"}},
            {"functionResponse": {"id": "c", "response": response}},
        )
        raw = json.dumps(
            {"contents": [content(parts[0], role="model"), content(parts[1])]}, separators=(",", ":")
        )
        result = decoded(raw.encode()).messages[1].parts[0]
        assert result == ToolResult("c", (Text(text),), "f", is_error)

    def test_thoughts_and_signatures_are_kept_with_their_maker(self):
        request = decoded(
            {
                "contents": [
                    content(
                        {"text": "t", "thought": True, "thoughtSignature": "s1"},
                        {"text": "a", "thoughtSignature": "s2"},
                        {"functionCall": {"id": "c", "name": "f"}, "thoughtSignature": "s3"},
                        role="model",
                    )
                ]
            }
        )
        assert request.messages[0].parts == (
            Thought("t", "s1", "gemini"),
            Text("a"),
            Thought(signature="s2", maker="gemini"),
            ToolCall("c", "f", "{}", signature="s3"),
        )

    @pytest.mark.parametrize(
        ("config", "choice", "left"),
        [
            ({}, None, "fg"),
            ({"mode": "AUTO"}, ToolChoice("auto"), "fg"),
            ({"mode": "NONE"}, ToolChoice("none"), "fg"),
            ({"mode": "any"}, ToolChoice("required"), "fg"),
            ({"mode": "ANY", "allowedFunctionNames": ["f"]}, ToolChoice("named", ("f",)), "fg"),
            ({"mode": "ANY", "allowed_function_names": ["f", "g"]}, ToolChoice("required", ("f", "g")), "fg"),
            ({"mode": "VALIDATED", "allowedFunctionNames": ["g"]}, ToolChoice("auto"), "g"),
        ],
    )
    def test_calling_modes(self, config: Any, choice: ToolChoice | None, left: str):
        request = decoded(
            {
                "contents": [content({"text": "q"})],
                "tools": [{"functionDeclarations": [{"name": "f"}, {"name": "g"}]}, {"googleSearch": {}}],
                "toolConfig": {"functionCallingConfig": config},
            }
        )
        assert (request.tool_choice, request.web_search) == (choice, True)
        assert "".join(tool.name for tool in request.tools) == left

    def test_formats(self):
        def read(**config: Any) -> Format | None:
            return decoded({"contents": [content({"text": "q"})], "generationConfig": config}).format

        assert read() is None
        assert read(responseMimeType="text/plain") is None
        assert read(responseMimeType="application/json") == Format("json")
        schema = {"type": "OBJECT", "properties": {"a": {"type": "STRING", "nullable": True}}}
        found = read(responseMimeType="application/json", responseSchema=schema)
        assert found is not None
        assert json.loads(found.schema) == {
            "type": "object",
            "properties": {"a": {"type": ["string", "null"]}},
        }
        found = read(responseMimeType="application/json", responseJsonSchema={"const": 1})
        assert found is not None
        assert json.loads(found.schema) == {"const": 1}

    def test_what_does_no_harm_is_named(self):
        request = decoded(
            {
                "contents": [content({"text": "q", "videoMetadata": {"fps": 1}})],
                "safetySettings": [{}], "labels": {"a": "b"}, "generationConfig": {"mediaResolution": "X"},
            }
        )  # fmt: skip
        assert request.dropped == (
            "safetySettings",
            "labels",
            "generationConfig.mediaResolution",
            "contents[].parts[].videoMetadata",
        )

    @pytest.mark.parametrize(
        ("body", "param"),
        [
            ({"contents": []}, "contents"),
            ({"contents": 5}, "contents"),
            ({"contents": [{"parts": []}]}, "contents[0].parts"),
            ({"contents": [{"parts": [{}]}]}, "contents[0].parts[0]"),
            ({"contents": [{"role": "boss", "parts": [{"text": "x"}]}]}, "contents[0].role"),
            ({"contents": [{"parts": [{"text": 5}]}]}, "contents[0].parts"),
            ({"contents": [{"parts": [{"executableCode": {}}]}]}, "contents[0].parts[0].executableCode"),
            ({"contents": [{"parts": [{"functionResponse": {"name": "f"}}]}]}, "contents[0].parts[0].functionResponse"),
            ({"contents": [{"parts": [{"functionCall": {"name": ""}}]}]}, "contents[0].parts[0].functionCall.name"),
            ({"contents": [{"parts": [{"functionCall": {"name": "f", "args": [1]}}]}]}, "contents[0].parts[0].functionCall.args"),
            ({"contents": [{"parts": [{"fileData": {"fileUri": "files/abc"}}]}]}, "contents[0].parts[0].fileData.fileUri"),
            ({"contents": [{"parts": [{"inlineData": {"data": "AA=="}}]}]}, "contents[0].parts[0].inlineData"),
            ({"systemInstruction": {"parts": [{"inlineData": {}}]}}, "systemInstruction.parts[0]"),
            ({"cachedContent": "cachedContents/x"}, "cachedContent"),
            ({"continuationToken": "x"}, "continuationToken"),
            ({"tools": [{"codeExecution": {}}]}, "tools[0].codeExecution"),
            ({"tools": [{"functionDeclarations": [{"name": 5}]}]}, "tools[0].functionDeclarations.name"),
            ({"toolConfig": {"functionCallingConfig": {"mode": "X"}}}, "toolConfig.functionCallingConfig.mode"),
            ({"generationConfig": {"candidateCount": 2}}, "generationConfig.candidateCount"),
            ({"generationConfig": {"imageConfig": {"aspectRatio": "1:1"}}}, "generationConfig.imageConfig"),
            ({"generationConfig": {"responseMimeType": "text/x.enum"}}, "generationConfig.responseMimeType"),
            ({"generationConfig": {"responseModalities": ["SMELL"]}}, "generationConfig.responseModalities"),
            ({"generationConfig": {"temperature": "hot"}}, "generationConfig.temperature"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_carried_is_refused_by_its_name(self, body: Any, param: str):
        assert refused(body).startswith(param)

    @pytest.mark.parametrize("verb", ["countTokens", "embedContent", "batchEmbedContents"])
    def test_only_generation_is_translated(self, verb: str):
        with pytest.raises(BadRequest, match=verb):
            decoded({"contents": []}, f"/v1beta/models/m:{verb}")

    def test_nesting_beyond_reason_is_a_sentence(self):
        deep = (
            b'{"contents":[{"parts":[{"functionCall":{"name":"f","args":'
            + b'{"a":' * 3000
            + b"1"
            + b"}" * 3000
        )
        with pytest.raises(BadRequest):
            decoded(deep + b"}}]}]}")


class TestWriting:
    def test_roles_are_merged_and_system_texts_leave_the_dialogue(self):
        request = Request(
            (
                Message("system", (Text("s"),)),
                Message("user", (Text("a"),)),
                Message("user", (Text("b"),)),
                Message("assistant", (Text("c"),)),
                Message("developer", (Text("d"),)),
                Message("user", (Image(PNG, "image/png"),)),
            )
        )
        assert written(request) == {
            "contents": [
                content({"text": "a"}, {"text": "b"}),
                content({"text": "c"}, role="model"),
                content({"inlineData": {"mimeType": "image/png", "data": PNG}}),
            ],
            "systemInstruction": {"parts": [{"text": "s"}, {"text": "d"}]},
        }

    def test_a_system_message_alone_is_said_by_the_user(self):
        assert written(Request((Message("system", (Text("s"),)),))) == {"contents": [content({"text": "s"})]}

    def test_the_name_of_a_result_is_looked_up(self):
        request = Request(
            (
                *ASKS,
                Message("assistant", (ToolCall("c1", "f", '{"a": 1.50}', namespace="ns", signature="sig"),)),
                Message("user", (ToolResult("c1", (Text("r"), Image(PNG, "image/png"))),)),
            )
        )
        body = CODEC.encode_request(request, "gemini-3-pro-preview").body
        assert b'"args":{"a": 1.50}' in body
        _, call, result = json.loads(body)["contents"]
        assert call["parts"][0]["functionCall"] == {"id": "c1", "name": "ns__f", "args": {"a": 1.5}}
        response = result["parts"][0]["functionResponse"]
        assert (response["id"], response["name"], response["response"]) == ("c1", "ns__f", {"output": "r"})
        assert response["parts"][0]["inlineData"]["data"] == PNG
        older = written(request, "gemini-2.5-flash")["contents"][2]["parts"]
        assert "parts" not in older[0]["functionResponse"]
        assert older[1]["inlineData"]["data"] == PNG

    def test_signatures_stand_on_their_calls_and_unknown_ones_are_skipped_from_3_on(self):
        calls = (ToolCall("a", "f", "{}"), ToolCall("b", "f", "{}"))
        request = Request((*ASKS, Message("assistant", calls)))
        first, second = written(request)["contents"][1]["parts"]
        assert first["thoughtSignature"] == SENTINEL
        assert "thoughtSignature" not in second
        assert "thoughtSignature" not in written(request, "gemini-2.5-pro")["contents"][1]["parts"][0]
        signed = Request((*ASKS, Message("assistant", (Thought(signature="s", maker="gemini"), *calls))))
        assert written(signed)["contents"][1]["parts"][0]["thoughtSignature"] == "s"

    def test_signatures_of_text_go_back_to_text_and_those_of_others_are_left_out(self):
        request = Request(
            (
                *ASKS,
                Message(
                    "assistant",
                    (
                        Thought("foreign", "x", "anthropic"),
                        Text("a"),
                        Thought(signature="s", maker="gemini"),
                        ToolCall("c", "f", "{}", signature="t"),
                    ),
                ),
            )
        )
        encoded = CODEC.encode_request(request, "gemini-3-pro-preview")
        parts = json.loads(encoded.body)["contents"][1]["parts"]
        assert b"foreign" not in encoded.body
        assert parts[1]["thoughtSignature"] == "t"
        assert encoded.dropped == ("messages[].reasoning",)

    def test_tools_and_choices(self):
        tools = (
            Tool("f", "d", b'{"type":"object","properties":{"const":{"const":"x"}}}'),
            Tool("free", custom=True, namespace="ns"),
        )
        body = written(Request(ASKS, tools=tools, tool_choice=ToolChoice("named", ("free",))))
        declared = body["tools"][0]["functionDeclarations"]
        assert declared[0]["parametersJsonSchema"]["properties"] == {"const": {"enum": ["x"]}}
        assert declared[1]["name"] == "ns__free"
        assert declared[1]["parametersJsonSchema"]["required"] == ["input"]
        assert body["toolConfig"]["functionCallingConfig"] == {
            "mode": "ANY",
            "allowedFunctionNames": ["ns__free"],
        }
        for choice, spelled in ((ToolChoice("none"), "NONE"), (ToolChoice("required"), "ANY")):
            config = written(Request(ASKS, tools=tools, tool_choice=choice))["toolConfig"]
            assert config["functionCallingConfig"] == {"mode": spelled}
        assert "toolConfig" not in written(Request(ASKS, tools=tools, tool_choice=ToolChoice("auto")))

    def test_an_offered_search_gives_way_to_functions_and_says_so(self):
        assert written(Request(ASKS, web_search=True))["tools"] == [{"googleSearch": {}}]
        encoded = CODEC.encode_request(Request(ASKS, web_search=True, tools=(Tool("f"),)), "gemini-3-pro")
        assert encoded.dropped == ("web_search",)
        assert b"googleSearch" not in encoded.body
        assert "tools" not in written(Request(ASKS, web_search=True, tool_choice=ToolChoice("none")))

    def test_settings(self):
        request = Request(
            ASKS, max_output_tokens=9, temperature=0.5, top_p=0.1, top_k=3, stop=("x",), seed=1, presence_penalty=0.1,
            frequency_penalty=0.2, top_logprobs=2, service_tier="priority", modalities=("text", "image"),
            image_size=(1536, 1024), format=Format("schema", schema=b'{"const": 1, "type":"integer"}'),
        )  # fmt: skip
        body = written(request, "gemini-3-pro-image")
        assert body["serviceTier"] == "priority"
        assert body["generationConfig"] == {
            "temperature": 0.5, "topP": 0.1, "topK": 3, "maxOutputTokens": 9, "stopSequences": ["x"], "responseLogprobs": True,
            "logprobs": 2, "presencePenalty": 0.1, "frequencyPenalty": 0.2, "seed": 1, "responseMimeType": "application/json",
            "responseJsonSchema": {"type": "integer", "enum": [1]}, "responseModalities": ["TEXT", "IMAGE"],
            "imageConfig": {"aspectRatio": "3:2", "imageSize": "1K"},
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("model", "effort", "budget", "expected"),
        [
            ("gemini-3-pro-preview", "none", None, {"thinkingLevel": "LOW"}),
            ("gemini-3-pro-preview", "medium", None, {"thinkingLevel": "HIGH"}),
            ("gemini-3.1-pro-preview", "medium", None, {"thinkingLevel": "MEDIUM"}),
            ("gemini-3-flash-preview", "none", None, {"thinkingLevel": "MINIMAL"}),
            ("gemini-3-flash-preview", "max", None, {"thinkingLevel": "HIGH"}),
            ("gemini-4-argon", "xhigh", None, {"thinkingLevel": "XHIGH"}),
            ("gemini-flash-latest", "low", None, {"thinkingLevel": "LOW"}),
            ("gemini-3-flash-preview", "low", 5000, {"thinkingLevel": "LOW"}),
            ("gemini-3-flash-preview", None, 5000, {"thinkingBudget": 5000}),
            ("gemini-3-flash-preview", None, 0, {"thinkingLevel": "MINIMAL"}),
            ("gemini-2.5-flash", "none", None, {"thinkingBudget": 0}),
            ("gemini-2.5-pro", "none", None, {"thinkingBudget": 128}),
            ("gemini-2.5-flash", "high", None, {"thinkingBudget": 24576}),
            ("gemini-2.5-flash", None, 99999, {"thinkingBudget": 24576}),
            ("gemini-2.5-flash-lite", None, 5, {"thinkingBudget": 512}),
            ("gemini-2.5-pro", None, -1, {"thinkingBudget": -1}),
            ("gemini-2.0-flash", "high", None, None),
            ("gemini-2.5-flash-image", "high", None, None),
            ("gemma-3", "high", None, None),
        ],
    )
    def test_thinking_is_said_as_each_generation_wants_it(
        self, model: str, effort: Any, budget: Any, expected: Any
    ):
        body = written(Request(ASKS, effort=effort, thinking_budget=budget), model)
        config = body.get("generationConfig", {}).get("thinkingConfig")
        assert config == expected

    def test_thoughts_are_asked_for_when_the_client_wants_them(self):
        config = written(Request(ASKS, include_thoughts=True))["generationConfig"]
        assert config == {"thinkingConfig": {"includeThoughts": True}}

    def test_only_addresses_that_google_fetches_are_handed_on(self):
        def file(part: Image | File, model: str = "gemini-3-pro") -> Any:
            return written(Request((Message("user", (part,)),)), model)["contents"][0]["parts"][0]["fileData"]

        assert file(Image(url="https://x.example/a.JPG?x=1")) == {
            "fileUri": "https://x.example/a.JPG?x=1",
            "mimeType": "image/jpeg",
        }
        kept = file(File(file_id="files/abc-1", mime="video/mp4"), "gemini-2.0-flash")
        assert kept["fileUri"].endswith("/v1beta/files/abc-1")
        for part, model in (
            (Image(url="https://x.example/a.png"), "gemini-2.0-flash"),
            (Image(url="http://x.example/a.png"), "gemini-3-pro"),
            (File(file_id="file-openai"), "gemini-3-pro"),
            (File(data="!!", mime="application/pdf"), "gemini-3-pro"),
            (File(data="AAAA"), "gemini-3-pro"),
        ):
            assert refused_upstream(Request((Message("user", (part,)),)), model) == "messages"

    @pytest.mark.parametrize(
        ("request_", "model", "param"),
        [
            (Request(ASKS, choices=2, names={"choices": "n"}), "gemini-3-pro", "n"),
            (Request(ASKS, stop=tuple("abcdef")), "gemini-3-pro", "stop"),
            (
                Request(ASKS, tools=(Tool("f"),), format=Format("json"), names={"format": "rf"}),
                "gemini-2.5-pro",
                "rf",
            ),
            (Request(ASKS, tool_choice=ToolChoice("required")), "gemini-3-pro", "tool_choice"),
            (
                Request(ASKS, tools=(Tool("f"),), tool_choice=ToolChoice("named", ("g",))),
                "gemini-3-pro",
                "tool_choice",
            ),
            (Request(ASKS, tools=(Tool("f", parameters=b"[]"),)), "gemini-3-pro", "tools"),
            (Request((Message("assistant", (ToolCall("c", "f", "not json"),)),)), "gemini-3-pro", "messages"),
            (Request((Message("user", (ToolResult("c", (Text("r"),)),)),)), "gemini-3-pro", "messages"),
            (Request((Message("system", (Image(PNG, "image/png"),)),)), "gemini-3-pro", "messages"),
        ],
    )
    def test_what_gemini_cannot_be_told_is_refused_by_the_clients_name(
        self, request_: Request, model: str, param: str
    ):
        assert refused_upstream(request_, model) == param

    def test_what_does_no_harm_is_named(self):
        request = Request(
            ASKS, user="u", verbosity="low", metadata=b"{}", service_tier="scale", parallel_tool_calls=False,
            tools=(Tool("f", strict=True),), names={"user": "safety_identifier"},
        )  # fmt: skip
        encoded: Encoded = CODEC.encode_request(request, "gemini-3-pro")
        assert set(encoded.dropped) == {
            "safety_identifier", "verbosity", "metadata", "service_tier", "parallel_tool_calls", "tools[].strict",
        }  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        {"contents": [content({"text": "q"})], "systemInstruction": {"parts": [{"text": "s"}]}},
        {
            "contents": [
                content({"text": "q"}, {"inlineData": {"mimeType": "image/png", "data": PNG}}),
                content({"functionCall": {"id": "c", "name": "f", "args": {"a": 1}}, "thoughtSignature": "s"}, role="model"),
                content({"functionResponse": {"id": "c", "name": "f", "response": {"output": "r"}}}),
            ],
            "tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": {"type": "object"}}]}],
            "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
        },
        {
            "contents": [content({"text": "q"}), content({"text": "a", "thoughtSignature": "s"}, role="model")],
            "generationConfig": {
                "temperature": 0.5, "maxOutputTokens": 9, "responseMimeType": "application/json",
                "responseJsonSchema": {"type": "object"},
                "thinkingConfig": {"includeThoughts": True, "thinkingLevel": "HIGH"},
            },
        },
    ],
)  # fmt: skip
def test_a_request_read_and_written_says_the_same(body: Any):
    assert written(decoded(body)) == body


class TestSchema:
    def test_openapi_becomes_json_schema_wherever_a_schema_stands(self):
        openapi = {
            "type": "OBJECT",
            "propertyOrdering": ["type"],
            "properties": {
                "type": {"type": "STRING", "format": "enum", "enum": ["A"], "nullable": True},
                "nullable": {"type": "ARRAY", "minItems": "2", "items": {"type": "INTEGER", "example": 3}},
                "either": {"any_of": [{"type": "NUMBER"}], "nullable": True},
            },
        }
        assert json.loads(to_json_schema(json.dumps(openapi).encode())) == {
            "type": "object",
            "properties": {
                "type": {"type": ["string", "null"], "enum": ["A", None]},
                "nullable": {"type": "array", "minItems": 2, "items": {"type": "integer", "examples": [3]}},
                "either": {"anyOf": [{"type": "number"}, {"type": "null"}]},
            },
        }

    def test_what_needs_no_change_is_the_same_text(self):
        plain = b'{"type" : "object", "properties":{"a":{"minimum":1.50e1}}}'
        assert to_json_schema(plain) is plain
        assert to_gemini(plain) is plain


def test_generations_are_read_from_names():
    assert generation("models/gemini-3.1-pro").number == (3, 1)
    assert generation("google/gemini-2.5-flash").number == (2, 5)
    assert generation("gemini-pro-latest").signs_calls
    assert not generation("my-alias").signs_calls
