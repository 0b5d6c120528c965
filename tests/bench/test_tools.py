"""The yardstick's own parts, without any timing: what it counts as an answer must be one."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from scripts.bench import upstream
from scripts.bench.dashboard_weight import TABS
from scripts.bench.load import Plan, fault_of_answer, fault_of_stream, load, unchunked
from scripts.bench.processes import Unable, running, tree


class Wrong(asyncio.Protocol):
    """Answers every request with the same prepared bytes."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.link = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.link.write(self.answer)


@pytest.fixture
async def provider() -> AsyncIterator[int]:
    server = await asyncio.get_running_loop().create_server(upstream.Provider, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


@pytest.mark.parametrize("stream", [False, True])
async def test_every_request_of_a_plan_is_answered_and_counted(provider: int, stream: bool) -> None:
    report = await load(Plan(provider, stream=stream, connections=4, seconds=30, requests=40))
    assert (report.answers, report.errors, report.first_error) == (40, 0, "")
    assert report.bytes > 40 * 970
    assert 0 < report.first_byte_p50_ms <= report.p50_ms <= report.p99_ms


async def test_a_paced_stream_comes_chunk_by_chunk(provider: int) -> None:
    report = await load(Plan(provider, stream=True, interval_ms=1, connections=1, seconds=30, requests=1))
    assert (report.answers, report.errors) == (1, 0)
    assert report.p50_ms >= upstream.CHUNKS - 1 > report.first_byte_p50_ms


@pytest.mark.parametrize(
    ("answer", "stream", "why"),
    [
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno", False, "status 500"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", False, "not the upstream's"),
        (upstream.ANSWER + b"x", False, "not the upstream's"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
            True,
            "did not end with [DONE]",
        ),
    ],
)
async def test_a_wrong_answer_is_an_error(answer: bytes, stream: bool, why: str) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Wrong(answer), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    report = await load(Plan(port, stream=stream, connections=1, seconds=30, requests=2))
    server.close()
    assert (report.answers, report.errors, report.bytes) == (0, 2, 0)
    assert why in report.first_error


def test_a_stream_with_a_chunk_missing_or_with_usage_unasked_is_wrong() -> None:
    whole = unchunked(upstream._AT_ONCE[False].partition(b"\r\n\r\n")[2])
    assert whole is not None
    assert fault_of_stream(whole) == ""
    assert "99 chunks" in fault_of_stream(whole.partition(b"\n\n")[2])
    with_usage = unchunked(upstream._AT_ONCE[True].partition(b"\r\n\r\n")[2])
    assert with_usage is not None
    assert "usage" in fault_of_stream(with_usage)


def test_the_prepared_answer_is_a_chat_completion_of_970_bytes() -> None:
    body = upstream.ANSWER.partition(b"\r\n\r\n")[2]
    assert len(body) == 970
    assert json.loads(body)["usage"]["completion_tokens"] > 0
    assert fault_of_answer(body) == ""


def test_a_body_that_only_looks_ended_is_not() -> None:
    assert unchunked(b"7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n") == b"\r\n0\r\n\r\n"
    assert unchunked(b"a\r\n\r\n0\r\n\r\n") is None


def test_a_taken_port_is_refused_and_nothing_is_started(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(Unable, match=str(port)),
            running("any", port, [sys.executable], tmp_path / "log"),
        ):
            pass
    assert not (tmp_path / "log").exists()


async def _ended(pid: int) -> bool:
    """Whether a process that was killed ends, or waits for its parent to notice."""
    for _ in range(1_000):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        await asyncio.sleep(0.005)
    return False


async def test_a_server_is_weighed_with_its_children_and_ended_with_them(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "scripts.bench.upstream", "--port", str(port)]
    shell = ["sh", "-c", f"{' '.join(command)} & wait"]
    with running("upstream", port, shell, tmp_path / "log") as server:
        server.wait_until_it_answers("/v1/models")
        pids = tree(server.pid)
        assert len(pids) == 2
        assert server.cpu_s() > 0
        memory = server.memory()
        assert memory.processes == 2
        assert 0 < memory.pss <= memory.rss
    for pid in pids:
        assert await _ended(pid)


def test_the_comparison_says_what_it_takes() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.bench.compare", "--cases", "nonsense"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "the cases are plain, paced, unpaced" in done.stderr
    assert "Traceback" not in done.stderr


def test_each_word_that_the_dashboards_yardstick_waits_for_stands_on_its_tab_alone() -> None:
    folder = Path(__file__).parents[1] / "tui" / "snapshots"
    pictures = {tab: (folder / f"{tab}.en.txt").read_text() for _, tab, _ in TABS}
    for key, tab, word in TABS:
        assert {name for name, picture in pictures.items() if word in picture} == {tab}, key
