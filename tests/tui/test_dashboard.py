"""The first screen, driven by a pilot, on the real admin application of a real folder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, Static

from laidian.admin.client import AdminClient
from laidian.admin.schema import QuotaCreate, Status, UpstreamCreate, UpstreamStatus, UsageRecord
from laidian.config import Config
from laidian.server.folder import Folder
from laidian.server.offline import admin_app
from tui.app import LaiDianApp
from tui.dashboard import Dashboard, Help
from tui.picture import Picture
from tui.text import clean, clock, dollars, duration, milliseconds
from tui.words import CATALOGUES, CHINESE, ENGLISH, Words, language_of

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
FAST_S = 0.01
"""Instead of a second, so that a test need not wait for one."""


class Line:
    """The way to the admin application, which a test can cut."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.cut = False
        self.asked = 0

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        self.asked += 1
        if self.cut:
            raise httpx2.ConnectError("All connection attempts failed")
        await self._app(scope, receive, send)


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Line]:
    folder = Folder(tmp_path / "data")
    async with admin_app(folder, Config()) as app:
        yield Line(app)


def client_of(line: Line, tmp_path: Path) -> AdminClient:
    return AdminClient.in_process(line, Folder(tmp_path / "data").token(), "http://127.0.0.1:8080")


def app_of(line: Line, tmp_path: Path, words: Words = ENGLISH) -> LaiDianApp:
    return LaiDianApp(client_of(line, tmp_path), words, refresh_s=FAST_S)


def screen_text(app: LaiDianApp) -> str:
    """What the terminal shows, line by line."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


async def until(pilot: Pilot[None], true: Callable[[], bool]) -> None:
    """Waits for the screen; nothing else says when a refresh has been drawn."""
    async with asyncio.timeout(20):
        # First a pause: to render widgets that have not handled their last change yet fills their caches with the old state.
        await pilot.pause(FAST_S)
        while not true():
            await pilot.pause(FAST_S)


def shown(app: LaiDianApp, place: str) -> str:
    return str(app.dashboard.query_one(place, Static).content)


async def test_the_first_screen_shows_the_instance_and_renews_itself(line: Line, tmp_path: Path) -> None:
    app = app_of(line, tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: "serving" in screen_text(app) and "No requests" in screen_text(app))
        text = screen_text(app)
        assert "laidian upstream add" in text
        assert "$0.00" in text
        assert "No requests yet." in text
        assert "does not answer" not in text
        async with client_of(line, tmp_path) as other:
            await other.create_quota(QuotaCreate(name="q", kind="unlimited"))
            await other.create_upstream(UpstreamCreate(name="broken-one", kind="openai"))
        await until(pilot, lambda: "NO CREDENTIAL broken-one" in screen_text(app))
        assert "Upstreams 0/1" in screen_text(app)
        assert "✕ NO CREDENTIAL" in screen_text(app)


async def test_q_leaves_and_closes_the_client(line: Line, tmp_path: Path) -> None:
    app = app_of(line, tmp_path)
    async with app.run_test() as pilot:
        await until(pilot, lambda: line.asked > 2)
        await pilot.press("q")
    assert app.return_code == 0
    with pytest.raises(RuntimeError, match="closed"):
        await app._client.status()


async def test_a_question_mark_helps_and_escape_goes_back(line: Line, tmp_path: Path) -> None:
    app = app_of(line, tmp_path)
    async with app.run_test() as pilot:
        await pilot.press("question_mark")
        assert isinstance(app.screen, Help)
        assert "laidian usage tail" in str(app.screen.query_one("#help", Static).content)
        await pilot.press("escape")
        assert isinstance(app.screen, Dashboard)
        await pilot.press("question_mark")
        await pilot.press("q")
        assert isinstance(app.screen, Dashboard), "in the help, q closes the help"
        assert app.is_running


async def test_while_the_server_is_away_the_last_picture_stays_under_one_banner_that_counts_down(
    line: Line, tmp_path: Path
) -> None:
    app = app_of(line, tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: "serving" in screen_text(app))
        banner, picture = app.dashboard.query_one("#banner"), app.dashboard.query_one("#picture")
        line.cut = True
        await until(pilot, lambda: banner.has_class("-shown"))
        assert "does not answer" in shown(app, "#banner")
        assert "Trying again in" in shown(app, "#banner")
        assert "seen 0 s ago" in shown(app, "#banner")
        assert picture.has_class("-old")
        assert "$0.00" in shown(app, "#spend"), "the last data were erased"
        counted: set[str] = set()

        def counts() -> bool:
            counted.add(shown(app, "#banner").partition("again in ")[2].partition(" s")[0])
            return {"1", "2", "3"} <= counted

        await until(pilot, counts)
        assert len(app.screen_stack) == 2, "no stack of messages"
        assert not app._notifications
        line.cut = False
        await until(pilot, lambda: not banner.has_class("-shown"))
        assert not picture.has_class("-old")


async def test_a_server_that_was_never_there_is_a_banner_and_not_a_crash(tmp_path: Path) -> None:
    app = LaiDianApp(AdminClient.over_http("http://127.0.0.1:1", "admin-secret"), ENGLISH, refresh_s=FAST_S)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.dashboard.query_one("#banner").has_class("-shown"))
        assert "http://127.0.0.1:1" in shown(app, "#banner")
        assert "seen" not in shown(app, "#banner")
        assert "admin-secret" not in screen_text(app)


async def test_a_wrong_token_is_said_in_the_servers_words(line: Line, tmp_path: Path) -> None:
    app = LaiDianApp(AdminClient.in_process(line, "wrong", "here"), ENGLISH, refresh_s=FAST_S)
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: "admin token" in shown(app, "#banner"))


HOSTILE = "[red]x[/red]\x1b[31m\u202e\n[@click=app.quit]y"


async def status_of(line: Line, tmp_path: Path) -> Status:
    async with client_of(line, tmp_path) as client:
        return await client.status()


def record(number: int, **other: Any) -> UsageRecord:
    plain: dict[str, Any] = {
        "request_id": f"req_{number}", "key": "alice", "group": "g", "quota": "q", "upstream": "openai", "operation": "chat.completions",
        "model": "gpt-5.4", "asked_model": "gpt-5.4", "upstream_model": "gpt-5.4", "stream": False,
        "started_at": "2026-11-22T10:00:05.123Z", "first_byte_ms": 5, "duration_ms": 1_240, "status": 200, "ended": "complete",
        "error_code": "", "usage_from": "upstream", "input_tokens": 12, "cached_tokens": 0, "output_tokens": 34, "usage": {},
        "multiplier": "1x", "cost_usd": "0.018622", "shortfall_usd": "0.00", "client": "curl",
    }  # fmt: skip
    return msgspec.convert(plain | other, UsageRecord)


async def test_text_from_outside_is_shown_as_text_and_never_as_markup(line: Line, tmp_path: Path) -> None:
    status = await status_of(line, tmp_path)
    upstream = UpstreamStatus(name=HOSTILE, kind="openai", state="up", reason="", until=None, in_flight=0)
    status = msgspec.structs.replace(status, upstreams=(upstream,), base_url=HOSTILE)
    app = app_of(line, tmp_path)
    async with app.run_test(size=(160, 30)) as pilot:
        await until(pilot, lambda: "serving" in screen_text(app))
        app.workers.cancel_all()
        app.dashboard.draw(Picture(status, (record(1, key=HOSTILE, model=HOSTILE, error_code=HOSTILE),)))
        app.dashboard.draw_away(HOSTILE, again_in_s=1, seen_s_ago=None)
        await until(pilot, lambda: screen_text(app).count("[red]x[/red]") >= 4)
        text = screen_text(app)
        assert not any(letter in text for letter in "\x1b\u202e")


async def test_the_latest_requests_are_a_table_that_is_filled_anew_only_when_it_changed(
    line: Line, tmp_path: Path
) -> None:
    status = await status_of(line, tmp_path)
    app = app_of(line, tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: "serving" in screen_text(app))
        app.workers.cancel_all()
        latest = (record(2, status=429, error_code="rate_limit_exceeded", usage_from="estimated"), record(1))
        app.dashboard.draw(Picture(status, latest))
        await until(pilot, lambda: "10:00:05" in screen_text(app))
        text = screen_text(app)
        assert "429 rate_limit_exceeded" in text
        assert "$0.018622~" in text, "an estimate is marked"
        assert "1.2 s" in text
        table = app.dashboard.query_one("#latest", DataTable)
        filled = list(table.rows)
        app.dashboard.draw(Picture(status, latest))
        assert list(table.rows) == filled
        app.dashboard.draw(Picture(status, latest[1:]))
        assert len(table.rows) == 1


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (160, 50)])
@pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=["en", "zh"])
async def test_every_size_and_language_shows_all_cards(
    line: Line, tmp_path: Path, size: tuple[int, int], words: Words
) -> None:
    app = app_of(line, tmp_path, words)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: words.serving in screen_text(app) and words.quit in screen_text(app))
        text = screen_text(app)
        for title in (
            words.in_flight,
            words.spend_today,
            words.keys,
            words.upstreams,
            words.quit,
            words.help,
        ):
            assert title in text
        for name in ("#in-flight", "#spend", "#keys", "#upstreams"):
            region = app.dashboard.query_one(name).region
            assert region.right <= size[0]
            assert region.height >= 3


def test_both_catalogues_fill_the_same_places() -> None:
    import string

    def places(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    for name in Words.__struct_fields__:
        english, chinese = getattr(ENGLISH, name), getattr(CHINESE, name)
        assert english
        assert chinese
        assert places(english) == places(chinese), name
    assert set(CATALOGUES) == {"en", "zh"}


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LAIDIAN_LANG": "zh", "LC_ALL": "en_US.UTF-8"}, "zh"),
    ],
)
def test_the_language_is_the_environments(variables: dict[str, str], language: str) -> None:
    assert language_of(variables) == language


def test_values_are_written_for_people() -> None:
    assert [duration(seconds) for seconds in (0, 61, 540_000)] == ["0 s", "1 min 1 s", "6 d 6 h"]
    assert [milliseconds(value) for value in (9, 1_240)] == ["9 ms", "1.2 s"]
    assert [dollars(text) for text in ("0.5", "-1")] == ["$0.5", "-$1"]
    assert [clock(text) for text in ("2026-11-22T18:00:05+08:00", "soon")] == ["10:00:05", "soon"]
    assert clean("a\x1b[31m\nb") == "a [31m b"
