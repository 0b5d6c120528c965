"""The table as a document: it is complete, it contradicts nothing, and it follows what is registered."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from laidian.domain.group import CAPABILITIES
from laidian.protocol.dialect import OPERATIONS, Operation
from laidian.protocol.family import FamilyName
from laidian.routes.answers import ANSWERS
from laidian.routes.marks import Marks
from laidian.routes.matcher import Matcher
from laidian.routes.paths import read_path
from laidian.routes.surface import PLANNED, SURFACE
from laidian.routes.table import NOT_YET, Row, resolved

ROOT = Path(__file__).resolve().parents[2]

SDK_ROUTES = [
    tuple(line.split())
    for line in (Path(__file__).parent / "sdk_routes.txt").read_text().splitlines()
    if line and not line.startswith("#")
]


def test_the_sdks_have_as_many_routes_as_were_read_from_their_source():
    assert Counter(family for family, _, _ in SDK_ROUTES) == {"openai": 238, "gemini": 84, "anthropic": 270}


@pytest.mark.parametrize("family", ["openai", "gemini", "anthropic"])
def test_every_route_of_every_sdk_has_a_row_of_its_family(family: FamilyName):
    matcher = Matcher(SURFACE)
    missing: list[str] = []
    for of, method, path in SDK_ROUTES:
        asked = read_path(path.replace("{", "a").replace("}", "b"))
        assert asked is not None
        found = matcher.find(asked, Marks(family), method) if of == family else None
        if of == family and (found is None or found.row is None or found.row.family != family):
            missing.append(f"{method} {path}")
    assert missing == []


def test_no_route_has_two_rows():
    places = Counter((row.family, row.method, row.shape) for row in PLANNED)
    assert [place for place, count in places.items() if count > 1] == []


def test_no_row_is_hidden_behind_another_one():
    matcher = Matcher(SURFACE)
    for row in SURFACE:
        method = {"any": "GET", "websocket": "GET"}.get(row.method, row.method)
        asked = read_path(row.path.replace("{", "a").replace("}", "b"))
        assert asked is not None
        marks = Marks(row.family, websocket=row.method == "websocket")
        found = matcher.find(asked, marks, method)
        assert found is not None
        assert found.row == row, row.path


def test_every_operation_and_every_answer_has_a_row_that_says_it_is_served():
    served = {row.operation for row in SURFACE if row.served}
    assert {operation.name for operation in OPERATIONS} | set(ANSWERS) == served


def test_a_refused_row_has_a_code_and_a_reason_and_a_served_one_has_neither():
    for row in SURFACE:
        assert bool(row.code) == bool(row.reason) == (not row.served), row.path
        assert not row.reason.endswith("."), row.path
        assert row.capability in (*CAPABILITIES, ""), row.path
        assert row.operation or not row.served, row.path


def test_registering_an_operation_flips_its_row():
    row = Row("POST", "/v1beta/models/{model}:sing", "gemini", "native", "gemini.sing", "audio")
    (before,) = resolved([row], [], [])
    assert (before.state, before.reason) == ("refused", NOT_YET)
    path = "/v1beta/models/{name}:sing"
    sing = Operation("gemini.song", "gemini", "openai.chat", "POST", path, "gemini")
    (after,) = resolved([row], [sing], [])
    assert (after.state, after.reason, after.operation, after.capability) == (
        "native",
        "",
        "gemini.song",
        "gemini",
    )


def test_registering_an_answer_flips_its_row():
    row = Row("GET", "/v1/songs", "openai", "local", "songs.list")
    assert [one.state for one in resolved([row], [], [])] == ["refused"]
    assert [one.state for one in resolved([row], [], ["songs.list"])] == ["local"]


def test_an_operation_of_another_family_or_method_flips_nothing():
    row = Row("POST", "/v1/files", "openai", "affinity", "files.create")
    others = [
        Operation("a", "anthropic", "openai.chat", "POST", "/v1/files", "chat"),
        Operation("b", "openai", "openai.chat", "GET", "/v1/files", "chat"),
    ]
    assert [one.state for one in resolved([row], others, [])] == ["refused"]


def test_the_readme_holds_the_table_as_it_is():
    script = ROOT / "scripts" / "update_routes"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
