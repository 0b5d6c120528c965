"""`laidian serve` and `laidian demo`: options only; laidian.server.start does the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
from rich_click import RichCommand

Body = Callable[..., None]


def _options(function: Body) -> Body:
    for option in reversed(
        [
            click.option(
                "--host", metavar="ADDRESS", help="Address to listen at; 127.0.0.1 unless configured."
            ),
            click.option(
                "--port",
                type=click.IntRange(0, 65_535),
                metavar="N",
                help="Port to listen at; 8080 unless configured, 0 takes a free one.",
            ),
            click.option("--data", metavar="DIR", help="Data folder (or LAIDIAN_DATA)."),
            click.option(
                "--workers", type=click.IntRange(1, 256), metavar="N", help="Processes; 1 unless configured."
            ),
            click.option("--config", metavar="FILE", help="Configuration file (or LAIDIAN_CONFIG)."),
        ]
    ):
        function = option(function)
    return function


@click.command(cls=RichCommand)
@_options
def serve(**given: Any) -> None:
    """Serve until told to stop.

    The first start makes the data folder, the database and the admin token, and says what to do next. With OPENAI_API_KEY,
    GEMINI_API_KEY or ANTHROPIC_API_KEY in the environment it also makes that upstream and a first key.

    \b
    laidian serve
    laidian serve --host 0.0.0.0 --port 8080 --workers 2
    """
    _start(given, demo=False)


@click.command(cls=RichCommand)
@_options
def demo(**given: Any) -> None:
    """Serve with a simulated provider: no account, no money.

    Every endpoint, the quota rules and the dashboard can be tried; the answers are made up and say so.

    \b
    laidian demo
    laidian demo --port 8081 --data ./demo-data
    """
    _start(given, demo=True)


def _start(given: dict[str, Any], *, demo: bool) -> None:
    from laidian.server.start import StartOptions, start

    options = StartOptions(**given)
    if not demo:
        start(options)
        return
    from laidian.simulated.serve import serve as simulated

    start(options, simulated)
