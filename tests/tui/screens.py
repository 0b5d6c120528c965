"""The dashboard in a test: run it, wait for it, read it, and keep what it shows as text.

    async with shown(console.connect) as pilot: ...        # a running dashboard of 100x30, in English
    await assert_screen("keys", console.connect, keys=("2",))

`assert_screen` compares with `snapshots/<name>.<variant>.txt`, in English, Chinese and ASCII, each at three sizes. After a change that
is meant, write them anew with `UPDATE_SNAPSHOTS=1` and read the difference. Whatever differs from run to run (times, ports, ids) is
covered before comparing, without moving what stands beside it.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from tests.tui.pictures import PICTURES, makers_noted, named
from tui.app import LaiDianApp
from tui.feed import PERIOD_S, Connect
from tui.words import Language

SNAPSHOTS = Path(__file__).parent / "snapshots"
UPDATE = bool(os.environ.get("UPDATE_SNAPSHOTS"))
SIZES = ((80, 24), (100, 30), (160, 50))
VARIANTS: tuple[tuple[str, Language, bool], ...] = (
    ("en", "en", False),
    ("zh", "zh", False),
    ("ascii", "en", True),
)
FAST_S = 0.05
"""Instead of a second, so that a test need not wait for one."""
LIMIT_S = 60.0
"""For everything that is waited for: the machine may be busy."""
VERSION = "0.1.0"


class Shown:
    """A running dashboard."""

    def __init__(self, app: LaiDianApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def text(self) -> str:
        """What the terminal shows, line by line."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)

    @property
    def below(self) -> list[str]:
        """The same without the header, whose time goes on."""
        return self.text.splitlines()[1:]

    async def until(self, true: Callable[[], bool], what: str = "") -> None:
        """Waits for the screen; nothing else says when a refresh has been drawn."""
        async with asyncio.timeout(LIMIT_S):
            await self.pilot.pause()
            while not true():
                await asyncio.sleep(FAST_S / 2)
                await self.pilot.pause()

    async def until_text(self, text: str) -> None:
        try:
            await self.until(lambda: text in self.text)
        except TimeoutError:
            raise AssertionError(f"{text!r} does not come; the screen shows:\n{self.text}") from None

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def settled(self, looks: int = 2) -> None:
        """Until the server was asked twice more: what was pressed is answered, and drawn."""
        for _ in range(looks):
            asked = self.app.feed.looks + 1
            self.app.feed.poke()
            await self.until(lambda asked=asked: self.app.feed.looks >= asked)

    async def at_rest(self) -> str:
        """The covered picture, once one look more has left it as it was."""
        before, now = "", masked(await self._still())
        while now != before:
            await self.settled(1)
            before, now = now, masked(await self._still())
        return now

    async def _still(self) -> str:
        """The text, once it was the same in three moments in a row: sizes settle one after the other."""
        await self.pilot.pause()
        before, same = self.text, 0
        while same < 2:
            await asyncio.sleep(FAST_S / 2)
            now = self.text
            same = same + 1 if now == before else 0
            before = now
        return before

    @property
    def here(self) -> Any:
        """The screen in front."""
        return self.app.screen

    @property
    def notices(self) -> list[str]:
        return [one.message for one in self.app._notifications]


@contextlib.asynccontextmanager
async def shown(
    connect: Connect,
    *,
    size: tuple[int, int] = (100, 30),
    language: Language = "en",
    ascii_only: bool = False,
    first: str = "dashboard",
    wait: bool = True,
    notices: bool = False,
    **more: Any,
) -> AsyncIterator[Shown]:
    """`wait`: for the first answer of the server. `notices`: draw them, too."""
    options = {"period_s": FAST_S, "version": VERSION} | more
    if now := getattr(connect, "now", None):
        options.setdefault("now", now)
    app = LaiDianApp(connect, language, ascii_only=ascii_only, first=first, **options)
    async with app.run_test(size=size, notifications=notices) as pilot:
        seen = Shown(app, pilot)
        if wait:
            await seen.until(lambda: app.feed.looks > 0)
        yield seen


@dataclasses.dataclass(frozen=True)
class Shot:
    """How one picture is come by: these keys from the tab in front, then what `drive` does."""

    keys: tuple[str, ...] = ()
    drive: Callable[[Shown], Awaitable[None]] | None = None


async def assert_screen(
    name: str,
    connect: Connect,
    *,
    keys: tuple[str, ...] = (),
    drive: Callable[[Shown], Awaitable[None]] | None = None,
) -> None:
    """Presses the keys, lets `drive` do the rest, and compares what is shown with the snapshots of that name."""
    await assert_screens(connect, {name: Shot(keys, drive)})


async def assert_screens(connect: Connect, shots: Mapping[str, Shot], *, notices: bool = False) -> None:
    """Several pictures from the same dashboards, one after the other; after each, all that lies on the tab is closed."""
    different: list[str] = []
    for variant, language, ascii_only in VARIANTS:
        with makers_noted():
            async with shown(
                connect,
                size=SIZES[0],
                language=language,
                ascii_only=ascii_only,
                period_s=PERIOD_S,
                notices=notices,
            ) as seen:
                for name, shot in shots.items():
                    text = await _taken(seen, name, shot)
                    if ascii_only:
                        # Names stay as they are; a sign is no letter.
                        signs = {one for one in text if not one.isascii() and not one.isalpha()}
                        assert not signs, f"signs that are not ASCII: {signs}"
                    if not _as_it_was(SNAPSHOTS / f"{name}.{variant}.txt", text):
                        different.append(f"{name}.{variant}.txt")
                    await _left(seen)
    assert not different, (
        f"{', '.join(different)}: not as it was; compare with the .new file beside it, and if that is what you want, run the test"
        " with UPDATE_SNAPSHOTS=1"
    )


async def _taken(seen: Shown, name: str, shot: Shot) -> str:
    await seen.pilot.resize_terminal(*SIZES[0])
    if shot.keys:
        await seen.press(*shot.keys)
    if shot.drive is not None:
        await shot.drive(seen)
    pictures: list[str] = []
    for size in SIZES:
        await seen.pilot.resize_terminal(*size)
        pictures.append(f"== {size[0]}x{size[1]}\n{await seen.at_rest()}\n")
        assert all(len(line) <= size[0] for line in seen.text.splitlines())
    assert PICTURES[name] in named(seen.here), f"{name} shows {named(seen.here)}"
    return "".join(pictures)


def _as_it_was(path: Path, text: str) -> bool:
    if UPDATE:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    elif not path.exists() or path.read_text() != text:
        path.with_suffix(".new").write_text(text)
        return False
    return True


async def _left(seen: Shown) -> None:
    """Back to the tab, whatever lies on it."""
    while len(seen.app.screen_stack) > 1:
        await seen.here.dismiss(None)


def masked(text: str) -> str:
    """Covers what differs from run to run; what stands beside it stays in its place."""
    lines = text.splitlines()
    # The header's parts follow each other, so a longer time moves the rest.
    lines[0] = re.sub(
        r" {2,}", "  ", re.sub(r"\d+ (?:s|min|h|d)\b(?: \d+ (?:s|min|h)\b)?|\d+ 秒", "~", lines[0])
    )
    return "\n".join(_covered(line).rstrip() for line in lines)


_DURATION = r"(?<![\w.])\d[\d.]* (?:ms|s|min|h|d)(?![\w])"
_RUNS = (
    # A value with the blanks around it: wherever it stands in its column, the whole is as wide.
    re.compile(rf"(?: *{_DURATION})+ *"),
    re.compile(r"(?<![\w.])\d+\.\d+\.\d+(?![\w.])(?: {2,})?"),
)
_SENTENCE = re.compile(
    rf"(?:(?<=[^\W\d_] )|(?<=[^\W\d_][,:] )|(?<=p\d\d )){_DURATION}(?! {{2,}}[^ │|])|{_DURATION}(?= [^\W\d_])"
)
"""A value between words. One that stands in a column, or ends a part of a fixed width, is among the runs below."""
_SAME_WIDTH = (
    (re.compile(r"(?<=127\.0\.0\.1:)\d{5}"), "#"),
    (re.compile(r"\d\d:\d\d:\d\d(?:\.\d+)?"), "0"),
    (re.compile(r"\d\d:\d\d(?!:)"), "0"),
    (re.compile(r"(?:20\d\d-)?\d\d-\d\d(?= |$)"), "0"),
    # The end of a scroll bar: whether it is drawn at once depends on which size was known first.
    (re.compile(r"[▁-█](?=│)|(?<=   )[▁-█](?= │)|[▁-▇](?= │)|(?<=[│╯╮])[▁-█]$"), " "),
    # A line of measured times is another one each time; its axis is not.
    (re.compile(r"[\u2801-\u28ff]+"), " "),
    (re.compile(r"(?<=req_)[0-9A-Za-z]+"), "#"),
    (re.compile(r"(?<=sk-)[\w-]{40,}"), "#"),
    (re.compile(r"\d+(?=%)"), "#"),
    (re.compile(r"\d{4}-\d\d-\d\d"), "#"),
    # Ports of the tests (tests.ports) and of the system, in the column of the settings
    (re.compile(r"(?<=[•*] {4})\d{5}(?= )|(?<=[•*] {5})\d{5}(?= )|(?<= )[3-6]\d{4}(?= )"), "#"),
    (re.compile(r"(?<=sk-)[\w-]{4}[…~][\w-]{0,4}"), "#"),
    (re.compile(r"(?<=Schema)( +)\d+(?= )|(?<=数据结构)( +)\d+(?= )"), "#"),
    (re.compile(r"(?<=laidian-)[a-z0-9_]{8}(?=/)"), "#"),
)


def _covered(line: str) -> str:
    # A line of dots in ASCII, as those of Braille above.
    line = re.sub(r"(?<=\|)[ ~'.|]+(?=\|$)", lambda found: re.sub("['.]", " ", found.group()), line)
    for pattern, sign in _SAME_WIDTH:
        line = pattern.sub(lambda found, sign=sign: re.sub(r"[^: ]", sign, found.group()), line)
    said = _SENTENCE.sub("~", line)
    if said != line:
        # In a sentence the value's own width moves the rest of the line, but not the border.
        border = said[-1:] if said[-1:] in "│|" else ""
        line = said.removesuffix(border).rstrip() + (" " + border if border else "")
    for pattern in _RUNS:
        line = pattern.sub(lambda found: _tildes(found.group()), line)
    return line


def _tildes(run: str) -> str:
    """As many as there are values, however the blanks between them are shared out."""
    values = len(re.findall(_DURATION, run)) or 1
    return " ".join("~" * values).center(len(run))
