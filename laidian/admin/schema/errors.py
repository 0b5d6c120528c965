"""Wire types of refused calls."""

from __future__ import annotations

import msgspec


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    code: str
    message: str
    param: str | None


class ErrorAnswer(msgspec.Struct, frozen=True, kw_only=True):
    error: ErrorBody
