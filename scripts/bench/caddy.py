"""The yardstick: caddy as a bare reverse proxy, one thread, nothing switched on.

Installed at its first use, from the hash-locked requirements/bench.txt, into a folder of its own beside the project's
packages; nothing else of the project needs it.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from scripts.bench.processes import Unable

ROOT = Path(__file__).resolve().parents[2]
_FOLDER = Path(sys.prefix) / "bench"


def installed() -> Path:
    """The program; fetched when it is not there yet. Raises Unable when it cannot be."""
    lock = ROOT / "requirements" / "bench.txt"
    program, mark = _FOLDER / "bin" / "caddy", _FOLDER / "bench.txt"
    if program.exists() and mark.exists() and mark.read_bytes() == lock.read_bytes():
        return program
    print(f"installing caddy from {lock.relative_to(ROOT)}", file=sys.stderr)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
    strict = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--upgrade"]
    done = subprocess.run([*pip, *strict, "--target", str(_FOLDER), "--requirement", str(lock)], check=False)
    if done.returncode or not program.exists():
        raise Unable(f"pip could not install {lock.relative_to(ROOT)}; see its words above.")
    mark.write_bytes(lock.read_bytes())
    return program


def command(program: Path, folder: Path, port: int, upstream_port: int) -> list[str]:
    """How to run it; writes its configuration into `folder`."""
    proxy = {
        "handler": "reverse_proxy",
        "flush_interval": -1,  # every chunk at once, as a relay must
        "upstreams": [{"dial": f"127.0.0.1:{upstream_port}"}],
    }
    server = {
        "listen": [f"127.0.0.1:{port}"],
        "protocols": ["h1"],
        "automatic_https": {"disable": True},
        "routes": [{"handle": [proxy]}],
    }
    configuration = {
        "admin": {"disabled": True, "config": {"persist": False}},
        "logging": {"logs": {"default": {"writer": {"output": "discard"}}}},
        "apps": {"http": {"servers": {"bench": server}}},
    }
    path = folder / "caddy.json"
    path.write_text(json.dumps(configuration))
    return [str(program), "run", "--config", str(path)]


def environment(folder: Path) -> dict[str, str]:
    """One thread, and no files outside `folder`."""
    own = {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "HOME": str(folder)}
    return {**os.environ, **own, "GOMAXPROCS": "1"}
