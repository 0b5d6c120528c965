"""The large data folder is a sound one, and every question of the console can be asked of it."""

from __future__ import annotations

from pathlib import Path

from laidian.server.folder import Folder
from laidian.store.audit import audit
from laidian.store.database import connect
from laidian.store.rollups import behind
from scripts.bench.console_records import make
from scripts.bench.console_times import measure


def test_a_made_folder_adds_up_and_answers_every_question(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "data")
    make(folder, records=3_000, keys=60, days=20, unfolded=50, seed=1)
    connection = connect(folder.database, read_only=True)
    found = audit(connection, folder.run)
    assert (found.records, found.keys, found.differences) == (3_000, 60, ())
    assert behind(connection) == 50
    assert connection.execute("SELECT count(*) FROM refusals").fetchone() == (1_000,)
    connection.close()
    times = measure(folder, runs=1)
    assert len({one.question for one in times}) == len(times) > 40
    assert all(one.best_ms > 0 for one in times)
