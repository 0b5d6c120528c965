"""Processes of a measurement: started, waited for, weighed by what /proc says of their whole tree, and ended by their ids.

The rule a newcomer would break: a server is its parent and all its children, and a child that ended has its time in the
parent's `cutime`; only the sum of everything is what a request costs. Linux only.
"""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

START_LIMIT_S = 30.0
STOP_LIMIT_S = 15.0
LOOK_S = 0.005
_TICKS = os.sysconf("SC_CLK_TCK")


class Unable(Exception):
    """The measurement cannot begin or go on; the message says why and what to do."""


class Memory(msgspec.Struct, frozen=True):
    """What a tree of processes occupies, in bytes."""

    rss: int
    """Resident, shared pages counted once for each process."""
    pss: int
    """Resident, shared pages divided among those who share them."""
    processes: int


class Server:
    """One started program and everything it started."""

    def __init__(self, name: str, port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.name = name
        self.port = port
        self.log = log
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    def cpu_s(self) -> float:
        """Processor time of the tree since it began, user and system, ended children included."""
        return sum(_cpu_s(pid) for pid in tree(self.pid))

    def memory(self) -> Memory:
        """Raises Unable when the kernel does not tell."""
        pids = tree(self.pid)
        sums = {"Rss:": 0, "Pss:": 0}
        for pid in pids:
            try:
                rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            except OSError as error:
                raise Unable(f"The memory of process {pid} cannot be read: {error}.") from None
            for line in rollup.splitlines():
                name, *values = line.split()
                if name in sums:
                    sums[name] += int(values[0]) * 1024
        return Memory(sums["Rss:"], sums["Pss:"], len(pids))

    def wait_until_it_answers(self, path: str) -> float:
        """Seconds from now to the first 200. Raises Unable when it ends before or takes too long."""
        begun = time.perf_counter()
        while time.perf_counter() - begun < START_LIMIT_S:
            if self._process.poll() is not None:
                raise Unable(
                    f"{self.name} ended with status {self._process.returncode}:\n{self.log.read_text()[-2000:]}"
                )
            if _status(self.port, path) == 200:
                return time.perf_counter() - begun
            time.sleep(LOOK_S)
        raise Unable(
            f"{self.name} did not answer {path} within {START_LIMIT_S:g} s:\n{self.log.read_text()[-2000:]}"
        )

    def stop(self) -> None:
        """Asks it to end, waits, and kills by their ids those of its tree that do not."""
        begun = {pid: _begun(pid) for pid in tree(self.pid)[1:]}
        self._process.terminate()
        try:
            self._process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pid, at in begun.items():
            if (
                at is not None and _begun(pid) == at
            ):  # still the same process, not another that got its number
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def running(
    name: str,
    port: int,
    command: Sequence[str],
    log: Path,
    *,
    environment: Mapping[str, str] | None = None,
    core: int | None = None,
    folder: Path | None = None,
) -> Iterator[Server]:
    """A program for the length of a block, on one core if named, started in `folder`; what it prints goes to `log`."""
    if _listens(port):
        raise Unable(
            f"Something listens on 127.0.0.1:{port} already. End it, or choose other ports with --base-port."
        )
    pinned = [] if core is None else ["taskset", "--cpu-list", str(core)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*pinned, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,
            env=environment,
        )
    server = Server(name, port, process, log)
    try:
        yield server
    finally:
        server.stop()


def tree(pid: int) -> list[int]:
    """A process and its descendants, itself first."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        fields = _stat(entry.name) if entry.name.isdigit() else None
        if fields is not None:
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for parent in found:
        found += children.get(parent, [])
    return found


def busy_s() -> float:
    """Processor time that the whole machine has spent working, for telling how much of it is others'."""
    user, nice, system, _, _, irq, softirq, *_ = (
        int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    )
    return (user + nice + system + irq + softirq) / _TICKS


def _stat(pid: str) -> list[str] | None:
    """The fields of /proc/PID/stat from the state on (proc(5)); None when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def _begun(pid: int) -> str | None:
    """When a process began, in ticks since the boot (field 22); None when it has ended, whether or not its parent noticed."""
    fields = _stat(str(pid))
    return None if fields is None or fields[0] == "Z" else fields[19]


def _cpu_s(pid: int) -> float:
    fields = _stat(str(pid))
    # utime, stime, cutime, cstime: fields 14 to 17 of proc(5), which counts from 1 and from the pid
    return sum(int(word) for word in fields[11:15]) / _TICKS if fields else 0.0


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _status(port: int, path: str) -> int | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
