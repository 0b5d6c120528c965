"""Thinking at Anthropic: which model takes which form of it, what it excludes, and the blocks it leaves in an answer.

What is refused is what @ai-sdk/anthropic 3.0.139 works around for these models, in Anthropic's words where they are public (seen 2026-11-22).
An answer has a thinking block when thinking was switched on and the `[[reasoning:N]]` directive made the model think.
"""

from __future__ import annotations

import re

from .openai_checks import maybe_integer, maybe_object, maybe_string
from .values import Json, JsonObject, Refusal

SIGNATURE = "simulated-signature"
THOUGHT = "[simulated] thinking"

_ADAPTIVE_ONLY = ("claude-sonnet-5",)
_EFFORTS = ("low", "medium", "high", "xhigh", "max")
_ID = re.compile(r"[a-zA-Z0-9_-]+")
_LEAST_BUDGET = 1_024


def check_thinking(body: JsonObject) -> None:
    """Raises Refusal (400) for a form of thinking, an effort or a sampling field that the model does not take."""
    adaptive = body.get("model") in _ADAPTIVE_ONLY
    thinking = maybe_object(body, "thinking")
    match thinking.get("type") if thinking else "disabled":
        case "enabled" if adaptive:
            raise Refusal(
                400,
                '"thinking.type.enabled" is not supported for this model. '
                'Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.',
            )
        case "enabled":
            _check_budget(body, thinking)
        case "adaptive" if not adaptive:
            raise Refusal(400, "adaptive thinking is not supported on this model")
        case "adaptive" | "disabled":
            pass
        case other:
            raise Refusal(400, f"thinking: Input tag '{other}' does not match any of the expected tags")
    effort = maybe_object(body, "output_config").get("effort")
    if effort is not None and (not adaptive or effort not in _EFFORTS):
        raise Refusal(400, "output_config.effort: this model does not support the effort parameter")
    sampling = [name for name in ("temperature", "top_p", "top_k") if name in body]
    if adaptive and sampling:
        raise Refusal(400, f"`{sampling[0]}` is not supported for this model")
    if "temperature" in body and "top_p" in body:
        raise Refusal(400, "`temperature` and `top_p` cannot both be specified for this model.")


def _check_budget(body: JsonObject, thinking: JsonObject) -> None:
    budget = maybe_integer(thinking, "budget_tokens")
    limit = maybe_integer(body, "max_tokens")
    if budget is None or budget < _LEAST_BUDGET:
        raise Refusal(
            400, f"thinking.enabled.budget_tokens: Input should be greater than or equal to {_LEAST_BUDGET}"
        )
    if limit is not None and budget >= limit:
        raise Refusal(400, "`max_tokens` must be greater than `thinking.budget_tokens`")
    if any(name in body for name in ("temperature", "top_k")):
        raise Refusal(400, "`temperature` may only be set to 1 when thinking is enabled")
    if maybe_object(body, "tool_choice").get("type") in ("any", "tool"):
        raise Refusal(400, "Thinking may not be enabled when tool_choice forces tool use.")
    messages = body.get("messages")
    if isinstance(messages, list):
        _check_last_turn(messages)


def _check_last_turn(messages: list[Json]) -> None:
    """Calls that are being answered must have been thought about."""
    turns = [turn for turn in messages if isinstance(turn, dict)]
    if len(turns) < 2 or "tool_result" not in _kinds(turns[-1]):
        return
    kinds = _kinds(turns[-2])
    if kinds and kinds[0] not in ("thinking", "redacted_thinking"):
        message = f"Expected `thinking` or `redacted_thinking`, but found `{kinds[0]}`. "
        raise Refusal(
            400,
            message
            + "When `thinking` is enabled, a final `assistant` message must start with a thinking block.",
        )


def _kinds(turn: JsonObject) -> list[str]:
    content = turn.get("content")
    return (
        [str(block.get("type")) for block in content if isinstance(block, dict)]
        if isinstance(content, list)
        else []
    )


def check_block(param: str, block: JsonObject) -> None:
    """Raises Refusal (400) for a thought that was made elsewhere and for an id that no call can have."""
    match block.get("type"):
        case "thinking" if maybe_string(block, "signature") != SIGNATURE:
            raise Refusal(400, f"{param}: Invalid `signature` in `thinking` block")
        case "tool_use" if not _ID.fullmatch(maybe_string(block, "id") or ""):
            raise Refusal(400, f"{param}.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
        case _:
            pass


def check_order(param: str, content: list[Json]) -> None:
    """Raises Refusal (400) when anything stands before a turn's tool results."""
    kinds = [block.get("type") for block in content if isinstance(block, dict)]
    if "tool_result" in kinds and any(kind != "tool_result" for kind in kinds[: _last(kinds)]):
        raise Refusal(400, f"{param}: `tool_result` blocks must come first in a user message")


def _last(kinds: list[Json]) -> int:
    return max(place for place, kind in enumerate(kinds) if kind == "tool_result")


def shows_thinking(body: JsonObject) -> bool:
    """Whether an answer to this body may have a thinking block."""
    return maybe_object(body, "thinking").get("type") in ("enabled", "adaptive")


def thinking_block(body: JsonObject) -> JsonObject:
    """A thinking block as a whole answer has it."""
    omitted = maybe_object(body, "thinking").get("display") == "omitted"
    return {"type": "thinking", "thinking": "" if omitted else THOUGHT, "signature": SIGNATURE}
