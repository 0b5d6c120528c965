"""A canonical request, written as a Chat Completions request for an upstream.

Such an upstream is mostly a compatible server (OpenAI's own takes the other OpenAI protocol as well), so what is written is what nearly all of
them know, and three choices follow:
- `developer` turns are written as `system`, which OpenAI's models take for the same and others are the only one to know.
- The output limit is `max_completion_tokens` for the names of OpenAI's reasoning models, which refuse `max_tokens`, else `max_tokens`,
  which is all that older servers know.
- Custom tools and namespaces are flattened (`flat_tools`): OpenAI's own endpoint alone knows custom tools in this protocol.
The rule a newcomer would break: every tool message must follow the assistant message that has its call, with nothing between.
"""

from __future__ import annotations

import re

import msgspec

from laidian.errors import BadRequest
from laidian.protocol.canonical import Encoded, Format, Request, Tool
from laidian.protocol.flat_tools import CUSTOM_SCHEMA, flat_name
from laidian.protocol.openai_chat_turns import Turns
from laidian.protocol.openai_chat_wire import (
    Asked,
    Function,
    JsonSchema,
    ResponseFormat,
    StreamOptions,
    ToolChoice,
    raw,
)
from laidian.protocol.openai_chat_wire import Tool as WireTool

REASONING_MODEL = re.compile(r"(?:[^/]+/)*(?:gpt-(?:[5-9]|\d\d)|o\d|codex-)", re.IGNORECASE)
"""Names of OpenAI's models that take `max_completion_tokens` only (openai-python 3.54.0, completion_create_params.py)."""

OPENAI_MODEL = re.compile(r"(?:[^/]+/)*(?:gpt-(?!oss)|o\d|chatgpt-|codex-)", re.IGNORECASE)
"""Names of models that OpenAI itself serves, whose endpoint refuses message fields that it does not know."""

SERVICE_TIERS = ("auto", "default", "flex", "scale", "priority", "fast")
VERBOSITIES = ("low", "medium", "high")


def write_request(request: Request, model: str) -> Encoded:
    """Raises BadRequest, by the client's name of the field, for what Chat Completions cannot say."""
    _refuse(request)
    dropped = _dropped(request)
    turns = Turns(request, extended=OPENAI_MODEL.match(model) is None)
    newer = REASONING_MODEL.match(model) is not None
    effort = request.effort or _effort_of(request.thinking_budget, newer)
    if effort is None and request.thinking_budget is not None:
        dropped.append(request.name_of("thinking_budget"))
    tools = _offered(request)
    asked = Asked(
        model=model,
        messages=turns.messages,
        tools=tuple(_tool(tool) for tool in tools),
        tool_choice=_choice(request) if tools else "",
        parallel_tool_calls=request.parallel_tool_calls if tools else None,
        response_format=None if request.format is None else _format(request.format),
        max_completion_tokens=request.max_output_tokens if newer else None,
        max_tokens=None if newer else request.max_output_tokens,
        temperature=request.temperature,
        top_p=request.top_p,
        stop=request.stop,
        seed=request.seed,
        presence_penalty=request.presence_penalty,
        frequency_penalty=request.frequency_penalty,
        logprobs=request.top_logprobs is not None,
        top_logprobs=request.top_logprobs or None,
        reasoning_effort=effort,
        verbosity=request.verbosity if request.verbosity in VERBOSITIES else "",
        modalities=() if request.modalities in ((), ("text",)) else request.modalities,
        user=request.user,
        service_tier=request.service_tier if request.service_tier in SERVICE_TIERS else "",
        stream=request.stream,
        stream_options=StreamOptions(include_usage=True) if request.stream else None,
    )
    return Encoded(msgspec.json.encode(asked), (*dropped, *turns.dropped))


def _refuse(request: Request) -> None:
    if request.choices > 1:
        raise _cannot(
            request, "choices", f"{request.choices} answers to one request cannot be translated back"
        )
    if "audio" in request.modalities:
        raise _cannot(request, "modalities", "spoken answers are not translated between protocols")


def _cannot(request: Request, field: str, why: str) -> BadRequest:
    name = request.name_of(field)
    return BadRequest(
        f"`{name}` cannot be carried to the upstream of this model, which speaks Chat Completions: {why}.",
        param=name,
        code="unsupported_parameter",
    )


def _dropped(request: Request) -> list[str]:
    """What does no harm when it is missing. Metadata is among it: OpenAI takes it only with `store`, others not at all."""
    left_out = {
        "top_k": request.top_k is not None,
        "web_search": request.web_search,
        "metadata": bool(request.metadata),
        "verbosity": bool(request.verbosity) and request.verbosity not in VERBOSITIES,
        "service_tier": bool(request.service_tier) and request.service_tier not in SERVICE_TIERS,
    }
    return [request.name_of(field) for field, missing in left_out.items() if missing]


def _effort_of(budget: int | None, reasoning: bool) -> str | None:
    """A budget of tokens as an effort (the ranges of protocol.md 6.3); None when it cannot be said."""
    if budget is None or budget < 0:
        return None
    if budget == 0:
        return "none" if reasoning else None
    if budget <= 1024:
        return "low"
    return "medium" if budget <= 8192 else "high"


def _offered(request: Request) -> tuple[Tool, ...]:
    """The tools that may be called: `required` with a choice of some is said by offering only those."""
    choice = request.tool_choice
    if choice is None or choice.mode != "required" or not choice.names:
        return request.tools
    return tuple(tool for tool in request.tools if tool.name in choice.names)


def _tool(tool: Tool) -> WireTool:
    schema = CUSTOM_SCHEMA if tool.custom else tool.parameters
    strict = None if tool.custom else tool.strict
    function = Function(flat_name(tool.namespace, tool.name), tool.description or None, raw(schema), strict)
    return WireTool("function", function)


def _choice(request: Request) -> str | ToolChoice:
    choice = request.tool_choice
    if choice is None:
        return ""
    if choice.mode != "named":
        return choice.mode
    name = choice.names[0]
    for tool in request.tools:
        if tool.name == name:
            name = flat_name(tool.namespace, tool.name)
            break
    return ToolChoice("function", Function(name))


def _format(asked: Format) -> ResponseFormat | None:
    match asked.kind:
        case "text":
            return None
        case "json":
            return ResponseFormat("json_object")
        case "schema":
            schema = JsonSchema(
                asked.name or "answer", asked.description or None, raw(asked.schema), asked.strict
            )
            return ResponseFormat("json_schema", schema)
