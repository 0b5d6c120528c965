"""The gates of admission in front of the ledger: key, capability, model, price, upstream. Each refusal names its gate.

Nothing here costs or writes anything. The money and rate gates are the ledger's (store.ledger), inside the hold's transaction; their
sentences are here too, so that all "why not" texts stand in one file.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence

import msgspec

from laidian.clock import moment
from laidian.domain.catalog import Catalog
from laidian.domain.group import Group
from laidian.domain.hold import Demand
from laidian.domain.key import Key, digest
from laidian.domain.money import format_usd
from laidian.domain.price import Price, Rate, Unpriced, price_usage, upper_bound
from laidian.domain.record import Refusal
from laidian.domain.selection import Blocked, Health, Selection, select
from laidian.domain.usage import UNITS, Usage
from laidian.errors import (
    LaidianError,
    ModelUnpriced,
    NotFound,
    NoUpstream,
    QuotaExhausted,
    RateLimited,
    Unauthenticated,
)
from laidian.protocol.dialect import Operation, Peek
from laidian.relay.suited import require_suited

FALLBACK_OUTPUT_TOKENS = 131_072
"""Output limit of a model whose own is not known: the largest of the current chat models (gpt-5 class, 128,000; seen 2026-11)."""


FREE = Price(
    "(free)",
    0,
    "providers bill nothing for it",
    "",
    "laidian/free",
    tuple(Rate(unit, 0) for unit in UNITS),
    None,
    None,
)
"""The price of operations that are free everywhere."""


class Ticket(msgspec.Struct, frozen=True):
    """A request that passed every gate but the money's."""

    key: Key
    group: Group
    model: str
    """Behind the group's alias; what is priced and routed."""
    price: Price
    input_bound: int
    demand: Demand
    selection: Selection


def authenticate(catalog: Catalog, credential: bytes | None, now_ms: int) -> Key:
    """The key of a credential. Raises Unauthenticated; the message never repeats what was sent."""
    if not credential:
        raise Unauthenticated(
            "You didn't provide an API key. Send `Authorization: Bearer sk-…` with the key that the operator gave you."
        )
    key = catalog.keys.get(digest(credential))
    if key is None:
        raise Unauthenticated(
            "Incorrect API key provided. Check that it was copied whole and has not been deleted or rotated."
        )
    if not key.enabled:
        raise Unauthenticated(f"The key `{key.name}` is disabled. Ask the operator to enable it.")
    if key.expires_at_ms is not None and key.expires_at_ms <= now_ms:
        raise Unauthenticated(
            f"The key `{key.name}` expired at {moment(key.expires_at_ms)}. Ask the operator for a new one."
        )
    return key


def check(
    catalog: Catalog,
    key: Key,
    operation: Operation,
    peek: Peek,
    health: Health,
    chance: Callable[[], float],
    now_ms: int,
) -> Ticket:
    """Every gate that needs no database. Raises NotFound, ModelUnpriced or NoUpstream with the reason."""
    group = group_of(catalog, key)
    model = group.resolve(peek.model)
    if not group.permits(model):
        raise no_model(catalog, group, peek.model, f"model `{peek.model}` is not in group `{group.name}`")
    price = FREE if operation.free else catalog.price_of(model, now_ms)
    selection = select(group, catalog.upstreams, model, health, chance)
    if not selection.candidates and not selection.blocked:
        raise no_model(
            catalog, group, peek.model, f"no upstream of group `{group.name}` serves model `{peek.model}`"
        )
    if price is None:
        raise unpriced(model)
    if not operation.free:
        require_suited(operation, peek.model, price)
    if peek.service_tier not in ("auto", "default") and not price.has_service_tier(peek.service_tier):
        raise unpriced(model, f"service tier `{peek.service_tier[:32]}`")
    if not selection.candidates:
        raise no_upstream(model, selection.blocked, now_ms)
    input_bound = peek.bound_input_tokens()
    return Ticket(key, group, model, price, input_bound, _demand(price, group, peek, input_bound), selection)


def require_capability(catalog: Catalog, key: Key, operation: Operation) -> None:
    """The gate that needs no body: a group without pictures does not upload 50 MB first. Raises NotFound, as the seed has it."""
    group = group_of(catalog, key)
    if operation.capability not in group.capabilities:
        raise NotFound(
            f"Group `{group.name}` of this key does not have the capability `{operation.capability}`, which "
            f"{operation.method} {operation.path} needs. Ask the operator to add it.",
            code="endpoint_not_supported",
        )


def group_of(catalog: Catalog, key: Key) -> Group:
    """Raises Unauthenticated when the key's group is gone or disabled: the key then opens nothing."""
    group = catalog.groups.get(key.group_id)
    if group is None or not group.enabled:
        raise Unauthenticated(f"The group of key `{key.name}` is disabled. Ask the operator.")
    return group


def _demand(price: Price, group: Group, peek: Peek, input_bound: int) -> Demand:
    def bound(output_tokens: int) -> int:
        return upper_bound(
            price,
            input_tokens=input_bound,
            output_tokens=output_tokens,
            service_tier=peek.service_tier,
            multiplier_ppm=group.multiplier_ppm,
            text_only=peek.text_only,
        )

    try:
        if sold_by_unit(price, peek.units):
            amount = price_usage(price, peek.units, multiplier_ppm=group.multiplier_ppm).amount_nano
            return Demand(amount, amount)
        if peek.output_limit is not None:
            worst = bound(peek.output_limit)
            return Demand(worst, worst)
        longest = price.max_output_tokens or min(
            FALLBACK_OUTPUT_TOKENS, price.context_tokens or FALLBACK_OUTPUT_TOKENS
        )
        return Demand(bound(longest * peek.choices), bound(1))
    except Unpriced as error:
        raise unpriced(price.model, error.unit) from None


def sold_by_unit(price: Price, units: Usage) -> bool:
    """Whether the price sells what the request itself counts (characters, seconds) instead of tokens."""
    sold = {rate.unit for rate in price.rates}
    return any(unit in sold for unit, _ in units.quantities())


def unpriced(model: str, unit: str = "input and output") -> ModelUnpriced:
    return ModelUnpriced(
        f"Model `{model}` has no price for {unit}, so it is refused rather than served free. The operator can set one: "
        f"laidian price set {model} --input USD --output USD (per million tokens).",
        param="model",
    )


def no_model(catalog: Catalog, group: Group, asked: str, why: str) -> NotFound:
    """404 with the reason and the nearest name that the group has."""
    known = sorted({name for name in catalog.models() if group.permits(name)} | set(group.aliases))
    near = difflib.get_close_matches(asked, known, n=1)
    hint = f" Did you mean `{near[0]}`?" if near else ""
    return NotFound(
        f"The model is unavailable: {why}.{hint} GET /v1/models lists yours.",
        param="model",
        code="model_not_found",
    )


def no_upstream(model: str, blocked: Sequence[Blocked], now_ms: int) -> NoUpstream:
    """Every upstream that serves the model rests: which, why, and until when."""
    reasons = "; ".join(
        f"{one.upstream}: {one.reason}" + (f" (next try {moment(one.until_ms)})" if one.until_ms else "")
        for one in blocked[:5]
    )
    tries = [one.until_ms for one in blocked if one.until_ms is not None]
    wait_s = max(1.0, (min(tries) - now_ms) / 1000) if tries else None
    return NoUpstream(
        f"No upstream can serve `{model}` right now. {reasons}. This is not your key's fault.",
        retry_after_s=wait_s,
        retry=wait_s is not None and wait_s <= 60,
    )


def refused(refusal: Refusal, key: Key, group: Group, now_ms: int) -> LaidianError:
    """The sentence for a gate of the ledger that was closed."""
    wait_s = None if refusal.opens_at_ms is None else max(0.001, (refusal.opens_at_ms - now_ms) / 1000)
    match refusal.gate:
        case "key":
            return Unauthenticated(f"The key `{key.name}` was disabled, deleted or expired a moment ago.")
        case "requests":
            return RateLimited(
                f"Group `{group.name}` allows {refusal.limit} requests a minute per key. Wait {wait_s:.0f} s.",
                retry_after_s=wait_s,
            )
        case "tokens":
            return RateLimited(
                f"Group `{group.name}` allows {refusal.limit} tokens a minute per key. Wait {wait_s:.0f} s, or send less.",
                retry_after_s=wait_s,
            )
        case "concurrency":
            return RateLimited(
                f"Group `{group.name}` allows {refusal.limit} requests at once per key. Wait until one has ended.",
                retry_after_s=1.0,
            )
        case "quota":
            return QuotaExhausted(f"Quota `{refusal.name}` of this key is disabled. Ask the operator.")
        case "quota_expired":
            return QuotaExhausted(
                f"Quota `{refusal.name}` of this key has expired. Ask the operator to renew it."
            )
        case _:
            return _no_money(refusal, wait_s)


def _no_money(refusal: Refusal, wait_s: float | None) -> QuotaExhausted:
    needed, left = format_usd(refusal.needed_nano), format_usd(max(0, refusal.left_nano))
    where = {
        "balance": f"Quota `{refusal.name}` has ${left} left",
        "window": f"The plan's {refusal.name} limit of ${format_usd(refusal.limit)} has ${left} left"
        + (f" until {moment(refusal.opens_at_ms)}" if refusal.opens_at_ms else ""),
        "key_limit": f"The limit of this key (${format_usd(refusal.limit)}) has ${left} left",
    }[refusal.gate]
    if refusal.held_nano and refusal.left_nano + refusal.held_nano >= refusal.needed_nano:
        return QuotaExhausted(
            f"{where}, and this request may need ${needed}; ${format_usd(refusal.held_nano)} is set aside for requests in "
            "flight and comes back when they end. Try again then, or set a smaller max_completion_tokens.",
            retry=False,
        )
    return QuotaExhausted(
        f"{where}, and this request may need ${needed}. Set a smaller max_completion_tokens, or ask the operator to top up.",
        retry=False,
    )
