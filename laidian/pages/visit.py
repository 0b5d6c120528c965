"""One request for a page, as far as a page cares: the language to answer in, and the address under which the visitor found this instance."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs

import msgspec

from laidian.config import Config
from laidian.pages.words import Language, chosen

_HOST = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?"
)


class Visit(msgspec.Struct, frozen=True):
    language: Language
    base_url: str
    """With /v1."""


def visit(scope: dict[str, Any], config: Config) -> Visit:
    """From an ASGI scope. The base URL is the configuration's public_url; without one, where the browser found us."""
    headers: dict[bytes, bytes] = dict(scope["headers"])
    asked = parse_qs(scope["query_string"].decode("latin-1")).get("lang", [""])[0]
    language = chosen(asked, _text(headers, b"accept-language"), config.pages.language)
    return Visit(language, config.server.public_base_url or _found_at(headers, scope, config))


def _found_at(headers: dict[bytes, bytes], scope: dict[str, Any], config: Config) -> str:
    """What Host says, which decides nothing but what this one visitor reads. A proxy in front says whether it took https."""
    host = _text(headers, b"host")
    if not _HOST.fullmatch(host):
        host = f"{config.server.host}:{config.server.port}"
    scheme = _text(headers, b"x-forwarded-proto").partition(",")[0].strip() or str(
        scope.get("scheme", "http")
    )
    return f"{'https' if scheme == 'https' else 'http'}://{host}/v1"


def _text(headers: dict[bytes, bytes], name: bytes) -> str:
    return headers.get(name, b"").decode("latin-1")
