"""The one-file build under test, and a way to run it as on a machine that has nothing but Python.

Rule: a run gets exactly the environment that its test names, never this shell's, or a cache or package of the developer's
answers for the archive.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON = f"{sys.base_prefix}/bin/python{sys.version_info[0]}.{sys.version_info[1]}"
"""The interpreter behind the virtual environment: started with -S it has the standard library alone."""


def build(output: Path, **environment: str) -> Path:
    """Builds the archive for this Python from the installed packages: no network, weak compression, a few seconds."""
    command = [
        sys.executable,
        ROOT / "scripts" / "build_zipapp.py",
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
        [PYTHON, "-S", str(archive), *arguments],
        env={"PATH": "/usr/bin:/bin", **environment},
        cwd=archive.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
