"""From arguments to an exit code: runs the command, and turns every way it can end into a sentence and a number."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence

import click
from click.shell_completion import shell_complete

from laidian.cli.exits import Declined, Exit, exit_of
from laidian.cli.root import root
from laidian.cli.text import clean
from laidian.errors import LaidianError

COMPLETE = "_LAIDIAN_COMPLETE"
"""Set by a shell's completion function, which `laidian completion` prints."""


def run(arguments: Sequence[str] | None) -> int:
    """Never raises, but for SystemExit of a server that ends itself."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a name gets it escaped, not a traceback.
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _invoke(sys.argv[1:] if arguments is None else list(arguments))
        sys.stdout.flush()
        return code
    except click.exceptions.Exit as asked:
        return asked.exit_code
    except click.ClickException as error:
        return _say_usage(error)
    except Declined as error:
        return _say(str(error), Exit.FAILED)
    except LaidianError as error:
        return _say(error.message, exit_of(error))
    except (click.Abort, KeyboardInterrupt):
        click.echo(err=True)
        return Exit.INTERRUPTED
    except BrokenPipeError:
        _forget_stdout()
        return Exit.DONE
    except Exception as error:
        return _say(f"this is a bug in LaiDian ({type(error).__name__}). {_keep(error)}", Exit.BUG)


def _invoke(arguments: list[str]) -> int:
    """Not click's own `main`: that one answers a broken pipe with exit code 1."""
    if instruction := os.environ.get(COMPLETE):
        return shell_complete(root, {}, "laidian", COMPLETE, instruction)
    with root.make_context("laidian", arguments) as context:
        code = root.invoke(context)
    return code if isinstance(code, int) else Exit.DONE


def _say(message: str, code: Exit) -> Exit:
    click.echo(f"error: {clean(message)}", err=True)
    return code


def _say_usage(error: click.ClickException) -> Exit:
    """One sentence and where to read on; click's own block of usage lines buries the reason."""
    text = error.format_message().strip()
    if text[:1].isupper() and not text[1:2].isupper():
        text = text[0].lower() + text[1:]
    code = _say(text, Exit.USAGE if isinstance(error, click.UsageError) else Exit.FAILED)
    if isinstance(error, click.UsageError) and error.ctx is not None:
        click.echo(f"See: {error.ctx.command_path} --help", err=True)
    return code


def _keep(error: Exception) -> str:
    """Writes the traceback, which holds no values, where only this user reads it. Returns the sentence that says so."""
    text = "".join(traceback.format_exception(error))
    try:
        descriptor, path = tempfile.mkstemp(prefix="laidian-bug-", suffix=".txt")
    except OSError:
        return f"Its traceback could not be kept:\n{text}"
    with os.fdopen(descriptor, "w", errors="backslashreplace") as file:
        file.write(text)
    return f"Its traceback is in {path}; please report it."


def _forget_stdout() -> None:
    """The reader has what it wanted (`| head`). Python would complain once more at its end without this."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
