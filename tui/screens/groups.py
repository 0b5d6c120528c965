"""Groups: what the keys of each may use, and who would serve what now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container

from laidian.admin.schema import (
    CAPABILITIES,
    Group,
    GroupEdit,
    GroupServing,
    Key,
    KeyQuery,
    Page,
    ServedModel,
    ServingCell,
)
from tui.cells import Cell, Shown
from tui.columns import Column
from tui.dialogs.group import group_form
from tui.dialogs.key_acts import NAMED, in_use
from tui.dialogs.pick import Pick
from tui.frame import Top
from tui.idiom import Idiom
from tui.paged import PagedTable
from tui.question import Told, TypeName
from tui.text import count, short_dollars
from tui.undo import UNDO, Undoing

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient


def multiplier(text: str) -> Cell:
    """What costs something else than the published price is marked, wherever it is seen."""
    return Cell(text) if text == "1x" else Cell(f"{text} ≠", "warn")


def _capabilities(group: Group, idiom: Idiom) -> str:
    everything = set(group.capabilities) == set(CAPABILITIES)
    return idiom.words.groups.all_capabilities if everything else " ".join(group.capabilities)


COLUMNS = (
    Column[Group]("name", lambda w: w.table.name, lambda one, _: one.name, width=12, grow=2, most=28, sort=lambda one: one.name),
    Column[Group]("state", lambda w: w.table.state, lambda one, idiom: idiom.state("active" if one.enabled else "disabled"), width=10),
    Column[Group]("keys", lambda w: w.groups.keys, lambda one, _: count(one.keys), width=5, right=True, sort=lambda one: one.keys),
    Column[Group]("multiplier", lambda w: w.groups.multiplier, lambda one, _: multiplier(one.multiplier), width=7, right=True),
    Column[Group](
        "upstreams", lambda w: w.groups.upstreams, lambda one, idiom: one.upstreams or idiom.words.groups.all_upstreams, width=12,
        grow=3, most=48,
    ),
    Column[Group]("capabilities", lambda w: w.groups.capabilities, _capabilities, width=12, grow=2, most=60),
    Column[Group](
        "models", lambda w: w.groups.models, lambda one, idiom: ", ".join(one.allow) or idiom.words.groups.all_models, width=8, grow=1,
        most=30, rank=1,
    ),
    Column[Group](
        "per_minute", lambda w: w.groups.per_minute,
        lambda one, _: "-" if one.requests_per_minute is None else count(one.requests_per_minute), width=8, right=True, rank=2,
    ),
)  # fmt: skip


def _cell(index: int):
    def cell(model: ServedModel, idiom: Idiom) -> Shown:
        return serving_cell(model.cells[index], idiom) if index < len(model.cells) else "-"

    return cell


def serving_cell(cell: ServingCell, idiom: Idiom) -> Shown:
    """`● 1`: tried first, and up."""
    if cell.state == "none" or not cell.rank:
        return Cell("-", "dim")
    return (idiom.sign(cell.state), Cell(f" {cell.rank}"))


def _price(usd: str | None) -> str:
    return "-" if usd is None else short_dollars(usd)


def matrix(upstreams: Sequence[str]) -> tuple[Column[ServedModel], ...]:
    """A column for each upstream, in the order in which they are tried."""
    return (
        Column("model", lambda w: w.table.model, lambda one, _: one.model, width=18, grow=2, most=36, sort=lambda one: one.model),
        *(
            Column[ServedModel](f"at_{name}", lambda _, name=name: name, _cell(index), width=9, grow=1, most=18, rank=1)
            for index, name in enumerate(upstreams)
        ),
        Column("served", lambda w: w.groups.served_by, _served, width=12, grow=1, most=24),
        Column("in", lambda w: w.table.input, lambda one, _: _price(one.input_usd), width=7, right=True, rank=2),
        Column("out", lambda w: w.table.output, lambda one, _: _price(one.output_usd), width=7, right=True, rank=2),
        Column("why", lambda w: w.groups.why_not, lambda one, _: Cell(one.reason, "warn"), width=16, grow=4, most=120),
    )  # fmt: skip


def _served(model: ServedModel, _: Idiom) -> Cell:
    return Cell(model.served_by) if model.available else Cell(f"✕ {model.gate}", "bad")


class Picture(msgspec.Struct, frozen=True):
    groups: tuple[Group, ...]
    serving: GroupServing | None
    """Of the group under the cursor."""


class Groups(Undoing, Top[Picture]):
    DEFAULT_CSS = """
    Groups #both { height: 1fr; }
    Groups #table { height: 40%; min-height: 6; }
    Groups #serving { height: 1fr; }
    Groups.-wide #both { layout: horizontal; }
    Groups.-wide #table { height: 1fr; width: 70; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", "groups.new"),
        Binding("e", "edit", "groups.edit"),
        Binding("i", "capabilities", "groups.capabilities_key"),
        Binding("K", "to_keys", "groups.to_keys"),
        Binding("d", "turn", "groups.turn"),
        Binding("D", "delete", "groups.delete"),
        UNDO,
    ]

    def __init__(self) -> None:
        super().__init__()
        self.table = PagedTable(COLUMNS, key=lambda one: one.name, idiom=self.idiom, id="table")
        self.serving = PagedTable(matrix(()), key=lambda one: one.model, idiom=self.idiom, id="serving")

    def body(self) -> ComposeResult:
        with Container(id="both"):
            yield self.table
            yield self.serving

    async def look(self, client: AdminClient) -> Picture:
        groups = await client.groups()
        wanted = self.table.row.name if self.table.row is not None else ""
        name = next((one.name for one in groups if one.name == wanted), groups[0].name if groups else "")
        return Picture(groups, await client.serving(name) if name else None)

    def draw(self, picture: Picture) -> None:
        words = self.words.groups
        self.table.title = words.title.format(count=len(picture.groups))
        self.table.show(picture.groups)
        if picture.serving is not None:
            self._draw_serving(picture.serving)

    def _draw_serving(self, serving: GroupServing) -> None:
        up = sum(one.available for one in serving.models)
        self.serving.reshape(matrix(serving.upstreams))
        self.serving.title = self.words.groups.serving.format(
            name=serving.group, up=up, count=len(serving.models)
        )
        self.serving.show(serving.models)

    def label(self) -> None:
        words = self.words.groups
        self.table.empty = words.empty if self.picture is not None else self.words.table.loading
        self.serving.empty = words.serving_none if self.picture is not None else self.words.table.loading
        self.table.relabel()
        self.serving.relabel()

    def on_paged_table_pointed(self, event: PagedTable.Pointed[Group]) -> None:
        if event.table is self.table:
            self.look_again()

    def on_paged_table_opened(self, event: PagedTable.Opened[Group]) -> None:
        """From the group into its models; from a model to what is known of it."""
        if event.table is self.table:
            self.serving.focus()
        elif (row := self.serving.row) is not None:
            self.console_app.go("models").narrow(row.model)

    # What is done to them

    @property
    def group(self) -> Group | None:
        return self.table.row

    def _saved(self, group: Group | None) -> None:
        if group is not None:
            self.notify(self.words.groups.saved.format(name=group.name), markup=False)

    def action_new(self) -> None:
        self.console_app.push_screen(group_form(self.words, None), self._saved)

    def action_edit(self) -> None:
        if (group := self.group) is not None:
            self.console_app.push_screen(group_form(self.words, group), self._saved)

    def action_capabilities(self) -> None:
        group = self.group
        if group is None:
            return

        def picked(names: tuple[str, ...] | None) -> None:
            if names:
                edit = GroupEdit(capabilities=None if len(names) == len(CAPABILITIES) else names)
                self.act(lambda client: client.edit_group(group.name, edit), self._saved)

        title = self.words.groups.capabilities_title.format(name=group.name)
        choices = [(name, "") for name in CAPABILITIES]
        self.console_app.push_screen(Pick(title, choices, marked=group.capabilities), picked)

    def action_to_keys(self) -> None:
        if (group := self.group) is not None:
            self.console_app.go("keys").narrow(f"group:{group.name}")

    def action_turn(self) -> None:
        group = self.group
        if group is None:
            return
        on = not group.enabled

        def then(changed: Group) -> None:
            said = self.words.groups.is_on if on else self.words.groups.is_off
            self.done(
                said.format(name=changed.name),
                lambda client: client.edit_group(group.name, GroupEdit(enabled=not on)),
            )

        self.act(lambda client: client.edit_group(group.name, GroupEdit(enabled=on)), then)

    def action_delete(self) -> None:
        if (group := self.group) is not None:
            query = KeyQuery(group=group.name)
            self.act(
                lambda client: client.key_page(query, limit=NAMED), lambda page: self._ask_delete(group, page)
            )

    def _ask_delete(self, group: Group, page: Page[Key]) -> None:
        words = self.words.groups
        if page.items:
            lines = in_use(words.in_use, words.in_use_more, page)
            title = words.in_use_title.format(name=group.name)
            self.console_app.push_screen(Told(title, (lines, words.in_use_move)))
            return

        def sure(yes: bool | None) -> None:
            if yes:
                said = words.deleted.format(name=group.name)
                self.act(
                    lambda client: client.delete_group(group.name), lambda _: self.notify(said, markup=False)
                )

        title = words.delete_title.format(name=group.name)
        self.console_app.push_screen(TypeName(title, (words.delete_effect,), group.name), sure)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.can_undo if action == "undo" else True
