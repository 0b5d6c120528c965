"""What the tests of the Responses dialect share: saying things, and reading what was said."""

from __future__ import annotations

import json

from laidian.domain.usage import Usage
from laidian.protocol.canonical import (
    Event,
    Finished,
    Message,
    Reason,
    Request,
    Started,
    Used,
)
from laidian.protocol.dialect import Peek
from laidian.protocol.openai_responses import OpenAIResponses
from laidian.protocol.openai_responses_codec import OpenAIResponsesCodec

DIALECT = OpenAIResponses()
CODEC = OpenAIResponsesCodec()
SCHEMA = b'{"type":"object", "properties":{"city":{"type":"string"}}, "x-n":1e2}'


def peeked(body: bytes | dict[str, object]) -> Peek:
    raw = body if isinstance(body, bytes) else json.dumps({"model": "m", **body}).encode()
    return DIALECT.peek(raw, "/v1/responses")


def decoded(**fields: object) -> Request:
    return CODEC.decode_request(peeked({"input": "hi", **fields}))


def from_items(*items: dict[str, object]) -> tuple[Message, ...]:
    return decoded(input=list(items)).messages


def wire(kind: str, **fields: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def response(status: str = "completed", **fields: object) -> dict[str, object]:
    return {"id": "resp_u", "created_at": 5, "model": "up/m", "status": status, "output": [], **fields}


USAGE = {"input_tokens": 9, "output_tokens": 4, "output_tokens_details": {"reasoning_tokens": 1}}
USED = Used(Usage(input=9, output=3, reasoning=1), "priority")
CREATED = wire("response.created", response=response("in_progress"))


def read(stream: bytes) -> list[Event]:
    reader = CODEC.reader()
    return reader.feed(stream) + reader.end()


BASE_PEEK = peeked(
    b'{"model":"m","input":"hi","instructions":"be  brief","temperature":0.50,"tools":[{"type":"function","name":"f","parameters":'
    + SCHEMA
    + b'}],"metadata":{"a":"b"},"store":true}'
)


def events_of(stream: bytes) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for block in stream.split(b"\n\n")[:-1]:
        head, data = block.split(b"\n")
        parsed = json.loads(data.removeprefix(b"data: "))
        assert head == b"event: " + parsed["type"].encode()
        found.append(parsed)
    return found


def written(events: list[Event], peek: Peek = BASE_PEEK) -> bytes:
    writer = CODEC.writer(peek, CODEC.decode_request(peek))
    return b"".join(writer.write([one]) for one in events) + writer.end()


def answer(middle: list[Event], reason: Reason = "stop") -> list[Event]:
    return [Started("chatcmpl-abc", "up/m", 5), *middle, Finished(reason), USED]


def output(middle: list[Event], reason: Reason = "stop") -> list[dict[str, object]]:
    events = events_of(written(answer(middle, reason)))
    last = events[-1]["response"]
    assert isinstance(last, dict)
    return last["output"]
