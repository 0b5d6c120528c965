"""LaiDian as real processes on a free loopback port, in front of a simulated provider: for every end-to-end test.

    with simulated_provider() as provider, served(provider) as laidian:
        client = OpenAI(base_url=f"{laidian.base_url}/v1", api_key=laidian.key)

Starting one takes about a second. The database is filled with SQL here, so that a test of the ledger does not rest on the
operator's commands. A process started here dies with the process that runs the test, whatever happens.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import msgspec

from laidian.data import price_book_bytes
from laidian.domain import key as keys
from laidian.domain.group import AbortPolicy, RateLimits
from laidian.domain.quota import WindowKind
from laidian.domain.upstream import UpstreamKind
from laidian.server.folder import Folder
from laidian.store.database import WriteLock, bump_catalog, connect, immediate, lock_path, migrate
from laidian.store.vault import Vault, master_key
from tests.ports import free_port
from tests.program import die_with_the_test, program, surroundings
from tests.simulated_provider import SimulatedProvider

START_LIMIT_S = 60.0
END_LIMIT_S = 30.0
POLL_S = 0.01
HOST = "127.0.0.1"
GROUP_ID = QUOTA_ID = UPSTREAM_ID = 1
"""Ids of the only group and quota, and of the first upstream."""


class Place(msgspec.Struct, frozen=True):
    """One upstream: a dialect of the provider under a name of its own, for the models that match."""

    name: str
    kind: UpstreamKind
    path: str
    models: tuple[str, ...] = ()
    """Shell patterns; empty: whatever is asked for."""


class Setup(msgspec.Struct, frozen=True):
    """What the operator has set up: upstreams (all are the one provider), one group, one quota and some keys on it."""

    upstreams: tuple[Place, ...] = (Place("sim", "openai", "/v1"),)
    """Their ids are 1, 2, … and their credentials sim-0001, sim-0002, …"""
    capabilities: tuple[str, ...] = ("chat",)
    credited_nano: int | None = None
    """A prepaid quota with this balance."""
    limits_nano: dict[WindowKind, int] = {}
    """A plan with these windows. Neither: an unlimited quota."""
    keys: int = 1
    key_limit_nano: int | None = None
    rates: RateLimits = RateLimits()
    on_abort: AbortPolicy = "cancel"
    config: str = ""
    """Text of config.toml."""


class Record(msgspec.Struct, frozen=True):
    """The columns of a usage record that tests judge."""

    request_id: str
    key_id: int
    operation: str
    model: str
    stream: int
    status: int
    ended: str
    error_code: str
    usage_from: str
    input: int
    cached_input: int
    cache_write: int
    image_input: int
    output: int
    reasoning: int
    image_output: int
    service_tier: str
    amount_nano: int
    shortfall_nano: int
    held_nano: int
    attempts: str

    @property
    def charged_nano(self) -> int:
        return self.amount_nano - self.shortfall_nano


class Served:
    """A running instance, its data folder and its keys. `base_url` has no path."""

    def __init__(self, folder: Folder, log: Path, workers: int, credentials: tuple[str, ...]) -> None:
        self.folder = folder
        self.keys = credentials
        self.key = credentials[0]
        self.workers = workers
        self.port = free_port(HOST)
        self.base_url = f"http://{HOST}:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        self._log = log

    @property
    def pid(self) -> int:
        """Of the parent, which is the leader of the tree's process group."""
        assert self.process is not None, "it does not run"
        return self.process.pid

    # Its life

    def start(self) -> None:
        """Returns when /health/ready says 200 and every worker has signed on."""
        self.process = self.launch()
        limit = time.monotonic() + START_LIMIT_S
        while not self._ready():
            if self.process.poll() is not None:
                raise RuntimeError(f"it ended with code {self.process.returncode}:\n{self.log()[-2000:]}")
            if time.monotonic() > limit:
                raise RuntimeError(f"it was not ready within {START_LIMIT_S:g} s:\n{self.log()[-2000:]}")
            time.sleep(POLL_S)

    def launch(self) -> subprocess.Popen[bytes]:
        """One more process for this folder and port, not waited for."""
        command = program("serve", "--data", str(self.folder.root), "--host", HOST, "--port", str(self.port))
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [*command, "--workers", str(self.workers)],
                env=surroundings(),
                preexec_fn=die_with_the_test,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        assert self.process is not None, "it does not run"
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(END_LIMIT_S)
        self.process = None
        return code

    def kill9(self, *, whole_tree: bool = False) -> None:
        """SIGKILL to the parent alone, or to all at once; returns when none of them is left."""
        assert self.process is not None, "it does not run"
        workers = self.worker_pids()
        with contextlib.suppress(ProcessLookupError):
            if whole_tree:
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()
        self.process.wait(END_LIMIT_S)
        self.process = None
        wait_until(lambda: not any(alive(pid) for pid in workers), "the workers end")

    def restart(self) -> None:
        """Starts it again on the same port; stops it first when it runs."""
        if self.process is not None:
            self.stop()
        self.start()

    def worker_pids(self) -> list[int]:
        """Children of the parent; none when it is gone."""
        try:
            children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            return []
        return [int(child) for child in children]

    def _ready(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=5)
        try:
            connection.request("GET", "/health/ready")
            if connection.getresponse().status != 200:
                return False
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        with self.database() as database:
            pids = {pid for (pid,) in database.execute("SELECT pid FROM workers")}
        return len(pids & set(self.worker_pids())) == self.workers

    # What it leaves behind

    def log(self) -> str:
        """Everything on stderr, of all its lives."""
        return self._log.read_text(errors="replace")

    def lines(self) -> list[dict[str, object]]:
        """The structured lines of the log, one per request."""
        return [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]

    @contextlib.contextmanager
    def database(self) -> Generator[sqlite3.Connection, None, None]:
        """A reader beside the workers."""
        connection = connect(self.folder.database, read_only=True)
        try:
            yield connection
        finally:
            connection.close()

    def write(self, statement: str, *values: object) -> None:
        """One statement of the operator, in a transaction of its own; workers see it at their next request."""
        connection, lock = connect(self.folder.database), WriteLock(lock_path(self.folder.database))
        try:
            with immediate(connection, lock):
                connection.execute(statement, values)
                bump_catalog(connection)
        finally:
            connection.close()
            lock.close()

    def records(self) -> list[Record]:
        """All usage records, oldest first."""
        columns = ", ".join(Record.__struct_fields__)
        with self.database() as database:
            return [
                Record(*row) for row in database.execute(f"SELECT {columns} FROM usage_records ORDER BY id")
            ]

    def record(self, request_id: str) -> Record:
        """The one record of a request."""
        (found,) = [record for record in self.records() if record.request_id == request_id]
        return found

    def holds(self) -> list[str]:
        """Request ids of what is in flight."""
        with self.database() as database:
            return [request_id for (request_id,) in database.execute("SELECT request_id FROM holds")]

    def wait_settled(self) -> None:
        """Returns when no hold is left."""
        wait_until(lambda: not self.holds(), "every hold is settled")


def wait_until(reached: Callable[[], bool], what: str, limit_s: float = END_LIMIT_S) -> None:
    """Polls. Raises AssertionError when it takes too long."""
    limit = time.monotonic() + limit_s
    while not reached():
        assert time.monotonic() < limit, f"not within {limit_s:g} s: {what}"
        time.sleep(POLL_S)


def alive(pid: int) -> bool:
    """Whether a process runs; one that waits to be collected does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


@contextlib.contextmanager
def served(
    provider: SimulatedProvider, *, workers: int = 1, setup: Setup | None = None, root: Path | None = None
) -> Iterator[Served]:
    """Start one in a new data folder (`root`, or a temporary one) and end it by its process group."""
    with tempfile.TemporaryDirectory(prefix="laidian-") as temporary:
        folder = Folder(root or Path(temporary) / "data")
        credentials = _fill(folder, provider, setup or Setup())
        laidian = Served(folder, Path(temporary) / "stderr.log", workers, credentials)
        try:
            laidian.start()
            yield laidian
        finally:
            if laidian.process is not None:
                laidian.kill9(whole_tree=True)


def _fill(folder: Folder, provider: SimulatedProvider, setup: Setup) -> tuple[str, ...]:
    """Makes the folder and what the operator would have set up; the keys' credentials."""
    folder.create()
    if setup.config:
        (folder.root / "config.toml").write_text(setup.config)
    migrate(folder.database)
    vault = Vault(master_key(folder.master_key))
    credentials = tuple(keys.spell(os.urandom(keys.ENTROPY_BYTES)) for _ in range(setup.keys))
    connection, lock = connect(folder.database), WriteLock(lock_path(folder.database))
    with contextlib.closing(connection), contextlib.closing(lock), immediate(connection, lock):
        for number, place in enumerate(setup.upstreams, start=UPSTREAM_ID):
            _insert_upstream(connection, vault, number, place, provider.base_url)
        rates = setup.rates
        connection.execute(
            "INSERT INTO groups (id, name, capabilities, requests_per_minute, tokens_per_minute, concurrent_requests, "
            "on_abort, created_at_ms) VALUES (?, 'default', ?, ?, ?, ?, ?, 0)",
            (
                GROUP_ID,
                json.dumps(setup.capabilities),
                rates.requests_per_minute,
                rates.tokens_per_minute,
                rates.concurrent_requests,
                setup.on_abort,
            ),
        )
        _insert_quota(connection, setup)
        for number, credential in enumerate(credentials, start=1):
            connection.execute(
                "INSERT INTO keys (id, name, digest, display, group_id, quota_id, limit_nano, created_at_ms) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
                (number, f"key-{number}", keys.digest(credential), keys.display(credential), GROUP_ID, QUOTA_ID,
                 setup.key_limit_nano),
            )  # fmt: skip
        connection.execute("INSERT INTO price_books VALUES ('shipped', '', 1, ?)", (price_book_bytes(),))
        bump_catalog(connection)
    return credentials


def _insert_upstream(
    connection: sqlite3.Connection, vault: Vault, number: int, place: Place, base_url: str
) -> None:
    connection.execute(
        "INSERT INTO upstreams (id, name, kind, base_url, models, created_at_ms) VALUES (?, ?, ?, ?, ?, 0)",
        (number, place.name, place.kind, base_url + place.path, json.dumps(place.models)),
    )
    connection.execute(
        "INSERT INTO credentials (id, upstream_id, label, sealed, fingerprint, enabled, created_at_ms) "
        "VALUES (?, ?, 'a', ?, 'f', 1, 0)",
        (number, number, vault.seal(f"sim-{number:04}", f"credentials:{number}")),
    )


def _insert_quota(connection: sqlite3.Connection, setup: Setup) -> None:
    kind = "prepaid" if setup.credited_nano is not None else "plan" if setup.limits_nano else "unlimited"
    connection.execute(
        "INSERT INTO quotas (id, name, kind, limits_nano, credited_nano, created_at_ms) VALUES (?, 'quota', ?, ?, ?, 0)",
        (QUOTA_ID, kind, json.dumps(setup.limits_nano), setup.credited_nano or 0),
    )
    if setup.credited_nano is not None:
        connection.execute(
            "INSERT INTO credits (quota_id, amount_nano, note, at_ms) VALUES (?, ?, 'first', 0)",
            (QUOTA_ID, setup.credited_nano),
        )
