"""The locked packages as files: out of the wheels that pip fetches for a target, or as this environment has them installed.

Owns where the archive's foreign files come from. Rule: nothing is handed on whose hash is not in requirements/run.txt, or not
in what its installer recorded.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements" / "run.txt"
PYTHONS = ("311", "312", "313", "314")
MACHINES = ("x86_64", "aarch64")
GLIBC = (2, 28)
"""The oldest glibc that every wheel of the set runs on: cryptography 50 (x86_64) and granian 2.8 (aarch64) are manylinux_2_28."""
MUSL = (1, 2)
"""That of Alpine 3.13 and later."""


class BuildError(Exception):
    """The archive cannot be built; the text is a sentence for the person at the terminal."""


@dataclass(frozen=True, order=True)
class Target:
    """One CPython minor version on one machine type and C library; written `cp311-x86_64`, or `cp311-x86_64-musl`."""

    python: str
    platform: str

    def __str__(self) -> str:
        return f"cp{self.python}-{self.platform}"


def targets_of(libc: str) -> tuple[Target, ...]:
    """Everything one archive is for. `libc`: glibc or musl."""
    suffix = "-musl" if libc == "musl" else ""
    return tuple(Target(python, machine + suffix) for machine in MACHINES for python in PYTHONS)


def fetch_wheels(target: Target, into: Path) -> list[Path]:
    """The locked wheels of `target`, from `into` or by pip. Raises BuildError if pip fails or a hash is not in the lock file."""
    if not (into / ".complete").exists():
        into.mkdir(parents=True, exist_ok=True)
        machine, _, musl = target.platform.partition("-")
        if musl:
            tags = [f"musllinux_1_{minor}_{machine}" for minor in range(MUSL[1], -1, -1)]
        else:
            tags = [f"manylinux_2_{minor}_{machine}" for minor in range(GLIBC[1], 4, -1)]
            tags += [f"manylinux{name}_{machine}" for name in ("2014", "2010", "1")]
        command = [
            sys.executable,
            "-m",
            "pip",
            "--disable-pip-version-check",
            "download",
            "--quiet",
            "--no-deps",
        ]
        command += [
            "--require-hashes",
            "--only-binary",
            ":all:",
            "--requirement",
            str(LOCK),
            "--dest",
            str(into),
        ]
        command += ["--implementation", "cp", "--python-version", target.python]
        command += [option for abi in (f"cp{target.python}", "abi3", "none") for option in ("--abi", abi)]
        command += [option for tag in tags for option in ("--platform", tag)]
        if subprocess.run(command, stdout=sys.stderr, check=False).returncode != 0:
            raise BuildError(
                f"pip could not fetch the wheels of {target}; see its lines above. Run with .venv/bin/python."
            )
        (into / ".complete").touch()
    wheels = sorted(into.glob("*.whl"))
    locked = set(re.findall(r"--hash=sha256:([0-9a-f]{64})", LOCK.read_text()))
    for wheel in wheels:
        if hashlib.sha256(wheel.read_bytes()).hexdigest() not in locked:
            raise BuildError(f"{wheel} is not what requirements/run.txt names; delete {into} and build again")
    return wheels


def wheel_files(wheel: Path) -> Iterator[tuple[str, bytes]]:
    """Path and content of what a wheel puts into site-packages."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            path = re.sub(r"^[^/]+\.data/(purelib|platlib)/", "", name)
            if not name.endswith("/") and ".data/" not in path:
                yield path, archive.read(name)


def installed_files() -> Iterator[Iterator[tuple[str, bytes]]]:
    """The same files as this environment has them, package by package, each checked against the hash its installer recorded."""
    for line in re.findall(r"^([A-Za-z0-9._-]+)==([^ \\]+)(?: ; (.*?))? \\$", LOCK.read_text(), re.MULTILINE):
        name, version, marker = line
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            if "sys_platform ==" in marker:  # for Windows or a browser only
                continue
            raise BuildError(f"{name} is not installed here; run scripts/prepare first") from None
        if distribution.version != version:
            raise BuildError(
                f"{name} {distribution.version} is installed, {version} is locked; run scripts/prepare"
            )
        yield _files_of(distribution)


def _files_of(distribution: importlib.metadata.Distribution) -> Iterator[tuple[str, bytes]]:
    for file in distribution.files or ():
        if ".." in file.parts or file.suffix == ".pyc" or file.hash is None:
            continue
        data = Path(str(file.locate())).read_bytes()
        if file.hash.value != _record_hash(data):
            raise BuildError(
                f"{file} was changed after it was installed; delete .venv and run scripts/prepare"
            )
        yield str(PurePosixPath(file)), data


def _record_hash(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
