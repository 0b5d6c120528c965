"""Routes of anthropic 2.12.0, beta ones included (all 270, seen 2026-11-22)."""

from __future__ import annotations

from laidian.routes.table import Row, refusing, serving

ROWS: tuple[Row, ...] = (
    *serving("anthropic", "translated", "POST /v1/messages anthropic.messages anthropic"),
    *serving("anthropic", "native", "POST /v1/messages/count_tokens anthropic.count_tokens anthropic"),
    *serving(
        "anthropic",
        "local",
        """
        GET /v1/me me
        POST /api/event_logging/batch telemetry
        GET /v1/models models.list
        GET /v1/models/{model} models.retrieve
        """,
    ),
    *refusing(
        "anthropic",
        "what it costs is not said when it is asked, so it cannot be held against a quota",
        "any /v1/messages/batches/{rest}",
    ),
    *refusing(
        "anthropic",
        "a file belongs to the operator's account; send it inside the message",
        "any /v1/files/{rest}",
    ),
    *refusing(
        "anthropic",
        "it is agent state in the operator's account; POST /v1/messages does the work of one turn",
        """
        any /v1/agents/{rest}
        any /v1/sessions/{rest}
        any /v1/environments/{rest}
        any /v1/deployments/{rest}
        any /v1/deployment_runs/{rest}
        any /v1/dreams/{rest}
        any /v1/memory_stores/{rest}
        """,
    ),
    *refusing(
        "anthropic",
        "it changes the operator's account, not the key's",
        """
        any /v1/skills/{rest}
        any /v1/vaults/{rest}
        any /v1/tunnels/{rest}
        any /v1/user_profiles/{rest}
        """,
    ),
    *refusing(
        "anthropic",
        "it takes an admin key of the provider, and those are the operator's",
        "any /v1/organizations/{rest}",
    ),
)
