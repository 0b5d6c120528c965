"""scripts/release on a clone with a throw-away key: what it refuses, what it leaves, and that a stranger can verify it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.program import ROOT

pytestmark = [pytest.mark.xdist_group("distributions"), pytest.mark.timeout(300)]


def git(checkout: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@localhost", *arguments]
    return subprocess.run(command, cwd=checkout, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "release"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path], check=True)
    return path


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """This checkout as it stands, committed; with a changelog entry that a release may date, and no tag."""
    copy = tmp_path / "checkout"
    subprocess.run(["git", "clone", "--quiet", "--no-tags", ROOT, copy], check=True)
    listed = git(ROOT, "ls-files", "--modified", "--others", "--exclude-standard").splitlines()
    for name in listed:
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((ROOT / name).read_bytes())
            (copy / name).chmod((ROOT / name).stat().st_mode)
    changelog = copy / "CHANGELOG.md"
    changelog.write_text(
        f"# Changelog\n\n## {version(copy)}, unreleased\n\n- It answers.\n\n## 0.0.1, 2026-01-01\n\n- Old.\n"
    )
    git(copy, "add", "--all")
    git(copy, "commit", "--quiet", "--allow-empty", "--message", "As it stands")
    return copy


def version(checkout: Path) -> str:
    found = re.search(r'^version = "(.*)"$', (checkout / "pyproject.toml").read_text(), re.MULTILINE)
    assert found
    return found[1]


def release(checkout: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """In a checkout that borrows this environment: the stamp of another folder would make a new one."""
    venv = checkout / ".venv"
    if not venv.exists():
        (venv / "bin").mkdir(parents=True)
        (venv / "bin" / "python").symlink_to(sys.executable)
        (venv / "bin" / "laidian").symlink_to("/bin/true")
        (venv / "pyvenv.cfg").write_bytes((Path(sys.prefix) / "pyvenv.cfg").read_bytes())
        site = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
        (venv / site).parent.mkdir(parents=True)
        (venv / site).symlink_to(Path(sys.prefix) / site)
        script = f'. scripts/prepare; for one in run dev; do stamp_of $one >"{venv}/.laidian-$one"; done'
        subprocess.run(["bash", "-c", script], cwd=checkout, check=True)
    return subprocess.run(
        [checkout / "scripts" / "release", *arguments],
        cwd=checkout,
        env={"PATH": os.environ["PATH"], "HOME": str(checkout.parent), "TZ": "Pacific/Kiritimati"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_rehearsal_leaves_what_a_stranger_can_verify_and_changes_nothing_else(
    checkout: Path, key: Path, tmp_path: Path
) -> None:
    head = git(checkout, "rev-parse", "HEAD")
    done = release(checkout, "--key", key, "--rehearse")
    assert done.returncode == 0, done.stderr
    dist = checkout / "dist"
    number = version(checkout)
    assert {path.name for path in dist.iterdir()} == {
        "laidian.pyz", "laidian.pyz.cdx.json", f"laidian-{number}-py3-none-any.whl", f"laidian-{number}.tar.gz",
        "Containerfile", "config.example.toml", "NOTES.md", "SHA256SUMS", "SHA256SUMS.sig",
    }  # fmt: skip
    assert (
        git(checkout, "rev-parse", "HEAD"),
        git(checkout, "tag"),
        git(checkout, "status", "--porcelain"),
    ) == (head, "", "")
    notes = (dist / "NOTES.md").read_text()
    assert re.fullmatch(rf"## {re.escape(number)}, 20\d\d-\d\d-\d\d\n\n- It answers\.\n\n", notes)
    sha256 = hashlib.sha256((dist / "laidian.pyz").read_bytes()).hexdigest()
    assert f"{sha256}  laidian.pyz" in done.stdout
    assert (
        json.loads((dist / "laidian.pyz.cdx.json").read_bytes())["metadata"]["component"]["hashes"][0][
            "content"
        ]
        == sha256
    )

    # As the head of scripts/release tells it.
    public = key.with_suffix(".pub").read_text().split()[:2]
    signers = tmp_path / "allowed_signers"
    signers.write_text(f"laidian {' '.join(public)}\n")
    verify = [
        "ssh-keygen",
        "-Y",
        "verify",
        "-f",
        signers,
        "-I",
        "laidian",
        "-n",
        "laidian-release",
        "-s",
        "SHA256SUMS.sig",
    ]
    sums = (dist / "SHA256SUMS").read_bytes()
    assert subprocess.run(verify, cwd=dist, input=sums, check=False, capture_output=True).returncode == 0
    forged = sums.replace(sha256.encode(), b"0" * 64)
    assert subprocess.run(verify, cwd=dist, input=forged, check=False, capture_output=True).returncode != 0
    check = ["sha256sum", "--check", "--ignore-missing", "--quiet", "SHA256SUMS"]
    assert subprocess.run(check, cwd=dist, check=False).returncode == 0


def spoil_tree(checkout: Path) -> None:
    (checkout / "laidian" / "left_over.py").touch()


def spoil_tag(checkout: Path) -> None:
    git(checkout, "tag", f"v{version(checkout)}")


def spoil_version(checkout: Path) -> None:
    (checkout / "laidian" / "__init__.py").write_text('__version__ = "9.9.9"\n')
    git(checkout, "commit", "--quiet", "--all", "--message", "x")


def spoil_entry(checkout: Path) -> None:
    (checkout / "CHANGELOG.md").write_text("# Changelog\n\n## 0.0.1, 2026-01-01\n\n- Old.\n")
    git(checkout, "commit", "--quiet", "--all", "--message", "x")


def spoil_lines(checkout: Path) -> None:
    (checkout / "CHANGELOG.md").write_text(
        f"# Changelog\n\n## {version(checkout)}, unreleased\n\n## 0.0.1, 2026-01-01\n\n- Old.\n"
    )
    git(checkout, "commit", "--quiet", "--all", "--message", "x")


REFUSALS = {
    "the checkout has changes; commit or stash them: ?? laidian/left_over.py": spoil_tree,
    " exists; raise the version in pyproject.toml and laidian/__init__.py.": spoil_tag,
    " and laidian/__init__.py another version.": spoil_version,
    "CHANGELOG.md begins with `## 0.0.1, 2026-01-01`; it must begin with ": spoil_entry,
    "CHANGELOG.md says nothing below ": spoil_lines,
}


def test_it_refuses_what_must_not_be_released_with_one_sentence(checkout: Path, key: Path) -> None:
    start = git(checkout, "rev-parse", "HEAD").strip()
    for sentence, spoil in REFUSALS.items():
        spoil(checkout)
        done = release(checkout, "--key", key, "--rehearse")
        assert (done.returncode, done.stdout) == (1, ""), sentence
        assert sentence in done.stderr
        assert done.stderr.count("\n") == 1, done.stderr
        assert not (checkout / "dist").exists()
        git(checkout, "reset", "--quiet", "--hard", start)
        git(checkout, "clean", "--quiet", "--force")
        for tag in git(checkout, "tag").split():
            git(checkout, "tag", "--delete", tag)


def test_it_refuses_to_release_unsigned(checkout: Path, tmp_path: Path) -> None:
    assert "a release is signed: --key FILE" in release(checkout, "--rehearse").stderr
    missing = release(checkout, "--key", tmp_path / "none", "--rehearse")
    assert (missing.returncode, missing.stderr) == (1, f"laidian: the key {tmp_path}/none cannot be read.\n")
