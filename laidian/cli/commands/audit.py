"""`laidian audit`: the ledger replayed."""

from __future__ import annotations

import click

from laidian.admin.schema import AuditReport, Difference
from laidian.cli.call import Call, Command, with_call
from laidian.cli.clock import now
from laidian.cli.exits import Exit
from laidian.cli.output import put_one, put_table
from laidian.cli.reach import ask
from laidian.cli.table import Column
from laidian.cli.text import dollars, moment

COLUMNS: tuple[Column[Difference], ...] = (
    Column("check", lambda one: one.check),
    Column("subject", lambda one: one.subject),
    Column("expected", lambda one: one.expected, right=True),
    Column("found", lambda one: one.found, right=True),
    Column("what", lambda one: one.message),
)


@click.command(cls=Command)
@with_call
def audit(call: Call) -> int:
    """Replay the ledger and prove that it adds up: records, balances, windows, holds.

    \b
    laidian audit
    laidian audit --json

    Exit code 3 on any difference.
    """
    report = ask(call, lambda client: client.audit())
    if put_one(call, report, _lines(report)) and report.differences:
        click.echo()
        put_table(call, report.differences, COLUMNS)
    if report.clean:
        call.narrate("The ledger adds up.")
        return Exit.DONE
    call.narrate(f"The ledger does not add up: {report.differences_total} differences.")
    return Exit.PROBLEMS


def _lines(report: AuditReport) -> list[tuple[str, str]]:
    return [
        ("clean", "yes" if report.clean else "no"),
        ("at", moment(report.at, now())),
        ("quotas", str(report.quotas)),
        ("keys", str(report.keys)),
        ("windows", str(report.windows)),
        ("records", str(report.records)),
        ("holds", str(report.holds)),
        ("credited", dollars(report.credited_usd)),
        ("spent", dollars(report.spent_usd)),
        ("held", dollars(report.held_usd)),
        ("shortfall", dollars(report.shortfall_usd)),
        ("amount of records", dollars(report.records_amount_usd)),
        ("estimated records", str(report.estimated_records)),
        ("lost records", str(report.lost_records)),
        ("unpriced records", str(report.unpriced_records)),
        ("differences", str(report.differences_total)),
    ]
