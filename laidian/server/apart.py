"""Work done in a process of its own, so that what it imports and builds is gone with it.

Measured: what a start reads, checks and writes before it serves costs its process memory that a parent of workers has no use for.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from contextlib import suppress


def apart(work: Callable[[], None]) -> None:
    """Runs `work` in a fork and waits. Raises what it raised; SystemExit(1) when the fork was killed or could not say.

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
    with suppress(ChildProcessError):  # where somebody set SIGCHLD to be ignored
        os.waitpid(child, 0)
    if not said:
        raise SystemExit(1)
    raised = pickle.loads(said)  # noqa: S301 - from our own fork
    if raised is not None:
        raise raised


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
