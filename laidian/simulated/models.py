"""The models the simulated provider sells.

Ids were checked on 2026-11-22 against genai-prices 0.2.3: each has a price there (moderation is free).
`gemini-3-pro-preview` is marked retired and `claude-sonnet-4-5` ends on 2026-11-30; they are kept because
price tiers and old clients know them, with their successors beside them.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Family = Literal["openai", "google", "anthropic"]
Kind = Literal["chat", "completion", "drawing", "embedding", "image", "listening", "moderation", "speech"]


class Model(msgspec.Struct, frozen=True):
    id: str
    family: Family
    kind: Kind
    created_s: int
    context_tokens: int
    max_output_tokens: int = 128_000
    dimensions: int = 0
    """Length of an embedding vector; 0 for models that make none."""


_CATALOGUE = (
    Model("gpt-5.4", "openai", "chat", 1_772_000_000, 1_050_000),
    Model("gpt-5.4-mini", "openai", "chat", 1_772_000_000, 400_000),
    Model("gpt-5.5", "openai", "chat", 1_777_000_000, 1_000_000),
    Model("gpt-image-2", "openai", "image", 1_776_000_000, 32_000),
    Model("text-embedding-3-small", "openai", "embedding", 1_705_948_997, 8_192, 0, 1_536),
    Model("text-embedding-3-large", "openai", "embedding", 1_705_953_180, 8_192, 0, 3_072),
    Model("gpt-3.5-turbo-instruct", "openai", "completion", 1_692_901_427, 16_385, 4_096),
    Model("gpt-4o-mini-tts", "openai", "speech", 1_742_403_959, 2_000),
    Model("tts-1", "openai", "speech", 1_681_940_951, 2_000),
    Model("gpt-4o-transcribe", "openai", "listening", 1_742_068_463, 16_000, 2_000),
    Model("whisper-1", "openai", "listening", 1_677_532_384, 16_000, 2_000),
    Model("omni-moderation-latest", "openai", "moderation", 1_731_689_265, 32_768, 0),
    Model("gemini-3-pro-preview", "google", "chat", 1_763_400_000, 1_048_576, 65_536),
    Model("gemini-3-flash-preview", "google", "chat", 1_765_900_000, 1_048_576, 65_536),
    Model("gemini-3.1-pro-preview", "google", "chat", 1_771_500_000, 1_048_576, 65_536),
    Model("gemini-3-pro-image-preview", "google", "drawing", 1_763_600_000, 65_536, 32_768),
    Model("gemini-embedding-001", "google", "embedding", 1_752_500_000, 2_048, 0, 3_072),
    Model("claude-sonnet-4-5", "anthropic", "chat", 1_759_104_000, 200_000, 64_000),
    Model("claude-opus-4-5", "anthropic", "chat", 1_763_942_400, 200_000, 64_000),
    Model("claude-sonnet-5", "anthropic", "chat", 1_780_000_000, 1_000_000),
)

MODELS: dict[str, Model] = {model.id: model for model in _CATALOGUE}


def models_of(family: Family) -> list[Model]:
    """The family's models in catalogue order."""
    return [model for model in _CATALOGUE if model.family == family]


def find_model(name: str, *families: Family) -> Model | None:
    """The model of that id, if one of these families sells it."""
    model = MODELS.get(name)
    return model if model is not None and model.family in families else None
