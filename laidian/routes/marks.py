"""What a request says of itself in headers and query: whose client it is, whether it is a page's, whether it wants a WebSocket.

The same path means three things (`/v1/models`, `/v1/files`), so the family is read from marks that only one provider's clients carry
(protocol.md 0.1). A mark is never a credential: it decides the shape of the answer and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from laidian.protocol.family import FamilyName

Headers = Iterable[tuple[bytes, bytes]]

_GOOGLE = frozenset({b"x-goog-api-key", b"x-goog-api-client"})


class Marks(msgspec.Struct):
    family: FamilyName | None = None
    """None: no mark, so the path decides, and in doubt OpenAI."""
    origin: bytes | None = None
    """Of the page that asks; None when no browser does."""
    websocket: bool = False
    wanted_headers: bytes = b""
    """What a preflight asks to be allowed."""


def read_marks(headers: Headers, query: bytes) -> Marks:
    """One walk over the headers. Google's marks count more than Anthropic's."""
    marks = Marks()
    for name, value in headers:
        if name in _GOOGLE:
            marks.family = "gemini"
        elif name == b"anthropic-version":
            marks.family = marks.family or "anthropic"
        elif name == b"origin":
            marks.origin = marks.origin or value
        elif name == b"upgrade":
            marks.websocket = value.strip().lower() == b"websocket"
        elif name == b"access-control-request-headers":
            marks.wanted_headers = value
    if query.startswith(b"key=") or b"&key=" in query:
        marks.family = "gemini"
    return marks
