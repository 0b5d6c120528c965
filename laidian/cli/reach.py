"""Finds whom to ask: the server named, the one that serves from the data folder, or the admin application in this process.

The rule a newcomer would break: while a server holds the folder, everything goes through it. If it does not answer, that is an
error, and nothing is written behind its back.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import msgspec

from laidian.cli.call import Call
from laidian.cli.profiles import Profile, profile_named
from laidian.config import data_folder
from laidian.errors import NotFound, Unauthenticated
from laidian.server.folder import Folder, Running

if TYPE_CHECKING:
    from laidian.admin.client import AdminClient

T = TypeVar("T")

START_S = 5.0
"""How long a server that has just claimed the folder may take until it answers; a cold start takes about 1.5 s."""
LOOK_S = 0.1


class Target(msgspec.Struct, frozen=True):
    """Who is going to be asked: a server, or who serves from a folder. Exactly one of these two is set."""

    server: str | None
    folder: Folder | None
    profile: Profile | None = None
    """Where the server's address is from, if it was kept by a login."""


def target(call: Call) -> Target:
    """An option beats the environment, a profile there beats a server, and both beat the data folder."""
    said = bool(call.server or call.data)
    name = call.profile or (None if said else os.environ.get("LAIDIAN_PROFILE"))
    if name:
        profile = profile_named(name)
        return Target(profile.server, None, profile)
    server = call.server or (None if call.data else os.environ.get("LAIDIAN_SERVER"))
    if server:
        return Target(server, None)
    return Target(None, Folder(data_folder(call.data, os.environ)))


def ask(call: Call, question: Callable[[AdminClient], Awaitable[T]], *, makes_data: bool = False) -> T:
    """The answer to one question or several. Raises LaidianError, or whatever the question raises.

    `makes_data`: a data folder that does not exist is made; otherwise its absence is an error, since a mistyped --data must
    not look like an empty relay.
    """

    async def asked() -> T:
        async with reach(call, makes_data=makes_data) as client:
            return await question(client)

    return asyncio.run(asked())


@contextlib.asynccontextmanager
async def reach(call: Call, *, makes_data: bool = False) -> AsyncGenerator[AdminClient]:
    whom = target(call)
    if whom.folder is None:
        async with over_http(call, whom) as client:
            yield client
        return
    check_folder(whom.folder, makes_data=makes_data)
    if whom.folder.served():
        running = await answering(whom.folder)
        async with over_loopback(call, whom.folder, running) as client:
            yield client
        return
    try:
        async with _offline(call, whom.folder) as client:
            yield client
    finally:
        whom.folder.keep_owner()


def over_http(call: Call, whom: Target, actor: str = "cli") -> AdminClient:
    """A client for another machine's server; `actor` is who asks, for the operator's journal."""
    from laidian.admin.client import AdminClient

    assert whom.server is not None
    profile = whom.profile
    return AdminClient.over_http(
        whom.server,
        remote_token(call, profile),
        timeout_s=call.timeout,
        insecure=call.insecure or (profile is not None and profile.insecure),
        actor=actor,
    )


def over_loopback(call: Call, folder: Folder, running: Running, actor: str = "cli") -> AdminClient:
    """A client for the server that serves from a folder of this machine."""
    from laidian.admin.client import AdminClient

    return AdminClient.over_http(
        running.url, own_token(folder), timeout_s=call.timeout, certificate=running.certificate, actor=actor
    )


@contextlib.asynccontextmanager
async def _offline(call: Call, folder: Folder) -> AsyncGenerator[AdminClient]:
    from laidian.admin.client import AdminClient
    from laidian.config import load_config
    from laidian.server.offline import admin_app

    config = load_config(call.config, os.environ, folder.root)
    async with (
        admin_app(folder, config) as app,
        AdminClient.in_process(app, own_token(folder), str(folder.root), timeout_s=call.timeout) as client,
    ):
        yield client


def check_folder(folder: Folder, *, makes_data: bool) -> None:
    """Raises NotFound for a folder without data, Unauthenticated for one of another user."""
    root = folder.root
    if root.exists() and not os.access(root, os.R_OK | os.W_OK | os.X_OK):
        raise Unauthenticated(
            f"the data folder {root} belongs to another user; run the command as that user."
        )
    if not makes_data and not folder.database.exists() and not folder.served():
        raise NotFound(
            f"there is no data in {root} yet. Start with `laidian serve`, or name the right folder with --data."
        )


async def answering(folder: Folder) -> Running:
    """The server of a folder, once it takes connections. Raises AdminError (unreachable) when it does not in time."""
    from laidian.admin.client import UNREACHABLE, AdminError

    running: Running | None = None
    until = time.monotonic() + START_S
    while True:
        found = folder.running()
        if found is not None and _lives(found.pid):
            running = found
            if await _accepts(found.url):
                return found
        if time.monotonic() >= until or not folder.served():
            break
        await asyncio.sleep(LOOK_S)
    who = f"process {running.pid} at {running.url}" if running else "it has announced no address"
    raise AdminError(
        0,
        UNREACHABLE,
        f"a server holds the data folder {folder.root} but does not answer ({who}). Nothing was done behind its back;"
        " look at its log, or stop it and try again.",
    )


async def _accepts(url: str) -> bool:
    parts = urlsplit(url)
    try:
        _, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


def _lives(pid: int) -> bool:
    """Whether a process exists: what an earlier server announced stays in the file after a crash."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def own_token(folder: Folder) -> str:
    try:
        return folder.token()
    except OSError as error:
        raise Unauthenticated(
            f"the admin token {folder.admin_token} cannot be read: {os.strerror(error.errno or 0)}."
        ) from None


def remote_token(call: Call, profile: Profile | None = None) -> str:
    """For another machine's server: the file named, the profile, or the environment. Raises Unauthenticated for none."""
    if call.admin_token_file:
        return _token_file(Path(call.admin_token_file).expanduser())
    if profile is not None:
        return token_among(profile.admin_token, "the profile")
    if name := os.environ.get("LAIDIAN_ADMIN_TOKEN_FILE"):
        return _token_file(Path(name).expanduser())
    token = os.environ.get("LAIDIAN_ADMIN_TOKEN", "").strip()
    if not token:
        raise Unauthenticated(
            "no admin token for another machine's server. Copy its admin.token here and name it with --admin-token-file,"
            " put the token into LAIDIAN_ADMIN_TOKEN, or keep both address and token with laidian login."
        )
    return token


def _token_file(path: Path) -> str:
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = os.strerror(error.errno or 0) if isinstance(error, OSError) else "it is not text"
        raise Unauthenticated(f"the admin token file {path} cannot be read: {reason}.") from None
    return token_among(text, f"the admin token file {path}")


def token_among(text: str, place: str) -> str:
    """The one token in a text. Raises Unauthenticated, without the text, for none or several."""
    token = text.strip()
    if not token or any(not letter.isprintable() or letter.isspace() for letter in token):
        raise Unauthenticated(f"{place} does not hold one token.")
    return token
