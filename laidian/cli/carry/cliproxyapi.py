"""CLIProxyAPI: its config.yaml.

Read in its example, seen 2026-11: router-for-me/CLIProxyAPI config.example.yaml. Only API keys come over: what lies in its `auth-dir`
are persons' logins to command-line programs. A model has the provider's `name` and the client's `alias`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from laidian.admin.schema import UpstreamKind
from laidian.cli.carry.bag import Bag
from laidian.cli.carry.documents import items, mapping, words, yaml_of
from laidian.errors import BadRequest

SECTIONS: tuple[tuple[str, UpstreamKind, str], ...] = (
    ("gemini-api-key", "gemini", "gemini"),
    ("generative-language-api-key", "gemini", "gemini"),
    ("claude-api-key", "anthropic", "claude"),
    ("codex-api-key", "openai", "codex"),
    ("xai-api-key", "compatible", "xai"),
)
USUAL = {"xai": "https://api.x.ai/v1"}
COMPATIBLE = "openai-compatibility"


def read(path: Path) -> Bag:
    """Raises BadRequest for a file that has neither keys nor providers."""
    config = yaml_of(path)
    known = [section for section, _, _ in SECTIONS] + [COMPATIBLE, "api-keys", "auth-dir"]
    if not any(config.get(section) for section in known):
        raise BadRequest(f"{path} is no configuration of CLIProxyAPI: it has none of {', '.join(known)}.")
    bag = Bag("CLIProxyAPI")
    proxy = str(config.get("proxy-url") or "")
    names: list[str] = []
    for section, kind, title in SECTIONS:
        for entry in map(_entry, items(config.get(section))):
            names.append(_account(bag, entry, kind, title, proxy))
    for entry in map(mapping, items(config.get(COMPATIBLE))):
        names += _compatible(bag, entry, proxy)
    if config.get("auth-dir"):
        bag.leave(
            "logins", str(config["auth-dir"]), "what lies there are persons' logins, not API credentials"
        )
    group = bag.group("cliproxyapi", upstreams="+".join(names))
    quota = bag.quota("cliproxyapi", balance_nano=None)
    for place, credential in enumerate(words(config.get("api-keys")), start=1):
        bag.key(f"cliproxyapi-{place}", credential, group=group, quota=quota)
    return bag


def _entry(value: object) -> dict[str, Any]:
    """An older file lists the keys alone."""
    return {"api-key": value} if isinstance(value, str) else mapping(value)


def _account(bag: Bag, entry: dict[str, Any], kind: UpstreamKind, title: str, proxy: str) -> str:
    base = str(entry.get("base-url") or USUAL.get(title, ""))
    models, aliases = _models(bag, entry, title)
    ours: UpstreamKind = "compatible" if kind == "openai" and base and "api.openai.com" not in base else kind
    if ours == "compatible" and kind == "openai":
        bag.leave(
            "responses",
            title,
            f"{base} is taken for a server that speaks chat completions; Responses are translated",
        )
    return bag.upstream(
        title, ours, base, words(entry.get("api-key")), models=models, aliases=aliases,
        priority=-int(entry.get("priority") or 0), weight=int(entry.get("weight") or 1), proxy=_proxy(entry, proxy),
    )  # fmt: skip


def _compatible(bag: Bag, entry: dict[str, Any], proxy: str) -> list[str]:
    """One upstream for each way out; the keys of one way are its credentials."""
    name, base = str(entry.get("name") or "compatible"), str(entry.get("base-url") or "")
    if not base:
        bag.leave("upstream", name, "it has no base-url")
        return []
    models, aliases = _models(bag, entry, name)
    ways: dict[str, list[str]] = {}
    for key in map(mapping, items(entry.get("api-key-entries"))):
        ways.setdefault(_proxy(key, proxy), []).extend(words(key.get("api-key")))
    for credential in words(entry.get("api-keys")):
        ways.setdefault(proxy, []).append(credential)
    enabled = not entry.get("disabled")
    return [
        bag.upstream(
            name, "compatible", base, credentials, models=models, aliases=aliases, proxy=way, enabled=enabled
        )
        for way, credentials in (ways or {proxy: []}).items()
    ]


def _models(bag: Bag, entry: dict[str, Any], title: str) -> tuple[list[str], dict[str, str]]:
    models: list[str] = []
    aliases: dict[str, str] = {}
    for model in map(mapping, items(entry.get("models"))):
        own, alias = str(model.get("name") or ""), str(model.get("alias") or "")
        if own:
            models.append(alias or own)
            if alias and alias != own:
                aliases[alias] = own
    if words(entry.get("excluded-models")):
        bag.leave(
            "excluded models", title, "say them in the group: laidian group edit cliproxyapi --deny PATTERN"
        )
    if entry.get("prefix"):
        bag.leave("prefix", title, "models have no prefix here; a group chooses its upstreams")
    for setting in ("headers", "cloak"):
        if entry.get(setting):
            bag.leave(setting, title, "requests are forwarded as they come")
    return models, aliases


def _proxy(entry: dict[str, Any], usual: str) -> str:
    given = str(entry.get("proxy-url") or usual)
    return "" if given in ("direct", "none") else given
