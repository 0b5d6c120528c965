"""The systemd unit put in its place, with its user, and started if wanted."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

from laidian.cli.call import Call
from laidian.cli.setup.answers import Answers
from laidian.cli.setup.listen import config_path, write_whole
from laidian.cli.setup.questions import agree, say
from laidian.cli.setup.settings import difference
from laidian.cli.setup.unit import LOW_PORTS, Scope, Service, in_a_home, unit_path, unit_text
from laidian.config import Config
from laidian.errors import StorageDown
from laidian.server.folder import Folder


def service_of(call: Call, answers: Answers, scope: Scope, folder: Folder, config: Config) -> Service:
    path = config_path(call, folder)
    return Service(
        scope=scope,
        program=program(),
        data=folder.root,
        config=None if path == folder.root / "config.toml" else path,
        user=answers.service_user,
        port=config.server.port,
        drain_s=config.server.drain_s,
        certificate=config.server.tls_certificate if scope == "system" else "",
        key=config.server.tls_key if scope == "system" else "",
    )


def program() -> tuple[str, ...]:
    """How this very program is started again: the file and its Python, or the command."""
    started = Path(sys.argv[0])
    if started.suffix == ".pyz" and started.is_file():
        return (sys.executable, str(started.absolute()))
    if started.name == "laidian" and os.access(started, os.X_OK):
        return (str(started.absolute()),)
    return (sys.executable, "-m", "laidian")


def install(call: Call, answers: Answers, service: Service) -> tuple[str, list[str]]:
    """Writes the unit and starts it if wanted. Returns where it is, and what is wrong."""
    text = unit_text(service)
    where = unit_path(service.scope, Path.home(), os.environ.get("XDG_CONFIG_HOME"))
    path = Path(answers.unit_file).expanduser().absolute() if answers.unit_file else where
    problems = _warn(service)
    if service.scope == "system":
        problems += _own(call, service)
    before = path.read_text() if path.exists() else ""
    if before != text:
        say(call, difference(before, text, path.name) if before else text)
        if not agree(call, f"Write {path}?", default=not before):
            return "", [*problems, f"the unit {path} was not written; say --yes to write it."]
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, text, 0o644)
        except OSError as error:
            raise StorageDown(f"{path} cannot be written: {os.strerror(error.errno or 0)}.") from None
        say(call, f"Written: {path}")
    systemctl = ("systemctl",) if service.scope == "system" else ("systemctl", "--user")
    start = answers.start
    if start is None:
        start = _manages(service.scope) and agree(call, "Start it, now and at every boot?", default=False)
    if not start:
        say(
            call,
            f"Start it: {' '.join(systemctl)} daemon-reload && {' '.join(systemctl)} enable --now laidian",
        )
        return str(path), problems
    return str(path), [*problems, *_start(call, service, systemctl)]


def _warn(service: Service) -> list[str]:
    problems: list[str] = []
    if service.scope == "system" and any(in_a_home(word) for word in service.program):
        problems.append(
            f"{' '.join(service.program)} lies in a home, where the service's user `{service.user}` may not be able to read it;"
            " put the file into /opt and run setup from there."
        )
    if service.scope == "user" and service.port < LOW_PORTS:
        problems.append(f"port {service.port} needs root; choose one above 1023, or --service system.")
    return problems


def _own(call: Call, service: Service) -> list[str]:
    """The service's user, and the data in its hands. Only root can, and only root is asked."""
    if os.geteuid() != 0:
        return []
    try:
        account = pwd.getpwnam(service.user)
    except KeyError:
        command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", str(service.data),
                   "--shell", "/usr/sbin/nologin", service.user]  # fmt: skip
        if not agree(call, f"Make the system user `{service.user}`?", default=False):
            return [f"the user `{service.user}` is not there: {' '.join(command)}"]
        if reason := _run(command):
            return [f"the user `{service.user}` could not be made: {reason}"]
        account = pwd.getpwnam(service.user)
    if service.data.exists():
        for path in (service.data, *service.data.rglob("*")):
            os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
    return []


def _manages(scope: Scope) -> bool:
    """Whether systemd runs here, and for this user."""
    if shutil.which("systemctl") is None or not Path("/run/systemd/system").exists():
        return False
    return scope == "system" or bool(os.environ.get("XDG_RUNTIME_DIR"))


def _start(call: Call, service: Service, systemctl: tuple[str, ...]) -> list[str]:
    if Folder(service.data).served():
        return [
            f"a server runs from {service.data} already; stop it, then: {' '.join(systemctl)} enable --now laidian"
        ]
    for command in ([*systemctl, "daemon-reload"], [*systemctl, "enable", "--now", "laidian.service"]):
        if reason := _run(command):
            return [f"{' '.join(command)} failed: {reason}"]
    say(call, "The service is started.")
    if service.scope == "user":
        say(
            call,
            f"To keep it running after you log out: loginctl enable-linger {pwd.getpwuid(os.geteuid()).pw_name}",
        )
    return []


def _run(command: list[str]) -> str:
    """Empty when it worked, else why not."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)  # noqa: S603 - our own words
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if done.returncode == 0 else (done.stderr.strip() or f"exit code {done.returncode}")
