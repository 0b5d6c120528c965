"""`laidian version`: this program, for a report of a problem."""

from __future__ import annotations

import platform

import click
import msgspec

from laidian import __version__
from laidian.archive import Archive, running_from
from laidian.cli.call import Bare, Call, with_call
from laidian.cli.output import put_one


class About(msgspec.Struct, frozen=True):
    version: str
    python: str
    platform: str
    archive: Archive | None
    """The one file it runs from, with what is inside; null for a checkout or an installed package."""


@click.command(cls=Bare)
@with_call
def version(call: Call) -> None:
    """Show the version, of this program and of what it runs on.

    \b
    laidian version
    laidian version --json
    """
    archive = running_from()
    about = About(__version__, platform.python_version(), platform.platform(), archive)
    lines = [("laidian", about.version), ("python", about.python), ("platform", about.platform)]
    if archive is not None:
        lines += [
            ("archive", archive.path),
            ("sha256", archive.sha256),
            ("build", f"{archive.build} for {', '.join(archive.targets)}"),
            ("inside", f"{len(archive.packages)} packages; --json names them"),
        ]
    put_one(call, about, lines)
