"""What a start leaves in the process that becomes the parent of the workers, and what it says of a folder that is set up already."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from laidian.errors import Conflict
from laidian.server.apart import apart
from tests.cli.running import call
from tests.ports import free_port
from tests.program import ROOT, die_with_the_test, program, surroundings
from tests.served import wait_until

HEAVY = (
    "laidian.store",
    "laidian.admin",
    "laidian.domain.price_book",
    "cryptography",
    "sqlite3",
    "litestar",
    "tui",
)


def test_the_parent_of_the_workers_imports_nothing_that_only_a_start_needs() -> None:
    script = f"import sys, laidian.server.start\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    seen = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT)},
        check=True,
    )
    assert seen.stdout.split() == []


def test_what_is_done_apart_leaves_nothing_in_this_process_and_its_error_arrives_whole() -> None:
    seen: list[int] = []

    def fail() -> None:
        seen.append(1)
        raise Conflict("the name `a` exists", param="name", code="taken")

    with pytest.raises(Conflict) as caught:
        apart(fail)
    assert (caught.value.message, caught.value.param, caught.value.code) == (
        "the name `a` exists",
        "name",
        "taken",
    )
    assert seen == []


def test_an_error_that_cannot_be_handed_over_is_told_as_text() -> None:
    class Local(Exception):
        pass

    def fail() -> None:
        raise Local("of this function alone")

    with pytest.raises(RuntimeError, match="Local: of this function alone"):
        apart(fail)


def test_work_that_was_killed_ends_the_start() -> None:
    with pytest.raises(SystemExit) as caught:
        apart(lambda: os.kill(os.getpid(), signal.SIGKILL))
    assert "(Killed)" in str(caught.value.code), "said on stderr, with exit code 1"


@pytest.mark.parametrize("upstreams", [0, 1])
def test_a_first_start_says_what_to_do_next_unless_it_was_done(tmp_path: Path, upstreams: int) -> None:
    data, log = tmp_path / "data", tmp_path / "log"
    if upstreams:
        added = call(
            "upstream",
            "add",
            "mine",
            "--kind",
            "openai",
            "--api-key-stdin",
            "--data",
            str(data),
            stdin="sk-x",
        )
        assert added.code == 0, added
    with log.open("wb") as sink:
        process = subprocess.Popen(
            program("serve", "--data", str(data), "--port", str(free_port())),
            env=surroundings(HOME=str(tmp_path)),
            stdout=sink,
            stderr=sink,
            preexec_fn=die_with_the_test,
        )
    try:
        wait_until(lambda: (data / "run" / "serve.json").exists() or process.poll() is not None, "it serves")
        greeting = log.read_text()
        assert "admin token" in greeting
        assert ("laidian upstream add" in greeting) == (not upstreams)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
