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
from pathlib import Path

import msgspec

from laidian import __version__
from laidian.admin.service.first_start import FirstStart, first_start
from laidian.admin.service.provision import provision
from laidian.config import Config, UpstreamEntry, data_folder
from laidian.relay.life import now_ms
from laidian.server.app import Boot, effective
from laidian.server.demo import CREDENTIAL, UPSTREAMS, SimulatedProvider
from laidian.server.folder import Folder
from laidian.server.run import base_url, prepare, serve
from laidian.store.database import WriteLock, connect, immediate, lock_path
from laidian.store.vault import Vault, master_key


class StartOptions(msgspec.Struct, frozen=True):
    """What the command line said; None where it said nothing."""

    data: str | None = None
    config: str | None = None
    host: str | None = None
    port: int | None = None
    workers: int | None = None


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
    began = _set_up(folder, config, provider)
    _greet(folder, config, began, provider)
    serve(boot, config, folder)


def _config(options: StartOptions, folder: Folder) -> Config:
    plain = Boot(str(folder.root), options.config, "", 0, 0, 0)
    config = effective(plain)
    server = config.server
    return msgspec.structs.replace(
        config,
        server=msgspec.structs.replace(
            server,
            host=options.host or server.host,
            port=options.port if options.port is not None else server.port,
            workers=options.workers or server.workers,
        ),
    )


def _set_up(folder: Folder, config: Config, provider: SimulatedProvider | None) -> FirstStart | None:
    """What configuration file and environment bring, in one transaction."""
    vault = Vault(master_key(folder.master_key))
    connection = connect(folder.database, synchronous=config.ledger.synchronous.upper())
    lock = WriteLock(lock_path(folder.database))
    try:
        with immediate(connection, lock):
            environment = {} if provider else os.environ
            began = first_start(connection, vault, environment, entropy=os.urandom(32), now_ms=now_ms())
            entries = (*config.upstream, *_simulated(provider))
            provision(
                connection, vault, msgspec.structs.replace(config, upstream=entries), os.environ, now_ms()
            )
            return began
    finally:
        connection.close()
        lock.close()


def _simulated(provider: SimulatedProvider | None) -> tuple[UpstreamEntry, ...]:
    if provider is None:
        return ()
    return tuple(
        UpstreamEntry(
            name=name, kind=kind, base_url=f"http://127.0.0.1:{provider.port}{path}", api_key=CREDENTIAL
        )
        for name, kind, path in UPSTREAMS
    )
