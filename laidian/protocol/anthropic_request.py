"""A client's Anthropic request, read into the canonical form.

What exists in Anthropic's protocol only is refused by name (server tools, files of its store, containers); what only tunes caching, speed or
the context's upkeep is left out and named. `names` keeps the client's words, since `max_tokens` is not everybody's `max_tokens`.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw

from laidian.errors import BadRequest
from laidian.protocol.anthropic_blocks import Conversation, cannot
from laidian.protocol.anthropic_wire import decoded
from laidian.protocol.canonical import Effort, Format, Request, Tool, ToolChoice
from laidian.protocol.dialect import Peek
from laidian.protocol.document import Fields, said

NAMES = {
    "max_output_tokens": "max_tokens",
    "stop": "stop_sequences",
    "format": "output_config.format",
    "effort": "output_config.effort",
    "thinking_budget": "thinking",
    "include_thoughts": "thinking.display",
    "parallel_tool_calls": "tool_choice.disable_parallel_tool_use",
    "user": "metadata.user_id",
    "web_search": "tools",
}

_READ = frozenset(
    {"model", "max_tokens", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "output_format", "stop_sequences",
     "temperature", "top_p", "top_k", "metadata", "service_tier", "stream"}
)  # fmt: skip

_REFUSED = {
    "container": "containers run at Anthropic",
    "mcp_servers": "its servers are called by Anthropic",
}
"""Other fields that are not read are left out."""

_WEB_SEARCH = "web_search_"


class _Tool(msgspec.Struct):
    name: str = ""
    type: str | None = None
    description: str | None = None
    input_schema: Raw = Raw()
    strict: bool | None = None
    allowed_domains: list[str] | None = None
    blocked_domains: list[str] | None = None
    max_uses: int | None = None
    user_location: Raw = Raw()
    cache_control: Raw = Raw()


class _Choice(msgspec.Struct):
    type: str
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class _Thinking(msgspec.Struct):
    type: str
    budget_tokens: int | None = None
    display: str | None = None


class _Format(msgspec.Struct):
    type: str
    schema: Raw = Raw()


class _OutputConfig(msgspec.Struct):
    effort: Effort | None = None
    format: _Format | None = None


class _Metadata(msgspec.Struct):
    user_id: str | None = None


_TOOLS = msgspec.json.Decoder(list[_Tool])
_CHOICE = msgspec.json.Decoder(_Choice)
_THINKING = msgspec.json.Decoder(_Thinking)
_FORMAT = msgspec.json.Decoder(_Format)
_OUTPUT_CONFIG = msgspec.json.Decoder(_OutputConfig)
_METADATA = msgspec.json.Decoder(_Metadata)


class _Reasoning(msgspec.Struct, frozen=True):
    effort: Effort | None
    budget: int | None
    shown: bool


def read_request(peek: Peek) -> Request:
    """Raises BadRequest naming the field that is wrong, or that no other protocol can be told."""
    fields = peek.fields
    _refuse(fields, peek)
    messages = _value(fields, "messages")
    if messages is None:
        raise BadRequest("`messages` is missing.", param="messages", code="missing_field")
    conversation = Conversation(_value(fields, "system"), messages)
    dropped = conversation.dropped
    dropped.update(dict.fromkeys(name for name in fields.raw if name not in _READ))
    offered = _offered(fields)
    config = _config(fields)
    choice, parallel = _choice(fields)
    reasoning = _reasoning(fields, config.effort, dropped)
    searches = [_searches_freely(tool, place) for place, tool in enumerate(offered)]
    for tool in offered:
        dropped.update(dict.fromkeys(_left_out(tool)))
    return Request(
        messages=conversation.messages,
        tools=tuple(_tool(tool, place) for place, tool in enumerate(offered) if not searches[place]),
        web_search=any(searches),
        tool_choice=choice,
        parallel_tool_calls=parallel,
        format=None if config.format is None else _format(config.format),
        max_output_tokens=peek.output_limit or None,
        temperature=fields.get("temperature", float),
        top_p=fields.get("top_p", float),
        top_k=fields.get("top_k", int),
        stop=tuple(fields.get("stop_sequences", list[str]) or ()),
        effort=reasoning.effort,
        thinking_budget=reasoning.budget,
        include_thoughts=reasoning.shown,
        user=_user(fields),
        service_tier="auto" if fields.get("service_tier", str) == "auto" else "",
        stream=peek.stream,
        dropped=tuple(dropped),
        names=NAMES,
    )


def _refuse(fields: Fields, peek: Peek) -> None:
    for name, why in _REFUSED.items():
        if _value(fields, name) is not None:
            raise cannot(name, why)
    if fields.get("inference_geo", str) not in (None, "global"):
        raise cannot("inference_geo", "where other providers compute cannot be chosen")
    if peek.output_limit == 0 and fields.raw.get("max_tokens") is not None:
        raise cannot("max_tokens", "0 only fills Anthropic's cache")


def _value(fields: Fields, name: str) -> bytes | None:
    raw = fields.raw.get(name)
    return None if raw is None else said(raw)


def _offered(fields: Fields) -> list[_Tool]:
    raw = _value(fields, "tools")
    return [] if raw is None else decoded(raw, _TOOLS, "tools")


def _searches_freely(tool: _Tool, place: int) -> bool:
    """Whether the tool is a web search. Raises BadRequest for one that may not look everywhere, which no other provider can promise."""
    searches = (tool.type or "").startswith(_WEB_SEARCH)
    if searches and (tool.allowed_domains or tool.blocked_domains):
        field = "allowed_domains" if tool.allowed_domains else "blocked_domains"
        raise cannot(f"tools.{place}.{field}", "a web search there cannot be kept to some sites")
    return searches


def _left_out(tool: _Tool) -> list[str]:
    parts = {
        "cache_control": said(tool.cache_control),
        "tools.max_uses": tool.max_uses,
        "tools.user_location": said(tool.user_location),
    }
    return [name for name, value in parts.items() if value is not None]


def _tool(tool: _Tool, place: int) -> Tool:
    name = f"tools.{place}"
    if tool.type not in (None, "custom"):
        raise cannot(name, f"the tool `{tool.type[:64]}` is defined by Anthropic")
    schema = said(tool.input_schema)
    if not tool.name or schema is None:
        missing = "input_schema" if tool.name else "name"
        raise BadRequest(f"`{name}.{missing}` is missing.", param=f"{name}.{missing}", code="missing_field")
    return Tool(tool.name, tool.description or "", schema, tool.strict)


def _choice(fields: Fields) -> tuple[ToolChoice | None, bool | None]:
    """What must be called, and whether several calls at once may be made."""
    raw = _value(fields, "tool_choice")
    if raw is None:
        return None, None
    choice = decoded(raw, _CHOICE, "tool_choice")
    parallel = None if choice.disable_parallel_tool_use is None else not choice.disable_parallel_tool_use
    match choice.type:
        case "auto" | "none":
            return ToolChoice(choice.type), parallel
        case "any":
            return ToolChoice("required"), parallel
        case "tool" if choice.name:
            return ToolChoice("named", (choice.name,)), parallel
        case _:
            raise BadRequest(
                "`tool_choice` must have the type auto, any, tool (with a name) or none.",
                param="tool_choice",
                code="invalid_value",
            )


def _config(fields: Fields) -> _OutputConfig:
    """`output_config`; its format stood at the top as `output_format` while it was a beta."""
    raw = _value(fields, "output_config")
    config = _OutputConfig() if raw is None else decoded(raw, _OUTPUT_CONFIG, "output_config")
    older = _value(fields, "output_format")
    if config.format is None and older is not None:
        config.format = decoded(older, _FORMAT, "output_format")
    return config


def _format(asked: _Format) -> Format:
    schema = said(asked.schema)
    if asked.type != "json_schema" or schema is None:
        raise BadRequest(
            "`output_config.format` must be of type json_schema, with a schema.",
            param="output_config.format",
            code="invalid_value",
        )
    return Format("schema", schema=schema)


def _reasoning(fields: Fields, effort: Effort | None, dropped: dict[str, None]) -> _Reasoning:
    """Thinking that is off is effort `none` elsewhere, so the effort for the text around it has no place."""
    raw = _value(fields, "thinking")
    if raw is None:
        return _Reasoning(effort, None, shown=False)
    thinking = decoded(raw, _THINKING, "thinking")
    shown = thinking.display != "omitted"
    match thinking.type:
        case "disabled":
            if effort is not None:
                dropped["output_config.effort"] = None
            return _Reasoning("none", 0, shown=False)
        case "enabled":
            if thinking.budget_tokens is None or thinking.budget_tokens < 1:
                raise BadRequest(
                    "`thinking.budget_tokens` must be a positive integer.",
                    param="thinking.budget_tokens",
                    code="invalid_value",
                )
            return _Reasoning(effort, thinking.budget_tokens, shown)
        case "adaptive" | "between_tools":
            return _Reasoning(effort, -1, shown)
        case kind:
            raise BadRequest(
                f"`thinking.type` must be enabled, adaptive, between_tools or disabled; got {kind[:40]}.",
                param="thinking.type",
                code="invalid_value",
            )


def _user(fields: Fields) -> str:
    raw = _value(fields, "metadata")
    return "" if raw is None else decoded(raw, _METADATA, "metadata").user_id or ""
