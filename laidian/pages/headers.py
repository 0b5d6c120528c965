"""What every page's head says: what it may load (its own style, script and pictures, nothing else), and how long it may be kept."""

from __future__ import annotations

CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""No inline style and no inline script, so that an injected one does nothing."""

KEPT_S = 30
"""Seconds that a browser may show a public page without asking again; it asks by ETag then."""

SECURITY: dict[str, str] = {
    "content-security-policy": CSP,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "x-robots-tag": "noindex",  # an instance is for those who were told its address
}

PRIVATE = "no-store"
"""For what belongs to a key."""
PUBLIC = f"public, max-age={KEPT_S}"
FOREVER = "public, max-age=31536000, immutable"
"""For assets, whose address changes with their content."""
