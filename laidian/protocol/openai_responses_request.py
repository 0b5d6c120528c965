"""A client's Responses request, read into the canonical form.

Reads what another protocol could be told. What stands for something stored at one provider (`previous_response_id`, `conversation`,
`prompt`, `background`) is refused by name; what only files away, caches or trims is left out and named in `dropped` (protocol.md 6.2, 6.4).
Hosted tools that nobody else has are left out when they are only offered and refused when they are forced.
The rule a newcomer would break: schemas, grammars and arguments are carried as the client spelled them, never decoded.
"""

from __future__ import annotations

import re
from typing import Literal, get_args

import msgspec

from laidian.errors import BadRequest
from laidian.protocol.canonical import Effort, Format, Message, Request, Text, Tool, ToolChoice
from laidian.protocol.dialect import Peek
from laidian.protocol.document import Fields, said
from laidian.protocol.openai_responses_input import Conversation, read_items
from laidian.protocol.openai_responses_wire import (
    ChosenTool,
    Item,
    Reasoning,
    TextConfig,
    TextFormat,
    cannot,
    missing,
    read,
    read_value,
)
from laidian.protocol.openai_responses_wire import Tool as WireTool
from laidian.protocol.openai_responses_wire import ToolChoice as WireChoice

EFFORTS: tuple[str, ...] = get_args(Effort)

_STORED = ("previous_response_id", "conversation", "prompt")
_LOGPROBS = "message.output_text.logprobs"

READ = frozenset({
    *_STORED, "model", "input", "instructions", "background", "stream", "max_output_tokens", "temperature", "top_p", "top_logprobs",
    "text", "reasoning", "tools", "tool_choice", "parallel_tool_calls", "metadata", "user", "safety_identifier", "service_tier",
})  # fmt: skip
"""Carried, or looked at and refused."""

_SILENT = frozenset({"include", "store", "client_metadata", "stream_options", "prompt_cache_key"})
"""Left out without a word: bookkeeping of the client, which Codex sends with every request. `store` is named when it asks for storage."""

_NAMES = {
    "messages": "input",
    "format": "text.format",
    "effort": "reasoning.effort",
    "include_thoughts": "reasoning.summary",
    "verbosity": "text.verbosity",
    "web_search": "tools",
}

_WEB_SEARCH = re.compile(r"web_search(_preview)?(_\d{4}_\d{2}_\d{2})?")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def read_request(peek: Peek) -> Request:
    """Raises BadRequest naming the field that is wrong, or that no other protocol can be told."""
    fields = peek.fields
    _refuse(fields)
    reasoning = read(fields, "reasoning", Reasoning) or Reasoning()
    text = read(fields, "text", TextConfig) or TextConfig()
    conversation = Conversation(_items(fields))
    tools = _Tools((*(read(fields, "tools", tuple[WireTool, ...]) or ()), *conversation.tools))
    choice = _choice(fields, tools)
    user = fields.get("safety_identifier", str)
    metadata = read(fields, "metadata", dict[str, str])
    return Request(
        messages=_messages(fields, conversation),
        tools=tuple(tools.carried),
        web_search=tools.web_search,
        tool_choice=choice,
        parallel_tool_calls=fields.get("parallel_tool_calls", bool),
        format=_format(text.format),
        max_output_tokens=peek.output_limit,
        temperature=fields.get("temperature", float),
        top_p=fields.get("top_p", float),
        top_logprobs=_logprobs(fields),
        effort=_effort(reasoning),
        include_thoughts=bool(reasoning.summary or reasoning.generate_summary),
        verbosity=text.verbosity or "",
        user=user or fields.get("user", str) or "",
        service_tier=fields.get("service_tier", str) or "",
        metadata=msgspec.json.encode(metadata) if metadata else b"",
        stream=peek.stream,
        dropped=(*_dropped(fields, reasoning), *tools.dropped, *conversation.dropped),
        names=_NAMES | {"user": "safety_identifier" if user else "user"},
    )


def _refuse(fields: Fields) -> None:
    for name in _STORED:
        if _given(fields, name):
            raise cannot(
                name, "it stands for something stored at one provider; send the whole conversation in `input`"
            )
    if fields.get("background", bool):
        raise cannot("background", "it answers while the client waits, or not at all")


def _logprobs(fields: Fields) -> int | None:
    """None when `include` does not ask for them: `top_logprobs` alone brings none (openai-python 3.54.0, response_create_params.py)."""
    asked = _LOGPROBS in (read(fields, "include", tuple[str, ...]) or ())
    number = fields.get("top_logprobs", int) or 0
    return number if asked else None


def _given(fields: Fields, name: str) -> bool:
    raw = fields.raw.get(name)
    return raw is not None and said(raw) is not None


def _dropped(fields: Fields, reasoning: Reasoning) -> list[str]:
    found = [name for name in fields.raw if name not in READ | _SILENT and _given(fields, name)]
    if "truncation" in found and fields.get("truncation", str) == "disabled":
        found.remove("truncation")  # that is what happens anyway
    if fields.get("store", bool):
        found.append("store")
    if reasoning.mode not in (None, "standard"):
        found.append("reasoning.mode")
    if reasoning.context not in (None, "auto"):
        found.append("reasoning.context")
    return [name if _PLAIN_NAME.fullmatch(name) else "unknown_field" for name in found]


def _items(fields: Fields) -> tuple[Item, ...]:
    raw = fields.raw.get("input")
    value = None if raw is None else said(raw)
    if value is None:
        raise missing("input")
    items = read_items(value)
    if not items:
        raise BadRequest(
            "`input` is an empty list; put at least one item into it.", param="input", code="empty_array"
        )
    return items


def _messages(fields: Fields, conversation: Conversation) -> tuple[Message, ...]:
    instructions = fields.get("instructions", str)
    first = (Message("system", (Text(instructions),)),) if instructions else ()
    return (*first, *conversation.messages)


def _effort(reasoning: Reasoning) -> Effort | None:
    for effort in get_args(Effort):
        if effort == reasoning.effort:
            return effort
    if reasoning.effort is None:
        return None
    raise BadRequest(
        f"`reasoning.effort` must be one of {', '.join(EFFORTS)}; got {reasoning.effort[:40]!r}.",
        param="reasoning.effort",
        code="invalid_value",
    )


def _format(given: TextFormat | None) -> Format | None:
    if given is None or given.type == "text":
        return None
    if given.type == "json_object":
        return Format("json")
    if given.type != "json_schema":
        raise cannot("text.format.type", f"it knows no format of type {given.type[:40]!r}")
    schema = said(given.schema)
    if schema is None:
        raise missing("text.format.schema")
    return Format("schema", given.name or "", schema, given.strict, given.description or "")


class _Tools:
    """What is offered: what can be carried, and by name what cannot."""

    def __init__(self, offered: tuple[WireTool, ...]) -> None:
        self.carried: list[Tool] = []
        self.web_search = False
        self.dropped: list[str] = []
        for place, tool in enumerate(offered):
            self._read(f"tools[{place}]", tool, "")

    def _read(self, at: str, tool: WireTool, namespace: str) -> None:
        match tool.type:
            case "function":
                parameters = said(tool.parameters) or b""
                read_value(parameters or b"{}", f"{at}.parameters", dict[str, msgspec.Raw])
                self.carried.append(
                    Tool(
                        _name(at, tool), tool.description or "", parameters, tool.strict, namespace=namespace
                    )
                )
            case "custom":
                self.carried.append(
                    Tool(
                        _name(at, tool),
                        tool.description or "",
                        custom=True,
                        grammar=_grammar(at, tool),
                        namespace=namespace,
                    )
                )
            case "namespace" if not namespace:
                for place, inner in enumerate(tool.tools or ()):
                    self._read(f"{at}.tools[{place}]", inner, _name(at, tool))
            case "":
                raise missing(f"{at}.type")
            case _ if _WEB_SEARCH.fullmatch(tool.type):
                self.web_search = True
                for option in ("filters", "user_location", "search_context_size"):
                    if said(getattr(tool, option)) is not None:
                        self.dropped.append(f"tools.web_search.{option}")
            case kind:
                self.dropped.append(f"tools.{kind if _PLAIN_NAME.fullmatch(kind) else 'unknown'}")

    def keep(self, allowed: tuple[ChosenTool, ...]) -> tuple[str, ...]:
        """Leaves only what is allowed; returns the names."""
        names = {one.name for one in allowed if one.type in ("function", "custom")}
        spaces = {one.name for one in allowed if one.type == "namespace"}
        self.carried = [tool for tool in self.carried if tool.name in names or tool.namespace in spaces]
        self.web_search = self.web_search and any(_WEB_SEARCH.fullmatch(one.type) for one in allowed)
        return tuple(dict.fromkeys(tool.name for tool in self.carried))


def _name(at: str, tool: WireTool) -> str:
    if not tool.name:
        raise missing(f"{at}.name")
    return tool.name


def _grammar(at: str, tool: WireTool) -> bytes:
    raw = said(tool.format)
    if raw is None:
        return b""
    return b"" if read_value(raw, f"{at}.format", WireTool).type == "text" else raw


def _choice(fields: Fields, tools: _Tools) -> ToolChoice | None:
    raw = fields.raw.get("tool_choice")
    value = None if raw is None else said(raw)
    if value is None:
        return None
    if value.startswith(b'"'):
        return _plain_choice(msgspec.json.decode(value, type=str), tools)
    choice = read_value(value, "tool_choice", WireChoice)
    match choice.type:
        case "function" | "custom":
            if choice.name not in {tool.name for tool in tools.carried}:
                raise BadRequest(
                    f"`tool_choice` names the tool {str(choice.name)[:64]!r}, which is not in `tools`.",
                    param="tool_choice",
                    code="invalid_value",
                )
            return ToolChoice("named", (choice.name or "",))
        case "allowed_tools":
            return _allowed(choice, tools)
        case kind:
            raise cannot("tool_choice", f"it has no tool of type {kind[:40]!r}, which is forced")


def _plain_choice(mode: str, tools: _Tools) -> ToolChoice | None:
    plain: tuple[Literal["auto", "none", "required"], ...] = ("auto", "none", "required")
    for one in plain:
        if one != mode:
            continue
        if one == "required" and not tools.carried:
            raise cannot("tool_choice", "a tool call is required, and none of the offered tools exists there")
        return ToolChoice(one)
    raise BadRequest(
        f"`tool_choice` must be none, auto, required or an object; got {mode[:40]!r}.",
        param="tool_choice",
        code="invalid_value",
    )


def _allowed(choice: WireChoice, tools: _Tools) -> ToolChoice:
    """The other tools are taken away, which is what it means; protocols without the word need none."""
    names = tools.keep(choice.tools or ())
    if choice.mode == "required":
        if not names:
            raise cannot("tool_choice", "a tool call is required, and none of the allowed tools exists there")
        return ToolChoice("required", names)
    return ToolChoice("auto")
