"""The one file that LaiDian runs from, and another one to take its place: checked, tried, swapped, and swapped back.

Owns files and processes; decides nothing about when. The rule a newcomer would break: the name of the file in use is never without a
whole file, and what was there before is kept until the next upgrade.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Generator
from pathlib import Path
from typing import IO

import msgspec

from laidian.errors import BadRequest, Conflict, LaidianError, NotFound, StorageDown
from laidian.server.folder import Folder, Running

VERSION_S = 300.0
"""The first run of an archive unpacks and compiles it; a slow VPS takes a minute."""
TRIAL_S = 180.0
LOOK_S = 0.1


class Refused(LaidianError):
    """A new file is not what it should be, or does not work. Nothing was changed."""

    status = 422
    code = "upgrade_refused"


def in_use(given: str | None) -> Path:
    """The file to replace: named, or the one that runs. Raises BadRequest when LaiDian does not run from one file."""
    path = Path(given or sys.argv[0]).expanduser().absolute()
    if path.is_file() and zipfile.is_zipfile(path):
        return path
    raise BadRequest(
        f"{path} is not the one file of LaiDian. What was installed as a package is upgraded as one (pip, pipx, uv);"
        " otherwise name the file with --target."
    )


def previous_of(target: Path) -> Path:
    return target.with_name(target.name + ".previous")


# Is it the right file?


def check_sum(file: Path, given: str | None) -> str:
    """The file's SHA-256, once it is proved to be the one published: as given, or in SHA256SUMS beside it. Raises Refused."""
    if not file.is_file():
        raise NotFound(f"there is no file {file}.")
    with file.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    expected, source = (given.strip().lower(), "--sha256") if given else _listed(file)
    if not re.fullmatch(r"[0-9a-f]{64}", expected):
        raise BadRequest(f"{source} is no SHA-256: it has 64 hexadecimal digits.")
    if found != expected:
        raise Refused(
            f"{file} is not the file that was published: its SHA-256 is {found}, and {source} says {expected}."
            " Fetch it again; nothing was changed."
        )
    return found


def _listed(file: Path) -> tuple[str, str]:
    """What the release's files beside it say: SHA256SUMS, or the file's own with `.sha256` behind its name."""
    seen: list[Path] = []
    for sums in (file.with_name("SHA256SUMS"), file.with_name(file.name + ".sha256")):
        try:
            lines = sums.read_text().splitlines()
        except (OSError, UnicodeDecodeError):
            continue
        seen.append(sums)
        for line in lines:
            digits, _, name = line.strip().partition(" ")
            if name.lstrip(" *") == file.name:
                return digits.lower(), str(sums)
    if seen:
        raise BadRequest(f"{seen[0]} does not name {file.name}; was it renamed? Give --sha256.")
    raise BadRequest(
        f"nothing says which SHA-256 {file.name} should have: put the release's SHA256SUMS or {file.name}.sha256 beside it,"
        " or give --sha256."
    )


def version_of(file: Path) -> str:
    """What the archive says of itself, run by this very Python. Raises Refused when it does not run."""
    try:
        done = subprocess.run(  # noqa: S603 - the file that the operator asks us to run from now on
            [sys.executable, str(file), "version", "--json"],
            capture_output=True,
            text=True,
            check=False,
            timeout=VERSION_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refused(f"{file} does not run: {error}. Nothing was changed.") from None
    try:
        return str(msgspec.json.decode(done.stdout)["version"])
    except (msgspec.DecodeError, KeyError, TypeError):
        reason = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        raise Refused(f"{file} does not run: {reason[0]} Nothing was changed.") from None


# Does it start?


def try_out(file: Path, folder: Folder, config: Path | None, copy: Path) -> None:
    """Starts the archive on a copy of the data, at a free port of loopback, until it is ready. Raises Refused with its last words."""
    with _trial_folder(folder, copy) as data, tempfile.TemporaryFile() as log:
        command = [sys.executable, str(file), "serve", "--host", "127.0.0.1", "--port", "0", "--workers", "1"]
        command += ["--data", str(data)] + (["--config", str(config)] if config else [])
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)  # noqa: S603 - as above
        try:
            _wait_ready(file, process, Folder(data), log)
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextlib.contextmanager
def _trial_folder(folder: Folder, copy: Path) -> Generator[Path]:
    """A data folder of its own: the copied database, links to the small files beside the real one."""
    folder.run.mkdir(mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="trial-", dir=folder.run) as name:
        data = Path(name)
        shutil.copy(copy, data / folder.database.name)
        (data / folder.database.name).chmod(0o600)
        for path in folder.root.iterdir():
            if path.is_file() and not path.name.startswith(folder.database.name):
                (data / path.name).symlink_to(path)
        yield data


def _wait_ready(file: Path, process: subprocess.Popen[bytes], folder: Folder, log: IO[bytes]) -> None:
    limit = time.monotonic() + TRIAL_S
    while process.poll() is None and time.monotonic() < limit:
        running = folder.running()
        if running is not None and _ready(running):
            return
        time.sleep(LOOK_S)
    ended = "it ended" if process.poll() is not None else f"it was not ready within {TRIAL_S:g} s"
    raise Refused(
        f"{file} does not start with a copy of this data ({ended}): {_last_words(log)} Nothing was changed."
        " If it lacks only a variable that the service has, try again with --no-trial."
    )


def _ready(running: Running) -> bool:
    from laidian.admin.client.address import only_trusting

    trusting = only_trusting(running.certificate) if running.certificate else None
    try:
        with urllib.request.urlopen(f"{running.url}/health/ready", timeout=5, context=trusting) as answer:  # noqa: S310 - our own child's
            said = answer.read()
    except urllib.error.HTTPError as error:
        said = error.read()  # an instance without upstreams calls itself not ready, and still it has started
    except OSError:
        return False
    return b'"database":"writable"' in said


def _last_words(log: IO[bytes]) -> str:
    log.seek(0)
    lines = log.read().decode(errors="replace").strip().splitlines()
    return lines[-1][:500] if lines else "it said nothing."


# In and out


def swap_in(new: Path, target: Path) -> Path:
    """Puts the new file in the place of the old one, which gets the name that is returned. Raises StorageDown."""
    kept, part = previous_of(target), target.with_name(target.name + ".new")
    try:
        part.unlink(missing_ok=True)
        shutil.copyfile(new, part)
        part.chmod(target.stat().st_mode & 0o7777)
        if os.geteuid() == 0:
            os.chown(part, target.stat().st_uid, target.stat().st_gid)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        kept.unlink(missing_ok=True)
        os.link(target, kept)
        part.replace(target)
    except OSError as error:
        raise StorageDown(
            f"{target} cannot be replaced: {os.strerror(error.errno or 0)}. It is as it was."
        ) from None
    finally:
        part.unlink(missing_ok=True)
    return kept


def swap_back(target: Path) -> None:
    """The file before takes its place again, and the present one its name. Raises Conflict when there is none, StorageDown."""
    kept, part = previous_of(target), target.with_name(target.name + ".new")
    if not kept.is_file():
        raise Conflict(f"there is no {kept}, so there is nothing to go back to.")
    try:
        part.unlink(missing_ok=True)
        os.link(target, part)
        kept.replace(target)
        part.replace(kept)
    except OSError as error:
        raise StorageDown(f"{target} cannot be replaced: {os.strerror(error.errno or 0)}.") from None
