"""`laidian serve`: runs Granian on a prepared data folder until it is told to stop."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import Any, Literal

import msgspec
from granian.constants import HTTPModes, Interfaces, Loops, SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from laidian.config import Config, ConfigProblem
from laidian.server.boot import BOOT_VARIABLE, Boot, base_url
from laidian.server.folder import Folder

HEADER_TIMEOUT_MS = 10_000
"""A request head that takes longer is cut; Granian's default is 30 s."""


class Server(MPServer):
    """Granian that tells its workers when a stop begins, so that running streams can be bounded and settled."""

    folder: Folder

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        self.folder.stopping.touch()
        super().signal_handler_interrupt(*args, **kwargs)  # pyright: ignore[reportUnknownMemberType]


def serve(boot: Boot, config: Config, folder: Folder) -> None:
    """Serves until SIGTERM or SIGINT. The folder is claimed and prepared already."""
    os.environ[BOOT_VARIABLE] = msgspec.json.encode(boot).decode()
    if config.server.workers > 1:
        # counters in shared files cost 10 us a request more than counters in memory, so only where there is somebody to share with
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder.metrics)
    server = Server(
        "laidian.server.app:create_app",
        factory=True,
        address=config.server.host,
        port=config.server.port,
        interface=Interfaces.ASGI,
        workers=config.server.workers,
        loop=Loops.uvloop,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_MS),
        websockets=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=int(config.server.drain_s) + 8,
        **_tls(folder, config),
    )
    server.folder = folder
    folder.announce(base_url(config), str(check_tls(folder, config)[0] or ""))
    server.serve()


def _tls(folder: Folder, config: Config) -> dict[str, Any]:
    """What Granian is told for https; nothing for plain http."""
    certificate, key = check_tls(folder, config)
    if certificate is None:
        return {}
    # 1.2 as well: clients of corporate proxies and old libraries speak nothing newer
    return {"ssl_cert": certificate, "ssl_key": key, "ssl_protocol_min": SSLProtocols.tls12}


def check_tls(folder: Folder, config: Config) -> tuple[Path | None, Path | None]:
    """The certificate's and the key's file, or None and None. Raises ConfigProblem when they cannot be served with."""
    certificate = _path(folder, config, "tls_certificate")
    key = _path(folder, config, "tls_key")
    if (certificate is None) != (key is None):
        missing = "server.tls_key" if key is None else "server.tls_certificate"
        raise ConfigProblem(f"{missing} is missing: https needs the certificate and its private key.")
    if certificate is None or key is None:
        return None, None
    for name, path in (("server.tls_certificate", certificate), ("server.tls_key", key)):
        if not os.access(path, os.R_OK):
            raise ConfigProblem(f"{name}: {path} is not there, or this user may not read it.")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=lambda: b"")
    except (ssl.SSLError, OSError, ValueError) as error:
        raise ConfigProblem(
            f"{certificate} and {key} are no certificate with its private key in PEM, without a passphrase"
            f" ({getattr(error, 'reason', None) or error})."
        ) from None
    return certificate, key


def _path(folder: Folder, config: Config, setting: Literal["tls_certificate", "tls_key"]) -> Path | None:
    """The file of a setting; relative to the data folder. None: not set.

    systemd's `LoadCredential=tls_key:…` goes before it: the service then reads a file that only root could.
    """
    name: str = getattr(config.server, setting)
    given = os.environ.get("CREDENTIALS_DIRECTORY")
    if name and given and (Path(given) / setting).exists():
        return Path(given) / setting
    return (folder.root / Path(name).expanduser()) if name else None
