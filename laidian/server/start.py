"""From a command line to a serving process: folder, database, first start, then the server.

The first start creates what is missing and says once what to do next; every later one is silent but for the address. A key is
printed when it is made and never again, except for the demo's, which is worth nothing.

The process that starts is the parent of the workers and lives as long as they do: what it imports, everybody pays for all the time. So
nothing here imports the store, the price book or the operator's use cases; laidian.server.begin does, in a process of its own.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Callable

import msgspec

from laidian.config import Config, data_folder, load_config
from laidian.server.apart import apart
from laidian.server.boot import Boot
from laidian.server.demo import SimulatedProvider, free_port
from laidian.server.folder import Folder
from laidian.server.run import check_tls, serve


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
    check_tls(folder, config)
    boot = Boot(
        data=str(folder.root),
        config=options.config,
        host=config.server.host,
        port=config.server.port,
        workers=config.server.workers,
        parent=os.getpid(),
    )

    def before() -> None:
        from laidian.server.begin import begin

        begin(folder, config, provider.port if provider else None)

    apart(before)
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
