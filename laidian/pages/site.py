"""Everything behind the pages' addresses, loaded when the first page is asked for: drawing, keeping what was drawn, and looking at keys.

Drawing happens beside the event loop, and a public page is drawn at most once in `KEPT_S` for each language and address, so that a crowd
at the pages does not slow a relayed request. What belongs to a key is never kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from laidian.admin.service.upstreams import list_upstreams
from laidian.admin.service.usage import receipt
from laidian.clock import now_ms
from laidian.domain.group import Group
from laidian.domain.key import Key, display
from laidian.domain.snippets import root_of
from laidian.errors import Bug, LaidianError, Unauthenticated
from laidian.pages import assets
from laidian.pages.badge import Shown, badge
from laidian.pages.docs import docs_page, instance
from laidian.pages.entry import entry_form, refused_view
from laidian.pages.frame import Frame, PageName
from laidian.pages.headers import KEPT_S
from laidian.pages.html import Child, Html, h
from laidian.pages.key import RECENT, Seen, key_page, key_view, last_days
from laidian.pages.models import models_answer, models_page, models_view
from laidian.pages.offer import Offers, State, offers, public_groups
from laidian.pages.rss import status_rss
from laidian.pages.status import RENEWED, Monitor, of_models, status_answer, status_page, status_view
from laidian.pages.uptime import DAYS, HOURS, first_hour, uptime
from laidian.pages.visit import Visit
from laidian.pages.words import words
from laidian.relay import gates
from laidian.relay.context import Context
from laidian.relay.holder import admit, ask, recent, standing
from laidian.store.connection import Connection
from laidian.store.upstreams import read_upstreams
from laidian.store.uptime import DAY_MS, HOUR_MS, read_demand, read_hours
from laidian.upstream.probe import PROBE_EVERY_S

_log = logging.getLogger(__name__)

OFFERS_KEPT_S = 5.0
"""What works now changes within seconds, and looking costs 40 us for each model and group."""
DRAWN = 64
"""Pages kept; the one that was asked for longest ago is forgotten first."""


ADDRESSED = ("docs", "status.rss")
"""What names the address under which the visitor found it, which a crowd could write in many ways."""


class View(msgspec.Struct, frozen=True):
    """What the script puts into a page."""

    html: str


class Drawn(msgspec.Struct, frozen=True):
    """A finished answer."""

    content: bytes
    packed: bytes
    """The same, compressed."""
    mark: str
    """For ETag."""
    until_s: float


class Site:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._settings = context.config.pages
        self._assets = assets.addresses()
        self._drawn: OrderedDict[tuple[str, Visit], Drawn] = OrderedDict()
        self._turn = asyncio.Lock()
        self._offers: tuple[Offers, float] | None = None
        """What the public is offered, and until when that holds."""
        self._monitored: tuple[Sequence[Monitor], float] | None = None
        if self._settings.group not in ("", *(one.name for one in context.catalog.current().groups.values())):
            _log.warning(
                "[pages] group in config.toml names %r, which is no group here: the pages show no models",
                self._settings.group,
            )
        self._makers: dict[str, Callable[[Visit], Awaitable[bytes]]] = {
            "docs": self._docs,
            "models": self._models,
            "models.json": self._models_data,
            "status": self._status,
            "status.json": self._status_data,
            "status.view": self._status_view,
            "status.rss": self._status_rss,
            "key": self._key,
        }

    # What everybody sees

    async def public(self, name: str, visit: Visit) -> Drawn:
        """A page by its name (`docs`), data by its file name (`models.json`), or the part of the status that renews itself."""
        if name not in ADDRESSED:
            visit = Visit(visit.language, "")
        place = (name, visit)
        kept = self._drawn.get(place)
        if kept is None or kept.until_s < time.monotonic():
            async with self._turn:
                kept = self._drawn.get(place)
                if kept is None or kept.until_s < time.monotonic():
                    content = await self._makers[name](visit)
                    kept = self._drawn[place] = await asyncio.to_thread(_finished, content)
        self._drawn.move_to_end(place)
        while len(self._drawn) > DRAWN:
            self._drawn.popitem(last=False)
        return kept

    async def _docs(self, visit: Visit) -> bytes:
        found, brand = self._public_offers(), self._settings.brand
        return await asyncio.to_thread(
            lambda: docs_page(self._frame(visit), instance(found(), visit.base_url, brand))
        )

    async def _models(self, visit: Visit) -> bytes:
        frame, found = self._frame(visit), self._public_offers()
        if self._settings.models == "keyed":
            return models_page(frame, entry_form(frame, "models"))

        def draw() -> bytes:
            entry = entry_form(frame, "models", optional=True)
            return models_page(frame, [models_view(frame.words, found(), now_ms()), entry])

        return await asyncio.to_thread(draw)

    async def _models_data(self, visit: Visit) -> bytes:
        found = self._public_offers()
        return await asyncio.to_thread(lambda: msgspec.json.encode(models_answer(found(), now_ms())))

    async def _status(self, visit: Visit) -> bytes:
        frame = self._frame(visit)
        if self._settings.status == "keyed":
            return status_page(frame, entry_form(frame, "status"))
        view = self._status_html(visit, await self._monitors(self._public_offers()))
        note = h("p", frame.words("status.renews"), class_="small", hidden=True)
        return status_page(frame, [h("div", view, data_renews=f"{RENEWED}?lang={visit.language}"), note])

    async def _status_view(self, visit: Visit) -> bytes:
        return msgspec.json.encode(
            View(str(self._status_html(visit, await self._monitors(self._public_offers()))))
        )

    async def _status_data(self, visit: Visit) -> bytes:
        monitors = await self._monitors(self._public_offers())
        return msgspec.json.encode(status_answer(monitors, self._settings.incident, now_ms()))

    async def _status_rss(self, visit: Visit) -> bytes:
        monitors, settings = await self._shared_monitors(), self._settings
        said, root = words(visit.language), root_of(visit.base_url)
        return await asyncio.to_thread(
            lambda: status_rss(said, settings.brand, settings.incident, monitors, root, now_ms())
        )

    async def badge(self, visit: Visit, name: str, *, uptime: bool) -> bytes | None:
        """A picture of the status, or of one of its names; None when it has none of that name."""
        async with self._turn:
            monitors = await self._shared_monitors()
        shown: Shown = "uptime" if uptime else "state"
        drawn = badge(words(visit.language), self._settings.brand, monitors, name, shown)
        return None if drawn is None else drawn.encode()

    async def _key(self, visit: Visit) -> bytes:
        frame = self._frame(visit)
        return key_page(frame, entry_form(frame, "key"))

    # What the holder of a key sees

    async def seen(
        self, name: PageName, visit: Visit, credential: bytes | None, host: str
    ) -> tuple[int, Html]:
        """What a look at a key comes to: status and view. A refusal is one, too."""
        try:
            return 200, await self._view(name, visit, credential, host)
        except LaidianError as error:
            return error.status, refused_view(words(visit.language), error)

    async def answer_to_form(
        self, name: PageName, visit: Visit, credential: bytes | None, host: str
    ) -> tuple[int, bytes]:
        """The whole page for a browser without a script: status, and the document."""
        status, view = await self.seen(name, visit, credential, host)
        frame = self._frame(visit)
        pages: dict[PageName, Callable[[Frame, Child], bytes]] = {
            "models": models_page,
            "status": status_page,
            "key": key_page,
        }
        return status, pages[name](frame, [entry_form(frame, name), view])

    async def data(self, name: PageName, credential: bytes | None, host: str) -> bytes:
        """`/models.json` or `/status.json` for the group of a key. Raises Unauthenticated, RateLimited, StorageDown."""
        found = self._offers_of(admit(self._context, credential, host))
        if name == "status":
            return msgspec.json.encode(
                status_answer(await self._monitors(found), self._settings.incident, now_ms())
            )
        return await asyncio.to_thread(lambda: msgspec.json.encode(models_answer(found(), now_ms())))

    async def _view(self, name: PageName, visit: Visit, credential: bytes | None, host: str) -> Html:
        """The part of a page that belongs to a key."""
        key = admit(self._context, credential, host)
        if name == "key":
            assert credential is not None
            return await self._key_view(visit, key, display(credential.decode("latin-1")))
        found = self._offers_of(key)
        if name == "status":
            return self._status_html(visit, await self._monitors(found))
        return await asyncio.to_thread(
            lambda: models_view(words(visit.language), found(), now_ms(), name="own")
        )

    async def _key_view(self, visit: Visit, key: Key, shown: str) -> Html:
        at_ms = now_ms()
        account = await standing(self._context, key, at_ms, last_days(at_ms))
        rows = await recent(self._context, key, RECENT)
        requests = await ask(
            self._context, lambda connection: [(row, receipt(connection, row)) for row in rows]
        )
        frame, found, group = self._frame(visit), None, None
        # of a disabled group what was spent is still to be seen
        with contextlib.suppress(Unauthenticated):
            found, group = self._offers_of(key), gates.group_of(self._context.catalog.current(), key)

        def draw() -> Html:
            seen = Seen(shown, account, group, found() if found else None, requests, visit.base_url)
            return key_view(frame, seen)

        return await asyncio.to_thread(draw)

    # Where it is from

    def _frame(self, visit: Visit) -> Frame:
        return Frame(words(visit.language), self._settings, self._assets)

    def _public_offers(self) -> Callable[[], Offers]:
        """To be called beside the event loop, on a snapshot taken now. All pages drawn within a few seconds share one answer."""
        look = self._offered(public_groups(self._context.catalog.current(), self._settings.group))

        def offered() -> Offers:
            found, until_s = self._offers or (None, 0.0)
            if found is None or until_s < time.monotonic():
                found = look()
                self._offers = found, time.monotonic() + OFFERS_KEPT_S
            return found

        return offered

    def _offers_of(self, key: Key) -> Callable[[], Offers]:
        """Raises Unauthenticated when the key's group is gone or disabled."""
        return self._offered([gates.group_of(self._context.catalog.current(), key)])

    def _offered(self, groups: list[Group]) -> Callable[[], Offers]:
        catalog, health, at_ms = self._context.catalog.current(), self._context.health, now_ms()
        return lambda: offers(catalog, groups, health.opened, at_ms)

    def _status_html(self, visit: Visit, monitors: Sequence[Monitor]) -> Html:
        return status_view(words(visit.language), monitors, now_ms(), PROBE_EVERY_S)

    async def _shared_monitors(self) -> Sequence[Monitor]:
        """The public's, read at most once in `KEPT_S` for all badges and feeds. To be called in one's turn."""
        kept, until_s = self._monitored or ((), 0.0)
        if until_s < time.monotonic():
            kept = await self._monitors(self._public_offers())
            self._monitored = kept, time.monotonic() + KEPT_S
        return kept

    async def _monitors(self, found: Callable[[], Offers]) -> list[Monitor]:
        """One card each, by model or by upstream."""
        at_ms, of_upstreams = now_ms(), self._settings.status_of == "upstreams"
        offered = await asyncio.to_thread(found)

        def read(connection: Connection) -> list[Monitor]:
            if of_upstreams:
                return _of_upstreams(connection, offered, at_ms)
            rows = read_hours(connection, first_hour(at_ms))
            demand = read_demand(connection, at_ms // HOUR_MS - HOURS + 1, at_ms // DAY_MS - DAYS + 1)
            return of_models(offered.models, rows, demand, at_ms)

        return await self._read(read)

    async def _read(self, question: Callable[[Connection], list[Monitor]]) -> list[Monitor]:
        if self._context.lister is None:
            raise Bug("This worker was started without a reader for its pages. Report it.")
        return await self._context.lister.read(question)


def _of_upstreams(connection: Connection, offered: Offers, at_ms: int) -> list[Monitor]:
    """Those that serve what is offered, under the operator's names for them."""
    states: dict[str, State] = {"up": "up", "resting": "resting"}
    serving = frozenset[int]().union(*(one.upstreams for one in offered.models))
    ids = {row.name: row.id for row in read_upstreams(connection) if row.id in serving}
    rows = read_hours(connection, first_hour(at_ms))
    return [
        Monitor(
            (one.name,),
            states.get(one.state, "down"),
            None,
            uptime(rows, frozenset({ids[one.name]}), None, at_ms),
        )
        for one in list_upstreams(connection, at_ms, {})
        if one.name in ids and one.enabled
    ]


def _finished(content: bytes) -> Drawn:
    mark = hashlib.sha256(content).hexdigest()[:16]
    return Drawn(content, gzip.compress(content, 6, mtime=0), mark, time.monotonic() + KEPT_S)
