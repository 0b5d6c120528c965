"""Every exit code of `laidian help exit-codes`, reached for real."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from laidian.cli.exits import Exit, exit_of
from laidian.config import ConfigProblem
from laidian.errors import BadRequest, Bug, Conflict, NotFound, StorageDown
from laidian.server.folder import Folder
from tests.cli.running import CTRL_C, PYTHON, Outcome, call, on_terminal, spawn


def refused(done: Outcome, code: Exit, *says: str) -> None:
    assert (done.code, done.out) == (code, ""), done
    assert done.err.startswith("error: ")
    for text in says:
        assert text in done.err
    assert "Traceback" not in done.err


def test_0_is_done(relay: Path) -> None:
    assert spawn("key", "list", LAIDIAN_DATA=str(relay)).code == Exit.DONE


def test_1_is_a_failure_whose_reason_names_the_nearest(relay: Path) -> None:
    refused(call("key", "show", "alcie"), Exit.FAILED, "alcie", "alice")


def test_1_is_a_data_folder_that_is_not_there_and_it_stays_so(data: Path) -> None:
    for command in (["key", "list"], ["status"], ["audit"], ["usage", "list"]):
        refused(call(*command), Exit.FAILED, str(data), "--data")
    assert not data.exists()


def test_1_is_a_configuration_that_cannot_be_read(relay: Path) -> None:
    (relay / "config.toml").write_text("[servr]\nport = 1\n")
    refused(call("key", "list"), Exit.FAILED, "config.toml", "`server`")


def test_2_is_a_value_that_the_api_refuses(relay: Path) -> None:
    refused(call("key", "create", "bob", "--limit", "much"), Exit.USAGE)
    refused(call("quota", "topup", "team", "--", "5 dollars"), Exit.USAGE)
    assert [key["name"] for key in call("key", "list", "--json").json()] == ["alice"]


def test_3_is_a_check_that_found_problems(relay: Path) -> None:
    assert call("status").code == Exit.PROBLEMS
    (relay / "config.toml").write_text("not toml")
    assert call("config", "check").code == Exit.PROBLEMS


def test_4_is_a_wrong_admin_token(relay: Path, tmp_path: Path) -> None:
    token = tmp_path / "token"
    refused(call("key", "list", "--server", "http://127.0.0.1:1"), Exit.UNAUTHORISED, "--admin-token-file")
    refused(
        call("key", "list", "--server", "http://127.0.0.1:1", "--admin-token-file", str(token)),
        Exit.UNAUTHORISED,
        str(token),
    )
    token.write_text("two words")
    done = call("key", "list", "--server", "http://127.0.0.1:1", "--admin-token-file", str(token))
    refused(done, Exit.UNAUTHORISED)
    assert "two words" not in done.err


def test_5_is_a_server_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAIDIAN_ADMIN_TOKEN", "admin-secret-token")
    done = call("key", "list", "--server", "http://127.0.0.1:1")
    refused(done, Exit.UNREACHABLE, "http://127.0.0.1:1")
    assert "admin-secret-token" not in done.err


def test_5_is_something_else_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAIDIAN_ADMIN_TOKEN", "admin-secret-token")
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello")

        thread = threading.Thread(target=answer)
        thread.start()
        done = call("key", "list", "--server", f"http://127.0.0.1:{server.getsockname()[1]}")
        thread.join()
    refused(done, Exit.UNREACHABLE, "expects")


def test_5_is_a_server_that_holds_the_folder_but_does_not_answer_and_nothing_is_written(
    relay: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("laidian.cli.reach.START_S", 0.3)
    holder = Folder(relay)
    holder.claim()
    try:
        before = (relay / "laidian.db").read_bytes()
        refused(call("key", "create", "bob"), Exit.UNREACHABLE, "does not answer", str(relay))
        holder.announce("http://127.0.0.1:1")
        refused(call("key", "create", "bob"), Exit.UNREACHABLE, "http://127.0.0.1:1")
        assert (relay / "laidian.db").read_bytes() == before
    finally:
        assert holder._lock_file is not None
        os.close(holder._lock_file)
    assert [key["name"] for key in call("key", "list", "--json").json()] == ["alice"]


def test_an_address_announced_by_a_dead_process_is_not_trusted(
    relay: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program may have taken its port since, and would be shown the admin token."""
    monkeypatch.setattr("laidian.cli.reach.START_S", 0.3)
    dead = subprocess.Popen([PYTHON, "-c", ""])
    dead.wait()
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        stranger.settimeout(0.1)
        url = f"http://127.0.0.1:{stranger.getsockname()[1]}"
        (relay / "run" / "serve.json").write_text(f'{{"pid": {dead.pid}, "url": "{url}"}}')
        holder = Folder(relay)
        holder.claim()
        try:
            refused(call("key", "list"), Exit.UNREACHABLE)
        finally:
            assert holder._lock_file is not None
            os.close(holder._lock_file)
        with pytest.raises(TimeoutError):
            asked.append(stranger.accept()[0].recv(1))
    assert asked == []


def test_6_is_a_name_that_exists_or_a_thing_in_use(relay: Path) -> None:
    refused(call("key", "create", "alice"), Exit.CONFLICT, "alice")
    refused(call("quota", "delete", "team", "--yes"), Exit.CONFLICT, "team")
    assert [quota["name"] for quota in call("quota", "list", "--json").json()] == ["team", "unlimited"]


def test_7_is_a_database_that_cannot_be_used(relay: Path) -> None:
    (relay / "laidian.db").write_bytes(b"this is no database, whatever its name says" * 100)
    for left in ("laidian.db-wal", "laidian.db-shm"):
        (relay / left).unlink(missing_ok=True)
    refused(spawn("key", "list", LAIDIAN_DATA=str(relay)), Exit.STORAGE)


def test_7_is_a_folder_that_others_may_read(relay: Path) -> None:
    relay.chmod(0o755)
    refused(call("key", "list"), Exit.STORAGE, "chmod 700")


def test_70_is_a_bug_and_its_traceback_is_in_a_file_only_we_can_read(
    relay: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("laidian.cli.commands.key._columns", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    refused(call("key", "list"), Exit.BUG, "ZeroDivisionError")
    (kept,) = tmp_path.glob("laidian-bug-*.txt")
    assert kept.stat().st_mode & 0o777 == 0o600
    assert "in broken" in kept.read_text()


def test_130_is_an_interruption_also_at_a_question(relay: Path) -> None:
    code, seen = on_terminal(["key", "delete", "alice"], CTRL_C, LAIDIAN_DATA=str(relay))
    assert code == Exit.INTERRUPTED
    assert "Traceback" not in seen
    assert call("key", "list", "--json").json()[0]["name"] == "alice"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigProblem("x"), Exit.FAILED),
        (NotFound("x"), Exit.FAILED),
        (BadRequest("x"), Exit.USAGE),
        (Conflict("x"), Exit.CONFLICT),
        (StorageDown("x"), Exit.STORAGE),
        (Bug("x"), Exit.BUG),
    ],
)
def test_a_failure_to_start_ends_like_a_refusal_of_the_api(error: Exception, code: Exit) -> None:
    assert isinstance(error, ConfigProblem | NotFound | BadRequest | Conflict | StorageDown | Bug)
    assert exit_of(error) == code


def test_a_second_server_on_a_folder_ends_with_6(relay: Path) -> None:
    holder = Folder(relay)
    holder.claim()
    try:
        refused(spawn("serve", "--port", "0", LAIDIAN_DATA=str(relay)), Exit.CONFLICT, "another LaiDian")
    finally:
        assert holder._lock_file is not None
        os.close(holder._lock_file)
