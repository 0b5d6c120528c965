"""The dialects that take part in translation: the one place where the shared contract suite learns of a codec.

A dialect enters with its codec, how the relay reads its requests, how its simulated upstream judges them, and how its clients are told
of a failure. Adding a row here makes every test of this folder run on every pair with it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec

from laidian.protocol.anthropic import Anthropic
from laidian.protocol.anthropic_codec import AnthropicCodec
from laidian.protocol.anthropic_family import AnthropicFamily
from laidian.protocol.codec import Codec, Translation, translate
from laidian.protocol.dialect import Dialect, Peek
from laidian.protocol.family import Family
from laidian.protocol.gemini import Gemini
from laidian.protocol.gemini_codec import GeminiCodec
from laidian.protocol.gemini_family import GeminiFamily
from laidian.protocol.openai_chat import OpenAIChat
from laidian.protocol.openai_chat_codec import OpenAIChatCodec
from laidian.protocol.openai_family import OpenAIFamily
from laidian.protocol.openai_responses import OpenAIResponses
from laidian.protocol.openai_responses_codec import OpenAIResponsesCodec
from laidian.simulated.anthropic_checks import messages_prompt
from laidian.simulated.gemini_checks import content_prompt
from laidian.simulated.models import MODELS
from laidian.simulated.openai_chat_checks import chat_prompt
from laidian.simulated.openai_responses_checks import responses_prompt
from laidian.simulated.values import Prompt

Body = dict[str, Any]

NOW_S = 1_796_000_000
"""What dates an answer whose upstream gave none."""


class Spoken(msgspec.Struct, frozen=True):
    """One dialect, seen from both ends."""

    name: str
    dialect: Dialect
    codec: Codec
    family: Family
    model: str
    """One that the simulated provider sells in this dialect, and that takes sampling."""
    thinker: str
    """One that takes an effort of thinking."""
    path: str
    """Of a client's request; `{verb}` is filled in where the path tells a stream."""
    check: Callable[[Body, bool], Prompt]
    """The strict judgement of the simulated provider on (body, streamed). Raises Refusal."""

    def translated(self, peek: Peek, upstream: Spoken) -> Translation:
        """A client's request on its way to a model of the upstream that can do what is asked for."""
        thinks = self.codec.decode_request(peek).effort is not None
        return translate(
            self.codec, upstream.codec, peek, upstream.thinker if thinks else upstream.model, NOW_S
        )

    def read(self, body: bytes, *, stream: bool = False) -> Peek:
        """A request that was written for this dialect's upstream, as a relay of its own would see it."""
        path = "/v1beta" + self.codec.stream_path(self.model, stream=stream)
        return self.dialect.peek(body, path if self.name == "gemini" else self.path)

    def peek(self, body: Body, *, stream: bool = False) -> Peek:
        """A client's request as the relay sees it, `stream` switched on the way this dialect does it."""
        path = self.path.format(verb="streamGenerateContent?alt=sse" if stream else "generateContent")
        if self.name != "gemini":
            body = {**body, "stream": stream}
        if self.name == "chat" and stream:
            body = {"stream_options": {"include_usage": True}, **body}
        return self.dialect.peek(json.dumps(body, ensure_ascii=False).encode(), path)


SPOKEN = (
    Spoken(
        "chat",
        OpenAIChat(),
        OpenAIChatCodec(),
        OpenAIFamily(),
        "gpt-5.4",
        "gpt-5.4",
        "/v1/chat/completions",
        lambda body, stream: chat_prompt(body),
    ),
    Spoken(
        "responses",
        OpenAIResponses(),
        OpenAIResponsesCodec(),
        OpenAIFamily(),
        "gpt-5.4",
        "gpt-5.4",
        "/v1/responses",
        lambda body, stream: responses_prompt(body),
    ),
    Spoken(
        "gemini",
        Gemini(),
        GeminiCodec(),
        GeminiFamily(),
        "gemini-3-pro-preview",
        "gemini-3-pro-preview",
        "/v1beta/models/gemini-3-pro-preview:{verb}",
        lambda body, stream: content_prompt(body, MODELS["gemini-3-pro-preview"], stream=stream),
    ),
    Spoken(
        "anthropic",
        Anthropic(),
        AnthropicCodec(),
        AnthropicFamily(),
        "claude-sonnet-4-5",
        "claude-sonnet-5",
        "/v1/messages",
        lambda body, stream: messages_prompt(body, "2023-06-01"),
    ),
)

BY_NAME = {spoken.name: spoken for spoken in SPOKEN}

PAIRS = [(client, upstream) for client in SPOKEN for upstream in SPOKEN]
"""Every ordered pair, a dialect with itself included: what it reads it must be able to write."""


def pair_id(value: object) -> str | None:
    return value.name if isinstance(value, Spoken) else None
