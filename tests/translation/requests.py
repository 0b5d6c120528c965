"""What clients send, written by hand in each dialect: the same request four times.

Sources: chat and responses as openai-python 3.54.0 serializes `chat.completions.create` and `responses.create`; gemini as google-genai 3.4.0
`models.generate_content`; anthropic as anthropic 2.12.0 `messages.create` with version 2023-06-01 (protocol.md 1.1, 2.3, 3; 2026-11-22).
"""

from __future__ import annotations

from typing import Any

Body = dict[str, Any]

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
"""One pixel."""

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string", "description": "Name, e.g. 巴黎"}},
    "required": ["city"],
    "additionalProperties": False,
}
ZONE = {
    "type": "object",
    "properties": {"zone": {"type": "string"}},
    "required": ["zone"],
    "additionalProperties": False,
}
VERDICT = {
    "type": "object",
    "properties": {"colour": {"type": "string", "enum": ["red", "blue"]}, "sure": {"type": "boolean"}},
    "required": ["colour", "sure"],
    "additionalProperties": False,
}

MODELS = {
    "chat": {"model": "gpt-5.4"},
    "responses": {"model": "gpt-5.4"},
    "gemini": {},
    "anthropic": {"model": "claude-sonnet-4-5", "max_tokens": 300},
}

TEXT: dict[str, Body] = {
    "chat": {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hello, who are you?"},
            {"role": "assistant", "content": "A model."},
            {"role": "user", "content": [{"type": "text", "text": "Say it in 中文\u2028please."}]},
        ],
        "max_completion_tokens": 300,
        "temperature": 0.5,
    },
    "responses": {
        "instructions": "Be brief.",
        "input": [
            {"role": "user", "content": "Hello, who are you?"},
            {
                "type": "message",
                "role": "assistant",
                "id": "msg_1",
                "status": "completed",
                "content": [{"type": "output_text", "text": "A model.", "annotations": []}],
            },
            {"role": "user", "content": [{"type": "input_text", "text": "Say it in 中文\u2028please."}]},
        ],
        "max_output_tokens": 300,
        "temperature": 0.5,
        "store": False,
    },
    "gemini": {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Hello, who are you?"}]},
            {"role": "model", "parts": [{"text": "A model."}]},
            {"role": "user", "parts": [{"text": "Say it in 中文\u2028please."}]},
        ],
        "generationConfig": {"maxOutputTokens": 300, "temperature": 0.5},
    },
    "anthropic": {
        "system": "Be brief.",
        "messages": [
            {"role": "user", "content": "Hello, who are you?"},
            {"role": "assistant", "content": [{"type": "text", "text": "A model."}]},
            {"role": "user", "content": "Say it in 中文\u2028please."},
        ],
        "temperature": 0.5,
    },
}

TOOLS: dict[str, Body] = {
    "chat": {
        "messages": [{"role": "user", "content": "Weather and time in Paris?"}],
        "tools": [
            {
                "type": "function",
                "function": {"name": "get_weather", "description": "The weather now", "parameters": CITY},
            },
            {"type": "function", "function": {"name": "get_time", "parameters": ZONE}},
        ],
        "tool_choice": "required",
        "parallel_tool_calls": True,
    },
    "responses": {
        "input": "Weather and time in Paris?",
        "tools": [
            {
                "type": "function",
                "name": "get_weather",
                "description": "The weather now",
                "parameters": CITY,
                "strict": False,
            },
            {"type": "function", "name": "get_time", "parameters": ZONE, "strict": False},
        ],
        "tool_choice": "required",
        "parallel_tool_calls": True,
        "store": False,
    },
    "gemini": {
        "contents": [{"role": "user", "parts": [{"text": "Weather and time in Paris?"}]}],
        "tools": [
            {
                "functionDeclarations": [
                    {
                        "name": "get_weather",
                        "description": "The weather now",
                        "parametersJsonSchema": CITY,
                    },
                    {"name": "get_time", "parametersJsonSchema": ZONE},
                ]
            }
        ],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
    },
    "anthropic": {
        "messages": [{"role": "user", "content": "Weather and time in Paris?"}],
        "tools": [
            {"name": "get_weather", "description": "The weather now", "input_schema": CITY},
            {"name": "get_time", "input_schema": ZONE},
        ],
        "tool_choice": {"type": "any"},
    },
}

NAMED: dict[str, Any] = {
    "chat": {"tool_choice": {"type": "function", "function": {"name": "get_time"}}},
    "responses": {"tool_choice": {"type": "function", "name": "get_time"}},
    "gemini": {
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["get_time"]}}
    },
    "anthropic": {"tool_choice": {"type": "tool", "name": "get_time"}},
}
"""Over `TOOLS`: this one tool must be called."""

STOP: dict[str, Body] = {
    "chat": {"messages": [{"role": "user", "content": "Count."}], "stop": ["END", "\n\nHuman"]},
    "gemini": {
        "contents": [{"role": "user", "parts": [{"text": "Count."}]}],
        "generationConfig": {"stopSequences": ["END", "\n\nHuman"]},
    },
    "anthropic": {
        "messages": [{"role": "user", "content": "Count."}],
        "stop_sequences": ["END", "\n\nHuman"],
    },
}
"""Responses knows no stop words (protocol.md 6.1)."""

SCHEMA: dict[str, Body] = {
    "chat": {
        "messages": [{"role": "user", "content": "What colour is the sky?"}],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "verdict", "strict": True, "schema": VERDICT},
        },
        "top_p": 0.25,
    },
    "responses": {
        "input": "What colour is the sky?",
        "text": {"format": {"type": "json_schema", "name": "verdict", "strict": True, "schema": VERDICT}},
        "top_p": 0.25,
        "store": False,
    },
    "gemini": {
        "contents": [{"role": "user", "parts": [{"text": "What colour is the sky?"}]}],
        "generationConfig": {
            "responseMimeType": "application/json",
            "responseJsonSchema": VERDICT,
            "topP": 0.25,
        },
    },
    "anthropic": {
        "messages": [{"role": "user", "content": "What colour is the sky?"}],
        "output_config": {"format": {"type": "json_schema", "schema": VERDICT}},
        "top_p": 0.25,
    },
}

IMAGE: dict[str, Body] = {
    "chat": {
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
                ],
            }
        ]
    },
    "responses": {
        "input": [
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "What is this?"},
                    {
                        "type": "input_image",
                        "detail": "auto",
                        "image_url": f"data:image/png;base64,{PNG}",
                    },
                ],
            }
        ],
        "store": False,
    },
    "gemini": {
        "contents": [
            {
                "role": "user",
                "parts": [
                    {"text": "What is this?"},
                    {"inlineData": {"mimeType": "image/png", "data": PNG}},
                ],
            }
        ]
    },
    "anthropic": {
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {
                        "type": "image",
                        "source": {"type": "base64", "media_type": "image/png", "data": PNG},
                    },
                ],
            }
        ]
    },
}

PDF = "JVBERi0xLjQKJSBvbmUgcGFnZQo="
"""The beginning of one."""

DOCUMENT: dict[str, Body] = {
    "chat": {
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What does it say?"},
                    {
                        "type": "file",
                        "file": {"file_data": f"data:application/pdf;base64,{PDF}", "filename": "a.pdf"},
                    },
                ],
            }
        ]
    },
    "responses": {
        "input": [
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "What does it say?"},
                    {
                        "type": "input_file",
                        "file_data": f"data:application/pdf;base64,{PDF}",
                        "filename": "a.pdf",
                    },
                ],
            }
        ],
        "store": False,
    },
    "gemini": {
        "contents": [
            {
                "role": "user",
                "parts": [
                    {"text": "What does it say?"},
                    {"inlineData": {"mimeType": "application/pdf", "data": PDF}},
                ],
            }
        ]
    },
    "anthropic": {
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What does it say?"},
                    {
                        "type": "document",
                        "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
                    },
                ],
            }
        ]
    },
}

WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEA"
"""The beginning of a sound."""

SOUND: dict[str, Body] = {
    "chat": {
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is said?"},
                    {"type": "input_audio", "input_audio": {"data": WAV, "format": "wav"}},
                ],
            }
        ]
    },
    "gemini": {
        "contents": [
            {
                "role": "user",
                "parts": [
                    {"text": "What is said?"},
                    {"inlineData": {"mimeType": "audio/wav", "data": WAV}},
                ],
            }
        ]
    },
}
"""Anthropic's protocol has no place for sound, and Responses none that its SDK would put it in (openai 3.54.0, anthropic 2.12.0)."""

REASONING: dict[str, Body] = {
    "chat": {
        "messages": [{"role": "user", "content": "Think hard."}],
        "reasoning_effort": "high",
    },
    "responses": {
        "input": "Think hard.",
        "reasoning": {"effort": "high", "summary": "auto"},
        "include": ["reasoning.encrypted_content"],
        "store": False,
    },
    "gemini": {
        "contents": [{"role": "user", "parts": [{"text": "Think hard."}]}],
        "generationConfig": {"thinkingConfig": {"thinkingLevel": "HIGH", "includeThoughts": True}},
    },
    "anthropic": {
        "messages": [{"role": "user", "content": "Think hard."}],
        "model": "claude-sonnet-5",
        "thinking": {"type": "adaptive"},
        "output_config": {"effort": "high"},
    },
}


def follow_up(dialect: str, first: Body, answer: Body, results: dict[str, str]) -> Body:
    """The next request of a tool conversation: what the client was answered, and the results of the tools by their names."""
    return _FOLLOW_UPS[dialect](dict(first), answer, results)


def _chat(body: Body, answer: Body, results: dict[str, str]) -> Body:
    message = answer["choices"][0]["message"]
    told = [
        {"role": "tool", "tool_call_id": call["id"], "content": results[call["function"]["name"]]}
        for call in message.get("tool_calls") or ()
    ]
    body.pop("tool_choice", None)
    return body | {
        "messages": [*body["messages"], message, *(told or [{"role": "user", "content": "Go on."}])]
    }


def _responses(body: Body, answer: Body, results: dict[str, str]) -> Body:
    told = [
        {"type": "function_call_output", "call_id": item["call_id"], "output": results[item["name"]]}
        for item in answer["output"]
        if item["type"] == "function_call"
    ]
    first = body["input"]
    asked = [{"role": "user", "content": first}] if isinstance(first, str) else first
    body.pop("tool_choice", None)
    return body | {"input": [*asked, *answer["output"], *(told or [{"role": "user", "content": "Go on."}])]}


def _gemini(body: Body, answer: Body, results: dict[str, str]) -> Body:
    content = answer["candidates"][0]["content"]
    told = [
        {
            "functionResponse": {
                "id": part["functionCall"].get("id"),
                "name": part["functionCall"]["name"],
                "response": {"output": results[part["functionCall"]["name"]]},
            }
        }
        for part in content["parts"]
        if "functionCall" in part
    ]
    body.pop("toolConfig", None)
    next_turn = {"role": "user", "parts": told or [{"text": "Go on."}]}
    return body | {"contents": [*body["contents"], content, next_turn]}


def _anthropic(body: Body, answer: Body, results: dict[str, str]) -> Body:
    told = [
        {"type": "tool_result", "tool_use_id": block["id"], "content": results[block["name"]]}
        for block in answer["content"]
        if block["type"] == "tool_use"
    ]
    body.pop("tool_choice", None)
    return body | {
        "messages": [
            *body["messages"],
            {"role": "assistant", "content": answer["content"]},
            {"role": "user", "content": told or "Go on."},
        ]
    }


_FOLLOW_UPS = {"chat": _chat, "responses": _responses, "gemini": _gemini, "anthropic": _anthropic}


def asked(scenario: dict[str, Body], dialect: str) -> Body:
    """A whole request body in that dialect."""
    return {**MODELS[dialect], **scenario[dialect]}
