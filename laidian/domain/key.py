"""Client credentials: how a key is made, recognised and shown.

Owns the spelling of keys. Refuses to keep one: only the digest and the display prefix ever leave this module's callers.
"""

from __future__ import annotations

import hashlib

import msgspec

PREFIX = "sk-"
ENTROPY_BYTES = 32
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LENGTH = 43  # ceil(256 / log2(62)): 32 bytes in base 62, so that a double click selects the whole key


class Key(msgspec.Struct, frozen=True):
    """A key as the snapshot holds it; the counters live in the ledger's rows only."""

    id: int
    name: str
    digest: bytes
    """SHA-256 of the whole credential."""
    group_id: int
    quota_id: int
    enabled: bool
    expires_at_ms: int | None
    """Epoch milliseconds; None never expires."""


def spell(entropy: bytes) -> str:
    """The credential for 32 random bytes: `sk-` and 43 letters and digits. Raises ValueError on any other length."""
    if len(entropy) != ENTROPY_BYTES:
        raise ValueError(f"a key is made of {ENTROPY_BYTES} random bytes, not {len(entropy)}")
    number = int.from_bytes(entropy, "big")
    letters: list[str] = []
    for _ in range(_LENGTH):
        number, rest = divmod(number, 62)
        letters.append(_ALPHABET[rest])
    return PREFIX + "".join(reversed(letters))


def digest(credential: str | bytes) -> bytes:
    """SHA-256, 32 bytes. Keys are random, so a slow hash would buy nothing (performance.md 2e: 1.1 against 54,000 us)."""
    raw = credential.encode() if isinstance(credential, str) else credential
    return hashlib.sha256(raw).digest()


def display(credential: str) -> str:
    """What may be shown of a key: `sk-AbCd…wXyZ`. Anything too short to hide enough is shown as dots."""
    if len(credential) < 20:
        return "…"
    return f"{credential[:7]}…{credential[-4:]}"
