"""Quotas: what keys may spend together, who spends it, and when it is used up."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll

from laidian.admin.schema import Credit, Key, KeyEdit, KeyQuery, Page, Quota, QuotaEdit
from tui.cells import Lines
from tui.columns import Column
from tui.dialogs import key_acts as acts
from tui.dialogs.key import top_up
from tui.dialogs.key_acts import NAMED, in_use
from tui.dialogs.pick import Pick
from tui.dialogs.quota import edit_quota, new_quota
from tui.dialogs.several import each
from tui.form import titled
from tui.frame import Top
from tui.idiom import Idiom
from tui.paged import PagedTable
from tui.question import Told, TypeName
from tui.screens.quota_lines import near_lines, simulated
from tui.text import count, dollars, short_dollars
from tui.undo import UNDO, Undoing

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient

DEAREST = 8
"""Keys of a quota in the pane below."""


def kind_of(quota: Quota, idiom: Idiom) -> str:
    word: str = getattr(idiom.words.quotas, f"kind_{quota.kind}", quota.kind)
    return word


def _windows(quota: Quota, _: Idiom) -> str:
    return "  ".join(
        f"{short_dollars(one.spent_usd)}/{short_dollars(one.limit_usd)} {one.kind}" for one in quota.windows
    )


def _resets(quota: Quota, idiom: Idiom) -> str:
    coming = [one.resets_at for one in quota.windows if one.resets_at]
    return idiom.until(min(coming)) if coming else "-"


COLUMNS = (
    Column[Quota]("name", lambda w: w.table.name, lambda one, _: one.name, width=12, grow=2, most=28, sort=lambda one: one.name),
    Column[Quota]("state", lambda w: w.table.state, lambda one, idiom: idiom.state(one.state), width=10),
    Column[Quota]("kind", lambda w: w.quotas.kind, kind_of, width=9),
    Column[Quota](
        "left", lambda w: w.quotas.left,
        lambda one, idiom: idiom.words.quotas.unlimited if one.left_usd is None else short_dollars(one.left_usd), width=9, right=True,
    ),
    Column[Quota](
        "spent", lambda w: w.quotas.spent, lambda one, _: short_dollars(one.spent_usd), width=9, right=True,
        sort=lambda one: float(one.spent_usd),
    ),
    Column[Quota]("held", lambda w: w.quotas.held, lambda one, _: short_dollars(one.held_usd), width=8, right=True, rank=3),
    Column[Quota]("windows", lambda w: w.quotas.windows, _windows, width=18, grow=2, most=60, rank=1),
    Column[Quota]("resets", lambda w: w.quotas.resets, _resets, width=9, rank=2),
    Column[Quota]("keys", lambda w: w.quotas.keys, lambda one, _: count(one.keys), width=5, right=True),
)  # fmt: skip


class Near(msgspec.Struct, frozen=True):
    """The one under the cursor, seen from near by."""

    quota: Quota
    keys: Page[Key]
    """Dearest first."""
    credits: tuple[Credit, ...]
    """Newest first; none unless prepaid."""


class Picture(msgspec.Struct, frozen=True):
    quotas: tuple[Quota, ...]
    near: Near | None


class Quotas(Undoing, Top[Picture]):
    DEFAULT_CSS = """
    Quotas #both { height: 1fr; }
    Quotas #table { height: 40%; min-height: 6; }
    Quotas #near { height: 1fr; border: round $primary; padding: 0 1; scrollbar-size-vertical: 1; }
    Quotas.-wide #both { layout: horizontal; }
    Quotas.-wide #table { height: 1fr; width: 1fr; }
    Quotas.-wide #near { width: 76; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", "quotas.new"),
        Binding("e", "edit", "quotas.edit"),
        Binding("b", "balance", "quotas.balance"),
        Binding("a", "assign", "quotas.assign"),
        Binding("x", "simulate", "quotas.simulate", show=False),
        Binding("K", "to_keys", "quotas.to_keys", show=False),
        Binding("d", "turn", "quotas.turn", show=False),
        Binding("D", "delete", "quotas.delete"),
        UNDO,
    ]

    def __init__(self) -> None:
        super().__init__()
        self.table = PagedTable(COLUMNS, key=lambda one: one.name, idiom=self.idiom, id="table")
        self._near = VerticalScroll(id="near", can_focus=False)
        self._lines = Lines()

    def body(self) -> ComposeResult:
        with Container(id="both"):
            yield self.table
            with self._near:
                yield self._lines

    async def look(self, client: AdminClient) -> Picture:
        quotas = await client.quotas()
        wanted = self.table.row.name if self.table.row is not None else ""
        quota = next((one for one in quotas if one.name == wanted), quotas[0] if quotas else None)
        return Picture(quotas, None if quota is None else await look_near(client, quota))

    def draw(self, picture: Picture) -> None:
        self.table.title = self.words.quotas.title.format(count=len(picture.quotas))
        self.table.show(picture.quotas)
        near = picture.near
        if near is None:
            self._lines.put()
        else:
            titled(self._near, self.words.quotas.near.format(name=near.quota.name))
            self._lines.put(*near_lines(self.idiom(), near.quota, near.keys, near.credits))

    def label(self) -> None:
        self.table.empty = self.words.quotas.empty if self.picture is not None else self.words.table.loading
        self.table.relabel()

    def on_paged_table_pointed(self, _: PagedTable.Pointed[Quota]) -> None:
        self.look_again()

    def on_paged_table_opened(self, _: PagedTable.Opened[Quota]) -> None:
        self.action_to_keys()

    # What is done to them

    @property
    def quota(self) -> Quota | None:
        return self.table.row

    def _saved(self, quota: Quota | None) -> None:
        if quota is not None:
            self.notify(self.words.quotas.saved.format(name=quota.name), markup=False)

    def action_new(self) -> None:
        self.console_app.push_screen(new_quota(self.words), self._saved)

    def action_edit(self) -> None:
        if (quota := self.quota) is not None:
            self.console_app.push_screen(edit_quota(self.words, quota), self._saved)

    def action_balance(self) -> None:
        quota = self.quota
        if quota is None:
            return
        if quota.kind != "prepaid":
            said = self.words.quotas.not_prepaid.format(name=quota.name)
            self.notify(said, severity="warning", markup=False)
        else:
            self.console_app.push_screen(top_up(self.words, [quota]), lambda several: acts.say(self, several))

    def action_assign(self) -> None:
        if (quota := self.quota) is not None:
            self.act(lambda client: client.keys(), lambda keys: self._assign(quota, keys))

    def _assign(self, quota: Quota, keys: tuple[Key, ...]) -> None:
        others = [(one.name, one.quota) for one in keys if one.quota != quota.name]

        def picked(names: tuple[str, ...] | None) -> None:
            if names:
                edit = KeyEdit(quota=quota.name)
                self.act(
                    lambda client: each(names, lambda name: client.edit_key(name, edit)),
                    lambda several: acts.say(self, several),
                )

        title = self.words.quotas.assign_title.format(name=quota.name)
        self.console_app.push_screen(Pick(title, others, or_this=True), picked)

    def action_simulate(self) -> None:
        if (quota := self.quota) is not None:
            title = self.words.quotas.simulate_title.format(name=quota.name)
            self.console_app.push_screen(Told(title, simulated(self.idiom(), quota)))

    def action_to_keys(self) -> None:
        if (quota := self.quota) is not None:
            self.console_app.go("keys").narrow(f"quota:{quota.name}")

    def action_turn(self) -> None:
        quota = self.quota
        if quota is None:
            return
        on = not quota.enabled

        def then(changed: Quota) -> None:
            said = self.words.quotas.is_on if on else self.words.quotas.is_off
            self.done(
                said.format(name=changed.name),
                lambda client: client.edit_quota(quota.name, QuotaEdit(enabled=not on)),
            )

        self.act(lambda client: client.edit_quota(quota.name, QuotaEdit(enabled=on)), then)

    def action_delete(self) -> None:
        if (quota := self.quota) is not None:
            query = KeyQuery(quota=quota.name)
            self.act(
                lambda client: client.key_page(query, limit=NAMED), lambda page: self._ask_delete(quota, page)
            )

    def _ask_delete(self, quota: Quota, page: Page[Key]) -> None:
        words = self.words.quotas
        if page.items:
            line = in_use(words.in_use, words.in_use_more, page)
            title = words.in_use_title.format(name=quota.name)
            self.console_app.push_screen(Told(title, (line, words.in_use_move)))
            return

        def sure(yes: bool | None) -> None:
            if yes:
                said = words.deleted.format(name=quota.name)
                self.act(
                    lambda client: client.delete_quota(quota.name), lambda _: self.notify(said, markup=False)
                )

        effect = words.delete_effect.format(
            spent=dollars(quota.spent_usd), left="-" if quota.left_usd is None else dollars(quota.left_usd)
        )
        title = words.delete_title.format(name=quota.name)
        self.console_app.push_screen(TypeName(title, (effect,), quota.name), sure)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.can_undo if action == "undo" else True


async def look_near(client: AdminClient, quota: Quota) -> Near:
    dearest = client.key_page(KeyQuery(quota=quota.name, sort="-spent"), limit=DEAREST)
    if quota.kind != "prepaid":
        return Near(quota, await dearest, ())
    keys, payments = await asyncio.gather(dearest, client.credits(quota.name))
    return Near(quota, keys, payments)
