"""The folder that the one file is unpacked to: whole or not there, whoever comes first, is killed, or has no room; never another user's."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.packaging.one_file import run, unpacked
from tests.program import BARE_PYTHON, die_with_the_test
from tests.served import wait_until

pytestmark = pytest.mark.xdist_group("zipapp")
SAID_ONCE = "laidian: unpacking, once\n"


def test_the_first_start_unpacks_and_compiles_and_a_later_one_writes_nothing(
    archive: Path, home: Path
) -> None:
    environment = {"HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    first = run(archive, "--help", **environment)
    assert first.returncode == 0, first.stderr
    assert first.stderr == "laidian: unpacking, once\n"
    assert "Usage" in first.stdout
    assert [path.name for path in home.iterdir()] == [".cache"]
    cache = home / ".cache" / "laidian"
    assert cache.stat().st_mode & 0o777 == 0o700
    (site,) = unpacked(cache)
    sources = list((site / "laidian").rglob("*.py"))
    assert sources
    for source in sources:
        assert (
            source.parent / "__pycache__" / f"{source.stem}.{sys.implementation.cache_tag}.pyc"
        ).exists(), source

    before = {path: path.stat().st_mtime_ns for path in cache.rglob("*")}
    later = run(archive, "--help", **environment)
    assert (later.returncode, later.stdout, later.stderr) == (0, first.stdout, "")
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*")} == before


def test_two_first_starts_at_once_unpack_once(archive: Path, home: Path) -> None:
    command = [BARE_PYTHON, "-S", str(archive), "--help"]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(home)}
    both = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    answers = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert answers[0][0] == answers[1][0]
    assert sorted(error for _, error in answers) == ["", "laidian: unpacking, once\n"]


def test_what_a_killed_first_start_left_behind_is_removed(archive: Path, home: Path) -> None:
    cache = home / "kept"
    (cache / "unpacking-0.0.1-0-cp311-x86_64" / "laidian").mkdir(parents=True)
    cache.chmod(0o700)
    assert run(archive, "--help", HOME=str(home), LAIDIAN_CACHE=str(cache)).returncode == 0
    assert not [path for path in cache.iterdir() if path.name.startswith("unpacking-")]
    assert not (home / ".cache").exists()


def test_a_new_build_removes_the_older_one_that_nobody_uses_and_keeps_the_one_in_use(
    archive: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir(0o700)
    idle, used = "0.0.1-0123456789abcdef-cp311-x86_64", "0.0.2-fedcba9876543210-cp311-x86_64"
    for name in (idle, used):
        (cache / name / "laidian").mkdir(parents=True)
        (cache / f"{name}.lock").touch()
    with (cache / f"{used}.lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_SH)
        assert run(archive, "--help", LAIDIAN_CACHE=str(cache)).returncode == 0
    left = {path.name for path in cache.iterdir()}
    assert used in left
    assert not [name for name in left if name.startswith(idle)]
    assert len(unpacked(cache)) == 2


@pytest.fixture(params=["writable by all", "of another user"])
def unsafe(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "unsafe"
    folder.mkdir()
    if request.param == "writable by all":
        folder.chmod(0o777)
    elif os.geteuid() == 0:
        os.chown(folder, 65534, 65534)
    else:
        folder = Path("/usr/share")
    before = list(folder.iterdir())
    yield folder
    assert list(folder.iterdir()) == before


def test_a_cache_folder_that_others_could_write_is_refused(archive: Path, unsafe: Path, home: Path) -> None:
    refused = run(archive, "--help", HOME=str(home), LAIDIAN_CACHE=str(unsafe))
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"laidian: LAIDIAN_CACHE is {unsafe}, which ")
    assert refused.stderr.count("\n") == 1
    assert "other user" in refused.stderr
    assert not (home / ".cache").exists()


def test_the_next_folder_is_tried_where_the_user_named_none(
    archive: Path, home: Path, tmp_path: Path
) -> None:
    (tmp_path / "laidian").mkdir()
    (tmp_path / "laidian").chmod(0o777)
    seen = run(archive, "--help", HOME=str(home), XDG_CACHE_HOME=str(tmp_path))
    assert seen.returncode == 0
    assert f"the cache folder {tmp_path}/laidian can be written by other users" in seen.stderr
    assert list((tmp_path / "laidian").iterdir()) == []
    assert len(unpacked(home / ".cache" / "laidian")) == 1


def first_start(archive: Path, cache: Path) -> subprocess.Popen[str]:
    """A start that has begun to unpack: the folder it writes to is there."""
    process = subprocess.Popen(
        [BARE_PYTHON, "-S", archive, "--help"],
        env={"PATH": "/usr/bin:/bin", "LAIDIAN_CACHE": str(cache)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=die_with_the_test,
    )
    wait_until(
        lambda: process.poll() is not None or any(cache.glob("unpacking-*/laidian")), "it writes our files"
    )
    assert process.poll() is None, process.communicate()
    return process


def is_whole(archive: Path, site: Path) -> bool:
    """Whether every file is there in its size."""
    with zipfile.ZipFile(archive) as content:
        index = msgspec.json.decode(
            content.read("index.json"), type=dict[str, list[tuple[str, int, list[str] | None]]]
        )
    return all((site / path).stat().st_size == size for files in index.values() for path, size, _ in files)


def test_a_first_start_that_is_killed_with_its_children_leaves_nothing_that_the_next_one_trusts(
    archive: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    killed = first_start(archive, cache)
    os.killpg(killed.pid, signal.SIGKILL)
    assert killed.wait(30) == -signal.SIGKILL
    assert [path.name for path in unpacked(cache) if not path.name.startswith("unpacking-")] == []
    again = run(archive, "--help", LAIDIAN_CACHE=str(cache))
    assert (again.returncode, again.stderr) == (0, SAID_ONCE)
    (site,) = unpacked(cache)
    assert is_whole(archive, site)


def test_a_start_whose_parent_alone_is_killed_is_waited_for_by_the_next(
    archive: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    killed = first_start(archive, cache)
    killed.kill()
    again = run(archive, "--help", LAIDIAN_CACHE=str(cache))
    assert killed.wait(30) == -signal.SIGKILL
    assert again.returncode == 0, again.stderr
    assert again.stderr in ("", SAID_ONCE)
    (site,) = unpacked(cache)
    assert is_whole(archive, site)


# In a mount namespace, where file systems may be small or read-only


def in_a_namespace(script: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs sh as (mapped) root with mounts of its own. $PYTHON is the bare interpreter."""
    return subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-uc", script, "sh", *arguments],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHON": BARE_PYTHON},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture(scope="module")
def namespaces() -> None:
    if in_a_namespace("mount -t tmpfs tmpfs /mnt").returncode != 0:
        pytest.skip("this machine lets nobody mount a file system in a namespace of its own")


@pytest.mark.usefixtures("namespaces")
def test_a_full_disk_is_told_and_nothing_is_left_on_it(archive: Path, tmp_path: Path) -> None:
    seen = in_a_namespace(
        """mount -t tmpfs -o size=20m,mode=700 tmpfs "$2"; LAIDIAN_CACHE="$2" "$PYTHON" -S "$1" --help
        echo "code $?"; find "$2" -type f -size +0; find "$2" -mindepth 1 -type d""",
        archive,
        tmp_path,
    )
    assert seen.stdout == "code 1\n"
    said = seen.stderr.splitlines()
    assert said[0] + "\n" == SAID_ONCE
    assert said[1] == (
        f"laidian: cannot unpack into {tmp_path}: No space left on device. Free some space (80 MB), or set LAIDIAN_CACHE."
    )
    assert len(said) == 2


@pytest.mark.usefixtures("namespaces")
def test_a_disk_that_fills_while_bytecode_is_written_is_no_slow_success(
    archive: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(archive) as content:
        index = msgspec.json.decode(content.read("index.json"), type=dict[str, list[tuple[str, int, object]]])
    pages = sum(-(-size // 4096) for files in index.values() for _, size, _ in files)
    kib = pages * 4 + 2048
    seen = in_a_namespace(
        """mount -t tmpfs -o size="$3"k,mode=700 tmpfs "$2"; LAIDIAN_CACHE="$2" "$PYTHON" -S "$1" --help >&2
        echo "code $?"; find "$2" -mindepth 1 -type d""",
        archive,
        tmp_path,
        str(kib),
    )
    assert seen.stdout == "code 1\n", seen.stderr
    assert "No space left on device" in seen.stderr


@pytest.mark.usefixtures("namespaces")
@pytest.mark.parametrize("home", ["read-only", "missing"])
def test_without_a_home_to_write_to_the_system_s_cache_folder_is_used(
    archive: Path, tmp_path: Path, home: str
) -> None:
    seen = in_a_namespace(
        """mount -t tmpfs tmpfs /var/cache; mount -t tmpfs -o ro tmpfs "$2"; HOME="$2/$3" "$PYTHON" -S "$1" --version
        echo "code $?"; stat -c '%a %n' /var/cache/laidian; ls /var/cache/laidian/*/laidian/__init__.py""",
        archive,
        tmp_path,
        "" if home == "read-only" else "nobody",
    )
    lines = seen.stdout.splitlines()
    assert lines[1:3] == ["code 0", "700 /var/cache/laidian"], seen.stderr
    assert lines[3].endswith("/laidian/__init__.py")
    assert seen.stderr == SAID_ONCE


@pytest.mark.usefixtures("namespaces")
def test_where_no_folder_can_be_written_a_run_unpacks_for_itself_says_so_and_cleans_up(
    archive: Path, tmp_path: Path
) -> None:
    seen = in_a_namespace(
        """mount -t tmpfs -o ro tmpfs /var/cache; mkdir "$2/tmp"; HOME=/proc TMPDIR="$2/tmp" "$PYTHON" -S "$1" --version
        echo "code $?"; ls -A "$2/tmp" """,
        archive,
        tmp_path,
    )
    assert seen.stdout.splitlines()[1:] == ["code 0"], seen.stderr
    assert f"no cache folder can be written, so this run unpacks into {tmp_path}/tmp/laidian-" in seen.stderr
    assert "set LAIDIAN_CACHE to a folder to keep" in seen.stderr


@pytest.mark.usefixtures("namespaces")
def test_an_unpacked_build_on_a_read_only_file_system_is_used_as_it_is(archive: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert run(archive, "--version", LAIDIAN_CACHE=str(cache)).returncode == 0
    seen = in_a_namespace(
        """mount --bind "$2" "$2"; mount -o remount,bind,ro "$2"; touch "$2/x" 2>/dev/null && echo writable
        HOME=/proc LAIDIAN_CACHE="$2" "$PYTHON" -S "$1" version --json""",
        archive,
        cache,
    )
    assert seen.stderr == ""
    (site,) = unpacked(cache)
    assert msgspec.json.decode(seen.stdout)["archive"]["unpacked"] == str(site)


def test_a_folder_below_one_that_everybody_may_change_is_refused(archive: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    seen = run(archive, "--help", LAIDIAN_CACHE=str(shared / "mine"))
    assert seen.returncode == 1
    assert "lies in a folder where other users may rename it (mode 777)" in seen.stderr
    shared.chmod(0o1777)
    assert run(archive, "--help", LAIDIAN_CACHE=str(shared / "mine")).returncode == 0
