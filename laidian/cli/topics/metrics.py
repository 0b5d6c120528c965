"""Every metric. A test holds the table against what the program counts."""

from __future__ import annotations

import msgspec


class Metric(msgspec.Struct, frozen=True):
    name: str
    kind: str
    labels: str
    means: str


METRICS: tuple[Metric, ...] = (
    Metric(
        "laidian_requests",
        "counter",
        "operation, status, ended",
        "requests by operation, HTTP status and how they ended",
    ),
    Metric("laidian_tokens", "counter", "model, side", "tokens metered, input and output"),
    Metric("laidian_spent_nano_usd", "counter", "model", "money charged, in billionths of a dollar"),
    Metric("laidian_request_seconds", "histogram", "operation", "from a request's head to its settlement"),
    Metric(
        "laidian_first_byte_seconds",
        "histogram",
        "operation",
        "from a request's head to the first byte of its answer",
    ),
    Metric(
        "laidian_upstream_attempts",
        "counter",
        "upstream, outcome",
        "tries at upstreams: `ok`, or the kind of fault",
    ),
    Metric("laidian_unauthenticated", "counter", "-", "requests without a valid key"),
)
HEAD = """Metrics

GET /metrics speaks Prometheus' text format, to this machine or with the admin token. Counters end in _total there, histograms have
_bucket, _sum and _count. All workers are added up; counters begin at 0 with each start. No label holds a key."""
ALERTS = """Worth an alert

  rate(laidian_upstream_attempts_total{outcome!="ok"}[5m]) by upstream    an upstream fails
  rate(laidian_requests_total{status=~"5.."}[5m])                         clients see faults
  increase(laidian_spent_nano_usd_total[1h]) / 1e9                        dollars an hour
  rate(laidian_unauthenticated_total[5m])                                 somebody guesses keys"""


def text() -> str:
    lines = [f"  {one.name:<28} {one.kind:<10} {one.labels:<26} {one.means}" for one in METRICS]
    return "\n\n".join([HEAD, "\n".join(lines), ALERTS])
