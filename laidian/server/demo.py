"""`laidian demo`: the simulated provider as a process of its own beside the server.

Nothing here costs money or needs an account. The provider listens on loopback, on a port of its own, and dies with this process.
"""

from __future__ import annotations

import multiprocessing
import os
import socket
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess

from laidian.domain.upstream import UpstreamKind
from laidian.errors import UpstreamBroken

START_S = 15.0

UPSTREAMS: tuple[tuple[str, UpstreamKind, str], ...] = (
    ("simulated-openai", "openai", "/v1"),
    ("simulated-gemini", "gemini", "/v1beta"),
    ("simulated-anthropic", "anthropic", "/v1"),
)
"""Name, kind and path of the three dialects that the one simulated provider speaks."""

CREDENTIAL = "sim-demo-account"
"""What the simulated provider takes for an account; worth nothing anywhere else."""


class SimulatedProvider:
    """The provider's process. `serve` is laidian.simulated.serve.serve, handed in by the command line."""

    def __init__(self, serve: Callable[..., None]) -> None:
        self.port = free_port("127.0.0.1")
        # a plain fork of a process that has no threads yet; it may have children itself, so it is no daemon
        context = multiprocessing.get_context("fork")
        self._process: BaseProcess = context.Process(
            target=_serve_quietly, args=(serve, self.port), name="laidian-simulated"
        )

    def start(self) -> None:
        """Returns when the provider takes connections. Raises UpstreamBroken when it does not come up."""
        self._process.start()
        until = time.monotonic() + START_S
        while time.monotonic() < until and self._process.is_alive():
            with socket.socket() as probe:
                probe.settimeout(0.2)
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise UpstreamBroken("the simulated provider did not start; run the demo again.")

    def stop(self) -> None:
        self._process.terminate()
        self._process.join(5)


def _serve_quietly(serve: Callable[..., None], port: int) -> None:
    os.setsid()  # a Ctrl-C at the terminal is for the server, which stops the provider last
    serve("127.0.0.1", port, die_with_parent=True)


def free_port(host: str) -> int:
    """A port that nobody listens at now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
