"""Bodies that pass through without being kept: an upload on its way up, a file on its way down.

A second view of a client's connection, for what no relayed operation needs: the request's body piece by piece, and an answer whose
length is told beforehand. The length is the point: without it a download that breaks off would look like a complete one.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from laidian.relay.client import Client
from laidian.upstream.transport import Exchange


class Passage(Client):
    __slots__ = ("_of",)

    def __init__(self, client: Client) -> None:
        super().__init__(client.scope, client._receive, client._send, client.family, client.request_id)
        self._of = client

    def length(self) -> int | None:
        """Of the request's body, where it was told."""
        stated = self.header(b"content-length")
        return int(stated) if stated is not None and stated.isdigit() else None

    async def pieces(self, limit: int, timeout_s: float) -> AsyncGenerator[bytes, None]:
        """The request's body as it comes. Raises what `Client.body` raises."""
        self._check_head(limit)
        size, more = 0, True
        while more:
            message = await self._next_part(timeout_s)
            data, more = message.get("body", b""), message.get("more_body", False)
            size += len(data)
            if size > limit:
                raise self._too_large(size, limit)
            if data:
                yield data

    async def download(self, exchange: Exchange, content_type: bytes) -> None:
        """The upstream's answer, piece by piece. Raises TransportFault; the client's connection then breaks off short of its length."""
        client = self._of
        client.started, client.status = True, 200
        headers = [
            (b"content-type", content_type),
            (b"x-request-id", self.request_id.encode()),
            (b"content-disposition", b"attachment"),
            (b"x-content-type-options", b"nosniff"),
        ]
        length = exchange.header(b"content-length")
        if length is not None and length.isdigit():
            headers.append((b"content-length", length))
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        self.watch(exchange.abort)
        try:
            while data := await exchange.chunk():
                await self._send({"type": "http.response.body", "body": data, "more_body": True})
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self.stop()
            client.gone = True  # nothing may follow: an error's text would become a part of the file
            client.stop()
