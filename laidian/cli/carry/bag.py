"""What was found in another gateway's data, in our words, and what of it cannot come over."""

from __future__ import annotations

import decimal
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from laidian.admin.schema import (
    CarriedKey,
    CarriedKind,
    Carry,
    CredentialCreate,
    GroupCreate,
    PriceSet,
    QuotaCreate,
    UpstreamCreate,
    UpstreamKind,
)
from laidian.domain.key import digest, display
from laidian.domain.money import NANO_PER_USD, format_usd

LONGEST = 64


class Left(msgspec.Struct, frozen=True):
    """Something that is not carried over."""

    kind: str
    name: str
    reason: str


class Bag:
    """Names are made fit and unique on the way in; the methods return the name that a thing got."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.left: list[Left] = []
        self._upstreams: dict[str, UpstreamCreate] = {}
        self._groups: dict[str, GroupCreate] = {}
        self._limited: dict[tuple[str, tuple[str, ...]], str] = {}
        self._quotas: dict[str, QuotaCreate] = {}
        self._keys: dict[str, CarriedKey] = {}
        self._digests: dict[str, str] = {}
        self._prices: dict[str, PriceSet] = {}

    def leave(self, kind: CarriedKind | str, name: str, reason: str) -> None:
        self.left.append(Left(kind, name, reason))

    def upstream(
        self,
        name: str,
        kind: UpstreamKind,
        base_url: str,
        credentials: Iterable[str],
        *,
        models: Iterable[str] = (),
        aliases: Mapping[str, str] | None = None,
        priority: int = 0,
        weight: int = 1,
        max_concurrent: int | None = None,
        proxy: str = "",
        enabled: bool = True,
    ) -> str:
        secrets = list(dict.fromkeys(secret.strip() for secret in credentials if secret.strip()))
        if not secrets:
            self.leave("credential", name, "it has none; add one: laidian upstream add-key")
        fit = unique(fit_name(name, ",+/"), self._upstreams)
        self._upstreams[fit] = UpstreamCreate(
            name=fit,
            kind=kind,
            base_url=base_url,
            credentials=tuple(CredentialCreate(api_key=secret) for secret in secrets),
            models=tuple(dict.fromkeys(models)),
            aliases=dict(aliases or {}),
            priority=max(-1_000_000, min(1_000_000, priority)),
            weight=max(0, min(1_000_000, weight)),
            max_concurrent=max_concurrent if max_concurrent and max_concurrent > 0 else None,
            proxy=proxy,
            enabled=enabled,
        )
        return fit

    def group(self, name: str, **settings: Any) -> str:
        """Every gateway has a `default`, and here it is taken: theirs, with its own price and upstreams, gets a name of its own."""
        if name == "default":
            name = f"{self.source} default"
        fit = unique(fit_name(name), self._groups)
        self._groups[fit] = GroupCreate(name=fit, **settings)
        return fit

    def limited(self, name: str, models: Iterable[str]) -> str:
        """A group like the one of that name, but for some models only; the same models get the same group."""
        place = (name, tuple(models))
        if place not in self._limited:
            like = self._groups[name]
            fit = unique(fit_name(f"{name} ({', '.join(place[1])})"), self._groups)
            self._groups[fit] = msgspec.structs.replace(like, name=fit, allow=place[1])
            self._limited[place] = fit
        return self._limited[place]

    def quota(self, name: str, *, balance_nano: int | None, note: str = "", **settings: Any) -> str:
        """`balance_nano` None: unlimited, or a plan where `limits_usd` is given."""
        fit = unique(fit_name(name), self._quotas)
        if settings.get("limits_usd"):
            self._quotas[fit] = QuotaCreate(name=fit, kind="plan", **settings)
        elif balance_nano is None:
            self._quotas[fit] = QuotaCreate(name=fit, kind="unlimited", **settings)
        else:
            usd = format_usd(max(0, balance_nano))
            self._quotas[fit] = QuotaCreate(name=fit, kind="prepaid", balance_usd=usd, note=note, **settings)
        return fit

    def key(
        self,
        name: str,
        credential: str,
        *,
        group: str,
        quota: str,
        limit_nano: int | None = None,
        expires_at: int | str | None = None,
        enabled: bool = True,
        hashed: bool = False,
    ) -> str:
        """`hashed`: the credential is its SHA-256 already, in hexadecimal."""
        hexed = credential.lower() if hashed else digest(credential).hex()
        if hexed in self._digests:
            self.leave("key", name, f"it is the same credential as `{self._digests[hexed]}`")
            return self._digests[hexed]
        fit = unique(fit_name(name), self._keys)
        self._keys[fit] = CarriedKey(
            name=fit,
            digest=hexed,
            display="…" if hashed else display(credential),
            group=group,
            quota=quota,
            limit_usd=None if limit_nano is None else format_usd(max(0, limit_nano)),
            expires_at=expires_at,
            enabled=enabled,
        )
        self._digests[hexed] = fit
        return fit

    def price(self, model: str, usd_per_million: Mapping[str, decimal.Decimal | None]) -> None:
        rates = {unit: plain(usd) for unit, usd in usd_per_million.items() if usd is not None}
        if rates and model not in self._prices:
            self._prices[model] = PriceSet(model=model, rates=rates, source=f"imported from {self.source}")

    def carry(self, *, apply: bool) -> Carry:
        return Carry(
            apply=apply,
            upstreams=tuple(self._upstreams.values()),
            groups=tuple(self._groups.values()),
            quotas=tuple(self._quotas.values()),
            keys=tuple(self._keys.values()),
            prices=tuple(self._prices.values()),
        )


def fit_name(name: str, without: str = "/") -> str:
    """A name of ours: printable, short, none of the marks that mean something here."""
    kept = "".join("-" if mark in without or not mark.isprintable() else mark for mark in str(name)).strip()
    return kept[:LONGEST].strip() if kept and kept not in (".", "..") else "unnamed"


def unique(name: str, known: Mapping[str, object]) -> str:
    if name not in known:
        return name
    number = 2
    while (tried := f"{name[: LONGEST - 6]}-{number}") in known:
        number += 1
    return tried


def plain(amount: decimal.Decimal) -> str:
    """Without an exponent, to the nano-dollar that is the least there is."""
    rounded = amount.quantize(decimal.Decimal(1) / NANO_PER_USD)
    return f"{rounded:f}"


def number(value: object) -> decimal.Decimal | None:
    """A number as it was written, not as a float has it; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | decimal.Decimal):
        return None
    try:
        found = decimal.Decimal(str(value).strip())
    except decimal.InvalidOperation:
        return None
    return found if found.is_finite() else None


def nano(value: object) -> int | None:
    """US dollars as nano-dollars."""
    found = number(value)
    return None if found is None else int((found * NANO_PER_USD).to_integral_value(decimal.ROUND_HALF_EVEN))
