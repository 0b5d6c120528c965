"""A LaiDian with everything on, as an operator sets it up: one upstream, a prepaid quota, a group with rate limits.

Only this file knows the commands for that. Each runs in the folder of a checkout and takes the package found there, so
that two states of the code can be measured side by side with the packages of one environment.
"""

import os
import subprocess
import sys
from pathlib import Path

from scripts.bench.processes import Unable
from scripts.bench.upstream import MODEL

_FOREIGN = ("LAIDIAN_", "OPENAI_", "GEMINI_", "GOOGLE_", "ANTHROPIC_")
"""Variables that would change what is set up."""


def provision(checkout: Path, data: Path, upstream_url: str) -> str:
    """Makes a data folder with a key that can spend a million dollars. Returns the key. Raises Unable."""
    upstream = ["--kind", "openai", "--base-url", upstream_url, "--api-key-stdin", "--model", MODEL]
    limits = "--requests-per-minute 10000000 --tokens-per-minute 1000000000 --concurrent-requests 10000"
    _laidian(checkout, data, "upstream", "add", "bench", *upstream, secret="sk-bench-upstream")
    _laidian(checkout, data, "group", "create", "bench", "--upstreams", "bench", *limits.split())
    _laidian(checkout, data, "quota", "create", "bench", "--balance", "1000000")
    return _laidian(checkout, data, "key", "create", "bench", "--group", "bench", "--quota", "bench").strip()


def command(data: Path, port: int) -> list[str]:
    """One worker, the ledger FULL, metrics and log lines on: the defaults. To be run in the folder of a checkout."""
    return [sys.executable, "-m", "laidian", "serve", "--data", str(data), "--port", str(port)]


def environment() -> dict[str, str]:
    """Ours, without what would set up more than we do."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}


def compile_bytecode(checkout: Path) -> None:
    """So that a start reads what an installed copy reads, also where PYTHONDONTWRITEBYTECODE is set."""
    packages = [str(checkout / "laidian"), str(checkout / "tui")]
    subprocess.run([sys.executable, "-m", "compileall", "-q", *packages], check=False)


def _laidian(checkout: Path, data: Path, *words: str, secret: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-m", "laidian", "--data", str(data), *words],
        input=secret,
        capture_output=True,
        text=True,
        cwd=checkout,
        env=environment(),
        check=False,
    )
    if done.returncode:
        raise Unable(
            f"laidian {' '.join(words[:2])} failed with status {done.returncode}: {done.stderr.strip()}"
        )
    return done.stdout
