"""What is done to an account, from whatever screen: added, changed, given another credential, deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from laidian.admin.schema import Probe, Upstream
from tui.dialogs.upstream import Added, AddUpstream, credential_form, edit_upstream
from tui.frame import Framed
from tui.question import TypeName
from tui.text import count


def add(screen: Framed[Any], then: Callable[[Added], object] | None = None) -> None:
    def added(result: Added | None) -> None:
        if result is None:
            screen.look_again()
            return
        say_probe(screen, result.probe)
        if then is not None:
            then(result)

    def push(upstreams: tuple[Upstream, ...]) -> None:
        taken = frozenset(one.name for one in upstreams)
        screen.console_app.push_screen(AddUpstream(screen.words, taken), added)

    screen.act(lambda client: client.upstreams(), push)


def probe(screen: Framed[Any], name: str) -> None:
    screen.act(lambda client: client.probe(name), lambda found: say_probe(screen, found))


def say_probe(screen: Framed[Any], probe: Probe) -> None:
    if probe.ok:
        said = screen.words.accounts.found.format(name=probe.upstream, models=count(probe.models or 0))
        screen.notify(said, markup=False)
    else:
        screen.notify(f"{probe.upstream}: {probe.reason}", severity="error", markup=False)


def edit(screen: Framed[Any], upstream: Upstream) -> None:
    def saved(changed: Upstream | None) -> None:
        if changed is not None:
            screen.notify(screen.words.accounts.saved.format(name=changed.name), markup=False)

    screen.console_app.push_screen(edit_upstream(screen.words, upstream), saved)


def credentials(screen: Framed[Any], upstream: Upstream) -> None:
    def changed(now: Upstream | None) -> None:
        if now is None:
            return
        idiom = screen.idiom()
        labels = ", ".join(
            f"{one.label} ({idiom.state('active' if one.enabled else 'disabled').text})"
            for one in now.credentials
        )
        screen.notify(screen.words.accounts.changed.format(name=now.name, labels=labels or "-"), markup=False)
        if any(one.enabled for one in now.credentials):
            probe(screen, now.name)

    screen.console_app.push_screen(credential_form(screen.words, upstream), changed)


def delete(screen: Framed[Any], name: str, then: Callable[[], object] | None = None) -> None:
    words = screen.words.accounts

    def gone(upstream: Upstream) -> None:
        screen.notify(words.deleted.format(name=upstream.name), markup=False)
        if then is not None:
            then()

    def push(upstream: Upstream) -> None:
        def sure(yes: bool | None) -> None:
            if yes:
                screen.act(lambda client: client.delete_upstream(upstream.name), gone)

        lines = [words.delete_effect]
        if upstream.groups:
            lines.append(words.delete_groups.format(names=", ".join(upstream.groups)))
        if upstream.in_flight:
            lines.append(words.delete_running.format(count=count(upstream.in_flight)))
        lines.append(words.delete_records)
        title = words.delete_title.format(name=upstream.name)
        screen.console_app.push_screen(TypeName(title, lines, upstream.name), sure)

    screen.act(lambda client: client.upstream(name), push)
