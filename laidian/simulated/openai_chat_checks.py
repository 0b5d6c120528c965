"""What OpenAI's chat completions accept: the body is judged here and turned into a `Prompt`.

Parameters are those of openai-python 3.54.0 (completion_create_params.py, read 2026-11-22).
"""

from __future__ import annotations

import re

from .openai_checks import (
    Rule,
    bad_value,
    check_parameters,
    check_value,
    invalid,
    maybe_integer,
    maybe_object,
    maybe_string,
    missing,
    mistyped,
    need_array,
    need_object,
    need_string,
)
from .values import Json, JsonObject, Prompt, Tool

IMAGE_TOKENS = 85
AUDIO_TOKENS = 100
FILE_TOKENS = 200

REASONING_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
SERVICE_TIERS = ("auto", "default", "flex", "scale", "priority", "fast")

PARAMETERS: dict[str, Rule] = {
    "messages": Rule("array", required=True),
    "model": Rule("string", required=True),
    "audio": Rule("object"),
    "frequency_penalty": Rule("number", -2, 2),
    "function_call": Rule("any"),
    "functions": Rule("array"),
    "logit_bias": Rule("object"),
    "logprobs": Rule("boolean"),
    "max_completion_tokens": Rule("integer", 1),
    "max_tokens": Rule("integer", 1),
    "metadata": Rule("object"),
    "modalities": Rule("array"),
    "moderation": Rule("object"),
    "n": Rule("integer", 1, 128),
    "parallel_tool_calls": Rule("boolean"),
    "prediction": Rule("object"),
    "presence_penalty": Rule("number", -2, 2),
    "prompt_cache_key": Rule("string"),
    "prompt_cache_options": Rule("object"),
    "prompt_cache_retention": Rule("string", values=("in_memory", "24h")),
    "reasoning_effort": Rule("string", values=REASONING_EFFORTS),
    "response_format": Rule("object"),
    "safety_identifier": Rule("string"),
    "seed": Rule("integer"),
    "service_tier": Rule("string", values=SERVICE_TIERS),
    "stop": Rule("any"),
    "store": Rule("boolean"),
    "stream": Rule("boolean"),
    "stream_options": Rule("object"),
    "temperature": Rule("number", 0, 2),
    "tool_choice": Rule("any"),
    "tools": Rule("array"),
    "top_logprobs": Rule("integer", 0, 20),
    "top_p": Rule("number", 0, 1),
    "user": Rule("string"),
    "verbosity": Rule("string", values=("low", "medium", "high")),
    "web_search_options": Rule("object"),
}

ROLES = ("system", "assistant", "user", "function", "tool", "developer")
_PARTS: dict[str, tuple[str, ...]] = {
    "system": ("text",),
    "developer": ("text",),
    "tool": ("text",),
    "function": ("text",),
    "assistant": ("text", "refusal"),
    "user": ("text", "image_url", "input_audio", "file"),
}
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class _Reading:
    """What the messages hold, gathered while they are checked."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.media_tokens = 0
        self.last_user_text = ""
        self.open_calls: set[str] = set()
        """Ids of tool calls that no tool message has answered yet."""


def chat_prompt(body: JsonObject) -> Prompt:
    """The prompt of a chat completion body. Raises Refusal (400)."""
    check_parameters(body, PARAMETERS)
    stream = body.get("stream") is True
    if body.get("stream_options") is not None:
        _check_stream_options(body, stream)
    if body.get("max_tokens") is not None and body.get("max_completion_tokens") is not None:
        message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
        raise invalid("max_tokens", message, "invalid_parameter_combination")
    if body.get("top_logprobs") is not None and body.get("logprobs") is not True:
        raise invalid(
            "top_logprobs", "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled."
        )
    messages = need_array("messages", body["messages"], "an array of objects")
    reading = _read_messages(messages)
    tools = read_tools(body.get("tools"), nested=True)
    return Prompt(
        model=str(body["model"]),
        texts=tuple(reading.texts),
        messages=len(messages),
        media_tokens=reading.media_tokens,
        last_user_text=reading.last_user_text,
        answers_tools=need_object("messages", messages[-1]).get("role") == "tool",
        stream=stream,
        max_output_tokens=maybe_integer(body, "max_completion_tokens") or maybe_integer(body, "max_tokens"),
        choices=maybe_integer(body, "n") or 1,
        stop=_stop(body.get("stop")),
        tools=tools,
        tool_choice=read_tool_choice(body.get("tool_choice"), tools, nested=True),
        parallel_tools=body.get("parallel_tool_calls") is not False,
        schema=_format_schema(body.get("response_format"), reading.texts),
        service_tier=_tier(body),
    )


def _tier(body: JsonObject) -> str | None:
    tier = maybe_string(body, "service_tier")
    return None if tier == "auto" else tier


def _check_stream_options(body: JsonObject, stream: bool) -> None:
    if not stream:
        message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise invalid("stream_options", message, None)
    for name, value in maybe_object(body, "stream_options").items():
        param = f"stream_options.{name}"
        if name not in ("include_usage", "include_obfuscation"):
            raise invalid(param, f"Unknown parameter: '{param}'.", "unknown_parameter")
        if value is not None:
            check_value(param, value, Rule("boolean"))


def _stop(value: Json) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,) if value else ()
    words = need_array("stop", value, "one of a string or an array of strings")
    if len(words) > 4:
        message = (
            f"Invalid 'stop': array too long. Expected an array with maximum length 4, but got {len(words)}."
        )
        raise invalid("stop", message, "array_above_max_length")
    for place, word in enumerate(words):
        check_value(f"stop[{place}]", word, Rule("string"))
    return tuple(word for word in words if isinstance(word, str) and word)


def _read_messages(messages: list[Json]) -> _Reading:
    if not messages:
        message = "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array."
        raise invalid("messages", message, "empty_array")
    reading = _Reading()
    for place, item in enumerate(messages):
        _read_message(f"messages[{place}]", need_object(f"messages[{place}]", item), reading)
    _refuse_open_calls(reading)
    return reading


def _read_message(param: str, message: JsonObject, reading: _Reading) -> None:
    role = need_string(param, message, "role")
    if role not in ROLES:
        raise bad_value(f"{param}.role", role, ROLES)
    if role == "tool":
        _answer_call(param, message, reading)
    else:
        _refuse_open_calls(reading)
    text = _content(param, message, role, reading)
    if role == "user":
        reading.last_user_text = text
    if role == "assistant" and message.get("tool_calls") is not None:
        _read_calls(f"{param}.tool_calls", message["tool_calls"], reading)


def _content(param: str, message: JsonObject, role: str, reading: _Reading) -> str:
    content = message.get("content")
    if content is None:
        if role == "assistant" and (message.keys() & {"tool_calls", "function_call", "refusal", "audio"}):
            return ""
        if "content" not in message:
            raise missing(f"{param}.content")
        raise mistyped(f"{param}.content", "one of a string or array of objects", None)
    if isinstance(content, str):
        reading.texts.append(content)
        return content
    expected = "one of a string or array of objects"
    parts = need_array(f"{param}.content", content, expected)
    return "".join(
        _part(f"{param}.content[{place}]", need_object(f"{param}.content[{place}]", part), role, reading)
        for place, part in enumerate(parts)
    )


def _part(param: str, part: JsonObject, role: str, reading: _Reading) -> str:
    kind = need_string(param, part, "type")
    if kind not in _PARTS[role]:
        raise bad_value(f"{param}.type", kind, _PARTS[role])
    match kind:
        case "text" | "refusal":
            text = need_string(param, part, kind)
            reading.texts.append(text)
            return text
        case "image_url":
            check_image(f"{param}.image_url.url", _nested(param, part, "image_url", "url"))
            reading.media_tokens += IMAGE_TOKENS
        case "input_audio":
            _nested(param, part, "input_audio", "data")
            sound_format = _nested(param, part, "input_audio", "format")
            if sound_format not in ("wav", "mp3"):
                raise bad_value(f"{param}.input_audio.format", sound_format, ("wav", "mp3"))
            reading.media_tokens += AUDIO_TOKENS
        case _:
            if "file" not in part:
                raise missing(f"{param}.file")
            need_object(f"{param}.file", part["file"])
            reading.media_tokens += FILE_TOKENS
    return ""


def check_image(param: str, url: str) -> None:
    """Raises Refusal for a URL that can be no image."""
    if not url.startswith(("https://", "http://", "data:image/")):
        message = f"Invalid '{param}'. Expected a valid URL, but got a value with an invalid format."
        raise invalid(param, message)


def _nested(param: str, part: JsonObject, name: str, inner: str) -> str:
    if name not in part:
        raise missing(f"{param}.{name}")
    return need_string(f"{param}.{name}", need_object(f"{param}.{name}", part[name]), inner)


def _read_calls(param: str, value: Json, reading: _Reading) -> None:
    for place, item in enumerate(need_array(param, value, "an array of objects")):
        path = f"{param}[{place}]"
        call = need_object(path, item)
        kind = need_string(path, call, "type")
        if kind not in ("function", "custom"):
            raise bad_value(f"{path}.type", kind, ("function", "custom"))
        reading.open_calls.add(need_string(path, call, "id"))
        reading.texts.append(_nested(path, call, kind, "name"))
        reading.texts.append(_nested(path, call, kind, "arguments" if kind == "function" else "input"))


def _answer_call(param: str, message: JsonObject, reading: _Reading) -> None:
    call_id = need_string(param, message, "tool_call_id")
    if call_id not in reading.open_calls:
        text = "Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls'."
        raise invalid(f"{param}.role", text, None)
    reading.open_calls.remove(call_id)


def _refuse_open_calls(reading: _Reading) -> None:
    if reading.open_calls:
        ids = ", ".join(sorted(reading.open_calls))
        text = (
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. The following tool_call_ids did not have response messages: {ids}"
        )
        raise invalid("messages", text, None)


def read_tools(value: Json, *, nested: bool) -> tuple[Tool, ...]:
    """The callable tools of a request; `nested` as in chat, flat as in Responses. Raises Refusal (400)."""
    if value is None:
        return ()
    tools: list[Tool] = []
    for place, item in enumerate(need_array("tools", value, "an array of objects")):
        param = f"tools[{place}]"
        tool = need_object(param, item)
        kind = need_string(param, tool, "type")
        if kind not in ("function", "custom"):
            if nested:
                raise bad_value(f"{param}.type", kind, ("function", "custom"))
            continue
        if nested:
            if kind not in tool:
                raise missing(f"{param}.{kind}")
            param = f"{param}.{kind}"
            tool = need_object(param, tool[kind])
        tools.append(_tool(param, tool, custom=kind == "custom"))
    return tuple(tools)


def _tool(param: str, tool: JsonObject, *, custom: bool) -> Tool:
    name = need_string(param, tool, "name")
    if _NAME.fullmatch(name) is None:
        message = f"Invalid '{param}.name': string does not match pattern. Expected '^[a-zA-Z0-9_-]+$'."
        raise invalid(f"{param}.name", message)
    parameters = tool.get("parameters")
    if parameters is not None:
        check_value(f"{param}.parameters", parameters, Rule("object"))
    return Tool(name, maybe_object(tool, "parameters"), custom)


def read_tool_choice(value: Json, tools: tuple[Tool, ...], *, nested: bool) -> str:
    """`auto`, `none`, `required` or `=NAME`. Raises Refusal (400)."""
    if value is None:
        return "auto"
    if not tools:
        raise invalid("tool_choice", "'tool_choice' is only allowed when 'tools' are specified.", None)
    if isinstance(value, str):
        if value not in ("none", "auto", "required"):
            raise bad_value("tool_choice", value, ("none", "auto", "required"))
        return value
    choice = need_object("tool_choice", value)
    kind = need_string("tool_choice", choice, "type")
    if kind not in ("function", "custom"):
        return "auto"
    name = (
        _nested("tool_choice", choice, kind, "name") if nested else need_string("tool_choice", choice, "name")
    )
    if name not in {tool.name for tool in tools}:
        raise invalid("tool_choice", f"Tool choice '{name}' not found in 'tools' parameter.", None)
    return f"={name}"


def _format_schema(value: Json, texts: list[str]) -> JsonObject | None:
    if value is None:
        return None
    response_format = need_object("response_format", value)
    kind = need_string("response_format", response_format, "type")
    match kind:
        case "text":
            return None
        case "json_object":
            if not any("json" in text.lower() for text in texts):
                text = (
                    "'messages' must contain the word 'json' in some form, to use 'response_format' of type "
                    "'json_object'."
                )
                raise invalid("messages", text, None)
            return {}
        case "json_schema":
            if "json_schema" not in response_format:
                raise missing("response_format.json_schema")
            param = "response_format.json_schema"
            return read_schema(param, need_object(param, response_format["json_schema"]))
        case _:
            raise bad_value("response_format.type", kind, ("json_object", "json_schema", "text"))


def read_schema(param: str, holder: JsonObject) -> JsonObject:
    """The schema of a structured output `{name, schema, strict}`. Raises Refusal (400)."""
    name = need_string(param, holder, "name")
    if "schema" not in holder:
        raise missing(f"{param}.schema")
    schema = need_object(f"{param}.schema", holder["schema"])
    if holder.get("strict") is True:
        _check_strict(name, schema)
    return schema


def _check_strict(name: str, schema: Json) -> None:
    if isinstance(schema, list):
        for item in schema:
            _check_strict(name, item)
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        text = f"Invalid schema for response_format '{name}': 'additionalProperties' is required to be supplied and to be false."
        raise invalid("response_format", text, None)
    properties = schema.get("properties")
    required = schema.get("required")
    if isinstance(properties, dict) and set(properties) != set(
        map(str, required if isinstance(required, list) else [])
    ):
        text = f"Invalid schema for response_format '{name}': 'required' is required to be supplied and to name every key in properties."
        raise invalid("response_format", text, None)
    for word, value in schema.items():
        if word in ("properties", "$defs") and isinstance(value, dict):
            for inner in value.values():
                _check_strict(name, inner)
        elif word in ("items", "anyOf"):
            _check_strict(name, value)
