"""A canonical request, written as an Anthropic Messages request for one generation of models.

The rule a newcomer would break: what a generation does not take is a 400, so everything about thinking, sampling, tools and schemas asks
`anthropic_generation` first.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw

from laidian.errors import BadRequest
from laidian.protocol.anthropic_generation import Generation, generation_of
from laidian.protocol.anthropic_turns import Turns, flat_name
from laidian.protocol.anthropic_wire import (
    Asked,
    Choice,
    FunctionTool,
    Metadata,
    OutputConfig,
    OutputFormat,
    Thinking,
    WebSearchTool,
)
from laidian.protocol.canonical import Effort, Encoded, Request, Tool

LEAST_BUDGET_TOKENS = 1_024
"""The smallest thinking budget there is (anthropic 2.12.0, thinking_config_enabled_param.py)."""

_BUDGETS: dict[Effort, int] = {
    "minimal": 1_024, "low": 2_048, "medium": 8_192, "high": 16_384, "xhigh": 24_576, "max": 32_000
}  # fmt: skip
"""Effort as a budget, for models that know no effort: in line with the ranges for Gemini (protocol.md 6.3)."""

_LARGEST_SHARE = 0.8
"""Of the output limit that thinking may take, so that an answer remains (OpenRouter's share for high effort, its docs 2026-11)."""

_NO_SCHEMA = b'{"type":"object","properties":{}}'
_CUSTOM_SCHEMA = b'{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}'


def write_request(request: Request, model: str) -> Encoded:
    """Raises BadRequest, by the client's name of the field, for what this generation of models cannot be told."""
    generation = generation_of(model)
    writer = _Writer(request, model, generation)
    return writer.written()


class _Writer:
    def __init__(self, request: Request, model: str, generation: Generation) -> None:
        self._request = request
        self._model = model
        self._generation = generation
        self._dropped: dict[str, None] = {}
        self._limit = request.max_output_tokens or generation.max_output_tokens
        self._forced = (
            bool(request.tools)
            and request.tool_choice is not None
            and request.tool_choice.mode in ("required", "named")
        )

    def written(self) -> Encoded:
        self._refuse()
        request = self._request
        turns = Turns(request)
        tools = self._tools()
        thinking = self._thinking(turns)
        asked = Asked(
            model=self._model,
            max_tokens=self._limit,
            messages=turns.turns,
            system=turns.system,
            tools=tools,
            tool_choice=self._choice(offered=bool(tools)),
            thinking=thinking,
            output_config=self._config(thinking),
            stop_sequences=request.stop,
            metadata=Metadata(request.user) if request.user else None,
            service_tier=self._service_tier(),
            stream=request.stream,
        )
        self._sample(asked, thinks=thinking is not None and thinking.type != "disabled")
        self._leave_out()
        return Encoded(msgspec.json.encode(asked), (*turns.dropped, *self._dropped))

    def _refuse(self) -> None:
        request = self._request
        if request.choices > 1:
            raise self._cannot("choices", f"it gives one answer, not {request.choices}")
        if request.top_logprobs is not None:
            raise self._cannot("top_logprobs", "it tells no log probabilities")
        others = [mode for mode in request.modalities if mode != "text"]
        if others:
            raise self._cannot("modalities", f"it answers in text, not in {others[0]}")
        if request.format is not None and request.format.kind == "json":
            raise self._cannot("format", "it has no JSON mode without a schema; send a JSON schema")
        if request.format is not None and request.format.kind == "schema" and not self._generation.structured:
            raise self._cannot("format", f"`{self._model}` cannot be held to a schema")
        if any(not word.strip() for word in request.stop):
            raise self._cannot("stop", "a stop sequence of white space only is not taken")
        if self._forced and not self._generation.forced_tools:
            raise self._cannot("tool_choice", f"`{self._model}` decides itself whether to call a tool")

    def _cannot(self, field: str, why: str) -> BadRequest:
        name = self._request.name_of(field)
        return BadRequest(
            f"`{name}` cannot be carried to the upstream of this model, which speaks Anthropic's protocol: {why}.",
            param=name,
            code="unsupported_parameter",
        )

    def _drop(self, field: str) -> None:
        self._dropped[self._request.name_of(field)] = None

    def _leave_out(self) -> None:
        """What does no harm when it is missing."""
        request = self._request
        missing = {
            "seed": request.seed is not None,
            "presence_penalty": bool(request.presence_penalty),
            "frequency_penalty": bool(request.frequency_penalty),
            "verbosity": bool(request.verbosity),
            "metadata": bool(request.metadata),
        }
        for field, said in missing.items():
            if said:
                self._drop(field)

    def _service_tier(self) -> str:
        tier = self._request.service_tier
        if tier in ("default", "standard"):
            return "standard_only"
        if tier not in ("", "auto"):
            self._drop("service_tier")
        return "auto" if tier == "auto" else ""

    # Tools

    def _tools(self) -> list[FunctionTool | WebSearchTool]:
        request = self._request
        tools: list[FunctionTool | WebSearchTool] = [self._tool(tool) for tool in self._callable()]
        if request.web_search:
            tools.append(WebSearchTool())
        return tools

    def _callable(self) -> tuple[Tool, ...]:
        """A choice among some of the tools is said by offering only those."""
        choice = self._request.tool_choice
        if choice is None or choice.mode != "required" or not choice.names:
            return self._request.tools
        return tuple(tool for tool in self._request.tools if tool.name in choice.names)

    def _tool(self, tool: Tool) -> FunctionTool:
        if tool.grammar:
            self._dropped["tools.format"] = None
        schema = _CUSTOM_SCHEMA if tool.custom else tool.parameters or _NO_SCHEMA
        strict = True if tool.strict and self._generation.structured else None
        if tool.strict and strict is None:
            self._dropped["tools.strict"] = None
        return FunctionTool(flat_name(tool.namespace, tool.name), Raw(schema), tool.description, strict)

    def _choice(self, *, offered: bool) -> Choice | None:
        request, choice = self._request, self._request.tool_choice
        if not offered:
            return None
        single = request.parallel_tool_calls is False
        mode = "auto" if choice is None else choice.mode
        match mode:
            case "none":
                return Choice("none")
            case "auto":
                return None if choice is None and not single else Choice("auto", "", single)
            case "required":
                return Choice("any", "", single)
            case "named":
                assert choice is not None
                return Choice("tool", self._named(choice.names[0]), single)

    def _named(self, name: str) -> str:
        namespaces = (tool.namespace for tool in self._request.tools if tool.name == name)
        return flat_name(next(namespaces, ""), name)

    # Thinking

    def _thinking(self, turns: Turns) -> Thinking | None:
        """None leaves it to the model's own default."""
        request, kind = self._request, self._generation.thinking
        off = request.effort == "none" or (request.effort is None and request.thinking_budget == 0)
        if off:
            return self._no_thinking()
        wanted = request.effort is not None or request.thinking_budget is not None
        if kind == "none":
            if wanted:
                self._drop("effort" if request.effort else "thinking_budget")
            return None
        if kind == "adaptive" or (kind == "either" and not (request.thinking_budget or 0) > 0):
            if self._forced or not (wanted or request.include_thoughts):
                return None
            shows = request.include_thoughts and kind == "adaptive"
            return Thinking("adaptive", display="summarized" if shows else None)
        return self._budgeted(turns) if wanted else None

    def _no_thinking(self) -> Thinking | None:
        """Older generations think only when told to; some of the newest always do."""
        if self._generation.thinking == "adaptive":
            if self._generation.can_stop_thinking:
                return Thinking("disabled")
            self._drop("effort" if self._request.effort else "thinking_budget")
        return None

    def _budgeted(self, turns: Turns) -> Thinking | None:
        """A number of tokens below the output limit; no thinking where the limit, a forced tool or the turns leave no room for it."""
        request = self._request
        budget = request.thinking_budget
        if budget is None or budget < 1:
            budget = _BUDGETS[request.effort or "medium"]
        budget = min(max(budget, LEAST_BUDGET_TOKENS), int(self._limit * _LARGEST_SHARE))
        if budget < LEAST_BUDGET_TOKENS or self._forced or turns.calls_without_thought:
            self._drop("effort" if request.effort else "thinking_budget")
            return None
        return Thinking("enabled", budget)

    def _config(self, thinking: Thinking | None) -> OutputConfig | None:
        asked = self._request.format
        schema = None
        if asked is not None and asked.kind == "schema":
            schema = OutputFormat("json_schema", Raw(asked.schema))
        effort = None
        if self._generation.thinking in ("adaptive", "either") and (
            thinking is None or thinking.type == "adaptive"
        ):
            effort = self._effort()
        return None if effort is None and schema is None else OutputConfig(effort, schema)

    def _effort(self) -> str | None:
        request = self._request
        effort, budget = request.effort, request.thinking_budget
        if effort is None:
            if budget is None or budget < 0:
                return None
            effort = _effort_of(budget)
        if effort == "none":
            return None if self._generation.can_stop_thinking else "low"
        if effort == "minimal":
            return "low"
        if effort == "xhigh" and not self._generation.xhigh:
            return "high"
        return effort

    # Sampling

    def _sample(self, asked: Asked, *, thinks: bool) -> None:
        """Thinking excludes sampling, and generations differ in what of it they take; the names of what was changed are told."""
        request = self._request
        if not self._generation.sampling or thinks:
            for field in ("temperature", "top_p", "top_k"):
                if getattr(request, field) is not None:
                    self._drop(field)
            return
        asked.top_k = request.top_k
        asked.temperature = request.temperature
        if request.temperature is not None and request.temperature > 1:
            asked.temperature = 1.0
            self._drop("temperature")
        if request.temperature is not None and not self._generation.both_sampling:
            if request.top_p is not None:
                self._drop("top_p")
        else:
            asked.top_p = request.top_p


def _effort_of(budget: int) -> Effort:
    if budget <= _BUDGETS["low"]:
        return "low"
    return "medium" if budget <= _BUDGETS["medium"] else "high"
