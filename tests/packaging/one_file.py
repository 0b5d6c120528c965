"""The one-file build under test, and a way to run it as on a machine that has nothing but Python.

Rule: a run gets exactly the environment that its test names, never this shell's, or a cache or package of the developer's
answers for the archive.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.program import BARE_PYTHON, ROOT


def build(output: Path, checkout: Path = ROOT, **environment: str) -> Path:
    """Builds the archive for this Python from the installed packages: no network, weak compression, a few seconds."""
    command = [
        sys.executable,
        checkout / "scripts" / "build_zipapp.py",
        "--installed",
        "--fast",
        "--output",
        output,
    ]
    subprocess.run(command, env={**os.environ, **environment}, check=True, cwd=output.parent)
    return output


def run(archive: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the archive to its end in an environment that holds only PATH and `environment`."""
    return subprocess.run(
        [BARE_PYTHON, "-S", str(archive), *arguments],
        env={"PATH": "/usr/bin:/bin", **environment},
        cwd=archive.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def unpacked(cache: Path) -> list[Path]:
    """The builds in a cache folder, whole or not."""
    return sorted(path for path in cache.iterdir() if path.is_dir())
