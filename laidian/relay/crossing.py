"""Which headers go to an upstream: from nothing, so that none of the client's crosses but those named here."""

from __future__ import annotations

from laidian.domain.selection import Candidate
from laidian.protocol.family import FamilyName
from laidian.relay.client import Client
from laidian.relay.forward import Forward
from laidian.upstream.providers import ANTHROPIC_VERSION, credential_headers

USER_AGENT = b"laidian/0.1"

Headers = list[tuple[bytes, bytes]]


def upstream_headers(client: Client, candidate: Candidate, plan: Forward) -> Headers:
    """For one request to one upstream, its credential included."""
    headers = [
        (b"content-type", plan.content_type),
        (b"accept", client.header(b"accept") or b"*/*"),
        (b"accept-encoding", b"identity"),
        (b"user-agent", USER_AGENT),
        (b"x-client-request-id", client.request_id.encode()),
        *credential_headers(plan.family, candidate.credential.secret.reveal()),
    ]
    if not plan.translated:
        headers += _own(client, plan.family)
    elif plan.family == "anthropic":
        headers.append((b"anthropic-version", ANTHROPIC_VERSION))
    return headers


def _own(client: Client, family: FamilyName) -> Headers:
    """Headers that belong to the request and cross where client and upstream speak the same dialect."""
    if family == "anthropic":
        version = client.header(b"anthropic-version") or ANTHROPIC_VERSION
        betas = b",".join(value for name, value in client.scope["headers"] if name == b"anthropic-beta")
        return [(b"anthropic-version", version), *([(b"anthropic-beta", betas)] if betas else [])]
    beta = client.header(b"openai-beta")
    return [(b"openai-beta", beta)] if family == "openai" and beta is not None else []
