"""scripts/serve and scripts/test on machines that lack something, and the promises of README and CI about them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.program import ROOT


def fake_python(folder: Path, script: str) -> Path:
    python = folder / "python3"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    return python


def serve_with(python: Path, venv: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "scripts" / "serve", "--demo"],
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(venv.parent),
            "PYTHON": str(python),
            "LAIDIAN_VENV": str(venv),
        },
        cwd=venv.parent,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_python_that_is_too_old_is_named_with_its_version_and_the_cure(tmp_path: Path) -> None:
    python = fake_python(tmp_path, 'case "$2" in *print*) echo 3.9 ;; *) exit 1 ;; esac')
    seen = serve_with(python, tmp_path / "venv")
    assert seen.returncode == 1
    assert seen.stdout == ""
    assert "Python 3.11 or newer is needed" in seen.stderr
    assert f"{python} is 3.9" in seen.stderr
    assert seen.stderr.count("\n") == 1
    assert not (tmp_path / "venv").exists()


def test_a_python_without_venv_names_the_package_to_install(tmp_path: Path) -> None:
    python = fake_python(tmp_path, 'case "$2" in *ensurepip*) exit 1 ;; *print*) echo 3.11 ;; esac')
    seen = serve_with(python, tmp_path / "venv")
    assert seen.returncode == 1
    assert "apt install python3-venv" in seen.stderr
    assert seen.stderr.count("\n") == 1
    assert not (tmp_path / "venv").exists()


def test_a_missing_python_is_told(tmp_path: Path) -> None:
    seen = serve_with(tmp_path / "no-such-python", tmp_path / "venv")
    assert seen.returncode == 1
    assert "no python3 on PATH" in seen.stderr


def test_an_environment_that_is_current_is_left_alone() -> None:
    """The fast path of scripts/serve: no pip, no Python, no word, and nothing touched."""
    venv = Path(sys.prefix)
    stamps = [venv / ".laidian-run", venv / ".laidian-dev", venv / "bin" / "laidian", venv / "pyvenv.cfg"]
    missing = [str(path) for path in stamps if not path.exists()]
    assert not missing, f"{missing} missing: run scripts/prepare dev, or the tests by scripts/test"
    before = [path.stat().st_mtime_ns for path in stamps]
    environment = {"PATH": "/usr/bin:/bin", "LAIDIAN_VENV": str(venv)}
    seen = subprocess.run(
        [ROOT / "scripts" / "prepare", "dev"], env=environment, capture_output=True, text=True, check=False
    )
    assert (seen.returncode, seen.stdout, seen.stderr) == (0, "", "")
    assert [path.stat().st_mtime_ns for path in stamps] == before


def test_the_command_in_the_environment_works_from_any_folder(tmp_path: Path) -> None:
    command = Path(sys.prefix) / "bin" / "laidian"
    seen = subprocess.run(
        [command, "--help"], env={}, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert seen.returncode == 0, seen.stderr
    assert "serve" in seen.stdout
    assert "demo" in seen.stdout


def test_ci_runs_exactly_the_test_command_of_the_readme() -> None:
    lines = [
        line for line in (ROOT / ".ci" / "run").read_text().splitlines() if line and not line.startswith("#")
    ]
    assert lines == ['exec "$(dirname -- "$0")/../scripts/test"']
    readme = (ROOT / "README.md").read_text()
    assert re.search(r"^\s*(\$ )?scripts/test\b", readme, re.MULTILINE)
    assert re.search(r"^\s*(\$ )?scripts/serve\b", readme, re.MULTILINE)


@pytest.mark.parametrize(
    "name",
    ["serve", "test", "test_archive", "clean_machine", "release", "check", "lock", "prepare", "../.ci/run"],
)
def test_every_script_can_be_started(name: str) -> None:
    assert os.access(ROOT / "scripts" / name, os.X_OK)
