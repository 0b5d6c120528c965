"""Runs the command line: in this process where that is enough, as a process of its own where it matters."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from laidian.cli import main
from tests.ports import free_port
from tests.program import program, surroundings

PYTHON = sys.executable
OURS = ("LAIDIAN_", "OPENAI_", "GEMINI_", "ANTHROPIC_")
CTRL_C = "\x03"


class Outcome(msgspec.Struct, frozen=True):
    code: int
    out: str
    err: str

    def json(self) -> Any:
        assert self.code in (0, 3), self
        return msgspec.json.decode(self.out)


def environment(**more: str) -> dict[str, str]:
    """This process's, without what would make a test depend on the machine."""
    said = {"NO_COLOR", "COLUMNS", "FORCE_COLOR", "TERM"}
    return {name: value for name, value in surroundings().items() if name not in said} | more


def call(*arguments: str, stdin: str = "") -> Outcome:
    """`laidian …` in this process, with no terminal anywhere."""
    out, err = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        patch.setattr(sys, "stdin", io.StringIO(stdin))
        code = main(list(arguments))
    return Outcome(int(code), out.getvalue(), err.getvalue())


def spawn(*arguments: str, stdin: str = "", **variables: str) -> Outcome:
    """`laidian …` as a process."""
    done = subprocess.run(
        program(*arguments),
        input=stdin,
        capture_output=True,
        text=True,
        env=environment(**variables),
        timeout=60,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def on_terminal(arguments: Sequence[str], typed: str = "", **variables: str) -> tuple[int, str]:
    """`laidian …` on a terminal of its own: exit code, and everything the terminal got. `typed` follows the first output."""
    pid, terminal = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # whoever started the tests behind an & has it ignored
        command = program(*arguments)
        os.execve(command[0], command, environment(TERM="xterm", **variables))
    seen = b""
    until = time.monotonic() + 60
    waiting = typed.encode()
    try:
        while time.monotonic() < until:
            if not select.select([terminal], [], [], 0.2)[0]:
                if typed == CTRL_C and not waiting:
                    os.write(
                        terminal, typed.encode()
                    )  # a signal just before read() is lost until there is input
                continue
            try:
                part = os.read(terminal, 65_536)
            except OSError:  # the other end is closed: the process has ended
                break
            if not part:
                break
            seen += part
            if waiting and seen.rstrip().endswith(b":"):
                os.write(terminal, waiting)
                waiting = b""
        else:
            os.kill(pid, signal.SIGKILL)
            pytest.fail(f"no end within 60 s: {seen!r}")
    finally:
        os.close(terminal)
        _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), seen.decode(errors="replace")


class Serving(msgspec.Struct, frozen=True):
    url: str
    data: Path
    process: subprocess.Popen[bytes]


@contextlib.contextmanager
def demo(data: Path) -> Iterator[Serving]:
    """`laidian demo` on a free port of loopback, until the block ends."""
    port, log = free_port(), data.parent / "demo.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            program("demo", "--port", str(port), "--data", str(data)),
            stdout=file,
            stderr=file,
            env=environment(),
            start_new_session=True,
        )
    try:
        _wait_for(port, process, log)
        yield Serving(f"http://127.0.0.1:{port}", data, process)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)  # nothing tells when another process begins to listen
    pytest.fail(f"the demo did not start: {log.read_text()}")
