"""Routes of no provider: what a key holder can ask about their key, in the forms that clients already call (self-service endpoints)."""

from __future__ import annotations

from laidian.routes.table import Row, serving

ROWS: tuple[Row, ...] = serving(
    "openai",
    "local",
    """
    GET /v1 greeting
    GET /v1/key key
    GET /v1/usage usage
    GET /v1/usage/requests usage.requests
    GET /v1/usage/{request_id} usage.receipt
    GET /v1/dashboard/billing/subscription billing.subscription
    GET /v1/dashboard/billing/usage billing.usage
    GET /v1/user/balance balance
    GET /v1/sub2api/billing billing.multiplier
    GET /api/usage/token billing.token
    """,
)
