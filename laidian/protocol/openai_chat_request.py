"""A client's Chat Completions request, read into the canonical form.

Reads what another protocol could be told. What it cannot (several choices, spoken answers, moderation) is refused
by name; what only speeds up or files away (`prediction`, `prompt_cache_key`, `store` …) and what this file does not know is left out and
named in `dropped` (protocol.md 6.1, 6.3, 6.5). The legacy `functions` become tools, and get the ids that they never had.
The rule a newcomer would break: schemas and arguments are carried as the client spelled them, never decoded.
"""

from __future__ import annotations

from typing import Literal, TypeVar, get_args

import msgspec

from laidian.errors import BadRequest
from laidian.protocol.canonical import Effort, Format, Request, Tool, ToolChoice
from laidian.protocol.dialect import Peek
from laidian.protocol.document import Fields, said
from laidian.protocol.openai_chat_messages import Conversation
from laidian.protocol.openai_chat_wire import Custom, Function, Message, ResponseFormat
from laidian.protocol.openai_chat_wire import Tool as WireTool
from laidian.protocol.openai_chat_wire import ToolChoice as WireChoice

T = TypeVar("T")

EFFORTS: tuple[str, ...] = get_args(Effort)

READ = frozenset({
    "model", "messages", "tools", "functions", "tool_choice", "function_call", "parallel_tool_calls", "response_format", "stream",
    "stream_options", "max_completion_tokens", "max_tokens", "temperature", "top_p", "top_k", "stop", "seed", "n", "presence_penalty",
    "frequency_penalty", "reasoning_effort", "reasoning", "include_reasoning", "verbosity", "modalities", "user", "safety_identifier",
    "service_tier", "metadata", "web_search_options", "logprobs", "top_logprobs", "audio", "moderation",
})  # fmt: skip
"""Carried, or looked at and refused. `top_k`, `reasoning` and `include_reasoning` are OpenRouter's (its API reference, seen 2026-11)."""

_NAMES = {
    "choices": "n",
    "effort": "reasoning_effort",
    "top_logprobs": "logprobs",
    "format": "response_format",
    "thinking_budget": "reasoning.max_tokens",
    "include_thoughts": "include_reasoning",
    "web_search": "web_search_options",
}


class _Reasoning(msgspec.Struct):
    effort: str | None = None
    max_tokens: int | None = None
    exclude: bool | None = None


class _WebSearch(msgspec.Struct):
    search_context_size: str | None = None
    user_location: msgspec.Raw = msgspec.Raw()


def read_request(peek: Peek) -> Request:
    """Raises BadRequest naming the field that is wrong, or that no other protocol can be told."""
    fields = peek.fields
    _refuse(fields, peek.choices)
    reasoning = _read(fields, "reasoning", _Reasoning) or _Reasoning()
    conversation = Conversation(_messages(fields))
    modalities = _read(fields, "modalities", tuple[str, ...]) or ()
    if "audio" in modalities:
        raise _cannot("modalities", "spoken answers are not translated between protocols")
    tools, choice = _tools(fields)
    limit, limit_name = _limit(fields)
    user = _read(fields, "safety_identifier", str)
    metadata = _read(fields, "metadata", dict[str, str])
    return Request(
        messages=conversation.messages,
        tools=tools,
        tool_choice=choice,
        web_search=_read(fields, "web_search_options", _WebSearch) is not None,
        parallel_tool_calls=False if _legacy(fields) else fields.get("parallel_tool_calls", bool),
        format=_format(fields),
        max_output_tokens=limit,
        temperature=fields.get("temperature", float),
        top_p=fields.get("top_p", float),
        top_k=fields.get("top_k", int),
        stop=_stop(fields),
        seed=fields.get("seed", int),
        presence_penalty=fields.get("presence_penalty", float),
        frequency_penalty=fields.get("frequency_penalty", float),
        top_logprobs=(fields.get("top_logprobs", int) or 0) if fields.get("logprobs", bool) else None,
        effort=_effort(fields, reasoning),
        thinking_budget=reasoning.max_tokens,
        include_thoughts=_wants_thoughts(fields, reasoning),
        verbosity=fields.get("verbosity", str) or "",
        modalities=() if modalities == ("text",) else modalities,
        user=user or fields.get("user", str) or "",
        service_tier=fields.get("service_tier", str) or "",
        metadata=msgspec.json.encode(metadata) if metadata else b"",
        stream=peek.stream,
        dropped=(*_dropped(fields), *conversation.dropped),
        names=_NAMES | {"max_output_tokens": limit_name, "user": "safety_identifier" if user else "user"},
    )


def is_legacy(peek: Peek) -> bool:
    """Whether the client knows `function_call` only, and so must be answered with it."""
    return _legacy(peek.fields)


def _legacy(fields: Fields) -> bool:
    return _said(fields, "functions") and not _said(fields, "tools")


def _said(fields: Fields, name: str) -> bool:
    raw = fields.raw.get(name)
    return raw is not None and said(raw) is not None


def _is_text(fields: Fields, name: str) -> bool:
    """Whether a field that may be a string or something else is a string."""
    raw = fields.raw.get(name)
    return raw is not None and bytes(memoryview(raw)[:1]) == b'"'


def _cannot(name: str, why: str) -> BadRequest:
    message = (
        f"`{name}` cannot be carried to the upstream of this model, which speaks another protocol: {why}."
    )
    return BadRequest(message, param=name, code="unsupported_parameter")


def _refuse(fields: Fields, choices: int) -> None:
    if choices > 1:
        raise _cannot(
            "n", f"it gives one answer per request, {choices} were asked for; send that many requests"
        )
    if _said(fields, "audio"):
        raise _cannot("audio", "spoken answers are not translated between protocols")
    if _said(fields, "moderation"):
        raise _cannot("moderation", "it cannot check texts the way that was asked for")


def _dropped(fields: Fields) -> tuple[str, ...]:
    found = [name for name in fields.raw if name not in READ and _said(fields, name)]
    if "store" in found and fields.get("store", bool) is False:
        found.remove("store")
    search = _read(fields, "web_search_options", _WebSearch)
    if search is not None and search.search_context_size:
        found.append("web_search_options.search_context_size")
    if search is not None and said(search.user_location) is not None:
        found.append("web_search_options.user_location")
    return tuple(found)


def _read(fields: Fields, name: str, kind: type[T]) -> T | None:
    """A structured field; None when missing or null. Raises BadRequest with the path inside it."""
    raw = fields.raw.get(name)
    value = None if raw is None else said(raw)
    if value is None:
        return None
    try:
        return msgspec.json.decode(value, type=kind)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at `$")
        where = name + place.rstrip("`")
        raise BadRequest(f"`{where}` is wrong: {what}.", param=where[:200], code="invalid_type") from None
    except RecursionError:
        raise BadRequest(f"`{name}` is nested too deeply.", param=name) from None
    except msgspec.DecodeError as error:
        raise BadRequest(f"`{name}` is not valid JSON: {str(error)[:120]}.", param=name) from None


def _messages(fields: Fields) -> tuple[Message, ...]:
    messages = _read(fields, "messages", tuple[Message, ...])
    if not messages:
        raise BadRequest(
            "The request has no messages. Put at least one into `messages`.",
            param="messages",
            code="missing_messages",
        )
    return messages


def _limit(fields: Fields) -> tuple[int | None, str]:
    newer = fields.get("max_completion_tokens", int)
    if newer is not None:
        return newer, "max_completion_tokens"
    return fields.get("max_tokens", int), "max_tokens"


def _stop(fields: Fields) -> tuple[str, ...]:
    if _is_text(fields, "stop"):
        words: tuple[str, ...] | None = (fields.get("stop", str) or "",)
    else:
        words = _read(fields, "stop", tuple[str, ...])
    return tuple(word for word in words or () if word)


def _effort(fields: Fields, reasoning: _Reasoning) -> Effort | None:
    name, effort = "reasoning_effort", fields.get("reasoning_effort", str)
    if effort is None:
        name, effort = "reasoning.effort", reasoning.effort
    if effort is None:
        return None
    for known in EFFORTS:
        if effort == known:
            return known  # pyright: ignore[reportReturnType]
    raise BadRequest(
        f"`{name}` must be one of {', '.join(EFFORTS)}; got {effort[:40]}.", param=name, code="invalid_value"
    )


def _wants_thoughts(fields: Fields, reasoning: _Reasoning) -> bool:
    said_so = fields.get("include_reasoning", bool)
    if said_so is not None:
        return said_so
    return _said(fields, "reasoning") and reasoning.exclude is not True


def _format(fields: Fields) -> Format | None:
    asked = _read(fields, "response_format", ResponseFormat)
    if asked is None:
        return None
    match asked.type:
        case "text":
            return Format("text")
        case "json_object":
            return Format("json")
        case "json_schema":
            return _schema(asked)
        case other:
            raise BadRequest(
                f"`response_format.type` must be text, json_object or json_schema; got {other[:40]!r}.",
                param="response_format.type",
                code="invalid_value",
            )


def _schema(asked: ResponseFormat) -> Format:
    schema = asked.json_schema
    text = None if schema is None else said(schema.schema)
    if schema is None or text is None:
        raise BadRequest(
            "`response_format.json_schema.schema` is missing.",
            param="response_format.json_schema",
            code="missing_schema",
        )
    return Format("schema", schema.name, text, schema.strict, schema.description or "")


# Tools


def _tools(fields: Fields) -> tuple[tuple[Tool, ...], ToolChoice | None]:
    offered = _read(fields, "tools", tuple[WireTool, ...]) or ()
    older = _read(fields, "functions", tuple[Function, ...]) or ()
    tools = (
        *(_tool(tool, f"tools[{place}]") for place, tool in enumerate(offered)),
        *(_function(function, f"functions[{place}]") for place, function in enumerate(older)),
    )
    choice = _choice(fields) if offered else _legacy_choice(fields)
    if choice is not None and choice.mode == "auto" and choice.names:
        # all others are forbidden, which no other protocol can say of tools that it was told
        return tuple(tool for tool in tools if tool.name in choice.names), ToolChoice("auto")
    return tools, choice


def _tool(tool: WireTool, param: str) -> Tool:
    if tool.type == "function" and tool.function is not None:
        return _function(tool.function, f"{param}.function")
    if tool.type == "custom" and tool.custom is not None:
        custom = tool.custom
        _named(custom.name, f"{param}.custom.name")
        return Tool(custom.name, custom.description or "", custom=True, grammar=said(custom.format) or b"")
    raise BadRequest(
        f"`{param}` must be a function or a custom tool; got {tool.type[:40]!r}.",
        param=f"{param}.type",
        code="invalid_value",
    )


def _function(function: Function, param: str) -> Tool:
    _named(function.name, f"{param}.name")
    schema = said(function.parameters) or b""
    if schema and not schema.startswith(b"{"):
        raise BadRequest(
            f"`{param}.parameters` must be a JSON Schema object.",
            param=f"{param}.parameters",
            code="invalid_type",
        )
    return Tool(function.name, function.description or "", schema, function.strict)


def _named(name: str, param: str) -> None:
    if not name:
        raise BadRequest(f"`{param}` is missing: a tool needs a name.", param=param, code="missing_name")


def _choice(fields: Fields) -> ToolChoice | None:
    if _is_text(fields, "tool_choice"):
        return ToolChoice(_mode(fields.get("tool_choice", str) or "", "tool_choice"))
    choice = _read(fields, "tool_choice", WireChoice)
    if choice is None:
        return None
    if choice.type == "allowed_tools" and choice.allowed_tools is not None:
        tools = choice.allowed_tools.tools
        names = tuple(
            _choice_name(tool.function or tool.custom, "tool_choice.allowed_tools.tools") for tool in tools
        )
        return ToolChoice(_mode(choice.allowed_tools.mode, "tool_choice.allowed_tools.mode"), names)
    if choice.type in ("function", "custom"):
        return ToolChoice("named", (_choice_name(choice.function or choice.custom, "tool_choice"),))
    raise BadRequest(
        f"`tool_choice.type` must be function, custom or allowed_tools; got {choice.type[:40]!r}.",
        param="tool_choice.type",
        code="invalid_value",
    )


def _choice_name(tool: Function | Custom | None, param: str) -> str:
    name = "" if tool is None else tool.name
    if not name:
        raise BadRequest(f"`{param}` names no tool.", param=param, code="missing_name")
    return name


def _mode(word: str, param: str) -> Literal["auto", "none", "required"]:
    match word:
        case "auto" | "none" | "required":
            return word
        case _:
            raise BadRequest(
                f"`{param}` must be auto, none or required, or name a tool; got {word[:40]!r}.",
                param=param,
                code="invalid_value",
            )


def _legacy_choice(fields: Fields) -> ToolChoice | None:
    if _is_text(fields, "function_call"):
        return ToolChoice(_mode(fields.get("function_call", str) or "", "function_call"))
    choice = _read(fields, "function_call", Function)
    return None if choice is None else ToolChoice("named", (_choice_name(choice, "function_call"),))
