"""`laidian version`: this program, for a report of a problem."""

from __future__ import annotations

import platform

import click
import msgspec

from laidian import __version__
from laidian.cli.call import Bare, Call, with_call
from laidian.cli.output import put_one


class About(msgspec.Struct, frozen=True):
    version: str
    python: str
    platform: str


@click.command(cls=Bare)
@with_call
def version(call: Call) -> None:
    """Show the version, of this program and of what it runs on.

    \b
    laidian version
    laidian version --json
    """
    about = About(__version__, platform.python_version(), platform.platform())
    put_one(call, about, [("laidian", about.version), ("python", about.python), ("platform", about.platform)])
