"""A newcomer's first minutes on a Debian that holds python3 and the one file, played by scripts/clean_machine: this is its transcript.

The Debian is made once (a minute and a half) and kept; a play takes half a minute.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.program import ROOT

pytestmark = [pytest.mark.xdist_group("clean-machine"), pytest.mark.timeout(900)]

LAIDIAN = "python3 /opt/laidian.pyz"
SERVE = "/usr/bin/python3 /opt/laidian.pyz serve --data /var/lib/laidian"
ANSWERED = r"200 \[simulated\] tokens 37"
EXPECTED = (
    ("ls /opt", r"laidian\.pyz"),
    ("python3 --version", r"Python 3\.11\.\d+"),
    (f"{LAIDIAN} version", r"laidian: unpacking, once\nlaidian +\d+\.\d+\.\d+\npython +3\.11(.|\n)*\narchive +/opt/laidian\.pyz\nsha256 +\w{64}\n"),
    (f"{LAIDIAN} demo --port 8081 --data /root/demo &", r"LaiDian (.|\n)*base URL +http://127\.0\.0\.1:8081/v1\n(.|\n)* +SIMULATED(.|\n)* key +sk-\w{43}\n"),
    ("ask http://127.0.0.1:8081/v1 with sk-…", ANSWERED),
    (f"{LAIDIAN} setup --service system ", r"Upstream `first` works: \d+ models\.\n(.|\n)*Written: /etc/systemd/system/laidian\.service\n(.|\n)*credential +sk-\w{43}  \(shown this once\)"),
    ("systemd-analyze verify /etc/systemd/system/laidian.service", r"nothing to complain of"),
    ("systemd-analyze security --offline=true laidian.service", r"exposure level for laidian\.service: [01]\.\d OK"),
    (f"as laidian: {SERVE} &", r""),
    ("cat /root/serve.log", r"laidian: unpacking, once\nLaiDian \S+   data /var/lib/laidian\n +base URL +http://127\.0\.0\.1:8080/v1\n"),
    ("ask http://127.0.0.1:8080/v1 with sk-…", ANSWERED),
    (f"{LAIDIAN} usage list --data /var/lib/laidian", r"\n.* friend +gpt-5\.4 +first +200 +6 +31 +\$0\.00048 .* complete +req_\w+"),
    (f"{LAIDIAN} quota list --data /var/lib/laidian", r"friend +prepaid +active +\$4\.99952 +\$0\.00048 +\$0\.00 +1 +never"),
    (f"{LAIDIAN} audit --data /var/lib/laidian", r"credited +\$5\.00\nspent +\$0\.00048\n(.|\n)*The ledger adds up\."),
    ("stop", r"code 0"),
    ("ls -la /var/lib/laidian", r"drwx------ .* laidian +laidian .*\.\n(.|\n)*-rw------- .* laidian laidian .* laidian\.db\n(.|\n)*-rw------- .* master\.key\n"),
    ("Containerfile", r"laidian: unpacking, once\n(.|\n)*\nlaidian serve --host 0\.0\.0\.0 as 10001\n(.|\n)*health check: 0\n/var/lib/laidian\ncode 0\n"),
)  # fmt: skip
"""Each command, or how it begins, and what must be found in what it said."""


def play(archive: Path) -> str:
    """Skips with the script's own sentence where there cannot be a clean machine."""
    if os.geteuid() != 0:
        pytest.skip("a clean machine needs root, for chroot and mounts")
    if shutil.which("debootstrap") is None and "CI" not in os.environ:
        pytest.skip(
            "a clean machine needs debootstrap: apt install debootstrap (with CI set, the script does it)"
        )
    command = [ROOT / "scripts" / "clean_machine"]
    if sys.version_info[:2] == (3, 11):  # the Python of that Debian; else the script builds one for it
        command.append(archive)
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "LAIDIAN_VENV": sys.prefix}, check=False
    )
    if done.returncode and ("Is a mirror reachable?" in done.stderr or "this is no Debian" in done.stderr):
        pytest.skip(done.stderr.splitlines()[-1])
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def test_python_and_the_file_are_enough_for_demo_setup_a_unit_a_key_and_a_paid_answer(archive: Path) -> None:
    transcript = play(archive)
    parts = [part.partition("\n") for part in transcript.split("\n$ ")[1:]]
    assert len(parts) == len(EXPECTED), transcript
    for (said, _, answer), (command, expected) in zip(parts, EXPECTED, strict=True):
        assert said.startswith(command), transcript
        assert re.search(expected, answer), f"$ {said}\n{answer}\nlacks {expected}"
    assert "Traceback" not in transcript
    shown = re.findall(r"sk-\w{43}", transcript)
    assert len(set(shown)) == 2, "the demo's key and the first key"
    assert transcript.count(shown[-1]) == 1, "the first key is shown once"
