"""`laidian quota`: what keys may spend."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import click

from laidian.admin.schema import (
    Credit,
    Quota,
    QuotaCreate,
    QuotaEdit,
    QuotaKind,
    QuotaWindow,
    TopUp,
    WindowKind,
)
from laidian.cli.call import Call, Command, ListCommand, Noun, with_call
from laidian.cli.clock import now
from laidian.cli.names import named
from laidian.cli.output import put_list, put_one, put_table
from laidian.cli.reach import ask
from laidian.cli.table import Column
from laidian.cli.text import dollars, moment
from laidian.cli.values import (
    amount,
    amount_or_none,
    changed,
    guard_negative,
    refuse_empty,
    removable,
)

NEW = click.argument("name")
NAME = click.argument("name", shell_complete=named("quotas"))
WINDOWS: tuple[tuple[str, WindowKind], ...] = (
    ("limit_5h", "5h"),
    ("limit_day", "day"),
    ("limit_week", "week"),
    ("limit_month", "month"),
)


@click.group(cls=Noun)
def quota() -> None:
    """Quotas: what keys may spend, together. Alone: `list`.

    \b
    laidian quota create team --balance 50
    laidian quota
    """


def _limits(function: Callable[..., None]) -> Callable[..., None]:
    for name, window in reversed(WINDOWS):
        option = click.option(
            f"--{name.replace('_', '-')}",
            metavar="USD",
            help=f"Of a plan: per {window.replace('5h', '5 hours')}.",
        )
        function = option(function)
    return function


def _columns() -> Sequence[Column[Quota]]:
    at = now()
    return (
        Column("name", lambda quota: quota.name),
        Column("kind", lambda quota: quota.kind),
        Column("state", lambda quota: quota.state, colored=True),
        Column("left", lambda quota: dollars(quota.left_usd), right=True),
        Column("spent", lambda quota: dollars(quota.spent_usd), right=True),
        Column("held", lambda quota: dollars(quota.held_usd), right=True, optional=True),
        Column("keys", lambda quota: str(quota.keys), right=True),
        Column(
            "expires",
            lambda quota: moment(quota.expires_at, at, missing="never"),
            short=lambda quota: moment(quota.expires_at, at, missing="never", short=True),
            optional=True,
        ),
    )


@quota.command("list", cls=ListCommand)
@with_call
def list_quotas(call: Call) -> None:
    """List the quotas.

    \b
    laidian quota
    laidian quota list --json
    """
    quotas = ask(call, lambda client: client.quotas())
    put_list(
        call,
        Quota,
        quotas,
        _columns(),
        empty="no quotas yet. Make one: laidian quota create NAME --balance USD",
    )


@quota.command("show")
@NAME
@with_call
def show_quota(call: Call, name: str) -> None:
    """Show one quota, with the windows of a plan.

    \b
    laidian quota show team
    """
    _put(call, ask(call, lambda client: client.quota(name)))


@quota.command("create")
@NEW
@click.option("--balance", metavar="USD", help="Prepaid: what there is to spend.")
@click.option("--plan", is_flag=True, help="Limits per time window; at least one --limit-….")
@_limits
@click.option("--unlimited", is_flag=True, help="Count, but never refuse.")
@click.option("--expires", metavar="WHEN", help="`30d`, a date, or ISO 8601.")
@click.option("--note", metavar="TEXT", default="", help="Kept with the first credit.")
@click.option("--disabled", is_flag=True, help="Make it, but let nobody spend yet.")
@with_call
def create_quota(
    call: Call,
    name: str,
    balance: str | None,
    plan: bool,
    unlimited: bool,
    expires: str | None,
    note: str,
    disabled: bool,
    **limits: str | None,
) -> None:
    """Make a quota: prepaid, a plan, or unlimited.

    \b
    laidian quota create team --balance 50
    laidian quota create monthly --plan --limit-day 5 --limit-month 100
    laidian quota create house --unlimited
    """
    windows = _windows(limits)
    new = QuotaCreate(
        name=name,
        kind=_kind(balance=balance is not None, plan=plan or bool(windows), unlimited=unlimited),
        balance_usd=amount_or_none(balance),
        limits_usd=windows,
        expires_at=expires,
        note=note,
        enabled=not disabled,
    )
    made = ask(call, lambda client: client.create_quota(new), makes_data=True)
    call.narrate(f"Quota `{made.name}` is made.")
    _put(call, made)


@quota.command("edit")
@NAME
@click.option("--name", "new_name", metavar="NAME", help="A new name.")
@_limits
@click.option("--expires", metavar="WHEN", help="`never` removes it.")
@with_call
def edit_quota(
    call: Call, name: str, new_name: str | None, expires: str | None, **limits: str | None
) -> None:
    """Change what is named, leave the rest; `none` removes a limit. A balance changes with `topup`.

    \b
    laidian quota edit monthly --limit-day 10 --limit-week none
    """
    edit = QuotaEdit(name=changed(new_name), expires_at=removable(expires))
    if all(value is None for value in limits.values()):
        refuse_empty(edit)
        _put(call, ask(call, lambda client: client.edit_quota(name, edit)))
        return
    _put(call, _with_limits(call, name, edit, limits))


def _with_limits(call: Call, name: str, edit: QuotaEdit, limits: dict[str, str | None]) -> Quota:
    """The API replaces all limits of a plan; those not named here are read first and given back."""
    from laidian.admin.client import AdminClient

    async def change(client: AdminClient) -> Quota:
        before = await client.quota(name)
        windows: dict[WindowKind, str] = {window.kind: window.limit_usd for window in before.windows}
        for option, window in WINDOWS:
            text = limits[option]
            if text is not None and removable(text) is None:
                windows.pop(window, None)
            elif text is not None:
                windows[window] = amount(text)
        return await client.edit_quota(
            name, QuotaEdit(name=edit.name, expires_at=edit.expires_at, limits_usd=windows)
        )

    return ask(call, change)


class NegativeCommand(Command):
    """A command with an amount that may be negative."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, guard_negative(args))


@quota.command("topup", cls=NegativeCommand)
@NAME
@click.argument("usd", metavar="USD")
@click.option("--note", metavar="TEXT", default="", help="Kept with the credit.")
@with_call
def top_up(call: Call, name: str, usd: str, note: str) -> None:
    """Add to the balance of a prepaid quota; a negative amount takes back what is left at most.

    \b
    laidian quota topup team 25 --note "invoice 17"
    """
    credit = TopUp(amount_usd=amount(usd), note=note)
    after = ask(call, lambda client: client.top_up(name, credit))
    call.narrate(f"Quota `{after.name}` has {dollars(after.left_usd)} left.")
    _put(call, after)


@quota.command("credits", cls=ListCommand)
@NAME
@with_call
def list_credits(call: Call, name: str) -> None:
    """List what was paid into a prepaid quota, newest first.

    \b
    laidian quota credits team
    """
    at = now()
    columns: tuple[Column[Credit], ...] = (
        Column(
            "when",
            lambda credit: moment(credit.at, at),
            short=lambda credit: moment(credit.at, at, short=True),
        ),
        Column("amount", lambda credit: dollars(credit.amount_usd), right=True),
        Column("note", lambda credit: credit.note or "-"),
    )
    found = ask(call, lambda client: client.credits(name))
    put_list(call, Credit, found, columns, empty="no credits.")


@quota.command("enable")
@NAME
@with_call
def enable_quota(call: Call, name: str) -> None:
    """Let a quota be spent again.

    \b
    laidian quota enable team
    """
    _put(call, ask(call, lambda client: client.edit_quota(name, QuotaEdit(enabled=True))))


@quota.command("disable")
@NAME
@with_call
def disable_quota(call: Call, name: str) -> None:
    """Let nobody spend from a quota until it is enabled.

    \b
    laidian quota disable team
    """
    _put(call, ask(call, lambda client: client.edit_quota(name, QuotaEdit(enabled=False))))


@quota.command("delete")
@NAME
@with_call
def delete_quota(call: Call, name: str) -> None:
    """Delete a quota that no key uses. Usage records stay.

    \b
    laidian quota delete old
    """
    call.confirm(f"Quota `{name}` is going to be deleted; usage records stay.", name)
    gone = ask(call, lambda client: client.delete_quota(name))
    call.narrate(f"Quota `{gone.name}` is deleted.")
    if call.json:
        _put(call, gone)


def _windows(limits: dict[str, str | None]) -> dict[WindowKind, str]:
    return {window: amount(text) for option, window in WINDOWS if (text := limits[option]) is not None}


def _kind(*, balance: bool, plan: bool, unlimited: bool) -> QuotaKind:
    """Raises UsageError unless exactly one kind was described."""
    kinds: list[QuotaKind] = []
    if balance:
        kinds.append("prepaid")
    if plan:
        kinds.append("plan")
    if unlimited:
        kinds.append("unlimited")
    if len(kinds) != 1:
        said = "two kinds at once" if kinds else "no kind"
        raise click.UsageError(
            f"{said}: give --balance USD, or --plan with --limit-… USD, or --unlimited.",
            click.get_current_context(),
        )
    return kinds[0]


def _put(call: Call, quota: Quota) -> None:
    at = now()
    lines = [
        ("name", quota.name),
        ("kind", quota.kind),
        ("state", quota.state),
        ("left", dollars(quota.left_usd, missing="no limit")),
        ("spent", dollars(quota.spent_usd)),
        ("held", dollars(quota.held_usd)),
        ("credited", dollars(quota.credited_usd)),
        ("expires", moment(quota.expires_at, at, missing="never")),
        ("keys", str(quota.keys)),
        ("created", moment(quota.created_at, at)),
    ]
    if put_one(call, quota, lines) and quota.windows:
        click.echo()
        put_table(call, quota.windows, _window_columns())


def _window_columns() -> Sequence[Column[QuotaWindow]]:
    at = now()
    return (
        Column("window", lambda window: window.kind),
        Column("limit", lambda window: dollars(window.limit_usd), right=True),
        Column("spent", lambda window: dollars(window.spent_usd), right=True),
        Column("held", lambda window: dollars(window.held_usd), right=True),
        Column("left", lambda window: dollars(window.left_usd), right=True),
        Column("resets", lambda window: moment(window.resets_at, at, missing="with the next request")),
    )
