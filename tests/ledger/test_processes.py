"""Several processes on one ledger at once: nothing is lost, nothing is overspent, also when one is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from laidian.store.database import connect
from laidian.store.orphans import settle_orphans
from tests.ledger.books import KeyRow, QuotaRow, make_books, writing
from tests.ledger.hammer import CHARGE_NANO, HOLD_NANO
from tests.ledger.identities import violations

ROOT = Path(__file__).resolve().parent.parent.parent


def start(path: Path, name: str, requests: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.ledger.hammer", str(path), name, str(requests)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def said(process: subprocess.Popen[bytes]) -> tuple[int, int]:
    output, errors = process.communicate(timeout=100)
    assert (process.returncode, errors) == (0, b"")
    got, refused = output.split()
    return int(got), int(refused)


def test_two_processes_lose_nothing_and_spend_no_more_than_there_is(tmp_path: Path) -> None:
    """The balance runs out on the way; a reader looks at all identities meanwhile."""
    path, affordable = tmp_path / "ledger.db", 1_500
    make_books(path, [QuotaRow("prepaid", credited_nano=affordable * CHARGE_NANO)], [KeyRow(1)])
    processes = [start(path, name, 1_000) for name in ("one", "two")]
    reader = connect(path, read_only=True)
    looks = 0
    while any(process.poll() is None for process in processes):
        broken = [found for found in violations(reader, file=False) if "no worker" not in found]
        assert broken == []
        looks += 1
        time.sleep(0.02)
    results = [said(process) for process in processes]
    served = sum(got for got, _ in results)
    assert sum(got + refused for got, refused in results) == 2_000
    assert min(got for got, _ in results) > 100, "they took turns"
    assert affordable - 2 * 16 * HOLD_NANO // CHARGE_NANO < served <= affordable
    row = reader.execute("SELECT held_nano, spent_nano FROM quotas").fetchone()
    assert row == (0, served * CHARGE_NANO)
    assert reader.execute("SELECT count(*), count(DISTINCT request_id) FROM usage_records").fetchone() == (
        served,
        served,
    )
    assert violations(reader) == []
    assert looks > 3
    reader.close()


def test_a_killed_process_leaves_whole_holds_that_another_settles(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    make_books(path, [QuotaRow("unlimited")], [KeyRow(1)])
    victim, survivor = start(path, "victim", 10**6), start(path, "survivor", 1_500)
    reader = connect(path, read_only=True)
    while reader.execute("SELECT count(*) FROM usage_records").fetchone()[0] < 500:
        assert victim.poll() is None
        time.sleep(0.005)
    os.kill(victim.pid, signal.SIGKILL)
    victim.communicate()
    assert said(survivor) == (1_500, 0)
    left = reader.execute("SELECT count(*) FROM holds WHERE owner = 'victim'").fetchone()[0]
    with writing(path) as connection:
        assert settle_orphans(connection, tmp_path, 1) == left
    assert violations(reader) == []
    assert reader.execute("SELECT count(*) FROM usage_records WHERE ended = 'lost'").fetchone() == (left,)
    reader.close()
