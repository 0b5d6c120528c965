"""`/status.rss`: what was disturbed, day by day, and what the operator says of it, for people who let themselves be told.

One entry a day, so that a reader shows it once and changes it while the day runs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from xml.etree.ElementTree import Element, SubElement, tostring  # written here, nothing is read

from laidian.pages.html import clean
from laidian.pages.status import Monitor, headline, percent
from laidian.pages.uptime import DAYS
from laidian.pages.words import TAGS, Words

ENTRIES = 14
"""Days back."""
DAY_S = 86_400


def status_rss(
    words: Words, brand: str, incident: str, monitors: Sequence[Monitor], root: str, now_ms: int
) -> bytes:
    """`root`: this instance's address, without /v1."""
    feed = Element("rss", version="2.0")
    channel = SubElement(feed, "channel")
    page = f"{root}/status?lang={words.language}"
    for name, text in (
        ("title", f"{brand} · {words.plain('status.title')}"),
        ("link", page),
        ("description", words.plain(f"status.{headline(monitors)}")),
        ("language", TAGS[words.language]),
        ("ttl", "5"),
    ):
        SubElement(channel, name).text = clean(text)
    if incident:
        mark = hashlib.sha256(incident.encode()).hexdigest()[:12]
        _entry(channel, words.plain("status.incident"), incident, page, f"incident-{mark}")
    today = now_ms // 1000 // DAY_S
    for ago in range(ENTRIES):
        disturbed = [
            (one, share)
            for one in monitors
            if (share := one.uptime.days[DAYS - 1 - ago]) is not None and share < 1
        ]
        if disturbed:
            begun = datetime.fromtimestamp((today - ago) * DAY_S, UTC)
            lines = [f"{', '.join(one.names)}: {percent(share)}" for one, share in disturbed]
            title = words.plain(
                "status.day_disturbed",
                date=begun.date().isoformat(),
                lowest=percent(min(share for _, share in disturbed)),
            )
            _entry(channel, title, "\n".join(lines), page, f"day-{begun.date().isoformat()}", begun)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(feed, "utf-8")


def _entry(
    channel: Element, title: str, text: str, link: str, mark: str, begun: datetime | None = None
) -> None:
    item = SubElement(channel, "item")
    SubElement(item, "title").text = clean(title)
    SubElement(item, "link").text = link
    SubElement(item, "description").text = clean(text)
    SubElement(item, "guid", isPermaLink="false").text = mark
    if begun is not None:
        SubElement(item, "pubDate").text = format_datetime(begun)
