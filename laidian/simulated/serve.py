"""Serving the simulated provider with Granian: HTTP/1.1, no WebSockets, one worker, silent.

One worker is a rule, not a setting: the bill lives in the worker's memory. The worker always dies with
Granian's main process, because an orphan would go on answering on the shared port.

    python -m laidian.simulated.serve PORT [HOST]
"""

from __future__ import annotations

import ctypes
import functools
import os
import signal
import sys

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops

from .app import create_app
from .wire import ASGIApp

_PR_SET_PDEATHSIG = 1
"""From linux/prctl.h."""
STOP_LIMIT_S = 1
"""How long requests in flight (a `hang` never ends) may hold up a stop."""


def serve(host: str, port: int, *, die_with_parent: bool) -> None:
    """Serve until SIGINT or SIGTERM. Prints nothing on stdout.

    With `die_with_parent` this process is killed when its parent ends (Linux). The kernel means the parent's
    *thread*: start this process from a thread that lives as long as it should. Granian starts its worker with
    multiprocessing, so this must not run in a daemonic multiprocessing child, and must run in a main thread.
    """
    if die_with_parent:
        kill_with_parent(os.getppid())
    server = Granian(
        "laidian.simulated.app:create_app",
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        workers=1,
        loop=Loops.uvloop,
        http=HTTPModes.http1,
        websockets=False,
        log_enabled=False,
        workers_kill_timeout=STOP_LIMIT_S,
    )
    server.serve(target_loader=functools.partial(_load, os.getpid()), wrap_loader=False)


def kill_with_parent(parent_pid: int) -> None:
    """Have the kernel kill this process when its parent ends; do it here if that has happened already.

    A no-op outside Linux, where there is no such promise.
    """
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        os.kill(os.getpid(), signal.SIGKILL)


def _load(main_pid: int) -> ASGIApp:
    """Runs in the worker, before its event loop: earlier than the ASGI lifespan, so no gap for an orphan."""
    kill_with_parent(main_pid)
    return create_app()


if __name__ == "__main__":
    arguments = sys.argv[1:]
    serve(arguments[1] if len(arguments) > 1 else "127.0.0.1", int(arguments[0]), die_with_parent=True)
