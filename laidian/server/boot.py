"""What the parent tells its workers. The parent imports neither the relay nor Litestar: it stays small, and the metrics library learns of
its shared folder before it is first imported.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from laidian.config import Config, load_config

BOOT_VARIABLE = "LAIDIAN_BOOT"
"""How the parent tells its workers where everything is: JSON of `Boot`. Not for people."""


class Boot(msgspec.Struct, frozen=True):
    """The options of `laidian serve` that a worker needs."""

    data: str
    config: str | None
    host: str
    port: int
    workers: int
    parent: int
    """Process id to die with."""


def effective(boot: Boot) -> Config:
    """The configuration with the command line's options over it."""
    config = load_config(boot.config, os.environ, Path(boot.data))
    server = msgspec.structs.replace(config.server, host=boot.host, port=boot.port, workers=boot.workers)
    return msgspec.structs.replace(config, server=server)


def base_url(config: Config) -> str:
    """Where this machine reaches the instance."""
    host = config.server.host
    if host in ("0.0.0.0", "::"):  # noqa: S104 - read, not bound
        host = "127.0.0.1"
    scheme = "https" if config.server.tls_certificate else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{config.server.port}"
