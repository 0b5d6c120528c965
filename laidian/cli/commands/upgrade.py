"""`laidian upgrade`: another file in the place of the one in use, with a way back."""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
import time
from pathlib import Path

import click
import msgspec

from laidian.cli.call import Call, Local, with_call
from laidian.cli.output import put_one
from laidian.cli.progress import progress
from laidian.cli.reach import check_folder, over_loopback
from laidian.cli.setup.unit import unit_path
from laidian.cli.swap import (
    Refused,
    check_sum,
    in_use,
    previous_of,
    swap_back,
    swap_in,
    try_out,
    version_of,
)
from laidian.config import data_folder
from laidian.errors import BadRequest, Conflict, LaidianError
from laidian.server.folder import Folder

RESTART_S = 120.0
"""How long a restarted server may take until it answers as the new version."""
LOOK_S = 0.2


class Upgraded(msgspec.Struct, frozen=True, kw_only=True):
    file: str
    from_version: str
    to_version: str
    previous: str
    """Where the file before lies."""
    database_copy: str
    """As it was before; empty: there is no database."""
    restarted: bool


@click.command(cls=Local)
@click.argument("file", required=False)
@click.option(
    "--sha256",
    metavar="HEX",
    help="What the file's sum must be; otherwise SHA256SUMS or FILE.sha256 beside it says.",
)
@click.option("--target", metavar="FILE", help="What to replace, if not the file that runs this command.")
@click.option(
    "--restart", metavar="COMMAND", help="How the server is restarted; found out if not given. `none`: not."
)
@click.option("--no-trial", is_flag=True, help="Do not start it on a copy of the data first.")
@click.option("--rollback", is_flag=True, help="Go back to the file before.")
@click.option(
    "--with-database", is_flag=True, help="Of a rollback: the database of before that upgrade, too."
)
@with_call
def upgrade(
    call: Call,
    file: str | None,
    sha256: str | None,
    target: str | None,
    restart: str | None,
    no_trial: bool,
    rollback: bool,
    with_database: bool,
) -> None:
    """Put a new laidian.pyz in the place of the one in use, and go back when it does not start.

    \b
    laidian upgrade ./laidian.pyz
    laidian upgrade ./laidian.pyz --sha256 9f86d081884c7d65...
    laidian upgrade --rollback

    In this order: its sum is compared, it is asked for its version, the database is copied, it is started on that copy, and only then
    does it take the place of the old file, which is kept. A running service is restarted; if the new one does not answer, the old file
    and, where the new one changed it, the old database come back by themselves.
    """
    if rollback == (file is not None):
        raise click.UsageError("name the new file, or say --rollback.", click.get_current_context())
    if with_database and not rollback:
        raise click.UsageError("--with-database goes with --rollback.", click.get_current_context())
    place = in_use(target)
    folder = Folder(data_folder(call.data, os.environ))
    if folder.root.exists():
        check_folder(folder, makes_data=True)
    command = _restart_command(restart, place, folder)
    if rollback:
        done = _go_back(call, place, folder, command, with_database=with_database)
    else:
        assert file is not None
        new = Path(file).expanduser().absolute()
        check_sum(new, sha256)
        done = _go_on(call, new, place, folder, command, trial=not no_trial)
    lines = [
        ("file", done.file),
        ("version", f"{done.from_version} -> {done.to_version}"),
        ("previous", done.previous),
        ("database copy", done.database_copy or "none"),
        ("restarted", "yes" if done.restarted else "no"),
    ]
    put_one(call, done, lines)
    if not done.restarted and folder.served():
        call.narrate("The running server goes on with the version before until it is restarted.")


def _go_on(
    call: Call, new: Path, place: Path, folder: Folder, command: list[str], *, trial: bool
) -> Upgraded:
    before, after = version_of(place), version_of(new)
    copy = _copied(call, folder, "before-upgrade")
    if copy is not None and trial:
        call.narrate(f"Trying {after} on a copy of the data ...")
        try:
            try_out(new, folder, _config(call), copy)
        except Refused:
            copy.unlink()
            raise
    served = folder.served()
    if served and command:
        call.confirm(f"The server of {folder.root} is going to be restarted with {after}.", after)
    pid = _pid(folder)
    kept = swap_in(new, place)
    restarted = served and bool(command)
    if restarted:
        reason = _restart(call, command, folder, pid, after)
        if reason:
            swap_back(place)
            back = _put_back_if_changed(copy, folder)
            again = _restart(call, command, folder, _pid(folder), before)
            raise Refused(
                f"{after} did not take over: {reason} {before} is back{back}"
                + (f", but it does not answer either: {again}" if again else " and answers.")
            )
    return Upgraded(
        file=str(place),
        from_version=before,
        to_version=after,
        previous=str(kept),
        database_copy="" if copy is None else str(copy),
        restarted=restarted,
    )


def _go_back(call: Call, place: Path, folder: Folder, command: list[str], *, with_database: bool) -> Upgraded:
    kept = previous_of(place)
    if not kept.is_file():
        raise Conflict(f"there is no {kept}, so there is nothing to go back to.")
    before, after = version_of(place), version_of(kept)
    copy = _copied(call, folder, "before-rollback")
    if with_database:
        old = _newest_copy(folder)
        call.confirm(
            f"The database of {folder.root} is going to be what it was before that upgrade ({old.name}):"
            " what was settled since is lost.",
            after,
        )
        if folder.served():
            raise Conflict(f"a server runs from {folder.root}; stop it, and then go back with its database.")
        _put_back(old, folder)
    elif copy is not None:
        try:
            try_out(kept, folder, _config(call), copy)
        except Refused as refused:
            raise Refused(
                f"{refused.message} Stop the server and say --with-database to take its database back, too."
            ) from None
    pid = _pid(folder)
    swap_back(place)
    restarted = folder.served() and bool(command)
    if restarted and (reason := _restart(call, command, folder, pid, after)):
        raise Refused(f"{after} is back in its place, but did not take over: {reason}")
    return Upgraded(
        file=str(place),
        from_version=before,
        to_version=after,
        previous=str(previous_of(place)),
        database_copy="" if copy is None else str(copy),
        restarted=restarted,
    )


# The database


def _copied(call: Call, folder: Folder, why: str) -> Path | None:
    from laidian.store.backup import back_up

    if not folder.database.exists():
        return None
    folder.create()
    copy = folder.kept_path(why)
    with progress(call, "copying the database") as told:
        back_up(folder.database, copy, told)
    folder.keep_owner()
    return copy


def _newest_copy(folder: Folder) -> Path:
    found = list(folder.backups.glob("before-upgrade.*.db"))
    if not found:
        raise Conflict(f"there is no copy of before an upgrade in {folder.backups}.")
    return max(found, key=lambda path: path.stat().st_mtime_ns)


def _put_back_if_changed(copy: Path | None, folder: Folder) -> str:
    """Whether the new version's start changed the schema, and what was done about it, as the end of a clause."""
    from laidian.store.backup import prove, schema_of

    if copy is None or schema_of(folder.database) == prove(copy).schema:
        return ""
    if folder.served():
        return f", but the database has a newer schema and is in use: stop the server and restore {copy}"
    _put_back(copy, folder)
    return " with the database of before"


def _put_back(copy: Path, folder: Folder) -> None:
    from laidian.store.backup import put_back

    folder.claim()
    try:
        put_back(copy, folder.database, folder.kept_path("before-rollback"))
    finally:
        folder.release()
        folder.keep_owner()


# The server


def _config(call: Call) -> Path | None:
    chosen = call.config or os.environ.get("LAIDIAN_CONFIG")
    return Path(chosen).expanduser().absolute() if chosen else None


def _restart_command(given: str | None, place: Path, folder: Folder) -> list[str]:
    """Empty: nobody is told. Without --restart it is systemd, where a unit of ours names the file and the data."""
    if given is not None:
        words = [] if given.strip() == "none" else shlex.split(given)
        if not words and given.strip() != "none":
            raise BadRequest("--restart names no command.")
        return words
    home = os.environ.get("XDG_CONFIG_HOME")
    for scope, words in (("system", ["systemctl"]), ("user", ["systemctl", "--user"])):
        try:
            text = unit_path("system" if scope == "system" else "user", Path.home(), home).read_text()
        except OSError:
            continue
        if str(place) in text and str(folder.root) in text:
            return [*words, "restart", "laidian.service"]
    return []


def _pid(folder: Folder) -> int | None:
    running = folder.running()
    return None if running is None else running.pid


def _restart(call: Call, command: list[str], folder: Folder, pid: int | None, version: str) -> str:
    """Empty once another process answers as `version`; else why it does not."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=RESTART_S)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{shlex.join(command)}: {error}."
    if done.returncode:
        return f"{shlex.join(command)} ended with {done.returncode}: {done.stderr.strip()[:300]}"
    limit, reason = time.monotonic() + RESTART_S, f"it did not answer within {RESTART_S:g} s."
    while time.monotonic() < limit:
        running = folder.running()
        if folder.served() and running is not None and running.pid != pid:
            try:
                found = asyncio.run(_version(call, folder))
            except LaidianError as error:
                reason = error.message
            else:
                return "" if found == version else f"version {found} answers."
        time.sleep(LOOK_S)
    return reason


async def _version(call: Call, folder: Folder) -> str:
    running = folder.running()
    assert running is not None
    async with over_loopback(call, folder, running) as client:
        return (await client.status()).version
