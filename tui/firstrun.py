"""The first run: a checklist in place of empty tables. A widget that a screen mounts and then need not think of.

    yield Checklist(id="first-run")

It asks the server itself how far the set-up has come, takes the place of the rest of the screen's body while something is missing, and
goes, for good, when a request was answered. Each step opens the dialog that does it, and is ticked by what the server says afterwards,
not by what was pressed. The cursor goes to the first step that is not done, so enter after enter leads through all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import events
from textual.binding import Binding, BindingType
from textual.strip import Strip
from textual.timer import Timer

from laidian.admin.schema import Group, Key, Quota, Setup, Trial
from tui.cells import Cell, Shown, Toned, fitted
from tui.dialogs import key_acts, upstream_acts
from tui.dialogs.group import group_form
from tui.dialogs.quota import edit_quota, new_quota
from tui.dialogs.trial import Tried
from tui.feed import Refused
from tui.form import titled
from tui.frame import Framed
from tui.screens.created import model_of
from tui.text import count
from tui.words import Words

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient

PERIOD_S = 0.5
"""Between two looks, as long as something is missing."""
STEPS = ("server", "upstream", "probe", "group", "quota", "key", "test")
FIRST_LINE = 2
"""Of the steps, below what it is about."""
NAME = 30
"""Cells of what a step is called."""


class Checklist(Toned, can_focus=False, inherit_bindings=False):
    SCOPED_CSS = False
    DEFAULT_CSS = """
    Checklist { height: auto; width: 1fr; border: round $accent; padding: 0 1; display: none; }
    .-first-run #body > * { display: none; }
    .-first-run #body > Checklist { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "do", "firstrun.do"),
        Binding("up,k", "move(-1)", "table.up", show=False),
        Binding("down,j", "move(1)", "table.down", show=False),
        Binding("x", "hide", "firstrun.hide"),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as Textual has it
        super().__init__(id=id)
        self.setup: Setup | None = None
        self.hidden = False
        """By the operator, until the dashboard is opened again."""
        self._began = False
        """It was needed once since the dashboard was opened, so it stays until its last step is done."""
        self._words: Words | None = None
        """That its title is in."""
        self._timer: Timer | None = None
        self._base_url = ""
        self._at = 1

    @property
    def framed(self) -> Framed[Any]:
        return cast("Framed[Any]", self.screen)

    @property
    def wanted(self) -> bool:
        """Something is still to be done before anybody can call."""
        setup = self.setup
        return self._began and not self.hidden and setup is not None and not setup.requests

    def on_mount(self) -> None:
        self._look()
        self._timer = self.set_interval(PERIOD_S, self._look)

    def _look(self) -> None:
        if not self.framed.is_current or not self.framed.console_app.feed.up:
            return
        if self._words is not self.framed.words:
            self._words = self.framed.words
            titled(self, self._words.firstrun.title)
            self.refresh()
        self.run_worker(self._ask(), exclusive=True, group="first-run")

    async def _ask(self) -> None:
        try:
            overview = await self.framed.console_app.feed.ask(lambda client: client.overview())
        except Refused:
            # The banner says why; the next look may find the server well.
            return
        self.show(overview.setup, overview.base_url)

    def show(self, setup: Setup, base_url: str) -> None:
        if not setup.requests and (not setup.upstreams or not setup.keys):
            self._began = True
        if (setup, base_url) != (self.setup, self._base_url):
            before = None if self.setup is None else self._next()
            self.setup, self._base_url = setup, base_url
            after = self._next()
            if before != after:
                self._at = after
            self.refresh(layout=True)
        self._place()

    def _place(self) -> None:
        """In front of the screen's body, or away."""
        screen = self.framed
        if self.wanted and not screen.has_class("-first-run"):
            screen.add_class("-first-run")
            # Only now: what cannot be seen must not take the keys.
            self.can_focus = True
            self.call_after_refresh(self.focus)
        elif not self.wanted and screen.has_class("-first-run"):
            screen.remove_class("-first-run")
            self.can_focus = False
            self.call_after_refresh(screen.focus_next)
        if self._timer is not None and self.setup is not None and (self.setup.requests or not self._began):
            self._timer.stop()

    def _done(self) -> tuple[bool, ...]:
        setup = self.setup
        assert setup is not None
        answered = (setup.upstreams, setup.probed, setup.groups, setup.quotas, setup.keys, setup.requests)
        return (True, *(bool(one) for one in answered))

    def _next(self) -> int:
        done = self._done()
        return done.index(False) if False in done else len(done) - 1

    # Drawing

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return FIRST_LINE + len(STEPS) + (1 if self.setup is not None and not self.setup.public_url else 0)

    def render_line(self, y: int) -> Strip:
        lines = self._lines()
        width = self.content_size.width
        return self.strip(fitted(lines[y], width)) if y < len(lines) else Strip.blank(width)

    def _lines(self) -> list[Shown]:
        words, setup = self.framed.words.firstrun, self.setup
        if setup is None:
            return []
        lines: list[Shown] = [Cell(words.about, "dim"), ""]
        for number, (step, done) in enumerate(zip(STEPS, self._done(), strict=True)):
            here = number == self._at
            name: str = getattr(words, step)
            sign = Cell("✓", "good") if done else Cell("▸" if here else " ", "accent")
            tone = "strong" if here else "dim" if done else "plain"
            text = name.format(url=self._base_url)
            more = () if number == 0 else (Cell(self._said(step, done), "dim"),)
            cursor = Cell("> " if here and self.has_focus else "  ", "accent")
            called = (Cell(text, tone),) if number == 0 else tuple(fitted(Cell(text, tone), NAME))
            lines.append((cursor, sign, Cell(f" {number + 1}  "), *called, *more))
        if not setup.public_url:
            lines.insert(FIRST_LINE + 1, Cell(f"       {words.server_no_url}", "warn"))
        return lines

    def _said(self, step: str, done: bool) -> str:
        words, setup = self.framed.words.firstrun, self.setup
        assert setup is not None
        if not done:
            return getattr(words, f"{step}_about")
        counts = {
            "upstream": setup.upstreams,
            "probe": setup.models,
            "group": setup.groups,
            "quota": setup.quotas,
            "key": setup.keys,
            "test": 0,
        }
        text: str = getattr(words, f"{step}_done")
        return text.format(count=count(counts[step]))

    # Keys

    def action_move(self, step: int) -> None:
        self._at = max(1, min(len(STEPS) - 1, self._at + step))
        self.refresh()

    def action_hide(self) -> None:
        self.hidden = True
        self._place()

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        line = event.get_content_offset(self)
        if line is None or self.setup is None:
            return
        number = line.y - FIRST_LINE - (1 if not self.setup.public_url and line.y > FIRST_LINE else 0)
        if 1 <= number < len(STEPS):
            again = number == self._at
            self._at = number
            self.refresh()
            if again:
                self.action_do()

    def action_do(self) -> None:
        if self.setup is not None:
            steps: dict[str, Callable[[], None]] = {
                "upstream": self._upstream,
                "probe": self._probe,
                "group": self._group,
                "quota": self._quota,
                "key": self._key,
                "test": self._test,
            }
            steps[STEPS[self._at]]()

    # Steps

    def _upstream(self) -> None:
        upstream_acts.add(self.framed)

    def _probe(self) -> None:
        screen = self.framed

        def probe_all(names: tuple[str, ...]) -> None:
            if not names:
                screen.notify(screen.words.firstrun.no_upstream, severity="warning", markup=False)
            for name in names:
                upstream_acts.probe(screen, name)

        async def names(client: AdminClient) -> tuple[str, ...]:
            return tuple(one.name for one in await client.upstreams())

        screen.act(names, probe_all)

    def _group(self) -> None:
        screen = self.framed

        def push(groups: tuple[Group, ...]) -> None:
            screen.console_app.push_screen(group_form(screen.words, groups[0] if groups else None))

        screen.act(lambda client: client.groups(), push)

    def _quota(self) -> None:
        screen = self.framed

        def push(quotas: tuple[Quota, ...]) -> None:
            form = edit_quota(screen.words, quotas[0]) if quotas else new_quota(screen.words)
            screen.console_app.push_screen(form)

        screen.act(lambda client: client.quotas(), push)

    def _key(self) -> None:
        key_acts.new(self.framed)

    def _test(self) -> None:
        """With the first key there is, and a model that it can use now."""
        screen = self.framed

        async def found(client: AdminClient) -> tuple[Key | None, str]:
            keys = await client.keys()
            if not keys:
                return None, ""
            return keys[0], model_of(await client.snippets(key=str(keys[0].id)))

        def push(answer: tuple[Key | None, str]) -> None:
            key, model = answer
            if key is None:
                screen.notify(screen.words.firstrun.no_key, severity="warning", markup=False)
            elif not model:
                screen.notify(screen.words.created.test_no_model, severity="warning", markup=False)
            else:
                screen.console_app.push_screen(Tried(key.name, Trial(model=model, key=key.name)))

        screen.act(found, push)
