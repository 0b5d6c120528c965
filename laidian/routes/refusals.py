"""What is said of a request that leads nowhere: which path or method it was, why not, and what is served instead.

Pure. Every refusal is a 4xx that clients do not repeat: 404 for a route that is not served, never 403 or 501, which several of them
retry (protocol.md 0.4).
"""

from __future__ import annotations

from laidian.errors import CallerError, LaidianError, MethodNotAllowed, NotFound
from laidian.routes.matcher import Found, Matcher
from laidian.routes.table import WEBSOCKET_NOT_SUPPORTED

PATH_CHARS = 200
"""How much of a path an error repeats."""


class WebSocketRefused(CallerError):
    """426 and no other status: Codex then falls back to HTTP after one handshake (protocol.md 0.5)."""

    status = 426
    code = WEBSOCKET_NOT_SUPPORTED


def refusal(found: Found, method: str, *, websocket: bool, matcher: Matcher) -> LaidianError:
    """The error for what was found; `found.row` is none, or one that is not served."""
    asked = f"{method} {found.path[:PATH_CHARS]}"
    if websocket:
        return WebSocketRefused(f"LaiDian does not speak WebSocket ({asked}). {_instead(found)}")
    if found.row is not None:
        return NotFound(f"LaiDian does not serve {asked}: {found.row.reason}.", code=found.row.code)
    if found.allowed:
        allowed = " or ".join(found.allowed)
        return MethodNotAllowed(
            f"{found.path[:PATH_CHARS]} takes {allowed}, not {method}. Check the client's base URL."
        )
    near = matcher.nearest(found, method)
    return NotFound(
        f"Invalid URL ({asked}). LaiDian has no such route; the nearest that it serves is {near.method} {near.path}. "
        "Check the client's base URL, and GET /v1/models for what your key may use.",
        code="unknown_url",
    )


def _instead(found: Found) -> str:
    if found.family == "gemini":
        return "Use HTTP: POST /v1beta/models/{model}:streamGenerateContent."
    return "Use HTTP: POST /v1/responses or /v1/chat/completions, with `stream` for events."
