"""dist/laidian.pyz: what is in it, how it unpacks, what it says where it cannot run."""

from __future__ import annotations

import ast
import fcntl
import hashlib
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.packaging.one_file import PYTHON, ROOT, build, run

pytestmark = pytest.mark.xdist_group("zipapp")


def unpacked(cache: Path) -> list[Path]:
    return sorted(path for path in cache.iterdir() if path.is_dir())


def changed(archive: Path, to: Path, change: Callable[[str, bytes], bytes]) -> Path:
    """A copy of the archive whose members went through `change`."""
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(to, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return to


def test_two_builds_are_byte_identical(archive: Path, tmp_path: Path) -> None:
    again = build(
        tmp_path / "laidian.pyz", TZ="Asia/Shanghai", PYTHONHASHSEED="7", LC_ALL="C", HOME=str(tmp_path)
    )
    assert again.read_bytes() == archive.read_bytes()
    digest = hashlib.sha256(again.read_bytes()).hexdigest()
    assert again.with_name("laidian.pyz.sha256").read_text() == f"{digest}  laidian.pyz\n"


def test_the_archive_holds_our_packages_their_data_and_every_licence_and_nothing_of_this_machine(
    archive: Path,
) -> None:
    with zipfile.ZipFile(archive) as content:
        index = json.loads(content.read("index.json"))
        plain = b"".join(content.read(name) for name in ("__main__.py", "build.json", "index.json"))
    paths = {path for entries in index.values() for path, _, _ in entries}
    ours = [path for package in ("laidian", "tui") for path in (ROOT / package).rglob("*") if path.is_file()]
    expected = {path.relative_to(ROOT).as_posix() for path in ours if "__pycache__" not in path.parts}
    assert expected
    assert expected <= paths
    assert any(path.startswith("laidian/data/") for path in paths)
    abouts = {path.partition("/")[0] for path in paths if ".dist-info/" in path}
    assert len(abouts) > 20
    assert {about for about in abouts if f"{about}/METADATA" in paths} == abouts
    unwanted = (".pyc", ".pyi", "/RECORD", "/direct_url.json")
    assert not [
        path
        for path in paths
        if path.endswith(unwanted) or "/tests/" in path or path.startswith(("/", "pip/"))
    ]
    assert str(ROOT).encode() not in plain


def test_every_declared_dependency_can_be_imported_from_the_unpacked_archive(
    archive: Path, home: Path
) -> None:
    assert run(archive, "--help", HOME=str(home)).returncode == 0
    (site,) = unpacked(home / ".cache" / "laidian")
    program = """
import sys
sys.path.insert(0, sys.argv[1])
import importlib, importlib.metadata
for name in ("laidian.cli", "tui", "litestar", "granian.server", "uvloop", "sqlite_utils", "msgspec.toml", "httpx2",
             "cryptography.hazmat.primitives.ciphers.aead", "prometheus_client", "rich_click", "textual.app", "yaml"):
    module = importlib.import_module(name)
    assert module.__file__.startswith(sys.argv[1]), module.__file__
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
assert AESGCM(bytes(16)).decrypt(bytes(12), AESGCM(bytes(16)).encrypt(bytes(12), b"secret", b"row"), b"row") == b"secret"
print(importlib.metadata.version("laidian"), importlib.metadata.version("litestar"))
"""
    seen = subprocess.run([PYTHON, "-ISc", program, site], capture_output=True, text=True, check=False)
    assert seen.returncode == 0, seen.stderr
    assert seen.stdout.split() == [site.name.partition("-")[0], _locked("litestar")]


def _locked(package: str) -> str:
    lines = (ROOT / "requirements" / "run.txt").read_text().splitlines()
    return next(line.split("==")[1].split()[0] for line in lines if line.startswith(f"{package}=="))


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
    command = [PYTHON, "-S", str(archive), "--help"]
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


def test_a_damaged_file_is_told_and_leaves_nothing_behind(archive: Path, tmp_path: Path, home: Path) -> None:
    def spoil(name: str, data: bytes) -> bytes:
        middle = len(data) // 2
        return (
            data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :] if name.endswith(".xz") else data
        )

    seen = run(changed(archive, tmp_path / "spoilt.pyz", spoil), "--help", HOME=str(home))
    assert seen.returncode == 1
    assert "is damaged" in seen.stderr
    assert "Traceback" not in seen.stderr
    assert unpacked(home / ".cache" / "laidian") == []


def test_a_python_that_the_file_was_not_built_for_is_told_which_ones_it_was(
    archive: Path, tmp_path: Path, home: Path
) -> None:
    def retarget(name: str, data: bytes) -> bytes:
        return (
            json.dumps({**json.loads(data), "targets": ["cp399-riscv64"]}).encode()
            if name == "build.json"
            else data
        )

    seen = run(changed(archive, tmp_path / "other.pyz", retarget), "--help", HOME=str(home))
    assert seen.returncode == 1
    assert seen.stderr.startswith("laidian: this file was built for cp399-riscv64, and this is cp3")
    assert seen.stderr.count("\n") == 1
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 6, 15), (3, 10, 13)])
def test_an_old_python_gets_one_sentence(version: tuple[int, int, int]) -> None:
    program = f"import runpy, sys; sys.version_info = {version}; runpy.run_path({str(ROOT / 'scripts/zipapp_main.py')!r})"
    seen = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert seen.returncode == 1
    assert "needs Python 3.11 or newer" in seen.stderr
    assert f"is Python {version[0]}.{version[1]}." in seen.stderr
    assert seen.stderr.count("\n") == 1


def test_the_bootstrap_uses_no_syntax_that_python_2_7_lacks() -> None:
    tree = ast.parse((ROOT / "scripts/zipapp_main.py").read_text())
    newer = (
        ast.JoinedStr,
        ast.AnnAssign,
        ast.NamedExpr,
        ast.Nonlocal,
        ast.AsyncFunctionDef,
        ast.YieldFrom,
        ast.Match,
        ast.MatMult,
    )
    found: list[ast.AST] = [node for node in ast.walk(tree) if isinstance(node, newer)]
    for node in ast.walk(tree):
        if isinstance(node, ast.arguments) and (
            node.kwonlyargs or node.posonlyargs or any(arg.annotation for arg in node.args)
        ):
            found.append(node)
        if isinstance(node, ast.FunctionDef) and node.returns:
            found.append(node)
        if isinstance(node, ast.Raise) and node.cause:
            found.append(node)
        if isinstance(node, (ast.Tuple, ast.List)) and any(
            isinstance(part, ast.Starred) for part in node.elts
        ):
            found.append(node)
    assert [ast.dump(node) for node in found] == []
    assert (ROOT / "scripts/zipapp_main.py").read_text().isascii()
