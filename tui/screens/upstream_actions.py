"""What is done to an upstream: the same keys on the list and on its own screen."""

from __future__ import annotations

from typing import Any

from textual.binding import Binding, BindingType

from laidian.admin.schema import Probe, Upstream, UpstreamEdit
from tui.dialogs import upstream_acts as acts
from tui.frame import Detail, Framed
from tui.text import milliseconds

UPSTREAM_KEYS: tuple[BindingType, ...] = (
    Binding("n", "add", "accounts.add"),
    Binding("e", "edit", "accounts.edit"),
    Binding("c", "credential", "accounts.credential", show=False),
    Binding("D", "delete", "accounts.delete", show=False),
    Binding("p", "probe", "upstreams.probe"),
    Binding("d", "drain", "upstreams.drain"),
    Binding("R", "reset", "upstreams.reset", show=False),
    Binding("l", "errors", "upstreams.errors"),
    Binding("m", "to_models", "upstreams.to_models", show=False),
)


class UpstreamActions(Framed[Any]):
    """Put before the kind of screen; `chosen` says which upstream is meant."""

    def chosen(self) -> Upstream | None:
        raise NotImplementedError

    def action_probe(self) -> None:
        if (row := self.chosen()) is not None:
            self.probe(row.name)

    def probe(self, name: str) -> None:
        self.notify(self.words.upstreams.probing.format(name=name), markup=False, timeout=2)
        self.act(lambda client: client.probe(name), self._probed)

    def _probed(self, probe: Probe) -> None:
        words = self.words.upstreams
        if probe.ok:
            said = words.probed_well.format(
                name=probe.upstream, models=probe.models or 0, time=milliseconds(probe.duration_ms)
            )
            self.notify(said, markup=False)
        else:
            said = words.probed_badly.format(name=probe.upstream, reason=probe.reason)
            self.notify(said, severity="error", markup=False)

    def action_drain(self) -> None:
        """At once, since it is as easily undone."""
        row = self.chosen()
        if row is None:
            return
        words = self.words.upstreams
        said = words.drained if row.enabled else words.enabled
        self.act(
            lambda client: client.edit_upstream(row.name, UpstreamEdit(enabled=not row.enabled)),
            lambda changed: self.notify(said.format(name=changed.name), markup=False),
        )

    def action_reset(self) -> None:
        row = self.chosen()
        if row is None:
            return
        said = self.words.upstreams.closed
        self.act(
            lambda client: client.reset_circuits(row.name),
            lambda done: self.notify(said.format(name=row.name, count=done.reset), markup=False),
        )

    def action_errors(self) -> None:
        if (row := self.chosen()) is not None:
            self.console_app.go("usage").narrow(f"upstream:{row.name} status:error")

    def action_to_models(self) -> None:
        if (row := self.chosen()) is not None:
            self.console_app.go("models").narrow(f"upstreams:{row.name}")

    # The account itself

    def action_add(self) -> None:
        acts.add(self)

    def action_edit(self) -> None:
        if (row := self.chosen()) is not None:
            acts.edit(self, row)

    def action_credential(self) -> None:
        if (row := self.chosen()) is not None:
            acts.credentials(self, row)

    def action_delete(self) -> None:
        if (row := self.chosen()) is not None:
            acts.delete(self, row.name, self.left)

    def left(self) -> None:
        """After what the screen is about is gone."""
        if isinstance(self, Detail):
            self.dismiss(None)
