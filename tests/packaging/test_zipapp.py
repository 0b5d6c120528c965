"""dist/laidian.pyz: what is in it, how it unpacks, what it says where it cannot run."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.packaging.one_file import build, run, unpacked
from tests.program import BARE_PYTHON, ROOT

pytestmark = pytest.mark.xdist_group("zipapp")


def changed(archive: Path, to: Path, change: Callable[[str, bytes], bytes]) -> Path:
    """A copy of the archive whose members went through `change`."""
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(to, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return to


def test_two_builds_are_byte_identical_wherever_and_whenever_they_are_made(
    archive: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "another place"
    skipped = shutil.ignore_patterns("__pycache__", ".venv", "build", "dist", ".git", "tests")
    shutil.copytree(
        ROOT, elsewhere, ignore=skipped, copy_function=shutil.copyfile
    )  # new times, and modes by the umask
    again = build(
        tmp_path / "laidian.pyz",
        elsewhere,
        TZ="Asia/Shanghai",
        PYTHONHASHSEED="7",
        LC_ALL="C",
        HOME=str(tmp_path),
    )
    assert again.read_bytes() == archive.read_bytes()
    digest = hashlib.sha256(again.read_bytes()).hexdigest()
    assert again.with_name("laidian.pyz.sha256").read_text() == f"{digest}  laidian.pyz\n"
    bill = "laidian.pyz.cdx.json"
    assert again.with_name(bill).read_bytes() == archive.with_name(bill).read_bytes()


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
    seen = subprocess.run([BARE_PYTHON, "-ISc", program, site], capture_output=True, text=True, check=False)
    assert seen.returncode == 0, seen.stderr
    assert seen.stdout.split() == [site.name.partition("-")[0], _locked("litestar")]


def _locked(package: str) -> str:
    lines = (ROOT / "requirements" / "run.txt").read_text().splitlines()
    return next(line.split("==")[1].split()[0] for line in lines if line.startswith(f"{package}=="))


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


OLD_PYTHONS = sorted(
    Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser().glob("versions/*/bin/python")
)
"""Whatever this machine has: every one older than 3.11 must give the sentence, and no traceback."""


def test_the_old_pythons_of_this_machine_get_one_sentence(archive: Path, home: Path) -> None:
    asked = 0
    for python in OLD_PYTHONS:
        program = "import sys; print('%d.%d' % sys.version_info[:2] if sys.version_info < (3, 11) else '')"
        version = subprocess.run(
            [python, "-c", program], capture_output=True, text=True, check=True
        ).stdout.strip()
        if version:
            seen = subprocess.run(
                [python, archive, "--version"],
                env={"HOME": str(home)},
                capture_output=True,
                text=True,
                check=False,
            )
            assert (seen.returncode, seen.stdout) == (1, ""), version
            assert f"this file needs Python 3.11 or newer, and {python} is Python {version}." in seen.stderr
            assert seen.stderr.count("\n") == 1
            asked += 1
    if not asked:
        pytest.skip("this machine has no Python older than 3.11")
    assert list(home.iterdir()) == []


def test_the_other_c_library_is_told_which_file_to_take(archive: Path, tmp_path: Path, home: Path) -> None:
    def for_musl(name: str, data: bytes) -> bytes:
        return json.dumps({**json.loads(data), "libc": "musl"}).encode() if name == "build.json" else data

    seen = run(changed(archive, tmp_path / "musl.pyz", for_musl), "--help", HOME=str(home))
    assert seen.returncode == 1
    assert seen.stderr.startswith(
        "laidian: this file is for Linux with musl, Alpine's C library, and this system has glibc "
    )
    assert seen.stderr.endswith("Take laidian.pyz.\n")


@pytest.mark.parametrize(
    ("version", "told"), [("1.2.3", "1.2.3"), ("1.1.24", "1.1.24"), ("1.2.4", ""), ("1.2.10", ""), ("?", "")]
)
def test_a_musl_that_would_crash_is_known_by_what_its_loader_says(version: str, told: str) -> None:
    """Its words as 1.2.3 and 1.2.5 have them."""
    said = f"musl libc (x86_64)\nVersion {version}\nDynamic Program Loader\nUsage: ld [options] [--] pathname [args]\n"
    bootstrap = runpy.run_path(str(ROOT / "scripts" / "zipapp_main.py"), run_name="bootstrap")
    assert bootstrap["musl_too_old"](said) == told


def test_the_bill_of_materials_names_every_package_and_what_is_compiled_in(archive: Path) -> None:
    beside = json.loads(archive.with_name("laidian.pyz.cdx.json").read_bytes())
    with zipfile.ZipFile(archive) as content:
        inside = json.loads(content.read("sbom.json"))
        index = json.loads(content.read("index.json"))
    assert (beside["bomFormat"], beside["specVersion"]) == ("CycloneDX", "1.6")
    root = beside["metadata"]["component"]
    assert root["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(archive.read_bytes()).hexdigest()}]
    assert inside["components"] == beside["components"]
    assert "hashes" not in inside["metadata"]["component"]

    folders = {
        path.partition("/")[0]
        for entries in index.values()
        for path, _, _ in entries
        if ".dist-info/" in path
    }
    packages = {
        re.sub(r"[-_.]+", "-", folder.removesuffix(".dist-info").rpartition("-")[0]).lower()
        for folder in folders
    }
    named = {component["purl"]: component for component in inside["components"]}
    assert {purl.removeprefix("pkg:pypi/").partition("@")[0] for purl in named} == packages - {"laidian"}
    assert all(component["licenses"] for component in named.values())
    edges = {one["ref"]: one["dependsOn"] for one in inside["dependencies"]}
    assert set(edges) == {*named, "laidian@" + root["version"]}
    assert any("pkg:pypi/litestar@" in purl for purl in edges["laidian@" + root["version"]])

    def inner(name: str) -> set[str]:
        component = next(one for purl, one in named.items() if purl.startswith(f"pkg:pypi/{name}@"))
        return {one["purl"].partition("@")[0] for one in component["components"]}

    assert "pkg:generic/openssl" in inner("cryptography")
    assert "pkg:cargo/pyo3" in inner("granian")
    assert not re.search(r"/home/|/root/|file:", json.dumps(inside))


def test_the_version_says_which_file_it_is_and_what_is_inside(archive: Path, home: Path) -> None:
    seen = run(archive, "version", "--json", HOME=str(home))
    about = json.loads(seen.stdout)["archive"]
    assert about["path"] == str(archive)
    assert about["sha256"] == hashlib.sha256(archive.read_bytes()).hexdigest()
    assert about["targets"] == [f"cp3{sys.version_info[1]}-{os.uname().machine}"]
    assert about["packages"]["litestar"] == _locked("litestar")
    assert "laidian" in about["packages"]
    assert about["sha256"] in run(archive, "version", HOME=str(home)).stdout


def test_lexers_that_were_left_out_are_said_to_be_unknown(archive: Path, home: Path) -> None:
    run(archive, "--version", HOME=str(home))
    (site,) = unpacked(home / ".cache" / "laidian")
    program = """
import sys
sys.path.insert(0, sys.argv[1])
from pygments.lexers import get_all_lexers, get_lexer_by_name
from pygments.util import ClassNotFound
print(sorted(get_lexer_by_name(aliases[0]).name for _, aliases, _, _ in get_all_lexers() if aliases))
try:
    get_lexer_by_name("rust")
except ClassNotFound:
    print("unknown")
"""
    seen = subprocess.run([BARE_PYTHON, "-ISc", program, site], capture_output=True, text=True, check=False)
    names, last = seen.stdout.splitlines()
    assert {"Python", "Text only"} <= set(ast.literal_eval(names)), seen.stderr
    assert last == "unknown"


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
