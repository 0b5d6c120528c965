"""The audit as the operator reads it."""

from __future__ import annotations

from pathlib import Path

from laidian.admin.schema import AuditReport, Difference
from laidian.admin.service.moments import iso
from laidian.domain.money import format_usd
from laidian.store.audit import audit
from laidian.store.connection import Connection


def audit_report(connection: Connection, run_folder: Path, now_ms: int) -> AuditReport:
    """Replays the ledger; `clean` is false on any difference. `run_folder`: where workers lock their files."""
    figures = audit(connection, run_folder)
    return AuditReport(
        clean=figures.differences_total == 0,
        at=iso(now_ms),
        quotas=figures.quotas,
        keys=figures.keys,
        windows=figures.windows,
        records=figures.records,
        holds=figures.holds,
        orphaned_holds=figures.orphaned_holds,
        credited_usd=format_usd(figures.credited_nano),
        spent_usd=format_usd(figures.spent_nano),
        held_usd=format_usd(figures.held_nano),
        shortfall_usd=format_usd(figures.shortfall_nano),
        records_amount_usd=format_usd(figures.amount_nano),
        estimated_records=figures.estimated,
        lost_records=figures.lost,
        unpriced_records=figures.unpriced,
        differences=tuple(
            Difference(
                check=one.check,
                subject=one.subject,
                expected=one.expected,
                found=one.found,
                message=one.message,
            )
            for one in figures.differences
        ),
        differences_total=figures.differences_total,
    )
