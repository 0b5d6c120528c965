"""uni-api: its api.yaml.

Read in its documentation, seen 2026-11: yym68686/uni-api README.md. A provider's base URL says what it speaks. A model is a name, or
`{provider's own: public name}`. A key lists models; `provider/*` and `provider/name` mean one provider's, `all` every one.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from laidian.admin.schema import UpstreamKind
from laidian.cli.carry.bag import Bag
from laidian.cli.carry.documents import items, mapping, words, yaml_of
from laidian.errors import BadRequest

ENGINES: dict[str, UpstreamKind] = {
    "gpt": "compatible",
    "claude": "anthropic",
    "gemini": "gemini",
    "openrouter": "compatible",
}
UNSPOKEN = ("vertex", "azure", "aws", "cloudflare")
ALL = "all"


def read(path: Path) -> Bag:
    """Raises BadRequest for a file without providers."""
    config = yaml_of(path)
    providers = [mapping(entry) for entry in items(config.get("providers"))]
    if not providers:
        raise BadRequest(f"{path} is no configuration of uni-api: it has no providers.")
    bag = Bag("uni-api")
    known: dict[str, str] = {}
    for entry in providers:
        _provider(bag, entry, known)
    everything = bag.group("uni-api", upstreams="+".join(known.values()))
    quota = bag.quota("uni-api", balance_nano=None)
    for place, entry in enumerate(map(mapping, items(config.get("api_keys"))), start=1):
        _key(bag, entry, place, known, everything, quota)
    return bag


def _provider(bag: Bag, entry: dict[str, Any], known: dict[str, str]) -> None:
    name, base = (
        str(entry.get("provider") or "provider"),
        str(entry.get("base_url") or "").strip().rstrip("/"),
    )
    engine = str(entry.get("engine") or "")
    cloud = next((one for one in UNSPOKEN if one in (engine or name.lower()) or f"{one}." in base), None)
    if cloud or not base:
        bag.leave("upstream", name, f"{cloud} is not spoken here" if cloud else "it has no base_url")
        return
    models: list[str] = []
    aliases: dict[str, str] = {}
    for model in items(entry.get("model")):
        if renamed := mapping(model):
            for own, public in renamed.items():
                models.append(str(public))
                aliases[str(public)] = own
                if re.search(r"-(search|think(-\d+)?)\b", str(public)):
                    bag.leave(
                        "model",
                        str(public),
                        "the end of its name switches nothing here; the client asks for it in the request",
                    )
        else:
            models.append(str(model))
    preferences = mapping(entry.get("preferences"))
    if preferences.get("headers"):
        bag.leave("headers", name, "requests are forwarded as they come")
    if preferences.get("api_key_rate_limit"):
        bag.leave(
            "rate limit",
            name,
            "an upstream has no rate limit of its own; its 429 moves on to the next credential",
        )
    kind = ENGINES.get(engine) or _kind(base)
    known[name] = bag.upstream(
        name, kind, _bare(base), words(entry.get("api")), models=models, aliases=aliases, proxy=str(preferences.get("proxy") or ""),
    )  # fmt: skip


def _kind(base: str) -> UpstreamKind:
    if base.endswith("/messages"):
        return "anthropic"
    if "generativelanguage.googleapis.com" in base or base.endswith("/v1beta"):
        return "gemini"
    return "openai" if base.startswith("https://api.openai.com") else "compatible"


def _bare(base: str) -> str:
    for tail in ("/chat/completions", "/messages", "/responses", "/models"):
        base = base.removesuffix(tail)
    return base


def _key(
    bag: Bag, entry: dict[str, Any], place: int, known: dict[str, str], everything: str, quota: str
) -> None:
    credential, name = (
        str(entry.get("api") or "").strip(),
        str(entry.get("name") or entry.get("role") or f"key-{place}"),
    )
    if not credential:
        bag.leave("key", name, "its credential is empty")
        return
    wanted = words(entry.get("model"))
    group, enabled = everything, True
    if wanted and ALL not in wanted:
        group, enabled = _group(bag, wanted, known, name)
    preferences = mapping(entry.get("preferences"))
    for setting in ("rate_limit", "credits"):
        if preferences.get(setting):
            bag.leave(setting.replace("_", " "), name, "set it on the key's group or quota")
    if preferences.get("credits"):
        enabled = False
        bag.leave("key", name, "it had credits to spend: it comes over disabled until it has a quota")
    bag.key(name, credential, group=group, quota=quota, enabled=enabled)


def _group(bag: Bag, wanted: list[str], known: dict[str, str], name: str) -> tuple[str, bool]:
    """A group for what one key lists, and whether that is exactly what it may use."""
    upstreams: list[str] = []
    allow: list[str] = []
    bare, exact = False, True
    for word in wanted:
        provider, slash, model = word.strip("<>").partition("/")
        if word.startswith("<") or not slash:
            allow.append(word.strip("<>"))
            bare = True
        elif provider in known:
            upstreams.append(known[provider])
            allow.append(model)
        else:
            exact = False
            bag.leave("model", word, f"key `{name}` lists it, and its provider did not come over")
    if bare and upstreams:
        bag.leave(
            "key",
            name,
            "it mixes models of one provider with models of any: its group may use these models of every one",
        )
        upstreams = []
    if not allow:
        return bag.group(f"for {name}", allow=tuple(wanted)), False
    ordered = "+".join(dict.fromkeys(upstreams))
    return bag.group(f"for {name}", upstreams=ordered, allow=tuple(dict.fromkeys(allow))), exact or bool(
        allow
    )
