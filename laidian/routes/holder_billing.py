"""The small shapes in which clients ask for a balance: one-api's and new-api's billing, cc-switch's and DeepSeek's balance, sub2api's
multiplier.

Owns names and units, and calculates nothing: all figures are a Standing's. Sources: self-service endpoints, read 2026-11.
"""

from __future__ import annotations

import msgspec

from laidian.clock import moment
from laidian.domain.money import PPM, format_usd
from laidian.relay.holder import Standing
from laidian.routes.holder_usage import usd

NO_LIMIT_USD = 100_000_000.0
"""What one-api says where there is no limit; readers take a million or more for none."""

NANO_PER_CENT = 10_000_000
NANO_PER_UNIT = 2_000
"""new-api counts 500,000 units to the dollar."""


class Subscription(msgspec.Struct):
    soft_limit_usd: float
    """What was spent and what is left."""
    hard_limit_usd: float
    system_hard_limit_usd: float
    access_until: int
    """Epoch seconds; 0 never ends."""
    object: str = "billing_subscription"
    has_payment_method: bool = True


class Spent(msgspec.Struct):
    total_usage: float
    """US cents."""
    object: str = "list"


class _TokenUsage(msgspec.Struct):
    name: str
    total_granted: int
    total_used: int
    total_available: int
    unlimited_quota: bool
    expires_at: int
    """Epoch seconds; 0 never."""
    model_limits: dict[str, bool] = {}
    """new-api limits models by key; here the group does, and GET /v1/models tells."""
    model_limits_enabled: bool = False
    object: str = "token_usage"


class TokenUsage(msgspec.Struct):
    data: _TokenUsage
    code: bool = True
    message: str = "ok"


class _Purse(msgspec.Struct):
    total_balance: str
    topped_up_balance: str
    granted_balance: str = "0.00"
    currency: str = "USD"


class Balance(msgspec.Struct):
    is_active: bool
    """Whether a request would be let in now."""
    balance: float
    is_available: bool
    balance_infos: list[_Purse]
    status: str


class Multiplier(msgspec.Struct):
    group_rate_multiplier: float
    resolved_rate_multiplier: float
    effective_rate_multiplier: float
    observed_at: str
    object: str = "sub2api.key_billing"
    schema_version: int = 1
    billing_scope: str = "token"
    peak_rate_enabled: bool = False
    timezone: str = "UTC"


def subscription_answer(standing: Standing) -> Subscription:
    left_nano = standing.unspent_nano
    limit = NO_LIMIT_USD if left_nano is None else usd(standing.spent_nano + left_nano)
    return Subscription(limit, limit, limit, _epoch_s(standing))


def spent_answer(spent_nano: int) -> Spent:
    return Spent(spent_nano / NANO_PER_CENT)


def token_answer(standing: Standing) -> TokenUsage:
    """Whole units: what is left rounded down, what was used rounded up, and granted their sum."""
    used, left_nano = -(-standing.spent_nano // NANO_PER_UNIT), standing.unspent_nano
    left = (left_nano or 0) // NANO_PER_UNIT
    return TokenUsage(
        _TokenUsage(standing.key, used + left, used, left, left_nano is None, _epoch_s(standing))
    )


def balance_answer(standing: Standing) -> Balance:
    left_nano, active = standing.unspent_nano, standing.status == "active"
    balance = NO_LIMIT_USD if left_nano is None else usd(left_nano)
    text = f"{NO_LIMIT_USD:.2f}" if left_nano is None else format_usd(left_nano)
    return Balance(active, balance, active, [_Purse(text, text)], standing.status)


def multiplier_answer(standing: Standing) -> Multiplier:
    rate = standing.multiplier_ppm / PPM
    return Multiplier(rate, rate, rate, moment(standing.at_ms))


def _epoch_s(standing: Standing) -> int:
    return 0 if standing.expires_at_ms is None else standing.expires_at_ms // 1000
