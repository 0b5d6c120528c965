"""Multipart requests through a running instance: streamed through the disk byte for byte, and sent again as they came."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from laidian.domain.group import CAPABILITIES
from laidian.store.vault import Vault, master_key
from tests.served import HOST, Served, Setup, served, wait_until
from tests.simulated_provider import SeenRequest, SimulatedProvider

PNG = b"\x89PNG\r\n\x1a\n"
BOUNDARY = b"----x7MA4YWxk"
TYPE = b"multipart/form-data; boundary=" + BOUNDARY
LIMIT = 60 * 1024 * 1024


@pytest.fixture(scope="module")
def instance(provider_process: SimulatedProvider) -> Iterator[Served]:
    config = f"[limits]\nbody_max_bytes = {LIMIT}\n"
    with served(provider_process, setup=Setup(config=config)) as running:
        running.write("UPDATE groups SET capabilities = ?", json.dumps(CAPABILITIES))
        yield running


@pytest.fixture
def laidian(instance: Served, provider: SimulatedProvider) -> Iterator[Served]:
    instance.wait_settled()
    yield instance
    instance.write("UPDATE groups SET aliases = '{}'")


@pytest.fixture
def second(laidian: Served, provider: SimulatedProvider) -> Iterator[Served]:
    """The instance with a second upstream behind the first: the same provider, with another credential."""
    vault = Vault(master_key(laidian.folder.master_key))
    laidian.write(
        "INSERT INTO upstreams (id, name, kind, base_url, priority, aliases, created_at_ms) "
        """VALUES (2, 'second', 'compatible', ?, 5, '{"chatgpt-image-latest":"gpt-image-2"}', 0)""",
        f"{provider.base_url}/v1",
    )
    laidian.write(
        "INSERT INTO credentials (id, upstream_id, label, sealed, fingerprint, enabled, created_at_ms) "
        "VALUES (2, 2, 'b', ?, 'f', 1, 0)",
        vault.seal("sim-0002", "credentials:2"),
    )
    yield laidian
    laidian.wait_settled()
    laidian.write("DELETE FROM credentials WHERE id = 2")
    laidian.write("DELETE FROM upstreams WHERE id = 2")
    laidian.write("UPDATE upstreams SET aliases = '{}'")
    laidian.write("UPDATE upstreams SET base_url = ? WHERE id = 1", f"{provider.base_url}/v1")
    laidian.write("DELETE FROM circuits")


def text(name: str, value: str) -> bytes:
    return b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (
        BOUNDARY,
        name.encode(),
        value.encode(),
    )


def file(name: str, filename: str, content: bytes, kind: str = "image/png") -> bytes:
    head = b'--%s\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\nContent-Type: %s\r\n\r\n' % (
        BOUNDARY,
        name.encode(),
        filename.encode(),
        kind.encode(),
    )
    return head + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--%s--\r\n" % BOUNDARY


SMALL = form(text("model", "gpt-image-2"), text("prompt", "a hat"), file("image", "a.png", PNG + b"x"))


class Caller:
    """One connection, written to as slowly as a test wants."""

    def __init__(self, laidian: Served) -> None:
        self.socket = socket.create_connection((HOST, laidian.port), timeout=60)
        self._key = laidian.key.encode()

    def head(self, path: str, *lines: bytes, kind: bytes = TYPE) -> None:
        fixed = (b"Host: localhost", b"Authorization: Bearer " + self._key, b"Content-Type: " + kind)
        self.socket.sendall(
            b"POST %s HTTP/1.1\r\n%s\r\n\r\n" % (path.encode(), b"\r\n".join((*fixed, *lines)))
        )

    def answer(self) -> tuple[int, bytes, bytes]:
        """(status, head, body), read until the other side closes or the stated length is there."""
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self.socket.recv(65536)
            assert piece, f"closed before an answer: {data!r}"
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        while len(body) < length:
            piece = self.socket.recv(65536)
            assert piece, "closed in the middle of an answer"
            body += piece
        return int(head[9:12]), head, body


def post(
    laidian: Served, body: bytes, path: str = "/v1/images/edits", kind: bytes = TYPE
) -> tuple[int, bytes, bytes]:
    caller = Caller(laidian)
    with contextlib.closing(caller.socket):
        caller.head(path, b"Content-Length: %d" % len(body), kind=kind)
        caller.socket.sendall(body)
        return caller.answer()


def sent(provider: SimulatedProvider) -> list[SeenRequest]:
    """What the relay has sent for clients: a probe may ask for the models at any moment."""
    return [seen for seen in provider.requests() if seen.method == "POST"]


def error_of(answer: tuple[int, bytes, bytes]) -> dict[str, object]:
    return json.loads(answer[2])["error"]


def attempts(laidian: Served) -> list[dict[str, object]]:
    return json.loads(laidian.records()[-1].attempts)


def spooled(laidian: Served) -> list[str]:
    """Files without a name that the worker still holds open in the data folder."""
    (worker,) = laidian.worker_pids()
    found: list[str] = []
    for entry in Path(f"/proc/{worker}/fd").iterdir():
        with contextlib.suppress(OSError):
            target = str(entry.readlink())
            if target.startswith(str(laidian.folder.root)) and target.endswith("(deleted)"):
                found.append(target)
    return found


class Memory:
    """The resident memory of the worker, by the kernel's own high-water mark."""

    def __init__(self, laidian: Served) -> None:
        (self._pid,) = laidian.worker_pids()
        Path(f"/proc/{self._pid}/clear_refs").write_text("5")  # the mark begins anew
        self._before_kb = self._read("VmRSS")

    def grown_mb(self) -> float:
        return (self._read("VmHWM") - self._before_kb) / 1024

    def _read(self, name: str) -> int:
        status = Path(f"/proc/{self._pid}/status").read_text()
        return int(status.partition(f"{name}:")[2].split()[0])


def test_a_50_mb_edit_arrives_byte_for_byte_while_the_process_hardly_grows(
    laidian: Served, provider: SimulatedProvider
):
    post(laidian, SMALL)  # the worker is warm: what is measured is the picture
    picture = PNG + random.Random(1).randbytes(50_000_000 - len(PNG))
    body = form(file("image", "港.png", picture), text("prompt", "a hat"), text("model", "gpt-image-2"))
    memory = Memory(laidian)
    assert post(laidian, body)[0] == 200
    grown_mb = memory.grown_mb()
    print(f"the worker grew by {grown_mb:.1f} MB")
    assert sent(provider)[-1].body == body
    assert grown_mb < 20
    wait_until(lambda: not spooled(laidian), "its file is closed")
    assert laidian.records()[-1].usage_from == "upstream"


def test_several_50_mb_edits_at_once_grow_it_no_more(laidian: Served, provider: SimulatedProvider):
    post(laidian, SMALL)
    picture = PNG + random.Random(2).randbytes(40_000_000)
    body = form(text("model", "gpt-image-2"), text("prompt", "a hat"), file("image", "a.png", picture))
    memory = Memory(laidian)
    statuses: list[int] = []
    threads = [threading.Thread(target=lambda: statuses.append(post(laidian, body)[0])) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    grown_mb = memory.grown_mb()
    print(f"the worker grew by {grown_mb:.1f} MB")
    assert statuses == [200] * 3
    assert grown_mb < 20
    wait_until(lambda: not spooled(laidian), "its file is closed")


def test_an_alias_changes_the_model_inside_the_form_and_nothing_else(
    laidian: Served, provider: SimulatedProvider
):
    laidian.write("""UPDATE groups SET aliases = '{"my-painter":"gpt-image-2"}'""")
    for filler in (b"", b"y" * 600_000):  # in memory, and on disk
        parts = file("image", "a.png", PNG + b"gpt my-painter" + filler), text("prompt", "my-painter")
        for before, after in ((parts, ()), ((), parts)):
            body = form(*before, text("model", "my-painter"), *after)
            assert post(laidian, body)[0] == 200
            seen = sent(provider)[-1]
            assert seen.body == form(*before, text("model", "gpt-image-2"), *after)
            assert int(seen.headers["content-length"]) == len(seen.body)


def test_a_form_is_sent_again_whole_and_renamed_for_each_upstream(
    second: Served, provider: SimulatedProvider
):
    second.write("""UPDATE upstreams SET aliases = '{"chatgpt-image-latest":"elsewhere"}' WHERE id = 1""")

    def asking(model: str) -> bytes:
        picture = file("image", "a.png", PNG + bytes(3_000_000))
        return form(text("model", model), text("prompt", "a hat"), picture)

    assert post(second, asking("chatgpt-image-latest"))[0] == 200
    first, then = sent(provider)
    assert first.body == asking("elsewhere")
    assert then.body == asking("gpt-image-2")
    assert [one["outcome"] for one in attempts(second)] == ["server", "ok"]
    assert [row.key_prefix for row in provider.bill(rows=2).rows if row.usage.output_tokens] == ["sim-0002"]


@contextlib.contextmanager
def early(answer: bytes) -> Iterator[tuple[str, list[int]]]:
    """An upstream that answers at the head of a request and reads no more of it: (base URL, bytes it had read by then)."""
    read: list[int] = []
    with socket.create_server((HOST, 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    read.append(len(connection.recv(65536)))
                    connection.sendall(answer)
                    connection.shutdown(socket.SHUT_WR)
                    connection.settimeout(10)
                    with contextlib.suppress(OSError):  # a lingering close, as good servers do
                        while connection.recv(65536):
                            pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://{HOST}:{server.getsockname()[1]}/v1", read
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def early_answer(status: bytes, code: bytes) -> bytes:
    body = b'{"error":{"message":"no","type":"invalid_request_error","param":null,"code":"%s"}}' % code
    return (
        b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
        % (
            status,
            len(body),
            body,
        )
    )


def test_an_early_413_of_the_upstream_reaches_the_client_and_costs_nothing(second: Served):
    body = form(
        text("model", "gpt-image-2"), text("prompt", "x"), file("image", "a.png", PNG + bytes(30_000_000))
    )
    with early(early_answer(b"413 Content Too Large", b"request_too_large")) as (base_url, _):
        second.write("UPDATE upstreams SET base_url = ? WHERE id = 1", base_url)
        answer = post(second, body)
    assert (answer[0], error_of(answer)["code"]) == (413, "request_too_large")
    record = second.records()[-1]
    assert (record.status, record.ended, record.amount_nano, record.usage_from) == (413, "refused", 0, "none")
    assert [one["upstream"] for one in attempts(second)] == ["sim"]
    wait_until(lambda: not spooled(second), "its file is closed")


def test_an_early_503_of_the_upstream_moves_the_whole_form_to_the_next(
    second: Served, provider: SimulatedProvider
):
    body = form(
        text("model", "gpt-image-2"), text("prompt", "x"), file("image", "a.png", PNG + bytes(30_000_000))
    )
    with early(early_answer(b"503 Service Unavailable", b"overloaded")) as (base_url, read):
        second.write("UPDATE upstreams SET base_url = ? WHERE id = 1", base_url)
        assert post(second, body)[0] == 200
        assert len(read) == 1
    (seen,) = sent(provider)
    assert seen.body == body


def test_a_client_that_hangs_up_while_it_uploads_leaves_nothing_behind(
    laidian: Served, provider: SimulatedProvider
):
    before = len(laidian.records())
    caller = Caller(laidian)
    caller.head("/v1/images/edits", b"Content-Length: 30000000")
    caller.socket.sendall(
        form(text("model", "gpt-image-2"))[:-20] + b"\r\n" + file("image", "a", bytes(3_000_000))[:-9]
    )
    wait_until(lambda: len(spooled(laidian)) == 1, "the upload is on its way through the disk")
    caller.socket.close()
    wait_until(lambda: not spooled(laidian), "its file is closed")
    assert post(laidian, SMALL)[0] == 200
    assert len(sent(provider)) == 1
    assert len(laidian.records()) == before + 1
    assert laidian.holds() == []


def test_curl_with_expect_100_continue_is_let_on(
    laidian: Served, provider: SimulatedProvider, tmp_path: Path
):
    curl = shutil.which("curl")
    assert curl is not None, "curl is part of the seed's examples; install it to run the tests"
    picture = tmp_path / '图 "1".png'
    picture.write_bytes(PNG + random.Random(3).randbytes(3_000_000))
    done = subprocess.run(
        [curl, "-sS", "-v", "--expect100-timeout", "30", "--max-time", "20", "-H", "Expect: 100-continue",
         "-H", f"Authorization: Bearer {laidian.key}", f"{laidian.base_url}/v1/images/edits",
         "-F", "image=@" + str(picture).replace('"', '\\"').join('""'), "-F", "prompt=a hat", "-F", "model=gpt-image-2"],
        capture_output=True,
        timeout=40,
        check=False,
    )  # fmt: skip
    assert b"100 Continue" in done.stderr
    assert json.loads(done.stdout)["data"][0]["b64_json"], done.stderr
    (seen,) = sent(provider)
    assert picture.read_bytes() in seen.body
    assert "图".encode() in seen.body
    assert "expect" not in seen.headers


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (SMALL[:-8], TYPE, "invalid_form"),
        (SMALL[20:], TYPE, "invalid_form"),
        (b"", TYPE, "invalid_form"),
        (SMALL, b"multipart/form-data", "invalid_form"),
        (SMALL, b"text/plain", "invalid_form"),
        (SMALL, b"multipart/form-data; boundary=other", "invalid_form"),
        (SMALL.replace(b'name="model"', b"x=y"), TYPE, "invalid_form"),
        (form(text("model", "gpt-image-2"), text("prompt", "x")), TYPE, "missing_image"),
        (SMALL.replace(b'name="model"', b'name="other"'), TYPE, "missing_model"),
        (form(text("model", "gpt-image-2")) [:-len(BOUNDARY) - 6] + SMALL, TYPE, "duplicate_field"),
        (form(text("n", "many")) [:-len(BOUNDARY) - 6] + SMALL, TYPE, "invalid_value"),
        (form(text("n", "9" * 5_000)) [:-len(BOUNDARY) - 6] + SMALL, TYPE, "invalid_value"),
        (form(text("stream", "yes")) [:-len(BOUNDARY) - 6] + SMALL, TYPE, "invalid_value"),
    ],
)  # fmt: skip
def test_a_broken_form_is_a_400_that_nobody_pays_for(
    laidian: Served, provider: SimulatedProvider, body: bytes, kind: bytes, code: str
):
    before = len(laidian.records())
    answer = post(laidian, body, kind=kind)
    assert (answer[0], error_of(answer)["code"]) == (400, code)
    assert sent(provider) == []
    assert len(laidian.records()) == before
    wait_until(lambda: not spooled(laidian), "its file is closed")


def test_a_form_over_the_limit_is_a_413_before_it_is_read(laidian: Served, provider: SimulatedProvider):
    caller = Caller(laidian)
    with contextlib.closing(caller.socket):
        caller.head("/v1/images/edits", b"Content-Length: %d" % (LIMIT + 1))
        answer = caller.answer()
    assert (answer[0], error_of(answer)["code"]) == (413, "request_too_large")
    assert sent(provider) == []


def test_a_chunked_form_over_the_limit_is_a_413_where_it_passes_it(
    laidian: Served, provider: SimulatedProvider
):
    caller = Caller(laidian)
    memory = Memory(laidian)
    with contextlib.closing(caller.socket):
        caller.head("/v1/images/edits", b"Transfer-Encoding: chunked")
        chunk = b"100000\r\n" + bytes(1 << 20) + b"\r\n"
        head = SMALL[: SMALL.index(PNG)]
        caller.socket.sendall(b"%x\r\n%s\r\n" % (len(head), head))
        with contextlib.suppress(OSError):  # it may close before all is sent
            for _ in range(LIMIT // (1 << 20) + 1):
                caller.socket.sendall(chunk)
        answer = caller.answer()
    assert (answer[0], error_of(answer)["code"]) == (413, "request_too_large")
    assert memory.grown_mb() < 20
    assert sent(provider) == []
    wait_until(lambda: not spooled(laidian), "its file is closed")


def test_a_chunked_form_is_sent_on_with_its_length(laidian: Served, provider: SimulatedProvider):
    caller = Caller(laidian)
    with contextlib.closing(caller.socket):
        caller.head("/v1/images/edits", b"Transfer-Encoding: chunked")
        for byte in range(0, len(SMALL), 7):
            piece = SMALL[byte : byte + 7]
            caller.socket.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        caller.socket.sendall(b"0\r\n\r\n")
        assert caller.answer()[0] == 200
    (seen,) = sent(provider)
    assert seen.body == SMALL
    assert seen.headers["content-length"] == str(len(SMALL))
    assert seen.headers["content-type"] == TYPE.decode()


def test_a_quota_that_cannot_pay_refuses_the_form_after_reading_it(
    laidian: Served, provider: SimulatedProvider
):
    laidian.write("UPDATE keys SET limit_nano = 1000")
    answer = post(laidian, SMALL)
    laidian.write("UPDATE keys SET limit_nano = NULL")
    assert (answer[0], error_of(answer)["code"]) == (429, "insufficient_quota")
    assert sent(provider) == []
    wait_until(lambda: not spooled(laidian), "its file is closed")
