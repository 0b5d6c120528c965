"""The canonical request, written for a Responses upstream.

Always stateless: `store` is false, and encrypted reasoning is asked for, so that the next turn can carry it (protocol.md 6.1).
System and developer messages stay where they stand in the input. What the API cannot say is refused when leaving it out would change
the answer's meaning (stop, several choices, spoken answers) and named in `dropped` when it would not (seed, penalties, top_k).
The rule a newcomer would break: `strict` is said explicitly, since leaving it out means true here and false everywhere else.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec
from msgspec import UNSET, Raw, UnsetType

from laidian.errors import BadRequest
from laidian.protocol.canonical import (
    Audio,
    Effort,
    Encoded,
    File,
    Format,
    Image,
    Message,
    Part,
    Refusal,
    Request,
    Text,
    Thought,
    Tool,
    ToolCall,
    ToolResult,
)

T = TypeVar("T")

MIN_OUTPUT_TOKENS = 16
"""The API's least `max_output_tokens` (its OpenAPI document of 2026-08-21)."""

EFFORT_BUDGETS: tuple[tuple[int, Effort], ...] = ((0, "none"), (1_024, "low"), (8_192, "medium"))
"""Up to so many thinking tokens an effort stands for; above is high. Google's own table of its OpenAI layer (protocol.md 6.3)."""

_TIERS = {
    "standard": "default", "standard_only": "default", "default": "default", "auto": "auto", "flex": "flex", "scale": "scale",
    "priority": "priority", "fast": "fast", "ultrafast": "ultrafast",
}  # fmt: skip


class _Block(msgspec.Struct, omit_defaults=True):
    type: str
    text: str | UnsetType = UNSET
    annotations: tuple[()] | UnsetType = UNSET
    refusal: str | UnsetType = UNSET
    image_url: str | UnsetType = UNSET
    detail: str | UnsetType = UNSET
    file_data: str | UnsetType = UNSET
    file_url: str | UnsetType = UNSET
    file_id: str | UnsetType = UNSET
    filename: str | UnsetType = UNSET
    input_audio: _Audio | UnsetType = UNSET


class _Audio(msgspec.Struct):
    data: str
    format: str


class _Item(msgspec.Struct, omit_defaults=True):
    type: str
    role: str | UnsetType = UNSET
    content: list[_Block] | UnsetType = UNSET
    call_id: str | UnsetType = UNSET
    namespace: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    arguments: str | UnsetType = UNSET
    input: str | UnsetType = UNSET
    output: str | list[_Block] | UnsetType = UNSET
    summary: list[_Block] | UnsetType = UNSET
    encrypted_content: str | UnsetType = UNSET


class _Tool(msgspec.Struct, omit_defaults=True):
    type: str
    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    parameters: Raw | UnsetType = UNSET
    strict: bool | UnsetType = UNSET
    format: Raw | UnsetType = UNSET
    tools: list[_Tool] | UnsetType = UNSET
    mode: str | UnsetType = UNSET


class _Format(msgspec.Struct, omit_defaults=True):
    type: str
    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    schema: Raw | UnsetType = UNSET
    strict: bool | UnsetType = UNSET


class _Text(msgspec.Struct, omit_defaults=True):
    format: _Format | UnsetType = UNSET
    verbosity: str | UnsetType = UNSET


class _Reasoning(msgspec.Struct, omit_defaults=True):
    effort: str | UnsetType = UNSET
    summary: str | UnsetType = UNSET


class _Body(msgspec.Struct, omit_defaults=True):
    model: str
    input: list[_Item]
    store: bool | UnsetType
    include: list[str]
    stream: bool = False
    tools: list[_Tool] | UnsetType = UNSET
    tool_choice: str | _Tool | UnsetType = UNSET
    parallel_tool_calls: bool | UnsetType = UNSET
    max_output_tokens: int | UnsetType = UNSET
    temperature: float | UnsetType = UNSET
    top_p: float | UnsetType = UNSET
    top_logprobs: int | UnsetType = UNSET
    text: _Text | UnsetType = UNSET
    reasoning: _Reasoning | UnsetType = UNSET
    user: str | UnsetType = UNSET
    service_tier: str | UnsetType = UNSET
    metadata: Raw | UnsetType = UNSET


def write_request(request: Request, model: str) -> Encoded:
    """Raises BadRequest with the client's name of what the API cannot say."""
    _refuse(request)
    written = _Input(request)
    include = ["reasoning.encrypted_content"]
    if request.top_logprobs is not None:
        include.append("message.output_text.logprobs")
    tools = _tools(request)
    limit = request.max_output_tokens
    body = _Body(
        model=model,
        input=written.items,
        store=False,
        include=include,
        stream=request.stream,
        tools=tools or UNSET,
        tool_choice=_choice(request) if tools else UNSET,
        parallel_tool_calls=_or_unset(request.parallel_tool_calls) if tools else UNSET,
        max_output_tokens=UNSET if limit is None else max(limit, MIN_OUTPUT_TOKENS),
        temperature=_or_unset(request.temperature),
        top_p=_or_unset(request.top_p),
        top_logprobs=request.top_logprobs or UNSET,
        text=_text(request),
        reasoning=_reasoning(request),
        user=request.user or UNSET,
        service_tier=_TIERS.get(request.service_tier.lower(), UNSET),
        metadata=Raw(request.metadata) if request.metadata else UNSET,
    )
    return Encoded(msgspec.json.encode(body), (*_dropped(request), *written.dropped))


def _or_unset(value: T | None) -> T | UnsetType:
    return UNSET if value is None else value


def _refuse(request: Request) -> None:
    if request.choices > 1:
        raise _cannot(request, "choices", "the Responses API gives one answer per request")
    if request.stop:
        raise _cannot(request, "stop", "the Responses API knows no stop sequences")
    for modality in request.modalities:
        if modality != "text":
            raise _cannot(request, "modalities", f"the Responses API does not answer with {modality[:40]!r}")


def _cannot(request: Request, field: str, why: str) -> BadRequest:
    name = request.name_of(field)
    return BadRequest(
        f"`{name}` cannot be carried to the upstream of this model: {why}.",
        param=name,
        code="unsupported_parameter",
    )


def _dropped(request: Request) -> list[str]:
    fields = ("seed", "top_k", "presence_penalty", "frequency_penalty")
    found = [request.name_of(field) for field in fields if getattr(request, field) is not None]
    limit = request.max_output_tokens
    if limit is not None and limit < MIN_OUTPUT_TOKENS:
        found.append(request.name_of("max_output_tokens"))
    if request.thinking_budget is not None and request.effort is not None:
        found.append(request.name_of("thinking_budget"))
    if request.service_tier and request.service_tier.lower() not in _TIERS:
        found.append(request.name_of("service_tier"))
    return found


class _Input:
    """The conversation as items."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self.items: list[_Item] = []
        self._left_out: dict[str, None] = {}
        for message in request.messages:
            self._write(message)

    @property
    def dropped(self) -> tuple[str, ...]:
        return tuple(self._left_out)

    def _write(self, message: Message) -> None:
        """Content gathers in one message until a part comes that is an item of its own."""
        content: list[_Block] = []
        for part in message.parts:
            item = self._own_item(part)
            if item is not None:
                self._flush(message.role, content)
                content = []
                self.items.append(item)
            elif not isinstance(part, Thought):
                content.append(self._block(message.role, part))
        self._flush(message.role, content)

    def _flush(self, role: str, content: list[_Block]) -> None:
        if content:
            self.items.append(_Item("message", role=role, content=content))

    def _own_item(self, part: Part) -> _Item | None:
        match part:
            case ToolCall():
                kind = "custom_tool_call" if part.custom else "function_call"
                return _Item(
                    kind,
                    call_id=part.id,
                    name=part.name,
                    namespace=part.namespace or UNSET,
                    arguments=UNSET if part.custom else part.arguments or "{}",
                    input=part.arguments if part.custom else UNSET,
                )
            case ToolResult():
                kind = "custom_tool_call_output" if part.custom else "function_call_output"
                return _Item(kind, call_id=part.call_id, output=self._output(part))
            case Thought():
                return self._thought(part)
            case _:
                return None

    def _output(self, result: ToolResult) -> str | list[_Block]:
        texts = [part.text for part in result.parts if isinstance(part, Text)]
        if len(texts) == len(result.parts) <= 1:
            return "".join(texts)
        return [self._block("user", part) for part in result.parts]

    def _thought(self, thought: Thought) -> _Item | None:
        if thought.maker != "responses" or not thought.signature:
            self._left_out["reasoning"] = None
            return None
        summary = [_Block("summary_text", text=thought.text)] if thought.text else []
        return _Item("reasoning", summary=summary, encrypted_content=thought.signature)

    def _block(self, role: str, part: Part) -> _Block:
        match part:
            case Text(text):
                if role == "assistant":
                    return _Block("output_text", text=text, annotations=())
                return _Block("input_text", text=text)
            case Refusal(text):
                return _Block("refusal", refusal=text)
            case Image() if role != "assistant":
                url = part.url or f"data:{part.mime or 'image/png'};base64,{part.data}"
                return _Block("input_image", image_url=url, detail=part.detail or "auto")
            case File() if role != "assistant":
                return _file(part)
            case Audio() if role != "assistant":
                form = part.mime.removeprefix("audio/").removeprefix("x-")
                return _Block("input_audio", input_audio=_Audio(part.data, "mp3" if form == "mpeg" else form))
            case _:
                what = type(part).__name__.lower()
                raise _cannot(
                    self._request, "messages", f"the Responses API takes no {what} in a message of the {role}"
                )


def _file(part: File) -> _Block:
    if part.data:
        name = part.filename or f"document.{part.mime.rpartition('/')[2] or 'pdf'}"
        data = f"data:{part.mime or 'application/pdf'};base64,{part.data}"
        return _Block("input_file", file_data=data, filename=name)
    if part.url:
        return _Block("input_file", file_url=part.url)
    return _Block("input_file", file_id=part.file_id)


def _tools(request: Request) -> list[_Tool]:
    written: list[_Tool] = []
    spaces: dict[str, list[_Tool]] = {}
    for tool in request.tools:
        if not tool.namespace:
            written.append(_tool(tool))
            continue
        inner = spaces.get(tool.namespace)
        if inner is None:
            inner = spaces[tool.namespace] = []
            space = _Tool("namespace", name=tool.namespace, description=tool.namespace, tools=inner)
            written.append(space)
        inner.append(_tool(tool))
    if request.web_search:
        written.append(_Tool("web_search"))
    return written


def _tool(tool: Tool) -> _Tool:
    description = tool.description or UNSET
    if tool.custom:
        grammar = Raw(tool.grammar) if tool.grammar else UNSET
        return _Tool("custom", name=tool.name, description=description, format=grammar)
    parameters = tool.parameters or b'{"type":"object","properties":{}}'
    return _Tool(
        "function",
        name=tool.name,
        description=description,
        parameters=Raw(parameters),
        strict=bool(tool.strict),
    )


def _choice(request: Request) -> str | _Tool | UnsetType:
    choice = request.tool_choice
    if choice is None:
        return UNSET
    custom = {tool.name: tool.custom for tool in request.tools}
    named = [_Tool("custom" if custom.get(name) else "function", name=name) for name in choice.names]
    if choice.mode == "named" and named:
        return named[0]
    if choice.mode == "required" and named:
        return _Tool("allowed_tools", mode="required", tools=named)
    return "required" if choice.mode == "named" else choice.mode


def _text(request: Request) -> _Text | UnsetType:
    form = _format(request.format)
    if form is UNSET and not request.verbosity:
        return UNSET
    return _Text(form, request.verbosity or UNSET)


def _format(form: Format | None) -> _Format | UnsetType:
    if form is None or form.kind == "text":
        return UNSET
    if form.kind == "json":
        return _Format("json_object")
    return _Format(
        "json_schema",
        name=form.name or "answer",
        description=form.description or UNSET,
        schema=Raw(form.schema),
        strict=bool(form.strict),
    )


def _reasoning(request: Request) -> _Reasoning | UnsetType:
    effort = request.effort
    budget = request.thinking_budget
    if effort is None and budget is not None and budget >= 0:
        effort = next((name for most, name in EFFORT_BUDGETS if budget <= most), "high")
    if effort is None and not request.include_thoughts:
        return UNSET
    return _Reasoning(effort or UNSET, "auto" if request.include_thoughts else UNSET)
