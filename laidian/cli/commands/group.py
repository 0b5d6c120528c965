"""`laidian group`: what keys may use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
import msgspec

from laidian.admin.schema import AbortPolicy, Group, GroupCreate, GroupEdit
from laidian.cli.call import Call, ListCommand, Noun, with_call
from laidian.cli.clock import now
from laidian.cli.commands.model import put_served
from laidian.cli.names import named
from laidian.cli.output import put_list, put_one
from laidian.cli.reach import ask
from laidian.cli.table import Column
from laidian.cli.text import moment
from laidian.cli.values import changed, changed_pairs, changed_words, refuse_empty, removable_count

NEW = click.argument("name")
NAME = click.argument("name", shell_complete=named("groups"))
ALIAS = "NAME=MODEL"
COLUMNS: tuple[Column[Group], ...] = (
    Column("name", lambda group: group.name),
    Column("state", lambda group: "active" if group.enabled else "disabled", colored=True),
    Column("upstreams", lambda group: group.upstreams or "all"),
    Column("models", lambda group: ",".join(group.allow) or "all"),
    Column("price", lambda group: group.multiplier, right=True),
    Column("keys", lambda group: str(group.keys), right=True),
    Column("rpm", lambda group: _count(group.requests_per_minute), right=True, optional=True),
    Column("tpm", lambda group: _count(group.tokens_per_minute), right=True, optional=True),
    Column("at once", lambda group: _count(group.concurrent_requests), right=True, optional=True),
    Column("from config", lambda group: "yes" if group.from_config else "no", optional=True),
)


@click.group(cls=Noun)
def group() -> None:
    """Groups: what keys may use. Alone: `list`.

    \b
    laidian group create team --allow 'gpt-*'
    laidian group
    """


def _settings(function: Callable[..., None]) -> Callable[..., None]:
    """The options that `create` and `edit` share. Texts, so that an edit can tell `none` from a number."""
    for option in reversed(
        [
            click.option("--upstreams", metavar="A,B", help="In order `a,b`; `a+b` share; empty: all."),
            click.option(
                "--allow", metavar="PATTERN", multiple=True, help="Models it may use, as shell patterns."
            ),
            click.option("--deny", metavar="PATTERN", multiple=True, help="Models it may not use."),
            click.option("--alias", metavar=ALIAS, multiple=True, help="Another name for a model."),
            click.option(
                "--capability", metavar="NAME", multiple=True, help="What it may call; all if not given."
            ),
            click.option("--multiplier", metavar="N", help="Of every price: `1x`, `1.25x`."),
            click.option("--requests-per-minute", metavar="N", help="Of each key."),
            click.option("--tokens-per-minute", metavar="N", help="Of each key."),
            click.option("--concurrent-requests", metavar="N", help="Of each key."),
            click.option(
                "--on-abort",
                type=click.Choice(["cancel", "drain"]),
                help="What happens when a client leaves: end the request, or read it to its end.",
            ),
        ]
    ):
        function = option(function)
    return function


@group.command("list", cls=ListCommand)
@with_call
def list_groups(call: Call) -> None:
    """List the groups.

    \b
    laidian group
    laidian group list --json --fields name,multiplier
    """
    groups = ask(call, lambda client: client.groups())
    put_list(call, Group, groups, COLUMNS, empty="no groups yet. Make one: laidian group create NAME")


@group.command("show")
@NAME
@with_call
def show_group(call: Call, name: str) -> None:
    """Show one group.

    \b
    laidian group show team
    """
    _put(call, ask(call, lambda client: client.group(name)))


@group.command("models", cls=ListCommand)
@NAME
@click.option("--all", "everything", is_flag=True, help="Also those it cannot have now, and why.")
@with_call
def models_of_group(call: Call, name: str, everything: bool) -> None:
    """List the models that keys of a group can use now, from whom, at the published price.

    \b
    laidian group models team
    laidian group models team --all
    """
    put_served(call, ask(call, lambda client: client.serving(name)).models, everything=everything)


@group.command("create")
@NEW
@_settings
@click.option("--disabled", is_flag=True, help="Make it, but let no key of it in yet.")
@with_call
def create_group(call: Call, name: str, disabled: bool, **given: Any) -> None:
    """Make a group.

    \b
    laidian group create team --upstreams openai-1,openai-2 --allow 'gpt-*'
    laidian group create trial --upstreams a+b --requests-per-minute 10 --multiplier 1.25x
    """
    edit = _edit(given)
    new = GroupCreate(name=name, enabled=not disabled)
    chosen = {
        field: value
        for field in edit.__struct_fields__
        if (value := getattr(edit, field)) is not msgspec.UNSET
    }
    new = msgspec.structs.replace(new, **chosen)
    made = ask(call, lambda client: client.create_group(new), makes_data=True)
    call.narrate(f"Group `{made.name}` is made.")
    _put(call, made)


@group.command("edit")
@NAME
@_settings
@click.option("--name", "new_name", metavar="NAME", help="A new name.")
@with_call
def edit_group(call: Call, name: str, new_name: str | None, **given: Any) -> None:
    """Change what is named, leave the rest. Lists are replaced; `none` empties them and removes limits.

    \b
    laidian group edit team --deny 'o3-pro*' --requests-per-minute 60
    laidian group edit team --allow none --requests-per-minute none
    """
    edit = msgspec.structs.replace(_edit(given), name=changed(new_name))
    refuse_empty(edit)
    _put(call, ask(call, lambda client: client.edit_group(name, edit)))


@group.command("enable")
@NAME
@with_call
def enable_group(call: Call, name: str) -> None:
    """Let the keys of a group in again.

    \b
    laidian group enable team
    """
    _put(call, ask(call, lambda client: client.edit_group(name, GroupEdit(enabled=True))))


@group.command("disable")
@NAME
@with_call
def disable_group(call: Call, name: str) -> None:
    """Refuse every key of a group until it is enabled.

    \b
    laidian group disable team
    """
    _put(call, ask(call, lambda client: client.edit_group(name, GroupEdit(enabled=False))))


@group.command("delete")
@NAME
@with_call
def delete_group(call: Call, name: str) -> None:
    """Delete a group that no key uses. Usage records stay.

    \b
    laidian group delete trial
    laidian group delete trial --yes
    """
    call.confirm(f"Group `{name}` is going to be deleted; usage records stay.", name)
    gone = ask(call, lambda client: client.delete_group(name))
    call.narrate(f"Group `{gone.name}` is deleted.")
    if call.json:
        _put(call, gone)


def _edit(given: dict[str, Any]) -> GroupEdit:
    policy: AbortPolicy | None = given["on_abort"]
    capabilities = changed_words(given["capability"])
    return GroupEdit(
        upstreams="" if given["upstreams"] == "none" else changed(given["upstreams"]),
        allow=changed_words(given["allow"]),
        deny=changed_words(given["deny"]),
        aliases=changed_pairs(given["alias"], ALIAS),
        # `all` is the word for no restriction; an empty list would allow nothing at all
        capabilities=None if "all" in (capabilities or ()) else capabilities,
        multiplier=changed(given["multiplier"]),
        requests_per_minute=removable_count(given["requests_per_minute"], "--requests-per-minute"),
        tokens_per_minute=removable_count(given["tokens_per_minute"], "--tokens-per-minute"),
        concurrent_requests=removable_count(given["concurrent_requests"], "--concurrent-requests"),
        on_abort=msgspec.UNSET if policy is None else policy,
    )


def _count(limit: int | None) -> str:
    return "-" if limit is None else str(limit)


def _put(call: Call, group: Group) -> None:
    lines = [
        ("name", group.name),
        ("state", "active" if group.enabled else "disabled"),
        ("upstreams", group.upstreams or "all, by their priority"),
        ("allow", ", ".join(group.allow) or "every model"),
        ("deny", ", ".join(group.deny) or "-"),
        ("aliases", ", ".join(f"{name}={model}" for name, model in group.aliases.items()) or "-"),
        ("capabilities", ", ".join(group.capabilities) or "none"),
        ("multiplier", group.multiplier),
        (
            "limits of a key",
            f"{_count(group.requests_per_minute)} requests/min, {_count(group.tokens_per_minute)} tokens/min,"
            f" {_count(group.concurrent_requests)} at once",
        ),
        ("on abort", group.on_abort),
        ("keys", str(group.keys)),
        ("from config", "yes: change it in config.toml" if group.from_config else "no"),
        ("created", moment(group.created_at, now())),
    ]
    put_one(call, group, lines)
