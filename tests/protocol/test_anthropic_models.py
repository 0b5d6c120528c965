"""The model list in Anthropic's shape."""

import json

import pytest

from laidian.errors import BadRequest
from laidian.protocol.anthropic_models import model_entry, write_model, write_page

NAMES = ["claude-a", "claude-b", "gpt-5.4", "m-1", "m-2"]
MODELS = [model_entry(name) for name in reversed(NAMES)]


def page(query: bytes) -> tuple[list[str], bool]:
    body = json.loads(write_page(MODELS, query))
    ids = [entry["id"] for entry in body["data"]]
    assert body["first_id"] == (ids[0] if ids else None)
    assert body["last_id"] == (ids[-1] if ids else None)
    return ids, body["has_more"]


@pytest.mark.parametrize(
    ("query", "ids", "more"),
    [
        (b"", NAMES, False),
        (b"limit=5", NAMES, False),
        (b"limit=2", NAMES[:2], True),
        (b"limit=2&after_id=claude-b", NAMES[2:4], True),
        (b"limit=2&after_id=m-1", NAMES[4:], False),
        (b"after_id=m-2", [], False),
        (b"limit=2&before_id=m-1", NAMES[1:3], True),
        (b"limit=5&before_id=claude-b", NAMES[:1], False),
        (b"after_id=gone", NAMES[2:], False),
        (b"after_id=gpt%2D5.4&beta=true", NAMES[3:], False),
    ],
)
def test_a_page_is_cut_by_id_and_limit(query: bytes, ids: list[str], more: bool):
    assert page(query) == (ids, more)


def test_walking_the_pages_meets_every_model_once():
    for limit in range(1, 7):
        seen: list[str] = []
        after, more = "", True
        while more:
            ids, more = page(f"limit={limit}&after_id={after}".encode())
            seen += ids
            after = ids[-1]
        assert seen == NAMES


@pytest.mark.parametrize("limit", [b"0", b"1001", b"-1", b"x", b"1.5", "٣".encode(), b"9" * 30])
def test_a_limit_that_is_none_is_a_400(limit: bytes):
    with pytest.raises(BadRequest) as caught:
        write_page(MODELS, b"limit=" + limit)
    assert caught.value.param == "limit"


def test_an_entry_has_what_the_sdk_requires_and_no_owner():
    entry = json.loads(write_model(model_entry("m", 200_000, 64_000)))
    assert entry == {
        "type": "model",
        "id": "m",
        "display_name": "m",
        "created_at": "1970-01-01T00:00:00Z",
        "lifecycle": "active",
        "max_input_tokens": 200_000,
        "max_tokens": 64_000,
    }
