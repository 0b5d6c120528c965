"""The same change of several things: each by itself, so that one refusal does not stop the others, and all of it said in one sentence."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from tui.words import Words


class Several(msgspec.Struct, frozen=True):
    done: tuple[str, ...]
    answers: tuple[Any, ...]
    """Of `done`, in its order."""
    refused: tuple[tuple[str, str], ...]
    """Name and the server's sentence."""

    def sentence(self, words: Words) -> str:
        parts = (
            [words.form.several_done.format(count=len(self.done))] if self.done or not self.refused else []
        )
        if self.refused:
            name, reason = self.refused[0]
            parts.append(words.form.several_refused.format(count=len(self.refused), name=name, reason=reason))
        return " ".join(parts)


async def each(names: Sequence[str], change: Callable[[str], Awaitable[Any]]) -> Several:
    """Raises the server's refusal as it is when there is but one, or when the server is away."""
    from laidian.admin.client import AdminError

    done: list[str] = []
    answers: list[Any] = []
    refused: list[tuple[str, str]] = []
    for name in names:
        try:
            answers.append(await change(name))
        except AdminError as error:
            if len(names) == 1 or error.away:
                raise
            refused.append((name, error.message))
        else:
            done.append(name)
    return Several(tuple(done), tuple(answers), tuple(refused))
