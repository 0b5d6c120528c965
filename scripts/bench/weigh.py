"""How fast LaiDian starts and what it weighs idle: cold start to the first 200, memory of the whole process tree.

    scripts/bench/start_and_memory [--starts N] [--idle-seconds S] [--json FILE] [--port N]

The data folder has one upstream, a key and a prepaid quota. Caches are warm (one start goes before, uncounted) and
bytecode is compiled, as in an installed copy. Memory is read from smaps_rollup after the last start: RSS counts shared pages
once for each process and is what the target means, PSS once. Exits 1 above the targets: 1.5 s, 120 MB.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from scripts.bench import caddy, instance
from scripts.bench.processes import Memory, Unable, running

START_TARGET_S = 1.5
MEMORY_TARGET_MB = 120.0
MB = 1_000_000


class Weight(msgspec.Struct, frozen=True):
    starts_s: list[float]
    """Each from the command to the first 200 of /health."""
    memory: Memory
    """Idle, a moment after the last start."""

    @property
    def start_s(self) -> float:
        return statistics.median(self.starts_s)


def weigh(starts: int, idle_s: float, port: int) -> Weight:
    """Raises Unable when the port is taken or the server does not start."""
    instance.compile_bytecode(caddy.ROOT)
    taken: list[float] = []
    with tempfile.TemporaryDirectory(prefix="laidian-bench-") as name:
        folder = Path(name)
        # the discard port: nothing is ever sent there
        instance.provision(caddy.ROOT, folder / "data", "http://127.0.0.1:9/v1")
        for number in range(starts + 1):
            begun = time.perf_counter()
            command = instance.command(folder / "data", port)
            log, environment = folder / "laidian.log", instance.environment()
            with running("laidian", port, command, log, environment=environment, folder=caddy.ROOT) as server:
                server.wait_until_it_answers("/health")
                if number:  # the first one warms the caches
                    taken.append(time.perf_counter() - begun)
                if number == starts:
                    time.sleep(idle_s)
                    return Weight(taken, server.memory())
    raise Unable("Nothing was measured; --starts must be at least 1.")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="scripts/bench/start_and_memory", description="Start time and idle memory."
    )
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--idle-seconds", type=float, default=3.0)
    parser.add_argument("--json", type=Path, help="write everything measured to this file")
    parser.add_argument("--port", type=int, default=18090)
    options = parser.parse_args()
    try:
        weight = weigh(max(1, options.starts), options.idle_seconds, options.port)
    except Unable as problem:
        raise SystemExit(f"error: {problem}") from None
    memory = weight.memory
    least, most = min(weight.starts_s), max(weight.starts_s)
    print(
        f"cold start to the first 200: {weight.start_s:.2f} s [{least:.2f} - {most:.2f}] of {len(weight.starts_s)} starts"
    )
    print(
        f"idle memory of {memory.processes} processes: {memory.rss / MB:.0f} MB RSS, {memory.pss / MB:.0f} MB PSS"
    )
    if options.json:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(weight), indent=1))
    if weight.start_s > START_TARGET_S or memory.rss > MEMORY_TARGET_MB * MB:
        print(f"above the target: {START_TARGET_S:g} s, {MEMORY_TARGET_MB:g} MB", file=sys.stderr)
        raise SystemExit(1)


if __name__ == "__main__":
    main()
