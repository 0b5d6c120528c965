"""OpenAI's decisions: questions about an input, each answered by a probability (decision_create_params.py of openai-python 3.54.0, seen
2026-11-22). The text decides nothing: a predicate is always 0.5, a choice the first one, a score the first level.
"""

from __future__ import annotations

import re

from .call import Call, Operation, with_usage
from .directives import read_directives
from .generation import prompt_tokens
from .openai_checks import Rule, bad_value, check_parameters, invalid, need_array, need_object, need_string
from .openai_errors import bearer, openai_error, openai_model
from .openai_responses_checks import responses_prompt
from .tokens import count_tokens
from .values import Json, JsonObject, Usage

PARAMETERS: dict[str, Rule] = {
    "model": Rule("string", required=True),
    "input": Rule("any", required=True),
    "questions": Rule("array", required=True),
    "prompt_cache_key": Rule("string"),
    "prompt_cache_options": Rule("object"),
    "safety_identifier": Rule("string"),
}
MOST_QUESTIONS = 400
TOKENS_PER_ANSWER = 3


async def decide(call: Call, match: re.Match[str]) -> None:
    body = call.object()
    check_parameters(body, PARAMETERS)
    prompt = responses_prompt({"model": body["model"], "input": body["input"]})
    model = openai_model(prompt.model, "chat", "v1/decisions")
    questions = need_array("questions", body["questions"])
    if not 1 <= len(questions) <= MOST_QUESTIONS:
        raise invalid("questions", f"Ask 1 to {MOST_QUESTIONS} questions.", "invalid_value")
    answers: list[Json] = [_answer(f"questions[{place}]", one) for place, one in enumerate(questions)]
    await call.begin(model.id, fault=read_directives(prompt.last_user_text).fault)
    size = prompt_tokens(prompt) + sum(count_tokens(str(one)) for one in questions)
    await call.think(Usage(input_tokens=size))
    call.usage = Usage(input_tokens=size, output_tokens=TOKENS_PER_ANSWER * len(answers))
    usage = call.distorted(
        {
            "input_tokens": size,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": call.usage.output_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": size + call.usage.output_tokens,
        }
    )
    await call.answer(with_usage({"answers": answers, "model": model.id}, "usage", usage))


def _answer(param: str, value: Json) -> JsonObject:
    question = need_object(param, value)
    kind, name = need_string(param, question, "type"), question.get("name")
    match kind:
        case "predicate":
            return {"type": kind, "name": name, "probability": 0.5}
        case "choice":
            choices = need_array(f"{param}.choices", question.get("choices"))
            value = need_object(f"{param}.choices[0]", choices[0]).get("value")
            odds: list[Json] = [{"value": value, "probability": 1.0}]
            return {"type": kind, "name": name, "choice": value, "confidence": 1.0, "probabilities": odds}
        case "score":
            return {"type": kind, "name": name, "score": 0.0, "confidence": 1.0, "probabilities": []}
        case _:
            raise bad_value(f"{param}.type", kind, ("predicate", "choice", "score"))


OPERATIONS = (
    Operation("POST", re.compile(r"/v1/decisions"), decide, "openai-decisions", openai_error, bearer),
)
