"""The simulated provider as a real process on a free loopback port, for any test that needs an upstream.

    with simulated_provider() as provider:
        client = OpenAI(base_url=f"{provider.base_url}/v1", api_key="sim-test")

Starting one takes about half a second: share it over a module and call `reset()` between tests. The types here
are the reader's own, so that a test does not judge the provider by the provider's code.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tests.ports import free_port

START_LIMIT_S = 20.0
_ROOT = Path(__file__).resolve().parent.parent


class BilledUsage(msgspec.Struct, frozen=True):
    """Sums are inclusive: cached and written tokens are part of the input, reasoning is part of the output."""

    input_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    input_image_tokens: int = 0
    output_image_tokens: int = 0
    images: int = 0
    input_audio_tokens: int = 0
    output_audio_tokens: int = 0
    characters: int = 0
    seconds: int = 0


class BilledRow(msgspec.Struct, frozen=True):
    seq: int
    request_id: str | None
    provider_request_id: str
    key_prefix: str
    dialect: str
    model: str
    stream: bool
    usage: BilledUsage
    output_tokens_sent: int
    ended: str
    fault: str | None
    status: int
    service_tier: str | None


class BilledTotals(msgspec.Struct, frozen=True):
    rows: int
    charged: int
    usage: BilledUsage
    by_model: dict[str, BilledUsage]
    by_key_prefix: dict[str, BilledUsage]


class ProviderBill(msgspec.Struct, frozen=True):
    rows: list[BilledRow]
    totals: BilledTotals


class SeenRequest(msgspec.Struct, frozen=True):
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> object:
        return json.loads(self.body)


class _Seen(msgspec.Struct, frozen=True):
    count: int
    requests: list[SeenRequest]


class SimulatedProvider:
    """A running provider. `base_url` has no path: add `/v1`, `/v1beta` or nothing, as the client wants it."""

    def __init__(self, host: str, port: int, process: subprocess.Popen[bytes]) -> None:
        self.host = host
        self.port = port
        self.process = process
        self.base_url = f"http://{host}:{port}"

    def bill(self, *, rows: int = 0) -> ProviderBill:
        """The bill, once it has at least so many rows."""
        return msgspec.json.decode(self._call("GET", f"bill?rows={rows}"), type=ProviderBill)

    def requests(self, *, count: int = 0) -> list[SeenRequest]:
        """The last 200 requests, once at least so many have arrived."""
        return msgspec.json.decode(self._call("GET", f"requests?count={count}"), type=_Seen).requests

    def fault(
        self,
        name: str,
        *,
        model: str | None = None,
        path: str | None = None,
        key_prefix: str | None = None,
        times: int | None = None,
        ms: int | None = None,
    ) -> None:
        """Switch a fault on; without conditions and `times` it hits every request that costs money."""
        rule = {
            "fault": name,
            "model": model,
            "path": path,
            "key_prefix": key_prefix,
            "times": times,
            "ms": ms,
        }
        self._call("POST", "faults", json.dumps(rule).encode())

    def clear_faults(self) -> None:
        """Switch all faults off; requests that hang go on (and get 504)."""
        self._call("DELETE", "faults")

    def reset(self) -> None:
        """No faults, no rows, no requests."""
        for name in ("faults", "bill", "requests"):
            self._call("DELETE", name)

    def _call(self, method: str, name: str, body: bytes | None = None) -> bytes:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
        try:
            connection.request(method, f"/simulated/{name}", body)
            response = connection.getresponse()
            answer = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise RuntimeError(f"the simulated provider answered {response.status}: {answer.decode()}")
        return answer


@contextlib.contextmanager
def simulated_provider(host: str = "127.0.0.1") -> Iterator[SimulatedProvider]:
    """Start one, wait until it answers, and end it by its pid. Dies with the test process in any case."""
    port = free_port(host)
    command = [sys.executable, "-m", "laidian.simulated.serve", str(port), host]
    environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            wait_until_it_answers(host, port, process)
            yield SimulatedProvider(host, port, process)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()


def wait_until_it_answers(host: str, port: int, process: subprocess.Popen[bytes]) -> None:
    """Poll /simulated/health. Raises RuntimeError when the process ends or does not answer in 20 s."""
    limit = time.monotonic() + START_LIMIT_S
    while time.monotonic() < limit:
        if process.poll() is not None:
            raise RuntimeError(f"the simulated provider ended with code {process.returncode} at start")
        connection = http.client.HTTPConnection(host, port, timeout=2)
        try:
            connection.request("GET", "/simulated/health")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.01)
        finally:
            connection.close()
    raise RuntimeError(f"the simulated provider did not answer within {START_LIMIT_S:g} s")
