"""One request to the admin API and its answer; every method of the client is one of these.

Owns HTTP: the token, time limits, and turning whatever goes wrong into one exception. The rule a newcomer would break: every answer
is decoded into a struct of the schema here, and nowhere else.
"""

from __future__ import annotations

import logging
from typing import Literal, TypeVar

import httpx2
import msgspec

from laidian.admin.client.refusals import FOREIGN, LOST, UNREACHABLE, AdminError
from laidian.admin.schema import ErrorAnswer

T = TypeVar("T")
Method = Literal["GET", "POST", "PATCH", "DELETE"]

TIMEOUT_S = 30.0
"""Silence that an ordinary answer may keep; the API answers in milliseconds, a busy disk in seconds."""
LONG_S = 600.0
"""For a replay of the ledger, an export, and a probe that waits for an upstream's own time limits."""
# It logs a line per request at INFO, and whoever configures logging to show that would get ours among the server's own.
logging.getLogger("httpx2").setLevel(logging.WARNING)


class Calls:
    """What one request needs."""

    def __init__(self, http: httpx2.AsyncClient, address: str, *, timeout_s: float | None) -> None:
        self.http = http
        self.address = address
        """What is spoken to, for people: the URL, or the place of the data."""
        self._timeout_s = timeout_s

    async def aclose(self) -> None:
        await self.http.aclose()

    async def ask(
        self,
        method: Method,
        path: str,
        kind: type[T],
        *,
        query: dict[str, str] | None = None,
        body: msgspec.Struct | None = None,
        wait_s: float = TIMEOUT_S,
    ) -> T:
        headers = {"content-type": "application/json"} if body is not None else {}
        try:
            response = await self.http.request(
                method,
                path,
                params=query,
                headers=headers,
                content=None if body is None else msgspec.json.encode(body),
                timeout=self.bound(wait_s),
            )
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise self.lost(error, wait_s) from None
        if response.status_code >= 300:
            raise self.refusal(response)
        try:
            return msgspec.json.decode(response.content, type=kind)
        except msgspec.DecodeError as error:
            raise AdminError(
                502,
                FOREIGN,
                f"{self.address} answered {method} {path} with something else than this version of LaiDian expects"
                f" ({error}). Is it a LaiDian of another version?",
            ) from None

    def bound(self, wait_s: float) -> float:
        return wait_s if self._timeout_s is None else self._timeout_s

    def refusal(self, response: httpx2.Response) -> AdminError:
        """The server's own words, or that it was no LaiDian that answered."""
        try:
            said = msgspec.json.decode(response.content, type=ErrorAnswer).error
        except msgspec.DecodeError:
            return AdminError(
                response.status_code,
                FOREIGN,
                f"{self.address} answered with status {response.status_code}, and not as LaiDian's admin API does.",
            )
        return AdminError(response.status_code, said.code, said.message, param=said.param)

    def lost(self, error: Exception, wait_s: float) -> AdminError:
        if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.UnsupportedProtocol):
            return AdminError(
                0, UNREACHABLE, f"the server at {self.address} does not answer: {_reason(error)}."
            )
        if isinstance(error, httpx2.TimeoutException):
            return AdminError(
                0,
                LOST,
                f"the server at {self.address} gave no answer within {self.bound(wait_s):g} s;"
                " it may still carry out what was asked. Wait longer with --timeout.",
            )
        return AdminError(
            0,
            LOST,
            f"the connection to {self.address} broke before the answer: {_reason(error)}."
            " What was asked may have been carried out.",
        )


def _reason(error: Exception) -> str:
    """An error in a few words; some carry none but their kind."""
    return str(error).rstrip(".") or type(error).__name__
