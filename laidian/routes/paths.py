"""What a request path says, however it was spelled. Routing and authorisation both use the canonical form, and only it.

The server has decoded percent signs exactly once before this file sees a path; nothing here decodes again. The rule a newcomer would
break: a path with a dotted segment or a question mark in it is nobody's path. It is refused, never tidied up, since an upstream
might read it as another endpoint of the operator's account.
"""

from __future__ import annotations

import msgspec

VERSIONS = frozenset({"v1", "v1beta", "v1alpha"})
_GOOGLE_VERSIONS = frozenset({"v1beta", "v1alpha"})


class Asked(msgspec.Struct, frozen=True):
    """A path taken apart."""

    bare: str
    """Below the version: `/chat/completions`; empty for the version alone. One slash between segments, none at the end."""
    versioned: bool
    """Whether any version stood before it; clients with a base URL without /v1 leave it out."""
    google: bool
    """Whether /v1beta or /v1alpha did: only Google's clients write those."""
    compatible: bool
    """Whether it is Google's alias of OpenAI's paths, /v1beta/openai/…."""
    upload: bool
    """Whether it is below /upload/{version}."""


def read_path(path: str) -> Asked | None:
    """Takes a decoded path apart; None for one that nobody can have meant.

    Accepts what people and clients make of base URLs: `//v1`, `/v1/v1`, no /v1, `/v1beta/v1/…`, `/v1beta/v1beta/…`,
    `/v1beta/upload/v1beta/…`, a slash at the end (protocol.md 0.2 and 1.0).
    """
    if "?" in path or not path.isprintable():
        return None
    segments = [segment for segment in path.split("/") if segment]
    if "." in segments or ".." in segments:
        return None
    at, versions, compatible, upload = 0, set[str](), False, False
    while at < len(segments):
        segment = segments[at]
        if segment in VERSIONS:
            versions.add(segment)
        elif segment == "upload" and at + 1 < len(segments) and segments[at + 1] in VERSIONS:
            upload = True
        elif segment == "openai" and versions:
            compatible = True
        else:
            break
        at += 1
    bare = "".join(f"/{segment}" for segment in segments[at:])
    return Asked(bare, bool(versions), bool(versions & _GOOGLE_VERSIONS), compatible, upload)


def verb_of(bare: str) -> str:
    """The verb of Google's `{name}:{verb}`, where there is one; of a model only what follows its last colon."""
    head, colon, verb = bare.rpartition(":")
    if not colon or not verb.isascii() or not verb.isalpha():
        return ""
    return verb if "/" not in verb and head else ""


def below_a_version(path: str) -> bool:
    """Whether a path that cannot be read was at least meant for the public surface."""
    first = path.lstrip("/").partition("/")[0]
    return first in VERSIONS or first == "upload"


def target(path: str, query: bytes, *, with_query: bool) -> str:
    """What a dialect reads: the canonical path, with what the query says where the family puts a part of the request there.

    Never with `key`, which is a credential and has been read already where it counts.
    """
    if not with_query:
        return path
    pairs = [pair for pair in query.decode("latin-1").split("&") if pair and not pair.startswith("key=")]
    return f"{path}?{'&'.join(pairs)}" if pairs else path
