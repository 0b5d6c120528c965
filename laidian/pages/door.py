"""Who gets a page: a browser that opens an address, and nobody else.

A program that brings a key, or does not ask for HTML, gets JSON from whatever path it asks. The rule a newcomer would break: this runs
before the routes of the relay for every path that is not a plain POST, so it looks the path up first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Headers = Iterable[tuple[bytes, bytes]]

_CREDENTIALS = frozenset({b"authorization", b"x-api-key", b"x-goog-api-key"})


_PATHS = frozenset({"/models"})
"""Of pages, and of the relay, too."""


def is_page(scope: dict[str, Any]) -> bool:
    """Whether a path that the relay would take is answered by a page, or by the page that says there is none."""
    return scope["path"] in _PATHS and browses(scope["headers"])


def browses(headers: Headers) -> bool:
    """Whether a browser asks: for HTML, and without a credential in a header."""
    html = False
    for name, value in headers:
        if name in _CREDENTIALS:
            return False
        html = html or (name == b"accept" and b"text/html" in value)
    return html
