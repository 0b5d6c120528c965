"""Wire types of the examination of an instance, of its settings, and of a test request."""

from __future__ import annotations

from typing import Literal

import msgspec

from laidian.admin.schema.words import Pattern, Secretive, SecretText


class Check(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    """Stable: `config`, `database`, `log`, `disk`, `files`, `sqlite`, `prices`, `upstream:openai` …"""
    state: Literal["ok", "warn", "fail"]
    found: str
    """One sentence."""
    fix: str
    """What to do, in one sentence or a few lines to copy; empty when ok."""


class Doctor(msgspec.Struct, frozen=True, kw_only=True):
    at: str
    checks: tuple[Check, ...]
    """In the order in which they matter."""


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    """Section and name as in config.toml: `server.port`."""
    value: str
    """As config.toml would have it; a secret is never shown."""
    changed: bool
    """It differs from what holds without a file."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The configuration that this process runs with."""

    file: str
    """Of config.toml; empty: there is none."""
    data: str
    settings: tuple[Setting, ...]


class Trial(
    Secretive, msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """One tiny chat request through the whole relay path. What it asks is fixed by LaiDian."""

    model: Pattern
    api_key: SecretText = ""
    """The credential to test. Empty: a key made for this test, with the group and quota of `key`, or the usual ones, and deleted
    after it."""
    key: str = ""


class TrialOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to a test request."""

    ok: bool
    status: int
    request_id: str
    model: str
    upstream: str
    """That answered; empty: none was asked."""
    input_tokens: int
    output_tokens: int
    cost_usd: str
    first_byte_ms: int | None
    duration_ms: int
    code: str
    """Of the error; empty when ok."""
    message: str
    """Of the gate that was closed or the upstream that failed; empty when ok."""
