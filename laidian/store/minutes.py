"""The last hour by the minute and the upstream: what the first screen draws. From the rollup, and from the records that are not in it yet."""

from __future__ import annotations

import msgspec

from laidian.domain.latency import CLASSES
from laidian.store.connection import Connection
from laidian.store.rollups import MINUTE_MS, MINUTES, added_up, folded_to


class Minute(msgspec.Struct, frozen=True):
    """What began in one minute and went to one upstream, as far as it is settled."""

    minute: int
    """Since the epoch."""
    upstream_id: int
    """0: none answered."""
    requests: int
    failed: int
    tokens: int
    charged_nano: int
    first_byte_ms: int
    """All together."""
    first_bytes: int
    """How many that were."""
    durations: tuple[int, ...]
    """Counts in the classes of domain.latency."""
    first_byte_counts: tuple[int, ...]


_COLUMNS = [MINUTES.period, *MINUTES.dimensions, *MINUTES.measures]
_KEPT = f"SELECT {', '.join(_COLUMNS)} FROM usage_minutes WHERE minute >= ?1"
_TAIL = added_up(MINUTES, f"r.id > ?2 AND +r.started_at_ms >= ?1 * {MINUTE_MS}")
_LATENCY = [f"sum({kind}{number})" for kind in "tf" for number in range(CLASSES)]
_READ = f"""
    WITH pieces ({", ".join(_COLUMNS)}) AS ({_KEPT} UNION ALL SELECT * FROM ({_TAIL}))
    SELECT minute, upstream_id, sum(requests), sum(failed), sum(input_tokens) + sum(output_tokens), sum(charged_nano), sum(first_byte_ms),
           sum(first_bytes), {", ".join(_LATENCY)}
    FROM pieces GROUP BY 1, 2 ORDER BY 1
"""


def read_minutes(connection: Connection, since: int) -> list[Minute]:
    """From a minute on, oldest first; a minute without requests has no row. Reaches back three hours at most."""
    return [
        Minute(*row[:8], durations=row[8 : 8 + CLASSES], first_byte_counts=row[8 + CLASSES :])
        for row in connection.execute(_READ, (since, folded_to(connection)))
    ]


def refusals_by_minute(connection: Connection, since: int) -> dict[int, int]:
    """How many were refused, by minute."""
    rows = connection.execute(
        f"SELECT at_ms / {MINUTE_MS}, count(*) FROM refusals WHERE at_ms >= ? GROUP BY 1",
        (since * MINUTE_MS,),
    )
    return dict(rows.fetchall())
