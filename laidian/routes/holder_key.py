"""The shape of GET /v1/key: what a key may do, and how much of its limits is used this minute. Its money is told by GET /v1/usage.

Answers for expired and used-up keys, and for keys of a disabled group, which may do nothing.
"""

from __future__ import annotations

import msgspec

from laidian.clock import moment, now_ms
from laidian.domain.group import CAPABILITIES, Group
from laidian.domain.key import Key, display
from laidian.domain.money import format_multiplier
from laidian.relay.context import Context
from laidian.relay.holder import Standing, Status, pace, standing
from laidian.relay.listing import usable
from laidian.store.holder import Pace


class Limit(msgspec.Struct, frozen=True):
    limit: int | None
    """None: there is none."""
    used: int
    """Now: settled in the last minute, or in flight."""


class KeyAnswer(msgspec.Struct, frozen=True):
    name: str
    display: str
    """What may be shown of the credential: `sk-AbCd…wXyZ`."""
    status: Status
    expires_at: str | None
    group: str
    quota: str
    multiplier: str
    capabilities: tuple[str, ...]
    requests_per_minute: Limit
    tokens_per_minute: Limit
    concurrent_requests: Limit
    models: tuple[str, ...]
    """That would work now."""
    object: str = "key"


async def key_answer(context: Context, key: Key, credential: bytes) -> KeyAnswer:
    """Raises Unauthenticated when the key was deleted a moment ago, StorageDown."""
    at_ms, catalog = now_ms(), context.catalog.current()
    account = await standing(context, key, at_ms)
    found = catalog.groups.get(key.group_id)
    group = found if found is not None and found.enabled else None
    models = tuple(one.name for one in usable(catalog, group, context.health.opened, at_ms)) if group else ()
    minute = await pace(context, key, at_ms)
    return _answer(account, group, minute, display(credential.decode("latin-1")), models)


def _answer(
    account: Standing, group: Group | None, minute: Pace, shown: str, models: tuple[str, ...]
) -> KeyAnswer:
    rates = group.rates if group else None
    return KeyAnswer(
        name=account.key,
        display=shown,
        status=account.status,
        expires_at=None if account.expires_at_ms is None else moment(account.expires_at_ms),
        group=account.group,
        quota=account.quota,
        multiplier=format_multiplier(account.multiplier_ppm),
        capabilities=tuple(one for one in CAPABILITIES if group and one in group.capabilities),
        requests_per_minute=Limit(rates.requests_per_minute if rates else None, minute.requests),
        tokens_per_minute=Limit(rates.tokens_per_minute if rates else None, minute.tokens),
        concurrent_requests=Limit(rates.concurrent_requests if rates else None, account.in_flight),
        models=models,
    )
