"""Gemini models that draw: a picture of one pixel beside some text, 1,120 tokens each, as Google charges for one of 1K.

`[[blocked]]` in the prompt: no picture, for what it would show; the input is charged all the same.
"""

from __future__ import annotations

from .call import Call, with_usage
from .directives import read_directives
from .gemini_checks import content_prompt
from .gemini_errors import gemini_error
from .generation import prompt_tokens
from .models import Model
from .openai_checks import maybe_object
from .openai_images import BLOCKED, PIXEL_B64
from .streaming import stream_events
from .tokens import count_tokens
from .values import Event, Json, JsonObject, Refusal, Usage

PICTURE_TOKENS = 1_120
TEXT = "[simulated] Here it is."


async def draw(call: Call, model: Model, *, stream: bool, array: bool) -> None:
    body = call.object()
    prompt = content_prompt(body, model, stream=stream, account=(call.provider.shelves, call.key))
    wanted = maybe_object(body, "generationConfig").get("responseModalities")
    directives = read_directives(prompt.last_user_text)
    call.service_tier = prompt.service_tier
    await call.begin(model.id, stream=stream, fault=directives.fault)
    pictures = (
        0 if BLOCKED in prompt.last_user_text or (isinstance(wanted, list) and "IMAGE" not in wanted) else 1
    )
    text = 0 if BLOCKED in prompt.last_user_text else count_tokens(TEXT)
    usage = Usage(
        input_tokens=prompt_tokens(prompt),
        input_image_tokens=prompt.media_tokens,
        output_tokens=text + pictures * PICTURE_TOKENS,
        output_image_tokens=pictures * PICTURE_TOKENS,
        images=pictures,
    )
    await call.think(usage.until(0), directives.delay_ms)
    finish = "IMAGE_SAFETY" if BLOCKED in prompt.last_user_text else "STOP"
    parts: list[Json] = []
    if text:
        parts.append({"text": TEXT})
    if pictures:
        parts.append({"inlineData": {"mimeType": "image/png", "data": PIXEL_B64}})
    if not stream:
        call.usage = usage
        await call.answer(_response(call, model, parts, usage, finish))
        return
    events = [
        Event(_response(call, model, [part], usage, None), None, usage.output_tokens, content=True)
        for part in parts
    ]
    last = Event(_response(call, model, [], usage, finish), None, usage.output_tokens, terminal=True)

    def error_event(refusal: Refusal) -> Event:
        return Event(gemini_error(refusal, call.request_id))

    await stream_events(call, [*events, last], usage, error_event, pace_ms=directives.pace_ms, array=array)


def _response(call: Call, model: Model, parts: list[Json], usage: Usage, finish: str | None) -> JsonObject:
    candidate: JsonObject = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
    body: JsonObject = {
        "candidates": [candidate],
        "modelVersion": model.id,
        "responseId": f"sim{call.number:08d}",
    }
    return with_usage(body, "usageMetadata", _report(call, usage))


def _report(call: Call, usage: Usage) -> JsonObject | None:
    text_in, text_out = (
        usage.input_tokens - usage.input_image_tokens,
        usage.output_tokens - usage.output_image_tokens,
    )
    return call.distorted(
        {
            "promptTokenCount": usage.input_tokens,
            "candidatesTokenCount": usage.output_tokens,
            "totalTokenCount": usage.input_tokens + usage.output_tokens,
            "promptTokensDetails": _split(text_in, usage.input_image_tokens),
            "candidatesTokensDetails": _split(text_out, usage.output_image_tokens),
        }
    )


def _split(text: int, pictures: int) -> list[Json]:
    found = (("TEXT", text), ("IMAGE", pictures))
    return [{"modality": modality, "tokenCount": tokens} for modality, tokens in found if tokens]
