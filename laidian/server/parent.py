"""Processes die with their parent, so that no worker of a killed server goes on serving.

Granian's workers survive a SIGKILL of their parent and, sharing the port, would answer beside the next instance's (reliability.md
0.5). Linux only; elsewhere the data folder's lock still keeps a second instance away.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
"""linux/prctl.h"""


def die_with_parent(parent: int) -> None:
    """Asks the kernel to kill this process when `parent` ends; exits at once when it is gone already."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
