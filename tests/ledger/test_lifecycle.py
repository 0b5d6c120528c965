"""Starting, stopping and dying: what the ledger says afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest

from laidian.domain.estimate import likely_input_tokens
from laidian.server.services import PROGRESS_S
from tests.ledger.bills import against_the_bill, billed, recorded
from tests.ledger.conversation import WORDS, ask, chat, clients
from tests.ledger.identities import violations
from tests.served import HOST, Served, Setup, alive, served, wait_until
from tests.simulated_provider import SimulatedProvider, simulated_provider

PREPAID = Setup(credited_nano=10**13)
DISK_MIB = 16


@pytest.fixture(scope="module")
def running_provider() -> Iterator[SimulatedProvider]:
    with simulated_provider() as provider:
        yield provider


@pytest.fixture
def provider(running_provider: SimulatedProvider) -> SimulatedProvider:
    running_provider.reset()
    return running_provider


def sound(laidian: Served) -> bool:
    with laidian.database() as reader:
        assert violations(reader) == []
    return True


def port_is_open(laidian: Served) -> bool:
    with socket.socket() as client:
        return client.connect_ex((HOST, laidian.port)) == 0


@contextlib.asynccontextmanager
async def streaming(laidian: Served, content: str) -> AsyncIterator[httpx2.Response]:
    """A stream whose first event has come."""
    async with (
        clients(laidian) as http,
        http.stream("POST", "/chat/completions", json=chat(content, stream=True)) as answer,
    ):
        assert answer.status_code == 200
        yield answer


async def test_a_stop_lets_a_running_stream_end_and_settles_it(provider: SimulatedProvider) -> None:
    with served(provider, setup=PREPAID) as laidian:
        async with streaming(laidian, "[[tokens:300]] [[pace:4]]") as answer:
            stopping = asyncio.create_task(asyncio.to_thread(laidian.stop))
            text = (await answer.aread()).decode()
        assert await stopping == 0
        assert text.endswith("data: [DONE]\n\n")
        record = laidian.record(answer.headers["x-request-id"])
        (row,) = provider.bill(rows=1).rows
        assert (record.ended, recorded(record)) == ("complete", billed(row))
        assert laidian.holds() == []
        with laidian.database() as reader:
            assert reader.execute("SELECT count(*) FROM workers").fetchone() == (0,), (
                "every worker signed off"
            )
        assert sound(laidian)


async def test_a_stop_ends_what_runs_longer_than_its_bound_and_settles_it(
    provider: SimulatedProvider,
) -> None:
    setup = Setup(credited_nano=10**13, config="[server]\ndrain_s = 1\n")
    with served(provider, workers=2, setup=setup) as laidian:
        async with streaming(laidian, f"[[tokens:9000]] [[pace:10]] {WORDS}") as answer:
            stopping = asyncio.create_task(asyncio.to_thread(laidian.stop))
            text = (await answer.aread()).decode()
        assert await stopping == 0
        assert '"code":"server_stopping"' in text
        assert "The server is stopping and ended this request" in text
        assert "[DONE]" not in text
        record = laidian.record(answer.headers["x-request-id"])
        (row,) = provider.bill(rows=1).rows
        assert (record.ended, record.usage_from, row.ended) == ("cancelled", "estimated", "client_gone")
        assert record.output <= row.usage.output_tokens * 1.15 + 10
        assert record.output > 20
        assert sound(laidian)


async def test_a_stop_settles_also_a_stream_that_its_client_does_not_read(
    provider: SimulatedProvider,
) -> None:
    """Such a client neither takes a byte nor hangs up, so that the relay waits for it in the middle of a write."""
    setup = Setup(credited_nano=10**13, config="[server]\ndrain_s = 1\n")
    body = chat("[[tokens:128000]] [[chunk:1]]", stream=True, limit=128_000)
    with served(provider, setup=setup) as laidian, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect((HOST, laidian.port))
        client.sendall(request_bytes(laidian, body))
        stuck_at = await asyncio.to_thread(standstill, laidian)
        assert laidian.stop() == 0
        assert laidian.holds() == [], "it was killed in the middle, not stopped"
        (record,) = laidian.records()
        assert record.ended in ("cancelled", "client_closed")
        assert record.output >= stuck_at
        assert sound(laidian)


def request_bytes(laidian: Served, body: dict[str, object]) -> bytes:
    content = json.dumps(body).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: {HOST}\r\nauthorization: Bearer {laidian.key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def standstill(laidian: Served) -> int:
    """Output tokens noted when two notes of progress say the same."""
    last = -1
    while True:
        (request_id,) = laidian.holds() or [""]
        now = noted_output(laidian, request_id)
        if now == last > 0:
            return now
        last = now
        time.sleep(PROGRESS_S * 1.2)


async def test_a_stopped_instance_starts_again_with_the_same_money(provider: SimulatedProvider) -> None:
    with served(provider, setup=PREPAID) as laidian:
        assert (await ask(laidian, chat("[[tokens:50]]"))).status_code == 200
        with laidian.database() as reader:
            before = reader.execute("SELECT credited_nano, held_nano, spent_nano FROM quotas").fetchall()
        laidian.restart()
        with laidian.database() as reader:
            assert (
                reader.execute("SELECT credited_nano, held_nano, spent_nano FROM quotas").fetchall() == before
            )
        assert (await ask(laidian, chat("[[tokens:50]]"))).status_code == 200
        assert len(laidian.records()) == 2


async def test_a_killed_parent_takes_its_workers_with_it(provider: SimulatedProvider) -> None:
    with served(provider, workers=2, setup=PREPAID) as laidian:
        workers = laidian.worker_pids()
        assert len(workers) == 2
        laidian.kill9()
        assert not any(alive(pid) for pid in workers)
        wait_until(lambda: not port_is_open(laidian), "the port is closed")


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_request_that_a_killed_server_had_in_flight_is_settled_before_the_next_serves(
    provider: SimulatedProvider, workers: int
) -> None:
    """By the orphan rule: its likely input, and the output that was noted; never more than was made."""
    content = f"[[tokens:5000]] [[pace:5]] {WORDS}"
    with served(provider, workers=workers, setup=PREPAID) as laidian:
        with contextlib.suppress(httpx2.TransportError):
            async with streaming(laidian, content) as answer:
                request_id, sent = answer.headers["x-request-id"], answer.request.content
                async for _ in answer.aiter_raw():
                    if noted_output(laidian, request_id):
                        break
                laidian.kill9()
        assert laidian.holds() == [request_id]
        laidian.start()
        laidian.wait_settled()
        record = laidian.record(request_id)
        (row,) = provider.bill(rows=1).rows
        assert (record.ended, record.usage_from, record.error_code) == ("lost", "estimated", "worker_died")
        assert 0 < record.output <= row.usage.output_tokens * 1.15 + 10
        assert record.input == likely_input_tokens(sent), "the likely input, not the upper bound of the hold"
        assert sound(laidian)


def noted_output(laidian: Served, request_id: str) -> int:
    with laidian.database() as reader:
        row = reader.execute("SELECT output_tokens FROM holds WHERE request_id = ?", (request_id,)).fetchone()
    return row[0] if row else 0


async def test_a_killed_worker_is_replaced_and_the_other_one_settles_what_it_left(
    provider: SimulatedProvider,
) -> None:
    with served(provider, workers=2, setup=PREPAID) as laidian:
        with contextlib.suppress(httpx2.TransportError):
            async with streaming(laidian, "[[tokens:5000]] [[pace:5]]") as answer:
                request_id = answer.headers["x-request-id"]
                with laidian.database() as reader:
                    (victim,) = reader.execute(
                        "SELECT w.pid FROM holds h JOIN workers w ON w.id = h.owner WHERE h.request_id = ?",
                        (request_id,),
                    ).fetchone()
                os.kill(victim, signal.SIGKILL)
                await answer.aread()
        laidian.wait_settled()
        assert laidian.record(request_id).ended == "lost"
        wait_until(lambda: len(set(laidian.worker_pids()) - {victim}) == 2, "another worker takes its place")
        for _ in range(6):
            assert (await ask(laidian, chat("[[tokens:5]]"))).status_code == 200
        assert sound(laidian)
        assert against_the_bill(laidian.records(), provider.bill().rows) == []


async def test_a_second_instance_on_the_same_folder_is_refused(provider: SimulatedProvider) -> None:
    with served(provider, setup=PREPAID) as laidian:
        second = laidian.launch()
        assert second.wait(20) != 0
        assert f"another LaiDian serves from {laidian.folder.root}" in laidian.log()
        assert f"process {laidian.pid}" in laidian.log()
        assert (await ask(laidian, chat("[[tokens:5]]"))).status_code == 200
        assert sound(laidian)


async def test_a_schema_that_is_newer_keeps_the_server_from_starting(provider: SimulatedProvider) -> None:
    with served(provider, setup=PREPAID) as laidian:
        laidian.stop()
        laidian.write("PRAGMA user_version = 999")
        refused = laidian.launch()
        assert refused.wait(20) != 0
        assert "written by a newer LaiDian" in laidian.log()
        assert "Traceback" not in laidian.log()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path | None]:
    """A file system of its own; None where this user may not mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=0700", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


async def test_a_full_disk_refuses_before_the_upstream_is_asked_and_books_the_rest_when_space_returns(
    provider: SimulatedProvider, small_disk: Path | None, tmp_path: Path
) -> None:
    """Where nothing can be mounted, a writer who does not let go stands for the disk: the ledger hears the same."""
    with served(provider, setup=PREPAID, root=(small_disk or tmp_path) / "data") as laidian:
        async with streaming(laidian, "[[tokens:400]] [[pace:5]]") as answer:
            with unwritable(laidian, small_disk):
                refused = await ask(laidian, chat("[[tokens:5]]"))
                while refused.status_code == 200:  # what was free in the log's file is used up first
                    refused = await ask(laidian, chat("[[tokens:5]]"))
                assert refused.status_code == 503
                assert refused.json()["error"]["code"] == "storage_unavailable"
                seen = len(provider.requests())
                assert (await ask(laidian, chat("[[tokens:5]]"))).status_code == 503
                assert len(provider.requests()) == seen, "the upstream was asked for what cannot be booked"
                text = (await answer.aread()).decode()
                assert text.endswith("data: [DONE]\n\n"), "what runs is not spoiled"
        laidian.wait_settled()
        assert (await ask(laidian, chat("[[tokens:5]]"))).status_code == 200
        records = laidian.records()
        assert laidian.record(answer.headers["x-request-id"]).ended == "complete"
        assert against_the_bill(records, provider.bill().rows) == []
        assert sound(laidian)


@contextlib.contextmanager
def unwritable(laidian: Served, disk: Path | None) -> Iterator[None]:
    if disk is None:
        with laidian.database() as stranger:
            stranger.execute("PRAGMA query_only = OFF")
            stranger.execute("BEGIN IMMEDIATE")
            yield
            stranger.execute("ROLLBACK")
        return
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    yield
    ballast.unlink()
