"""Servers under a name: logging in to a running one, using it, forgetting it. The token is in one 0600 file and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from laidian.cli.profiles import profiles_file
from tests.cli.running import Serving, call, on_terminal, spawn

pytestmark = pytest.mark.xdist_group("cli-profiles")


@pytest.fixture(autouse=True)
def _own_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))


@pytest.fixture
def token(served: Serving) -> Path:
    return served.data / "admin.token"


@pytest.fixture
def home(served: Serving, token: Path) -> str:
    done = call("login", "home", "--server", f"{served.url}/admin/v1/", "--admin-token-file", str(token))
    assert done.code == 0, done
    return "home"


def test_a_login_is_kept_where_only_its_user_reads_it(served: Serving, token: Path, home: str) -> None:
    path = profiles_file()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert token.read_text().strip() in path.read_text()
    assert call("profiles", "--json").json() == [{"name": "home", "server": served.url, "insecure": False}]
    for form in ([], ["--json"], ["--csv"]):
        shown = call("profiles", *form)
        assert served.url in shown.out
        assert token.read_text().strip() not in shown.out + shown.err


def test_a_profile_is_asked_by_option_or_by_variable(
    served: Serving, home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = call("status", "--profile", "home", "--json").json()
    assert status["data"] == str(served.data)
    monkeypatch.setenv("LAIDIAN_SERVER", "http://127.0.0.1:1")
    monkeypatch.setenv("LAIDIAN_PROFILE", "home")
    assert call("status", "--json").json()["data"] == str(served.data)
    # an option beats both variables
    assert call("status", "--server", "http://127.0.0.1:1").code == 4


def test_a_login_that_is_not_let_in_keeps_nothing(served: Serving, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.token"
    wrong.write_text("not-the-token")
    done = call("login", "home", "--server", served.url, "--admin-token-file", str(wrong))
    assert (done.code, done.out) == (4, "")
    assert "not-the-token" not in done.err
    done = call("login", "home", "--server", "http://127.0.0.1:1", "--admin-token-stdin", stdin="x\n")
    assert done.code == 5
    assert not profiles_file().exists()


def test_a_token_can_be_piped_or_typed_without_being_shown(
    served: Serving, token: Path, tmp_path: Path
) -> None:
    secret = token.read_text()
    assert call("login", "a", "--server", served.url, "--admin-token-stdin", stdin=secret).code == 0
    code, seen = on_terminal(
        ["login", "b", "--server", served.url], secret.strip() + "\n", XDG_CONFIG_HOME=str(tmp_path / "xdg")
    )
    assert code == 0, seen
    assert secret.strip() not in seen
    assert [one["name"] for one in call("profiles", "--json").json()] == ["a", "b"]


def test_a_forgotten_profile_is_gone_from_the_file(home: str, token: Path) -> None:
    assert call("logout", "hom").code == 1
    assert "Did you mean home?" in call("logout", "hom").err
    assert call("logout", "home").code == 0
    assert token.read_text().strip() not in profiles_file().read_text()
    done = call("key", "list", "--profile", "home")
    assert (done.code, done.out) == (1, "")
    assert "laidian login home" in done.err


def test_a_file_that_others_may_read_is_refused_and_says_how_to_mend_it(home: str) -> None:
    profiles_file().chmod(0o644)
    done = call("profiles")
    assert (done.code, done.out) == (7, "")
    assert f"chmod 600 {profiles_file()}" in done.err


def test_a_broken_file_is_refused_without_quoting_it(home: str) -> None:
    profiles_file().write_text('[home]\nserver = "x"\nadmin_token = "s3cret\n')
    done = call("profiles")
    assert (done.code, done.out) == (7, "")
    assert "s3cret" not in done.err


@pytest.mark.parametrize("other", [["--server", "http://127.0.0.1:1"], ["--data", "x"]])
def test_a_profile_and_another_place_exclude_each_other(home: str, other: list[str]) -> None:
    assert call("key", "list", "--profile", "home", *other).code == 2


def test_a_plain_http_server_elsewhere_needs_a_word() -> None:
    done = call("login", "far", "--server", "http://relay.example", "--admin-token-stdin", stdin="x")
    assert done.code == 2
    assert "--insecure" in done.err
    assert call("login", "far").code == 2


def test_profiles_need_no_server_and_import_none(home: str, tmp_path: Path) -> None:
    done = spawn("profiles", "--csv", "--fields", "name", XDG_CONFIG_HOME=str(tmp_path / "xdg"))
    assert done.out.splitlines() == ["name", "home"]
