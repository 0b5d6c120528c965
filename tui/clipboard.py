"""Sending text to the clipboard of a terminal that may be far away.

Nothing ever answers, so nobody may say "copied": tmux drops the terminal's own sequence (OSC 52) unless it was told otherwise, and
some terminals ignore it. Inside tmux its own buffer is filled, which also works under its default settings.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

TMUX_S = 3.0
"""A tmux that does not answer must not hold up the screen."""


async def send(text: str, by_terminal: Callable[[str], None]) -> bool:
    """True: tmux took it into its buffer. False: it was written to the terminal, which may or may not have kept it."""
    if os.environ.get("TMUX") and await _by_tmux(text):
        return True
    by_terminal(text)
    return False


async def _by_tmux(text: str) -> bool:
    """By standard input, so the text is in no process list."""
    try:
        process = await asyncio.create_subprocess_exec(
            "tmux",
            *("load-buffer", "-w", "-"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return False
    try:
        async with asyncio.timeout(TMUX_S):
            await process.communicate(text.encode())
    except TimeoutError:
        process.kill()
        return False
    return process.returncode == 0
