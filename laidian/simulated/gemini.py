"""Native Gemini under /v1beta (and /v1, /v1alpha): models, generateContent, streams, countTokens, embedContent and its batch.

A stream is SSE with `alt=sse`, else one JSON array. Its chunks carry cumulative usage, function calls come
whole, and only the last chunk of a candidate has a finishReason.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Iterator
from typing import Literal
from urllib.parse import parse_qs

import msgspec

from .call import Call, Operation, with_usage
from .gemini_checks import FIELDS, Account, content_prompt, contents_prompt_tokens, known_fields
from .gemini_drawing import draw
from .gemini_errors import gemini_error, gemini_key, speaks_gemini
from .generation import generate, parts, prompt_tokens
from .models import Model, find_model, models_of
from .openai_checks import maybe_integer
from .openai_embeddings import vector
from .tokens import TOKENS_PER_MESSAGE, count_tokens
from .values import Answer, Choice, Event, Json, JsonObject, Prompt, Refusal, ToolCall, Usage

CONTINUE = "[[continue]]"
THOUGHT_SIGNATURE = "c2ltdWxhdGVk"
"""`simulated` in base64."""
_FINISH = {
    "stop": "STOP",
    "stop_sequence": "STOP",
    "length": "MAX_TOKENS",
    "tool_calls": "STOP",
    "refusal": "SAFETY",
}
_METHODS: dict[str, list[Json]] = {
    "chat": ["generateContent", "streamGenerateContent", "countTokens"],
    "drawing": ["generateContent", "streamGenerateContent", "countTokens"],
    "embedding": ["embedContent", "batchEmbedContents", "countTokens"],
}


async def list_models(call: Call, match: re.Match[str]) -> None:
    await call.begin("")
    await call.answer({"models": [_entry(model) for model in models_of("google")]})


async def show_model(call: Call, match: re.Match[str]) -> None:
    model = _model(match["model"])
    await call.begin(model.id)
    await call.answer(_entry(model))


async def answer_content(call: Call, match: re.Match[str]) -> None:
    call.model = match["model"]
    if _model(match["model"]).kind == "drawing":
        await draw(call, _model(match["model"]), stream=False, array=False)
        return
    model = _model_for(match["model"], "chat", "generateContent")
    prompt = content_prompt(call.object(), model, stream=False, account=(call.provider.shelves, call.key))
    await generate(call, model, prompt, _Shape(call, array=False, token=_token(call, prompt)))


async def stream_content(call: Call, match: re.Match[str]) -> None:
    call.model = match["model"]
    alt = parse_qs(call.exchange.query).get("alt", ["json"])[0]
    if alt not in ("sse", "json"):
        raise Refusal(400, f"Invalid value for query parameter alt: {alt}")
    if _model(match["model"]).kind == "drawing":
        await draw(call, _model(match["model"]), stream=True, array=alt == "json")
        return
    model = _model_for(match["model"], "chat", "streamGenerateContent")
    prompt = content_prompt(call.object(), model, stream=True, account=(call.provider.shelves, call.key))
    await generate(call, model, prompt, _Shape(call, array=alt == "json", token=_token(call, prompt)))


def _token(call: Call, prompt: Prompt) -> str:
    """What the answer can be gone on with; empty for one that comes to its end. Raises Refusal (400) for another account's token."""
    brought = known_fields(call.object(), FIELDS, "").get("continuationToken")
    tokens = call.provider.shelves.google_continuations
    if brought is not None and tokens.get(call.key, plain_token(str(brought))) is None:
        raise Refusal(400, "Invalid continuation token.")
    if brought is not None or CONTINUE not in prompt.last_user_text:
        return ""
    token = base64.b64encode(secrets.token_bytes(24)).decode()
    tokens.put(call.key, plain_token(token), token)
    return token


def plain_token(token: str) -> str:
    """Clients spell base64 in either alphabet."""
    return token.replace("-", "+").replace("_", "/").rstrip("=")


async def count_content(call: Call, match: re.Match[str]) -> None:
    model = _model(match["model"])
    body = known_fields(call.object(), ("contents", "generateContentRequest", "model"), "")
    request = body.get("generateContentRequest")
    if isinstance(request, dict):
        tokens = prompt_tokens(
            content_prompt(request, model, stream=False, account=(call.provider.shelves, call.key))
        )
    else:
        tokens = _contents_tokens(body.get("contents"), (call.provider.shelves, call.key))
    await call.begin(model.id)
    details: list[Json] = [{"modality": "TEXT", "tokenCount": tokens}]
    await call.answer({"totalTokens": tokens, "promptTokensDetails": details})


async def embed_content(call: Call, match: re.Match[str]) -> None:
    call.model = match["model"]
    model = _model_for(match["model"], "embedding", "embedContent")
    tokens, embedding = _embedding(call.object(), model)
    await _embedded(call, model, {"embedding": embedding}, tokens)


async def embed_batch(call: Call, match: re.Match[str]) -> None:
    call.model = match["model"]
    model = _model_for(match["model"], "embedding", "batchEmbedContents")
    requests = known_fields(call.object(), ("requests",), "").get("requests")
    if not isinstance(requests, list) or not requests:
        raise Refusal(400, "* BatchEmbedContentsRequest.requests: at least one request is required")
    tokens, embeddings = 0, list[Json]()
    for place, item in enumerate(requests):
        name = item.get("model") if isinstance(item, dict) else None
        if not isinstance(item, dict) or name != f"models/{model.id}":
            message = f"* BatchEmbedContentsRequest.requests[{place}].model: must match the parent's, models/{model.id}"
            raise Refusal(400, message)
        more, embedding = _embedding(item, model)
        tokens += more
        embeddings.append(embedding)
    await _embedded(call, model, {"embeddings": embeddings}, tokens)


def _embedding(request: JsonObject, model: Model) -> tuple[int, JsonObject]:
    """Tokens of the text, and its vector."""
    fields = ("model", "content", "taskType", "title", "outputDimensionality", "embedContentConfig")
    body = known_fields(request, fields, "")
    tokens = _contents_tokens(body.get("content")) - TOKENS_PER_MESSAGE
    dimensions = min(maybe_integer(body, "outputDimensionality") or model.dimensions, model.dimensions)
    return tokens, {"values": [*vector(body.get("content"), dimensions)]}


async def _embedded(call: Call, model: Model, answer: JsonObject, tokens: int) -> None:
    await call.begin(model.id)
    await call.think(Usage(input_tokens=tokens))
    usage = call.distorted({"promptTokenCount": tokens, "totalTokenCount": tokens})
    await call.answer(with_usage(answer, "usageMetadata", usage))


def _contents_tokens(value: Json, account: Account | None = None) -> int:
    texts, messages, media_tokens = contents_prompt_tokens(value, account)
    return sum(count_tokens(text) for text in texts) + messages * TOKENS_PER_MESSAGE + media_tokens


def _model(name: str) -> Model:
    model = find_model(name.removeprefix("models/"), "google")
    if model is None:
        raise _not_found(name, "generateContent")
    return model


def _model_for(name: str, kind: Literal["chat", "embedding"], method: str) -> Model:
    model = _model(name)
    if model.kind != kind:
        raise _not_found(name, method)
    return model


def _not_found(name: str, method: str) -> Refusal:
    message = (
        f"models/{name} is not found for API version v1beta, or is not supported for {method}. "
        "Call ListModels to see the list of available models and their supported methods."
    )
    return Refusal(404, message)


def _entry(model: Model) -> JsonObject:
    return {
        "name": f"models/{model.id}",
        "version": "simulated",
        "displayName": f"{model.id} (simulated)",
        "description": "A simulated model.",
        "inputTokenLimit": model.context_tokens,
        "outputTokenLimit": model.max_output_tokens or 1,
        "supportedGenerationMethods": _METHODS[model.kind],
        "thinking": model.kind == "chat",
    }


class _Shape:
    def __init__(self, call: Call, *, array: bool, token: str = "") -> None:
        self.array = array
        self._call = call
        self._token = token
        """What this answer has to be gone on with."""

    def whole(self, answer: Answer) -> Json:
        candidates: list[Json] = [
            self._ended(_candidate(choice.index, _parts(choice), self._finish(choice)))
            for choice in answer.choices
        ]
        return self._response(answer, candidates, answer.usage.output_tokens)

    def events(self, answer: Answer, chunk_tokens: int) -> Iterator[Event]:
        tokens = answer.usage.reasoning_tokens
        waiting: tuple[int, ToolCall] | None = None
        for part in parts(answer, chunk_tokens):
            if waiting is not None and part.kind != "arguments":
                yield self._chunk(answer, waiting[0], [_call_part(waiting[1])], tokens)
                waiting = None
            tokens = part.output_tokens
            choice = answer.choices[part.choice]
            match part.kind:
                case "text":
                    yield self._chunk(answer, part.choice, [{"text": part.text}], tokens)
                case "call":
                    waiting = part.choice, choice.tool_calls[part.call]
                case "arguments":
                    continue
                case "finish":
                    finish = self._finish(choice)
                    yield self._chunk(answer, part.choice, [{"text": ""}], tokens, finish=finish)
        if self._call.fault == "usage-twice":
            yield Event(self._response(answer, [], answer.usage.output_tokens), None, tokens)

    def error_event(self, refusal: Refusal) -> Event:
        return Event(gemini_error(refusal, self._call.request_id))

    def _finish(self, choice: Choice) -> str:
        return "CONTINUATION" if self._token else _FINISH[choice.finish]

    def _ended(self, candidate: JsonObject) -> JsonObject:
        if self._token and "finishReason" in candidate:
            candidate["continuationToken"] = self._token
        return candidate

    def _chunk(
        self,
        answer: Answer,
        index: int,
        content: list[Json],
        tokens: int,
        *,
        finish: str | None = None,
    ) -> Event:
        data = self._response(answer, [self._ended(_candidate(index, content, finish))], tokens)
        return Event(data, None, tokens, content=finish is None, terminal=finish is not None)

    def _response(self, answer: Answer, candidates: list[Json], output_tokens: int) -> JsonObject:
        body: JsonObject = {"candidates": candidates} if candidates else {}
        usage = self._usage(answer.usage.until(output_tokens), answer.service_tier)
        return with_usage(
            body | {"modelVersion": answer.model, "responseId": answer.id}, "usageMetadata", usage
        )

    def _usage(self, usage: Usage, service_tier: str) -> JsonObject | None:
        report: JsonObject = {
            "promptTokenCount": usage.input_tokens,
            "candidatesTokenCount": usage.output_tokens - usage.reasoning_tokens,
            "totalTokenCount": usage.input_tokens + usage.output_tokens,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": usage.input_tokens}],
        }
        if usage.cached_input_tokens:
            report["cachedContentTokenCount"] = usage.cached_input_tokens
        if usage.reasoning_tokens:
            report["thoughtsTokenCount"] = usage.reasoning_tokens
        if service_tier != "default":
            report["serviceTier"] = service_tier
        return self._call.distorted(report)


def _candidate(index: int, content: list[Json], finish: str | None) -> JsonObject:
    candidate: JsonObject = {"content": {"parts": content, "role": "model"}, "index": index}
    return candidate | ({"finishReason": finish} if finish is not None else {})


def _parts(choice: Choice) -> list[Json]:
    if choice.tool_calls:
        return [_call_part(call) for call in choice.tool_calls]
    return [{"text": choice.text}]


def _call_part(call: ToolCall) -> JsonObject:
    try:
        arguments: Json = msgspec.json.decode(call.arguments)
    except msgspec.DecodeError:
        arguments = {}
    return {
        "functionCall": {"id": call.id, "name": call.name, "args": arguments},
        "thoughtSignature": THOUGHT_SIGNATURE,
    }


_VERSION = r"/(?:v1beta|v1alpha|v1)"


def _verb(name: str) -> re.Pattern[str]:
    return re.compile(rf"{_VERSION}/models/(?P<model>[^:]+):{name}")


OPERATIONS = (
    Operation("POST", _verb("generateContent"), answer_content, "gemini", gemini_error, gemini_key),
    Operation("POST", _verb("streamGenerateContent"), stream_content, "gemini", gemini_error, gemini_key),
    Operation("POST", _verb("countTokens"), count_content, "gemini", gemini_error, gemini_key, billed=False),
    Operation("POST", _verb("embedContent"), embed_content, "gemini", gemini_error, gemini_key),
    Operation("POST", _verb("batchEmbedContents"), embed_batch, "gemini", gemini_error, gemini_key),
    Operation(
        "GET",
        re.compile(r"/(?:v1beta|v1alpha)/models"),
        list_models,
        "gemini",
        gemini_error,
        gemini_key,
        billed=False,
    ),
    Operation(
        "GET",
        re.compile(r"/(?:v1beta|v1alpha)/models/(?P<model>[^:]+)"),
        show_model,
        "gemini",
        gemini_error,
        gemini_key,
        billed=False,
    ),
    Operation(
        "GET",
        re.compile(r"/v1/models"),
        list_models,
        "gemini",
        gemini_error,
        gemini_key,
        False,
        speaks_gemini,
    ),
    Operation(
        "GET",
        re.compile(r"/v1/models/(?P<model>[^:]+)"),
        show_model,
        "gemini",
        gemini_error,
        gemini_key,
        False,
        speaks_gemini,
    ),
)
