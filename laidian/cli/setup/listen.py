"""Where the instance listens and what speaks TLS in front of it: asked, shown as a difference, written into config.toml."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from laidian.cli.call import Call
from laidian.cli.setup.answers import FRONTS, Answers
from laidian.cli.setup.front import Front, front_text
from laidian.cli.setup.questions import agree, choose, fill, say
from laidian.cli.setup.settings import difference, with_settings
from laidian.config import Config, load_config
from laidian.errors import BadRequest, Conflict, StorageDown
from laidian.server.folder import Folder


def listen(call: Call, answers: Answers, folder: Folder) -> tuple[Config, str]:
    """Asks for the way in, changes config.toml after a look, and returns what holds and the proxy's text."""
    config = config_of(call, folder)
    server = config.server
    standing = "tls" if server.tls_certificate else "none"
    front = choose(call, "TLS in front", FRONTS, answers.front, standing)
    said = (
        server.public_url.removeprefix("https://").removeprefix("http://").partition("/")[0].partition(":")[0]
    )
    domain = fill(call, "Domain", answers.domain, said)
    if front in ("caddy", "nginx") and not domain:
        raise BadRequest(f"{front} needs the domain that clients use: --domain relay.example.com")
    values: dict[str, Any] = {}
    if front == "tls":
        values["tls_certificate"] = _file(
            fill(call, "Certificate file (PEM)", answers.tls_certificate, server.tls_certificate),
            server.tls_certificate,
        )
        values["tls_key"] = _file(
            fill(call, "Private key file (PEM)", answers.tls_key, server.tls_key), server.tls_key
        )
        if not (values["tls_certificate"] and values["tls_key"]):
            raise BadRequest("https needs the certificate and its private key, each a PEM file.")
    elif server.tls_certificate:
        values = {"tls_certificate": "", "tls_key": ""}
    usual_host, usual_port = server.host, server.port
    if front == "tls" and not server.tls_certificate:
        usual_host, usual_port = "0.0.0.0", 443  # noqa: S104 - the whole point of TLS of its own
    values["host"] = fill(call, "Listen at address", answers.host, usual_host) or server.host
    values["port"] = _port(fill(call, "Port", _text(answers.port), str(usual_port)))
    # An address that nobody asked to change stays as it is written, port and path and all.
    if domain != said or (front == "tls" and (values["port"] != server.port or not server.tls_certificate)):
        port = values["port"] if front == "tls" and values["port"] != 443 else None
        values["public_url"] = (
            f"https://{domain}:{port}" if domain and port else f"https://{domain}" if domain else ""
        )
    if front == "tls":
        from laidian.server.run import check_tls

        planned = msgspec.structs.replace(server, **values)
        check_tls(folder, msgspec.structs.replace(config, server=planned))
    _write_config(call, folder, values)
    config = config_of(call, folder)
    text = ""
    if front == "caddy" or front == "nginx":
        kind: Front = front
        text = front_text(kind, domain, config.server.port, config.limits.body_max_bytes)
    return config, text


def _file(given: str, known: str) -> str:
    """A file's whole path; one that config.toml names already stays as it is written there, where it is relative to the data folder."""
    return given if given == known or not given else str(Path(given).expanduser().absolute())


def _write_config(call: Call, folder: Folder, values: dict[str, Any]) -> None:
    path = config_path(call, folder)
    before = path.read_text() if path.exists() else ""
    after = with_settings(before, "server", values)
    if after == before:
        return
    if before:
        say(call, difference(before, after, path.name))
        if not agree(call, f"Change {path} like this?", default=False):
            raise Conflict(
                f"{path} was not changed, so nothing else was done. Say --yes to change it, or change it by hand."
            )
    try:
        if before:
            write_whole(path.with_name(path.name + ".bak"), before, 0o600)
        write_whole(path, after, 0o600)
    except OSError as error:
        raise StorageDown(f"{path} cannot be written: {os.strerror(error.errno or 0)}.") from None
    say(call, f"Written: {path}")


def write_whole(path: Path, text: str, mode: int) -> None:
    """The file under its name is the old one or the new one, never half of it."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)
    part.replace(path)


def config_path(call: Call, folder: Folder) -> Path:
    chosen = call.config or os.environ.get("LAIDIAN_CONFIG")
    return Path(chosen).expanduser().absolute() if chosen else folder.root / "config.toml"


def config_of(call: Call, folder: Folder) -> Config:
    if not config_path(call, folder).exists():
        return Config()
    return load_config(call.config, os.environ, folder.root)


def base_url_of(config: Config) -> str:
    from laidian.server.boot import base_url

    return f"{(config.server.public_url or base_url(config)).rstrip('/')}/v1"


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:
        raise BadRequest(f"a port is a number from 1 to 65535, not {text!r}.")
    return int(text)


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
