"""What Anthropic's Messages API accepts: the body is judged here and turned into a `Prompt`.

Fields are those of anthropic-python 2.12.0 and its beta (the project's protocol study, 2026-11-22). Version 2026-10-21
refuses temperature, top_p and top_k.
"""

from __future__ import annotations

from .anthropic_thinking import check_block, check_order, check_thinking
from .openai_chat_checks import FILE_TOKENS, IMAGE_TOKENS
from .openai_checks import maybe_integer, maybe_object, maybe_string
from .values import Json, JsonObject, Prompt, Refusal, Tool

VERSIONS = ("2023-06-01", "2026-10-21")
_SAMPLING = ("temperature", "top_p", "top_k")
FIELDS: dict[str, type | tuple[type, ...]] = {
    "model": str,
    "max_tokens": int,
    "messages": list,
    "system": (str, list),
    "tools": list,
    "tool_choice": dict,
    "thinking": dict,
    "output_config": dict,
    "stop_sequences": list,
    "metadata": dict,
    "service_tier": str,
    "speed": str,
    "inference_geo": str,
    "container": (str, dict),
    "context_management": dict,
    "cache_control": dict,
    "mcp_servers": list,
    "stream": bool,
    "temperature": (int, float),
    "top_p": (int, float),
    "top_k": int,
}
_NAMES: dict[type, str] = {
    str: "string",
    int: "integer",
    float: "number",
    list: "list",
    dict: "dictionary",
    bool: "boolean",
}
_BLOCKS = (
    "text",
    "image",
    "document",
    "search_result",
    "thinking",
    "redacted_thinking",
    "tool_use",
    "tool_result",
    "server_tool_use",
    "web_search_tool_result",
)


class _Reading:
    def __init__(self) -> None:
        self.texts: list[str] = []
        self.messages = 0
        self.media_tokens = 0
        self.last_user_text = ""
        self.open_calls: set[str] = set()
        self.answers_tools = False


def messages_prompt(body: JsonObject, version: str | None, *, needs_limit: bool = True) -> Prompt:
    """The prompt of a Messages body; `needs_limit` is false for count_tokens. Raises Refusal (400)."""
    check_version(version)
    _check_fields(body, version, needs_limit=needs_limit)
    reading = _read(body)
    tools = _tools(body.get("tools"))
    return Prompt(
        model=str(body["model"]),
        texts=tuple(reading.texts),
        messages=reading.messages,
        media_tokens=reading.media_tokens,
        last_user_text=reading.last_user_text,
        answers_tools=reading.answers_tools,
        stream=body.get("stream") is True,
        max_output_tokens=maybe_integer(body, "max_tokens"),
        stop=_stop(body.get("stop_sequences")),
        tools=tools,
        tool_choice=_tool_choice(maybe_object(body, "tool_choice"), tools),
        parallel_tools=maybe_object(body, "tool_choice").get("disable_parallel_tool_use") is not True,
        schema=_schema(maybe_object(body, "output_config")),
        service_tier="standard",
    )


def check_version(version: str | None) -> None:
    """Raises Refusal when the anthropic-version header is missing or unknown."""
    if version is None:
        raise Refusal(400, "anthropic-version: header is required")
    if version not in VERSIONS:
        raise Refusal(400, f'anthropic-version: "{version}" is not a valid version')


def _check_fields(body: JsonObject, version: str | None, *, needs_limit: bool) -> None:
    required = ("model", "max_tokens", "messages") if needs_limit else ("model", "messages")
    for name in required:
        if name not in body:
            raise Refusal(400, f"{name}: Field required")
    for name, value in body.items():
        if name not in FIELDS:
            raise Refusal(400, f"{name}: Extra inputs are not permitted")
        _check_type(name, value, FIELDS[name])
    if version == "2026-10-21" and (found := [name for name in _SAMPLING if name in body]):
        raise Refusal(400, f"{found[0]}: Extra inputs are not permitted in version 2026-10-21")
    check_thinking(body)
    if any(not word.strip() for word in _stop(body.get("stop_sequences"))):
        raise Refusal(400, "stop_sequences: each stop sequence must contain non-whitespace")
    limit = body.get("max_tokens")
    if isinstance(limit, int) and limit < 1:
        raise Refusal(400, "max_tokens: Input should be greater than or equal to 1")
    temperature = body.get("temperature")
    if isinstance(temperature, (int, float)) and not 0 <= temperature <= 1:
        raise Refusal(400, f"temperature: range: 0..1, but got {temperature}")


def _check_type(name: str, value: Json, expected: type | tuple[type, ...]) -> None:
    kinds = expected if isinstance(expected, tuple) else (expected,)
    wrong_bool = isinstance(value, bool) and bool not in kinds
    if wrong_bool or not isinstance(value, kinds):
        raise Refusal(400, f"{name}: Input should be a valid {_NAMES[kinds[0]]}")


def _read(body: JsonObject) -> _Reading:
    reading = _Reading()
    if (system := body.get("system")) is not None:
        reading.messages += 1
        _content("system", system, reading)
    messages = body["messages"]
    if not isinstance(messages, list) or not messages:
        raise Refusal(400, "messages: at least one message is required")
    for place, item in enumerate(messages):
        _message(f"messages.{place}", item, reading)
    if reading.open_calls:
        _refuse_open(reading)
    return reading


def _message(param: str, item: Json, reading: _Reading) -> None:
    if not isinstance(item, dict):
        raise Refusal(400, f"{param}: Input should be a valid dictionary")
    role = item.get("role")
    if role not in ("user", "assistant", "system"):
        raise Refusal(400, f"{param}.role: Input should be 'user', 'assistant' or 'system'")
    if "content" not in item:
        raise Refusal(400, f"{param}.content: Field required")
    reading.messages += 1
    reading.answers_tools = False
    pending = set(reading.open_calls)
    text = _content(f"{param}.content", item["content"], reading)
    if pending & reading.open_calls:
        _refuse_open(reading)
    if role == "user":
        reading.last_user_text = text or reading.last_user_text


def _refuse_open(reading: _Reading) -> None:
    ids = ", ".join(sorted(reading.open_calls))
    message = (
        "messages: `tool_use` ids were found without `tool_result` blocks immediately after: "
        f"{ids}. Each `tool_use` block must have a corresponding `tool_result` block in the next message."
    )
    raise Refusal(400, message)


def _content(param: str, content: Json, reading: _Reading) -> str:
    if isinstance(content, str):
        reading.texts.append(content)
        return content
    if not isinstance(content, list):
        raise Refusal(400, f"{param}: Input should be a valid string or list")
    check_order(param, content)
    return "".join(_block(f"{param}.{place}", block, reading) for place, block in enumerate(content))


def _block(param: str, block: Json, reading: _Reading) -> str:
    kind = block.get("type") if isinstance(block, dict) else None
    if not isinstance(block, dict) or kind not in _BLOCKS:
        known = ", ".join(f"'{name}'" for name in _BLOCKS)
        raise Refusal(
            400,
            f"{param}: Input tag '{kind}' found using 'type' does not match any of the expected tags: {known}",
        )
    check_block(param, block)
    match kind:
        case "text":
            text = maybe_string(block, "text")
            if not text:
                raise Refusal(400, f"{param}: text content blocks must be non-empty")
            reading.texts.append(text)
            return text
        case "image":
            reading.media_tokens += IMAGE_TOKENS
        case "document":
            reading.media_tokens += FILE_TOKENS
        case "tool_use":
            reading.open_calls.add(_required(param, block, "id"))
            reading.texts.append(_required(param, block, "name"))
        case "tool_result":
            _tool_result(param, block, reading)
        case _:
            pass
    return ""


def _tool_result(param: str, block: JsonObject, reading: _Reading) -> None:
    call_id = _required(param, block, "tool_use_id")
    if call_id not in reading.open_calls:
        message = f"{param}: unexpected `tool_use_id` found in `tool_result` blocks: {call_id}."
        raise Refusal(400, message)
    reading.open_calls.remove(call_id)
    reading.answers_tools = True
    if block.get("content") is not None:
        _content(f"{param}.content", block["content"], reading)


def _required(param: str, block: JsonObject, name: str) -> str:
    value = block.get(name)
    if isinstance(value, str):
        return value
    raise Refusal(400, f"{param}.{name}: Field required")


def _tools(value: Json) -> tuple[Tool, ...]:
    tools: list[Tool] = []
    for place, item in enumerate(value if isinstance(value, list) else []):
        if not isinstance(item, dict):
            raise Refusal(400, f"tools.{place}: Input should be a valid dictionary")
        name = _required(f"tools.{place}", item, "name")
        if item.get("type") not in (None, "custom"):
            continue
        if not isinstance(item.get("input_schema"), dict):
            raise Refusal(400, f"tools.{place}.input_schema: Field required")
        tools.append(Tool(name, maybe_object(item, "input_schema")))
    return tuple(tools)


def _tool_choice(choice: JsonObject, tools: tuple[Tool, ...]) -> str:
    match choice.get("type", "auto"):
        case "auto":
            return "auto"
        case "none":
            return "none"
        case "any":
            return "required"
        case "tool":
            name = _required("tool_choice", choice, "name")
            if name not in {tool.name for tool in tools}:
                raise Refusal(400, f"Tool '{name}' not found in provided tools")
            return f"={name}"
        case other:
            raise Refusal(
                400, f"tool_choice: Input tag '{other}' does not match: 'auto', 'any', 'tool', 'none'"
            )


def _stop(value: Json) -> tuple[str, ...]:
    return tuple(word for word in value if isinstance(word, str)) if isinstance(value, list) else ()


def _schema(config: JsonObject) -> JsonObject | None:
    output_format = maybe_object(config, "format")
    return maybe_object(output_format, "schema") if output_format.get("type") == "json_schema" else None
