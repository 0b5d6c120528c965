"""What providers let their customers export: OpenAI's usage and costs, OpenRouter's activity. Pure: JSON and CSV in, figures out.

Sources, seen 2026-11: OpenAI's API reference of /v1/organization/usage/* and /v1/organization/costs (buckets of a day, grouped by model or
line item; input tokens include cached ones) and its cookbook; OpenRouter's reference of /api/v1/activity (items by day and model, dollars
as `usage`), and the CSV of its activity page (one row a generation).
"""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import Iterable, Mapping
from typing import Any

from laidian.cli.carry.documents import items, mapping
from laidian.cli.reconcile.figures import Book, Figures, add, usd_nano
from laidian.errors import BadRequest


def openai_books(documents: Iterable[Any]) -> Book:
    """Usage and costs together, from any number of answers. Raises BadRequest for something else."""
    usage: Book = {}
    costs: Book = {}
    for document in documents:
        pages = items(document)
        for page in map(mapping, pages):
            if page.get("object") != "page" or not isinstance(page.get("data"), list):
                raise BadRequest(
                    'this is no answer of OpenAI\'s /v1/organization/usage or /costs: its object is not "page".'
                )
            for bucket in map(mapping, items(page.get("data"))):
                _bucket(bucket, usage, costs)
    for place, figures in costs.items():
        usage[place] = usage.get(place, Figures()) + figures
    return usage


def _bucket(bucket: Mapping[str, Any], usage: Book, costs: Book) -> None:
    day = day_of(bucket.get("start_time"))
    for result in map(mapping, items(bucket.get("results"))):
        if str(result.get("object")) == "organization.costs.result":
            # a line item is "gpt-5.4-2026-03-05, input"; tools and storage have no comma and stay by themselves
            name = str(result.get("line_item") or "all").partition(",")[0].strip()
            add(
                costs,
                day,
                name.lower(),
                Figures(cost_nano=usd_nano(mapping(result.get("amount")).get("value"))),
            )
        else:
            figures = Figures(
                _count(result, "num_model_requests"),
                _count(result, "input_tokens"),
                _count(result, "output_tokens"),
            )
            add(usage, day, str(result.get("model") or "all"), figures)


def openrouter_book(text: str, document: Any) -> Book:
    """From the API's JSON, or, where `document` is None, from the activity page's CSV. Raises BadRequest for something else."""
    book: Book = {}
    if document is not None:
        rows = items(mapping(document).get("data", document))
        for row in map(mapping, rows):
            if "date" not in row or "model" not in row:
                raise BadRequest(
                    "this is no answer of OpenRouter's /api/v1/activity: an item lacks date and model."
                )
            cost = (usd_nano(row.get("usage")) or 0) + (usd_nano(row.get("byok_usage_inference")) or 0)
            figures = Figures(
                _count(row, "requests"), _count(row, "prompt_tokens"), _count(row, "completion_tokens"), cost
            )
            add(book, str(row["date"])[:10], str(row["model"]), figures)
        return book
    for row in csv.DictReader(io.StringIO(text)):
        day = _first(row, "created_at", "date", "timestamp")
        model = _first(row, "model_permaslug", "model", "model_slug")
        if day is None or model is None:
            raise BadRequest(
                "this is no CSV of OpenRouter's activity: it lacks created_at and model_permaslug."
            )
        figures = Figures(
            1 if "requests" not in row else int(row["requests"] or 0),
            _whole(_first(row, "tokens_prompt", "prompt_tokens", "native_tokens_prompt")),
            _whole(_first(row, "tokens_completion", "completion_tokens", "native_tokens_completion")),
            usd_nano(_first(row, "cost_total", "usage", "cost")),
        )
        add(book, day[:10], model, figures)
    return book


def day_of(epoch_s: object) -> str:
    """Raises BadRequest for what is no epoch."""
    try:
        return datetime.datetime.fromtimestamp(int(str(epoch_s)), datetime.UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        raise BadRequest("a bucket of the export has no start_time.") from None


def _count(row: Mapping[str, Any], name: str) -> int | None:
    return _whole(row.get(name))


def _whole(value: object) -> int | None:
    try:
        return None if value is None or value == "" else int(float(str(value)))
    except (ValueError, OverflowError):
        return None


def _first(row: Mapping[str, str | None], *names: str) -> str | None:
    return next((value for name in names if (value := row.get(name))), None)
