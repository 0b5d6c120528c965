"""What the dashboard costs: on a real terminal (a pty), in front of a running server, counted by /proc.

    scripts/bench/console_data FOLDER          # once: a million records, two thousand keys
    scripts/bench/dashboard FOLDER [--seconds 20] [--size 100x30] [--wanted]

Prints processor time and wall time to the first picture and to the first figures, the time until each tab stands after its key, the
memory, the bytes a terminal gets, and the share of a core at one refresh a second, in front and not in front. Two refused requests a
second keep the picture changing meanwhile. `--wanted`: exits 1 when a figure is above what is wanted.

The rule a newcomer would break: a tab stands when its own words have come and the terminal has been quiet for a moment, not when its
key was sent.
"""

import argparse
import contextlib
import fcntl
import http.client
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import sysconfig
import tempfile
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from scripts.bench import instance
from scripts.bench.processes import Unable, running

TICKS = os.sysconf("SC_CLK_TCK")
TABS = (("2", "keys", "Last used"), ("3", "groups", "Mult"), ("4", "quotas", "Windows"), ("5", "upstreams", "Prio"),
        ("6", "models", "USD per 1 M"), ("7", "live", "following"), ("8", "usage", "by time"), ("0", "settings", "Setting "),
        ("1", "dashboard", "Attention"))  # fmt: skip
"""Keys, tabs, and words that stand on that tab alone; the doctor replays the whole ledger, which is another measurement."""
QUIET_S = 0.15
LIMIT_S = 60.0
WANTED = {"first paint, processor s": 0.7, "slowest tab, ms": 200, "memory, MB": 60, "in front, % of a core": 6,
          "not in front, % of a core": 1}  # fmt: skip


class Terminal:
    """The dashboard in a pty of its own."""

    def __init__(self, data: Path, size: tuple[int, int]) -> None:
        columns, lines = size
        self.bytes = 0
        self.begun = time.perf_counter()
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            variables = {**instance.environment(), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
            program = [sys.executable, "-m", "laidian", "tui", "--data", str(data), "--lang", "en"]
            os.execve(sys.executable, program, variables)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def read(self, seconds: float) -> str:
        """What comes within that time, without the terminal's own sequences."""
        got = b""
        until = time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0:
            if not select.select([self._master], [], [], left)[0]:
                break
            try:
                piece = os.read(self._master, 65_536)
            except OSError:
                raise Unable(f"the dashboard ended:\n{_plain(got)[-2000:]}") from None
            self.bytes += len(piece)
            got += piece
            if seconds == QUIET_S:
                until = time.perf_counter() + seconds
        return _plain(got)

    def until(self, text: str) -> float:
        """Seconds until a text has come. Raises Unable when it does not."""
        begun, got = time.perf_counter(), ""
        while text not in got:
            if time.perf_counter() - begun > LIMIT_S:
                raise Unable(f"{text!r} did not come in {LIMIT_S:g} s; the last was:\n{got[-2000:]}")
            got += self.read(0.02)
        return time.perf_counter() - begun

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory_mb(self) -> float:
        found = re.search(r"^Rss: +(\d+)", Path(f"/proc/{self.pid}/smaps_rollup").read_text(), re.MULTILINE)
        return int(found.group(1)) / 1024 if found else 0.0

    def share(self, seconds: float) -> tuple[float, float]:
        """Percent of a core, and bytes a second, over that time."""
        cpu, sent, begun = self.cpu_s(), self.bytes, time.perf_counter()
        while time.perf_counter() - begun < seconds:
            self.read(0.5)
        passed = time.perf_counter() - begun
        return 100 * (self.cpu_s() - cpu) / passed, (self.bytes - sent) / passed

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError, OSError):
            self.press("q")
            for _ in range(50):
                if os.waitpid(self.pid, os.WNOHANG)[0]:
                    return
                with contextlib.suppress(Unable):
                    self.read(0.1)
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


def _plain(raw: bytes) -> str:
    return re.sub(r"\x1b(?:\[[0-9;?<>=]*[ -/]*[@-~]|\][^\x07]*\x07|[@-_])", "", raw.decode(errors="replace"))


def measure(data: Path, size: tuple[int, int], seconds: float, port: int) -> dict[str, float]:
    found: dict[str, float] = {}
    terminal = Terminal(data, size)
    try:
        terminal.until("Dash")
        found["first paint, s"] = time.perf_counter() - terminal.begun
        found["first paint, processor s"] = terminal.cpu_s()
        terminal.until("serving")
        found["first figures, s"] = time.perf_counter() - terminal.begun
        found["first figures, processor s"] = terminal.cpu_s()
        terminal.read(2)
        for visit in ("first", "second"):
            for key, tab, word in TABS:
                terminal.read(0.3)
                cpu, begun = terminal.cpu_s(), time.perf_counter()
                terminal.press(key)
                terminal.until(word)
                found[f"{visit} visit, {key} {tab}, ms"] = 1000 * (time.perf_counter() - begun)
                terminal.read(QUIET_S)
                found[f"{visit} visit, {key} {tab}, processor ms"] = 1000 * (terminal.cpu_s() - cpu)
        found["slowest tab, ms"] = max(value for name, value in found.items() if name.endswith(", ms"))
        with traffic(port):
            terminal.read(3)
            found["in front, % of a core"], found["in front, bytes/s"] = terminal.share(seconds)
            terminal.press("\x1b[O")
            terminal.read(3)
            found["not in front, % of a core"], found["not in front, bytes/s"] = terminal.share(seconds)
            terminal.press("\x1b[I")
        found["memory, MB"] = terminal.memory_mb()
    finally:
        terminal.end()
    return found


@contextlib.contextmanager
def traffic(port: int) -> Iterator[None]:
    """Two requests a second with a credential of nobody: refused, and told to whoever listens."""
    stop = threading.Event()

    def call() -> None:
        while not stop.wait(0.5):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            with contextlib.suppress(OSError, http.client.HTTPException):
                headers = {"authorization": "Bearer sk-nobody", "content-type": "application/json"}
                connection.request(
                    "POST", "/v1/chat/completions", b'{"model":"gpt-5.4","messages":[]}', headers
                )
                connection.getresponse().read()
            connection.close()

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def _compile_packages() -> None:
    """As the one file has them, also where the environment was made without bytecode."""
    packages = Path(sysconfig.get_paths()["purelib"])
    subprocess.run([sys.executable, "-m", "compileall", "-q", "-j", "1", str(packages)], check=False)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--size", default="100x30")
    parser.add_argument("--wanted", action="store_true")
    given = parser.parse_args()
    columns, _, lines = given.size.partition("x")
    checkout = Path(__file__).resolve().parents[2]
    instance.compile_bytecode(checkout)
    _compile_packages()
    try:
        with (
            tempfile.TemporaryDirectory() as logs,
            running(
                "laidian",
                port := _free_port(),
                instance.command(given.folder, port),
                Path(logs) / "log",
                environment=instance.environment(),
                folder=checkout,
            ) as server,
        ):
            server.wait_until_it_answers("/health/ready")
            found = measure(given.folder, (int(columns), int(lines)), given.seconds, server.port)
    except Unable as error:
        sys.exit(f"error: {error}")
    for name, value in found.items():
        wanted = WANTED.get(name)
        print(f"{name:<44} {value:8.2f}" + (f"   wanted < {wanted:g}" if wanted is not None else ""))
    if given.wanted and any(found[name] > limit for name, limit in WANTED.items()):
        sys.exit(1)


if __name__ == "__main__":
    main()
