"""OpenAI's family: Bearer keys, `{"error":{…}}`, comments to keep a stream alive."""

from __future__ import annotations

import msgspec

from laidian.errors import LaidianError
from laidian.protocol.family import ErrorSaid, FamilyName, HeaderOf, bearer


class _ErrorDetail(msgspec.Struct):
    message: str = ""
    type: str | None = None
    code: str | int | None = None
    param: str | None = None


class _ErrorBody(msgspec.Struct):
    error: _ErrorDetail | str


_decode_error = msgspec.json.Decoder(_ErrorBody, strict=False).decode
_decode_errors = msgspec.json.Decoder(list[_ErrorBody], strict=False).decode
_decode_detail = msgspec.json.Decoder(_ErrorDetail, strict=False).decode


class OpenAIFamily:
    """The `Family` of everything below /v1 that carries no other family's mark."""

    name: FamilyName = "openai"
    keep_alive = b": keep-alive\n\n"

    def credential(self, header: HeaderOf, query: bytes) -> bytes | None:
        """`Authorization: Bearer`, or `x-api-key`, which some clients send (clients.md 3)."""
        return bearer(header) or header(b"x-api-key")

    def error_body(self, error: LaidianError) -> bytes:
        """All four keys are required by OpenAI's specification (protocol.md 5.1)."""
        detail = {"message": error.message, "type": error.type, "param": error.param, "code": error.code}
        return msgspec.json.encode({"error": detail})

    def error_event(self, error: LaidianError) -> bytes:
        return b"data: " + self.error_body(error) + b"\n\n"

    def read_error(self, body: bytes) -> ErrorSaid:
        """Google's compatible endpoint wraps the object in a list of one (protocol.md 2.2)."""
        try:
            wrapped = body.lstrip().startswith(b"[")
            found = _decode_errors(body) if wrapped else [_decode_error(body)]
        except (msgspec.DecodeError, RecursionError):
            return ErrorSaid()
        if not found:
            return ErrorSaid()
        detail = found[0].error
        if isinstance(detail, str):
            return ErrorSaid(detail)
        return ErrorSaid(detail.message, detail.type or "", str(detail.code or ""), detail.param)


def error_message(raw: bytes) -> str:
    """The message of an error object that stands inside an answer or a stream; empty when it has none."""
    try:
        return _decode_detail(raw).message
    except (msgspec.DecodeError, RecursionError):
        return ""
