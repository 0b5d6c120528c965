"""The sdist and the wheel: what `pip install`, `pipx` and `uv tool` get, and what the Containerfile takes."""

from __future__ import annotations

import contextlib
import email
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import httpx2
import pytest

from tests.ports import free_port
from tests.program import ROOT, die_with_the_test
from tests.served import wait_until

pytestmark = [pytest.mark.xdist_group("distributions"), pytest.mark.timeout(600)]


def built(checkout: Path, into: Path, *targets: str) -> list[Path]:
    """By the locked hatchling, without a build environment of its own."""
    command = [sys.executable, "-m", "hatchling", "build", "-d", into]
    for target in targets:
        command += ["-t", target]
    subprocess.run(
        command, cwd=checkout, env={"PATH": "/usr/bin:/bin"}, check=True, capture_output=True, timeout=120
    )
    return sorted(into.iterdir())


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The wheel and the sdist."""
    wheel, sdist = built(ROOT, tmp_path_factory.mktemp("distributions"), "sdist", "wheel")
    return wheel, sdist


def test_the_sdist_is_a_whole_checkout_and_builds_the_same_wheel(
    distributions: tuple[Path, Path], tmp_path: Path
) -> None:
    wheel, sdist = distributions
    with tarfile.open(sdist) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # 3.11.4 and later
        archive.extractall(tmp_path)
    (checkout,) = tmp_path.iterdir()
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert tracked
    assert [name for name in tracked if not (checkout / name).is_file() and (ROOT / name).is_file()] == []
    for name in ("scripts/serve", "scripts/test", ".ci/run"):
        assert os.access(checkout / name, os.X_OK), name
    (again,) = built(checkout, tmp_path / "again", "wheel")
    assert again.read_bytes() == wheel.read_bytes()


def test_the_wheel_holds_the_two_packages_with_their_data_and_nothing_else(
    distributions: tuple[Path, Path],
) -> None:
    with zipfile.ZipFile(distributions[0]) as archive:
        names = set(archive.namelist())
    ours = {
        path.relative_to(ROOT).as_posix()
        for package in ("laidian", "tui")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert ours <= names
    assert {name.partition("/")[2] for name in names - ours} == {
        "METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE",
    }  # fmt: skip


def test_what_the_wheel_requires_is_what_is_locked(distributions: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(distributions[0]) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        about = email.message_from_bytes(archive.read(name))
    locked = {
        line.partition("==")[0] for line in (ROOT / "requirements" / "run.txt").read_text().splitlines()
    }
    required = {re.split(r"[^A-Za-z0-9_.-]", line)[0] for line in about.get_all("Requires-Dist", [])}
    assert required
    assert required <= locked
    assert about["Requires-Python"] == ">=3.11"
    assert about["License-Expression"] == "MIT"


def test_the_installed_command_serves_the_demo(distributions: tuple[Path, Path], tmp_path: Path) -> None:
    """In a fresh environment: the locked packages, then the wheel."""
    place = tmp_path / "venv"
    venv.create(place, with_pip=True)
    pip = [
        place / "bin" / "python",
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "--quiet",
        "--no-deps",
    ]
    lock = ROOT / "requirements" / "run.txt"
    locked = subprocess.run(
        [*pip, "--require-hashes", "--only-binary", ":all:", "--no-compile", "-r", lock],
        capture_output=True,
        text=True,
        check=False,
    )
    if locked.returncode and "No matching distribution" in locked.stderr:
        pytest.skip(f"no package index can be reached: {locked.stderr.splitlines()[-1]}")
    assert locked.returncode == 0, locked.stderr
    subprocess.run([*pip, "--no-index", distributions[0]], check=True)

    port, log = free_port(), tmp_path / "log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [place / "bin" / "laidian", "demo", "--port", str(port)],
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "TMPDIR": str(tmp_path)},
            cwd=tmp_path,
            stdout=sink,
            stderr=sink,
            preexec_fn=die_with_the_test,
        )
    wait_until(lambda: process.poll() is not None or b"Try it" in log.read_bytes(), "it greets", 120)
    told = re.search(r"key +(sk-\w+)", log.read_text())
    assert told, log.read_text()
    body = {"model": "gpt-5.4", "messages": [{"role": "user", "content": "Hello"}]}
    answers: list[httpx2.Response] = []

    def answered() -> bool:
        with contextlib.suppress(httpx2.ConnectError):
            address = f"http://127.0.0.1:{port}/v1/chat/completions"
            answers.append(
                httpx2.post(address, json=body, headers={"Authorization": f"Bearer {told[1]}"}, timeout=60)
            )
        return bool(answers)

    wait_until(lambda: process.poll() is not None or answered(), "it answers", 60)
    assert answers, log.read_text()
    assert answers[0].status_code == 200, answers[0].text
    assert "[simulated]" in answers[0].json()["choices"][0]["message"]["content"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


# The Containerfile: no image can be had to build it on; scripts/clean_machine does what it says, and this judges how it says it


def steps() -> dict[str, str]:
    text = (ROOT / "scripts" / "Containerfile").read_text()
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    joined = re.sub(r"\\\n\s*", "", lines).splitlines()
    return {line.split(maxsplit=1)[0]: line.split(maxsplit=1)[1] for line in joined if line.strip()}


def test_the_containerfile_takes_one_file_and_runs_it_as_a_user_who_owns_nothing_but_the_volume() -> None:
    said = steps()
    assert set(said) == {
        "FROM", "COPY", "ENV", "RUN", "VOLUME", "USER", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD",
    }  # fmt: skip
    assert re.fullmatch(r"python:3\.1[1-4]-slim", said["FROM"])
    assert said["COPY"] == "laidian.pyz /opt/laidian.pyz"
    user, _, group = said["USER"].partition(":")
    assert int(user) > 0
    assert f"-o {user} -g {group} -m 700 {said['VOLUME']}" in said["RUN"]
    assert f"LAIDIAN_DATA={said['VOLUME']}" in said["ENV"].split()
    assert json.loads(said["ENTRYPOINT"]) == ["laidian"]
    assert json.loads(said["CMD"])[0] == "serve"
    check = json.loads(said["HEALTHCHECK"].partition(" CMD ")[2])
    compile(check[-1], "healthcheck", "exec")
    assert f":{said['EXPOSE']}/health" in check[-1]
