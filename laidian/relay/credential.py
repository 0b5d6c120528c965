"""Where a client's key may stand."""

from __future__ import annotations

from laidian.relay.client import Client


def bearer(client: Client) -> bytes | None:
    """The credential of a request in OpenAI's dialect: `Authorization: Bearer`, or `x-api-key` as some clients send it."""
    authorization = client.header(b"authorization")
    if authorization is not None and authorization[:7].lower() == b"bearer ":
        return authorization[7:].strip()
    return client.header(b"x-api-key")
