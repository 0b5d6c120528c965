"""Work done in a process of its own, so that what it imports and builds is gone with it.

Measured: what a start reads, checks and writes before it serves costs its process memory that a parent of workers has no use for.
"""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Callable
from contextlib import suppress


def apart(work: Callable[[], None]) -> None:
    """Runs `work` in a fork and waits. Raises what it raised, or SystemExit with a sentence when the fork was killed.

    To be called before this process has threads or open databases.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _run(work, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read()
    status = 0
    with suppress(ChildProcessError):  # where somebody set SIGCHLD to be ignored
        status = os.waitpid(child, 0)[1]
    if not said:
        raise SystemExit(_killed(status))
    raised = pickle.loads(said)  # noqa: S301 - from our own fork
    if raised is not None:
        raise raised


def _killed(status: int) -> str:
    """Why a fork could not say anything: a library that crashes, or a kernel that is out of memory."""
    by = signal.strsignal(os.WTERMSIG(status)) if os.WIFSIGNALED(status) else None
    return (
        f"laidian: the preparation of the start was ended from outside ({by or 'no reason known'}). Killed: memory ran out, or somebody"
        " did it. Segmentation fault: a library does not fit this system."
    )


def _run(work: Callable[[], None], writer: int) -> None:
    """In the fork; does not return, since everything above it on the stack is the parent's business."""
    raised: BaseException | None = None
    try:
        work()
    except BaseException as error:
        raised = error
    try:
        said = pickle.dumps(raised)
    except Exception:
        said = pickle.dumps(RuntimeError(f"{type(raised).__name__}: {raised}"))
    with suppress(OSError):
        os.write(writer, said)
    os._exit(0)
