"""The manual that the program carries says everything that the program has: settings, commands, codes, metrics, variables."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from laidian import errors
from laidian.cli.exits import Exit
from laidian.cli.topics import TOPICS, topic
from laidian.cli.topics.errors import SECTIONS
from laidian.cli.topics.metrics import METRICS
from laidian.config import SECTIONS as SETTINGS
from laidian.domain.snippets import CLIENTS
from laidian.relay import journal
from tests.cli.running import call, spawn
from tests.cli.test_help import EVERY
from tests.program import ROOT

SOURCE = [path for path in (ROOT / "laidian").rglob("*.py") if "simulated" not in path.parts]
CODE = re.compile(r"[a-z]{6,}|[a-z]+(_[a-z]+)+")
NO_ERROR = {"holder_billing.py", "key.py"}
"""Files in which `code=` is a word of somebody else's answer, or a tag of a page."""
KINDS = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.LaidianError)
}


def said() -> Iterator[tuple[str, str, str]]:
    """Every code that the source spells, with the class that carries it, if one does, and the file."""
    for path in SOURCE:
        if path.name in NO_ERROR:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                kind = node.func.id if isinstance(node.func, ast.Name) else ""
                for word in node.keywords:
                    if word.arg in ("code", "error_code"):
                        for one in ast.walk(word.value):
                            if (
                                isinstance(one, ast.Constant)
                                and isinstance(one.value, str)
                                and CODE.fullmatch(one.value)
                            ):
                                yield one.value, kind, path.name
            elif isinstance(node, ast.ClassDef) and node.name in KINDS:
                yield KINDS[node.name].code, node.name, path.name
            elif isinstance(node, ast.AnnAssign | ast.Assign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                named = {target.id for target in targets if isinstance(target, ast.Name)}
                if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
                    told = node.value.value
                    if named & {
                        "code",
                        "UNREACHABLE",
                        "LOST",
                        "FOREIGN",
                        "WEBSOCKET_NOT_SUPPORTED",
                    } and CODE.fullmatch(told):
                        yield told, "", path.name


SAID = sorted(set(said()))
DOCUMENTED = {one.code: one for section in SECTIONS for one in section.codes}


def test_the_source_spells_codes_at_all() -> None:
    assert len({code for code, _, _ in SAID}) > 40


def test_every_code_that_can_be_said_is_explained() -> None:
    missing = {
        code: file for code, _, file in SAID if code not in DOCUMENTED and not code.endswith("_not_found")
    }
    assert missing == {}


def test_no_code_is_explained_that_nobody_says() -> None:
    spelled = {code for code, _, _ in SAID} | {"…_not_found", "unit_not_priced"}
    assert set(DOCUMENTED) - spelled == set()


@pytest.mark.parametrize(("code", "kind", "file"), [one for one in SAID if one[1] in KINDS])
def test_a_code_is_explained_with_the_status_it_has(code: str, kind: str, file: str) -> None:
    if code in DOCUMENTED and KINDS[kind] not in (errors.UpstreamRefused, errors.Limited):
        assert str(KINDS[kind].status) in DOCUMENTED[code].status.split("/"), f"{code} of {kind} in {file}"


def test_every_metric_is_explained_with_its_kind_and_labels() -> None:
    counted = {}
    for one in vars(journal).values():
        if hasattr(one, "_labelnames") and hasattr(one, "_type"):
            counted[one._name] = (one._type, ", ".join(one._labelnames) or "-")
    assert len(counted) >= 7
    assert {one.name: (one.kind, one.labels) for one in METRICS} == counted
    text = topic("metrics")
    assert all(name in text for name in counted)


def test_every_setting_is_in_the_manual_and_it_is_the_example_itself() -> None:
    text = topic("config")
    assert (ROOT / "config.example.toml").read_text().rstrip() in text
    for section in SETTINGS:
        for field in msgspec.structs.fields(section):
            assert re.search(rf"(?m)^(# )?{field.encode_name} = |^\[+{field.encode_name}\]+$", text), (
                field.encode_name
            )


def test_every_command_is_in_the_manual() -> None:
    text = topic("commands")
    for path in EVERY:
        assert re.search(rf"(?m)^  {re.escape(path.removeprefix('laidian '))} +\S", text), path


def test_every_client_is_in_the_manual() -> None:
    text = topic("clients")
    assert all(client.id in text and client.title in text for client in CLIENTS)


def test_every_exit_code_and_every_variable_is_in_the_manual() -> None:
    assert all(f"{code.value:>5}  {code.meaning}" in topic("exit-codes") for code in Exit)
    read = {
        name
        for path in [*SOURCE, *(ROOT / "tui").rglob("*.py"), ROOT / "scripts" / "zipapp_main.py"]
        for name in re.findall(r"\bLAIDIAN_[A-Z_]+\b", path.read_text())
    }
    internal = {
        "LAIDIAN_BOOT",
        "LAIDIAN_COMPLETE",
        "LAIDIAN_API_KEY",
    }  # for workers; the shell's; a name inside a client's snippet
    text = topic("environment")
    assert {name for name in read - internal if name not in text} == set()


@pytest.mark.parametrize("name", TOPICS)
def test_every_topic_is_text_that_fits_and_names_only_commands_that_exist(name: str) -> None:
    done = call("help", name)
    assert (done.code, done.err) == (0, "")
    text = topic(name)
    assert text in done.out
    assert max(map(len, text.splitlines())) <= 150
    for path in re.findall(r"(?m)(?:^ +|[(:`;] ?)laidian ((?:[a-z-]+)(?: [a-z-]+)?)", text):
        first, _, second = path.partition(" ")
        known = [other.removeprefix("laidian ") for other in EVERY]
        assert first in known, f"{name}: laidian {path}"
        if f"{first} list" in known and second and second.isalpha():
            assert path in known, f"{name}: laidian {path}"


def test_the_list_of_topics_and_a_misspelt_one() -> None:
    text = call("help", "topics").out
    assert all(name in text for name in TOPICS)
    done = call("help", "eror")
    assert (done.code, done.out) == (2, "")
    assert "Did you mean errors?" in done.err
    assert "Usage: laidian backup" in call("help", "backup").out, (
        "a topic that is a command is shown behind the command's help"
    )


def test_the_manual_is_read_without_the_server() -> None:
    done = spawn("help", "errors")
    assert done.code == 0
    assert "insufficient_quota" in done.out


def test_links_in_the_package_are_whole() -> None:
    link = Path(ROOT / "laidian" / "data" / "config.example.toml")
    assert link.resolve() == ROOT / "config.example.toml"
