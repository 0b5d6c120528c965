"""The one file this program runs from, if it does: where it is, what it is, what is inside.

Owns reading it; scripts/build_zipapp.py makes it and its bootstrap (scripts/zipapp_main.py) unpacks it. Rule: nothing is believed of the
file's name; the bootstrap's own `ARCHIVE`, in `__main__`, says it.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import sys
import zipfile
from pathlib import Path

import msgspec


class Archive(msgspec.Struct, frozen=True):
    """`laidian.pyz` as the running process was started from it."""

    path: str
    sha256: str
    """Of the whole file, to be compared with SHA256SUMS of the release; of the file as it is now, so after an upgrade the new one's."""
    build: str
    """Names what is inside, and the folder of the cache it is unpacked to."""
    targets: tuple[str, ...]
    """Pythons and machines it is for, such as cp311-x86_64."""
    unpacked: str
    """The folder that the modules come from."""
    packages: dict[str, str]
    """Every distribution inside, with its version."""


def running_from() -> Archive | None:
    """None: from a checkout or an installed package. Raises OSError when the file is gone."""
    path = getattr(sys.modules.get("__main__"), "ARCHIVE", None)
    if not isinstance(path, str):
        return None
    with zipfile.ZipFile(path) as members:
        about = msgspec.json.decode(members.read("build.json"), type=_Build)
    with Path(path).open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    unpacked = str(Path(__file__).parent.parent)
    inside = importlib.metadata.distributions(path=[unpacked])
    packages = {one.metadata["Name"]: one.version for one in inside}
    return Archive(path, sha256, about.build, about.targets, unpacked, dict(sorted(packages.items())))


class _Build(msgspec.Struct):
    build: str
    targets: tuple[str, ...]
