"""`laidian setup`: from nothing to a served instance with a first key, asked on a terminal or said by options. May be run again."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import click
import msgspec

from laidian.admin.schema.presets import BY_ID
from laidian.cli.call import Call, Local, with_call
from laidian.cli.exits import Exit
from laidian.cli.output import put_one
from laidian.cli.reach import ask
from laidian.cli.setup.account import add_upstream, first_key, upstream_names
from laidian.cli.setup.answers import FRONTS, SERVICES, Answers
from laidian.cli.setup.install import install, service_of
from laidian.cli.setup.listen import base_url_of, config_of, config_path, listen
from laidian.cli.setup.questions import choose, say
from laidian.cli.setup.unit import STATE, Scope, unit_text
from laidian.config import data_folder
from laidian.errors import Unauthenticated
from laidian.server.folder import Folder

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient
    from laidian.admin.schema import Probe


class SetUp(msgspec.Struct, frozen=True, kw_only=True):
    """What stands after a setup."""

    data: str
    config: str
    base_url: str
    upstreams: tuple[str, ...]
    probe: str
    """Of the upstream that was added: `ok, 12 models`, or why it failed; empty: none was added."""
    key: str
    """Name of the key that was made; empty: none."""
    secret: str
    """Its credential, shown this once."""
    unit: str
    """Where the systemd unit is; empty: none."""
    front: str
    """What to put into the proxy's configuration; empty: nothing."""
    problems: tuple[str, ...]


@click.command(cls=Local)
@click.option("--service", type=click.Choice(list(SERVICES)), help="How it runs.")
@click.option(
    "--service-user", metavar="USER", default="laidian", show_default=True, help="Of a system service."
)
@click.option(
    "--unit-file", metavar="FILE", help="Where the systemd unit goes, if not where systemd looks for it."
)
@click.option("--start/--no-start", default=None, help="Start the service, now and at every boot.")
@click.option("--provider", type=click.Choice([*BY_ID, "none"]), help="Whose account to add.")
@click.option("--base-url", metavar="URL", help="Of a provider that has none of its own.")
@click.option("--api-key-env", metavar="VAR", help="Take its API key from this variable.")
@click.option("--api-key-stdin", is_flag=True, help="Take its API key from standard input.")
@click.option("--upstream", metavar="NAME", help="What to call it; the provider's name if not given.")
@click.option("--front", type=click.Choice(list(FRONTS)), help="What speaks TLS to the world.")
@click.option("--domain", metavar="NAME", help="Under which clients reach it.")
@click.option("--host", metavar="ADDRESS", help="Address to listen at.")
@click.option("--port", type=click.IntRange(1, 65_535), metavar="N", help="Port to listen at.")
@click.option("--tls-certificate", metavar="FILE", help="PEM, for --front tls.")
@click.option("--tls-key", metavar="FILE", help="PEM, for --front tls.")
@click.option("--group", metavar="NAME", help="Of the first key; made if it is not there.")
@click.option("--quota", metavar="NAME", help="Of the first key; made if it is not there.")
@click.option("--balance", metavar="USD", help="What a quota made here has to spend; `none`: no limit.")
@click.option("--key", metavar="NAME", help="A first key to make; `none`: none.")
@click.option("--print", "only_print", is_flag=True, help="Print the systemd unit, and do nothing.")
@with_call
def setup(call: Call, only_print: bool, **given: Any) -> int:
    """Set LaiDian up: service, provider, address, first key. It asks; every answer is also an option.

    \b
    laidian setup
    laidian setup --provider openai --api-key-env OPENAI_KEY --key me --no-input
    laidian setup --service system --print

    Run it again to change an answer: what is there is kept, config.toml is shown as a difference and changed line by line, and nothing
    is written without a yes.
    """
    answers = Answers(**given)
    usual = _usual_service(only_print) if only_print or call.may_ask() else "none"
    chosen = choose(call, "Service", SERVICES, answers.service, usual)
    scope: Scope | None = "system" if chosen == "system" else "user" if chosen == "user" else None
    if scope == "system" and not call.data and not os.environ.get("LAIDIAN_DATA"):
        call = msgspec.structs.replace(call, data=str(STATE))
    folder = Folder(data_folder(call.data, os.environ))
    if only_print:
        click.echo(
            unit_text(service_of(call, answers, scope or "user", folder, config_of(call, folder))), nl=False
        )
        return Exit.DONE
    _check(answers, scope)
    say(call, f"Data folder: {folder.root}")
    folder.create()
    config, front = listen(call, answers, folder)

    async def fill_it(client: AdminClient) -> tuple[Probe | None, tuple[str, str], tuple[str, ...]]:
        probe = await add_upstream(call, answers, client)
        made = await first_key(call, answers, client)
        return probe, made, await upstream_names(client)

    probe, made, names = ask(call, fill_it, makes_data=True)
    problems = [f"the provider's account does not work: {probe.reason}" if probe and not probe.ok else ""]
    unit = ""
    if scope is not None:  # last: what root has made until here goes into the hands of the service's user
        unit, said = install(call, answers, service_of(call, answers, scope, folder, config))
        problems += said
    elif folder.served():
        say(call, "The running server takes changes of config.toml at its next start.")
    if not names:
        problems.append("there is no upstream yet: laidian upstream add NAME --kind openai")
    done = SetUp(
        data=str(folder.root),
        config=str(config_path(call, folder)),
        base_url=base_url_of(config),
        upstreams=names,
        probe="" if probe is None else f"ok, {probe.models} models" if probe.ok else probe.reason,
        key=made[0],
        secret=made[1],
        unit=unit,
        front=front,
        problems=tuple(problem for problem in problems if problem),
    )
    _put(call, done)
    return Exit.PROBLEMS if done.problems else Exit.DONE


def _usual_service(only_print: bool) -> str:
    if os.geteuid() == 0:
        return "system"
    return "user" if only_print or shutil.which("systemctl") else "none"


def _check(answers: Answers, scope: Scope | None) -> None:
    """Raises before anything is asked or written."""
    if answers.base_url and answers.provider in (None, "none"):
        raise click.UsageError("--base-url needs --provider.", click.get_current_context())
    if answers.front == "tls" and not (answers.tls_certificate and answers.tls_key):
        raise click.UsageError(
            "--front tls needs --tls-certificate FILE and --tls-key FILE.", click.get_current_context()
        )
    if scope == "system" and os.geteuid() != 0 and answers.unit_file is None:
        raise Unauthenticated(
            "a service of the whole machine is set up as root: sudo laidian setup --service system"
        )


def _put(call: Call, done: SetUp) -> None:
    lines = [
        ("data", done.data),
        ("config", done.config),
        ("base url", done.base_url),
        ("upstreams", ", ".join(done.upstreams) or "none"),
        ("service", done.unit or "none"),
    ]
    if done.secret:
        lines += [("key", done.key), ("credential", f"{done.secret}  (shown this once)")]
    if put_one(call, done, lines) and done.front:
        click.echo()
        click.echo(done.front, nl=False)
    for problem in done.problems:
        call.narrate(f"problem: {problem}")
