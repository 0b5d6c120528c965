"""Wire types of client snippets."""

from __future__ import annotations

import msgspec


class SnippetPart(msgspec.Struct, frozen=True, kw_only=True):
    """One text, and where it goes."""

    place: str
    """A file's path, or the program that takes the text."""
    language: str
    """`sh`, `powershell`, `python`, `javascript`, `toml`, `json`, `env`, `settings` (`name: value` lines for a program's window) or
    `link`."""
    capability: str
    """Which the key's group has, or the part would not be here."""
    model: str | None
    """The model in the text; None when it names none, or when no suitable one can be used now and `your-model` stands there."""
    text: str
    """Complete but for `{key}`, which is replaced where the credential may be shown."""


class Snippet(msgspec.Struct, frozen=True, kw_only=True):
    """What to type into one program so that it uses this instance."""

    client: str
    """Its id: `curl`, `codex` …"""
    title: str
    tested: str
    """The version this was tried with."""
    says: str
    """The one thing that people get wrong, in English."""
    says_zh: str
    """The same in Simplified Chinese."""
    parts: tuple[SnippetPart, ...]
