"""The public surface as a document: every route of the current OpenAI, Gemini and Anthropic SDKs, and what becomes of it.

The rows stand in `rows_openai.py`, `rows_gemini.py`, `rows_anthropic.py` and `rows_own.py`; this file knows what a row is and which
of them are served. The rule a newcomer would break: a row says what is meant to be; whether it is served is never written down but
found out, from the operations and answers that are registered. The table refuses nothing and finds nothing: that is `matcher.py`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Literal

import msgspec

from laidian.protocol.dialect import Operation
from laidian.protocol.family import FamilyName

State = Literal["native", "translated", "pass-through", "affinity", "local", "refused"]
"""native: forwarded byte for byte to upstreams that speak the same protocol, and understood.
translated: that, and translated for upstreams that speak another protocol.
pass-through: forwarded and metered, and no more of it understood than its price needs.
affinity: the object belongs to the key that made it and to the upstream credential that holds it.
local: answered here, no upstream is asked.
refused: answered with a typed error that says why."""

ANY = "any"
"""The method of a row that takes every method."""
WEBSOCKET = "websocket"
"""The method of a row that is a WebSocket handshake (a GET with `Upgrade: websocket`)."""

ENDPOINT_NOT_SUPPORTED = "endpoint_not_supported"
WEBSOCKET_NOT_SUPPORTED = "websocket_not_supported"
NOT_YET = "not served yet"

_PLACEHOLDER = re.compile(r"\{[^{}]*\}")


class Row(msgspec.Struct, frozen=True):
    """One route."""

    method: str
    """GET, POST, PATCH, PUT or DELETE; `any`; or `websocket`."""
    path: str
    """Canonical. `{name}` is one segment, `{model}` one or more at the end (ids hold slashes), `{rest}` none or more."""
    family: FamilyName
    state: State
    operation: str = ""
    """The operation or answer that serves it; empty for what is never served."""
    capability: str = ""
    """What the key's group must have; empty: every key may."""
    code: str = ""
    """Of the refusal; empty for what is served."""
    reason: str = ""
    """Of the refusal, as the end of a sentence."""

    @property
    def shape(self) -> str:
        """The path with anonymous placeholders: what two spellings of one route have in common."""
        return _PLACEHOLDER.sub("{}", self.path)

    @property
    def placeholders(self) -> tuple[str, ...]:
        """Their names, left to right."""
        return tuple(found[1:-1] for found in _PLACEHOLDER.findall(self.path))

    @property
    def served(self) -> bool:
        return self.state != "refused"


def serving(family: FamilyName, state: State, routes: str) -> tuple[Row, ...]:
    """Rows that are served, or will be: a line each of METHOD PATH OPERATION [CAPABILITY]."""
    rows: list[Row] = []
    for line in routes.strip().splitlines():
        method, path, operation, *capability = line.split()
        rows.append(Row(method, path, family, state, operation, "".join(capability)))
    return tuple(rows)


def refusing(family: FamilyName, reason: str, routes: str) -> tuple[Row, ...]:
    """Rows that are never served, for one reason: a line each of METHOD[,METHOD…] PATH."""
    rows: list[Row] = []
    for line in routes.strip().splitlines():
        methods, path = line.split()
        for method in methods.split(","):
            code = WEBSOCKET_NOT_SUPPORTED if method == WEBSOCKET else ENDPOINT_NOT_SUPPORTED
            rows.append(Row(method, path, family, "refused", code=code, reason=reason))
    return tuple(rows)


def resolved(
    planned: Iterable[Row], operations: Iterable[Operation], answers: Collection[str]
) -> tuple[Row, ...]:
    """The rows as they are now: what nothing is registered for is refused as not served yet.

    An operation serves the row that has its family, method and path, whatever the placeholders are called; an answer the row that
    names it. A served row takes name and capability of its operation, which decides.
    """
    by_route = {(one.family, one.method, _PLACEHOLDER.sub("{}", one.path)): one for one in operations}
    rows: list[Row] = []
    for row in planned:
        operation = by_route.get((row.family, row.method, row.shape))
        if operation is not None:
            row = msgspec.structs.replace(row, operation=operation.name, capability=operation.capability)
        elif row.served and row.operation not in answers:
            row = msgspec.structs.replace(row, state="refused", code=ENDPOINT_NOT_SUPPORTED, reason=NOT_YET)
        rows.append(row)
    return tuple(rows)
