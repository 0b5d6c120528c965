"""LaiDian against caddy in one run: processor time per answered request, round by round in shuffled turns.

    scripts/bench/run [--rounds N] [--seconds S] [--connections N] [--unpinned] [--cases plain,paced,unpaced]
                      [--against CHECKOUT] [--json FILE] [--at-most RATIO] [--base-port N]

Compares what one core spends on a request: LaiDian with everything on (key, limits, hold, durable settlement, record,
metrics, log line) and caddy as a bare reverse proxy, before the same upstream. The server under test has one core to
itself, load and upstream have another; `--unpinned` lets the kernel choose. `direct` is the upstream alone, which no relay
can be faster than. `--against` adds another checkout of this project as `other`: before and after a change, in one run.
The rule a newcomer would break: absolute figures belong to the machine and the minute. Quote the ratio, which is taken
within each round. Exits 1 on a wrong answer, and when a ratio is above `--at-most`.
"""

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
import uvloop

from scripts.bench import caddy, instance
from scripts.bench.load import Plan, Report, load
from scripts.bench.processes import Server, Unable, busy_s, running

CASES = {
    "plain": Plan(1),
    "paced": Plan(1, stream=True, interval_ms=10),
    "unpaced": Plan(1, stream=True),
}
TITLES = {
    "plain": "plain chat",
    "paced": "stream of 100 chunks, one every 10 ms",
    "unpaced": "stream of 100 chunks, as fast as it goes",
}
WARM_UP_S = 1.0
QUIET_S = 0.3
"""Pause before the last look at the clock of a server, for what it does behind an answer (log lines are written every 0.1 s)."""


class Turn(msgspec.Struct, frozen=True):
    """One server under one load."""

    round: int
    case: str
    server: str
    cpu_us: float
    """Processor time of the server's tree per answered request."""
    report: Report
    others: float
    """Cores that programs outside the measurement used meanwhile."""


class Row(msgspec.Struct, frozen=True):
    """What all rounds say of one server in one case. Spans are [median, least, most]."""

    case: str
    server: str
    cpu_us: tuple[float, float, float]
    to_caddy: tuple[float, float, float]
    """Processor time over caddy's of the same round."""
    per_second: float
    p50_ms: float
    p99_ms: float
    first_byte_p50_ms: float
    answers: int
    errors: int


class Result(msgspec.Struct, frozen=True):
    pinned: bool
    rows: list[Row]
    turns: list[Turn]


class Bench:
    """The servers of a run, all started, only one of them loaded at a time."""

    def __init__(
        self, servers: list[Server], upstream: Server, keys: dict[str, str], options: argparse.Namespace
    ) -> None:
        self._servers = servers
        self._upstream = upstream
        self._keys = keys
        self._options = options

    def round(self, number: int) -> Iterator[Turn]:
        for case in self._options.cases:
            for server in random.sample(self._servers, len(self._servers)):
                yield self._turn(number, case, server)

    def _turn(self, number: int, case: str, server: Server) -> Turn:
        plan = msgspec.structs.replace(
            CASES[case],
            port=server.port,
            key=self._keys.get(server.name, ""),
            connections=self._options.connections,
            seconds=self._options.seconds,
        )
        uvloop.run(load(msgspec.structs.replace(plan, seconds=WARM_UP_S)))
        time.sleep(QUIET_S)
        before, machine, own = server.cpu_s(), busy_s(), self._own_cpu_s()
        begun = time.perf_counter()
        report = uvloop.run(load(plan))
        time.sleep(QUIET_S)
        spent = server.cpu_s() - before
        ours = self._own_cpu_s() - own + (0.0 if server is self._upstream else spent)
        others = (busy_s() - machine - ours) / (time.perf_counter() - begun)
        return Turn(number, case, server.name, spent / max(report.answers, 1) * 1e6, report, max(0.0, others))

    def _own_cpu_s(self) -> float:
        return time.process_time() + self._upstream.cpu_s()


@contextmanager
def started(options: argparse.Namespace) -> Iterator[Bench]:
    """Everything up and answering. Raises Unable when a port is taken or something does not start."""
    program = caddy.installed()
    cores = (None, None) if options.unpinned else _cores()
    if cores[1] is not None:
        os.sched_setaffinity(0, {cores[1]})
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="laidian-bench-")))
        stage = _Stage(stack, folder, options.base_port, cores)
        upstream = stage.upstream()
        servers = [upstream, stage.caddy(program)]
        keys: dict[str, str] = {}
        checkouts = {"laidian": caddy.ROOT}
        if options.against:
            checkouts["other"] = options.against.absolute()
        for name, checkout in checkouts.items():
            server, keys[name] = stage.laidian(name, checkout)
            servers.append(server)
        yield Bench(servers, upstream, keys, options)


class _Stage:
    """Where the servers stand: ports from `port` on, logs and data in `folder`, relays on the first core."""

    def __init__(
        self, stack: ExitStack, folder: Path, port: int, cores: tuple[int, int] | tuple[None, None]
    ) -> None:
        self._stack = stack
        self._folder = folder
        self._port = port
        self._relays, self._load = cores

    def upstream(self) -> Server:
        command = [sys.executable, "-m", "scripts.bench.upstream", "--port", str(self._port)]
        return self._start("direct", self._port, command, "/v1/models", core=self._load, folder=caddy.ROOT)

    def caddy(self, program: Path) -> Server:
        port = self._port + 1
        command = caddy.command(program, self._folder, port, self._port)
        environment = caddy.environment(self._folder)
        return self._start(
            "caddy",
            port,
            command,
            "/v1/models",
            core=self._relays,
            folder=self._folder,
            environment=environment,
        )

    def laidian(self, name: str, checkout: Path) -> tuple[Server, str]:
        """A server of that checkout, and the key it takes."""
        port = self._port + (2 if name == "laidian" else 3)
        data = self._folder / name
        instance.compile_bytecode(checkout)
        key = instance.provision(checkout, data, f"http://127.0.0.1:{self._port}/v1")
        environment = instance.environment()
        command = instance.command(data, port)
        server = self._start(
            name, port, command, "/health", core=self._relays, folder=checkout, environment=environment
        )
        return server, key

    def _start(
        self,
        name: str,
        port: int,
        command: list[str],
        path: str,
        *,
        core: int | None,
        folder: Path,
        environment: dict[str, str] | None = None,
    ) -> Server:
        log = self._folder / f"{name}.log"
        server = self._stack.enter_context(
            running(name, port, command, log, environment=environment, core=core, folder=folder)
        )
        server.wait_until_it_answers(path)
        return server


def _cores() -> tuple[int, int]:
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise Unable(
            "Pinning needs two cores: one for the server, one for the load. Measure with --unpinned."
        )
    return allowed[0], allowed[1]


def rows_of(turns: list[Turn]) -> list[Row]:
    """One row for each case and server, in the order of the table."""
    yardstick = {(turn.case, turn.round): turn.cpu_us for turn in turns if turn.server == "caddy"}
    rows: list[Row] = []
    for case in CASES:
        for server in ("laidian", "other", "caddy", "direct"):
            mine = [turn for turn in turns if (turn.case, turn.server) == (case, server)]
            if mine:
                rows.append(
                    _row(case, server, mine, [turn.cpu_us / yardstick[case, turn.round] for turn in mine])
                )
    return rows


def _row(case: str, server: str, turns: list[Turn], ratios: list[float]) -> Row:
    reports = [turn.report for turn in turns]
    return Row(
        case,
        server,
        _span([turn.cpu_us for turn in turns]),
        _span(ratios),
        statistics.median(report.per_second for report in reports),
        statistics.median(report.p50_ms for report in reports),
        statistics.median(report.p99_ms for report in reports),
        statistics.median(report.first_byte_p50_ms for report in reports),
        sum(report.answers for report in reports),
        sum(report.errors for report in reports),
    )


def _span(values: list[float]) -> tuple[float, float, float]:
    return statistics.median(values), min(values), max(values)


def table(rows: list[Row]) -> str:
    lines: list[str] = []
    for case in dict.fromkeys(row.case for row in rows):
        lines.append(f"\n{TITLES[case]}")
        lines.append(
            f"  {'':8} {'us of processor per request':>32} {'x caddy':>20} {'per s':>8} {'p50 ms':>9} {'p99 ms':>9} "
            f"{'1st byte':>9} {'answers':>8} {'errors':>6}"
        )
        for row in rows:
            if row.case == case:
                lines.append(_line(row))
    return "\n".join(lines)


def _line(row: Row) -> str:
    cpu = "{:,.0f} [{:,.0f} - {:,.0f}]".format(*row.cpu_us)
    ratio = "{:.2f} [{:.2f} - {:.2f}]".format(*row.to_caddy)
    return (
        f"  {row.server:8} {cpu:>32} {ratio:>20} {row.per_second:8,.0f} {row.p50_ms:9.2f} {row.p99_ms:9.2f} "
        f"{row.first_byte_p50_ms:9.2f} {row.answers:8,} {row.errors:6,}"
    )


def measure(options: argparse.Namespace) -> Result:
    turns: list[Turn] = []
    with started(options) as bench:
        for number in range(options.rounds):
            for turn in bench.round(number):
                turns.append(turn)
                print(
                    f"round {number + 1}: {turn.case:8} {turn.server:8} {turn.cpu_us:9,.0f} us, others {turn.others:.2f} cores",
                    file=sys.stderr,
                )
                if turn.report.errors:
                    print(f"  {turn.report.errors} errors, first: {turn.report.first_error}", file=sys.stderr)
    return Result(not options.unpinned, rows_of(turns), turns)


def failure(result: Result, at_most: float | None) -> str:
    """Why the run is no success; empty when it is one."""
    wrong = sum(row.errors for row in result.rows)
    if wrong:
        return f"{wrong} answers were wrong; see above."
    dear = [row for row in result.rows if row.server == "laidian" and at_most and row.to_caddy[0] > at_most]
    return "; ".join(f"{row.case}: {row.to_caddy[0]:.2f} x caddy, wanted at most {at_most:g}" for row in dear)


def _cases(value: str) -> list[str]:
    names = value.split(",")
    unknown = [name for name in names if name not in CASES]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no case {unknown[0]!r}; the cases are {', '.join(CASES)}")
    return names


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench/run", description="Compare LaiDian with caddy.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="length of one turn")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--cases", type=_cases, default=list(CASES), help=f"some of {','.join(CASES)}")
    parser.add_argument("--unpinned", action="store_true", help="let the kernel choose the cores")
    parser.add_argument("--json", type=Path, help="write everything measured to this file")
    parser.add_argument(
        "--at-most", type=float, help="exit 1 when LaiDian costs more than this many times caddy"
    )
    parser.add_argument(
        "--against", type=Path, help="another checkout of this project, measured in the same rounds"
    )
    parser.add_argument("--base-port", type=int, default=18080, help="this port and the next three are used")
    options = parser.parse_args()
    try:
        result = measure(options)
    except Unable as problem:
        raise SystemExit(f"error: {problem}") from None
    print(table(result.rows))
    if options.json:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=1))
    problem = failure(result, options.at_most)
    if problem:
        raise SystemExit(f"error: {problem}")


if __name__ == "__main__":
    main()
