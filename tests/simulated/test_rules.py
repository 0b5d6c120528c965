"""The pure parts: counting, making and cutting text, and the smallest value of a schema."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laidian.simulated.schema import minimal
from laidian.simulated.tokens import VOCABULARY, count_tokens, cut_text, fragments, make_text


def test_every_word_is_one_token() -> None:
    assert len(set(VOCABULARY)) == len(VOCABULARY) > 60
    assert {len(word.encode()) for word in VOCABULARY} == {4}
    assert any(len(word) < 4 for word in VOCABULARY)


@given(st.text(max_size=40), st.integers(min_value=0, max_value=200))
def test_made_text_has_exactly_its_tokens(seed: str, tokens: int) -> None:
    text = make_text(seed, tokens)
    assert count_tokens(text) == tokens
    assert text.startswith("[simulated] "[: 4 * tokens])


@given(st.text(max_size=60), st.integers(min_value=1, max_value=5))
def test_fragments_are_the_text(text: str, size: int) -> None:
    assert "".join(fragments(text, size)) == text


@given(st.text(max_size=60), st.integers(min_value=0, max_value=20))
def test_cut_text_is_a_beginning_within_its_tokens(text: str, tokens: int) -> None:
    cut = cut_text(text, tokens)
    assert text.startswith(cut)
    assert count_tokens(cut) <= tokens


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({}, {}),
        ({"type": "string"}, "simulated"),
        ({"type": "string", "maxLength": 3}, "sim"),
        ({"type": "string", "minLength": 11}, "simulated.."),
        ({"type": "string", "format": "date"}, "2026-01-01"),
        ({"type": ["null", "boolean"]}, False),
        ({"type": "integer", "minimum": 3}, 3),
        ({"type": "integer", "exclusiveMinimum": 3}, 4),
        ({"type": "integer", "minimum": 4, "multipleOf": 3}, 6),
        ({"type": "number", "maximum": -1.5}, -1.5),
        ({"type": "array", "items": {"const": 7}, "minItems": 2}, [7, 7]),
        ({"enum": ["b", "a"]}, "b"),
        ({"anyOf": [{"type": "null"}, {"type": "string"}]}, None),
        ({"type": "object", "properties": {"a": {"type": "string"}}}, {}),
        ({"$ref": "#/$defs/T", "$defs": {"T": {"type": "boolean"}}}, False),
        (
            {
                "allOf": [
                    {"properties": {"a": {"const": 1}}, "required": ["a"]},
                    {"properties": {"b": {"const": 2}}, "required": ["b"]},
                ]
            },
            {"a": 1, "b": 2},
        ),
        ({"$defs": {"T": {"type": "object", "required": ["t"], "properties": {"t": {"type": "OBJECT"}}}}, "$ref": "#/$defs/T"}, {"t": {}}),
    ],
)  # fmt: skip
def test_the_smallest_value_of_a_schema(schema: dict[str, Any], value: object) -> None:
    assert minimal(schema) == value


def test_a_schema_that_contains_itself_comes_to_an_end() -> None:
    schema: dict[str, Any] = {"type": "object", "required": ["next"], "properties": {"next": {"$ref": "#"}}}
    assert isinstance(minimal(schema), dict)
