"""Style, script and icon of the pages: files of this package, at addresses that change with their content."""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from importlib.resources import files

import msgspec

TYPES = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


class Asset(msgspec.Struct, frozen=True):
    content: bytes
    packed: bytes
    """The same, compressed."""
    media_type: str
    mark: str
    """Of the content."""


@cache
def asset(name: str) -> Asset | None:
    """None when there is no such file."""
    if name not in TYPES:
        return None
    content = files(__name__).joinpath(name).read_bytes()
    packed = gzip.compress(content, 9, mtime=0)
    return Asset(content, packed, TYPES[name], hashlib.sha256(content).hexdigest()[:12])


def addresses() -> dict[str, str]:
    """Name to the address that a page names."""
    found = {name: asset(name) for name in TYPES}
    return {name: f"/assets/{name}?{one.mark}" for name, one in found.items() if one is not None}
