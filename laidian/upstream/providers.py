"""What each kind of upstream speaks: a table. Add a provider as a row.

Sources, seen 2026-11-22: OpenAI and its SDK 3.54.0 (paths below /v1, Bearer); Gemini's compatible endpoint below
/v1beta/openai with Bearer, errors wrapped in a list of one; Anthropic's compatible endpoint below /v1 with Bearer, and its model
list with x-api-key and anthropic-version 2023-06-01.
"""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

import msgspec

from laidian.domain.upstream import UpstreamKind
from laidian.protocol.dialect import DialectName
from laidian.protocol.family import FamilyName

Headers = tuple[tuple[bytes, bytes], ...]


class Provider(msgspec.Struct, frozen=True):
    kind: UpstreamKind
    base_url: str
    """The public endpoint; empty when only the operator can know it."""
    version_path: str
    """Added to a base URL that has no path, as people paste it."""
    speaks: tuple[DialectName, ...]
    """Dialects served as they are; anything else has to be translated to the first of them that can carry it."""
    models_path: str
    """A list of models that costs nothing: what a probe asks for."""
    environment: str
    """Variable that makes the first start create this upstream; its base URL is the same name with BASE_URL."""
    beside: tuple[DialectName, ...] = ()
    """OpenAI's dialects that it serves beside its own, below BESIDE_PATH, and that nothing here translates."""


BESIDE_PATH = "/openai"
"""Of Google's layer that speaks OpenAI's protocol (ai.google.dev, OpenAI compatibility, seen 2026-11)."""

COMPATIBLE_DIALECTS: tuple[DialectName, ...] = (
    "openai.chat",
    "openai.completions",
    "openai.embeddings",
    "openai.moderations",
    "openai.images",
    "openai.edits",
    "openai.speech",
    "openai.listen",
)
"""What servers that call themselves OpenAI-compatible usually have; what one lacks it answers with 404, and the next is tried."""

OPENAI_DIALECTS: tuple[DialectName, ...] = (
    "openai.chat",
    "openai.responses",
    "openai.input_tokens",
    "openai.compact",
    "openai.decisions",
    *COMPATIBLE_DIALECTS[1:],
)

RESPONSES_DIALECTS: tuple[DialectName, ...] = ("openai.responses", "openai.input_tokens", "openai.compact")
"""Of a server that has OpenAI's newer protocol and not the older: chat is translated to it."""

PROVIDERS: dict[UpstreamKind, Provider] = {
    "openai": Provider(
        "openai",
        "https://api.openai.com/v1",
        "/v1",
        OPENAI_DIALECTS,
        "/models",
        "OPENAI",
    ),
    "compatible": Provider("compatible", "", "/v1", COMPATIBLE_DIALECTS, "/models", ""),
    "responses": Provider("responses", "", "/v1", RESPONSES_DIALECTS, "/models", ""),
    "gemini": Provider(
        "gemini",
        "https://generativelanguage.googleapis.com/v1beta",
        "/v1beta",
        ("gemini",),
        "/models?pageSize=1000",
        "GEMINI",
        beside=("openai.embeddings",),
    ),
    "anthropic": Provider(
        "anthropic",
        "https://api.anthropic.com/v1",
        "/v1",
        ("anthropic",),
        "/models?limit=1000",
        "ANTHROPIC",
    ),
}

ANTHROPIC_VERSION = b"2023-06-01"


def completed_base_url(kind: UpstreamKind, base_url: str) -> str:
    """The base URL with the version path that people leave out, and without a trailing slash or `/openai`."""
    parts = urlsplit(base_url)
    path = parts.path.rstrip("/")
    if kind == "gemini":
        path = path.removesuffix("/openai")
    return urlunsplit(
        (parts.scheme, parts.netloc, path or PROVIDERS[kind].version_path, parts.query, parts.fragment)
    )


def credential_headers(family: FamilyName, secret: str) -> Headers:
    """How a credential travels to an upstream that is spoken to in this family.

    Gemini's key goes in a header, never in the URL, where it would reach logs.
    """
    token = secret.encode("latin-1", "replace")
    if family == "gemini":
        return ((b"x-goog-api-key", token),)
    if family == "anthropic":
        return ((b"x-api-key", token),)
    return ((b"authorization", b"Bearer " + token),)


FAMILY_OF_KIND: dict[UpstreamKind, FamilyName] = {
    "openai": "openai",
    "compatible": "openai",
    "responses": "openai",
    "gemini": "gemini",
    "anthropic": "anthropic",
}
"""In whose form a kind lists its models."""


class _OpenAIModel(msgspec.Struct):
    id: str


class _OpenAIModels(msgspec.Struct):
    data: list[_OpenAIModel]


class _GeminiModel(msgspec.Struct):
    name: str


class _GeminiModels(msgspec.Struct):
    models: list[_GeminiModel]


def read_models(kind: UpstreamKind, body: bytes) -> list[str]:
    """Model names of a list answer. Raises ValueError when the answer is not a list of models."""
    try:
        if kind == "gemini":
            found = [
                model.name.removeprefix("models/")
                for model in msgspec.json.decode(body, type=_GeminiModels).models
            ]
        else:
            found = [model.id for model in msgspec.json.decode(body, type=_OpenAIModels).data]
    except (msgspec.DecodeError, RecursionError):
        raise ValueError(
            "the model list is not in the form that this kind of provider answers with"
        ) from None
    return sorted({name for name in found if name and len(name) <= 200 and name.isprintable()})
