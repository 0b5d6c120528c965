"""Another archive in the place of the one in use: checked, tried on a copy, swapped, and taken back when it does not answer."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.cli.archives import archive, sums
from tests.cli.running import PYTHON, Outcome, call, environment
from tests.ports import free_port
from tests.served import alive, wait_until

pytestmark = [pytest.mark.xdist_group("cli-upgrade"), pytest.mark.timeout(400)]


class Place(msgspec.Struct, frozen=True):
    """An installed archive with a data folder, and a new one with its sum beside it."""

    target: Path
    new: Path
    data: Path

    def run(self, *arguments: str) -> Outcome:
        done = subprocess.run(
            [PYTHON, str(self.target), *arguments],
            capture_output=True, text=True, check=False, timeout=300, env=environment(LAIDIAN_DATA=str(self.data)),
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return Outcome(done.returncode, done.stdout, done.stderr)

    def version(self) -> str:
        return self.run("version", "--json").json()["version"]

    def schema(self) -> int:
        with contextlib.closing(sqlite3.connect(self.data / "laidian.db")) as database:
            return database.execute("PRAGMA user_version").fetchone()[0]


@pytest.fixture
def place(relay: Path, tmp_path: Path) -> Place:
    return placed(relay, tmp_path)


def placed(data: Path, root: Path, broken: str = "") -> Place:
    for name in ("opt", "new"):
        (root / name).mkdir()
    target = archive(root / "opt" / "laidian.pyz", "0.1.0")
    new = archive(root / "new" / "laidian.pyz", "0.9.0", broken)
    sums(new)
    return Place(target, new, data)


def untouched(place: Place, before: bytes) -> None:
    assert place.target.read_bytes() == before
    assert not place.target.with_name("laidian.pyz.previous").exists()
    assert place.version() == "0.1.0"


def test_a_new_file_takes_the_place_and_the_old_one_and_its_database_are_kept(place: Place) -> None:
    old, new = place.target.read_bytes(), place.new.read_bytes()
    done = place.run("upgrade", str(place.new), "--json").json()
    assert (done["from_version"], done["to_version"], done["restarted"]) == ("0.1.0", "0.9.0", False)
    assert place.target.read_bytes() == new
    assert place.target.stat().st_mode & 0o777 == 0o755
    assert Path(done["previous"]).read_bytes() == old
    assert Path(done["database_copy"]).parent == place.data / "backups"
    assert place.version() == "0.9.0"
    assert [key["name"] for key in place.run("key", "list", "--json").json()] == ["alice"]
    assert not list((place.data / "run").glob("trial-*")), "the trial left something"


def test_back_and_forth_with_one_word(place: Place) -> None:
    assert place.run("upgrade", "--rollback").code == 6
    assert place.run("upgrade", str(place.new)).code == 0
    back = place.run("upgrade", "--rollback", "--json")
    assert back.code == 0, back
    assert (back.json()["from_version"], back.json()["to_version"]) == ("0.9.0", "0.1.0")
    assert place.version() == "0.1.0"
    assert place.run("upgrade", "--rollback").code == 0
    assert place.version() == "0.9.0"


@pytest.mark.parametrize("sum_", ["wrong", "missing", "unnamed", "no sum", "right", "its own"])
def test_only_the_published_file_is_taken(place: Place, sum_: str) -> None:
    before, listed = place.target.read_bytes(), place.new.with_name("SHA256SUMS")
    more: list[str] = []
    if sum_ == "wrong":
        listed.write_text(f"{'0' * 64}  laidian.pyz\n")
    elif sum_ == "missing":
        listed.unlink()
    elif sum_ == "unnamed":
        listed.write_text(f"{'0' * 64}  other.pyz\n")
    elif sum_ == "its own":
        listed.rename(place.new.with_name("laidian.pyz.sha256"))
    elif sum_ == "no sum":
        more = ["--sha256", "abc"]
    else:
        listed.unlink()
        more = ["--sha256", hashlib.sha256(place.new.read_bytes()).hexdigest().upper()]
    done = place.run("upgrade", str(place.new), *more)
    if sum_ in ("right", "its own"):
        assert done.code == 0, done
        return
    assert (done.code, done.out) == (1 if sum_ == "wrong" else 2, "")
    assert "SHA" in done.err
    untouched(place, before)


@pytest.mark.parametrize(
    ("broken", "says"), [("does not run", "broken at once"), ("does not start", "this one cannot serve")]
)
def test_a_file_that_does_not_work_changes_nothing(
    relay: Path, tmp_path: Path, broken: str, says: str
) -> None:
    place = placed(relay, tmp_path, broken)
    before = place.target.read_bytes()
    done = place.run("upgrade", str(place.new))
    assert (done.code, done.out) == (1, "")
    assert says in done.err
    assert "Nothing was changed" in done.err
    untouched(place, before)
    assert [key["name"] for key in place.run("key", "list", "--json").json()] == ["alice"]


def test_what_is_not_one_file_is_upgraded_as_what_it_is(relay: Path, tmp_path: Path) -> None:
    place = placed(relay, tmp_path)
    done = call("upgrade", str(place.new), "--target", str(tmp_path / "new" / "SHA256SUMS"))
    assert (done.code, done.out) == (2, "")
    assert "--target" in done.err
    assert call("upgrade").code == 2
    assert call("upgrade", str(place.new), "--rollback").code == 2
    assert call("upgrade", str(tmp_path / "nowhere"), "--target", str(place.target)).code == 1


# With a server


@pytest.fixture
def restarting(request: pytest.FixtureRequest, relay: Path, tmp_path: Path) -> Iterator[tuple[Place, Path]]:
    """A place whose server runs, and a command that restarts it as a service manager would."""
    place = placed(relay, tmp_path, request.param)
    port, pids, log = free_port(), tmp_path / "pid", tmp_path / "log"
    script = tmp_path / "restart"
    script.write_text(
        "#!/bin/bash\n"
        f"[ -f {pids} ] && kill $(cat {pids}) && while kill -0 $(cat {pids}) 2>/dev/null; do sleep 0.05; done\n"
        f"LAIDIAN_DATA={place.data} setsid {PYTHON} {place.target} serve --port {port} >>{log} 2>&1 &\n"
        f"echo $! >{pids}\n"
    )
    script.chmod(0o755)
    subprocess.run([str(script)], check=True, env=environment())
    wait_until(lambda: (place.data / "run" / "serve.json").exists(), "the server announces itself", 60)
    yield place, script
    pid = int(pids.read_text())
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not alive(pid), "the server ends", 60)


@pytest.mark.parametrize("restarting", [""], indirect=True)
def test_a_running_server_is_restarted_as_the_new_version(restarting: tuple[Place, Path]) -> None:
    place, script = restarting
    asked = place.run("upgrade", str(place.new), "--restart", str(script))
    assert (asked.code, asked.out) == (2, ""), "nobody can be asked, and nobody said yes"
    assert place.version() == "0.1.0"
    done = place.run("upgrade", str(place.new), "--restart", str(script), "--yes", "--json").json()
    assert done["restarted"] is True
    status = place.run("status", "--json").json()
    assert (status["serving"], status["version"]) == (True, "0.9.0")
    back = place.run("upgrade", "--rollback", "--restart", str(script), "--json").json()
    assert back["restarted"] is True
    assert place.run("status", "--json").json()["version"] == "0.1.0"


@pytest.mark.parametrize(
    "restarting", ["starts but only on a copy", "changes the schema, then fails"], indirect=True
)
def test_a_new_version_that_does_not_take_over_is_taken_back_by_itself(
    restarting: tuple[Place, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place, script = restarting
    before, schema = place.target.read_bytes(), place.schema()
    monkeypatch.setattr("laidian.cli.commands.upgrade.RESTART_S", 10.0)
    monkeypatch.setattr("sys.argv", [str(place.target)])
    done = call("upgrade", str(place.new), "--restart", str(script), "--yes")
    assert (done.code, done.out) == (1, ""), done
    assert "0.9.0 did not take over" in done.err
    assert "0.1.0 is back" in done.err
    assert done.err.rstrip().endswith("and answers.")
    assert place.target.read_bytes() == before
    assert place.schema() == schema
    assert place.run("status", "--json").json()["version"] == "0.1.0"
    assert [key["name"] for key in place.run("key", "list", "--json").json()] == ["alice"]


def test_the_database_goes_back_too_where_the_old_version_could_not_read_the_new_one(
    relay: Path, tmp_path: Path
) -> None:
    place = placed(relay, tmp_path, "changes the schema")
    schema = place.schema()
    assert place.run("upgrade", str(place.new)).code == 0
    assert place.run("key", "create", "bob", "-q").code == 0
    assert place.schema() == schema + 1
    refused = place.run("upgrade", "--rollback")
    assert (refused.code, refused.out) == (1, "")
    assert "--with-database" in refused.err
    assert place.version() == "0.9.0"
    assert place.run("upgrade", "--rollback", "--with-database").code == 2, "what is lost needs a yes"
    done = place.run("upgrade", "--rollback", "--with-database", "--yes")
    assert done.code == 0, done
    assert (place.version(), place.schema()) == ("0.1.0", schema)
    assert [key["name"] for key in place.run("key", "list", "--json").json()] == ["alice"]
    assert list((place.data / "backups").glob("before-rollback.*.db")), "what was lost is kept after all"


def test_a_unit_of_ours_says_how_the_server_is_restarted(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from laidian.cli.commands.upgrade import _restart_command  # pyright: ignore[reportPrivateUsage]
    from laidian.server.folder import Folder

    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    unit = tmp_path / "xdg" / "systemd" / "user" / "laidian.service"
    unit.parent.mkdir(parents=True)
    unit.write_text(f"[Service]\nExecStart={PYTHON} {place.target} serve --data {place.data}\n")
    folder = Folder(place.data)
    assert _restart_command(None, place.target, folder) == [
        "systemctl",
        "--user",
        "restart",
        "laidian.service",
    ]
    assert _restart_command(None, tmp_path / "another.pyz", folder) == []
    assert _restart_command("none", place.target, folder) == []
    assert _restart_command("rc-service laidian restart", place.target, folder) == [
        "rc-service",
        "laidian",
        "restart",
    ]
