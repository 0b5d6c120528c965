"""The one file in a real tmux with its default settings: from the first run to a key that OpenAI's own SDK uses, and the key in tmux's buffer."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from openai import OpenAI

from tests.packaging.one_file import build
from tests.ports import free_port
from tests.program import BARE_PYTHON, die_with_the_test
from tests.simulated_provider import SimulatedProvider

pytestmark = [
    pytest.mark.xdist_group("zipapp"),
    pytest.mark.timeout(400),
    pytest.mark.skipif(
        shutil.which("tmux") is None,
        reason="tmux is not installed: scripts/test installs it when it runs as root",
    ),
]
LIMIT_S = 90.0
"""For everything that is waited for: the machine may be busy."""


class Terminal:
    """A tmux server of its own, without any configuration, with one window."""

    def __init__(self, folder: Path, home: Path) -> None:
        self._socket = folder / "tmux.sock"
        self._home = home

    def tmux(self, *arguments: str) -> str:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self._home),
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
        }
        command = ["tmux", "-S", str(self._socket), "-f", "/dev/null", *arguments]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True, timeout=30
        ).stdout

    def start(self, command: str) -> None:
        self.tmux("new-session", "-d", "-x", "100", "-y", "30", command)

    def stop(self) -> None:
        subprocess.run(
            ["tmux", "-S", str(self._socket), "kill-server"], capture_output=True, check=False, timeout=30
        )

    @property
    def text(self) -> str:
        return self.tmux("capture-pane", "-p")

    def until(self, text: str) -> str:
        """What is on the screen once it shows this; tmux tells nobody when a program has drawn."""
        limit = time.monotonic() + LIMIT_S
        while text not in (shown := self.text):
            assert time.monotonic() < limit, f"{text!r} does not come; the terminal shows:\n{shown}"
            time.sleep(0.1)
        return shown

    def press(self, *keys: str) -> None:
        self.tmux("send-keys", *keys)

    def type(self, text: str) -> None:
        self.tmux("send-keys", "-l", text)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("dist") / "laidian.pyz")


@pytest.fixture
def fresh(archive: Path, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A server of the one file on an empty data folder; its address and that folder."""
    data, port = tmp_path / "data", free_port("127.0.0.1")
    command = [BARE_PYTHON, "-S", str(archive), "serve", "--data", str(data), "--port", str(port)]
    with (tmp_path / "server.log").open("wb") as log:
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
        server = subprocess.Popen(
            command, env=environment, cwd=tmp_path, stdout=log, stderr=log, preexec_fn=die_with_the_test
        )
    try:
        limit = time.monotonic() + LIMIT_S
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                    break
            except OSError:
                assert server.poll() is None, (tmp_path / "server.log").read_text()
                assert time.monotonic() < limit, (tmp_path / "server.log").read_text()
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}", data
    finally:
        server.terminate()
        server.wait(30)


def test_from_the_first_run_to_a_key_that_openais_sdk_uses(
    archive: Path, fresh: tuple[str, Path], provider: SimulatedProvider, tmp_path: Path
) -> None:
    base_url, data = fresh
    terminal = Terminal(tmp_path, tmp_path)
    terminal.start(f"{BARE_PYTHON} -S {archive} tui --data {data} --lang en")
    try:
        terminal.until("▸ 2")
        terminal.press("Enter")
        terminal.until("Add an upstream ─")
        terminal.type("aaa")
        terminal.until("another server")
        # Each field says what it wants once it has the cursor; what is typed before that goes to the one before.
        terminal.press("Down")
        terminal.until("The server's address")
        terminal.type(provider.base_url)
        terminal.press("Down")
        terminal.until("Your key at the provider")
        terminal.type("sim-0001")
        terminal.press("Enter")
        terminal.until("models can be had now")
        terminal.until("▸ 6")
        terminal.press("Enter")
        terminal.until("Whose it is.")
        terminal.type("alice")
        terminal.press("Enter")
        shown = terminal.until("only time the key is shown")
        (key,) = [line for line in shown.splitlines() if line.startswith("sk-")]
        terminal.press("y")
        terminal.until("clipboard")
        assert terminal.tmux("show-buffer") == key
        listed = subprocess.run(["ps", "axww"], capture_output=True, text=True, check=True, timeout=30).stdout
        assert key not in listed

        client = OpenAI(base_url=f"{base_url}/v1", api_key=key, max_retries=0, timeout=60)
        answer = client.chat.completions.create(
            model="gpt-5.4", messages=[{"role": "user", "content": "Say hello in one sentence."}]
        )
        assert answer.choices[0].message.content

        terminal.press("Enter")
        terminal.until("alice")
        terminal.press("q")
        limit = time.monotonic() + LIMIT_S
        while terminal_runs(terminal):
            assert time.monotonic() < limit, "q leaves"
            time.sleep(0.1)
    finally:
        terminal.stop()


def terminal_runs(terminal: Terminal) -> bool:
    """tmux ends with its last window."""
    try:
        terminal.tmux("list-windows")
    except subprocess.CalledProcessError:
        return False
    return True
