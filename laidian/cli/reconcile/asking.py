"""Upstreams that answer for their usage: OpenAI with an admin key, OpenRouter with a management key, other relays with the key itself.

Sources, seen 2026-11: as in exports.py; sub2api's and LaiDian's /v1/usage (model_stats of the days asked for; `actual_cost` is what was
taken); new-api's /api/log/token (records of a key; 500,000 units to the dollar).
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import httpx2

from laidian.cli.carry.documents import items, json_of, mapping
from laidian.cli.reconcile.exports import day_of, openai_books, openrouter_book
from laidian.cli.reconcile.figures import Book, Figures, add, days_between, usd_nano
from laidian.errors import BadRequest, UpstreamBroken

TIMEOUT_S = 60.0
PAGES = 100
"""Of one question; a month of a busy account is two."""
UNITS_PER_USD = 500_000
USAGES = ("completions", "embeddings", "images", "audio_speeches", "audio_transcriptions", "moderations")


class Asking:
    """One upstream, asked with one credential, which goes into a header and nowhere else."""

    def __init__(self, base_url: str, credential: str) -> None:
        self._root = base_url.rstrip("/").removesuffix("/v1")
        self._http = httpx2.AsyncClient(headers={"authorization": f"Bearer {credential}"}, timeout=TIMEOUT_S)

    async def aclose(self) -> None:
        await self._http.aclose()

    async def openai(self, since: datetime.date, until: datetime.date) -> Book:
        start = _epoch(since)
        end = _epoch(until + datetime.timedelta(days=1))
        pages: list[Any] = []
        for what, group in (*((f"usage/{usage}", "model") for usage in USAGES), ("costs", "line_item")):
            query = {
                "start_time": start,
                "end_time": end,
                "bucket_width": "1d",
                "group_by": group,
                "limit": "31",
            }
            for _ in range(PAGES):
                page = mapping(await self._get(f"/v1/organization/{what}", query))
                pages.append(page)
                if not page.get("has_more") or not page.get("next_page"):
                    break
                query = query | {"page": str(page["next_page"])}
        return openai_books(pages)

    async def openrouter(self) -> Book:
        root = self._root.removesuffix("/api")
        return openrouter_book("", await self._get(f"{root}/api/v1/activity", {}))

    async def relay(self, since: datetime.date, until: datetime.date) -> Book:
        """Day by day, since the shape adds up models over all days that are asked for."""
        book: Book = {}
        for day in days_between(since, until):
            name = day.isoformat()
            answer = mapping(
                await self._get("/v1/usage", {"start_date": name, "end_date": name, "timezone": "UTC"})
            )
            if "model_stats" not in answer and "daily_usage" not in answer:
                raise BadRequest(
                    f"{self._root} answers /v1/usage, but not as LaiDian or sub2api do: it says nothing of models."
                )
            for row in map(mapping, items(answer.get("model_stats"))):
                figures = Figures(
                    _whole(row.get("requests")),
                    _prompt(row),
                    _whole(row.get("output_tokens")),
                    usd_nano(row.get("actual_cost", row.get("cost"))),
                )
                if figures.requests:
                    add(book, name, str(row.get("model")), figures)
        return book

    async def new_api(self, since: datetime.date, until: datetime.date) -> Book:
        answer = mapping(await self._get("/api/log/token", {}))
        if not answer.get("success"):
            raise BadRequest(
                f"{self._root} does not tell this key's records: {str(answer.get('message'))[:200]}"
            )
        book: Book = {}
        wanted = {day.isoformat() for day in days_between(since, until)}
        for row in map(mapping, items(answer.get("data"))):
            day = day_of(row.get("created_at"))
            if day in wanted and row.get("type", 2) == 2:
                nano = usd_nano(Decimal(_whole(row.get("quota")) or 0) / UNITS_PER_USD)
                figures = Figures(
                    1, _whole(row.get("prompt_tokens")), _whole(row.get("completion_tokens")), nano
                )
                add(book, day, str(row.get("model_name")), figures)
        return book

    async def _get(self, path: str, query: Mapping[str, str]) -> Any:
        url = path if path.startswith("http") else f"{self._root}{path}"
        try:
            answer = await self._http.get(url, params=dict(query))
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise UpstreamBroken(f"{self._root} does not answer: {type(error).__name__}.") from None
        if answer.status_code != 200:
            raise BadRequest(
                f"{url} answered {answer.status_code}. Usage is told only to the right key: OpenAI wants an admin key (sk-admin-…),"
                " OpenRouter a management key, a relay the key whose usage it is."
            )
        return json_of(answer.text, f"the answer of {url}")


def _prompt(row: Mapping[str, Any]) -> int | None:
    """sub2api counts cached and written tokens apart from `input_tokens`; we count the whole prompt."""
    known = [_whole(row.get(name)) for name in ("input_tokens", "cache_read_tokens", "cache_creation_tokens")]
    return None if known[0] is None else sum(one or 0 for one in known)


def _whole(value: object) -> int | None:
    try:
        return None if value is None else int(float(str(value)))
    except (ValueError, OverflowError):
        return None


def _epoch(day: datetime.date) -> str:
    return str(int(datetime.datetime(day.year, day.month, day.day, tzinfo=datetime.UTC).timestamp()))
