"""A canonical request, written as a generateContent body for an upstream.

What Gemini has no word for is refused by the client's name of the field where it changes the meaning, else left out and named.
The rule a newcomer would break: `allowedFunctionNames` is valid only with mode ANY, and functions do not go together with Google's own
search (it needs a second set of parts in the history), so an offered search gives way to functions.
"""

from __future__ import annotations

import math

import msgspec

from laidian.errors import BadRequest
from laidian.protocol.canonical import Encoded, Format, Request, Tool
from laidian.protocol.flat_tools import CUSTOM_SCHEMA, flat_name
from laidian.protocol.gemini_generation import Generation, generation
from laidian.protocol.gemini_schema import to_gemini
from laidian.protocol.gemini_turns import Turns
from laidian.protocol.gemini_wire import (
    CallingConfig,
    Content,
    FunctionDeclaration,
    GenerationConfig,
    ImageConfig,
    ToolConfig,
)

MAX_STOPS = 5
"""Google's bound of stopSequences (ai.google.dev/api/generate-content, seen 2026-11)."""

_MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY", "named": "ANY"}
_TIERS = ("flex", "priority")

_RATIOS = ((1, 1), (2, 3), (3, 2), (3, 4), (4, 3), (4, 5), (5, 4), (9, 16), (16, 9), (21, 9))
"""Aspect ratios that image models draw (ai.google.dev image generation guide, seen 2026-11)."""


class _Search(msgspec.Struct):
    pass


class _Tool(msgspec.Struct, rename="camel", omit_defaults=True):
    function_declarations: tuple[FunctionDeclaration, ...] = ()
    google_search: _Search | None = None


class _Body(msgspec.Struct, rename="camel", omit_defaults=True):
    contents: list[Content]
    system_instruction: Content | None = None
    tools: tuple[_Tool, ...] = ()
    tool_config: ToolConfig | None = None
    generation_config: GenerationConfig | None = None
    service_tier: str = ""


def write_request(request: Request, model: str) -> Encoded:
    """Raises BadRequest, by the client's name of the field, for what Gemini cannot be told."""
    made = generation(model)
    _refuse(request, made)
    turns = Turns(request, made)
    config = _config(request, made)
    body = _Body(
        contents=turns.contents(),
        system_instruction=turns.system(),
        tools=_tools(request),
        tool_config=_tool_config(request),
        generation_config=None if config == GenerationConfig() else config,
        service_tier=request.service_tier if request.service_tier in _TIERS else "",
    )
    return Encoded(msgspec.json.encode(body), (*_dropped(request, made, config), *turns.dropped))


def _refuse(request: Request, made: Generation) -> None:
    if request.choices > 1:
        raise _cannot(
            request, "choices", "several answers to one request are not translated; ask once for each"
        )
    if len(request.stop) > MAX_STOPS:
        raise _cannot(
            request, "stop", f"Gemini takes at most {MAX_STOPS} stop sequences, got {len(request.stop)}"
        )
    shaped = request.format is not None and request.format.kind != "text"
    if shaped and request.tools and not made.formats_with_tools:
        raise _cannot(
            request, "format", "Gemini models before 3 do not answer in JSON while tools are offered"
        )
    offered = {tool.name for tool in request.tools} | {
        flat_name(tool.namespace, tool.name) for tool in request.tools
    }
    choice = request.tool_choice
    if choice is not None and choice.mode in ("named", "required") and not request.tools:
        raise _cannot(request, "tool_choice", "it asks for a tool, and none is offered")
    for name in choice.names if choice is not None else ():
        if name not in offered:
            raise _cannot(request, "tool_choice", f"the tool {name[:64]} is not among those offered")


def _dropped(request: Request, made: Generation, config: GenerationConfig) -> list[str]:
    """What was left out without harm, by the client's names."""
    search_lost = request.web_search and bool(request.tools)
    left_out = {
        "parallel_tool_calls": request.parallel_tool_calls is False and bool(request.tools),
        "verbosity": bool(request.verbosity),
        "user": bool(request.user),
        "metadata": bool(request.metadata),
        "service_tier": request.service_tier not in ("", "auto", "default", *_TIERS),
        "web_search": search_lost or (request.web_search and _forbids(request)),
        "effort": request.effort not in (None, "none") and not made.thinks(),
        "thinking_budget": bool(request.thinking_budget) and not made.thinks(),
        "image_size": request.image_size is not None and config.image_config is None,
    }
    named = [request.name_of(field) for field, dropped in left_out.items() if dropped]
    if any(tool.strict for tool in request.tools):
        named.append(f"{request.name_of('tools')}[].strict")
    if any(tool.grammar for tool in request.tools):
        named.append(f"{request.name_of('tools')}[].format")
    return named


def _forbids(request: Request) -> bool:
    """NONE does not hold back Google's own tools, so they are not offered (protocol.md 6.3)."""
    return request.tool_choice is not None and request.tool_choice.mode == "none"


def _tools(request: Request) -> tuple[_Tool, ...]:
    if request.tools:
        return (_Tool(function_declarations=tuple(_declaration(request, tool) for tool in request.tools)),)
    if request.web_search and not _forbids(request):
        return (_Tool(google_search=_Search()),)
    return ()


def _declaration(request: Request, tool: Tool) -> FunctionDeclaration:
    declaration = FunctionDeclaration(flat_name(tool.namespace, tool.name), tool.description)
    if tool.custom:
        declaration.parameters_json_schema = msgspec.Raw(CUSTOM_SCHEMA)
    elif tool.parameters:
        declaration.parameters_json_schema = _schema(request, "tools", tool.parameters)
    return declaration


def _schema(request: Request, field: str, schema: bytes) -> msgspec.Raw:
    try:
        return msgspec.Raw(to_gemini(schema))
    except (msgspec.DecodeError, RecursionError):
        raise _cannot(request, field, "its JSON Schema is not an object") from None


def _tool_config(request: Request) -> ToolConfig | None:
    choice = request.tool_choice
    if choice is None or not request.tools or choice.mode == "auto":
        return None
    flat = {tool.name: flat_name(tool.namespace, tool.name) for tool in request.tools}
    names = [flat.get(name, name) for name in choice.names]
    allowed = names if names and _MODES[choice.mode] == "ANY" else None
    return ToolConfig(CallingConfig(_MODES[choice.mode], allowed))


def _config(request: Request, made: Generation) -> GenerationConfig:
    config = GenerationConfig(
        temperature=request.temperature,
        top_p=request.top_p,
        top_k=request.top_k,
        max_output_tokens=request.max_output_tokens,
        stop_sequences=list(request.stop) or None,
        presence_penalty=request.presence_penalty,
        frequency_penalty=request.frequency_penalty,
        seed=request.seed,
        response_logprobs=True if request.top_logprobs is not None else None,
        logprobs=request.top_logprobs or None,
        response_modalities=[one.upper() for one in request.modalities if request.modalities != ("text",)]
        or None,
        thinking_config=made.thinking(request.effort, request.thinking_budget, show=request.include_thoughts),
        image_config=_image_config(request, made),
    )
    if request.format is not None:
        _shape(request, request.format, config)
    return config


def _shape(request: Request, format_: Format, config: GenerationConfig) -> None:
    if format_.kind == "text":
        return
    config.response_mime_type = "application/json"
    if format_.schema:
        config.response_json_schema = _schema(request, "format", format_.schema)


def _image_config(request: Request, made: Generation) -> ImageConfig | None:
    """The nearest ratio by angle, and from 3 on the class of size; exact pixels cannot be had (protocol.md 6.6)."""
    if request.image_size is None or "image" not in request.modalities:
        return None
    width, height = request.image_size
    wanted = math.log(width / height)
    across, down = min(_RATIOS, key=lambda ratio: abs(math.log(ratio[0] / ratio[1]) - wanted))
    pixels = width * height
    size = "1K" if pixels <= 2_000_000 else "2K" if pixels <= 7_000_000 else "4K"
    return ImageConfig(f"{across}:{down}", size if made.number >= (3, 0) else None)


def _cannot(request: Request, field: str, why: str) -> BadRequest:
    name = request.name_of(field)
    return BadRequest(
        f"`{name}` cannot be carried to a Gemini upstream: {why}.", param=name, code="unsupported_value"
    )
