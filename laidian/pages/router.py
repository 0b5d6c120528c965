"""The addresses of the pages. Loads nothing that draws until the first page is asked for: an instance that nobody looks at pays nothing.

A request that brings a key in a header, or does not ask for HTML, never gets a page.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import msgspec
from litestar import Request, Response, get, post, route
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from laidian import __version__
from laidian.errors import NotFound
from laidian.pages.door import browses
from laidian.pages.headers import FOREVER, PRIVATE, PUBLIC, SECURITY
from laidian.relay.context import Context

if TYPE_CHECKING:
    from laidian.pages.frame import PageName
    from laidian.pages.site import Drawn, Site
    from laidian.pages.visit import Visit

_Request = Request[Any, Any, Any]
_Answer = Response[bytes]

FORM_MAX_BYTES = 4_096
"""A form holds one key."""
PACKED_FROM_BYTES = 4_096
HTML, JSON, SVG, RSS = "text/html", "application/json", "image/svg+xml", "application/rss+xml; charset=utf-8"


class Greeting(msgspec.Struct, frozen=True):
    """What a program gets from `/`."""

    version: str
    models: str = "/v1/models"
    name: str = "LaiDian"


class _Pages:
    """Loads the site once, beside the event loop."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._site: Site | None = None

    async def site(self) -> Site:
        if self._site is None:
            self._site = await asyncio.to_thread(_load, self.context)
        return self._site

    def visit(self, request: _Request) -> Visit:
        from laidian.pages.visit import visit

        return visit(request.scope, self.context.config)  # pyright: ignore[reportArgumentType]


def _load(context: Context) -> Site:
    from laidian.pages.site import Site

    return Site(context)


def page_routes(context: Context) -> list[HTTPRouteHandler]:
    """Handlers of every page that is switched on."""
    settings, pages = context.config.pages, _Pages(context)
    handlers: list[HTTPRouteHandler] = []
    if settings.docs != "off":
        handlers.append(_docs(pages))
    if settings.models != "off":
        handlers += [*_own(pages, "models"), _data(pages, "models", keyed=settings.models == "keyed")]
    if settings.status != "off":
        handlers += [*_own(pages, "status"), _data(pages, "status", keyed=settings.status == "keyed")]
    if settings.status == "public":
        handlers += [_renewed(pages), _badge(pages)]
        if settings.feed:
            handlers.append(_feed(pages))
    if settings.key != "off":
        handlers += _own(pages, "key")
    return [*handlers, _asset()]


def absent(
    context: Context, otherwise: Callable[[_Request, HTTPException], Response[Any]]
) -> Callable[[_Request, HTTPException], Response[Any]]:
    """What answers a path that is not there: a page for a browser, `otherwise` for everybody else and every other trouble."""

    def answer(request: _Request, error: HTTPException) -> Response[Any]:
        api = request.scope["path"].startswith("/admin/")
        if error.status_code != 404 or api or not browses(request.scope["headers"]):
            return otherwise(request, error)
        from laidian.pages.absent import absent_page
        from laidian.pages.assets import addresses
        from laidian.pages.frame import Frame
        from laidian.pages.visit import visit
        from laidian.pages.words import words

        found = visit(request.scope, context.config)  # pyright: ignore[reportArgumentType]
        content = absent_page(Frame(words(found.language), context.config.pages, addresses()))
        body = b"" if request.method == "HEAD" else content
        return Response(body, status_code=404, media_type=HTML, headers=_head(PRIVATE))

    return answer


def _docs(pages: _Pages) -> HTTPRouteHandler:
    @route("/", http_method=["GET", "HEAD"])
    async def docs(request: _Request) -> _Answer:
        """The documentation; a program gets a greeting."""
        if not browses(request.scope["headers"]):
            return _json(msgspec.json.encode(Greeting(__version__)), PUBLIC)
        return await _public(pages, request, "docs")

    return docs


def _own(pages: _Pages, name: PageName) -> list[HTTPRouteHandler]:
    """A page with a field for a key: the page, its form, and what the script asks for."""

    @route(f"/{name}", http_method=["GET", "HEAD"])
    async def page(request: _Request) -> _Answer:
        if not browses(request.scope["headers"]):
            raise NotFound(_INSTEAD[name], code="unknown_url")
        return await _public(pages, request, name)

    @post(f"/{name}", request_max_body_size=FORM_MAX_BYTES, status_code=200)
    async def form(request: _Request) -> _Answer:
        """A browser without a script. The key is in the body, which nobody keeps."""
        if not browses(request.scope["headers"]):
            raise NotFound(_INSTEAD[name], code="unknown_url")
        said = parse_qs((await request.body()).decode("latin-1"))
        credential = said.get("key", [""])[0].strip().encode()
        site, visit = await pages.site(), pages.visit(request)
        status, content = await site.answer_to_form(name, visit, credential or None, _host(request))
        return Response(content, status_code=status, media_type=HTML, headers=_head(PRIVATE))

    @get(f"/view/{name}")
    async def view(request: _Request) -> _Answer:
        site, visit = await pages.site(), pages.visit(request)
        from laidian.pages.site import View

        status, html = await site.seen(name, visit, _credential(request), _host(request))
        content = msgspec.json.encode(View(str(html)))
        if "gzip" not in request.headers.get("accept-encoding", "") or len(content) < PACKED_FROM_BYTES:
            return _json(content, PRIVATE, status)
        # a thousand models are a megabyte; nothing secret is inside that its size could tell
        packed = await asyncio.to_thread(gzip.compress, content, 5)
        headers = {**_head(PRIVATE), "content-encoding": "gzip"}
        return Response(packed, status_code=status, media_type=JSON, headers=headers)

    return [page, form, view]


_INSTEAD: dict[str, str] = {
    "models": "This page is for browsers. GET /models.json has the same as data, GET /v1/models what your key may use.",
    "status": "This page is for browsers. GET /status.json has the same as data.",
    "key": "This page is for browsers. GET /v1/usage, with your key, has the same as data.",
}


def _data(pages: _Pages, name: PageName, *, keyed: bool) -> HTTPRouteHandler:
    @route(f"/{name}.json", http_method=["GET", "HEAD"])
    async def data(request: _Request) -> _Answer:
        """What the page says, as data; with a key, for its group."""
        site, credential = await pages.site(), _credential(request)
        if keyed or credential is not None:
            return _json(await site.data(name, credential, _host(request)), PRIVATE)
        drawn = await site.public(f"{name}.json", pages.visit(request))
        return _kept(request, drawn, JSON)

    return data


def _renewed(pages: _Pages) -> HTTPRouteHandler:
    @get("/view/status/public")
    async def renewed(request: _Request) -> _Answer:
        """What the script of /status asks for every minute."""
        site = await pages.site()
        return _kept(request, await site.public("status.view", pages.visit(request)), JSON)

    return renewed


def _badge(pages: _Pages) -> HTTPRouteHandler:
    @route("/status/badge.svg", http_method=["GET", "HEAD"])
    async def badge(request: _Request) -> _Answer:
        """`?name=` a model, or whatever /status names; `?show=uptime` for ninety days instead of this moment."""
        name = request.query_params.get("name", "")[:256]
        site = await pages.site()
        drawn = await site.badge(
            pages.visit(request), name, uptime=request.query_params.get("show") == "uptime"
        )
        if drawn is None:
            raise NotFound(
                f"/status names nothing {name[:64]!a}. GET /status.json lists what it names.", param="name"
            )
        return Response(drawn, media_type=SVG, headers=_head(PUBLIC))

    return badge


def _feed(pages: _Pages) -> HTTPRouteHandler:
    @route("/status.rss", http_method=["GET", "HEAD"])
    async def feed(request: _Request) -> _Answer:
        return _kept(request, await (await pages.site()).public("status.rss", pages.visit(request)), RSS)

    return feed


def _asset() -> HTTPRouteHandler:
    @route("/assets/{name:str}", http_method=["GET", "HEAD"], sync_to_thread=True)
    def asset(name: FromPath[str], request: _Request) -> _Answer:
        from laidian.pages.assets import asset

        found = asset(name)
        if found is None:
            raise NotFound(f"There is no asset {name[:64]!a} here.", code="unknown_url")
        headers = {**_head(FOREVER), "etag": f'"{found.mark}"'}
        return _packed(request, found.content, found.packed, found.media_type, headers)

    return asset


# Answers


async def _public(pages: _Pages, request: _Request, name: PageName) -> _Answer:
    drawn = await (await pages.site()).public(name, pages.visit(request))
    if name == "key":  # with what a script puts into it, it is not to be had by the back button either
        return _packed(request, drawn.content, drawn.packed, HTML, _head(PRIVATE))
    return _kept(request, drawn, HTML)


def _kept(request: _Request, drawn: Drawn, media_type: str) -> _Answer:
    """What may be kept a while: nothing when the browser has it already, compressed when it can read that."""
    headers = {**_head(PUBLIC), "etag": f'W/"{drawn.mark}"'}
    if drawn.mark in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, media_type=media_type, headers=headers)
    return _packed(request, drawn.content, drawn.packed, media_type, headers)


def _packed(
    request: _Request, content: bytes, packed: bytes, media_type: str, headers: dict[str, str]
) -> _Answer:
    """Compressed, when the browser can read that."""
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(packed, media_type=media_type, headers={**headers, "content-encoding": "gzip"})
    return Response(content, media_type=media_type, headers=headers)


def _json(content: bytes, kept: str, status: int = 200) -> _Answer:
    return Response(content, status_code=status, media_type=JSON, headers=_head(kept))


def _head(kept: str) -> dict[str, str]:
    return {
        **SECURITY,
        "cache-control": kept,
        "vary": "Accept, Accept-Encoding, Accept-Language, Authorization",
    }


def _credential(request: _Request) -> bytes | None:
    """The key of an Authorization header."""
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    return credential.strip().encode("latin-1") if scheme.lower() == "bearer" and credential.strip() else None


def _host(request: _Request) -> str:
    return request.client.host if request.client else ""
