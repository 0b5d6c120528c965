"""Finds the row of a request: by family, path and method, segment by segment.

Owns the search and no meaning: what a row is for is `table.py`. Static segments come before `{name}`, and that before `{model}` and
`{rest}`; a request is authorised by the row that was found, never by its path.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import msgspec

from laidian.protocol.family import FamilyName
from laidian.routes.marks import Marks
from laidian.routes.paths import Asked, verb_of
from laidian.routes.table import ANY, WEBSOCKET, Row

PREFIX: dict[FamilyName, str] = {"openai": "/v1", "gemini": "/v1beta", "anthropic": "/v1"}
"""What the canonical paths of a family begin with."""

UPLOAD = "/upload/v1beta"

NEAREST_CHARS = 80
"""How much of an unknown path is compared with the known ones; comparing is quadratic."""

_PAGES = frozenset({"", "/usage", "/key"})
"""What is not taken without a version in front: the instance's own pages may stand there."""

Params = dict[str, str]
"""What stands for each placeholder of a row, decoded."""

Values = tuple[str, ...]


class Found(msgspec.Struct, frozen=True):
    """What a path leads to."""

    family: FamilyName
    """In whose shape to answer."""
    path: str
    """Canonical."""
    row: Row | None
    """None: no such path, or not with this method."""
    params: Params
    allowed: tuple[str, ...]
    """Methods that the path takes, when it is known."""


class _Node:
    __slots__ = ("one", "rest", "rows", "some", "static")

    def __init__(self) -> None:
        self.static: dict[str, _Node] = {}
        self.one: _Node | None = None
        self.some: _Node | None = None
        """`{model}`: all segments that are left, at least one."""
        self.rest: _Node | None = None
        """`{rest}`: all segments that are left, or none."""
        self.rows: dict[str, dict[str, Row]] = {}
        """Verb (or nothing) to method to row."""


class Matcher:
    def __init__(self, rows: Iterable[Row]) -> None:
        self._roots: dict[FamilyName, _Node] = {"openai": _Node(), "gemini": _Node(), "anthropic": _Node()}
        self._served = [row for row in rows if row.served]
        self._verbs: set[str] = set()
        for row in rows:
            self._add(row)

    def find(self, asked: Asked, marks: Marks, method: str) -> Found | None:
        """The row, or the shape to refuse in; None for a path that is none of the public surface's."""
        family, verb = self._family(asked, marks, method), verb_of(asked.bare)
        method = "GET" if method == "HEAD" else method
        method = WEBSOCKET if marks.websocket else method
        others: list[FamilyName] = [] if verb in self._verbs else [name for name in PREFIX if name != family]
        for name in (family, *others):
            found = self._look(name, asked, method)
            if found is not None and (found.row is not None or verb in self._verbs or not verb):
                return found
        if asked.versioned or asked.upload:
            return Found(family, _canonical(family, asked), None, {}, ())
        return None

    def nearest(self, found: Found, method: str) -> Row:
        """The served row that looks most like an unknown path, of the same family if that has any."""
        rows = [row for row in self._served if row.family == found.family] or self._served
        by_name = {f"{row.method} {row.path}": row for row in rows}
        wanted = f"{method[:8]} {found.path[:NEAREST_CHARS]}"
        begun = [name for name in by_name if name.startswith(f"{wanted}/")]
        if begun:
            return by_name[min(begun, key=len)]  # a path that was cut short means what it begins
        return by_name[difflib.get_close_matches(wanted, by_name, n=1, cutoff=0.0)[0]]

    def _family(self, asked: Asked, marks: Marks, method: str) -> FamilyName:
        verb = verb_of(asked.bare)
        if verb in self._verbs or asked.upload:
            return "gemini"
        if verb and method == "POST" and asked.bare.startswith("/models/"):
            return "gemini"  # a verb that nobody has heard of yet; OpenAI takes no POST there
        if asked.compatible:
            return "openai"
        return marks.family or ("gemini" if asked.google or asked.bare.startswith("/ws/") else "openai")

    def _add(self, row: Row) -> None:
        path, colon, verb = row.path.rpartition(":")
        if not colon or "}" in verb or "/" in verb:
            path, verb = row.path, ""
        if verb:
            self._verbs.add(verb)
        node = self._roots[row.family]
        for segment in path.split("/")[1:]:
            node = _child(node, segment)
        node.rows.setdefault(verb, {})[row.method] = row

    def _look(self, family: FamilyName, asked: Asked, method: str) -> Found | None:
        """The row of one family; one without a row when only other methods are taken; None when it does not know the path."""
        paths = [_canonical(family, asked)] if asked.versioned or asked.bare not in _PAGES else []
        if not asked.versioned and not asked.upload:
            paths.append(asked.bare)
        known: Found | None = None
        for path in paths:
            for rows, values in self._ways(family, path):
                row = rows.get(method) or (rows.get(ANY) if method != WEBSOCKET else None)
                allowed = _allowed(rows)
                if row is not None:
                    params = dict(zip(row.placeholders, values, strict=True))
                    return Found(family, path, row, params, allowed)
                if allowed and known is None:
                    known = Found(family, path, None, {}, allowed)
        return known

    def _ways(self, family: FamilyName, path: str) -> Iterable[tuple[dict[str, Row], Values]]:
        """Every way to read a path, best first. A verb is a verb: only where there is none, a colon is part of a name."""
        root, verb = self._roots[family], verb_of(path)
        if verb in self._verbs:
            path = path[: -len(verb) - 1]
        else:
            verb = ""
        for node, values in _walk(root, path.split("/")[1:], 0, ()):
            if verb in node.rows:
                yield node.rows[verb], values


def _allowed(rows: dict[str, Row]) -> tuple[str, ...]:
    """Methods for a 405: those that are served, or, where none is, those whose refusal says more."""
    named = {name: row for name, row in rows.items() if name not in (ANY, WEBSOCKET)}
    served = [name for name, row in named.items() if row.served]
    return tuple(sorted(served or named))


def _canonical(family: FamilyName, asked: Asked) -> str:
    return (UPLOAD if asked.upload else PREFIX[family]) + asked.bare


def _child(node: _Node, segment: str) -> _Node:
    if segment == "{rest}":
        node.rest = node.rest or _Node()
        return node.rest
    if segment == "{model}":
        node.some = node.some or _Node()
        return node.some
    if segment.startswith("{"):
        node.one = node.one or _Node()
        return node.one
    return node.static.setdefault(segment, _Node())


def _walk(node: _Node, segments: list[str], at: int, values: Values) -> Iterable[tuple[_Node, Values]]:
    if at == len(segments):
        yield node, values
    else:
        segment = segments[at]
        static = node.static.get(segment)
        if static is not None:
            yield from _walk(static, segments, at + 1, values)
        if node.one is not None:
            yield from _walk(node.one, segments, at + 1, (*values, segment))
        if node.some is not None:
            yield node.some, (*values, "/".join(segments[at:]))
    if node.rest is not None:
        yield node.rest, (*values, "/".join(segments[at:]))
