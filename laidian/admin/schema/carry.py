"""Wire types of an import: what another gateway's data becomes here, all of it in one request and one transaction."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from laidian.admin.schema.groups import GroupCreate
from laidian.admin.schema.prices import PriceSet
from laidian.admin.schema.quotas import QuotaCreate
from laidian.admin.schema.upstreams import UpstreamCreate
from laidian.admin.schema.words import Name, Secretive, When

CarriedKind = Literal["upstream", "group", "quota", "key", "price"]
CarriedOutcome = Literal["made", "kept", "refused"]
"""made: it is new, or would be. kept: one of that name, credential or price is here already and stays as it is. refused: why not is said."""


class CarriedKey(
    Secretive, msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """A key that its holder has already: only its digest comes over."""

    name: Name
    digest: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    """SHA-256 of the whole credential, in hexadecimal."""
    display: Annotated[str, Meta(max_length=20)]
    """`sk-AbCd…wXyZ`; `…` where not even that is known."""
    group: str
    quota: str
    limit_usd: str | None = None
    expires_at: When | None = None
    enabled: bool = True


class Carry(
    Secretive, msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Made in this order; a group may name upstreams, a key groups and quotas, that come with it."""

    apply: bool = False
    """False: everything is tried, the outcome is told, and nothing stays."""
    upstreams: tuple[UpstreamCreate, ...] = ()
    groups: tuple[GroupCreate, ...] = ()
    quotas: tuple[QuotaCreate, ...] = ()
    keys: tuple[CarriedKey, ...] = ()
    prices: tuple[PriceSet, ...] = ()
    """Only for models that nothing prices yet."""


class CarriedThing(msgspec.Struct, frozen=True, kw_only=True):
    kind: CarriedKind
    name: str
    outcome: CarriedOutcome
    reason: str
    """Empty for what is made."""


class Carried(msgspec.Struct, frozen=True, kw_only=True):
    applied: bool
    things: tuple[CarriedThing, ...]
