"""The command line: a thin twin of everything the admin API can do, and the way to start the server.

Owns words on a terminal: options, tables, exit codes. Decides nothing about keys, money or upstreams; the admin API does, the
running server's or one in this very process. The rules a newcomer would break: stdout is data and stderr is talk; nothing heavy
is imported before a command needs it (a test watches `laidian --help`).
"""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code (`laidian help exit-codes`). The arguments are sys.argv's unless given."""
    from laidian.cli.entry import run

    return run(arguments)
