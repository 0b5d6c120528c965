"""How far a long piece of work is: a bar where a person looks, a line now and then in a log, nothing for short work.

Everything goes to stderr. The rule a newcomer would break: nothing is drawn where stderr is not a terminal.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Generator
from typing import TextIO

from laidian.cli.call import Call

AFTER_S = 2.0
"""Shorter work needs no bar."""
DRAW_S = 0.1
LINE_S = 10.0
"""Between two lines where nobody looks."""
CELLS = 30


class Progress:
    """Told `(done, total)` as often as one likes."""

    def __init__(self, what: str, out: TextIO, *, clock: Callable[[], float]) -> None:
        self._what = what
        self._out = out
        self._clock = clock
        self._terminal = out.isatty() and os.environ.get("TERM") != "dumb"
        self._next = clock() + (AFTER_S if self._terminal else LINE_S)
        self._drawn = False

    def __call__(self, done: int, total: int) -> None:
        now = self._clock()
        if now < self._next:
            return
        self._next = now + (DRAW_S if self._terminal else LINE_S)
        share = min(1.0, done / total) if total else 1.0
        if not self._terminal:
            self._out.write(f"{self._what}: {share:.0%}\n")
        else:
            filled = int(share * CELLS)
            self._out.write(f"\r{self._what} [{'#' * filled}{'.' * (CELLS - filled)}] {share:4.0%}")
            self._drawn = True
        self._out.flush()

    def end(self) -> None:
        """Takes the bar away again."""
        if self._drawn:
            self._out.write("\r\x1b[K")
            self._out.flush()


@contextlib.contextmanager
def progress(call: Call, what: str) -> Generator[Callable[[int, int], None]]:
    if call.quiet:
        yield lambda _, __: None
        return
    bar = Progress(what, sys.stderr, clock=time.monotonic)
    try:
        yield bar
    finally:
        bar.end()
