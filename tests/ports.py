"""Ports for the servers that tests start.

Not `bind` to 0: another server may be given the same port before this one listens, and Granian shares a port that is taken
(SO_REUSEPORT), so that the requests of one test reach the server of another. Each test process goes through its own range, below the
one from which the kernel takes the ports of outgoing connections (32768 on Linux).
"""

from __future__ import annotations

import itertools
import os
import random
import socket

FIRST, RANGE, RANGES = 12_000, 2_500, 8

_range = int(os.environ.get("PYTEST_XDIST_WORKER", "gw7").removeprefix("gw")) % RANGES
_start = random.SystemRandom().randrange(RANGE)
"""Not the same in every run: two checkouts may be tested on one machine."""
_numbers = itertools.count(_start)


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens at and that no other test of this run gets."""
    for number in itertools.islice(_numbers, RANGE):
        port = FIRST + _range * RANGE + number % RANGE
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"no port of {FIRST} to {FIRST + RANGES * RANGE} is free")
