"""How paths are spelled, whose they are, and which row they lead to."""

from __future__ import annotations

import pytest

from laidian.protocol.family import FamilyName
from laidian.routes.marks import Marks, read_marks
from laidian.routes.matcher import Found, Matcher
from laidian.routes.paths import below_a_version, read_path, target
from laidian.routes.surface import PLANNED
from laidian.routes.table import resolved

MATCHER = Matcher(resolved(PLANNED, [], {row.operation for row in PLANNED}))
"""As if everything that is planned were registered."""


def find(method: str, path: str, family: FamilyName | None = None) -> Found | None:
    asked = read_path(path)
    return None if asked is None else MATCHER.find(asked, Marks(family), method)


SPELLINGS: list[tuple[str, str, FamilyName | None, str, str]] = [
    ("POST", "/v1/chat/completions", None, "openai", "/v1/chat/completions"),
    ("POST", "//v1//chat///completions/", None, "openai", "/v1/chat/completions"),
    ("POST", "/v1/v1/v1/chat/completions", None, "openai", "/v1/chat/completions"),
    ("POST", "/chat/completions", None, "openai", "/v1/chat/completions"),
    ("POST", "/v1beta/openai/chat/completions", None, "openai", "/v1/chat/completions"),
    ("POST", "/v1beta/openai/chat/completions", "gemini", "openai", "/v1/chat/completions"),
    ("POST", "/v1beta/openai/v1/chat/completions", None, "openai", "/v1/chat/completions"),
    ("GET", "/v1beta/openai/models", "gemini", "openai", "/v1/models"),
    ("GET", "/v1/models", None, "openai", "/v1/models"),
    ("GET", "/models", None, "openai", "/v1/models"),
    ("GET", "/v1/models", "gemini", "gemini", "/v1beta/models"),
    ("GET", "/v1/models", "anthropic", "anthropic", "/v1/models"),
    ("GET", "/v1beta/models", None, "gemini", "/v1beta/models"),
    ("GET", "/v1beta/v1/models", None, "gemini", "/v1beta/models"),
    ("GET", "/v1alpha/models", None, "gemini", "/v1beta/models"),
    ("POST", "/v1/models/g:generateContent", None, "gemini", "/v1beta/models/g:generateContent"),
    ("POST", "/models/g:generateContent", None, "gemini", "/v1beta/models/g:generateContent"),
    ("POST", "/v1/models/g:generateContent", "anthropic", "gemini", "/v1beta/models/g:generateContent"),
    ("POST", "/v1beta/v1/models/g:countTokens", "gemini", "gemini", "/v1beta/models/g:countTokens"),
    ("POST", "/v1beta/v1beta/models/a/g:countTokens", "gemini", "gemini", "/v1beta/models/a/g:countTokens"),
    ("POST", "/v1beta/upload/v1beta/files", "gemini", "gemini", "/upload/v1beta/files"),
    ("POST", "/upload/v1/files", None, "gemini", "/upload/v1beta/files"),
    ("POST", "/v1/messages", "anthropic", "anthropic", "/v1/messages"),
    ("POST", "/v1/v1/messages", None, "anthropic", "/v1/messages"),
    ("POST", "/v1/chat/completions", "anthropic", "openai", "/v1/chat/completions"),
    ("GET", "/dashboard/billing/usage", None, "openai", "/v1/dashboard/billing/usage"),
    ("GET", "/user/balance", None, "openai", "/v1/user/balance"),
    ("GET", "/api/usage/token/", None, "openai", "/api/usage/token"),
]


@pytest.mark.parametrize(("method", "path", "mark", "family", "canonical"), SPELLINGS)
def test_a_path_is_read_however_it_was_spelled(
    method: str, path: str, mark: FamilyName | None, family: str, canonical: str
):
    found = find(method, path, mark)
    assert found is not None
    assert found.row is not None
    assert found.row.served
    assert (found.family, found.path) == (family, canonical)


@pytest.mark.parametrize(
    "model", ["gpt-5.4", "openai/gpt-5.4", "ft:gpt-4o:org::id", "a/b/c", "図", "operations", "x y"]
)
def test_a_models_name_may_hold_slashes_and_colons(model: str):
    found = find("GET", f"/v1/models/{model}")
    assert found is not None
    assert found.params == {"model": model}


def test_a_verb_is_never_part_of_a_name():
    found = find("GET", "/v1/models/g:generateContent")
    assert found is not None
    assert (found.family, found.row, found.allowed) == ("gemini", None, ("POST",))


def test_a_verb_that_nobody_knows_is_a_path_that_nobody_has():
    found = find("POST", "/v1/models/g:compose")
    assert found is not None
    assert (found.family, found.row, found.allowed) == ("gemini", None, ())
    assert MATCHER.nearest(found, "POST").family == "gemini"


@pytest.mark.parametrize(
    "path",
    ["/v1/../admin", "/v1/./models", "/v1/files/..", "/v1/mo\0dels", "/v1/a\r\nb", "/v1/a?b", "/v1/\u2028"],
)
def test_a_path_that_an_upstream_could_misread_is_nobodys(path: str):
    assert read_path(path) is None
    assert below_a_version(path)


@pytest.mark.parametrize(
    "path", ["/", "/health", "/health/ready", "/metrics", "/admin/v1/keys", "/usage", "*", ""]
)
def test_the_instances_own_paths_are_left_alone(path: str):
    for family in (None, "openai", "gemini", "anthropic"):
        assert find("GET", path, family) is None


def test_a_method_that_a_path_does_not_take_names_those_that_it_does():
    found = find("PUT", "/v1/conversations/c1/items")
    assert found is not None
    assert (found.row, found.allowed) == (None, ("GET", "POST"))


def test_head_is_get():
    found = find("HEAD", "/v1/models")
    assert found is not None
    assert found.row is not None
    assert found.row.operation == "models.list"


@pytest.mark.parametrize(
    ("headers", "query", "family"),
    [
        ({}, b"", None),
        ({b"authorization": b"Bearer x"}, b"", None),
        ({b"x-api-key": b"x"}, b"", None),
        ({b"x-goog-api-key": b"x"}, b"", "gemini"),
        ({b"x-goog-api-client": b"gl-node"}, b"", "gemini"),
        ({}, b"key=abc", "gemini"),
        ({}, b"alt=sse&key=abc", "gemini"),
        ({}, b"monkey=abc", None),
        ({b"anthropic-version": b"2023-06-01"}, b"", "anthropic"),
        ({b"anthropic-version": b"2023-06-01", b"x-goog-api-key": b"x"}, b"", "gemini"),
        ({b"x-goog-api-key": b"x", b"anthropic-version": b"2023-06-01"}, b"", "gemini"),
    ],
)
def test_marks_tell_whose_client_it_is(headers: dict[bytes, bytes], query: bytes, family: str | None):
    assert read_marks(list(headers.items()), query).family == family


def test_a_dialect_reads_the_query_without_the_key():
    assert (
        target("/v1beta/models/g:x", b"key=sk-1&alt=sse&key=2", with_query=True)
        == "/v1beta/models/g:x?alt=sse"
    )
    assert target("/v1beta/models/g:x", b"key=sk-1", with_query=True) == "/v1beta/models/g:x"
    assert target("/v1/chat/completions", b"a=b", with_query=False) == "/v1/chat/completions"
