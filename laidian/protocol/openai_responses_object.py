"""The response object and the events around it, as the clients of the Responses API require them.

Owns what every response object repeats: the request's own settings, byte for byte, and the fields that openai-python 3.54.0 cannot do
without (id, created_at, model, object, output, parallel_tool_calls, tool_choice, tools; response.py, read 2026-11-22).
The rule a newcomer would break: nothing is claimed that is not so. `store` is answered false whatever was asked, since a translated
answer is stored nowhere; a setting that the client did not send is answered with the API's own default.
"""

from __future__ import annotations

import hashlib
import re

import msgspec

from laidian.errors import LaidianError
from laidian.protocol.dialect import Peek
from laidian.protocol.document import Fields, said
from laidian.protocol.openai_responses_usage import ResponseUsage

_DEFAULTS: tuple[tuple[str, bytes], ...] = (
    ("instructions", b"null"),
    ("max_output_tokens", b"null"),
    ("max_tool_calls", b"null"),
    ("metadata", b"{}"),
    ("parallel_tool_calls", b"true"),
    ("prompt_cache_key", b"null"),
    ("reasoning", b'{"effort":null,"summary":null}'),
    ("safety_identifier", b"null"),
    ("temperature", b"1.0"),
    ("text", b'{"format":{"type":"text"}}'),
    ("tool_choice", b'"auto"'),
    ("tools", b"[]"),
    ("top_logprobs", b"0"),
    ("top_p", b"1.0"),
    ("truncation", b'"disabled"'),
    ("user", b"null"),
)
"""Settings that a response object repeats, with what stands there when the client said nothing."""

_NOT_AN_ID = re.compile(r"[^A-Za-z0-9_-]+")
_FOREIGN_PREFIX = re.compile(r"^(chatcmpl-|msg_|gen-|resp_)")
_MAX_ID_CHARS = 80


class Fault(msgspec.Struct, frozen=True):
    """`error` of a failed response."""

    code: str
    message: str


class Incomplete(msgspec.Struct, frozen=True):
    """`incomplete_details`."""

    reason: str


class ResponseObject:
    """One response, written again at each of its states."""

    __slots__ = ("_echo", "created_s", "id", "model", "service_tier")

    def __init__(self, peek: Peek, id_: str, created_s: int) -> None:
        self.id = id_
        self.created_s = created_s
        self.model = peek.model
        self.service_tier = "default"
        self._echo = _echo(peek.fields)

    def write(
        self,
        status: str,
        output: bytes = b"[]",
        *,
        usage: ResponseUsage | None = None,
        error: Fault | None = None,
        incomplete: Incomplete | None = None,
    ) -> bytes:
        """The object as JSON; `output` is the JSON array of its items."""
        encode = msgspec.json.encode
        return b"".join(
            (
                b'{"id":', encode(self.id),
                b',"object":"response","created_at":', encode(self.created_s),
                b',"status":', encode(status),
                b',"background":false,"error":', encode(error),
                b',"incomplete_details":', encode(incomplete),
                b',"model":', encode(self.model),
                b',"output":', output,
                b',"previous_response_id":null,"service_tier":', encode(self.service_tier),
                b',"store":false', self._echo,
                b',"usage":', encode(usage),
                b"}",
            )
        )  # fmt: skip


def response_id(given: str, body: bytes) -> str:
    """`resp_` and the upstream's own id; when it gave none, a digest of the request."""
    base = _NOT_AN_ID.sub("", _FOREIGN_PREFIX.sub("", given))[:_MAX_ID_CHARS]
    return f"resp_{base or hashlib.sha256(body).hexdigest()[:32]}"


def event(kind: str, sequence: int, rest: bytes) -> bytes:
    """One event; `rest` is what follows `type` and `sequence_number` in its object, from the comma on."""
    name = kind.encode()
    return b'event: %b\ndata: {"type":"%b","sequence_number":%d%b}\n\n' % (name, name, sequence, rest)


def fault_of(error: LaidianError) -> Fault:
    """What a `response.failed` says of an error of ours.

    The client's own limits keep their code, since Codex stops at `insufficient_quota` and retries at all others; whatever is not
    the client's fault is `server_error`, the code the API has for it (protocol.md 0.6, 4.3).
    """
    return Fault(error.code if error.fault == "caller" else "server_error", error.message)


def failed_from_the_start(peek: Peek, error: LaidianError, id_: str, created_s: int) -> bytes:
    """A whole stream that only fails, for a client that got nothing but comments so far.

    Codex overlooks an `error` event and takes the stream for broken (protocol.md 0.6). `id_` may be the relay's request id.
    """
    response = ResponseObject(peek, response_id(id_, peek.fields.body), created_s)
    failed = response.write("failed", error=fault_of(error))
    return event("response.created", 0, b',"response":' + response.write("in_progress")) + event(
        "response.failed", 1, b',"response":' + failed
    )


def _echo(fields: Fields) -> bytes:
    pieces: list[bytes] = []
    for name, default in _DEFAULTS:
        raw = fields.raw.get(name)
        value = None if raw is None else said(raw)
        pieces.append(b',"%b":%b' % (name.encode(), default if value is None else value))
    return b"".join(pieces)
