"""The process: silent, dependent on its parent, and never survived by its worker."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.simulated_provider import simulated_provider, wait_until_it_answers

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-m", "laidian.simulated.serve", sys.argv[1]])
print(child.pid, flush=True)
time.sleep(60)
"""


def serving(port: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "laidian.simulated.serve", str(port)]
    return subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_until_gone(pid: int) -> None:
    """Return when the process has ended; whoever it belongs to, the kernel tells."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        readable, _, _ = select.select([descriptor], [], [], 10)
        assert readable, f"process {pid} is still there after 10 s"
    finally:
        os.close(descriptor)


def test_it_prints_nothing_and_stops_on_sigterm() -> None:
    port = free_port()
    process = serving(port)
    wait_until_it_answers("127.0.0.1", port, process)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=10)
    assert out == b""


def test_a_request_that_hangs_does_not_hold_up_a_stop() -> None:
    with simulated_provider() as provider:
        body = b'{"model":"gpt-5.4","messages":[{"role":"user","content":"[[fault:hang]]"}]}'
        head = "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer sim-x\r\n"
        with socket.create_connection((provider.host, provider.port), timeout=10) as connection:
            connection.sendall(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
            provider.requests(count=1)
            provider.process.send_signal(signal.SIGTERM)
            provider.process.wait(4)
            assert b"200" not in connection.recv(1_000)


def test_a_killed_main_process_leaves_no_worker() -> None:
    port = free_port()
    process = serving(port)
    wait_until_it_answers("127.0.0.1", port, process)
    workers = children_of(process.pid)
    assert workers
    process.kill()
    process.communicate(timeout=10)
    for worker in workers:
        wait_until_gone(worker)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=2)


def test_it_dies_with_its_parent() -> None:
    port = free_port()
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(port)], env=ENVIRONMENT, stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    main = int(parent.stdout.readline())
    wait_until_it_answers("127.0.0.1", port, parent)
    family = [main, *children_of(main)]
    assert len(family) > 1
    parent.kill()
    parent.communicate(timeout=10)
    for pid in family:
        wait_until_gone(pid)


def test_the_package_stands_alone() -> None:
    code = (
        "import sys, laidian.simulated.app;"
        "print(sorted(n for n in sys.modules if n.startswith('laidian.') and not n.startswith('laidian.simulated')));"
        "print('granian' in sys.modules, 'litestar' in sys.modules, 'httpx2' in sys.modules)"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    assert out.stdout == "[]\nFalse False False\n"
