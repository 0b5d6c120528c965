"""What the dashboard may import, and when: every module weighs on the first picture and on its memory for as long as it runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from textual.dom import DOMNode
from textual.widget import Widget

from tests.tui.conftest import Console
from tests.tui.screens import shown
from tui.cells import Toned
from tui.tops import TOPS

ROOT = Path(__file__).resolve().parents[2]
NEVER = (
    # of the server
    "laidian.store", "laidian.relay", "laidian.upstream", "laidian.admin.service", "laidian.admin.api", "sqlite3", "sqlite_utils", "litestar",
    "granian", "prometheus_client", "cryptography",
    # of Textual and Rich, which no screen draws with
    "textual.widgets._markdown", "textual.widgets._data_table", "textual.widgets._text_area", "textual.widgets._rich_log",
    "textual.widgets._tabbed_content", "textual.widgets._footer", "textual.widgets._header", "rich.markdown", "rich.syntax", "rich.traceback",
    "rich.progress", "rich.live", "markdown_it", "pygments", "tree_sitter", "linkify_it",
    # of httpx2, for https through proxies and other event loops
    "trio", "h2", "socksio", "brotli", "zstandard", "certifi", "truststore",
)  # fmt: skip
FIRST_PICTURE = (
    "httpx2",
    "httpcore2",
    "anyio",
    "laidian.admin.client",
    "tui.dialogs",
    "tui.form",
    "tui.palette",
    "tui.help",
    "tui.qr",
)
"""Not before it stands."""


def imported(script: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{script}\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT)},
        check=True,
    )
    return set(done.stdout.split())


def test_the_first_picture_needs_neither_http_nor_any_other_screen() -> None:
    found = imported("import laidian.cli.root, laidian.cli.commands.tui, tui.app")
    assert "textual.app" in found
    assert found.isdisjoint({*NEVER, *FIRST_PICTURE})
    assert not [name for name in found if name.startswith("tui.screens.")]


def test_all_screens_together_need_nothing_of_the_server_and_no_widget_they_do_not_show() -> None:
    names = ", ".join(
        str(path.relative_to(ROOT).with_suffix("")).replace("/", ".").removesuffix(".__init__")
        for path in sorted((ROOT / "tui").rglob("*.py"))
    )
    found = imported(f"import laidian.cli.commands.tui, laidian.admin.client, {names}")
    assert {"httpx2", "tui.screens.usage", "tui.dialogs.key"} <= found
    assert found.isdisjoint(NEVER)


async def test_a_tab_that_is_not_in_front_keeps_no_drawn_lines(console: Console) -> None:
    async with shown(console.connect) as seen:
        await seen.until(lambda: _drawn(seen.here) > 20)
        left = [seen.here]
        for top in TOPS:
            if top.name in ("dashboard", "doctor"):
                continue
            await seen.press(top.key)
            await seen.until(
                lambda top=top: seen.app.current_mode == top.name and seen.here.picture is not None
            )
            await seen.until(lambda: all(_drawn(screen) == 0 for screen in left))
            left.append(seen.here)


def _drawn(screen: Widget) -> int:
    return sum(len(widget._styles_cache._cache) for widget in screen.walk_children(Widget))


async def test_tones_add_no_nodes_to_a_screen(console: Console) -> None:
    async with shown(console.connect) as seen:
        await seen.until(lambda: seen.here.picture is not None)
        toned = [widget for widget in seen.here.walk_children(DOMNode) if isinstance(widget, Toned)]
        assert len(toned) > 5
        assert {name for widget in toned for name in widget._component_styles} == {
            "paged--header",
            "paged--cursor",
            "paged--marked",
        }
