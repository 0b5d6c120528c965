"""The database as one file and back: beside a running server, damaged, of another machine."""

from __future__ import annotations

import io
import sqlite3
from pathlib import Path

import pytest

from laidian.cli.progress import AFTER_S, LINE_S, Progress
from tests.cli.running import Serving, call, on_terminal
from tests.cli.test_served import chat

pytestmark = pytest.mark.xdist_group("cli-backup")


@pytest.fixture
def copy(relay: Path, tmp_path: Path) -> Path:
    """A copy of a folder with the key `alice`."""
    target = tmp_path / "copy.db"
    assert call("backup", str(target), "-q").code == 0
    return target


def names(*options: str) -> list[str]:
    return [key["name"] for key in call("key", "list", "--json", *options).json()]


def test_a_copy_of_a_running_server_holds_what_was_settled_and_nothing_is_beside_it(
    served: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAIDIAN_DATA", str(served.data))
    secret = call("key", "create", "user", "-q").out.strip()
    for _ in range(3):
        chat(served, secret)
    target = tmp_path / "copies" / "copy.db"
    target.parent.mkdir()
    kept = call("backup", str(target), "--verify", "--json").json()
    assert kept["verified"] is True
    assert (kept["keys"], kept["records"]) == (2, 3)
    assert kept["newest_record_at"].endswith("Z")
    assert kept["bytes"] == target.stat().st_size
    assert target.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in target.parent.iterdir()] == ["copy.db"]
    with sqlite3.connect(f"file:{target}?mode=ro", uri=True) as database:
        assert database.execute("SELECT count(*) FROM usage_records").fetchone() == (3,)
    assert chat(served, secret), "the server went on"


def test_a_copy_names_the_file_that_is_not_in_it_and_holds_no_master_key(relay: Path, copy: Path) -> None:
    done = call("backup", str(copy.with_name("second.db")))
    assert str(relay / "master.key") in done.err
    assert (relay / "master.key").read_bytes() not in copy.read_bytes()


def test_a_copy_never_takes_the_place_of_a_file(copy: Path) -> None:
    before = copy.read_bytes()
    done = call("backup", str(copy))
    assert (done.code, done.out) == (6, "")
    assert copy.read_bytes() == before
    done = call("backup", "/nowhere/at/all.db")
    assert (done.code, done.out) == (7, "")


def test_what_is_put_back_is_what_was_copied_and_the_present_one_is_kept(relay: Path, copy: Path) -> None:
    assert call("key", "create", "bob", "-q").code == 0
    done = call("restore", str(copy), "--yes", "--json").json()
    assert (done["keys"], done["credentials_unopened"]) == (1, 0)
    assert names() == ["alice"]
    assert Path(done["kept"]).parent == relay / "backups"
    again = call("restore", done["kept"], "--yes", "--json")
    assert again.code == 0, again
    assert sorted(names()) == ["alice", "bob"]
    assert call("audit").code == 0


def test_a_restore_asks_for_the_folders_name_and_does_nothing_without_it(relay: Path, copy: Path) -> None:
    assert call("key", "create", "bob", "-q").code == 0
    assert call("restore", str(copy)).code == 2
    code, _ = on_terminal(["restore", str(copy)], "no\n", LAIDIAN_DATA=str(relay))
    assert code == 1
    assert sorted(names()) == ["alice", "bob"]
    code, seen = on_terminal(["restore", str(copy)], f"{relay.name}\n", LAIDIAN_DATA=str(relay))
    assert code == 0, seen
    assert names() == ["alice"]


def test_a_folder_is_made_from_a_copy_alone(copy: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"
    done = call("restore", str(copy), "--data", str(fresh), "--json").json()
    assert done["kept"] == ""
    assert names("--data", str(fresh)) == ["alice"]
    assert fresh.stat().st_mode & 0o777 == 0o700


def test_a_copy_restored_without_its_master_key_says_which_credentials_do_not_open(
    relay: Path, tmp_path: Path
) -> None:
    assert call("upstream", "add", "one", "--kind", "openai", "--api-key-stdin", "-q", stdin="sk-x").code == 0
    target = tmp_path / "copy.db"
    assert call("backup", str(target)).code == 0
    done = call("restore", str(target), "--data", str(tmp_path / "fresh"))
    assert done.code == 0
    assert "1 of 1 providers' credentials do not open" in done.err


def test_a_server_keeps_its_database(served: Serving, copy: Path) -> None:
    done = call("restore", str(copy), "--data", str(served.data), "--yes")
    assert (done.code, done.out) == (6, "")
    assert "Stop it" in done.err


def test_a_damaged_database_is_replaced_and_the_wreck_is_kept(relay: Path, copy: Path) -> None:
    (relay / "laidian.db").write_bytes(b"wreck" * 10_000)
    done = call("restore", str(copy), "--yes", "--json").json()
    assert Path(done["kept"]).read_bytes().startswith(b"wreck")
    assert names() == ["alice"]


@pytest.mark.parametrize("damage", ["text", "cut", "flipped", "foreign", "newer", "missing", "in use"])
def test_what_is_no_sound_copy_is_refused_before_anything_is_touched(
    relay: Path, copy: Path, damage: str
) -> None:
    if damage == "text":
        copy.write_text("not a database")
    elif damage == "cut":
        copy.write_bytes(copy.read_bytes()[:-6_000])
    elif damage == "flipped":
        content = bytearray(copy.read_bytes())
        content[4096 * 3 : 4096 * 6] = b"\xff" * 4096 * 3
        copy.write_bytes(content)
    elif damage == "missing":
        copy.unlink()
    elif damage == "in use":
        copy.with_name(copy.name + "-wal").write_bytes(b"x")
    else:
        copy.unlink() if damage == "foreign" else None
        with sqlite3.connect(copy) as database:
            database.execute("CREATE TABLE other (x)" if damage == "foreign" else "PRAGMA user_version = 999")
    before = (relay / "laidian.db").read_bytes()
    done = call("restore", str(copy), "--yes")
    assert done.out == ""
    assert done.code == (1 if damage == "missing" else 7), done
    assert str(copy) in done.err
    assert (relay / "laidian.db").read_bytes() == before
    assert not list((relay / "backups").glob("before-restore*"))


# The bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def test_a_bar_is_drawn_for_long_work_on_a_terminal_and_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out, clock = Terminal(), Clock()
    bar = Progress("copying", out, clock=clock)
    bar(1, 10)
    assert out.getvalue() == "", "short work needs none"
    clock.at += AFTER_S
    bar(5, 10)
    assert out.getvalue() == f"\rcopying [{'#' * 15}{'.' * 15}]  50%"
    bar(6, 10)
    assert "60%" not in out.getvalue(), "not at every word"
    bar.end()
    assert out.getvalue().endswith("\r\x1b[K")


def test_where_nobody_looks_a_line_comes_now_and_then_without_a_bar() -> None:
    out, clock = io.StringIO(), Clock()
    bar = Progress("copying", out, clock=clock)
    clock.at += AFTER_S
    bar(5, 10)
    assert out.getvalue() == ""
    clock.at += LINE_S
    bar(9, 10)
    bar.end()
    assert out.getvalue() == "copying: 90%\n"
