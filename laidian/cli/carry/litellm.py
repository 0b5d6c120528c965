"""LiteLLM proxy: its config.yaml, and rows of its key table as JSON.

Read in its documentation and source, seen 2026-11: docs/proxy/configs, schema.prisma (LiteLLM_VerificationToken). `model` is
`provider/name`; a credential may be `os.environ/NAME`. Its keys are stored as the SHA-256 of the whole key in hexadecimal, which is
what is stored here, so they come over and go on working. Its master key is the operator's and does not.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from laidian.admin.schema import UpstreamKind
from laidian.cli.carry.bag import Bag, nano, number
from laidian.cli.carry.documents import items, json_of, mapping, text_of, words, yaml_of
from laidian.errors import BadRequest

PROVIDERS: dict[str, tuple[UpstreamKind, str]] = {
    "openai": ("openai", ""),
    "anthropic": ("anthropic", ""),
    "gemini": ("gemini", ""),
    "openrouter": ("compatible", "https://openrouter.ai/api/v1"),
    "deepseek": ("compatible", "https://api.deepseek.com/v1"),
    "groq": ("compatible", "https://api.groq.com/openai/v1"),
    "mistral": ("compatible", "https://api.mistral.ai/v1"),
    "xai": ("compatible", "https://api.x.ai/v1"),
    "together_ai": ("compatible", "https://api.together.xyz/v1"),
    "fireworks_ai": ("compatible", "https://api.fireworks.ai/inference/v1"),
    "perplexity": ("compatible", "https://api.perplexity.ai"),
    "moonshot": ("compatible", "https://api.moonshot.cn/v1"),
    "dashscope": ("compatible", "https://dashscope.aliyuncs.com/compatible-mode/v1"),
    "hosted_vllm": ("compatible", ""),
    "lm_studio": ("compatible", ""),
    "ollama": ("compatible", "http://127.0.0.1:11434/v1"),
    "ollama_chat": ("compatible", "http://127.0.0.1:11434/v1"),
}
COSTS = (
    ("input_cost_per_token", "input"),
    ("output_cost_per_token", "output"),
    ("cache_read_input_token_cost", "cached_input"),
    ("cache_creation_input_token_cost", "cache_write"),
)
GROUP = "litellm"
MILLION = Decimal(1_000_000)


def read(path: Path, keys: Path | None, environment: Mapping[str, str] = os.environ) -> Bag:
    """Raises BadRequest for a file without a model_list."""
    config = yaml_of(path)
    models = [mapping(entry) for entry in items(config.get("model_list"))]
    if not models:
        raise BadRequest(f"{path} is no configuration of LiteLLM: it has no model_list.")
    bag = Bag("LiteLLM")
    _Reading(bag, environment).all(models, config)
    if keys is not None:
        _keys(bag, keys)
    return bag


class _Place:
    """One upstream to be: the deployments that share endpoint and credential, each public name once."""

    def __init__(self, kind: UpstreamKind, base: str, secret: str, label: str) -> None:
        self.kind: UpstreamKind = kind
        self.base, self.secret, self.label = base, secret, label
        self.models: dict[str, str] = {}
        self.everything = False


class _Reading:
    def __init__(self, bag: Bag, environment: Mapping[str, str]) -> None:
        self.bag = bag
        self.environment = environment
        self.places: list[_Place] = []

    def all(self, models: list[dict[str, Any]], config: Mapping[str, Any]) -> None:
        for entry in models:
            self.deployment(entry)
        names: list[str] = []
        for place in self.places:
            aliases = {public: model for public, model in place.models.items() if public != model}
            names.append(
                self.bag.upstream(
                    place.label, place.kind, place.base, [place.secret],
                    models=() if place.everything else place.models, aliases=aliases,
                )
            )  # fmt: skip
        router, settings = mapping(config.get("router_settings")), mapping(config.get("litellm_settings"))
        aliases = {
            public: str(model) for public, model in mapping(router.get("model_group_alias")).items()
            if isinstance(model, str)
        }  # fmt: skip
        self.bag.group(GROUP, upstreams="+".join(names), aliases=aliases)
        for place, name in (
            (settings, "fallbacks"),
            (router, "fallbacks"),
            (settings, "context_window_fallbacks"),
        ):
            if items(place.get(name)):
                self.bag.leave(
                    name.replace("_", " "),
                    "all",
                    "a model is never answered by another one here; make an alias",
                )
        if mapping(config.get("general_settings")).get("master_key"):
            self.bag.leave("key", "master_key", "it is the operator's; LaiDian has an admin token of its own")

    def deployment(self, entry: dict[str, Any]) -> None:
        public, params = str(entry.get("model_name") or ""), mapping(entry.get("litellm_params"))
        provider, slash, model = str(params.get("model") or "").partition("/")
        if not slash or provider not in PROVIDERS:
            guessed = _guessed(provider) if not slash else None
            if guessed is None:
                what = f"its provider {provider} is not spoken here" if slash else "it names no provider"
                self.bag.leave("deployment", public or str(params.get("model")), what)
                return
            provider, model = guessed, provider
        kind, base = PROVIDERS[provider]
        given = self.value(str(params.get("api_base") or params.get("base_url") or ""), public) or ""
        if given:
            base = given
            kind = "compatible" if kind == "openai" else kind
        if kind == "compatible" and not base:
            self.bag.leave("deployment", public, "it has no api_base")
            return
        secret = self.value(str(params.get("api_key") or f"os.environ/{_usual(provider)}"), public) or ""
        place = self.place(provider, kind, base, secret, public, model)
        if "*" in public or "*" in model:
            place.everything = True
            self.bag.leave("deployment", public, "it is a wildcard: its upstream serves what a probe finds")
        else:
            place.models[public] = model
        self.limits(public, params, mapping(entry.get("model_info")))

    def place(
        self, provider: str, kind: UpstreamKind, base: str, secret: str, public: str, model: str
    ) -> _Place:
        for place in self.places:
            same = (place.kind, place.base, place.secret) == (kind, base, secret)
            if same and place.models.get(public, model) == model:
                return place
        self.places.append(_Place(kind, base, secret, provider))
        return self.places[-1]

    def limits(self, public: str, params: dict[str, Any], info: dict[str, Any]) -> None:
        usd: dict[str, Decimal | None] = {}
        for name, unit in COSTS:
            per_token = number(info.get(name, params.get(name)))
            usd[unit] = None if per_token is None else per_token * MILLION
        self.bag.price(public, usd)
        if params.get("rpm") or params.get("tpm"):
            self.bag.leave(
                "rate limit", public, "an upstream has no rate limit of its own; its 429 moves on to the next"
            )

    def value(self, text: str, who: str) -> str | None:
        if not text.startswith("os.environ/"):
            return text
        name = text.removeprefix("os.environ/")
        if name not in self.environment:
            self.bag.leave(
                "credential",
                who,
                f"the variable {name} is not set here; set it and run again, or add the credential by hand",
            )
        return self.environment.get(name)


def _keys(bag: Bag, path: Path) -> None:
    """`SELECT json_agg(k) FROM "LiteLLM_VerificationToken" k`, or what /key/list answers."""
    document = json_of(text_of(path), path)
    rows = mapping(document).get("keys") or document
    quota = bag.quota(GROUP, balance_nano=None)
    for row in map(mapping, items(rows)):
        token, name = str(row.get("token") or ""), str(row.get("key_alias") or row.get("key_name") or "")
        if len(token) != 64 or not all(mark in "0123456789abcdef" for mark in token.lower()):
            bag.leave("key", name or "?", "its row holds no SHA-256 of the key")
            continue
        budget, spent = nano(row.get("max_budget")), nano(row.get("spend")) or 0
        models = sorted(words(row.get("models")))
        enabled = not row.get("blocked")
        group = GROUP
        if models and "all-proxy-models" not in models and "all-team-models" not in models:
            group = bag.limited(GROUP, models)
        for limit in ("rpm_limit", "tpm_limit", "max_parallel_requests"):
            if row.get(limit):
                bag.leave("rate limit", name, f"{limit} is its group's here; set it there")
        if budget is not None and row.get("budget_duration"):
            bag.leave("key", name, "its budget renews; it comes over with what is left of it now")
        bag.key(
            name or f"key-{token[:8]}", token, hashed=True, group=group, quota=quota,
            limit_nano=None if budget is None else budget - spent,
            expires_at=str(row["expires"]) if row.get("expires") else None, enabled=enabled,
        )  # fmt: skip


def _guessed(model: str) -> str | None:
    """LiteLLM knows a bare name's provider; these are the three that are not ambiguous."""
    for start, provider in (("gpt-", "openai"), ("claude-", "anthropic"), ("gemini-", "gemini")):
        if model.startswith(start):
            return provider
    return None


def _usual(provider: str) -> str:
    """The variable that LiteLLM reads when a deployment names none."""
    return f"{provider.upper()}_API_KEY"
