"""The examination of an instance: what was looked at, what was found, what to do. Reads, asks nobody outside, changes nothing.

Each check has a stable id, the same in the command line and the dashboard. The rule a newcomer would break: a check that cannot be made
says so as a warning; it is never left out.
"""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from laidian.admin.schema import Check, Doctor, Upstream
from laidian.admin.service.attention import DISK_FAIL, DISK_WARN, Disk
from laidian.admin.service.book import show_book
from laidian.admin.service.health import why_not_up
from laidian.admin.service.moments import iso
from laidian.admin.service.status import sqlite_state
from laidian.admin.service.upstreams import list_upstreams
from laidian.config import Config
from laidian.store.connection import Connection
from laidian.store.database import schema_version
from laidian.store.engine import quick_check
from laidian.store.live import in_flight, workers
from laidian.store.migrations import STEPS
from laidian.store.rollups import behind

LOG_WARN_BYTES = 256 * 1024 * 1024
BACKUP_WARN_MS = 8 * 86_400_000
PRICES_WARN_DAYS = 120
BEHIND_WARN = 10_000
_SECRET_FILES = ("laidian.db", "admin.token", "master.key")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where the instance lives."""

    data: Path
    config_file: Path | None
    disk: Disk | None
    running: bool
    """A server answers; False: the command line looks at the folder itself."""


def examine(connection: Connection, config: Config, place: Place, shipped_book: bytes, now_ms: int) -> Doctor:
    """All checks. Reads the whole database once (`quick_check`): seconds for a large one."""
    upstreams = list_upstreams(connection, now_ms, {})
    return Doctor(
        at=iso(now_ms),
        checks=(
            _config(place),
            _database(connection),
            _log(place.data),
            _disk(place.disk),
            _files(place.data),
            _sqlite(),
            _workers(connection, config, running=place.running),
            _sums(connection),
            *_upstreams(upstreams),
            _prices(connection, shipped_book, now_ms),
            _clock(now_ms),
            _backups(place.data, now_ms),
            _public_url(config),
        ),
    )


def _ok(id_: str, found: str) -> Check:
    return Check(id=id_, state="ok", found=found, fix="")


def _warn(id_: str, found: str, fix: str) -> Check:
    return Check(id=id_, state="warn", found=found, fix=fix)


def _fail(id_: str, found: str, fix: str) -> Check:
    return Check(id=id_, state="fail", found=found, fix=fix)


def _config(place: Place) -> Check:
    if place.config_file is None:
        return _ok("config", "there is no config.toml; everything has its usual value")
    try:
        mode = place.config_file.stat().st_mode
    except OSError:
        return _warn(
            "config",
            f"{place.config_file} is gone since the server started",
            "Put it back, or restart the server without it.",
        )
    if stat.S_IMODE(mode) & 0o022:
        return _warn(
            "config", f"{place.config_file} can be changed by others", f"chmod 600 {place.config_file}"
        )
    return _ok("config", f"{place.config_file} was read, with no unknown key")


def _database(connection: Connection) -> Check:
    damage, schema = quick_check(connection), schema_version(connection)
    if damage:
        return _fail(
            "database",
            f"quick_check says: {damage}",
            "Stop the server, keep the file, and restore a backup: laidian restore FILE",
        )
    if schema != len(STEPS):
        return _fail(
            "database",
            f"schema {schema}, this program knows {len(STEPS)}",
            "Restart the server with the program that wrote it.",
        )
    return _ok("database", f"quick_check is ok, schema {schema}")


def _log(data: Path) -> Check:
    try:
        size = (data / "laidian.db-wal").stat().st_size
    except OSError:
        size = 0
    found = f"the write-ahead log has {size / 1e6:.1f} MB"
    if size > LOG_WARN_BYTES:
        return _warn(
            "log",
            found,
            "Some reader keeps it from being written back: end long exports, or restart the server.",
        )
    return _ok("log", found)


def _disk(disk: Disk | None) -> Check:
    if disk is None or not disk.total_bytes:
        return _warn("disk", "the system does not say how full the disk is", "Look with: df -h")
    share = disk.free_bytes / disk.total_bytes
    found = f"{100 - round(share * 100)}% used, {disk.free_bytes / 1e9:.1f} GB free"
    if share < DISK_FAIL:
        return _fail("disk", found, "Free some space now: a full disk refuses every request.")
    return _warn("disk", found, "Free some space.") if share < DISK_WARN else _ok("disk", found)


def _files(data: Path) -> Check:
    open_ = [
        str(path) for path in (data, *(data / name for name in _SECRET_FILES)) if _readable_by_others(path)
    ]
    if open_:
        return _fail("files", f"others can read {', '.join(open_)}", f"chmod -R go-rwx {data}")
    return _ok("files", f"{data} and its secrets are yours alone")


def _readable_by_others(path: Path) -> bool:
    try:
        return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)
    except OSError:
        return False


def _sqlite() -> Check:
    state = sqlite_state()
    found = f"SQLite {state.version}: {state.verdict}"
    if state.wal_reset_bug:
        return _warn(
            "sqlite",
            found,
            "Nothing has to be done; a Python that is linked with SQLite 3.51.3 or later has the fix itself.",
        )
    return _ok("sqlite", found)


def _workers(connection: Connection, config: Config, *, running: bool) -> Check:
    alive, flying = workers(connection), in_flight(connection)
    if not running:
        return _warn("workers", "no server runs from this folder", "Start it: laidian serve")
    found = f"{alive} of {config.server.workers} workers, {flying.requests} requests in flight"
    if alive < config.server.workers:
        return _warn("workers", found, "One died and is being started again; look at the server's log.")
    return _ok("workers", found)


def _sums(connection: Connection) -> Check:
    number = behind(connection)
    found = f"{number} records are not in the sums yet"
    if number > BEHIND_WARN:
        return _warn("sums", found, "Nothing has to be done; figures are right and slower until they are.")
    return _ok("sums", found)


def _upstreams(upstreams: tuple[Upstream, ...]) -> list[Check]:
    if not upstreams:
        return [
            _fail(
                "upstreams",
                "there is none, so nothing can be served",
                "laidian upstream add NAME --kind openai --api-key-stdin",
            )
        ]
    return [_upstream(one) for one in upstreams]


def _upstream(one: Upstream) -> Check:
    id_, probe = f"upstream:{one.name}", one.last_probe
    reason, _, until = why_not_up(one)
    if one.state == "disabled":
        return _ok(id_, "disabled by the operator")
    if one.state == "no_credential":
        return _fail(id_, reason, f"laidian upstream add-key {one.name} --api-key-stdin")
    if probe is not None and not probe.ok and probe.status in (401, 403):
        return _fail(
            id_,
            f"it rejects our credential ({probe.status}) since {probe.at} or before",
            f"Replace its credential, then: laidian upstream probe {one.name}",
        )
    if one.state == "resting":
        return _fail(
            id_,
            f"it rests: {reason}",
            f"It is tried again at {until}; to try now: laidian upstream probe {one.name}",
        )
    if probe is None:
        return _warn(id_, "it was never probed", f"laidian upstream probe {one.name}")
    if not probe.ok:
        return _warn(id_, f"its last probe failed: {probe.reason}", f"laidian upstream probe {one.name}")
    return _ok(
        id_,
        f"it answered its last probe at {probe.at} in {probe.duration_ms} ms with {probe.models or 0} models",
    )


def _prices(connection: Connection, shipped_book: bytes, now_ms: int) -> Check:
    book = show_book(connection, shipped_book)
    if not book.source:
        return _fail("prices", "no price book is adopted", "laidian price adopt")
    found = f"the book is {book.source} of {book.source_date}"
    if book.differs:
        return _warn(
            "prices",
            f"{found}; this program brought {book.shipped_source}",
            "laidian price diff, then laidian price adopt",
        )
    age = _age_days(book.source_date, now_ms)
    if age is not None and age > PRICES_WARN_DAYS:
        return _warn("prices", f"{found}, {age} days old", "A newer LaiDian brings a newer book.")
    return _ok("prices", found)


def _age_days(date: str, now_ms: int) -> int | None:
    try:
        then = datetime.fromisoformat(date).replace(tzinfo=UTC)
    except ValueError:
        return None
    return (now_ms - int(then.timestamp() * 1000)) // 86_400_000


def _clock(now_ms: int) -> Check:
    if now_ms < 1_760_000_000_000:  # 2025-10-09, before this program was written
        return _fail(
            "clock", f"this machine says it is {iso(now_ms)}", "Set the clock: timedatectl set-ntp true"
        )
    return _ok("clock", f"it is {iso(now_ms)}")


def _backups(data: Path, now_ms: int) -> Check:
    try:
        newest = max(
            (int(path.stat().st_mtime * 1000) for path in (data / "backups").glob("*.db")), default=None
        )
    except OSError:
        newest = None
    if newest is None:
        return _warn(
            "backups",
            f"there is none in {data / 'backups'}; one kept elsewhere is not seen from here",
            "laidian backup FILE",
        )
    found = f"the newest in {data / 'backups'} is of {iso(newest)}"
    if now_ms - newest > BACKUP_WARN_MS:
        return _warn("backups", found, "laidian backup FILE")
    return _ok("backups", found)


def _public_url(config: Config) -> Check:
    url = config.server.public_url
    loopback = config.server.host in ("127.0.0.1", "::1", "localhost")
    if not url:
        if loopback:
            return _ok("public-url", "it listens on this machine only, and no public address is set")
        return _warn(
            "public-url",
            f"it listens on {config.server.host}, and server.public_url is not set",
            'In config.toml: [server] public_url = "https://…"',
        )
    if urlsplit(url).scheme != "https" and not loopback:
        return _warn(
            "public-url",
            f"{url} is not encrypted: keys cross the network in the clear",
            "Put TLS in front, or set server.tls_certificate and server.tls_key.",
        )
    return _ok("public-url", url)
