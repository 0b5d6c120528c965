"""One tiny request through the whole relay path, in this process: front, gates, ledger, upstream, settlement.

A real request in every respect: it is on the books, and its key pays for it. Only the socket is missing. Without a credential a key is
made for it that may spend ten cents, and deleted after it, whatever happened.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec

from laidian.admin.api.services import AdminServices
from laidian.admin.schema import KeyCreate, Trial, TrialOutcome
from laidian.admin.service import keys
from laidian.admin.service.keys import find_key
from laidian.admin.service.reading import checked
from laidian.domain.money import format_usd
from laidian.errors import Conflict
from laidian.store.connection import Connection
from laidian.store.usage import read_record

PROMPT = "Answer with the word OK."
MOST_TOKENS = 64
"""Room for a model that thinks before it answers."""
SPEND_USD = "0.10"
LIVES = "15m"
"""Of the key that is made for a test: a server that dies in the middle of one leaves it behind."""
_PATH = "/v1/chat/completions"


class _Problem(msgspec.Struct):
    message: str = ""
    code: str | None = None


class _Answer(msgspec.Struct):
    error: _Problem | None = None


async def run_trial(services: AdminServices, trial: Trial) -> TrialOutcome:
    """Raises BadRequest, NotFound for an unknown `key`, or Conflict when no server runs."""
    trial = checked(trial)
    if services.front is None:
        raise Conflict(
            "No server runs here, so there is no way to send a request through. Start one: laidian serve"
        )
    if trial.api_key:
        return await _sent(services, trial.model, trial.api_key)
    name = f"test-{services.entropy()[:4].hex()}"
    now_ms, entropy = services.now_ms(), services.entropy()
    made = await services.change(
        "key.create",
        name,
        lambda c: keys.create_key(c, _key(c, name, trial.key), entropy=entropy, now_ms=now_ms),
    )
    try:
        return await _sent(services, trial.model, made.secret)
    finally:
        await services.change(
            "key.delete", name, lambda c: keys.delete_key(c, name, now_ms=services.now_ms())
        )


def _key(connection: Connection, name: str, like: str) -> KeyCreate:
    if not like:
        return KeyCreate(name=name, limit_usd=SPEND_USD, expires_at=LIVES)
    row = find_key(connection, like)
    return KeyCreate(name=name, group=row.group, quota=row.quota, limit_usd=SPEND_USD, expires_at=LIVES)


async def _sent(services: AdminServices, model: str, credential: str) -> TrialOutcome:
    assert services.front is not None
    exchange = _Exchange(model, credential)
    begun = time.monotonic()
    await services.front(exchange.scope, exchange.receive, exchange.send)
    duration_ms = int((time.monotonic() - begun) * 1000)
    request_id = exchange.header(b"x-request-id")
    # the end of an answer goes out after its record is on disk, so it is there
    row = await services.reader.read(lambda c: read_record(c, request_id))
    problem = _problem(exchange.body) if exchange.status >= 400 else None
    return TrialOutcome(
        ok=exchange.status == 200,
        status=exchange.status,
        request_id=request_id,
        model=row.model if row else model,
        upstream=row.upstream if row else "",
        input_tokens=row.usage.total_input_tokens if row else 0,
        output_tokens=row.usage.total_output_tokens if row else 0,
        cost_usd=format_usd(row.amount_nano - row.shortfall_nano if row else 0),
        first_byte_ms=row.first_byte_ms if row else None,
        duration_ms=duration_ms,
        code=(problem.code or "") if problem else "",
        message=problem.message if problem else "",
    )


def _problem(body: bytes) -> _Problem:
    try:
        return msgspec.json.decode(body, type=_Answer).error or _Problem()
    except msgspec.DecodeError:
        return _Problem("the answer is not what LaiDian writes")


class _Exchange:
    """A client that asks once, listens to the end, and never hangs up."""

    def __init__(self, model: str, credential: str) -> None:
        asked = {
            "model": model,
            "messages": [{"role": "user", "content": PROMPT}],
            "max_completion_tokens": MOST_TOKENS,
        }
        self._asked: bytes | None = msgspec.json.encode(asked)
        headers = [
            (b"host", b"127.0.0.1"),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(self._asked)).encode()),
            (b"authorization", b"Bearer " + credential.encode()),
            (b"user-agent", b"laidian-test"),
        ]
        self.scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": _PATH,
            "raw_path": _PATH.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": headers,
            "client": ("127.0.0.1", 0),
            "server": ("127.0.0.1", 0),
        }
        self.status = 0
        self.body = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._forever: asyncio.Event = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        if self._asked is not None:
            body, self._asked = self._asked, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._forever.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status, self._headers = message["status"], list(message["headers"])
        else:
            self.body += message.get("body", b"")

    def header(self, name: bytes) -> str:
        return next((value.decode("latin-1") for key, value in self._headers if key.lower() == name), "")
