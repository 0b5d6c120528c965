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

Of the musl archive was tried, 2026-11-29: CPython 3.11.2, built with musl-gcc, on musl 1.2.5, x86_64 (demo, answered requests, pages,
audit); 1.2.3 crashes in a library inside, so the bootstrap asks for 1.2.4. Not tried: a real Alpine, CPython 3.12 to 3.14 on musl, aarch64
with musl.

Beside the file: its SHA-256 (.sha256) and its bill of materials (.cdx.json, CycloneDX).

Layout of the archive: `__main__.py` (scripts/zipapp_main.py), `build.json` (what every start reads), `sbom.json` (what nobody here
reads), `index.json` (what the first start reads), and payloads: `any.xz` holds the files that are equal on all targets, `x86_64.xz` and `aarch64.xz` the native
ones, of all Python versions one after the other. A payload is the bare bytes of its files, in the order of the index.

Measured 2026-11-29: 8 targets 25.5 MB (27.0 before scripts/trim.py left more out); one target alone 8.5 MB; the 8 of musl 25.6 MB. Of it
granian is 14.5 MB, which four Pythons share badly: one alone packs to 2.9 MB. Before, by packing: deflate 59 MB, xz per target 38 MB.
First start, with compiling: 1.8 s (3.11) to 2.7 s (3.12) of processor time on a quiet machine, 75 MB on disk; later `version` 0.08 s.
Bytecode inside would add 4.5 MB for each of four Pythons, to save 1.4 to 2.1 s of processor time, once: left to the first start. Building takes 140 s of processor time.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import lzma
import os
import platform
import re
import sys
import time
import tomllib
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from locked import (
    GLIBC,
    LOCK,
    ROOT,
    BuildError,
    Target,
    fetch_wheels,
    installed_files,
    targets_of,
    wheel_files,
)
from sbom import Part, bill
from trim import UNUSED, is_native, trimmed

PACKAGES = ("laidian", "tui")
DICTIONARY_BYTES = 32 * 1024 * 1024
"""Window of xz, and so the memory of the first run: above granian's 20.7 MB library, so that its next version finds the last."""


@dataclass(frozen=True)
class Entry:
    """One file of a payload."""

    path: str
    data: bytes
    targets: tuple[str, ...] | None
    """The targets that extract it; None: all that read this payload."""


# --- what goes in ---


def own_files(version: str) -> Iterator[tuple[str, bytes]]:
    """Our packages with their data, and the metadata that `importlib.metadata` asks for."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*")):
            if path.is_file():
                yield path.relative_to(ROOT).as_posix(), path.read_bytes()
    about = f"laidian-{version}.dist-info"
    yield f"{about}/METADATA", f"Metadata-Version: 2.1\nName: laidian\nVersion: {version}\n".encode()
    yield f"{about}/licenses/LICENSE", (ROOT / "LICENSE").read_bytes()


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
        for platform_name in {target.platform for target in by_target}:
            here = {target: data for target, data in by_target.items() if target.platform == platform_name}
            for data in sorted(set(here.values())):
                users = tuple(sorted(str(target) for target in here if here[target] == data))
                every = len(users) == sum(target.platform == platform_name for target in targets)
                payloads[platform_name].append(Entry(path, data, None if every else users))
    for entries in payloads.values():
        entries.sort(key=lambda entry: (re.sub(r"cpython-\d+", "", entry.path), entry.targets or ()))
    return dict(sorted(payloads.items()))


# --- the archive ---


def compressed(entries: list[Entry], name: str, preset: int) -> bytes:
    packing: dict[str, int] = {"id": lzma.FILTER_LZMA2, "preset": preset, "dict_size": DICTIONARY_BYTES}
    filters = [packing]
    if name.startswith("x86_64"):  # calls get absolute addresses, which repeat: 8% smaller
        filters.insert(0, {"id": lzma.FILTER_X86})
    if name.startswith("aarch64"):  # every instruction is four bytes: 3% smaller
        packing |= {"lc": 0, "lp": 2, "pb": 2}
    return lzma.compress(b"".join(entry.data for entry in entries), filters=filters)


def archive_time() -> tuple[int, int, int, int, int, int]:
    """SOURCE_DATE_EPOCH (reproducible-builds.org) if set, else the first moment that zip can express."""
    epoch_s = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    moment = time.gmtime(max(epoch_s, 315_532_800))
    return moment[0], moment[1], moment[2], moment[3], moment[4], moment[5]


def write_archive(
    output: Path,
    version: str,
    libc: str,
    targets: Iterable[Target],
    payloads: dict[str, list[Entry]],
    parts: list[Part],
    preset: int,
) -> str:
    """Writes `output`, its hash and its bill of materials; returns the archive's SHA-256 in hex."""
    bootstrap = (ROOT / "scripts" / "zipapp_main.py").read_bytes()
    index = {name: [[e.path, len(e.data), e.targets] for e in entries] for name, entries in payloads.items()}
    identity = hashlib.sha256(json.dumps(index).encode())
    for entries in payloads.values():
        for entry in entries:
            identity.update(entry.data)
    with ThreadPoolExecutor() as threads:  # lzma works outside the interpreter lock
        packed = threads.map(lambda item: compressed(item[1], item[0], preset), payloads.items())
        stored = {f"{name}.xz": data for name, data in zip(payloads, packed, strict=True)}
    about = {
        "version": version,
        "build": identity.hexdigest()[:16],
        "libc": libc,
        "glibc": list(GLIBC),
        "targets": [str(target) for target in targets],
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in stored.items()},
    }
    members = [
        ("__main__.py", bootstrap, zipfile.ZIP_STORED),
        ("build.json", json.dumps(about).encode(), zipfile.ZIP_STORED),
        ("sbom.json", bill(version, parts), zipfile.ZIP_DEFLATED),
        ("index.json", json.dumps(index, separators=(",", ":")).encode(), zipfile.ZIP_DEFLATED),
        *((name, data, zipfile.ZIP_STORED) for name, data in stored.items()),
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
    output.with_name(f"{output.name}.cdx.json").write_bytes(bill(version, parts, (output.name, digest)))
    return digest


class Collection:
    """The files of all targets, pruned and trimmed, and what the bill of materials says of where they came from."""

    def __init__(self) -> None:
        self.files: dict[str, dict[Target, bytes]] = defaultdict(dict)
        """Path -> target -> content."""
        self.parts: dict[str, Part] = {}
        """Folder of a distribution's metadata -> the distribution."""

    def add(self, target: Target, files: Iterable[tuple[str, bytes]], sha256: str = "") -> None:
        """Takes the files of one wheel with its hash, or of any number of installed packages."""
        about, native, bills = "", False, dict[str, list[bytes]]()
        for path, data in files:
            folder, _, rest = path.partition("/")
            if path.endswith(".dist-info/METADATA"):
                about = folder
                self.parts.setdefault(folder, Part(data))
            if folder.endswith(".dist-info") and rest.startswith("sboms/"):
                bills.setdefault(folder, []).append(data)
            if not UNUSED.search(path):
                self.files[path][target] = trimmed(path, data)
                native = native or is_native(path)
        if sha256:
            self.parts[about].sha256.add(sha256)
        if native:  # the others' bills tell of tools that are not inside
            for folder, texts in bills.items():
                self.parts[folder].bills += texts


def collect(targets: tuple[Target, ...], version: str, *, installed: bool) -> Collection:
    found = Collection()
    wheels_at = ROOT / "build" / "wheels" / hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]
    for target in targets:
        if installed:
            for files in installed_files():
                found.add(target, files)
        else:
            print(f"wheels of {target}", file=sys.stderr)
            for wheel in fetch_wheels(target, wheels_at / str(target)):
                found.add(target, wheel_files(wheel), hashlib.sha256(wheel.read_bytes()).hexdigest())
        for path, data in own_files(version):
            if not UNUSED.search(path):
                found.files[path][target] = trimmed(path, data)
    return found


def chosen_targets(only: list[str], libc: str, *, installed: bool) -> tuple[Target, ...]:
    if installed:
        only = [f"cp{sys.version_info.major}{sys.version_info.minor}-{platform.machine()}"]
    by_name = {str(target): target for target in targets_of(libc)}
    unknown = [name for name in only if name not in by_name]
    if unknown:
        raise BuildError(f"{unknown[0]} is not a target; the targets are {', '.join(by_name)}")
    return tuple(by_name[name] for name in only) or targets_of(libc)


def main() -> None:
    parser = argparse.ArgumentParser(description="Build dist/laidian.pyz, the one-file LaiDian.")
    parser.add_argument(
        "--only", action="append", default=[], metavar="TARGET", help="e.g. cp311-x86_64; may be repeated"
    )
    parser.add_argument(
        "--installed", action="store_true", help="this Python's target, from its own packages; no network"
    )
    parser.add_argument("--fast", action="store_true", help="compress badly and quickly; for tests")
    parser.add_argument("--libc", choices=("glibc", "musl"), default="glibc", help="musl is Alpine's")
    parser.add_argument("--output", type=Path, metavar="FILE", help="dist/laidian.pyz, or laidian-musl.pyz")
    options = parser.parse_args()
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    try:
        targets = chosen_targets(options.only, options.libc, installed=options.installed)
        found = collect(targets, version, installed=options.installed)
    except BuildError as error:
        sys.exit(f"build_zipapp: {error}")
    preset = 0 if options.fast else 9 | lzma.PRESET_EXTREME
    name = "laidian.pyz" if options.libc == "glibc" else f"laidian-{options.libc}.pyz"
    output: Path = options.output or ROOT / "dist" / name
    payloads, parts = sort_into_payloads(found.files, targets), list(found.parts.values())
    digest = write_archive(output, version, options.libc, targets, payloads, parts, preset)
    size_mb = output.stat().st_size / 1e6
    print(f"{digest}  {output}")
    print(f"{size_mb:.1f} MB, {version}, {', '.join(map(str, targets))}", file=sys.stderr)


if __name__ == "__main__":
    main()
