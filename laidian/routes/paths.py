"""The canonical form of a request path. Authorisation and routing both use it, and only it."""

from __future__ import annotations

import re

_SLASHES = re.compile(r"/{2,}")
_DOUBLED = re.compile(r"^(?:/v1)+(?=/v1(?:/|$))")


def canonical(path: str) -> str:
    """One slash between segments, none at the end, no doubled `/v1`: what people and clients paste is accepted (protocol.md 1.0)."""
    if "//" in path:
        path = _SLASHES.sub("/", path)
    if path.startswith("/v1/v1"):
        path = _DOUBLED.sub("", path)
    return path.rstrip("/") or "/"
