"""Wire types of the operator's journal: who changed what, when."""

from __future__ import annotations

import msgspec


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One change of the set-up, written with the change itself."""

    at: str
    who: str
    """tui, cli, api, or config for what config.toml did at a start."""
    action: str
    """`key.create`, `upstream.edit`, `prices.adopt` …"""
    name: str
    """Of the thing that was changed, as it was called then."""
    sentence: str
    """What was done, without secrets."""
