"""Draws the dashboard as it is: a real server on made-up data, the real program in a terminal of 100x30, its screen as SVG.

    scripts/picture [FILE]          tui/picture.svg without one

Names are Latin: the SVG counts letters and not cells, which would squeeze Chinese. The picture names no other server: fonts are the
reader's own.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from pathlib import Path

from laidian.admin.client import AdminClient
from laidian.admin.schema import CredentialEdit
from laidian.server.folder import Folder
from scripts.bench.console_records import make
from tests.served import Served
from tests.simulated_provider import SimulatedProvider, simulated_provider
from tests.tui.screens import shown

PLACE = Path(__file__).resolve().parent.parent / "tui" / "picture.svg"
SIZE = (100, 30)
RECORDS, KEYS, DAYS, SEED = 40_000, 23, 2, 7
NAMES = ("alice-mac", "ci-bot", "bob-laptop", "carol", "batch-nightly", "demo", "phone", "notebook")
UPSTREAMS = ("openai-1", "openai-2", "gemini-a", "relay-b")


def seeded(root: Path, provider: SimulatedProvider) -> Served:
    """A data folder with a day behind it, not yet served. The last upstream does not answer."""
    folder = Folder(root / "data")
    make(folder, RECORDS, KEYS, DAYS, 200, SEED)
    laidian = Served(folder, root / "stderr.log", 1, ("",))
    with laidian.database() as database:
        keys = [number for (number,) in database.execute("SELECT id FROM keys ORDER BY spent_nano DESC")]
        upstreams = [number for (number,) in database.execute("SELECT id FROM upstreams ORDER BY id")]
    for key, name in zip(keys, NAMES, strict=False):
        laidian.write("UPDATE keys SET name = ? WHERE id = ?", name, key)
    for upstream, name in zip(upstreams, UPSTREAMS, strict=False):
        dead = name == UPSTREAMS[-1]
        address = "http://127.0.0.1:9/v1" if dead else f"{provider.base_url}/v1"
        laidian.write(
            "UPDATE upstreams SET name = ?, kind = 'openai', base_url = ? WHERE id = ?",
            name,
            address,
            upstream,
        )
    return laidian


async def drawn(laidian: Served) -> str:
    """The dashboard's first screen, once everything on it has come."""

    async def connect() -> AdminClient:
        return AdminClient.over_http(laidian.base_url, laidian.folder.token())

    async with await connect() as client:
        for name in UPSTREAMS:
            label = (await client.upstream(name)).credentials[0].label
            await client.edit_credential(name, label, CredentialEdit(api_key="sim-0001"))
            await client.probe(name)
    async with shown(connect, size=SIZE) as seen:
        await seen.settled()
        return without_fonts(seen.app.export_screenshot(title="laidian tui"))


def without_fonts(svg: str) -> str:
    """Textual's picture fetches its font from elsewhere; this one takes what the reader has."""
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = svg.replace("Fira Code", "ui-monospace, Menlo, Consolas")
    # The port is another one at every drawing.
    return re.sub(r"127\.0\.0\.1:\d{5}", "127.0.0.1:8080 ", svg)


def picture() -> str:
    with tempfile.TemporaryDirectory(prefix="laidian-") as temporary, simulated_provider() as provider:
        laidian = seeded(Path(temporary), provider)
        try:
            laidian.start()
            return asyncio.run(drawn(laidian))
        finally:
            if laidian.process is not None:
                laidian.kill9(whole_tree=True)


def main() -> None:
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else PLACE
    place.write_text(picture())


if __name__ == "__main__":
    main()
