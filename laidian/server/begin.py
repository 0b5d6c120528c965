"""What a start does before it serves: migrate, settle, make what a first start makes, and greet.

The rule a newcomer would break: this is run in a process of its own (laidian.server.apart), so it hands on nothing but what is on disk.
"""

from __future__ import annotations

import os
import sys

import msgspec

from laidian import __version__
from laidian.admin.schema import FirstStart, KeyCreate, Provisioned
from laidian.admin.service.keys import create_key
from laidian.admin.service.provision import provision
from laidian.admin.service.start import first_start
from laidian.clock import now_ms
from laidian.config import Config, UpstreamEntry
from laidian.data import price_book_bytes
from laidian.domain.key import ENTROPY_BYTES
from laidian.server.boot import base_url
from laidian.server.demo import CREDENTIAL, UPSTREAMS
from laidian.server.folder import Folder
from laidian.server.prepare import prepare
from laidian.store.connection import Connection
from laidian.store.database import WriteLock, connect, immediate, lock_path
from laidian.store.upstreams import read_upstreams
from laidian.store.vault import Vault, master_key


class Begun(msgspec.Struct, frozen=True):
    """What this start changed."""

    first: FirstStart | None
    """None: not the first start."""
    provisioned: Provisioned
    demo_key: str | None
    upstreams: int
    """How many there are now."""


def begin(folder: Folder, config: Config, simulated_port: int | None) -> None:
    """The folder is claimed. `simulated_port`: where the demo's provider listens; None: no demo. Raises LaidianError."""
    prepare(folder, config)
    folder.token()
    begun = _set_up(folder, config, simulated_port)
    _greet(folder, config, begun, demo=simulated_port is not None)


def _set_up(folder: Folder, config: Config, simulated_port: int | None) -> Begun:
    """What a first start, the environment and the configuration file bring, in one transaction."""
    vault = Vault(master_key(folder.master_key))
    connection = connect(folder.database, synchronous=config.ledger.synchronous.upper())
    lock = WriteLock(lock_path(folder.database))
    entries = (*config.upstream, *_simulated(simulated_port))
    try:
        with immediate(connection, lock):
            first = first_start(
                connection,
                vault,
                shipped_book=price_book_bytes(),
                environment=os.environ if simulated_port is None else {},
                entropy=os.urandom(ENTROPY_BYTES),
                now_ms=now_ms(),
            )
            provisioned = provision(
                connection,
                vault,
                msgspec.structs.replace(config, upstream=entries),
                environment=os.environ,
                now_ms=now_ms(),
            )
            key = None if simulated_port is None else _demo_key(connection, folder)
            return Begun(first, provisioned, key, upstreams=len(read_upstreams(connection)))
    finally:
        connection.close()
        lock.close()


def _demo_key(connection: Connection, folder: Folder) -> str:
    """The demo's key, the same at every start of one folder: it opens nothing but the simulated provider."""
    path = folder.root / "demo.key"
    if path.exists():
        return path.read_text().strip()
    made = create_key(connection, KeyCreate(name="demo"), entropy=os.urandom(ENTROPY_BYTES), now_ms=now_ms())
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(made.secret + "\n")
    return made.secret


def _simulated(port: int | None) -> tuple[UpstreamEntry, ...]:
    if port is None:
        return ()
    return tuple(
        UpstreamEntry(name=name, kind=kind, base_url=f"http://127.0.0.1:{port}{path}", api_key=CREDENTIAL)
        for name, kind, path in UPSTREAMS
    )


def _greet(folder: Folder, config: Config, begun: Begun, *, demo: bool) -> None:
    """What a person at the terminal needs, on stderr: stdout is for data."""
    lines = [f"LaiDian {__version__}   data {folder.root}", f"  base URL    {base_url(config)}/v1"]
    shown = _pages(config)
    if shown:
        lines.append(f"  pages       {base_url(config)}{shown[0]}{''.join(f'  {one}' for one in shown[1:])}")
    first, key = begun.first, begun.demo_key
    if first is not None and first.key is not None:
        key = first.key.secret
    for change in begun.provisioned.disabled:
        lines.append(f"  disabled    {change}: no longer in the configuration file")
    if demo:
        lines.append("  SIMULATED   every answer is made up; no account, no money")
        lines += [
            f"  key         {key}",
            f"  commands    laidian status --data {folder.root}",
            "",
            *_try_it(base_url(config), key or ""),
        ]
    elif first is not None:
        lines.append(
            f"  admin token {folder.admin_token}  (for other machines; commands on this one find it themselves)"
        )
        lines += _next_steps(first, base_url(config), upstreams=begun.upstreams)
    sys.stderr.write("\n".join(lines) + "\n")
    sys.stderr.flush()


def _pages(config: Config) -> list[str]:
    """Those that are switched on."""
    pages = config.pages
    places = {"/": pages.docs, "/models": pages.models, "/status": pages.status, "/key": pages.key}
    return [path for path, shown in places.items() if shown != "off"]


def _next_steps(first: FirstStart, address: str, *, upstreams: int) -> list[str]:
    if first.key is not None:
        return [
            f"  upstreams   {', '.join(first.upstreams)}, from the environment",
            f"  key         {first.key.secret}  (shown this once)",
            "",
            *_try_it(address, first.key.secret),
        ]
    if upstreams:  # `laidian setup`, or commands, came before the first start
        return []
    return [
        "",
        "Next, in another terminal:",
        "  laidian upstream add openai --kind openai --api-key-stdin    # paste the provider's key, then Ctrl-D",
        "  laidian key create me                                        # prints a key for your clients",
    ]


def _try_it(address: str, key: str) -> list[str]:
    return [
        "Try it:",
        f"  curl {address}/v1/chat/completions -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\",
        """    -d '{"model":"gpt-5.4","messages":[{"role":"user","content":"Hello"}]}'""",
    ]
