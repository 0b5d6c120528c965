"""The commands through a running server: the demo, with its simulated provider."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import msgspec
import pytest

from laidian.admin.schema import AuditReport, UsageRecord
from tests.cli.running import PYTHON, Serving, call, environment, on_terminal, spawn
from tests.cli.test_entry import HEAVY
from tests.program import program

pytestmark = pytest.mark.xdist_group("cli-served")


@pytest.fixture(autouse=True)
def _in_its_folder(served: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAIDIAN_DATA", str(served.data))


def chat(served: Serving, key: str, model: str = "gpt-5.4") -> str:
    """One request through the relay; its id. Raises HTTPError for a refusal."""
    request = urllib.request.Request(
        f"{served.url}/v1/chat/completions",
        data=json.dumps({"model": model, "messages": [{"role": "user", "content": "Hello"}]}).encode(),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.headers["x-request-id"]


def key(name: str, *options: str) -> str:
    done = call("key", "create", name, *options, "-q")
    assert done.code == 0, done
    return done.out.strip()


@pytest.fixture(scope="module")
def used(served: Serving) -> list[str]:
    """Ids of three settled requests of the key `user`, oldest first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAIDIAN_DATA", str(served.data))
        secret = key("user")
    return [chat(served, secret), chat(served, secret, "gpt-5.5"), chat(served, secret)]


def test_a_key_made_on_the_command_line_works_at_once_and_not_after_it_is_disabled(served: Serving) -> None:
    secret = key("fresh")
    assert chat(served, secret)
    assert call("key", "disable", "fresh").code == 0
    with pytest.raises(urllib.error.HTTPError) as caught:
        chat(served, secret)
    assert caught.value.code in (401, 403)


def test_a_list_through_a_server_imports_neither_the_server_nor_the_dashboard(served: Serving) -> None:
    script = (
        "import sys\nfrom laidian.cli import main\ncode = main(['key', 'list', '-q'])\n"
        "print(*{name.partition('.')[0] for name in sys.modules})\nsys.exit(code)"
    )
    done = subprocess.run(
        [PYTHON, "-c", script],
        capture_output=True,
        text=True,
        env=environment(LAIDIAN_DATA=str(served.data)),
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = set(done.stdout.splitlines()[-1].split())
    assert "httpx2" in found
    assert found.isdisjoint(set(HEAVY) - {"httpx2"})


def test_status_is_0_when_everything_works(served: Serving) -> None:
    done = call("status", "--json")
    assert done.code == 0, done
    status = done.json()
    assert (status["serving"], status["problems"]) == (True, [])
    assert status["base_url"] == f"{served.url}/v1"
    assert {one["state"] for one in status["upstreams"]} == {"up"}
    table = call("status")
    assert "serving" in table.out
    assert table.err == ""


def test_every_upstream_is_probed_and_shows_its_models(served: Serving) -> None:
    done = call("upstream", "probe", "--all", "--json")
    assert done.code == 0
    assert len(done.json()) == 3
    assert all(probe["ok"] and probe["models"] for probe in done.json())
    assert "gpt-5.4" in call("upstream", "models", "simulated-openai").out
    assert call("upstream", "probe", "simulated-openai", "nobody").code == 1


def test_usage_is_listed_newest_first_and_a_limit_says_that_there_is_more(used: list[str]) -> None:
    records = call("usage", "list", "--key", "user", "--json").json()
    assert [record["request_id"] for record in records] == used[::-1]
    assert tuple(records[0]) == UsageRecord.__struct_fields__
    two = call("usage", "list", "--key", "user", "--limit", "2")
    assert len(two.out.splitlines()) == 3
    assert "there are more" in two.err
    assert call("usage", "list", "--key", "user", "--limit", "0", "-q").err == ""
    assert [
        one["model"] for one in call("usage", "--key", "user", "--model", "gpt-5.5", "--json").json()
    ] == ["gpt-5.5"]
    assert (
        call(
            "usage", "list", "--key", "user", "--since", "2001-01-01", "--until", "2001-01-02", "--json"
        ).json()
        == []
    )


def test_more_pages_than_one_are_put_together(used: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("laidian.cli.commands.usage.PAGE", 2)
    records = call("usage", "list", "--key", "user", "--limit", "0", "--json").json()
    assert [record["request_id"] for record in records] == used[::-1]


def test_a_receipt_adds_up_to_what_was_charged(used: list[str]) -> None:
    detail = call("usage", "show", used[0], "--json").json()
    lines = [float(line["cost_usd"]) for line in detail["receipt"]["lines"]]
    assert lines
    assert sum(lines) == pytest.approx(float(detail["receipt"]["charged_usd"]), abs=1e-12)
    shown = call("usage", "show", used[0]).out
    assert "multiplier" in shown
    assert "simulated-openai" in shown
    assert call("usage", "show", "req_nobody").code == 1


def test_a_summary_adds_records_up(used: list[str]) -> None:
    summary = call("usage", "summary", "--by", "model", "--key", "user", "--json").json()
    assert {row["name"]: row["requests"] for row in summary["rows"]} == {"gpt-5.4": 2, "gpt-5.5": 1}
    assert summary["total"]["requests"] == 3
    table = call("usage", "summary", "--by", "model", "--key", "user").out
    assert table.splitlines()[-1].split()[:2] == ["total", "3"]
    assert "total" not in call("usage", "summary", "--by", "model", "--key", "user", "--csv").out


def test_a_listing_grouped_is_the_summary(used: list[str]) -> None:
    for by in ("day", "model", "key"):
        grouped = call("usage", "--since", "24h", "--key", "user", "--group-by", by, "--json").json()
        assert (
            grouped
            == call("usage", "summary", "--since", "24h", "--key", "user", "--by", by, "--json").json()
        )
        assert grouped["total"]["requests"] == 3
    assert call("usage", "--group-by", "day", "--request-id", "req").code == 2


def test_an_export_is_one_document_a_line_or_csv(used: list[str]) -> None:
    lines = call("usage", "export", "--key", "user").out.splitlines()
    assert [msgspec.json.decode(line, type=UsageRecord).request_id for line in lines] == used[::-1]
    table = call("usage", "export", "--key", "user", "--format", "csv", "--fields", "request_id,cost_usd")
    assert table.out.splitlines()[0] == "request_id,cost_usd"
    assert len(table.out.splitlines()) == 4
    assert table.err == "3 records.\n"


def test_tail_prints_a_request_when_it_is_settled_and_ends_with_130(served: Serving) -> None:
    secret = key("tailed")
    first = chat(served, secret)
    process = subprocess.Popen(
        program("usage", "tail", "--key", "tailed", "--last", "1", "--json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(LAIDIAN_DATA=str(served.data)),
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.SIG_DFL
        ),  # ignored where the tests run behind an &
    )
    try:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["request_id"] == first
        second = chat(served, secret)
        assert json.loads(process.stdout.readline())["request_id"] == second
    finally:
        process.send_signal(signal.SIGINT)
        rest, err = process.communicate(timeout=30)
    assert (process.returncode, rest) == (130, "")
    assert "Traceback" not in err


def test_nothing_is_in_flight_and_nothing_can_be_ended(served: Serving) -> None:
    assert call("usage", "live", "--json").json() == []
    assert call("usage", "end", "req_nobody", "--yes").code == 1


def test_the_audit_is_clean_after_all_of_this(used: list[str]) -> None:
    done = call("audit", "--json")
    assert done.code == 0
    report = msgspec.json.decode(done.out, type=AuditReport)
    assert report.clean
    assert report.records >= len(used)
    assert "differences" in call("audit").out


def test_another_machines_server_is_reached_with_its_token_file(
    served: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LAIDIAN_DATA")
    token = served.data / "admin.token"
    named = ["--server", served.url, "--admin-token-file", str(token)]
    assert call("key", "list", *named, "--json").code == 0
    monkeypatch.setenv("LAIDIAN_SERVER", served.url)
    monkeypatch.setenv("LAIDIAN_ADMIN_TOKEN", token.read_text())
    assert call("status", "--json").json()["serving"] is True
    assert call("key", "list", "--data", str(tmp_path / "nothing")).code == 1, "--data beats LAIDIAN_SERVER"
    monkeypatch.setenv("LAIDIAN_ADMIN_TOKEN", "admin-wrong")
    wrong = call("key", "list")
    assert (wrong.code, wrong.out) == (4, "")
    assert "admin-wrong" not in wrong.err


def test_alone_on_a_terminal_it_tells_of_the_server(served: Serving) -> None:
    code, seen = on_terminal([], LAIDIAN_DATA=str(served.data))
    assert code == 0
    assert f"serving {served.url}/v1" in seen
    assert "3/3 up" in seen


def test_the_dashboard_opens_and_q_leaves_it(served: Serving) -> None:
    import pty
    import select
    import time

    pid, terminal = pty.fork()
    if pid == 0:
        variables = environment(
            TERM="xterm-256color", LAIDIAN_DATA=str(served.data), COLUMNS="100", LINES="30"
        )
        command = program("tui", "--lang", "en")
        os.execve(command[0], command, variables)
    seen, asked = b"", False
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                seen += os.read(terminal, 65_536)
            except OSError:
                break
        if not asked and b"serving" in seen:
            os.write(terminal, b"q")
            asked = True
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    assert asked, seen[-500:]
    assert os.waitstatus_to_exitcode(status) == 0
    assert b"Traceback" not in seen


def test_the_dashboard_is_refused_where_it_cannot_be_shown_with_a_hint(served: Serving) -> None:
    variables = {"LAIDIAN_DATA": str(served.data)}
    piped = spawn("tui", TERM="xterm", **variables)
    assert (piped.code, piped.out) == (1, "")
    assert "laidian status --json" in piped.err
    dumb = spawn("tui", TERM="dumb", **variables)
    assert (dumb.code, dumb.out) == (1, "")
    assert "laidian usage tail" in dumb.err
    assert "TERM" in dumb.err


def test_the_dashboard_needs_a_server(tmp_path: Path) -> None:
    assert call("quota", "create", "team", "--balance", "1", "-q", "--data", str(tmp_path / "data")).code == 0
    code, seen = on_terminal(["tui"], LAIDIAN_DATA=str(tmp_path / "data"))
    assert code == 5
    assert "laidian serve" in seen
