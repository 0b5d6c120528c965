"""Protocol families: what all dialects of one provider's clients share.

Where the key may stand, what an error looks like, and what may be sent into a silent stream. A request belongs to a family before
anything else is known of it, so that even a wrong path is refused in the caller's own shape.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

import msgspec

from laidian.errors import LaidianError

FamilyName = Literal["openai", "gemini", "anthropic"]

HeaderOf = Callable[[bytes], bytes | None]
"""The first value of a request header; names in lower case."""


class ErrorSaid(msgspec.Struct, frozen=True):
    """An upstream's error in its own words; empty where it said nothing that can be read."""

    message: str = ""
    type: str = ""
    code: str = ""
    param: str | None = None


class Family(Protocol):
    name: FamilyName
    keep_alive: bytes
    """What may be sent into a silent stream without a client noticing."""

    def credential(self, header: HeaderOf, query: bytes) -> bytes | None:
        """The caller's key, from wherever this family's clients put it; None when there is none."""
        ...

    def error_body(self, error: LaidianError) -> bytes:
        """An error as an answer body."""
        ...

    def error_event(self, error: LaidianError) -> bytes:
        """An error inside a stream that has begun."""
        ...

    def read_error(self, body: bytes) -> ErrorSaid:
        """What an upstream of this family says in an error answer."""
        ...


def bearer(header: HeaderOf) -> bytes | None:
    """`Authorization: Bearer …`, the scheme in any case."""
    authorization = header(b"authorization")
    if authorization is not None and authorization[:7].lower() == b"bearer ":
        return authorization[7:].strip()
    return None
