"""OpenAI's legacy completions: the choices of a chat answer, as `text`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .call import Call, Operation, with_usage
from .generation import generate, parts
from .openai_chat import asks_usage
from .openai_checks import Rule, check_parameters, invalid, maybe_integer, mistyped
from .openai_errors import bearer, openai_error, openai_model
from .values import Answer, Event, Json, JsonObject, Prompt, Refusal, Usage

PARAMETERS: dict[str, Rule] = {
    "model": Rule("string", required=True),
    "prompt": Rule("any", required=True),
    "best_of": Rule("integer", 1, 20),
    "echo": Rule("boolean"),
    "frequency_penalty": Rule("number", -2, 2),
    "logit_bias": Rule("object"),
    "logprobs": Rule("integer", 0, 5),
    "max_tokens": Rule("integer", 0),
    "n": Rule("integer", 1, 128),
    "presence_penalty": Rule("number", -2, 2),
    "seed": Rule("integer"),
    "stop": Rule("any"),
    "stream": Rule("boolean"),
    "stream_options": Rule("object"),
    "suffix": Rule("string"),
    "temperature": Rule("number", 0, 2),
    "top_p": Rule("number", 0, 1),
    "user": Rule("string"),
}
DEFAULT_MAX_TOKENS = 16
_EXPECTED = "one of a string, an array of strings, an array of integers, or an array of integer arrays"


async def answer_completions(call: Call, match: re.Match[str]) -> None:
    body = call.object()
    call.model = str(body.get("model", ""))
    check_parameters(body, PARAMETERS)
    model = openai_model(call.model, "completion", "v1/completions")
    texts, token_ids, prompts = _prompts(body["prompt"])
    shown = maybe_integer(body, "n") or 1
    made = maybe_integer(body, "best_of") or shown
    stream = body.get("stream") is True
    if made < shown or (stream and made > shown):
        raise invalid("best_of", "Invalid 'best_of': it must be at least 'n', and equal to it in a stream.")
    if body.get("stream_options") is not None and not stream:
        raise invalid(
            "stream_options", "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        )
    stop = body.get("stop")
    limit = maybe_integer(body, "max_tokens")
    prompt = Prompt(
        model=model.id,
        texts=texts,
        messages=0,
        media_tokens=token_ids,
        last_user_text=texts[-1] if texts else "",
        answers_tools=False,
        stream=stream,
        max_output_tokens=DEFAULT_MAX_TOKENS if limit is None else max(limit, 1),
        choices=made * prompts,
        stop=(stop,) if isinstance(stop, str) else (),
    )
    echoed = texts[-1] if texts and body.get("echo") is True else ""
    await generate(call, model, prompt, _Shape(call, asks_usage(body), made, shown, echoed))


class _Shape:
    array = False

    def __init__(self, call: Call, include_usage: bool, made: int, shown: int, echoed: str) -> None:
        self._call = call
        self._include_usage = include_usage
        self._made = made
        """Answers made per prompt, of which the first `_shown` are shown."""
        self._shown = shown
        self._echoed = echoed

    def whole(self, answer: Answer) -> Json:
        body = self._head(answer)
        chosen = [choice for choice in answer.choices if choice.index % self._made < self._shown]
        body["choices"] = [
            _choice(index, self._echoed + choice.text, _finish(choice.finish))
            for index, choice in enumerate(chosen)
        ]
        return with_usage(body, "usage", self._usage(answer.usage))

    def events(self, answer: Answer, chunk_tokens: int) -> Iterator[Event]:
        for part in parts(answer, chunk_tokens):
            tokens = part.output_tokens
            finish = _finish(answer.choices[part.choice].finish) if part.kind == "finish" else None
            yield self._chunk(answer, part.choice, part.text, finish, tokens)
        tokens, usage = answer.usage.output_tokens, self._usage(answer.usage)
        if self._include_usage and usage is not None:
            yield Event({**self._head(answer), "choices": [], "usage": usage}, output_tokens=tokens)
        yield Event("[DONE]", output_tokens=tokens, terminal=True, raw=True)

    def error_event(self, refusal: Refusal) -> Event:
        return Event(openai_error(refusal, self._call.request_id))

    def _chunk(self, answer: Answer, index: int, text: str, finish: str | None, tokens: int) -> Event:
        body = self._head(answer)
        body["choices"] = [_choice(index, text, finish)]
        if self._include_usage:
            body["usage"] = None
        return Event(body, output_tokens=tokens, content=bool(text))

    def _head(self, answer: Answer) -> JsonObject:
        return {
            "id": f"cmpl-{answer.id}",
            "object": "text_completion",
            "created": answer.created_s,
            "model": answer.model,
        }

    def _usage(self, usage: Usage) -> JsonObject | None:
        return self._call.distorted(
            {
                "prompt_tokens": usage.input_tokens,
                "completion_tokens": usage.output_tokens,
                "total_tokens": usage.input_tokens + usage.output_tokens,
            }
        )


def _choice(index: int, text: str, finish: str | None) -> JsonObject:
    return {"index": index, "text": text, "logprobs": None, "finish_reason": finish}


def _finish(finish: str) -> str:
    return "length" if finish == "length" else "stop"


def _prompts(value: Json) -> tuple[tuple[str, ...], int, int]:
    """(texts, token ids, number of prompts). Raises Refusal (400)."""
    if isinstance(value, str):
        return (value,), 0, 1
    if not isinstance(value, list) or not value:
        raise mistyped("prompt", _EXPECTED, value)
    if all(isinstance(item, str) for item in value):
        return tuple(str(item) for item in value), 0, len(value)
    if all(_is_token(item) for item in value):
        return (), len(value), 1
    ids = 0
    for item in value:
        if not isinstance(item, list) or not item or not all(_is_token(token) for token in item):
            raise mistyped("prompt", _EXPECTED, value)
        ids += len(item)
    return (), ids, len(value)


def _is_token(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


OPERATIONS = (
    Operation(
        "POST",
        re.compile(r"/v1/completions"),
        answer_completions,
        "openai-completions",
        openai_error,
        bearer,
    ),
)
