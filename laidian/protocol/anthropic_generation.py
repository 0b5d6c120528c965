"""What each generation of Claude models takes: the fields that one accepts and the next answers with 400.

A table and the look-up in it; a row is the first whose name is part of the model's. Source of the rows: `getModelCapabilities` of
@ai-sdk/anthropic 3.0.139 (npm, seen 2026-11-22), and for "no budget from Opus 4.7 on" Amazon Bedrock's page on adaptive thinking
and the 400 of claude-sonnet-5 that MemberJunction 6.2 reports (both seen 2026-11-22). Effort names: anthropic 2.12.0.
"""

from __future__ import annotations

from typing import Literal

import msgspec

EffortLevel = Literal["low", "medium", "high", "xhigh", "max"]


class Generation(msgspec.Struct, frozen=True):
    names: tuple[str, ...]
    max_output_tokens: int
    """The most `max_tokens` may be; also what is sent when the client names no limit, as other providers do."""
    thinking: Literal["adaptive", "budget", "either", "none"]
    """How thinking is switched on: by effort, by a number of tokens, by one of them, or not at all."""
    can_stop_thinking: bool = True
    sampling: bool = True
    """temperature, top_p and top_k."""
    both_sampling: bool = False
    """temperature and top_p together."""
    structured: bool = True
    """output_config.format and strict tools."""
    forced_tools: bool = True
    """tool_choice any and tool."""
    xhigh: bool = True


_GENERATIONS = (
    Generation(
        ("claude-sonnet-5-5", "claude-opus-5-5"),
        128_000,
        "adaptive",
        can_stop_thinking=False,
        sampling=False,
        forced_tools=False,
    ),
    Generation(("claude-haiku-5-5", "claude-opus-5"), 128_000, "adaptive", sampling=False),
    Generation(
        ("claude-fable-5-1",),
        128_000,
        "adaptive",
        can_stop_thinking=False,
        sampling=False,
        forced_tools=False,
    ),
    Generation(
        ("claude-fable-5", "claude-mythos"), 128_000, "adaptive", can_stop_thinking=False, sampling=False
    ),
    Generation(
        ("claude-opus-4-8", "claude-opus-4-7", "claude-sonnet-5"), 128_000, "adaptive", sampling=False
    ),
    Generation(("claude-sonnet-4-6", "claude-opus-4-6"), 128_000, "either", xhigh=False),
    Generation(("claude-sonnet-4-5", "claude-opus-4-5", "claude-haiku-4-5"), 64_000, "budget"),
    Generation(("claude-opus-4-1",), 32_000, "budget"),
    Generation(("claude-sonnet-4",), 64_000, "budget", structured=False, both_sampling=True),
    Generation(("claude-opus-4",), 32_000, "budget", structured=False, both_sampling=True),
    Generation(
        ("claude-3", "claude-2", "claude-instant"), 4_096, "none", structured=False, both_sampling=True
    ),
    Generation(("claude-",), 64_000, "adaptive", sampling=False),
)

_FOREIGN = Generation((), 8_192, "budget", both_sampling=True)
"""Models of other makers behind an endpoint that speaks this dialect: nothing is held back, and a limit that all of them take."""


def generation_of(model: str) -> Generation:
    """The row of a model; an unknown Claude counts as one of the newest, without its largest limit."""
    name = model.lower().replace(".", "-")
    for generation in _GENERATIONS:
        if any(part in name for part in generation.names):
            return generation
    return _FOREIGN
