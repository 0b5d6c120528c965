"""AdminClient against sockets and small applications that behave badly on purpose."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from laidian.admin.client import FOREIGN, LOST, UNREACHABLE, AdminClient, AdminError, UsageFilter, checked_url
from laidian.admin.schema import KeyCreate
from laidian.errors import BadRequest

TOKEN = "admin-secret-token"
Send = Callable[[dict[str, Any]], Awaitable[None]]


def application(status: int, body: bytes, seen: list[dict[str, Any]] | None = None, **headers: str) -> Any:
    async def app(
        scope: dict[str, Any], receive: Callable[[], Awaitable[dict[str, Any]]], send: Send
    ) -> None:
        content = b""
        while True:
            part = await receive()
            content += part.get("body", b"")
            if not part.get("more_body"):
                break
        if seen is not None:
            seen.append({**scope, "content": content})
        head = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": body})

    return app


def client_of(app: Any) -> AdminClient:
    return AdminClient.in_process(app, TOKEN, "here")


async def refusal(client: AdminClient) -> AdminError:
    async with client:
        with pytest.raises(AdminError) as caught:
            await client.keys()
    assert TOKEN not in caught.value.message
    return caught.value


async def test_a_refusal_carries_the_servers_status_code_and_words() -> None:
    body = b'{"error":{"code":"conflict","message":"The name is taken.","param":"name"}}'
    error = await refusal(client_of(application(409, body)))
    assert (error.status, error.code, error.message, error.param) == (
        409,
        "conflict",
        "The name is taken.",
        "name",
    )
    assert not error.away


async def test_a_stopping_server_is_away() -> None:
    body = b'{"error":{"code":"server_stopping","message":"It stops.","param":null}}'
    assert (await refusal(client_of(application(503, body)))).away


@pytest.mark.parametrize(
    ("status", "body"), [(200, b"<html>"), (200, b'{"a":1}'), (404, b"not found"), (502, b""), (302, b"")]
)
async def test_an_answer_that_laidian_cannot_have_written_is_named_as_such(status: int, body: bytes) -> None:
    error = await refusal(client_of(application(status, body)))
    assert error.code == FOREIGN
    assert "here" in error.message
    assert "<html>" not in error.message


async def test_a_redirect_is_not_followed_and_the_token_stays_here() -> None:
    seen: list[dict[str, Any]] = []
    app = application(307, b"", seen, location="http://127.0.0.1:1/steal")
    assert (await refusal(client_of(app))).code == FOREIGN
    assert len(seen) == 1


async def test_a_name_is_one_part_of_the_path_and_fields_left_out_are_not_sent() -> None:
    seen: list[dict[str, Any]] = []
    async with client_of(application(500, b"", seen)) as client:
        for name in ("a/b", "..", "x?y#z", "小王"):
            with pytest.raises(AdminError):
                await client.key(name)
        with pytest.raises(AdminError):
            await client.create_key(KeyCreate(name="a"))
        with pytest.raises(AdminError):
            await client.usage(UsageFilter(key="a b", status=0), limit=5)
        with pytest.raises(BadRequest, match="name is missing"):
            await client.key(" ")
    paths = [one["raw_path"] for one in seen]
    assert paths[:4] == [
        b"/admin/v1/keys/a%2Fb",
        b"/admin/v1/keys/%2E%2E",
        b"/admin/v1/keys/x%3Fy%23z",
        b"/admin/v1/keys/%E5%B0%8F%E7%8E%8B",
    ]
    assert seen[4]["content"] == b'{"name":"a"}'
    assert (b"authorization", f"Bearer {TOKEN}".encode()) in seen[4]["headers"]
    assert sorted(seen[5]["query_string"].split(b"&")) == [b"key=a+b", b"limit=5", b"status=0"]
    assert len(seen) == 6, "an empty name was sent"


async def test_nobody_at_the_address_is_unreachable() -> None:
    error = await refusal(AdminClient.over_http("http://127.0.0.1:1", TOKEN))
    assert (error.status, error.code, error.away) == (0, UNREACHABLE, True)


async def test_a_server_that_hangs_up_may_have_done_what_was_asked() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        error = await refusal(AdminClient.over_http(f"http://127.0.0.1:{port}", TOKEN))
    assert (error.status, error.code) == (0, LOST)
    assert "may have been carried out" in error.message


async def test_a_silent_server_is_given_up_after_the_time_allowed() -> None:
    left = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        left.set()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        error = await refusal(AdminClient.over_http(f"http://127.0.0.1:{port}", TOKEN, timeout_s=0.2))
        assert (error.status, error.code) == (0, LOST)
        assert "within 0.2 s" in error.message
        await asyncio.wait_for(left.wait(), 10)


async def test_an_export_that_breaks_off_is_an_error_and_not_a_short_export() -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n\n\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(cut, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with AdminClient.over_http(f"http://127.0.0.1:{port}", TOKEN) as client:
            with pytest.raises(AdminError) as caught:
                await anext(client.export_usage(UsageFilter()))
    assert caught.value.code == LOST


async def test_a_line_that_is_no_record_ends_an_export_with_an_error() -> None:
    async with client_of(application(200, b'{"request_id":1}\n')) as client:
        with pytest.raises(AdminError) as caught:
            _ = [record async for record in client.export_usage(UsageFilter())]
    assert caught.value.code == FOREIGN


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://localhost:8080/admin/v1", "http://localhost:8080"),
        ("http://[::1]:8080/admin/", "http://[::1]:8080"),
        (" https://relay.example/laidian/ ", "https://relay.example/laidian"),
    ],
)
def test_an_address_may_be_written_as_people_do(given: str, used: str) -> None:
    assert checked_url(given, insecure=False) == used


@pytest.mark.parametrize(
    "url",
    [
        "http://relay.example",
        "http://10.0.0.5:8080",
        "http://127.0.0.1.example",
        "ftp://relay.example",
        "relay.example",
        "https://user:secret@relay.example",
        "https://relay.example/?a=b",
        "",
    ],
)
def test_an_address_that_would_show_the_token_or_makes_no_sense_is_refused(url: str) -> None:
    with pytest.raises(BadRequest) as caught:
        AdminClient.over_http(url, TOKEN)
    assert "secret@" not in caught.value.message


def test_insecure_is_the_operators_own_word() -> None:
    assert checked_url("http://10.0.0.5:8080", insecure=True) == "http://10.0.0.5:8080"
