"""Log probabilities, between Gemini's `logprobsResult` and the list that both OpenAI dialects spell alike.

What cannot be read says nothing: an answer is never lost over its probabilities.
"""

from __future__ import annotations

import msgspec


class _Scored(msgspec.Struct, rename="camel"):
    token: str = ""
    log_probability: float = 0.0


class _Others(msgspec.Struct):
    candidates: list[_Scored] = []


class LogprobsResult(msgspec.Struct, rename="camel", omit_defaults=True):
    """One entry per token in each list (google-genai 3.4.0, LogprobsResult)."""

    chosen_candidates: list[_Scored] = []
    top_candidates: list[_Others] = []


class _Other(msgspec.Struct):
    token: str
    logprob: float
    bytes: list[int] | None = None


class _Token(_Other):
    top_logprobs: list[_Other] = []


_decode_result = msgspec.json.Decoder(LogprobsResult).decode
_decode_tokens = msgspec.json.Decoder(list[_Token]).decode


def read_logprobs(raw: bytes) -> bytes:
    """`logprobsResult` as the canonical list; empty when it says nothing."""
    try:
        result = _decode_result(raw)
    except (msgspec.DecodeError, RecursionError):
        return b""
    tokens: list[_Token] = []
    for place, chosen in enumerate(result.chosen_candidates):
        others = result.top_candidates[place].candidates if place < len(result.top_candidates) else []
        tokens.append(
            _Token(
                chosen.token,
                chosen.log_probability,
                list(chosen.token.encode()),
                [_Other(one.token, one.log_probability, list(one.token.encode())) for one in others],
            )
        )
    return msgspec.json.encode(tokens) if tokens else b""


def add_logprobs(result: LogprobsResult | None, listed: bytes) -> LogprobsResult | None:
    """The canonical list as `logprobsResult`, behind what an earlier piece of the same chunk had."""
    try:
        tokens = _decode_tokens(listed)
    except (msgspec.DecodeError, RecursionError):
        return result
    chosen = [_Scored(token.token, token.logprob) for token in tokens]
    others = [_Others([_Scored(one.token, one.logprob) for one in token.top_logprobs]) for token in tokens]
    before = result or LogprobsResult()
    return LogprobsResult(before.chosen_candidates + chosen, before.top_candidates + others)
