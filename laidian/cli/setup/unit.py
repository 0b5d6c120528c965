"""The systemd unit: of the whole machine, with a user of its own and everything shut that can be shut; or of one user.

What is shut was measured with `systemd-analyze security` (exposure 1.2, "OK"); a user's unit can only use what needs no privilege.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

Scope = Literal["user", "system"]

STATE = Path("/var/lib/laidian")
"""Where a service of the whole machine keeps its data."""
SYSTEM_UNIT = Path("/etc/systemd/system/laidian.service")
LOW_PORTS = 1024


class Service(msgspec.Struct, frozen=True, kw_only=True):
    scope: Scope
    program: tuple[str, ...]
    """What runs LaiDian: a Python and the file, or the command."""
    data: Path
    config: Path | None
    """Where it is not config.toml in the data folder."""
    user: str
    port: int
    drain_s: float
    certificate: str = ""
    key: str = ""
    """PEM files handed to the service, which could not read them itself."""


def unit_path(scope: Scope, home: Path, config_home: str | None) -> Path:
    if scope == "system":
        return SYSTEM_UNIT
    return (Path(config_home) if config_home else home / ".config") / "systemd" / "user" / "laidian.service"


def unit_text(service: Service) -> str:
    command = [*service.program, "serve", "--data", str(service.data)]
    if service.config is not None:
        command += ["--config", str(service.config)]
    lines = [
        "# Written by `laidian setup`, which may write it anew; put changes into a drop-in: systemctl edit laidian",
        "[Unit]",
        "Description=LaiDian, a relay for model providers",
        "After=network-online.target",
        "Wants=network-online.target",
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        "Type=exec",
        f"ExecStart={' '.join(map(quoted, command))}",
        "UMask=0077",
        "KillMode=mixed",
        f"TimeoutStopSec={int(service.drain_s) + 15}",
        "Restart=always",
        "RestartSec=1",
        "LimitNOFILE=65536",
        "LimitCORE=0",
        "TasksMax=512",
        *(_system(service) if service.scope == "system" else ()),
        *_UNPRIVILEGED,
        "",
        "[Install]",
        f"WantedBy={'multi-user' if service.scope == 'system' else 'default'}.target",
    ]
    return "\n".join(lines) + "\n"


_UNPRIVILEGED = (
    "NoNewPrivileges=yes",
    "LockPersonality=yes",
    "MemoryDenyWriteExecute=yes",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallFilter=~@privileged @resources",
    # a call that is shut fails; without this the process would be killed for asking
    "SystemCallErrorNumber=EPERM",
)
"""Seccomp and flags: what a user's own service manager may set, too."""


def _system(service: Service) -> Sequence[str]:
    low = service.port < LOW_PORTS
    capability = "CAP_NET_BIND_SERVICE" if low else ""
    lines = [f"User={service.user}"]
    if service.data == STATE:
        lines += ["StateDirectory=laidian", "StateDirectoryMode=0700"]
    else:
        lines.append(f"ReadWritePaths={quoted(str(service.data))}")
    lines += [
        "CacheDirectory=laidian",
        "CacheDirectoryMode=0700",
        "Environment=LAIDIAN_CACHE=/var/cache/laidian",
    ]
    for name, path in (("tls_certificate", service.certificate), ("tls_key", service.key)):
        if path:
            lines.append(f"LoadCredential={name}:{path.replace('%', '%%')}")
    lines += [
        f"CapabilityBoundingSet={capability}",
        *([f"AmbientCapabilities={capability}"] if low else ["PrivateUsers=yes"]),
        "PrivateTmp=yes",
        "PrivateDevices=yes",
        "ProtectSystem=strict",
        f"ProtectHome={_home(service)}",
        "ProtectClock=yes",
        "ProtectHostname=yes",
        "ProtectKernelLogs=yes",
        "ProtectKernelModules=yes",
        "ProtectKernelTunables=yes",
        "ProtectControlGroups=yes",
        "ProtectProc=invisible",
        "ProcSubset=pid",
        "RemoveIPC=yes",
    ]
    return lines


def _home(service: Service) -> str:
    """Homes are shut, unless something that the service needs lies in one."""
    needed = [*service.program, str(service.data), *([str(service.config)] if service.config else [])]
    return "read-only" if any(in_a_home(path) for path in needed) else "yes"


def in_a_home(path: str) -> bool:
    return path.startswith(("/home/", "/root/", "/run/user/"))


def quoted(word: str) -> str:
    """One word of a command line in a unit file: systemd expands % and $, and splits at blanks."""
    safe = word.replace("\\", "\\\\").replace("%", "%%").replace("$", "$$").replace('"', '\\"')
    return f'"{safe}"' if safe != word or any(letter in " ';\t" for letter in word) else word
