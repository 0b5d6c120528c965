"""From a command line to a serving process: folder, database, first start, then the server.

The first start creates what is missing and says once what to do next; every later one is silent but for the address. A key is
printed when it is made and never again, except for the demo's, which is worth nothing.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Callable

import msgspec

from laidian import __version__
from laidian.admin.schema import FirstStart, KeyCreate, Provisioned
from laidian.admin.service.keys import create_key
from laidian.admin.service.provision import provision
from laidian.admin.service.start import first_start
from laidian.clock import now_ms
from laidian.config import Config, UpstreamEntry, data_folder, load_config
from laidian.data import price_book_bytes
from laidian.domain.key import ENTROPY_BYTES
from laidian.server.boot import Boot
from laidian.server.demo import CREDENTIAL, UPSTREAMS, SimulatedProvider, free_port
from laidian.server.folder import Folder
from laidian.server.run import base_url, check_tls, prepare, serve
from laidian.store.connection import Connection
from laidian.store.database import WriteLock, connect, immediate, lock_path
from laidian.store.vault import Vault, master_key


class StartOptions(msgspec.Struct, frozen=True):
    """What the command line said; None where it said nothing."""

    data: str | None = None
    config: str | None = None
    host: str | None = None
    port: int | None = None
    workers: int | None = None


class Begun(msgspec.Struct, frozen=True):
    """What this start changed."""

    first: FirstStart | None
    """None: not the first start."""
    provisioned: Provisioned
    demo_key: str | None


def start(options: StartOptions, simulated: Callable[..., None] | None = None) -> None:
    """Serves until it is told to stop. `simulated` makes it a demo: the simulated provider's own `serve`.

    Raises LaidianError when it cannot start: Conflict when the folder is in use, StorageDown, ConfigProblem.
    """
    logging.basicConfig(
        level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    if simulated is None:
        _serve(options, Folder(data_folder(options.data, os.environ)))
        return
    throwaway = None
    if options.data is None:
        throwaway = tempfile.mkdtemp(prefix="laidian-demo-")
        options = msgspec.structs.replace(options, data=throwaway)
    provider = SimulatedProvider(simulated)
    provider.start()
    try:
        _serve(options, Folder(data_folder(options.data, os.environ)), provider)
    finally:
        provider.stop()
        if throwaway is not None:
            shutil.rmtree(throwaway, ignore_errors=True)


def _serve(options: StartOptions, folder: Folder, provider: SimulatedProvider | None = None) -> None:
    folder.create()
    folder.claim()
    config = _config(options, folder)
    check_tls(folder, config)
    boot = Boot(
        data=str(folder.root),
        config=options.config,
        host=config.server.host,
        port=config.server.port,
        workers=config.server.workers,
        parent=os.getpid(),
    )
    prepare(folder, config)
    folder.token()
    _greet(folder, config, _set_up(folder, config, provider), provider)
    serve(boot, config, folder)


def _config(options: StartOptions, folder: Folder) -> Config:
    """The configuration file with the command line over it."""
    config = load_config(options.config, os.environ, folder.root)
    said = {
        name: value
        for name, value in (("host", options.host), ("port", options.port), ("workers", options.workers))
        if value is not None
    }
    server = msgspec.structs.replace(config.server, **said)
    if server.port == 0:
        server = msgspec.structs.replace(server, port=free_port(server.host))
    return msgspec.structs.replace(config, server=server)


def _set_up(folder: Folder, config: Config, provider: SimulatedProvider | None) -> Begun:
    """What a first start, the environment and the configuration file bring, in one transaction."""
    vault = Vault(master_key(folder.master_key))
    connection = connect(folder.database, synchronous=config.ledger.synchronous.upper())
    lock = WriteLock(lock_path(folder.database))
    entries = (*config.upstream, *_simulated(provider))
    try:
        with immediate(connection, lock):
            first = first_start(
                connection,
                vault,
                shipped_book=price_book_bytes(),
                environment={} if provider else os.environ,
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
            key = _demo_key(connection, folder) if provider else None
            return Begun(first, provisioned, key)
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


def _simulated(provider: SimulatedProvider | None) -> tuple[UpstreamEntry, ...]:
    if provider is None:
        return ()
    return tuple(
        UpstreamEntry(
            name=name, kind=kind, base_url=f"http://127.0.0.1:{provider.port}{path}", api_key=CREDENTIAL
        )
        for name, kind, path in UPSTREAMS
    )


def _greet(folder: Folder, config: Config, begun: Begun, provider: SimulatedProvider | None) -> None:
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
    if provider is not None:
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
        lines += _next_steps(first, base_url(config))
    sys.stderr.write("\n".join(lines) + "\n")
    sys.stderr.flush()


def _pages(config: Config) -> list[str]:
    """Those that are switched on."""
    pages = config.pages
    places = {"/": pages.docs, "/models": pages.models, "/status": pages.status, "/key": pages.key}
    return [path for path, shown in places.items() if shown != "off"]


def _next_steps(first: FirstStart, address: str) -> list[str]:
    if first.key is not None:
        return [
            f"  upstreams   {', '.join(first.upstreams)}, from the environment",
            f"  key         {first.key.secret}  (shown this once)",
            "",
            *_try_it(address, first.key.secret),
        ]
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
