"""Gemini's cached contents (caches.py of google-genai 3.4.0, seen 2026-11-22)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

from .call import Call, Operation
from .gemini_checks import contents_prompt_tokens, known_fields
from .gemini_errors import gemini_error, gemini_key
from .gemini_files import stamp
from .models import find_model
from .openai_checks import maybe_string
from .openai_files import Handle
from .shelf import new_id
from .tokens import TOKENS_PER_MESSAGE, count_tokens
from .values import Json, JsonObject, Refusal

FIELDS = ("model", "contents", "systemInstruction", "tools", "toolConfig", "ttl", "expireTime", "displayName")
USUAL_TTL = "3600s"


async def create(call: Call, match: re.Match[str]) -> None:
    body = known_fields(call.object(), FIELDS, "")
    model = find_model((maybe_string(body, "model") or "").removeprefix("models/"), "google")
    if model is None or not str(body["model"]).startswith("models/"):
        raise Refusal(
            404, f"Model {body.get('model')} is not found or not supported for createCachedContent."
        )
    account = call.provider.shelves, call.key
    texts, messages, media_tokens = contents_prompt_tokens(body.get("contents"), account)
    tokens = sum(count_tokens(text) for text in texts) + messages * TOKENS_PER_MESSAGE + media_tokens
    await call.begin(model.id)
    now = datetime.now(UTC)
    cache: JsonObject = {
        "name": f"cachedContents/{new_id('')}",
        "model": f"models/{model.id}",
        "displayName": body.get("displayName", ""),
        "createTime": stamp(now),
        "updateTime": stamp(now),
        "expireTime": _expiry(body, now),
        "usageMetadata": {"totalTokenCount": tokens},
    }
    call.provider.shelves.google_caches.put(call.key, str(cache["name"]), cache)
    await call.answer(cache)


async def list_caches(call: Call, match: re.Match[str]) -> None:
    caches: list[Json] = [*call.provider.shelves.google_caches.all(call.key)]
    await call.begin("")
    await call.answer({"cachedContents": caches} if caches else {})


async def show(call: Call, match: re.Match[str]) -> None:
    cache = _find(call, match["id"])
    await call.begin("")
    await call.answer(cache)


async def update(call: Call, match: re.Match[str]) -> None:
    cache, body = _find(call, match["id"]), known_fields(call.object(), ("ttl", "expireTime"), "")
    mask = parse_qs(call.exchange.query).get("updateMask", [""])[0]
    if mask and mask not in ("ttl", "expireTime", "expire_time"):
        raise Refusal(400, f"Invalid update mask: {mask}")
    await call.begin("")
    changed: JsonObject = {**cache, "expireTime": _expiry(body, datetime.now(UTC))}
    call.provider.shelves.google_caches.put(call.key, str(cache["name"]), changed)
    await call.answer(changed)


async def delete(call: Call, match: re.Match[str]) -> None:
    cache = _find(call, match["id"])
    await call.begin("")
    call.provider.shelves.google_caches.take(call.key, str(cache["name"]))
    await call.answer({})


def _expiry(body: JsonObject, now: datetime) -> Json:
    moment = maybe_string(body, "expireTime")
    if moment is not None:
        return moment
    ttl = maybe_string(body, "ttl") or USUAL_TTL
    if not re.fullmatch(r"[0-9]{1,7}(\.[0-9]+)?s", ttl):
        raise Refusal(400, f"Invalid value at 'cached_content.ttl', \"{ttl}\"")
    return stamp(now + timedelta(seconds=float(ttl[:-1])))


def _find(call: Call, cache_id: str) -> JsonObject:
    cache = call.provider.shelves.google_caches.get(call.key, f"cachedContents/{cache_id}")
    if cache is None:
        raise Refusal(403, "CachedContent not found (or permission denied)")
    return cache


def _operation(method: str, path: str, handle: Handle) -> Operation:
    return Operation(
        method, re.compile(path), handle, "gemini-caches", gemini_error, gemini_key, billed=False
    )


_ALL = r"/(?:v1beta|v1alpha)/cachedContents"
_ONE = rf"{_ALL}/(?P<id>[^/:]+)"

OPERATIONS = (
    _operation("POST", _ALL, create),
    _operation("GET", _ALL, list_caches),
    _operation("GET", _ONE, show),
    _operation("PATCH", _ONE, update),
    _operation("DELETE", _ONE, delete),
)
