"""The program under test: `laidian` as this checkout has it, or as the archive has it that LAIDIAN_ARCHIVE names.

Owns how a test starts it, and nothing of what it then does. The rule a newcomer would break: a process of ours is started by what is
here; a test that spells `python -m laidian` itself tests the checkout even where scripts/test_archive asks for the archive.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BARE_PYTHON = f"{sys.base_prefix}/bin/python{sys.version_info[0]}.{sys.version_info[1]}"
"""The interpreter behind the virtual environment: started with -S it has the standard library alone."""

ARCHIVE = os.environ.get("LAIDIAN_ARCHIVE", "")
"""Empty: the checkout."""

_KEPT = {"LAIDIAN_CACHE": os.environ["LAIDIAN_CACHE"]} if ARCHIVE else {"PYTHONPATH": str(ROOT)}
_FOREIGN = ("LAIDIAN_", "OPENAI_", "GEMINI_", "GOOGLE_", "ANTHROPIC_", "PYTHONPATH")
"""What would set up more than a test does, or answer for the program under test."""

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


def program(*arguments: str) -> list[str]:
    """The command line of `laidian ARGUMENTS`; to be run with `surroundings()`."""
    if ARCHIVE:
        return [BARE_PYTHON, "-S", ARCHIVE, *arguments]
    return [sys.executable, "-m", "laidian", *arguments]


def surroundings(**more: str) -> dict[str, str]:
    """This process's environment without what would make a test depend on the machine, and `more`."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    return ours | _KEPT | more


def die_with_the_test() -> None:
    """For Popen's `preexec_fn`: the kernel kills the new process when the one that starts it ends, however that ends (prctl(2))."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
