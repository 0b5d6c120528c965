#!/usr/bin/env python3
"""Builds dist/laidian.pyz: server, command line, dashboard and every locked dependency in one file.

    .venv/bin/python scripts/build_zipapp.py                        all targets, wheels fetched by pip
    .venv/bin/python scripts/build_zipapp.py --only cp311-x86_64    one of them
    .venv/bin/python scripts/build_zipapp.py --installed            this Python's target, from its own packages, no network

Needs Python 3.11+ with pip, nothing else. The file runs on CPython 3.11 to 3.14, Linux with glibc 2.28 or newer,
x86_64 and aarch64. Two builds of one checkout are byte for byte the same, whatever machine they were made on, as long
as liblzma is the same. --installed takes the wheels that pip chose for this machine, which may need its newer glibc: it
is for tests, not for a release. Rule: what goes in comes from requirements/run.txt with its hash checked, or from this
checkout. Never add a file that depends on the time, the path or the machine.

Layout of the archive: `__main__.py` (scripts/zipapp_main.py), `build.json` (what every start reads), `index.json` (what the
first start reads), and payloads: `any.xz` holds the files that are equal on all targets, `x86_64.xz` and `aarch64.xz` the native
ones, of all Python versions one after the other. A payload is the bare bytes of its files, in the order of the index.

Measured 2026-11-22, 8 targets, this set of packages, xz against deflate per target (as a plain zip does):
deflate 59 MB; xz per target 38 MB; xz per architecture (the same library for four Pythons side by side, so that most of it
is stored once) 26.6 MB, for 0.5 s more of processor time on the first run; one target alone 8.8 MB.
First start, quiet machine, with compiling: 1.8 s (3.11) to 2.7 s (3.12) of processor time, 2.4 to 4 s on the clock, 74 MB on disk;
later `--version` 0.05 s. Building takes 90 s on two cores.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import importlib.metadata
import io
import json
import lzma
import os
import platform
import re
import struct
import subprocess
import sys
import time
import tomllib
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements" / "run.txt"
PACKAGES = ("laidian", "tui")
PYTHONS = ("311", "312", "313", "314")
MACHINES = ("x86_64", "aarch64")
GLIBC = (2, 28)
"""The oldest glibc that every wheel of the set runs on: cryptography 50 (x86_64) and granian 2.8 (aarch64) are manylinux_2_28."""

DICTIONARY_BYTES = 32 * 1024 * 1024
"""Window of xz, and so the memory of the first run: above granian's 20.7 MB library, so that its next version finds the last."""

UNUSED = re.compile(
    r"""
    (^|/)(tests?|testing/fixtures|__pycache__)/     # test suites
    | (^|/)_testcapi\.                               # multidict's test module
    | \.(pyc|pyi|pyx|pxd|c|h|cpp|hpp)$ | (^|/)py\.typed$
    | \.dist-info/(?!METADATA$|entry_points\.txt$|licen[cs]es/|LICEN[CS]E|COPYING|NOTICE|AUTHORS)
    | ^pycparser/ | ^cffi/                           # cryptography needs _cffi_backend only, never the compiler
    | ^textual/demo/
    | (^|/)\.
    """,
    re.VERBOSE,
)
METADATA_KEPT = ("Metadata-Version:", "Name:", "Version:", "License:", "License-Expression:", "License-File:")


class BuildError(Exception):
    """The archive cannot be built; the text is a sentence for the person at the terminal."""


@dataclass(frozen=True, order=True)
class Target:
    """One CPython minor version on one machine type; written `cp311-x86_64`."""

    python: str
    machine: str

    def __str__(self) -> str:
        return f"cp{self.python}-{self.machine}"


@dataclass(frozen=True)
class Entry:
    """One file of a payload."""

    path: str
    data: bytes
    targets: tuple[str, ...] | None
    """The targets that extract it; None: all that read this payload."""


ALL_TARGETS = tuple(Target(python, machine) for machine in MACHINES for python in PYTHONS)


# --- where files come from ---


def fetch_wheels(target: Target, into: Path) -> list[Path]:
    """The locked wheels of `target`, from `into` or by pip. Raises BuildError if pip fails or a hash is not in the lock file."""
    if not (into / ".complete").exists():
        into.mkdir(parents=True, exist_ok=True)
        tags = [f"manylinux_2_{minor}_{target.machine}" for minor in range(GLIBC[1], 4, -1)]
        tags += [f"manylinux{name}_{target.machine}" for name in ("2014", "2010", "1")]
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


def installed_files() -> Iterator[tuple[str, bytes]]:
    """The same files as this environment has them, each checked against the hash its installer recorded."""
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
        for file in distribution.files or ():
            if ".." in file.parts or UNUSED.search(str(file)) or file.hash is None:
                continue
            data = Path(str(file.locate())).read_bytes()
            if file.hash.value != _record_hash(data):
                raise BuildError(
                    f"{file} was changed after it was installed; delete .venv and run scripts/prepare"
                )
            yield str(PurePosixPath(file)), data


def _record_hash(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def own_files(version: str) -> Iterator[tuple[str, bytes]]:
    """Our packages with their data, and the metadata that `importlib.metadata` asks for."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*")):
            if path.is_file():
                yield path.relative_to(ROOT).as_posix(), path.read_bytes()
    about = f"laidian-{version}.dist-info"
    yield f"{about}/METADATA", f"Metadata-Version: 2.1\nName: laidian\nVersion: {version}\n".encode()
    yield f"{about}/licenses/LICENSE", (ROOT / "LICENSE").read_bytes()


# --- what is kept of them ---


def trimmed(path: str, data: bytes) -> bytes:
    """The part of a file that running needs."""
    if path.endswith(".dist-info/METADATA"):
        head = data.decode().replace("\r\n", "\n").partition("\n\n")[0]
        return "".join(f"{line}\n" for line in head.split("\n") if line.startswith(METADATA_KEPT)).encode()
    return without_sections(data) if is_native(path) else data


def is_native(path: str) -> bool:
    return path.endswith(".so") or ".so." in path


def without_sections(elf: bytes) -> bytes:
    """A 64-bit little-endian ELF library without symbols and debug sections; anything else unchanged.

    The loader maps segments and looks at nothing else (elf(5)), so every byte outside them may go. `strip` does the same within 3%
    (uvloop 13.6 -> 1.6 MB), but only for the machine it was made for, and differently from version to version.
    """
    if elf[:6] != b"\x7fELF\x02\x01":
        return elf
    (headers_at,) = struct.unpack_from("<Q", elf, 32)
    header_size, headers = struct.unpack_from("<HH", elf, 54)
    kept = [(0, 64), (headers_at, headers_at + header_size * headers)]
    for at in range(headers_at, headers_at + header_size * headers, header_size):
        (start,), (size,) = struct.unpack_from("<Q", elf, at + 8), struct.unpack_from("<Q", elf, at + 32)
        kept.append((start, start + size))
    smaller = bytearray(max(end for _, end in kept))
    for start, end in kept:
        smaller[start:end] = elf[start:end]
    struct.pack_into(
        "<Q", smaller, 40, 0
    )  # e_shoff, then e_shentsize, e_shnum, e_shstrndx: there is no section table
    struct.pack_into("<HHH", smaller, 58, 0, 0, 0)
    return bytes(smaller)


def sort_into_payloads(
    files: dict[str, dict[Target, bytes]], targets: Iterable[Target]
) -> dict[str, list[Entry]]:
    """Payload name -> its files in order. Equal files are stored once; libraries of several Pythons stand side by side."""
    targets = tuple(targets)
    payloads: dict[str, list[Entry]] = defaultdict(list)
    for path, by_target in files.items():
        contents = set(by_target.values())
        if len(contents) == 1 and len(by_target) == len(targets) and not is_native(path):
            payloads["any"].append(Entry(path, contents.pop(), None))
            continue
        for machine in {target.machine for target in by_target}:
            here = {target: data for target, data in by_target.items() if target.machine == machine}
            for data in sorted(set(here.values())):
                users = tuple(sorted(str(target) for target in here if here[target] == data))
                every = len(users) == sum(target.machine == machine for target in targets)
                payloads[machine].append(Entry(path, data, None if every else users))
    for entries in payloads.values():
        entries.sort(key=lambda entry: (re.sub(r"cpython-\d+", "", entry.path), entry.targets or ()))
    return dict(sorted(payloads.items()))


# --- the archive ---


def compressed(entries: list[Entry], name: str, preset: int) -> bytes:
    filters: list[dict[str, int]] = [
        {"id": lzma.FILTER_LZMA2, "preset": preset, "dict_size": DICTIONARY_BYTES}
    ]
    if name == "x86_64":  # calls get absolute addresses, which repeat: 8% smaller
        filters.insert(0, {"id": lzma.FILTER_X86})
    return lzma.compress(b"".join(entry.data for entry in entries), filters=filters)


def archive_time() -> tuple[int, int, int, int, int, int]:
    """SOURCE_DATE_EPOCH (reproducible-builds.org) if set, else the first moment that zip can express."""
    epoch_s = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    moment = time.gmtime(max(epoch_s, 315_532_800))
    return moment[0], moment[1], moment[2], moment[3], moment[4], moment[5]


def write_archive(
    output: Path, version: str, targets: Iterable[Target], payloads: dict[str, list[Entry]], preset: int
) -> str:
    """Writes `output` and `output`.sha256; returns the archive's SHA-256 in hex."""
    bootstrap = (ROOT / "scripts" / "zipapp_main.py").read_bytes()
    index = {name: [[e.path, len(e.data), e.targets] for e in entries] for name, entries in payloads.items()}
    identity = hashlib.sha256(json.dumps(index).encode())
    for entries in payloads.values():
        for entry in entries:
            identity.update(entry.data)
    about = {
        "version": version,
        "build": identity.hexdigest()[:16],
        "glibc": list(GLIBC),
        "targets": [str(target) for target in targets],
    }
    members = [
        ("__main__.py", bootstrap, zipfile.ZIP_STORED),
        ("build.json", json.dumps(about).encode(), zipfile.ZIP_STORED),
        ("index.json", json.dumps(index, separators=(",", ":")).encode(), zipfile.ZIP_DEFLATED),
    ]
    with ThreadPoolExecutor() as threads:  # lzma works outside the interpreter lock
        packed = threads.map(lambda item: compressed(item[1], item[0], preset), payloads.items())
        members += [
            (f"{name}.xz", data, zipfile.ZIP_STORED) for name, data in zip(payloads, packed, strict=True)
        ]

    buffer = io.BytesIO()
    buffer.write(b"#!/usr/bin/env python3\n")
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data, method in members:
            member = zipfile.ZipInfo(name, archive_time())
            member.create_system = 3  # Unix, on whatever system this runs
            member.external_attr = 0o100644 << 16
            archive.writestr(member, data, compress_type=method, compresslevel=9)
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()
    output.parent.mkdir(parents=True, exist_ok=True)
    unfinished = output.with_name(f"{output.name}.part")
    unfinished.write_bytes(buffer.getvalue())
    unfinished.chmod(0o755)
    unfinished.replace(output)
    output.with_name(f"{output.name}.sha256").write_text(f"{digest}  {output.name}\n")
    return digest


def collect(targets: tuple[Target, ...], version: str, *, installed: bool) -> dict[str, dict[Target, bytes]]:
    """Path -> target -> content, pruned and trimmed."""
    files: dict[str, dict[Target, bytes]] = defaultdict(dict)
    own = list(own_files(version))
    wheels_at = ROOT / "build" / "wheels" / hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]
    for target in targets:
        sources = [own]
        if installed:
            sources.append(list(installed_files()))
        else:
            print(f"wheels of {target}", file=sys.stderr)
            sources += [list(wheel_files(wheel)) for wheel in fetch_wheels(target, wheels_at / str(target))]
        for source in sources:
            for path, data in source:
                if not UNUSED.search(path):
                    files[path][target] = trimmed(path, data)
    return files


def chosen_targets(only: list[str], *, installed: bool) -> tuple[Target, ...]:
    if installed:
        only = [f"cp{sys.version_info.major}{sys.version_info.minor}-{platform.machine()}"]
    by_name = {str(target): target for target in ALL_TARGETS}
    unknown = [name for name in only if name not in by_name]
    if unknown:
        raise BuildError(f"{unknown[0]} is not a target; the targets are {', '.join(by_name)}")
    return tuple(by_name[name] for name in only) or ALL_TARGETS


def main() -> None:
    parser = argparse.ArgumentParser(description="Build dist/laidian.pyz, the one-file LaiDian.")
    parser.add_argument(
        "--only", action="append", default=[], metavar="TARGET", help="e.g. cp311-x86_64; may be repeated"
    )
    parser.add_argument(
        "--installed", action="store_true", help="this Python's target, from its own packages; no network"
    )
    parser.add_argument("--fast", action="store_true", help="compress badly and quickly; for tests")
    parser.add_argument("--output", type=Path, default=ROOT / "dist" / "laidian.pyz", metavar="FILE")
    options = parser.parse_args()
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    try:
        targets = chosen_targets(options.only, installed=options.installed)
        payloads = sort_into_payloads(collect(targets, version, installed=options.installed), targets)
    except BuildError as error:
        sys.exit(f"build_zipapp: {error}")
    preset = 0 if options.fast else 9 | lzma.PRESET_EXTREME
    digest = write_archive(options.output, version, targets, payloads, preset)
    size_mb = options.output.stat().st_size / 1e6
    print(f"{digest}  {options.output}")
    print(f"{size_mb:.1f} MB, {version}, {', '.join(map(str, targets))}", file=sys.stderr)


if __name__ == "__main__":
    main()
