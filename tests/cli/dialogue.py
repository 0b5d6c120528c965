"""A conversation with a command on a terminal of its own: wait for a question, type an answer, as a person would."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import time
from collections.abc import Sequence

import pytest

from tests.cli.running import environment
from tests.program import program

PATIENCE_S = 60.0


class Dialogue:
    """`python -m laidian …` on a pty. `expect` waits until the terminal got a text that was not there before."""

    def __init__(self, arguments: Sequence[str], **variables: str) -> None:
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            command = program(*arguments)
            os.execve(command[0], command, environment(TERM="xterm", **variables))
        self._seen, self._at = "", 0

    @property
    def seen(self) -> str:
        return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", self._seen).replace("\r\n", "\n")

    def expect(self, text: str) -> None:
        limit = time.monotonic() + PATIENCE_S
        while (found := self._seen.find(text, self._at)) < 0:
            if not self._read(limit):
                pytest.fail(f"it ended before {text!r}:\n{self.seen}")
        self._at = found + len(text)

    def type(self, text: str) -> None:
        os.write(self._terminal, f"{text}\n".encode())

    def answer(self, question: str, text: str) -> None:
        """Answers a prompt that ends with a colon."""
        self.expect(question)
        self.expect(": ")
        self.type(text)

    def end(self) -> int:
        """The exit code, once it has ended by itself."""
        limit = time.monotonic() + PATIENCE_S
        while self._read(limit):
            pass
        os.close(self._terminal)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def _read(self, limit: float) -> bool:
        """Takes what comes. False at its end."""
        while time.monotonic() < limit:
            if not select.select([self._terminal], [], [], 0.2)[0]:
                continue
            try:
                part = os.read(self._terminal, 65_536)
            except OSError:  # the other end is closed
                return False
            self._seen += part.decode(errors="replace")
            return bool(part)
        os.kill(self.pid, signal.SIGKILL)
        pytest.fail(f"nothing came within {PATIENCE_S:g} s:\n{self.seen}")
