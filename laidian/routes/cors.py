"""Cross-origin answers for pages that hold a key of their own: LobeChat in the browser, Chatbox on the web, note-taking plug-ins.

Preflights are answered before anyone is authenticated, since they never carry a key, and what they ask for is reflected: fixed lists
break with each new SDK header (clients.md 18). No cookie exists here, so no origin is trusted more than another. The rule a newcomer
would break: only the public surface gets these headers; the admin API gets none.
"""

from __future__ import annotations

import re
from typing import Any

from laidian.relay.client import Send

METHODS = b"GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"
MAX_AGE_S = 86_400
"""How long a browser may remember the answer; Chromium itself stops at two hours."""

DEFAULT_HEADERS = b"authorization, content-type, x-api-key, x-goog-api-key, anthropic-version"
"""Said when a preflight asks for nothing in particular."""

MAX_HEADERS_BYTES = 4_096
_NAMES = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~, \t-]+")
_VARY = b"Origin, Access-Control-Request-Method, Access-Control-Request-Headers"

Headers = list[tuple[bytes, bytes]]


def preflight_headers(origin: bytes | None, wanted: bytes) -> Headers:
    """Everything a page may do: any method, the headers it asked for."""
    fits = len(wanted) <= MAX_HEADERS_BYTES and _NAMES.fullmatch(wanted) is not None
    return [
        (b"access-control-allow-origin", origin or b"*"),
        (b"access-control-allow-methods", METHODS),
        (b"access-control-allow-headers", wanted if fits else DEFAULT_HEADERS),
        (b"access-control-max-age", b"%d" % MAX_AGE_S),
        (b"vary", _VARY),
    ]


def shared(send: Send, origin: bytes) -> Send:
    """A `send` whose answers the page may read: status, body and every header, whether it is an error, a stream or neither."""

    async def send_shared(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers: Headers = list(message["headers"])
            names = b", ".join(dict(headers))
            headers += (
                (b"access-control-allow-origin", origin),
                (b"access-control-expose-headers", names),
                (b"vary", b"Origin"),
            )
            message = {**message, "headers": headers}
        await send(message)

    return send_shared
