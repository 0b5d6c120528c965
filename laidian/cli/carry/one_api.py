"""one-api and new-api: the SQLite file that both keep (`one-api.db`).

Read in their sources, seen 2026-11: songquanpeng/one-api (model/channel.go, model/token.go, relay/channeltype) and QuantumNous/new-api
(model/channel.go, model/token.go, constant/channel.go). Channels hold plain credentials, several of them a line each. Tokens are stored
without the `sk-` that clients send, so that their digest is that of `sk-` and the text. 500,000 units are a dollar. A model ratio of 1 is
2 dollars per million input tokens; output is the input times the completion ratio. Both a token's rest and its user's balance bound
what it may spend: here the balance is the user's quota, and the rest is the key's own limit.
"""

from __future__ import annotations

import decimal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from laidian.admin.schema import UpstreamKind
from laidian.cli.carry.bag import Bag, number
from laidian.cli.carry.documents import mapping
from laidian.domain.money import NANO_PER_USD
from laidian.errors import BadRequest
from laidian.store.foreign import read_tables

UNITS_PER_USD = 500_000
USD_AT_RATIO_1 = decimal.Decimal(2)
ENABLED = 1
Row = dict[str, Any]
Speaks = tuple[UpstreamKind, str, str]
"""Kind, base URL without the path that the gateway adds, and that path."""

COMMON: dict[int, Speaks] = {
    1: ("openai", "https://api.openai.com", "/v1"),
    6: ("compatible", "https://api.openaimax.com", "/v1"),
    7: ("compatible", "https://api.ohmygpt.com", "/v1"),
    8: ("compatible", "", "/v1"),
    10: ("compatible", "https://api.aiproxy.io", "/v1"),
    12: ("compatible", "https://api.api2gpt.com", "/v1"),
    13: ("compatible", "https://api.aigc2d.com", "/v1"),
    14: ("anthropic", "https://api.anthropic.com", "/v1"),
    17: ("compatible", "https://dashscope.aliyuncs.com", "/compatible-mode/v1"),
    20: ("compatible", "https://openrouter.ai/api", "/v1"),
    24: ("gemini", "https://generativelanguage.googleapis.com", "/v1beta"),
    25: ("compatible", "https://api.moonshot.cn", "/v1"),
    31: ("compatible", "https://api.lingyiwanwu.com", "/v1"),
}
ONE_API: dict[int, Speaks] = {
    **COMMON,
    4: ("compatible", "https://api.closeai-proxy.xyz", "/v1"),
    5: ("compatible", "https://api.openai-sb.com", "/v1"),
    26: ("compatible", "https://api.baichuan-ai.com", "/v1"),
    27: ("compatible", "https://api.minimax.chat", "/v1"),
    28: ("compatible", "https://api.mistral.ai", "/v1"),
    29: ("compatible", "https://api.groq.com/openai", "/v1"),
    30: ("compatible", "http://localhost:11434", "/v1"),
    32: ("compatible", "https://api.stepfun.com", "/v1"),
    36: ("compatible", "https://api.deepseek.com", "/v1"),
    39: ("compatible", "https://api.together.xyz", "/v1"),
    40: ("compatible", "https://ark.cn-beijing.volces.com", "/api/v3"),
    41: ("compatible", "https://api.novita.ai/v3/openai", ""),
}
NEW_API: dict[int, Speaks] = {
    **COMMON,
    4: ("compatible", "http://localhost:11434", "/v1"),
    26: ("compatible", "https://open.bigmodel.cn", "/api/paas/v4"),
    27: ("compatible", "https://api.perplexity.ai", ""),
    35: ("compatible", "https://api.minimax.chat", "/v1"),
    40: ("compatible", "https://api.siliconflow.cn", "/v1"),
    42: ("compatible", "https://api.mistral.ai", "/v1"),
    43: ("compatible", "https://api.deepseek.com", "/v1"),
    45: ("compatible", "https://ark.cn-beijing.volces.com", "/api/v3"),
    47: ("compatible", "", "/v1"),
    48: ("compatible", "https://api.x.ai", "/v1"),
}
UNSPOKEN = {
    3: "Azure's deployments and API versions are not spoken here",
    33: "AWS signs its requests, which is not spoken here",
    41: "Vertex AI logs in with a service account, which is not spoken here",
    57: "it is a person's ChatGPT login, not an API credential",
}


def read(path: Path, source: str) -> Bag:
    """Raises BadRequest for a file that is none of theirs, StorageDown for one that is no database."""
    tables = read_tables(path, ("channels", "tokens", "users", "options"))
    if "channels" not in tables or "tokens" not in tables:
        raise BadRequest(f"{path} is a database, but not one of {source}: it has no channels and tokens.")
    bag = Bag(source)
    newer = any("channel_info" in row or "setting" in row for row in tables["channels"])
    _Reading(bag, tables, NEW_API if newer or source == "new-api" else ONE_API).all()
    return bag


class _Reading:
    def __init__(self, bag: Bag, tables: Mapping[str, list[Row]], types: Mapping[int, Speaks]) -> None:
        self.bag = bag
        self.tables = tables
        self.types = types
        self.options = {str(row["key"]): str(row["value"] or "") for row in tables.get("options", ())}
        self.users = {row["id"]: row for row in tables.get("users", ())}
        self.serving: dict[str, list[tuple[int, str]]] = {}
        """By their group: priority and our name of each channel."""
        self.groups: dict[str, str] = {}
        self.quotas: dict[Any, str] = {}

    def all(self) -> None:
        for channel in self.tables["channels"]:
            self.channel(channel)
        for name in self.serving:
            self.group(name)
        for token in self.tables["tokens"]:
            self.token(token)
        self.prices()

    def channel(self, row: Row) -> None:
        name, kind_number = str(row.get("name") or f"channel-{row.get('id')}"), int(row.get("type") or 0)
        spoken = self.types.get(kind_number)
        given = str(row.get("base_url") or "").strip().rstrip("/")
        if spoken is None:
            self.bag.leave(
                "upstream", name, UNSPOKEN.get(kind_number, f"its type {kind_number} is not spoken here")
            )
            return
        kind, usual, path = spoken
        base = given or usual
        if not base:
            self.bag.leave("upstream", name, "it has no base URL")
            return
        credentials = str(row.get("key") or "")
        if credentials.lstrip().startswith(("[", "{")):
            self.bag.leave("upstream", name, "its credential is a document and no API key")
            return
        aliases, failed = _mapping(row.get("model_mapping"))
        if failed:
            self.bag.leave("model mapping", name, "it is not read")
        for setting in ("param_override", "header_override", "status_code_mapping"):
            if str(row.get(setting) or "").strip() not in ("", "{}", "null"):
                self.bag.leave(setting.replace("_", " "), name, "requests are forwarded as they come")
        priority = int(row.get("priority") or 0)
        fit = self.bag.upstream(
            name,
            kind,
            _whole(base, path),
            credentials.splitlines(),
            models=_words(row.get("models")),
            aliases=aliases,
            priority=-priority,
            weight=int(row.get("weight") or 0) or 1,
            enabled=int(row.get("status") or 0) == ENABLED,
        )
        for group in _words(row.get("group")) or ["default"]:
            self.serving.setdefault(group, []).append((priority, fit))

    def group(self, name: str) -> str:
        """Our group for theirs."""
        if name in self.groups:
            return self.groups[name]
        multiplier = number(_document(self.options.get("GroupRatio")).get(name))
        ranks: dict[int, list[str]] = {}
        for priority, upstream in self.serving.get(name, ()):
            ranks.setdefault(priority, []).append(upstream)
        if name not in self.serving:
            self.bag.leave(
                "group", name, "no channel serves it, so its keys may use every upstream until you say which"
            )
        self.groups[name] = self.bag.group(
            name,
            upstreams=",".join("+".join(ranks[priority]) for priority in sorted(ranks, reverse=True)),
            multiplier="1x" if multiplier is None else f"{multiplier:f}x",
        )
        return self.groups[name]

    def quota(self, user_id: Any) -> str:
        known = self.quotas.get(user_id)
        if known is not None:
            return known
        user = self.users.get(user_id, {})
        name = str(user.get("username") or f"user-{user_id}")
        units = int(user.get("quota") or 0)
        self.quotas[user_id] = self.bag.quota(
            name,
            balance_nano=_nano(units),
            note=f"balance at {self.bag.source}",
            enabled=int(user.get("status") or ENABLED) == ENABLED,
        )
        return self.quotas[user_id]

    def token(self, row: Row) -> None:
        name, stored = str(row.get("name") or f"token-{row.get('id')}"), str(row.get("key") or "").strip()
        if row.get("deleted_at"):
            return
        if not stored:
            self.bag.leave("key", name, "its credential is empty")
            return
        user = self.users.get(row.get("user_id"), {})
        enabled = int(row.get("status") or 0) == ENABLED
        limits: tuple[str, ...] = ()
        if row.get("model_limits_enabled"):
            limits = tuple(sorted(_words(row.get("model_limits"))))
        elif row.get("models"):
            limits = tuple(sorted(_words(row.get("models"))))
        for column in ("allow_ips", "subnet"):
            if str(row.get(column) or "").strip():
                self.bag.leave(
                    "key", name, "it is bound to addresses, which keys here are not: it comes over disabled"
                )
                enabled = False
        expiry = int(row.get("expired_time") or -1)
        theirs = str(row.get("group") or "") or str(user.get("group") or "") or "default"
        if theirs == "auto":
            self.bag.leave(
                "key", name, "its group `auto` chooses among groups; it comes over into their `default`"
            )
            theirs = "default"
        group = self.group(theirs)
        self.bag.key(
            name if name not in ("", "default") else f"{user.get('username') or 'user'}-{row.get('id')}",
            f"sk-{stored.removeprefix('sk-')}",
            group=self.bag.limited(group, limits) if limits else group,
            quota=self.quota(row.get("user_id")),
            limit_nano=None if row.get("unlimited_quota") else _nano(int(row.get("remain_quota") or 0)),
            expires_at=None if expiry <= 0 else expiry,
            enabled=enabled,
        )

    def prices(self) -> None:
        completion = _document(self.options.get("CompletionRatio"))
        cached = _document(self.options.get("CacheRatio"))
        for model, ratio in _document(self.options.get("ModelRatio")).items():
            base = number(ratio)
            if base is None:
                continue
            usd = base * USD_AT_RATIO_1
            times, read_times = number(completion.get(model, 1)), number(cached.get(model))
            self.bag.price(
                model,
                {
                    "input": usd,
                    "output": None if times is None else usd * times,
                    "cached_input": None if read_times is None else usd * read_times,
                },
            )
        for model in _document(self.options.get("ModelPrice")):
            self.bag.leave("price", model, "it is per request, and prices here are per token or per picture")


def _whole(base: str, path: str) -> str:
    """The base URL as it is written here, with the path that the gateway adds by itself."""
    for tail in ("/chat/completions", "/messages"):
        base = base.removesuffix(tail)
    return base if path and base.endswith(path) else base + path


def _nano(units: int) -> int:
    return units * NANO_PER_USD // UNITS_PER_USD


def _words(text: object) -> list[str]:
    return [word.strip() for word in str(text or "").split(",") if word.strip()]


def _document(text: object) -> dict[str, Any]:
    return mapping(str(text or ""))


def _mapping(text: object) -> tuple[dict[str, str], bool]:
    """Public name to the provider's own, and whether it could not be read."""
    raw = str(text or "").strip()
    found = _document(raw)
    pairs = {str(name): str(model) for name, model in found.items() if isinstance(model, str) and model}
    return pairs, bool(raw) and raw not in ("{}", "null") and not pairs
