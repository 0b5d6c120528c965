"""`laidian backup` and `laidian restore`: the database as one file, and back."""

from __future__ import annotations

import datetime
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from laidian.cli.call import Call, Local, with_call
from laidian.cli.clock import now
from laidian.cli.output import put_one
from laidian.cli.progress import progress
from laidian.cli.reach import check_folder
from laidian.cli.text import moment
from laidian.config import data_folder
from laidian.errors import Conflict
from laidian.server.folder import Folder

if TYPE_CHECKING:
    from laidian.store.backup import BackupState


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    file: str
    bytes: int
    verified: bool
    schema: int | None
    """What a verification found; null without one."""
    keys: int | None
    records: int | None
    newest_record_at: str | None


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    file: str
    schema: int
    keys: int
    records: int
    newest_record_at: str | None
    kept: str
    """Where what was there before lies now; empty: there was nothing."""
    credentials: int
    credentials_unopened: int
    """Which this folder's master.key does not open."""


@click.command(cls=Local)
@click.argument("file")
@click.option("--verify", is_flag=True, help="Read the copy back, every page and index.")
@with_call
def backup(call: Call, file: str, verify: bool) -> None:
    """Copy the database to a new file, also while the server runs.

    \b
    laidian backup /mnt/safe/laidian-2026-11-29.db --verify
    laidian backup snapshot.db --data ./data

    The copy is one consistent moment. It does not hold master.key, which opens the providers' credentials: keep a copy of that
    apart, once.
    """
    from laidian.store.backup import back_up, prove

    folder = Folder(data_folder(call.data, os.environ))
    check_folder(folder, makes_data=False)
    target = Path(file).expanduser().absolute()
    with progress(call, "copying") as told:
        back_up(folder.database, target, told)
    folder.keep_owner()
    state = prove(target) if verify else None
    kept = Kept(
        file=str(target),
        bytes=target.stat().st_size,
        verified=verify,
        schema=None if state is None else state.schema,
        keys=None if state is None else state.keys,
        records=None if state is None else state.records,
        newest_record_at=None if state is None else _iso(state.newest_record_ms),
    )
    lines = [("file", kept.file), ("size", _size(kept.bytes)), ("verified", "yes" if verify else "no")]
    put_one(call, kept, lines + ([] if state is None else _found(state)))
    call.narrate(f"Not in it: {folder.master_key}, without which the providers' credentials do not open.")


@click.command(cls=Local)
@click.argument("file")
@with_call
def restore(call: Call, file: str) -> None:
    """Put a copy that `laidian backup` made in the database's place. Only while no server runs.

    \b
    laidian restore /mnt/safe/laidian-2026-11-29.db
    laidian restore copy.db --data ./data --yes

    The copy is verified first, and what is there now is kept in the data folder's backups/.
    """
    from laidian.store.backup import prove, put_back, unopened
    from laidian.store.vault import Vault, master_key

    folder = Folder(data_folder(call.data, os.environ))
    source = Path(file).expanduser().absolute()
    state = prove(source)
    if folder.root.exists():
        check_folder(folder, makes_data=True)
    if folder.served():
        raise Conflict(
            f"a server runs from {folder.root}, and a database is not taken from under it. Stop it, then restore."
        )
    if folder.database.exists():
        call.confirm(
            f"The database of {folder.root} is going to be replaced by {source}"
            f" ({state.keys} keys, {state.records} records); the present one is kept in {folder.backups}.",
            folder.root.name,
        )
    folder.create()
    folder.claim()
    try:
        there, kept = folder.database.exists(), folder.kept_path("before-restore")
        with progress(call, "restoring") as told:
            put_back(source, folder.database, kept, told)
    finally:
        folder.release()
    closed = unopened(folder.database, Vault(master_key(folder.master_key)))
    folder.keep_owner()
    restored = Restored(
        file=str(source),
        schema=state.schema,
        keys=state.keys,
        records=state.records,
        newest_record_at=_iso(state.newest_record_ms),
        kept=str(kept) if there else "",
        credentials=state.credentials,
        credentials_unopened=closed,
    )
    put_one(
        call, restored, [("restored", str(source)), *_found(state), ("before", restored.kept or "nothing")]
    )
    if closed:
        call.narrate(
            f"{closed} of {state.credentials} providers' credentials do not open with {folder.master_key}: put the master.key"
            " of that time there, or enter them again (laidian upstream rotate-key)."
        )


def _found(state: BackupState) -> list[tuple[str, str]]:
    return [
        ("schema", str(state.schema)),
        ("keys", str(state.keys)),
        ("records", str(state.records)),
        ("newest record", moment(_iso(state.newest_record_ms), now(), missing="none")),
    ]


def _iso(epoch_ms: int | None) -> str | None:
    if epoch_ms is None:
        return None
    at = datetime.datetime.fromtimestamp(epoch_ms // 1000, datetime.UTC)
    return at.isoformat().replace("+00:00", "Z")


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.1f} kB"
