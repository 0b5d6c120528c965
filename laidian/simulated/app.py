"""The ASGI application: finds the operation, checks the credential, and turns every way out into an answer.

Adding a dialect means adding its tuple of operations to `_OPERATIONS`, and its words for an unknown route to
`_stranger`. Nothing else here knows what a dialect looks like.
"""

from __future__ import annotations

import re

from . import (
    anthropic_messages,
    gemini,
    gemini_caches,
    gemini_compatible,
    gemini_files,
    openai_audio,
    openai_chat,
    openai_completions,
    openai_conversations,
    openai_decisions,
    openai_edits,
    openai_embeddings,
    openai_files,
    openai_images,
    openai_models,
    openai_moderations,
    openai_responses,
    openai_responses_near,
    openai_stored_chat,
    openai_stored_responses,
)
from .anthropic_errors import anthropic_error
from .call import Call, Operation, Provider, Worded
from .control import control
from .gemini_errors import compatible_error, gemini_error
from .journal import RequestRecord, redact_headers, redact_query
from .openai_errors import openai_error
from .values import ClientGone, Ended, Refusal
from .wire import ASGIApp, Exchange, Receive, Scope, Send

_OPERATIONS: tuple[Operation, ...] = (
    *gemini_compatible.OPERATIONS,
    *gemini_files.OPERATIONS,
    *gemini_caches.OPERATIONS,
    *gemini.OPERATIONS,
    *anthropic_messages.OPERATIONS,
    *openai_chat.OPERATIONS,
    *openai_stored_chat.OPERATIONS,
    *openai_decisions.OPERATIONS,
    *openai_responses.OPERATIONS,
    *openai_responses_near.OPERATIONS,
    *openai_stored_responses.OPERATIONS,
    *openai_conversations.OPERATIONS,
    *openai_files.OPERATIONS,
    *openai_completions.OPERATIONS,
    *openai_embeddings.OPERATIONS,
    *openai_images.OPERATIONS,
    *openai_edits.OPERATIONS,
    *openai_audio.OPERATIONS,
    *openai_moderations.OPERATIONS,
    *openai_models.OPERATIONS,
)


def create_app() -> ASGIApp:
    """One simulated provider with a bill, a journal and a fault book of its own. Needs a running loop to serve."""
    provider = Provider()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            await _serve(provider, Exchange(scope, receive, send))

    return app


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _serve(provider: Provider, exchange: Exchange) -> None:
    try:
        if exchange.path.startswith("/simulated/"):
            await control(provider, exchange, await exchange.read_body())
        else:
            await _answer(provider, exchange)
    except ClientGone:
        return
    finally:
        exchange.close()


async def _answer(provider: Provider, exchange: Exchange) -> None:
    found = _find(exchange)
    if isinstance(found, Refusal):
        call = Call(provider, exchange, "none", _stranger(exchange), billed=False)
    else:
        operation, _ = found
        call = Call(provider, exchange, operation.dialect, operation.worded, operation.billed)
    try:
        call.body = await exchange.read_body()
        _note(provider, exchange, call.body)
        if isinstance(found, Refusal):
            raise found
        operation, match = found
        call.key = operation.credential(exchange)
        _refuse_encoding(exchange)
        try:
            await operation.handle(call, match)
        except RecursionError:
            raise Refusal(400, "The JSON body is nested too deeply.") from None
    except Refusal as refusal:
        await call.refuse(refusal)
    except ClientGone:
        call.close("client_gone", exchange.status)
    except Ended:
        return


def _find(exchange: Exchange) -> tuple[Operation, re.Match[str]] | Refusal:
    known_path = False
    for operation in _OPERATIONS:
        match = operation.path.fullmatch(exchange.path)
        if match is None or not operation.speaks(exchange):
            continue
        known_path = True
        if operation.method == exchange.method:
            return operation, match
    if known_path:
        message = f"Not allowed to {exchange.method} on {exchange.path}."
        return Refusal(405, message, code="method_not_supported")
    return Refusal(404, f"Invalid URL ({exchange.method} {exchange.path})")


def _stranger(exchange: Exchange) -> Worded:
    """How to word a refusal on a path that no operation knows."""
    if exchange.path.startswith("/v1beta/openai/"):
        return compatible_error
    if exchange.path.startswith(("/v1beta", "/v1alpha")) or ":" in exchange.path:
        return gemini_error
    if "anthropic-version" in exchange.headers:
        return anthropic_error
    return openai_error


def _note(provider: Provider, exchange: Exchange, body: bytes) -> None:
    query = f"?{redact_query(exchange.query)}" if exchange.query else ""
    headers = redact_headers(exchange.headers)
    provider.journal.add(RequestRecord(exchange.method, exchange.path + query, headers, body))


def _refuse_encoding(exchange: Exchange) -> None:
    """No provider's documentation promises to read compressed requests; a relay must not send one."""
    encoding = exchange.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        message = f"Content-Encoding '{encoding}' is not supported for requests."
        raise Refusal(415, message, code="unsupported_media_type")
