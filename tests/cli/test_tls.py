"""A server that speaks https itself, and commands that reach it by address and trust nothing but its certificate."""

from __future__ import annotations

import http.client
import signal
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.cli.running import call, environment, spawn
from tests.ports import free_port
from tests.program import program

pytestmark = pytest.mark.xdist_group("cli-tls")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def configured(data: Path, authority: trustme.CA, name: str = "relay.example") -> int:
    """A data folder whose config.toml names a certificate for a domain; the port."""
    data.mkdir(mode=0o700)
    certificate = authority.issue_cert(name)
    certificate.private_key_pem.write_to_path(data / "key.pem")
    for blob in certificate.cert_chain_pems:
        blob.write_to_path(data / "certificate.pem", append=True)
    port = free_port()
    (data / "config.toml").write_text(
        f'[server]\nport = {port}\ntls_certificate = "certificate.pem"\ntls_key = "key.pem"\n'
    )
    return port


@pytest.fixture
def port(data: Path, authority: trustme.CA) -> Iterator[int]:
    port = configured(data, authority)
    log = data.parent / "serve.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            program("serve"),
            stdout=file,
            stderr=file,
            env=environment(LAIDIAN_DATA=str(data)),
            start_new_session=True,
        )
    until = time.monotonic() + 60
    while (
        call("status", "--json", "--data", str(data)).code not in (0, 3)
        or not (data / "run/serve.json").exists()
    ):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < until, log.read_text()
    yield port
    process.send_signal(signal.SIGTERM)
    process.wait(60)


def test_clients_and_commands_reach_it_over_https(port: int, authority: trustme.CA) -> None:
    status = call("status", "--json").json()
    assert status["serving"] is True
    assert status["base_url"] == f"https://127.0.0.1:{port}/v1"
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    trusting.check_hostname = False
    with urllib.request.urlopen(f"https://127.0.0.1:{port}/health", timeout=30, context=trusting) as answer:
        assert answer.status == 200
    with pytest.raises((OSError, http.client.HTTPException)):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=30)


def test_another_certificate_at_its_address_is_not_shown_the_token(port: int, data: Path) -> None:
    stranger = trustme.CA().issue_cert("127.0.0.1").cert_chain_pems[0]
    (data / "certificate.pem").write_bytes(stranger.bytes())
    done = call("key", "list")
    assert (done.code, done.out) == (5, "")
    assert "certificate" in done.err.lower()


@pytest.mark.parametrize("damage", ["no key", "key missing", "not the key", "no PEM"])
def test_a_certificate_that_cannot_be_served_with_is_said_before_anything_starts(
    data: Path, authority: trustme.CA, damage: str
) -> None:
    configured(data, authority)
    if damage == "no key":
        (data / "config.toml").write_text('[server]\ntls_certificate = "certificate.pem"\n')
    elif damage == "key missing":
        (data / "key.pem").unlink()
    elif damage == "not the key":
        authority.issue_cert("other.example").private_key_pem.write_to_path(data / "key.pem")
    else:
        (data / "certificate.pem").write_text("no certificate")
    done = spawn("serve", LAIDIAN_DATA=str(data))
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: ")
    assert "pem" in done.err or "tls_key" in done.err
    assert "Traceback" not in done.err
    assert "PRIVATE KEY" not in done.err
    assert not (data / "laidian.db").exists(), "it began to start"
