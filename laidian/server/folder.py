"""The data folder: what lies in it, who may read it, and that one instance at a time serves from it.

laidian.db          the database (with -wal and -shm beside it, and .lock: see store.database)
admin.token         the admin API's token, 0600
master.key          what credentials are sealed with, 0600; keep a copy apart from backups of the database
config.toml         optional
run/                locks of live processes, metrics of this run; nothing to keep
backups/            copies taken before migrations, upgrades and restores
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import stat
import time
from pathlib import Path

import msgspec

from laidian.errors import Conflict, StorageDown

LOOKS, LOOK_S = 5, 0.05


class Running(msgspec.Struct, frozen=True):
    """What a serving instance says about itself in `run/serve.json`."""

    pid: int
    url: str
    """Where its admin API answers, on this machine."""
    certificate: str = ""
    """PEM file of the certificate it answers with; empty: plain http."""


class Folder:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.database = root / "laidian.db"
        self.admin_token = root / "admin.token"
        self.master_key = root / "master.key"
        self.run = root / "run"
        self.metrics = self.run / "metrics"
        self.backups = root / "backups"
        self.stopping = self.run / "stopping"
        self._serve_lock = self.run / "serve.lock"
        self._running = self.run / "serve.json"
        self._lock_file: int | None = None

    def create(self) -> bool:
        """Makes what is missing, 0700. True when the folder is new. Raises StorageDown when it cannot be used."""
        new = not self.database.exists()
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (self.run, self.metrics, self.backups):
                folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise StorageDown(
                f"the data folder {self.root} cannot be made: {os.strerror(error.errno or 0)}. Choose another with --data."
            ) from None
        if stat.S_IMODE(self.root.stat().st_mode) & 0o077:
            raise StorageDown(
                f"the data folder {self.root} can be read by others. Run: chmod 700 {self.root}"
            )
        return new

    def token(self) -> str:
        """The admin token, made at the first call. Raises StorageDown when others may read the file."""
        try:
            descriptor = os.open(self.admin_token, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            if stat.S_IMODE(self.admin_token.stat().st_mode) & 0o077:
                raise StorageDown(
                    f"{self.admin_token} can be read by others. Run: chmod 600 {self.admin_token}"
                ) from None
            return self.admin_token.read_text().strip()
        token = "admin-" + secrets.token_urlsafe(32)
        with os.fdopen(descriptor, "w") as file:
            file.write(token + "\n")
        return token

    def claim(self) -> None:
        """Takes the folder for this process until it ends. Raises Conflict when another instance serves from it."""
        self._lock_file = os.open(self._serve_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not _locked(self._lock_file):
            running = self.running()
            who = f" (process {running.pid}, {running.url})" if running else ""
            raise Conflict(
                f"another LaiDian serves from {self.root}{who}. Stop it, or choose another folder with --data."
            ) from None
        self.stopping.unlink(missing_ok=True)
        self._running.unlink(missing_ok=True)
        for old in self.metrics.glob("*.db"):
            old.unlink(missing_ok=True)

    def release(self) -> None:
        """Ends a claim of this process; one that serves keeps it until it ends."""
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None

    def keep_owner(self) -> None:
        """What root made in another user's folder goes to that user, whose server could not open it otherwise."""
        owner = self.root.stat()
        if os.geteuid() != 0 or owner.st_uid == 0:
            return
        for path in self.root.rglob("*"):
            with contextlib.suppress(FileNotFoundError):  # a log of the database goes with its last reader
                if path.lstat().st_uid != owner.st_uid:
                    os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)

    def announce(self, url: str, certificate: str = "") -> None:
        """Tells the CLI and the dashboard where this instance answers."""
        self._running.write_bytes(msgspec.json.encode(Running(os.getpid(), url, certificate)))

    def served(self) -> bool:
        """Whether an instance serves from this folder now."""
        try:
            file = os.open(self._serve_lock, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(file)
        return False

    def running(self) -> Running | None:
        """What the serving instance announced; None when none serves or it has not come that far."""
        try:
            return msgspec.json.decode(self._running.read_bytes(), type=Running)
        except (OSError, msgspec.DecodeError):
            return None

    def backup_path(self, schema: int) -> Path:
        return self.kept_path(f"schema-{schema}")

    def kept_path(self, why: str) -> Path:
        """A free name in backups/."""
        number = 1
        while (path := self.backups / f"{why}.{number}.db").exists():
            number += 1
        return path


def _locked(file: int) -> bool:
    """Takes the lock; a command that only looks (`served`) holds it for an instant, so one refusal is not believed."""
    for _ in range(LOOKS):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(LOOK_S)
        else:
            return True
    return False
