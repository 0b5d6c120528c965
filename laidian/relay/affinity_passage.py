"""Bodies that pass through without being kept: an upload on its way up, a file on its way down.

The rule a newcomer would break: a download says its length beforehand, since one that breaks off would else look like a complete file.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from laidian.relay.client import Client
from laidian.upstream.faults import TransportFault
from laidian.upstream.transport import Exchange


class Passage(Client):
    """A second view of a client's connection, for its request's body piece by piece."""

    __slots__ = ()

    def __init__(self, client: Client) -> None:
        super().__init__(client.scope, client._receive, client._send, client.family, client.request_id)

    def length(self) -> int | None:
        """Of the body, where it was told."""
        stated = self.header(b"content-length")
        return int(stated) if stated is not None and stated.isdigit() else None

    async def pieces(self, limit: int, timeout_s: float) -> AsyncGenerator[bytes, None]:
        """The body as it comes. Raises what `Client.body` raises."""
        task = asyncio.current_task()
        assert task is not None
        self.task = task  # the transport's, which waits for the pieces: a stalled body breaks off that wait
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


async def download(client: Client, exchange: Exchange, content_type: bytes) -> bool:
    """The upstream's answer, piece by piece. False when the upstream broke off: the client's connection then ends short of its length."""
    headers = [(b"content-disposition", b"attachment"), (b"x-content-type-options", b"nosniff")]
    length = exchange.header(b"content-length")
    if length is not None and length.isdigit():
        headers.append((b"content-length", length))
    client.stream_type, client.stream_headers = content_type, tuple(headers)
    client.watch(exchange.abort)
    try:
        await client.write(b"")
        while data := await exchange.chunk():
            await client.write(data)
    except TransportFault:
        left = client.gone  # then it was us who broke off, and no upstream is at fault
        client.gone = True  # nothing may follow: an error's text would become a part of the file
        return left
    await client.finish()
    return True
