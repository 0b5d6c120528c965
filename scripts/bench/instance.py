"""A LaiDian with everything on, as an operator would set it up: one upstream, a prepaid quota, a group with rate limits.

Only this file knows how a data folder is provisioned.
"""

import subprocess
import sys
from pathlib import Path

from laidian.data import price_book_bytes
from laidian.domain import key as keys
from laidian.server.folder import Folder
from laidian.store.database import WriteLock, bump_catalog, connect, immediate, lock_path, migrate
from laidian.store.vault import Vault, master_key

_KEY = keys.spell(bytes(range(32)))

_SERVE = """
import os, sys
from pathlib import Path
from laidian.server.app import Boot, effective
from laidian.server.folder import Folder
from laidian.server.run import prepare, serve
folder = Folder(Path(sys.argv[1])); folder.create(); folder.claim()
boot = Boot(sys.argv[1], None, "127.0.0.1", int(sys.argv[2]), 1, os.getpid())
config = effective(boot); prepare(folder, config); serve(boot, config, folder)
"""


def provision(data: Path, upstream_url: str) -> str:
    """Makes a data folder whose key may spend a million dollars, faster than anything here can. Returns the key."""
    folder = Folder(data)
    folder.create()
    migrate(folder.database, backup=folder.backup_path)
    connection, lock = connect(folder.database), WriteLock(lock_path(folder.database))
    sealed = Vault(master_key(folder.master_key)).seal("sk-bench-upstream", "credentials:1")
    with immediate(connection, lock):
        run = connection.execute
        run(
            "INSERT INTO upstreams (id, name, kind, base_url, created_at_ms) VALUES (1, 'bench', 'openai', ?, 0)",
            (upstream_url,),
        )
        run("INSERT INTO credentials VALUES (1, 1, 'a', ?, 'f', 1, 0)", (sealed,))
        run(
            "INSERT INTO groups (id, name, capabilities, requests_per_minute, tokens_per_minute, concurrent_requests, "
            "created_at_ms) VALUES (1, 'default', '[\"chat\"]', 10000000, 1000000000000, 10000, 0)"
        )
        run(
            "INSERT INTO quotas (id, name, kind, credited_nano, created_at_ms) VALUES (1, 'bench', 'prepaid', ?, 0)",
            (10**15,),
        )
        run(
            "INSERT INTO keys (id, name, digest, display, group_id, quota_id, created_at_ms) VALUES (1, 'k', ?, ?, 1, 1, 0)",
            (keys.digest(_KEY), keys.display(_KEY)),
        )
        run("INSERT INTO price_books VALUES ('b', 'd', 1, ?)", (price_book_bytes(),))
        bump_catalog(connection)
    connection.close()
    lock.close()
    return _KEY


def command(data: Path, port: int) -> list[str]:
    """One worker, the ledger FULL, metrics and log lines on: the defaults."""
    return [sys.executable, "-c", _SERVE, str(data), str(port)]


def compile_bytecode(root: Path) -> None:
    """So that a start reads what an installed copy reads, also where PYTHONDONTWRITEBYTECODE is set."""
    subprocess.run(
        [sys.executable, "-m", "compileall", "-q", str(root / "laidian"), str(root / "tui")], check=False
    )
