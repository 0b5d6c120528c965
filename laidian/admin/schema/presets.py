"""Providers by the name that people know them by: what kind of upstream each is, and where it lives.

Pure data. A row saves looking up a base URL; everything else about an upstream is its kind's (laidian.upstream.providers). The rule a
newcomer would break: a base URL stands here only if the provider documents it itself. Seen 2026-11.
"""

from __future__ import annotations

import msgspec

from laidian.admin.schema.words import UpstreamKind


class Preset(msgspec.Struct, frozen=True):
    id: str
    title: str
    kind: UpstreamKind
    base_url: str
    """Empty: the kind's own, or, where `asks_url`, only the operator knows it."""
    needs_key: bool = True
    asks_url: bool = False


PRESETS: tuple[Preset, ...] = (
    Preset("openai", "OpenAI", "openai", ""),
    Preset("anthropic", "Anthropic", "anthropic", ""),
    Preset("gemini", "Google Gemini", "gemini", ""),
    Preset("openrouter", "OpenRouter", "compatible", "https://openrouter.ai/api/v1"),
    Preset("deepseek", "DeepSeek", "compatible", "https://api.deepseek.com/v1"),
    Preset("xai", "xAI", "compatible", "https://api.x.ai/v1"),
    Preset("mistral", "Mistral", "compatible", "https://api.mistral.ai/v1"),
    Preset("groq", "Groq", "compatible", "https://api.groq.com/openai/v1"),
    Preset("together", "Together AI", "compatible", "https://api.together.xyz/v1"),
    Preset("fireworks", "Fireworks AI", "compatible", "https://api.fireworks.ai/inference/v1"),
    Preset("moonshot", "Moonshot AI", "compatible", "https://api.moonshot.cn/v1"),
    Preset("zhipu", "Zhipu AI", "compatible", "https://open.bigmodel.cn/api/paas/v4"),
    Preset(
        "dashscope", "Alibaba DashScope", "compatible", "https://dashscope.aliyuncs.com/compatible-mode/v1"
    ),
    Preset("siliconflow", "SiliconFlow", "compatible", "https://api.siliconflow.cn/v1"),
    Preset("ark", "Volcengine Ark", "compatible", "https://ark.cn-beijing.volces.com/api/v3"),
    Preset("ollama", "Ollama on this machine", "compatible", "http://127.0.0.1:11434/v1", needs_key=False),
    Preset("compatible", "another server that speaks OpenAI's protocol", "compatible", "", asks_url=True),
    Preset("responses", "a server that speaks OpenAI's Responses alone", "responses", "", asks_url=True),
)
BY_ID = {preset.id: preset for preset in PRESETS}
