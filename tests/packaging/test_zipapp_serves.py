"""`python3 laidian.pyz demo` from an empty cache: it answers, with worker processes of every kind, and goes away whole."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.program import BARE_PYTHON

pytestmark = [pytest.mark.xdist_group("zipapp"), pytest.mark.timeout(180)]


def wait_for_answer(url: str, process: subprocess.Popen[bytes], log: Path, within_s: float) -> int:
    """The status of the first answer. Fails with the server's own words if it ends or stays silent."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        assert process.poll() is None, f"exit code {process.returncode}: {log.read_text()}"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status
        except OSError:
            time.sleep(0.05)  # nothing tells when another process begins to listen
    pytest.fail(f"no answer from {url} within {within_s} s: {log.read_text()}")


def group_members(group: int) -> list[int]:
    """Processes of a group that are not yet gone, from /proc/*/stat (field 5 is the group; Z is a corpse)."""
    found: list[int] = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, member_of = stat.read_text().rpartition(")")[2].split()[:3]
            if int(member_of) == group and state != "Z":
                found.append(int(stat.parent.name))
    return found


def wait_for_members(group: int, accepted: Callable[[list[int]], bool], within_s: float) -> list[int]:
    """The group's processes once `accepted` says yes, or at the end of the time. Nobody tells about processes not our children."""
    until = time.monotonic() + within_s
    while not accepted(members := group_members(group)) and time.monotonic() < until:
        time.sleep(0.02)
    return members


@contextlib.contextmanager
def served(
    archive: Path, tmp_path: Path, *, workers: int, flag: str, **environment: str
) -> Iterator[tuple[str, int]]:
    """Base URL and process group of a running demo; asserts at the end that it stops when told and leaves no process."""
    port, log = free_port(), tmp_path / "log"
    command = [
        BARE_PYTHON,
        flag,
        archive,
        "demo",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--data",
        tmp_path / "data",
    ]
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [*command, "--workers", str(workers)],
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path / "home"), **environment},
            cwd=tmp_path,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        assert wait_for_answer(f"{url}/health", process, log, within_s=60) == 200
        yield url, process.pid
        process.send_signal(signal.SIGTERM)
        # A worker that is still starting may miss the signal; Granian kills it after the drain and some grace (38 s).
        assert process.wait(timeout=60) == 0, log.read_text()
        # multiprocessing's resource tracker (spawn, forkserver) ends just after the parent whose pipe it reads.
        assert wait_for_members(process.pid, lambda members: not members, within_s=10) == []
        assert "Traceback" not in log.read_text()
    finally:
        if group_members(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=10)


def look_at_the_pages(url: str) -> None:
    """Words, style, script and icon are data files: every page and what it links to is in the archive."""
    for page in ("/", "/models", "/status?lang=zh", "/key"):
        request = urllib.request.Request(url + page, headers={"Accept": "text/html"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            document = answer.read().decode()
        for link in re.findall(r'"(/assets/[^"]+)"', document):
            with urllib.request.urlopen(url + link, timeout=60) as answer:
                assert answer.status == 200


def test_the_demo_answers_from_an_empty_cache_with_nothing_else_installed(
    archive: Path, home: Path, tmp_path: Path
) -> None:
    with (
        served(archive, tmp_path, workers=1, flag="-S") as (url, _),
        urllib.request.urlopen(f"{url}/health/ready", timeout=10) as answer,
    ):
        assert answer.status == 200
        look_at_the_pages(url)
    assert {path.name for path in home.iterdir()} == {".cache"}
    assert (tmp_path / "data" / "laidian.db").is_file()
    assert {path.name for path in tmp_path.iterdir()} == {"home", "data", "log"}


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_worker_processes_find_the_unpacked_files(
    archive: Path, home: Path, tmp_path: Path, method: str
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    # Read at the start of every Python that runs without -S, so that the server's own choice is the only thing not under test.
    (site / "sitecustomize.py").write_text(
        f"import multiprocessing\nmultiprocessing.set_start_method({method!r}, force=True)\n"
    )
    with served(archive, tmp_path, workers=2, flag="-s", PYTHONPATH=str(site)) as (_, group):
        assert (
            len(wait_for_members(group, lambda members: len(members) >= 3, within_s=30)) >= 3
        )  # the parent, two workers
