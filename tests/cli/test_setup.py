"""`laidian setup`: on a terminal, by options, again; the unit as systemd reads it."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from laidian.cli.setup.front import front_text
from laidian.cli.setup.settings import with_settings
from laidian.cli.setup.unit import Scope, Service, quoted, unit_text
from laidian.config import ConfigProblem
from tests.cli.dialogue import Dialogue
from tests.cli.running import call
from tests.ports import free_port
from tests.simulated_provider import SimulatedProvider, simulated_provider

pytestmark = pytest.mark.xdist_group("cli-setup")


@pytest.fixture(scope="module")
def provider() -> Iterator[SimulatedProvider]:
    with simulated_provider() as running:
        yield running


def by_options(provider: SimulatedProvider, *more: str) -> list[str]:
    account = ["--provider", "compatible", "--base-url", f"{provider.base_url}/v1", "--api-key-stdin"]
    return ["setup", "--no-input", "--service", "none", *account, *more]


# On a terminal


def test_a_person_is_led_from_nothing_to_a_first_key(
    provider: SimulatedProvider, data: Path, tmp_path: Path
) -> None:
    unit = tmp_path / "units" / "laidian.service"
    wizard = Dialogue(
        ["setup", "--unit-file", str(unit), "--no-start"], LAIDIAN_DATA=str(data), HOME=str(tmp_path)
    )
    wizard.answer("Service", "user")
    wizard.answer("TLS in front", "caddy")
    wizard.answer("Domain", "relay.example.com")
    wizard.answer("Listen at address", "")
    wizard.answer("Port", "8181")
    wizard.answer("Provider", "compatible")
    wizard.answer("Base URL", f"{provider.base_url}/v1")
    wizard.answer("API key (not shown)", "sim-very-secret-0001")
    wizard.answer("Name of a key to make", "")
    wizard.answer("Its group", "friends")
    wizard.answer("What it may spend", "12.50")
    wizard.expect(f"Write {unit}?")
    wizard.type("y")
    code, seen = wizard.end(), wizard.seen
    assert code == 0, seen
    assert "sim-very-secret" not in seen
    assert "works: " in seen
    assert "reverse_proxy 127.0.0.1:8181" in seen

    settings = tomllib.loads((data / "config.toml").read_text())["server"]
    assert settings == {"port": 8181, "public_url": "https://relay.example.com"}
    (key,) = call("key", "list", "--json", "--data", str(data)).json()
    assert (key["name"], key["group"], key["quota"]) == ("me", "friends", "me")
    assert call("quota", "show", "me", "--json", "--data", str(data)).json()["left_usd"] == "12.50"
    secret = next(line.split()[1] for line in seen.splitlines() if line.startswith("credential"))
    assert secret.startswith("sk-")
    assert seen.count(secret) == 1
    assert secret.startswith(key["display"].partition("…")[0])
    assert "ExecStart=" in unit.read_text()


def test_a_wrong_account_is_told_at_once_and_another_key_can_be_typed(
    provider: SimulatedProvider, data: Path, tmp_path: Path
) -> None:
    wizard = Dialogue(
        ["setup", "--service", "none", "--front", "none", "--key", "none", "--domain", "none"],
        LAIDIAN_DATA=str(data),
        HOME=str(tmp_path),
    )
    wizard.answer("Listen at address", "")
    wizard.answer("Port", "")
    wizard.answer("Provider", "compatible")
    wizard.answer("Base URL", f"{provider.base_url}/nowhere")
    wizard.answer("API key (not shown)", "sim-0001")
    wizard.expect("does not work: ")
    wizard.answer("And now", "again")
    wizard.answer("API key (not shown)", "sim-0002")
    wizard.expect("does not work: ")
    wizard.answer("And now", "drop")
    assert wizard.end() == 3
    assert call("upstream", "list", "--json", "--data", str(data)).json() == []


# By options


def test_options_answer_everything_and_the_outcome_is_json(provider: SimulatedProvider, data: Path) -> None:
    done = call(*by_options(provider, "--key", "me", "--balance", "5", "--json"), stdin="sim-secret-0001")
    assert done.code == 0, done
    made = done.json()
    assert made["upstreams"] == ["compatible"]
    assert made["probe"].startswith("ok, ")
    assert made["problems"] == []
    assert made["secret"].startswith("sk-")
    assert "sim-secret" not in done.out + done.err
    assert call("quota", "show", "me", "--json").json()["left_usd"] == "5.00"


def test_a_second_run_keeps_what_is_there_and_makes_nothing_twice(
    provider: SimulatedProvider, data: Path
) -> None:
    assert call(*by_options(provider, "--key", "me", "--port", "8182"), stdin="sim-1").code == 0
    before = (data / "config.toml").read_bytes()
    again = call(*by_options(provider, "--key", "me", "--json"), stdin="sim-1")
    assert again.code == 0, again
    assert (again.json()["secret"], again.json()["probe"]) == ("", "")
    assert (data / "config.toml").read_bytes() == before
    assert [one["name"] for one in call("upstream", "list", "--json").json()] == ["compatible"]


def test_a_run_that_asks_for_nothing_changes_nothing_however_it_is_written(data: Path) -> None:
    data.mkdir(mode=0o700)
    certificate = trustme.CA().issue_cert("relay.example.com")
    certificate.private_key_pem.write_to_path(data / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(data / "cert.pem")
    own = (
        '[server]\npublic_url = "https://relay.example.com:8443/relay"\nport = 8443\n'
        'tls_certificate = "cert.pem"\ntls_key = "key.pem"\n'
    )
    (data / "config.toml").write_text(own)
    done = call("setup", "--no-input", "--json")
    assert done.code == 3, done
    assert done.json()["problems"] == ["there is no upstream yet: laidian upstream add NAME --kind openai"]
    assert (data / "config.toml").read_text() == own


def test_an_account_that_does_not_work_is_kept_and_ends_with_3(
    provider: SimulatedProvider, data: Path
) -> None:
    done = call(*by_options(provider, "--base-url", f"{provider.base_url}/nowhere", "--json"), stdin="sim-1")
    assert done.code == 3
    assert "does not work" in done.json()["problems"][0]


def test_a_configuration_of_somebodys_own_is_shown_as_a_difference_and_changed_only_with_a_yes(
    provider: SimulatedProvider, data: Path
) -> None:
    data.mkdir(mode=0o700)
    own = "# mine\n[server]\nport = 9000 # the office\n\n[log]\nrequests = false\n"
    (data / "config.toml").write_text(own)
    refused = call("setup", "--no-input", "--service", "none", "--port", "9001")
    assert (refused.code, refused.out) == (6, "")
    assert "-port = 9000 # the office" in refused.err
    assert "+port = 9001 # the office" in refused.err
    assert (data / "config.toml").read_text() == own
    done = call("setup", "--no-input", "--service", "none", "--port", "9001", "--yes")
    assert done.code == 3, done
    assert (data / "config.toml").read_text() == own.replace("9000", "9001")
    assert (data / "config.toml.bak").read_text() == own


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--front", "caddy"], 2, "--domain"),
        (["--front", "tls"], 2, "--tls-certificate"),
        (["--base-url", "http://127.0.0.1:1"], 2, "--provider"),
        (["--provider", "compatible"], 2, "--base-url"),
        (["--provider", "openai"], 2, "--api-key-stdin"),
        (["--port", "70000"], 2, "70000"),
    ],
)
def test_what_contradicts_itself_is_said_before_anything_is_written(
    data: Path, arguments: list[str], code: int, says: str
) -> None:
    done = call("setup", "--no-input", "--service", "none", *arguments)
    assert (done.code, done.out) == (code, "")
    assert says in done.err
    assert not (data / "config.toml").exists()


# The service


def service(scope: Scope, **more: object) -> Service:
    base: dict[str, object] = {
        "scope": scope,
        "program": ("/usr/bin/env",),
        "data": Path("/var/lib/laidian"),
        "config": None,
        "user": "laidian",
        "port": 8080,
        "drain_s": 30.0,
    }
    return Service(**(base | more))  # pyright: ignore[reportArgumentType]


ODD = Path("/srv/an odd % folder/$HOME")


@pytest.mark.parametrize("scope", ["user", "system"])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {
            "data": ODD,
            "config": ODD / "c.toml",
            "port": 443,
            "certificate": "/etc/a.pem",
            "key": "/etc/k.pem",
        },
    ],
)
def test_systemd_finds_nothing_wrong_with_the_unit(
    scope: Scope, more: dict[str, object], tmp_path: Path
) -> None:
    text = unit_text(service(scope, **more))
    assert f"TimeoutStopSec={30 + 15}" in text
    assert "NoNewPrivileges=yes" in text
    if more:
        assert '"/srv/an odd %% folder/$$HOME"' in text
        assert ("CAP_NET_BIND_SERVICE" in text, "LoadCredential=tls_key:/etc/k.pem" in text) == (
            (True, True) if scope == "system" else (False, False)
        )
    if shutil.which("systemd-analyze") is None:
        return  # what the text holds is judged above; only systemd itself can say that it reads it
    unit = tmp_path / "laidian.service"
    unit.write_text(text)
    verified = subprocess.run(
        ["systemd-analyze", "verify", f"--{'user' if scope == 'user' else 'system'}", str(unit)],
        capture_output=True, text=True, check=False, timeout=60,
        env=os.environ | {"XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)},
    )  # fmt: skip
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="only systemd can weigh its own settings")
def test_a_service_of_the_machine_is_shut_as_far_as_systemd_can_tell(tmp_path: Path) -> None:
    unit = tmp_path / "laidian.service"
    unit.write_text(unit_text(service("system")))
    weighed = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=15", str(unit)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert weighed.returncode == 0, weighed.stdout[-500:]


def test_print_shows_the_unit_and_touches_nothing(data: Path) -> None:
    done = call("setup", "--service", "user", "--print")
    assert (done.code, done.err) == (0, "")
    assert f"--data {data}" in done.out
    assert not data.exists()


def test_a_service_is_written_and_started_and_only_a_change_is_written_again(
    provider: SimulatedProvider, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    fake = tmp_path / "bin" / "systemctl"
    fake.parent.mkdir()
    fake.write_text(f'#!/bin/sh\necho "$@" >> {told}\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    unit = tmp_path / "laidian.service"
    options = ["--service", "user", "--unit-file", str(unit), "--start", "--key", "none"]
    assert call(*by_options(provider), *options, "--json", stdin="sim-1").json()["unit"] == str(unit)
    assert told.read_text().splitlines() == ["--user daemon-reload", "--user enable --now laidian.service"]
    unit.write_text(unit.read_text() + "# mine\n")
    kept = call("setup", "--no-input", "--front", "none", *options, "--json")
    assert kept.code == 3
    assert "-# mine" in kept.err
    assert unit.read_text().endswith("# mine\n")
    assert call("setup", "--no-input", "--front", "none", *options, "--yes").code == 0
    assert not unit.read_text().endswith("# mine\n")


def test_a_failing_systemctl_is_a_problem_with_its_own_words(
    provider: SimulatedProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "systemctl"
    fake.write_text("#!/bin/sh\necho Failed to connect to bus >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    options = ["--service", "user", "--unit-file", str(tmp_path / "u.service"), "--start", "--json"]
    done = call(*by_options(provider), *options, stdin="sim-1")
    assert done.code == 3
    assert "Failed to connect to bus" in done.json()["problems"][0]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root sets up a service of the whole machine")
def test_a_system_service_owns_its_data(provider: SimulatedProvider, data: Path, tmp_path: Path) -> None:
    options = [
        "--service",
        "system",
        "--service-user",
        "nobody",
        "--unit-file",
        str(tmp_path / "u"),
        "--no-start",
    ]
    done = call(*by_options(provider), *options, "--key", "me", stdin="sim-1")
    assert done.code in (0, 3), done
    assert "User=nobody" in (tmp_path / "u").read_text()
    owners = {path.owner() for path in (data, *data.rglob("*"))}
    assert owners == {"nobody"}
    missing = call("setup", "--no-input", *options, "--service-user", "no-such-user-here", "--yes", "--unit-file",
                   str(tmp_path / "v"), "--front", "none", "--json") if shutil.which("useradd") is None else None  # fmt: skip
    assert missing is None or missing.code == 3


def test_the_present_user_may_be_the_services(provider: SimulatedProvider, tmp_path: Path) -> None:
    options = ["--service", "system", "--service-user", getpass.getuser(), "--unit-file", str(tmp_path / "u")]
    done = call(*by_options(provider), *options, "--no-start", "--json", stdin="sim-1")
    assert done.code in (0, 3), done
    assert f"User={getpass.getuser()}" in (tmp_path / "u").read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root works in another user's folder")
def test_what_root_does_in_the_services_folder_is_the_services(data: Path, tmp_path: Path) -> None:
    assert call("key", "create", "one", "-q").code == 0
    for path in (data, *data.rglob("*")):
        shutil.chown(path, "nobody")
    assert call("key", "create", "two", "-q").code == 0
    assert call("backup", str(tmp_path / "copy.db")).code == 0
    assert call("restore", str(tmp_path / "copy.db"), "--yes").code == 0
    assert {path.owner() for path in (data, *data.rglob("*"))} == {"nobody"}
    assert [key["name"] for key in call("key", "list", "--json").json()] == ["one", "two"]


def test_nobody_asked_for_a_service_so_none_is_written(provider: SimulatedProvider, tmp_path: Path) -> None:
    done = call("setup", "--no-input", "--unit-file", str(tmp_path / "u"), "--json")
    assert done.code == 3
    assert done.json()["unit"] == ""
    assert not (tmp_path / "u").exists()


def test_given_certificates_are_served_with_after_the_setup(
    provider: SimulatedProvider, data: Path, tmp_path: Path
) -> None:
    certificate = trustme.CA().issue_cert("relay.example.com")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    for blob in certificate.cert_chain_pems:
        blob.write_to_path(tmp_path / "cert.pem", append=True)
    files = ["--tls-certificate", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem")]
    options = [
        "--front",
        "tls",
        *files,
        "--domain",
        "relay.example.com",
        "--host",
        "127.0.0.1",
        "--port",
        str(free_port()),
    ]
    done = call(*by_options(provider, *options, "--json"), stdin="sim-1")
    assert done.code == 0, done
    assert done.json()["base_url"].startswith("https://relay.example.com:")
    settings = tomllib.loads((data / "config.toml").read_text())["server"]
    assert settings["tls_certificate"] == str(tmp_path / "cert.pem")
    (tmp_path / "key.pem").write_text("no key")
    before = (data / "config.toml").read_text()
    broken = call(*by_options(provider, *options, "--yes"), stdin="sim-1")
    assert (broken.code, broken.out) == (1, "")
    assert "key.pem" in broken.err
    assert (data / "config.toml").read_text() == before


@pytest.mark.parametrize(
    ("word", "written"),
    [("plain", "plain"), ("a b", '"a b"'), ("50%", '"50%%"'), ("$HOME", '"$$HOME"'), ('"', '"\\""')],
)
def test_a_word_of_a_unit_is_written_so_that_systemd_reads_the_same(word: str, written: str) -> None:
    assert quoted(word) == written


# The texts


def test_proxies_are_told_to_hold_nothing_back_and_to_keep_the_operators_paths() -> None:
    nginx, caddy = (front_text(front, "relay.example.com", 8080, 64 * 2**20) for front in ("nginx", "caddy"))
    for text in (nginx, caddy):
        assert "relay.example.com" in text
        assert "127.0.0.1:8080" in text
        assert "admin" in text
        assert "metrics" in text
        assert "64" in text
        assert text.count("{") == text.count("}")
    assert "proxy_buffering off;" in nginx
    assert "flush_interval -1" in caddy


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "[server]\nport = 9\n"),
        ("[log]\nrequests = false\n", "[log]\nrequests = false\n\n[server]\nport = 9\n"),
        ("[server]\nport = 1\n", "[server]\nport = 9\n"),
        ('[server]\nhost = "::"\n', '[server]\nport = 9\nhost = "::"\n'),
        ("[server]\n# port = 1\n[log]\n", "[server]\nport = 9\n# port = 1\n[log]\n"),
        ("[ server ]  # x\nport=1# y\n", "[ server ]  # x\nport=9# y\n"),
        ("[server]\nport = 9\n", "[server]\nport = 9\n"),
        ("[server]", "[server]\nport = 9\n"),
        ("[relay]\nattempts = 2\n[[upstream]]\nname = 'a'\nkind = 'openai'", None),
    ],
)
def test_one_line_changes_and_everything_else_stays(before: str, after: str | None) -> None:
    changed = with_settings(before, "server", {"port": 9})
    assert after is None or changed == after
    assert tomllib.loads(changed)["server"]["port"] == 9
    assert changed.startswith(before.rstrip("\n")) or "port" in before or "[server]" in before


@pytest.mark.parametrize(
    "text", ["server.port = 1\n", "server = { port = 1 }\n", "nonsense", "[server]\nprot = 1\n"]
)
def test_what_is_not_written_as_expected_is_left_alone(text: str) -> None:
    with pytest.raises(ConfigProblem):
        with_settings(text, "server", {"port": 9})


def test_a_value_that_is_the_default_needs_no_line() -> None:
    assert with_settings("", "server", {"port": 8080, "host": "127.0.0.1"}) == ""
