"""Which models a key could use this moment. The list never shows what would be refused."""

from __future__ import annotations

import msgspec

from laidian.domain.catalog import Catalog
from laidian.domain.group import Group
from laidian.domain.key import Key
from laidian.domain.selection import Health, Selection, select
from laidian.domain.snippets import Usable
from laidian.domain.upstream import UpstreamKind
from laidian.errors import NotFound
from laidian.relay import gates
from laidian.relay.suited import suited

_OWNERS: dict[UpstreamKind, str] = {
    "openai": "openai",
    "gemini": "google",
    "anthropic": "anthropic",
    "compatible": "system",
    "responses": "system",
}
"""`owned_by` as the providers themselves write it."""


class Listed(msgspec.Struct, frozen=True):
    name: str
    owner: str


def available(catalog: Catalog, group: Group, health: Health, now_ms: int) -> list[Listed]:
    """Every name, aliases included, that a request of the group's keys could use now; sorted."""
    names = {name for name in catalog.models() if name not in group.aliases} | set(group.aliases)
    found: list[Listed] = []
    for name in sorted(names):
        model = group.resolve(name)
        if not group.permits(model) or catalog.price_of(model, now_ms) is None:
            continue
        selection = _select(catalog, group, model, health)
        if selection.candidates:
            found.append(Listed(name, _OWNERS[selection.candidates[0].upstream.kind]))
    return found


def usable(catalog: Catalog, group: Group, health: Health, now_ms: int) -> list[Usable]:
    """What `available` lists, with what each model suits; without those that the group has no use for."""
    found: list[Usable] = []
    for listed in available(catalog, group, health, now_ms):
        price = catalog.price_of(group.resolve(listed.name), now_ms)
        if price is not None and suited(price) & group.capabilities:
            found.append(Usable(listed.name, suited(price)))
    return found


def explain(catalog: Catalog, key: Key, name: str, health: Health, now_ms: int) -> Listed:
    """One model by name. Raises NotFound with the gate that is closed, and until when."""
    group = gates.group_of(catalog, key)
    model = group.resolve(name)
    if not group.permits(model):
        raise gates.no_model(catalog, group, name, f"model `{name}` is not in group `{group.name}`")
    selection = _select(catalog, group, model, health)
    if not selection.candidates and not selection.blocked:
        raise gates.no_model(
            catalog, group, name, f"no upstream of group `{group.name}` serves model `{name}`"
        )
    if catalog.price_of(model, now_ms) is None:
        raise gates.unpriced(model)
    if not selection.candidates:
        closed = gates.no_upstream(name, selection.blocked, now_ms)
        raise NotFound(
            closed.message, param="model", code="model_not_found", retry_after_s=closed.retry_after_s
        )
    return Listed(name, _OWNERS[selection.candidates[0].upstream.kind])


def _select(catalog: Catalog, group: Group, model: str, health: Health) -> Selection:
    return select(group, catalog.upstreams, model, health, lambda: 0.5)
