"""Signatures of other makers, carried through a Responses client.

The client stores nothing for us and neither do we: what Gemini or Anthropic signed goes out as `encrypted_content` of a reasoning
item and comes back with the next turn's input, since clients replay reasoning items (Codex asks for them; protocol.md 6.4).
Four prefixes tell them from each other and from OpenAI's own blobs; base64 has no dot, so nothing else begins like them.
"""

from __future__ import annotations

import msgspec


class Carried(msgspec.Struct, frozen=True):
    """A signature and what it belongs to."""

    signature: str
    maker: str
    """`gemini` or `anthropic`."""
    of_call: bool = False
    """It belongs to the tool call that follows, not to the thought itself."""
    redacted: bool = False
    """It is the whole thought (Anthropic's redacted_thinking)."""


_PREFIXES: tuple[tuple[str, Carried], ...] = (
    ("gm1.call.", Carried("", "gemini", of_call=True)),
    ("gm1.", Carried("", "gemini")),
    ("an1.redacted.", Carried("", "anthropic", redacted=True)),
    ("an1.", Carried("", "anthropic")),
)


def carry(carried: Carried) -> str:
    """The `encrypted_content` for a signature; as it is for one that OpenAI itself made."""
    for prefix, form in _PREFIXES:
        if msgspec.structs.replace(carried, signature="") == form:
            return prefix + carried.signature
    return carried.signature


def carried(encrypted_content: str) -> Carried | None:
    """What an `encrypted_content` of ours carries; None for anybody else's."""
    for prefix, form in _PREFIXES:
        if encrypted_content.startswith(prefix):
            return msgspec.structs.replace(form, signature=encrypted_content.removeprefix(prefix))
    return None
