"""The model list as Anthropic's clients read it: pages of a sorted list, walked by id.

Shape and query are those of anthropic 2.12.0 (types/model_info.py, types/model_list_params.py, pagination.py, seen 2026-11-22). Which models are in
the list is the caller's business.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from urllib.parse import parse_qs

import msgspec

from laidian.errors import BadRequest

PAGE_MODELS = 20
MAX_PAGE_MODELS = 1_000
"""Anthropic's default and bound of `limit`."""

UNKNOWN_DATE = "1970-01-01T00:00:00Z"
"""`created_at` of a model whose release date is not known, as Anthropic documents it."""


class Model(msgspec.Struct, frozen=True):
    """One entry of the list."""

    id: str
    display_name: str
    created_at: str = UNKNOWN_DATE
    lifecycle: str = "active"
    max_input_tokens: int | None = None
    """None: not known."""
    max_tokens: int | None = None
    """Largest answer; None: not known."""
    type: str = "model"


class _Page(msgspec.Struct):
    data: list[Model]
    has_more: bool
    first_id: str | None
    last_id: str | None


def model_entry(name: str, max_input_tokens: int | None = None, max_tokens: int | None = None) -> Model:
    return Model(name, name, max_input_tokens=max_input_tokens, max_tokens=max_tokens)


def write_model(model: Model) -> bytes:
    return msgspec.json.encode(model)


def write_page(models: list[Model], query: bytes) -> bytes:
    """The page that `query` asks for with limit and after_id or before_id. Raises BadRequest for a limit that is none.

    An id that is not in the list any more still has its place in the order, so a walk over the pages does not break off.
    """
    asked = parse_qs(query.decode("latin-1"))
    limit = _limit(asked.get("limit", [str(PAGE_MODELS)])[-1])
    models = sorted(models, key=lambda model: model.id)
    ids = [model.id for model in models]
    after, before = asked.get("after_id", [""])[-1], asked.get("before_id", [""])[-1]
    start = bisect_right(ids, after) if after else 0
    stop = bisect_left(ids, before) if before else len(ids)
    left = models[start:stop]
    page = left[-limit:] if before and not after else left[:limit]
    return msgspec.json.encode(
        _Page(page, len(left) > len(page), page[0].id if page else None, page[-1].id if page else None)
    )


def _limit(said: str) -> int:
    if said.isascii() and said.isdigit() and len(said) <= 9 and 1 <= int(said) <= MAX_PAGE_MODELS:
        return int(said)
    raise BadRequest(
        f"`limit` must be an integer from 1 to {MAX_PAGE_MODELS}; got {said[:20]}.",
        param="limit",
        code="invalid_value",
    )
