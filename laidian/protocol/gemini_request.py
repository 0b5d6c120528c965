"""A client's generateContent request, read into the canonical form.

Reads what another protocol could be told. What changes the meaning and has no word elsewhere (cached content, server-side tools,
continuations) is refused by name; safety settings, labels and hints about media are left out and named in `dropped`.
The rule a newcomer would break: JSON Schemas stay as the client spelled them, except for Google's OpenAPI subset, which nobody else
reads.
"""

from __future__ import annotations

import msgspec

from laidian.errors import BadRequest
from laidian.protocol.canonical import Effort, Format, Message, Request, Tool, ToolChoice
from laidian.protocol.dialect import Peek
from laidian.protocol.document import said
from laidian.protocol.gemini_contents import AnyContent, Conversation, system_message
from laidian.protocol.gemini_path import GENERATE, STREAM
from laidian.protocol.gemini_schema import to_json_schema
from laidian.protocol.gemini_spelling import respelled
from laidian.protocol.gemini_usage import tier_of
from laidian.protocol.gemini_wire import (
    CallingConfig,
    FunctionDeclaration,
    GenerationConfig,
    Raw,
    ThinkingConfig,
    ToolConfig,
    misread,
)

_NAMES = {
    "messages": "contents",
    "web_search": "tools[].googleSearch",
    "tool_choice": "toolConfig.functionCallingConfig",
    "format": "generationConfig.responseMimeType",
    "max_output_tokens": "generationConfig.maxOutputTokens",
    "temperature": "generationConfig.temperature",
    "top_p": "generationConfig.topP",
    "top_k": "generationConfig.topK",
    "stop": "generationConfig.stopSequences",
    "seed": "generationConfig.seed",
    "choices": "generationConfig.candidateCount",
    "presence_penalty": "generationConfig.presencePenalty",
    "frequency_penalty": "generationConfig.frequencyPenalty",
    "top_logprobs": "generationConfig.responseLogprobs",
    "effort": "generationConfig.thinkingConfig.thinkingLevel",
    "thinking_budget": "generationConfig.thinkingConfig.thinkingBudget",
    "include_thoughts": "generationConfig.thinkingConfig.includeThoughts",
    "modalities": "generationConfig.responseModalities",
    "service_tier": "serviceTier",
}

_LEVELS: dict[str, Effort] = {
    "MINIMAL": "minimal",
    "LOW": "low",
    "MEDIUM": "medium",
    "HIGH": "high",
    "XHIGH": "xhigh",
}
_REFUSED = ("cachedContent", "continuationToken")
_DROPPED = ("safetySettings", "labels", "store")
_CONFIG_REFUSED = ("imageConfig", "responseFormat")
_CONFIG_DROPPED = (
    "mediaResolution",
    "speechConfig",
    "audioTranscriptionConfig",
    "audioTimestamp",
    "enableEnhancedCivicAnswers",
    "routingConfig",
)
_SEARCHES = ("googleSearch", "googleSearchRetrieval")

_Object = dict[str, msgspec.Raw]


class _Config(GenerationConfig, rename="camel"):
    private_json_schema: Raw = msgspec.field(name="_responseJsonSchema", default=Raw())
    """The name that an older SDK gave it (google-genai 1.x)."""


class _Body(msgspec.Struct, rename="camel"):
    contents: list[AnyContent] | AnyContent | None = None
    system_instruction: AnyContent | None = None
    tools: list[_Object] | _Object | None = None
    tool_config: ToolConfig | None = None
    generation_config: _Config | None = None
    service_tier: str | None = None


_decode = msgspec.json.Decoder(_Body, strict=False).decode
_decode_object = msgspec.json.Decoder(_Object).decode
_decode_declarations = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_declaration = msgspec.json.Decoder(FunctionDeclaration).decode


def read_request(peek: Peek) -> Request:
    """Raises BadRequest naming the field that is wrong, or that no other protocol can be told."""
    if peek.verb not in (GENERATE, STREAM):
        raise BadRequest(
            f"{peek.verb} cannot be carried to an upstream of another protocol: {peek.model[:64]} is not served by Gemini here. "
            "Only generateContent and streamGenerateContent can.",
            code="endpoint_not_supported",
        )
    if peek.choices > 1:
        raise _cannot(
            "generationConfig.candidateCount", "several candidates are not translated; ask once for each"
        )
    body, dropped = _read(peek.fields.body)
    config = body.generation_config or _Config()
    contents = body.contents or []
    conversation = Conversation([contents] if isinstance(contents, AnyContent) else contents)
    if not conversation.messages:
        raise _cannot("contents", "it is missing or empty")
    tools, search = _tools(body.tools)
    choice, tools = _choice(body.tool_config, tools)
    thinking = config.thinking_config or ThinkingConfig()
    return Request(
        messages=(*_system(body.system_instruction), *conversation.messages),
        tools=tools,
        web_search=search,
        tool_choice=choice if tools else None,
        format=_format(config),
        max_output_tokens=config.max_output_tokens,
        temperature=config.temperature,
        top_p=config.top_p,
        top_k=None if config.top_k is None else int(config.top_k),
        stop=tuple(config.stop_sequences or ()),
        seed=config.seed,
        presence_penalty=config.presence_penalty,
        frequency_penalty=config.frequency_penalty,
        top_logprobs=(config.logprobs or 0) if config.response_logprobs else None,
        effort=_LEVELS.get((thinking.thinking_level or "").upper()),
        thinking_budget=thinking.thinking_budget,
        include_thoughts=bool(thinking.include_thoughts),
        modalities=_modalities(config.response_modalities),
        service_tier="" if body.service_tier is None else tier_of(body.service_tier),
        stream=peek.stream,
        dropped=(*dropped, *conversation.dropped),
        names=_NAMES,
    )


def _read(raw: bytes) -> tuple[_Body, list[str]]:
    """The body in one spelling, and what of it is left out. Raises BadRequest for what is refused by its mere presence."""
    try:
        spelled = respelled(raw)
        fields = _decode_object(spelled)
        dropped = _sorted_out(fields, _REFUSED, _DROPPED, "")
        config = fields.get("generationConfig")
        if config is not None and said(config) is not None:
            inner = _decode_object(config)
            dropped += _sorted_out(inner, _CONFIG_REFUSED, _CONFIG_DROPPED, "generationConfig.")
        return _decode(spelled), dropped
    except (msgspec.DecodeError, RecursionError) as error:
        raise misread(error) from None


def _sorted_out(fields: _Object, refused: tuple[str, ...], dropped: tuple[str, ...], where: str) -> list[str]:
    for name in refused:
        if name in fields and said(fields[name]) is not None:
            raise _cannot(where + name, "no other protocol has it")
    return [where + name for name in dropped if name in fields and said(fields[name]) is not None]


def _system(content: AnyContent | None) -> tuple[Message, ...]:
    message = None if content is None else system_message(content)
    return () if message is None else (message,)


def _tools(tools: list[_Object] | _Object | None) -> tuple[tuple[Tool, ...], bool]:
    """The functions, and whether Google's search is offered, which others have too."""
    found: list[Tool] = []
    search = False
    for place, tool in enumerate([tools] if isinstance(tools, dict) else tools or []):
        for name, raw in tool.items():
            value = said(raw)
            if value is None:
                continue
            if name == "functionDeclarations":
                found += _declarations(f"tools[{place}].{name}", value)
            elif name in _SEARCHES:
                search = True
            else:
                raise _cannot(f"tools[{place}].{name}", "no other protocol has this tool")
    return tuple(found), search


def _declarations(at: str, raw: bytes) -> list[Tool]:
    try:
        items = _decode_declarations(raw) if raw.lstrip().startswith(b"[") else [msgspec.Raw(raw)]
        return [_tool(f"{at}[{place}]", bytes(item)) for place, item in enumerate(items)]
    except (msgspec.DecodeError, RecursionError) as error:
        raise misread(error, at) from None


def _tool(at: str, raw: bytes) -> Tool:
    declared = _decode_declaration(respelled(raw))
    if not declared.name:
        raise _cannot(f"{at}.name", "it is empty")
    schema, openapi = said(declared.parameters_json_schema), said(declared.parameters)
    if schema is None and openapi is not None:
        schema = to_json_schema(openapi)
    return Tool(declared.name, declared.description, schema or b"")


def _choice(config: ToolConfig | None, tools: tuple[Tool, ...]) -> tuple[ToolChoice | None, tuple[Tool, ...]]:
    """The choice, and the tools that are left: VALIDATED with names offers only those, which is said by offering only those."""
    calling = (config.function_calling_config if config is not None else None) or CallingConfig()
    names = tuple(calling.allowed_function_names or ())
    match (calling.mode or "").upper():
        case "" | "MODE_UNSPECIFIED":
            return None, tools
        case "AUTO":
            return ToolChoice("auto"), tools
        case "VALIDATED":
            return ToolChoice("auto"), tuple(tool for tool in tools if not names or tool.name in names)
        case "NONE":
            return ToolChoice("none"), tools
        case "ANY":
            return ToolChoice("named" if len(names) == 1 else "required", names), tools
        case mode:
            raise _cannot(
                "toolConfig.functionCallingConfig.mode", f"{mode[:32]} is not AUTO, ANY, NONE or VALIDATED"
            )


def _format(config: _Config) -> Format | None:
    mime = config.response_mime_type
    if mime in (None, "", "text/plain"):
        return None
    if mime != "application/json":
        raise _cannot(
            "generationConfig.responseMimeType", f"{(mime or '')[:40]} is known to no other protocol"
        )
    schema = said(config.response_json_schema) or said(config.private_json_schema)
    openapi = said(config.response_schema)
    if schema is None and openapi is not None:
        try:
            schema = to_json_schema(openapi)
        except (msgspec.DecodeError, RecursionError) as error:
            raise misread(error, "generationConfig.responseSchema") from None
    if schema is None:
        return Format("json")
    return Format("schema", name="answer", schema=schema, strict=False)


def _modalities(modalities: list[str] | None) -> tuple[str, ...]:
    found = tuple(one.lower() for one in modalities or () if one != "MODALITY_UNSPECIFIED")
    for one in found:
        if one not in ("text", "image", "audio"):
            raise _cannot("generationConfig.responseModalities", f"{one[:32]} is known to no other protocol")
    return found


def _cannot(field: str, why: str) -> BadRequest:
    return BadRequest(
        f"`{field}` cannot be carried to this model's upstream, which speaks another protocol: {why}.",
        param=field,
        code="unsupported_value",
    )
