"""Other machines' servers that this user logged in to: names, addresses and admin tokens, in a file only they can read.

The rule a newcomer would break: a profile's token is written and sent, never shown.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import stat
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from laidian.cli.toml import toml_lines
from laidian.errors import NotFound, StorageDown, Unauthenticated


class Profile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    server: str
    admin_token: str
    insecure: bool = False
    """Whether http:// to another machine was allowed at the login."""

    def __repr__(self) -> str:
        return f"Profile({self.server!r})"


def profiles_file(environment: Mapping[str, str] = os.environ) -> Path:
    folder = environment.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(folder) / "laidian" / "profiles.toml"


def load_profiles() -> dict[str, Profile]:
    """All of them by name; none without a file. Raises StorageDown for a file that others may read, or that is none of ours."""
    path = profiles_file()
    try:
        mode, text = path.stat().st_mode, path.read_text()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        reason = os.strerror(error.errno or 0) if isinstance(error, OSError) else "it is not text"
        raise StorageDown(f"the profiles in {path} cannot be read: {reason}.") from None
    if stat.S_IMODE(mode) & 0o077:
        raise StorageDown(f"{path} holds admin tokens and can be read by others. Run: chmod 600 {path}")
    try:
        return msgspec.convert(tomllib.loads(text), dict[str, Profile])
    except (tomllib.TOMLDecodeError, msgspec.ValidationError):
        # not the parser's own words: they may quote the line, and the line may hold a token
        raise StorageDown(
            f"{path} is not what `laidian login` writes. Mend it, or move it away and log in again."
        ) from None


def profile_named(name: str) -> Profile:
    """Raises NotFound naming the nearest."""
    known = load_profiles()
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"Log in first: laidian login {name} --server URL"
    raise NotFound(f"there is no profile {name!r} in {profiles_file()}. {hint}")


def keep_profiles(profiles: Mapping[str, Profile]) -> Path:
    """Writes the file anew, whole or not at all, 0600 in a folder 0700. Raises Unauthenticated when it cannot."""
    path = profiles_file()
    text = "\n".join(toml_lines(msgspec.to_builtins(dict(sorted(profiles.items())))))
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".profiles-")
    except OSError as error:
        raise Unauthenticated(f"{path} cannot be written: {os.strerror(error.errno or 0)}.") from None
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text + "\n")
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
    return path
