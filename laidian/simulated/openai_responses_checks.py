"""What OpenAI's Responses API accepts: the body is judged here and turned into a `Prompt`.

Parameters are those of openai-python 3.54.0 (response_create_params.py, read 2026-11-22). Whatever refers to something that the
account has not stored is refused as not found.
"""

from __future__ import annotations

from .openai_chat_checks import (
    FILE_TOKENS,
    IMAGE_TOKENS,
    SERVICE_TIERS,
    check_image,
    read_schema,
    read_tool_choice,
    read_tools,
)
from .openai_checks import (
    Rule,
    bad_value,
    check_parameters,
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
from .shelf import Shelves
from .values import Json, JsonObject, Prompt, Refusal

PARAMETERS: dict[str, Rule] = {
    "model": Rule("string", required=True),
    "input": Rule("any"),
    "access_programs": Rule("object"),
    "background": Rule("boolean"),
    "background_options": Rule("object"),
    "client_metadata": Rule("object"),
    "context_management": Rule("array"),
    "conversation": Rule("any"),
    "image": Rule("object"),
    "include": Rule("array"),
    "instructions": Rule("string"),
    "max_output_tokens": Rule("integer", 16),
    "max_tool_calls": Rule("integer", 1),
    "metadata": Rule("object"),
    "moderation": Rule("object"),
    "parallel_tool_calls": Rule("boolean"),
    "previous_response_id": Rule("string"),
    "prompt": Rule("object"),
    "prompt_cache_key": Rule("string"),
    "prompt_cache_options": Rule("object"),
    "prompt_cache_retention": Rule("string", values=("in_memory", "24h")),
    "reasoning": Rule("object"),
    "safety_identifier": Rule("string"),
    "service_tier": Rule("string", values=(*SERVICE_TIERS, "ultrafast")),
    "store": Rule("boolean"),
    "stream": Rule("boolean"),
    "stream_options": Rule("object"),
    "temperature": Rule("number", 0, 2),
    "text": Rule("object"),
    "tool_choice": Rule("any"),
    "tools": Rule("array"),
    "top_logprobs": Rule("integer", 0, 20),
    "top_p": Rule("number", 0, 1),
    "truncation": Rule("string", values=("auto", "disabled")),
    "user": Rule("string"),
}
ROLES = ("assistant", "system", "developer", "user")
_SILENT_ITEMS = (
    "reasoning",
    "compaction",
    "custom_tool_call",
    "web_search_call",
    "file_search_call",
    "local_shell_call",
)
"""Item types that are taken and cost the fixed price of a message."""


class Reading:
    """What is read of items. Stored objects are those of the account; without shelves there are none."""

    def __init__(self, shelves: Shelves | None = None, account: str = "") -> None:
        self.shelves = shelves or Shelves()
        self.account = account
        self.texts: list[str] = []
        self.messages = 0
        self.media_tokens = 0
        self.last_user_text = ""
        self.call_ids: set[str] = set()
        self.ends_with_output = False


def responses_prompt(body: JsonObject, shelves: Shelves | None = None, account: str = "") -> Prompt:
    """The prompt of a Responses body. Raises Refusal (400, or 404 for what would have to be stored)."""
    check_parameters(body, PARAMETERS)
    if body.get("background") is True and body.get("store") is False:
        raise invalid("background", "Background responses are stored: 'store' may not be false.")
    reading = Reading(shelves, account)
    _recall(body, reading)
    _read_input(body, reading)
    tools = read_tools(body.get("tools"), nested=False)
    tier = maybe_string(body, "service_tier")
    return Prompt(
        model=str(body["model"]),
        texts=tuple(reading.texts),
        messages=reading.messages,
        media_tokens=reading.media_tokens,
        last_user_text=reading.last_user_text,
        answers_tools=reading.ends_with_output,
        stream=body.get("stream") is True,
        max_output_tokens=maybe_integer(body, "max_output_tokens"),
        tools=tools,
        tool_choice=read_tool_choice(body.get("tool_choice"), tools, nested=False),
        parallel_tools=body.get("parallel_tool_calls") is not False,
        schema=_schema(maybe_object(body, "text")),
        service_tier=None if tier == "auto" else tier,
    )


def conversation_id(body: JsonObject) -> str | None:
    """The conversation that a response belongs to. Raises Refusal (400)."""
    value = body.get("conversation")
    if value is None or isinstance(value, str):
        return value
    return need_string("conversation", need_object("conversation", value), "id")


def _recall(body: JsonObject, reading: Reading) -> None:
    """What is continued is input again. Raises Refusal for what this account does not have."""
    previous, conversation = maybe_string(body, "previous_response_id"), conversation_id(body)
    if previous is not None and conversation is not None:
        raise invalid("conversation", "Only one of 'previous_response_id' and 'conversation' may be given.")
    if previous is not None:
        stored = reading.shelves.responses.get(reading.account, previous)
        if stored is None:
            message = f"Previous response with id '{previous}' not found."
            raise invalid("previous_response_id", message, "previous_response_not_found")
        reading.texts += stored.texts
        reading.messages += stored.messages
        reading.call_ids |= stored.call_ids
    if conversation is not None:
        kept = reading.shelves.conversations.get(reading.account, conversation)
        if kept is None:
            raise Refusal(404, f"Conversation with id '{conversation}' not found.", param="conversation")
        reading.texts += kept.texts
        reading.messages += kept.messages


def _read_input(body: JsonObject, reading: Reading) -> Reading:
    instructions = maybe_string(body, "instructions")
    if instructions is not None:
        reading.texts.append(instructions)
        reading.messages += 1
    value = body.get("input")
    if value is None:
        raise missing("input")
    if isinstance(value, str):
        reading.texts.append(value)
        reading.messages += 1
        reading.last_user_text = value
        return reading
    items = need_array("input", value, "one of a string or array of objects")
    if not items:
        raise invalid("input", "Invalid 'input': empty array.", "empty_array")
    for place, item in enumerate(items):
        read_item(f"input[{place}]", need_object(f"input[{place}]", item), reading)
    return reading


def read_item(param: str, item: JsonObject, reading: Reading) -> None:
    kind = "message" if "type" not in item and "role" in item else need_string(param, item, "type")
    reading.messages += 1
    reading.ends_with_output = kind in ("function_call_output", "custom_tool_call_output")
    match kind:
        case "message":
            _read_message(param, item, reading)
        case "function_call":
            reading.call_ids.add(need_string(param, item, "call_id"))
            reading.texts += [need_string(param, item, "name"), need_string(param, item, "arguments")]
        case "function_call_output":
            _read_output(param, item, reading)
        case "item_reference":
            raise Refusal(404, f"Item with id '{item.get('id')}' not found.", param=param)
        case _:
            if kind not in _SILENT_ITEMS and not kind.endswith(("_call", "_output")):
                raise bad_value(
                    f"{param}.type", kind, ("message", "function_call", "function_call_output", "reasoning")
                )


def _read_output(param: str, item: JsonObject, reading: Reading) -> None:
    call_id = need_string(param, item, "call_id")
    if call_id not in reading.call_ids:
        raise invalid("input", f"No tool call found for function call output with call_id {call_id}.", None)
    if "output" not in item:
        raise missing(f"{param}.output")
    _content(f"{param}.output", item["output"], "user", reading)


def _read_message(param: str, item: JsonObject, reading: Reading) -> None:
    role = need_string(param, item, "role")
    if role not in ROLES:
        raise bad_value(f"{param}.role", role, ROLES)
    if "content" not in item:
        raise missing(f"{param}.content")
    text = _content(f"{param}.content", item["content"], role, reading)
    if role == "user":
        reading.last_user_text = text


def _content(param: str, content: Json, role: str, reading: Reading) -> str:
    if isinstance(content, str):
        reading.texts.append(content)
        return content
    if not isinstance(content, list):
        raise mistyped(param, "one of a string or array of objects", content)
    texts: list[str] = []
    for place, value in enumerate(content):
        texts.append(_part(f"{param}[{place}]", need_object(f"{param}[{place}]", value), role, reading))
    return "".join(texts)


def _part(param: str, part: JsonObject, role: str, reading: Reading) -> str:
    known = ("output_text", "refusal") if role == "assistant" else ("input_text", "input_image", "input_file")
    kind = need_string(param, part, "type")
    if kind not in known:
        raise bad_value(f"{param}.type", kind, known)
    match kind:
        case "input_image":
            url = maybe_string(part, "image_url")
            if url is not None:
                check_image(f"{param}.image_url", url)
            _check_file(param, part, reading)
            reading.media_tokens += IMAGE_TOKENS
            return ""
        case "input_file":
            _check_file(param, part, reading)
            reading.media_tokens += FILE_TOKENS
            return ""
        case _:
            text = need_string(param, part, "refusal" if kind == "refusal" else "text")
            reading.texts.append(text)
            return text


def _check_file(param: str, part: JsonObject, reading: Reading) -> None:
    """A file is named by an id that the account has, or not at all."""
    file_id = maybe_string(part, "file_id")
    if file_id is not None and reading.shelves.files.get(reading.account, file_id) is None:
        raise invalid(f"{param}.file_id", f"Files ['{file_id}'] were not found.", "file_not_found")


def _schema(text: JsonObject) -> JsonObject | None:
    value = text.get("format")
    if value is None:
        return None
    text_format = need_object("text.format", value)
    kind = need_string("text.format", text_format, "type")
    match kind:
        case "text":
            return None
        case "json_object":
            return {}
        case "json_schema":
            return read_schema("text.format", text_format)
        case _:
            raise bad_value("text.format.type", kind, ("json_object", "json_schema", "text"))
