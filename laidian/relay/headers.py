"""What the headers of an answer say of it beside the body: what it cost, what is left, what a translation left out.

Pure. The rule a newcomer would break: names of fields that were left out may come from the client, so nothing of them reaches a header
but printable ASCII, and not much of it.
"""

from __future__ import annotations

from laidian.domain.money import format_usd
from laidian.domain.record import Settled

COST = b"x-laidian-cost-usd"
LEFT = b"x-laidian-quota-left-usd"
DROPPED = b"x-laidian-dropped"
ESTIMATED = b"x-laidian-estimated"
"""On counts of tokens that were made here, since the upstream has none."""
WANTED = b"x-laidian-cost"
"""Of a request: `stream` asks for the cost in a stream, where no header can say it."""

NAME_CHARS = 64
DROPPED_BYTES = 1_000
"""Of the whole value; servers in between commonly take 8 KB for all headers together."""

Headers = tuple[tuple[bytes, bytes], ...]


def cost_headers(settled: Settled | None) -> Headers:
    """What was charged and what a prepaid quota has left, in USD, exact; nothing while the settlement waits for the database."""
    if settled is None:
        return ()
    cost = (COST, format_usd(settled.charged_nano).encode())
    if settled.quota_unspent_nano is None:
        return (cost,)
    return (cost, (LEFT, format_usd(settled.quota_unspent_nano).encode()))


def cost_comment(settled: Settled | None) -> bytes:
    """The same in the words of an event stream that no client takes for an event; for those that asked, right before the end.

    Not for everybody, although every SDK steps over comments: what reads a stream line by line may not. Gemini's SDKs do not.
    """
    lines = [b": " + name + b" " + value for name, value in cost_headers(settled)]
    return b"\n".join((*lines, b"\n")) if lines else b""


def dropped_headers(names: tuple[str, ...]) -> Headers:
    """The fields that the upstream was not told, separated by commas; `and N more` where they are too many."""
    if not names:
        return ()
    said, size = list[str](), 0
    for name in names:
        plain = _plain(name)
        size += len(plain) + 2
        if size > DROPPED_BYTES - 20:
            said.append(f"and {len(names) - len(said)} more")
            break
        said.append(plain)
    return ((DROPPED, ", ".join(said).encode("ascii")),)


def _plain(name: str) -> str:
    shown = "".join(letter if "!" <= letter <= "~" and letter != "," else "?" for letter in name[:NAME_CHARS])
    return shown if len(name) <= NAME_CHARS else f"{shown}..."
