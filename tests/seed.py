"""The seed's public documentation, and the examples in it exactly as they stand there: what has to work with only host and key changed.

    for text in examples("curl"): ...

`seed-api-docs.txt` is the document's text; nothing of it is typed again anywhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from tests.served import Served

HOST = "https://givemesometoken.xyz"
KEY = "sk-your-api-key"
DOCUMENT = (Path(__file__).parent / "seed-api-docs.txt").read_text()

_AFTER = {"JavaScript": "Python", "Python": "Responses API"}
"""An example that is a program stands between its heading and the next one."""


def curls() -> list[str]:
    """Every curl command, in the document's order."""
    found: list[str] = []
    lines = iter(DOCUMENT.splitlines())
    for line in lines:
        if not line.startswith("curl "):
            continue
        command = line
        while command.endswith("\\") or command.count("'") % 2:
            command += "\n" + next(lines)
        found.append(command)
    return found


def curl(path: str, *, stream: bool = False) -> str:
    """The one for this path."""
    (found,) = [
        one
        for one in curls()
        if one.split()[1 + stream].removeprefix(HOST) == path and ("-N" in one) == stream
    ]
    return found


def program(language: Literal["JavaScript", "Python"]) -> str:
    """The example in that language."""
    _, _, rest = DOCUMENT.partition(f"\n{language}\n\n")
    text, _, _ = rest.partition(f"\n{_AFTER[language]}\n\n")
    assert text, f"the document has no example in {language}"
    return text


def mine(text: str, laidian: Served) -> str:
    """The example for this instance: host and key changed, and nothing else."""
    assert HOST in text
    assert KEY in text
    return text.replace(HOST, laidian.base_url).replace(KEY, laidian.key)
