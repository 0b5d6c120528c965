"""Server time of every question of the console on a large data folder (`console_data` makes one), without HTTP.

    scripts/bench/console_queries FOLDER [--runs 7] [--most-ms 10] [--json FILE]

Processor time of the thread that answers, best and median of the runs; the first run of each is not counted. Exits 1 when the best of
any page's question takes longer than `--most-ms`. Those that read the whole database, or every record of a filter that no sum knows, are
marked and not judged. The folder must not be served.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from laidian.admin.schema import KeyQuery, UsageQuery
from laidian.admin.service import health, keys, news, operations, overview, quotas, status, upstreams, usage
from laidian.admin.service.asked import by_model
from laidian.admin.service.doctor import Place, examine
from laidian.config import Config
from laidian.data import price_book_bytes
from laidian.server.folder import Folder
from laidian.store.catalog import CatalogReader
from laidian.store.connection import Connection
from laidian.store.database import connect
from laidian.store.vault import Vault, master_key

Question = Callable[[Connection], object]


class Time(msgspec.Struct, frozen=True):
    question: str
    judged: bool
    best_ms: float
    median_ms: float


def questions(folder: Folder, now_ms: int) -> list[tuple[str, bool, Question]]:
    """(name, whether it is judged, question)"""
    catalog = CatalogReader(
        connect(folder.database, read_only=True), Vault(master_key(folder.master_key)), lambda: None
    ).current()
    instance = status.Instance(pid=1, started_at_ms=now_ms, base_url="", data="", busy={}, stopping=False)
    config, book = Config(), price_book_bytes()
    disk = overview.disk_of(folder.root)
    rarest = max(key.name for key in catalog.keys.values())

    def page(limit: int = 200, cursor: str = "", at: str = "", **query: str) -> Question:
        return lambda c: usage.list_usage(
            c, UsageQuery(**query), limit=limit, cursor=cursor, at=at, now_ms=now_ms
        )

    def some_keys(**query: str) -> Question:
        return lambda c: keys.list_keys(c, KeyQuery(**query), limit=200, now_ms=now_ms)

    def sums(by: str, since: str, top: int = 0, **query: str) -> Question:
        return lambda c: usage.sum_usage(c, UsageQuery(since=since, **query), by, top=top, now_ms=now_ms)

    found: list[tuple[str, bool, Question]] = [
        (
            "overview",
            True,
            lambda c: overview.overview(c, instance, catalog, "", disk, now_ms, public_url=True),
        ),
        ("status", True, lambda c: status.status(c, instance, now_ms)),
        ("events: one look", True, lambda c: news.look(c, None, now_ms, with_stats=False)),
        ("events: the counters", True, lambda c: news.stats(c, now_ms)),
        ("keys: first page by name", True, some_keys()),
        *[
            (f"keys: by {sort}", True, some_keys(sort=sort))
            for sort in ("-last_used", "-spent", "-today", "-created")
        ],
        ("keys: filter", True, some_keys(filter="key-01")),
        ("keys: near", True, some_keys(state="near")),
        (
            "keys: last page",
            True,
            lambda c: keys.list_keys(c, KeyQuery(), limit=200, offset=1_800, now_ms=now_ms),
        ),
        ("key: one", True, lambda c: keys.show_key(c, "key-0007", now_ms)),
        ("quotas", True, lambda c: quotas.list_quotas(c, now_ms)),
        ("upstreams", True, lambda c: upstreams.list_upstreams(c, now_ms, {})),
        ("upstream: health", True, lambda c: health.upstream_health(c, "upstream-1", now_ms, {})),
        ("upstream: errors", True, lambda c: health.upstream_errors(c, "upstream-4", 20)),
        ("models: asked for", True, lambda c: by_model(c, now_ms)),
        ("operations", True, lambda c: operations.list_operations(c, limit=100, cursor="")),
        ("usage: newest 200", True, page()),
        ("usage: the middle", True, page(cursor="500000.0")),
        ("usage: a moment", True, page(at="45d")),
        ("usage: newer than the middle", True, page(cursor="-500000.0")),
        ("usage: last 24 h", True, page(since="24h")),
        ("usage: a day, 60 days ago", True, page(since="61d", until="60d")),
        ("usage: one key", True, page(key="key-0007")),
        ("usage: a rare key", True, page(key=rarest)),
        ("usage: one model", True, page(model="claude-haiku-5")),
        ("usage: one upstream", True, page(upstream="upstream-4")),
        ("usage: one group", True, page(group="group-3")),
        ("usage: errors", True, page(status="error")),
        ("usage: errors of a key", True, page(status="5xx", key="key-0003")),
        ("usage: refused", True, page(kind="refused")),
        ("usage: a text that is nowhere", True, page(text="no-such-text")),
        ("usage: a client that is nowhere", True, page(client="nobody")),
        ("usage: an operation that is nowhere", True, page(operation="embeddings")),
        *[
            (f"sums: {since} by {by}", True, sums(by, since, 100 if by == "key" else 0))
            for since, groupings in (
                ("24h", ("hour", "model", "key", "group", "upstream", "status")),
                ("7d", ("hour", "day", "model", "key", "group", "upstream", "status")),
                ("30d", ("day", "model", "key", "group", "upstream", "status")),
            )
            for by in groupings
        ],
        ("sums: 90d by day", True, sums("day", "90d")),
        ("sums: 30d of a key by day", True, sums("day", "30d", key="key-0007")),
        ("sums: 30d of a key by model", True, sums("model", "30d", key="key-0007")),
        ("sums: 7d of a group by hour", True, sums("hour", "7d", group="group-3")),
        ("sums: 7d of a model by key", False, sums("key", "7d", 100, model="gpt-5.5")),
        ("sums: 24h of a client by hour", False, sums("hour", "24h", client="curl")),
        (
            "doctor",
            False,
            lambda c: examine(
                c, config, Place(data=folder.root, config_file=None, disk=disk, running=True), book, now_ms
            ),
        ),
    ]
    return found


def measure(folder: Folder, runs: int) -> list[Time]:
    connection = connect(folder.database, read_only=True)
    (newest_ms,) = connection.execute("SELECT max(started_at_ms) FROM usage_records").fetchone()
    times: list[Time] = []
    for name, judged, question in questions(folder, newest_ms + 1_000):
        question(connection)
        # what is not judged takes seconds
        taken = [_once(connection, question) for _ in range(runs if judged else 1)]
        times.append(Time(name, judged, min(taken), statistics.median(taken)))
    return times


def _once(connection: Connection, question: Question) -> float:
    begun = time.thread_time()
    question(connection)
    return (time.thread_time() - begun) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--most-ms", type=float, default=10.0)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    folder = Folder(given.folder)
    if not folder.database.exists():
        sys.exit(f"{folder.database} does not exist; make one with scripts/bench/console_data")
    times = measure(folder, given.runs)
    for one in times:
        print(
            f"{one.best_ms:8.1f} {one.median_ms:8.1f} ms  {one.question}{'' if one.judged else '  (not judged)'}"
        )
    if given.json:
        given.json.write_bytes(msgspec.json.encode(times))
    slow = [one.question for one in times if one.judged and one.best_ms > given.most_ms]
    if slow:
        sys.exit(f"{len(slow)} take longer than {given.most_ms:g} ms: {', '.join(slow)}")


if __name__ == "__main__":
    main()
