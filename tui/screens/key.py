"""One key: its limits, what it can use now, what it spent, its last requests, and what was changed of it."""

from __future__ import annotations

import asyncio
import datetime
from typing import TYPE_CHECKING, ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll

from laidian.admin.schema import (
    GroupServing,
    Key,
    KeyEdit,
    Operation,
    Quota,
    ServedModel,
    Trial,
    UsageRecord,
    UsageSummary,
)
from tui.cells import Cell, Lines, Shown
from tui.chart import Chart
from tui.columns import Column
from tui.dialogs import key_acts as acts
from tui.dialogs.trial import Tried
from tui.frame import Detail
from tui.idiom import Idiom
from tui.limits import limit_line, window_line
from tui.paged import PagedTable
from tui.screens.keys import state_of
from tui.screens.records import RECORD
from tui.text import count, short_dollars
from tui.undo import UNDO, Undoing

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient

DAYS = 30
LATEST = 20
CHANGES = 200
"""Operations that are looked through for those of this key."""
SLOW_S = 10.0
"""Between two looks at what moves slowly: days, models, changes."""


class Slow(msgspec.Struct, frozen=True):
    at: float
    days: UsageSummary
    serving: GroupServing
    operations: tuple[Operation, ...]


class Picture(msgspec.Struct, frozen=True):
    key: Key
    quota: Quota
    latest: tuple[UsageRecord, ...]
    slow: Slow


def _model_state(model: ServedModel, idiom: Idiom) -> tuple[Cell, ...]:
    return (idiom.sign("up" if model.available else "down"), Cell(f" {model.model}"))


MODELS = (
    Column[ServedModel]("model", lambda w: w.table.model, _model_state, width=20, grow=2, most=40, sort=lambda one: one.model),
    Column[ServedModel]("served", lambda w: w.keys.served, lambda one, _: one.served_by or "-", width=12, grow=1, most=24),
    Column[ServedModel]("why", lambda w: w.keys.why_not, lambda one, _: Cell(one.reason, "warn"), width=20, grow=4, most=120),
)  # fmt: skip
HISTORY = (
    Column[Operation]("time", lambda w: w.table.time, lambda one, _: one.at.replace("T", " ")[:19], width=19),
    Column[Operation]("who", lambda w: w.keys.who, lambda one, _: one.who, width=6),
    Column[Operation]("what", lambda w: w.keys.what, lambda one, _: one.sentence, width=30, grow=4, most=140),
)


class KeyDetail(Undoing, Detail[Picture]):
    DEFAULT_CSS = """
    KeyDetail #key { height: 1fr; scrollbar-size-vertical: 1; }
    KeyDetail .part { height: auto; width: 1fr; }
    KeyDetail #key-facts { border: round $primary; padding: 0 1; }
    KeyDetail #key-days { height: 7; border: round $primary; }
    KeyDetail PagedTable { height: 9; }
    KeyDetail.-wide #key { layout: horizontal; overflow-y: hidden; }
    KeyDetail.-wide .part { height: 1fr; width: 1fr; }
    KeyDetail.-wide PagedTable { height: 1fr; }
    KeyDetail.-wide #key-days { height: 1fr; max-height: 14; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "edit", "keys.edit"),
        Binding("d", "turn", "keys.turn"),
        Binding("b", "balance", "keys.balance"),
        Binding("R", "rotate", "keys.rotate"),
        Binding("t", "test", "keys.test"),
        Binding("D", "delete", "keys.delete"),
        UNDO,
    ]

    def __init__(self, top: str, key: Key) -> None:
        super().__init__(top)
        self._key = key
        self._slow: Slow | None = None
        self._facts = Lines(id="key-facts")
        self._days = Chart(id="key-days")
        self.models = PagedTable(MODELS, key=lambda one: one.model, idiom=self.idiom, id="key-models")
        self.latest = PagedTable(RECORD, key=lambda one: one.request_id, idiom=self.idiom, id="key-latest")
        self.history = PagedTable(
            HISTORY, key=lambda one: f"{one.at} {one.sentence}", idiom=self.idiom, id="key-history"
        )

    def body(self) -> ComposeResult:
        # What is known of it stays in sight, wherever one scrolls.
        yield self._facts
        with VerticalScroll(id="key", can_focus=False):
            with Vertical(classes="part"):
                yield self._days
                yield self.models
            with Vertical(classes="part"):
                yield self.latest
                yield self.history

    def on_mount(self) -> None:
        super().on_mount()
        self.models.focus()

    def path(self) -> str:
        return self._key.name

    @property
    def address(self) -> str:
        """By its number: it may be renamed while one looks at it."""
        return str(self._key.id)

    async def look(self, client: AdminClient) -> Picture:
        from laidian.admin.client import UsageFilter

        key = await client.key(self.address)
        quota, latest, slow = await asyncio.gather(
            client.quota(key.quota),
            client.usage(UsageFilter(key=key.name), limit=LATEST),
            self._looked_slowly(client, key),
        )
        return Picture(key, quota, latest.items, slow)

    async def _looked_slowly(self, client: AdminClient, key: Key) -> Slow:
        from laidian.admin.client import UsageFilter

        now = asyncio.get_running_loop().time()
        if self._slow is None or now - self._slow.at > SLOW_S or self._slow.serving.group != key.group:
            days, serving, operations = await asyncio.gather(
                client.usage_summary("day", UsageFilter(key=key.name, since=f"{DAYS}d")),
                client.serving(key.group),
                client.operations(limit=CHANGES),
            )
            own = tuple(
                one for one in operations.items if one.action.startswith("key.") and one.name == key.name
            )
            self._slow = Slow(now, days, serving, own)
        return self._slow

    def look_again(self) -> None:
        self._slow = None
        super().look_again()

    # Drawing

    def draw(self, picture: Picture) -> None:
        self._key = picture.key
        self._facts.put(*self._fact_lines(picture))
        words, slow = self.words.keys, picture.slow
        self._draw_days(slow.days)
        up = sum(one.available for one in slow.serving.models)
        self.models.title = words.models.format(up=up, count=len(slow.serving.models))
        # What cannot be had is what one came to find out about.
        models: list[ServedModel] = sorted(slow.serving.models, key=lambda one: one.available)
        self.models.show(models)
        self.latest.show(picture.latest)
        self.history.show(slow.operations)

    def label(self) -> None:
        words = self.words.keys
        self.models.empty = words.models_none
        self.latest.title, self.latest.empty = words.latest, words.latest_none
        self.history.title, self.history.empty = words.history, words.history_none
        for table in (self.models, self.latest, self.history):
            table.relabel()

    def _fact_lines(self, picture: Picture) -> list[Shown]:
        key, quota, idiom, words = picture.key, picture.quota, self.idiom(), self.words.keys
        facts = words.facts.format(
            used=idiom.ago(key.last_used_at),
            made=idiom.ago(key.created_at),
            expires=words.never if key.expires_at is None else idiom.until(key.expires_at),
            running=key.in_flight,
        )
        place = f"  {self.words.table.group} {key.group}   {key.display}"
        lines: list[Shown] = [(idiom.state(state_of(key)), Cell(place)), Cell(facts, "dim")]
        if key.limit_usd is not None:
            lines.append(limit_line(idiom, words.own_limit, key.spent_usd, key.limit_usd, key.left_usd))
        lines.append(
            (
                Cell(f"{words.quota_state:<14}"),
                idiom.state(quota.state),
                Cell(f"  {words.shared.format(name=quota.name, count=count(quota.keys))}"),
            )
        )
        lines += [window_line(idiom, one) for one in quota.windows]
        if quota.kind == "prepaid":
            lines.append(limit_line(idiom, "", quota.spent_usd, quota.credited_usd or "0", quota.left_usd))
        return lines

    def _draw_days(self, days: UsageSummary) -> None:
        today = self.console_app.now().date()
        spent = {row.name: float(row.cost_usd) for row in days.rows}
        names = [str(today - datetime.timedelta(days=back)) for back in range(DAYS - 1, -1, -1)]
        self._days.border_title = self.words.keys.per_day.format(total=short_dollars(days.total.cost_usd))
        self._days.plot(
            [spent.get(name, 0.0) for name in names],
            label=lambda value: short_dollars(f"{value:f}"),
            left=names[0],
            right=names[-1],
        )

    # What is done to it

    def action_edit(self) -> None:
        acts.edit(self, self._key)

    def action_turn(self) -> None:
        on, address = not self._key.enabled, self.address

        def then(key: Key) -> None:
            said = self.words.keys.is_on if on else self.words.keys.is_off
            self.done(
                said.format(name=key.name), lambda client: client.edit_key(address, KeyEdit(enabled=not on))
            )

        self.act(lambda client: client.edit_key(address, KeyEdit(enabled=on)), then)

    def action_balance(self) -> None:
        acts.balance(self, [self.address], lambda: None)

    def action_rotate(self) -> None:
        acts.rotate(self, self._key)

    def action_delete(self) -> None:
        acts.delete(self, self.address, lambda: self.dismiss(None))

    def action_test(self) -> None:
        picture = self.picture
        model = (
            next((one.model for one in picture.slow.serving.models if one.available), "") if picture else ""
        )
        if not model:
            self.notify(self.words.created.test_no_model, severity="warning", markup=False)
        else:
            self.console_app.push_screen(Tried(self._key.name, Trial(model=model, key=self._key.name)))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.can_undo if action == "undo" else True
