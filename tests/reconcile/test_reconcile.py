"""`laidian reconcile` against real things: another LaiDian in between, and servers that answer as OpenAI, OpenRouter and new-api do."""

from __future__ import annotations

import datetime
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from tests.cli.running import Outcome, call
from tests.served import Served, Setup, served
from tests.simulated_provider import SimulatedProvider, simulated_provider

pytestmark = pytest.mark.xdist_group("reconcile")


@pytest.fixture(scope="module")
def provider() -> Iterator[SimulatedProvider]:
    with simulated_provider() as running:
        yield running


@pytest.fixture(scope="module")
def friend(provider: SimulatedProvider) -> Iterator[Served]:
    """Another LaiDian: the upstream."""
    with served(provider, setup=Setup(capabilities=("chat",))) as running:
        yield running


@pytest.fixture(scope="module")
def asked(provider: SimulatedProvider, friend: Served) -> Iterator[Served]:
    """Ours, with three settled requests that went through the friend's."""
    with served(provider) as ours, pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAIDIAN_DATA", str(ours.folder.root))
        done = call(
            "upstream", "add", "friend", "--kind", "compatible", "--base-url", f"{friend.base_url}/v1", "--api-key-stdin", "-q",
            stdin=friend.key,
        )  # fmt: skip
        assert done.code == 0, done
        assert call("group", "create", "via", "--upstreams", "friend", "-q").code == 0
        key = call("key", "create", "via", "--group", "via", "--quota", "quota", "-q").out.strip()
        for model in ("gpt-5.4", "gpt-5.4", "gpt-5.5"):
            answer = httpx2.post(
                f"{ours.base_url}/v1/chat/completions",
                headers={"authorization": f"Bearer {key}"},
                json={
                    "model": model,
                    "messages": [{"role": "user", "content": "Tell me a long story. " * 200}],
                },
                timeout=60,
            )
            assert answer.status_code == 200, answer.text
        ours.wait_settled()
        friend.wait_settled()
        yield ours


@pytest.fixture(autouse=True)
def _in_its_folder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "asked" in request.fixturenames:
        monkeypatch.setenv("LAIDIAN_DATA", str(request.getfixturevalue("asked").folder.root))


def days() -> list[str]:
    """Yesterday and today: midnight may have passed since the requests."""
    today = datetime.datetime.now(datetime.UTC).date()
    return ["--since", (today - datetime.timedelta(days=1)).isoformat(), "--until", today.isoformat()]


def reconcile(source: str, *more: str, stdin: str = "") -> Outcome:
    return call("reconcile", source, *more, "--upstream", "friend", *days(), "--json", stdin=stdin)


def ours_by_model(outcome: Outcome) -> dict[str, dict[str, Any]]:
    return {row["model"]: row["ours"] for row in outcome.json()["rows"]}


def test_two_honest_relays_agree_to_the_token_and_the_nano_dollar(asked: Served, friend: Served) -> None:
    done = reconcile("relay", "--api-key-stdin", "--threshold", "0", stdin=friend.key)
    assert done.code == 0, done
    report = done.json()
    assert (report["records"], report["differing"]) == (3, 0)
    for row in report["rows"]:
        assert row["ours"] == row["theirs"]
    assert ours_by_model(done)["gpt-5.4"]["requests"] == 2
    assert friend.key not in done.out + done.err


def test_a_multiplier_that_the_friend_did_not_tell_is_found(asked: Served, friend: Served) -> None:
    friend.write("UPDATE usage_records SET amount_nano = amount_nano * 13 / 10")
    try:
        done = reconcile("relay", "--api-key-stdin", stdin=friend.key)
    finally:
        friend.write("UPDATE usage_records SET amount_nano = amount_nano * 10 / 13")
    assert done.code == 3
    texts = [text for row in done.json()["rows"] for text in row["findings"]]
    assert len(texts) == 2
    assert all("1.30x for the same tokens" in text for text in texts)
    assert all(text in done.err for text in texts)


def test_the_table_has_both_sides_and_the_csv_the_apis_fields(asked: Served, friend: Served) -> None:
    shown = call("reconcile", "relay", "--upstream", "friend", *days(), "--api-key-stdin", stdin=friend.key)
    assert shown.code == 0
    assert shown.out.split("\n")[0].split()[:4] == ["day", "model", "requests", "theirs"]
    done = call(
        "reconcile",
        "relay",
        "--upstream",
        "friend",
        *days(),
        "--api-key-stdin",
        "--csv",
        "--fields",
        "model,findings",
        stdin=friend.key,
    )
    assert done.out.startswith("model,findings\n")


def test_exported_files_show_inflated_tokens_and_another_model(
    asked: Served, friend: Served, tmp_path: Path
) -> None:
    honest = reconcile("relay", "--api-key-stdin", stdin=friend.key).json()["rows"]
    items = [
        {"date": row["day"], "model": f"openai/{row['model']}", "requests": row["ours"]["requests"],
         "prompt_tokens": row["ours"]["input_tokens"], "completion_tokens": row["ours"]["output_tokens"],
         "usage": float(row["ours"]["cost_usd"])}
        for row in honest
    ]  # fmt: skip
    (tmp_path / "activity.json").write_text(json.dumps({"data": items}))
    assert reconcile("openrouter", str(tmp_path / "activity.json")).code == 0

    for item in items:
        if item["model"] == "openai/gpt-5.4":
            item["prompt_tokens"] = int(item["prompt_tokens"] * 1.2)
        else:
            item["model"] = "openai/gpt-5.4-nano"
    (tmp_path / "activity.json").write_text(json.dumps({"data": items}))
    done = reconcile("openrouter", str(tmp_path / "activity.json"))
    assert done.code == 3
    told = {row["model"]: " ".join(row["findings"]) for row in done.json()["rows"]}
    assert "input tokens: they count" in told["gpt-5.4"]
    assert "+20.0 %" in told["gpt-5.4"]
    assert "as many requests were billed as `openai/gpt-5.4-nano`" in told["gpt-5.5"]
    assert "as many requests asked for `gpt-5.5`" in told["openai/gpt-5.4-nano"]


# Others that answer


class Provider:
    """An HTTP server that answers with JSON and remembers what it was asked."""

    def __init__(self, answer: Callable[[str, dict[str, list[str]]], object]) -> None:
        seen: list[tuple[str, str | None]] = []
        self.seen = seen

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                seen.append((self.path, self.headers.get("authorization")))
                found = answer(parts.path, parse_qs(parts.query))
                body = json.dumps(found).encode()
                self.send_response(200 if found is not None else 401)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def provides() -> Iterator[Callable[..., Provider]]:
    made: list[Provider] = []

    def make(answer: Callable[[str, dict[str, list[str]]], object]) -> Provider:
        made.append(Provider(answer))
        return made[-1]

    yield make
    for one in made:
        one.server.shutdown()


def rows_of(asked: Served) -> list[dict[str, Any]]:
    return [
        record for record in call("usage", "list", "--upstream", "friend", "--json").json() if record["usage"]
    ]


def epoch(iso: str) -> int:
    return int(datetime.datetime.fromisoformat(iso).timestamp())


def test_openai_is_asked_page_by_page_with_the_admin_key_in_a_header(
    asked: Served, provides: Callable[..., Provider]
) -> None:
    records = rows_of(asked)

    def answer(path: str, query: dict[str, list[str]]) -> object:
        page = {"object": "page", "data": [], "has_more": False, "next_page": None}
        if path == "/v1/organization/usage/completions":
            place = int(query.get("page", ["0"])[0])
            record = records[place]
            result = {"object": "organization.usage.completions.result", "model": f"{record['model']}-2026-03-05",
                      "num_model_requests": 1, "input_tokens": record["input_tokens"], "output_tokens": record["output_tokens"]}  # fmt: skip
            more = place + 1 < len(records)
            return page | {
                "data": [
                    {"object": "bucket", "start_time": epoch(record["started_at"]), "results": [result]}
                ],
                "has_more": more,
                "next_page": str(place + 1) if more else None,
            }
        return page

    openai = provides(answer)
    done = reconcile("openai", "--base-url", f"{openai.url}/v1", "--api-key-stdin", stdin="sk-admin-secret")
    assert done.code == 0, done
    assert done.json()["records"] == 3
    assert {key for _, key in openai.seen} == {"Bearer sk-admin-secret"}
    assert all("sk-admin" not in path for path, _ in openai.seen)
    assert sum("completions" in path for path, _ in openai.seen) == 3
    assert any("costs" in path and "group_by=line_item" in path for path, _ in openai.seen)


def test_new_api_tells_a_keys_records_in_units(asked: Served, provides: Callable[..., Provider]) -> None:
    logs = [
        {"type": 2, "created_at": epoch(record["started_at"]), "model_name": record["model"], "prompt_tokens": record["input_tokens"],
         "completion_tokens": record["output_tokens"], "quota": round(float(record["cost_usd"]) * 500_000) * 2}
        for record in rows_of(asked)
    ]  # fmt: skip
    relay = provides(
        lambda path, _: (
            {"success": True, "data": [*logs, {"type": 1, "created_at": 0}]}
            if path == "/api/log/token"
            else None
        )
    )
    done = reconcile("new-api", "--base-url", relay.url, "--api-key-stdin", stdin="sk-x")
    assert done.code == 3
    texts = [text for row in done.json()["rows"] for text in row["findings"]]
    assert texts
    assert all("2.00x for the same tokens" in text or "cost:" in text for text in texts)


def test_openrouter_is_asked_below_its_api(asked: Served, provides: Callable[..., Provider]) -> None:
    router = provides(lambda path, _: {"data": []} if path == "/api/v1/activity" else None)
    done = reconcile("openrouter", "--base-url", f"{router.url}/api/v1", "--api-key-stdin", stdin="sk-or")
    assert done.code == 3
    assert [path for path, _ in router.seen] == ["/api/v1/activity"]


def test_the_wrong_key_and_a_silent_upstream_are_told(
    asked: Served, provides: Callable[..., Provider]
) -> None:
    refusing = provides(lambda *_: None)
    done = reconcile("openai", "--base-url", refusing.url, "--api-key-stdin", stdin="sk-wrong-secret")
    assert (done.code, done.out) == (2, "")
    assert "401" in done.err
    assert "admin key" in done.err
    assert "sk-wrong-secret" not in done.err
    done = reconcile("relay", "--base-url", "http://127.0.0.1:1", "--api-key-stdin", stdin="sk-x")
    assert (done.code, done.out) == (1, "")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ([], 2),
        (["x.json", "--api-key-stdin"], 2),
        (["nowhere.json"], 1),
        (["--api-key-stdin", "--threshold", "much"], 2),
        (["--api-key-stdin", "--threshold", "101"], 2),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(asked: Served, more: list[str], code: int) -> None:
    done = reconcile("openai", *more, stdin="sk-x")
    assert (done.code, done.out) == (code, "")


def test_days_are_checked(asked: Served) -> None:
    for span in (
        ["--since", "2026-02-02", "--until", "2026-02-01"],
        ["--since", "yesterday"],
        ["--since", "2020-01-01"],
    ):
        done = call("reconcile", "openai", "x.json", "--upstream", "friend", *span)
        assert (done.code, done.out) == (2, "")
    done = call("reconcile", "relay", "--upstream", "freind", *days(), "--api-key-stdin", stdin="sk-x")
    assert done.code == 1
    assert "friend" in done.err
