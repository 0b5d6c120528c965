"""A data folder with many records and keys, written through the store's own tables in bulk, for measuring the console.

    scripts/bench/console_data FOLDER [--records 1000000] [--keys 2000] [--days 90] [--unfolded 200] [--seed 1]

Half of the requests come from one key in twenty. Four upstreams, six groups, thirty quotas, ten models; about one request in
fifty fails, one in a hundred was tried at two upstreams, and a thousand were refused. The ledger adds up: `laidian audit` is clean. The
last `--unfolded` records are left for the server to fold. A folder that exists is not touched.
"""

from __future__ import annotations

import argparse
import bisect
import itertools
import random
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import msgspec

from laidian.admin.schema import GroupCreate, UpstreamCreate
from laidian.admin.schema.upstreams import CredentialCreate
from laidian.admin.service.groups import create_group
from laidian.admin.service.start import lay_ground
from laidian.admin.service.upstreams import add_upstream
from laidian.data import price_book_bytes
from laidian.domain.key import digest, display, spell
from laidian.domain.price import Price, Rate
from laidian.domain.usage import UNITS
from laidian.server.folder import Folder
from laidian.store.connection import Connection
from laidian.store.database import WriteLock, bump_catalog, checkpoint, connect, immediate, lock_path, migrate
from laidian.store.ledger import keep_price
from laidian.store.rollups import fold, forget
from laidian.store.vault import Vault, master_key

GROUPS, QUOTAS, UPSTREAMS = 6, 30, 4
MODELS = ("gpt-5.5", "gpt-5.4", "gpt-5.4-mini", "gpt-5.4-nano", "o4-mini", "gemini-3-pro", "gemini-3-flash", "claude-sonnet-5",
          "claude-haiku-5", "text-embedding-3-large")  # fmt: skip
_COLUMNS = (
    "id, request_id, key_id, group_id, quota_id, upstream_id, credential_id, operation, model, asked_model, upstream_model, stream, "
    "started_at_ms, first_byte_ms, duration_ms, status, ended, error_code, usage_from, "
    + ", ".join(UNITS)
    + ", price_version, service_tier, multiplier_ppm, amount_nano, shortfall_nano, held_nano, windows, attempts, client"
)
BATCH = 20_000
_CLIENTS = (
    "OpenAI/Python 3.54.0",
    "codex_cli_rs/0.162.1",
    "google-genai-sdk/3.4",
    "Chatbox/1.18",
    "curl/8.14",
)
# rates whose product with a token is a whole number of nano-dollars, so that amounts need no rounding
_RATES = {"input": 2_000_000_000, "cached_input": 200_000_000, "output": 10_000_000_000}


def make(folder: Folder, records: int, keys: int, days: int, unfolded: int, seed: int) -> None:
    chance, now_ms = random.Random(seed), time.time_ns() // 1_000_000
    folder.create()
    migrate(folder.database)
    connection, lock = connect(folder.database, synchronous="OFF"), WriteLock(lock_path(folder.database))
    vault = Vault(master_key(folder.master_key))
    with immediate(connection, lock):
        lay_ground(connection, shipped_book=price_book_bytes(), now_ms=now_ms)
        _set_up(connection, vault, keys, chance, now_ms - days * 86_400_000)
    spent: dict[int, int] = defaultdict(int)
    last: dict[int, int] = {}
    rows = _records(records, keys, days, chance, now_ms, spent, last)
    statement = f"INSERT INTO usage_records ({_COLUMNS}) VALUES ({', '.join('?' * (28 + len(UNITS)))})"
    while batch := list(itertools.islice(rows, BATCH)):
        with immediate(connection, lock):
            connection.executemany(statement, batch)
        _written_back(connection, lock)
    with immediate(connection, lock):
        _counters(connection, spent, last)
        _refusals(connection, chance, keys, records, now_ms)
        forget(connection, now_ms)
    folded = 0
    while folded < records - unfolded:
        with immediate(connection, lock):
            fold(connection, min(BATCH, records - unfolded - folded))
        folded += BATCH
        _written_back(connection, lock)
    with immediate(connection, lock):
        connection.execute("ANALYZE")
    _written_back(connection, lock)
    connection.close()


def _written_back(connection: Connection, lock: WriteLock) -> None:
    """The write-ahead log would otherwise grow to twice the database."""
    lock.acquire()
    checkpoint(connection)
    lock.release()


def _set_up(connection: Connection, vault: Vault, keys: int, chance: random.Random, at_ms: int) -> None:
    for number in range(1, UPSTREAMS + 1):
        add_upstream(
            connection,
            vault,
            UpstreamCreate(
                name=f"upstream-{number}",
                kind="openai",
                base_url="http://127.0.0.1:9/v1",
                models=MODELS,
                credentials=(CredentialCreate(api_key=f"sk-bench-{number}"),),
            ),
            now_ms=at_ms,
        )
    for number in range(1, GROUPS + 1):
        create_group(connection, GroupCreate(name=f"group-{number}"), now_ms=at_ms)
    for number in range(1, QUOTAS + 1):
        kind = "prepaid" if number % 3 else "unlimited"
        connection.execute(
            "INSERT INTO quotas (name, kind, credited_nano, created_at_ms) VALUES (?, ?, ?, ?)",
            (f"quota-{number}", kind, 10**15 if kind == "prepaid" else 0, at_ms),
        )
        if kind == "prepaid":
            connection.execute(
                "INSERT INTO credits (quota_id, amount_nano, note, at_ms) VALUES (last_insert_rowid(), ?, 'bench', ?)",
                (10**15, at_ms),
            )
    for number in range(1, keys + 1):
        credential = spell(chance.randbytes(32))
        connection.execute(
            "INSERT INTO keys (id, name, digest, display, group_id, quota_id, limit_nano, created_at_ms) "
            "SELECT ?, ?, ?, ?, g.id, q.id, ?, ? FROM groups g, quotas q WHERE g.name = ? AND q.name = ?",
            (number, f"key-{number:04}", digest(credential), display(credential), None if number % 2 else 10**14, at_ms,
             f"group-{number % GROUPS + 1}", f"quota-{number % QUOTAS + 1}"),
        )  # fmt: skip
    for model in MODELS:
        keep_price(connection, _price(model), "book", at_ms)
    bump_catalog(connection)


def _price(model: str) -> Price:
    rates = tuple(Rate(unit, rate) for unit, rate in _RATES.items())
    return Price(model, 0, "bench", "2026-11-22", f"bench/{model}", rates, None, 128_000)


def _records(
    records: int,
    keys: int,
    days: int,
    chance: random.Random,
    now_ms: int,
    spent: dict[int, int],
    last: dict[int, int],
) -> Any:
    """Rows of usage_records, oldest first."""
    weights = list(itertools.accumulate(1 / (number + 20) for number in range(keys)))
    model_weights = list(itertools.accumulate(1 / (number + 1) for number in range(len(MODELS))))
    begin_ms, span_ms = now_ms - days * 86_400_000, days * 86_400_000
    good = ["[" + _attempt(f"upstream-{number}", "ok", 200, "") + "]" for number in range(1, UPSTREAMS + 1)]
    retried = [
        "["
        + _attempt("upstream-4", "server", 502, "it answered 502: bad gateway")
        + ","
        + _attempt(f"upstream-{number}", "ok", 200, "")
        + "]"
        for number in range(1, UPSTREAMS + 1)
    ]
    broken = [
        "[" + _attempt(f"upstream-{number}", "server", 503, "it answered 503: overloaded") + "]"
        for number in range(1, UPSTREAMS + 1)
    ]
    rand = chance.random
    for number in range(1, records + 1):
        key = bisect.bisect(weights, rand() * weights[-1]) + 1
        model = MODELS[bisect.bisect(model_weights, rand() * model_weights[-1])]
        # two upstreams have most of the traffic, as priorities make it
        upstream = 1 if rand() < 0.7 else 2 if rand() < 0.6 else 3 if rand() < 0.7 else 4
        started = begin_ms + span_ms * number // (records + 1)
        luck, size = rand(), rand()
        units = dict.fromkeys(UNITS, 0)
        status, ended, code, usage_from, attempts, amount = (
            200,
            "complete",
            "",
            "upstream",
            good[upstream - 1],
            0,
        )
        if luck < 0.02:
            status, ended, code, usage_from, attempts = (
                503,
                "upstream_fault",
                "upstream_error",
                "none",
                broken[upstream - 1],
            )
        else:
            fresh, cached, output = (
                int(200 + size * 4000),
                int(size * 3000) if luck > 0.5 else 0,
                int(20 + size * 900),
            )
            units["input"], units["cached_input"], units["output"] = fresh, cached, output
            amount = fresh * 2000 + cached * 200 + output * 10_000
            if luck < 0.03:
                attempts = retried[upstream - 1]
        spent[key] += amount
        last[key] = started
        first = int(150 + (size**6) * 6000) if status == 200 else None
        yield (
            number, f"req_{started:012x}{chance.getrandbits(80):020x}", key, key % GROUPS + 2, key % QUOTAS + 2, upstream, upstream,
            "chat.completions", model, model, model, int(size > 0.3), started, first, int(300 + (size**4) * 30_000),
            status, ended, code, usage_from, *units.values(), f"bench/{model}", "default", 1_000_000, amount, 0, amount, "{}", attempts,
            _CLIENTS[key % len(_CLIENTS)],
        )  # fmt: skip


def _attempt(upstream: str, outcome: str, status: int, message: str) -> str:
    attempt = {
        "upstream": upstream,
        "credential": "key-1",
        "outcome": outcome,
        "status": status,
        "duration_ms": 900,
        "message": message,
    }
    return msgspec.json.encode(attempt).decode()


def _counters(connection: Connection, spent: dict[int, int], last: dict[int, int]) -> None:
    connection.executemany(
        "UPDATE keys SET spent_nano = ?, last_used_at_ms = ? WHERE id = ?",
        [(amount, last[key], key) for key, amount in spent.items()],
    )
    connection.execute(
        "UPDATE quotas SET spent_nano = (SELECT coalesce(sum(spent_nano), 0) FROM keys WHERE quota_id = quotas.id)"
    )


def _refusals(connection: Connection, chance: random.Random, keys: int, records: int, now_ms: int) -> None:
    message = "Group `group-1` allows 60 requests a minute per key. Wait 12 s."
    connection.executemany(
        "INSERT INTO refusals (request_id, at_ms, after_id, key_id, shown, group_id, operation, model, status, code, message, "
        "duration_ms, client) VALUES (?, ?, ?, ?, '', 2, 'chat.completions', 'gpt-5.5', 429, 'rate_limit_exceeded', ?, 3, 'curl/8.14')",
        [
            (
                f"req_{at_ms:012x}{chance.getrandbits(80):020x}",
                at_ms,
                after,
                chance.randrange(keys) + 1,
                message,
            )
            for number in range(1_000)
            for at_ms, after in [(now_ms - (1_000 - number) * 60_000, records - 500 + number // 2)]
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    for name, usual in (
        ("records", 1_000_000),
        ("keys", 2_000),
        ("days", 90),
        ("unfolded", 200),
        ("seed", 1),
    ):
        parser.add_argument(f"--{name}", type=int, default=usual)
    given = parser.parse_args()
    folder = Folder(given.folder)
    if folder.database.exists():
        sys.exit(f"{folder.database} exists; choose another folder")
    begun = time.monotonic()
    make(folder, given.records, given.keys, given.days, given.unfolded, given.seed)
    size = folder.database.stat().st_size / 1e6
    print(
        f"{given.records} records of {given.keys} keys in {time.monotonic() - begun:.0f} s: {folder.root}, {size:.0f} MB"
    )


if __name__ == "__main__":
    main()
