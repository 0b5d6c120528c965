"""Where Gemini's clients call: model and verb out of a path, and back into one.

Owns the shapes of paths and nothing of bodies. The rule a newcomer would break: the model is part of the path, so whatever a client
wrote there is checked before it becomes a part of an upstream's path, where `..` would be another endpoint of the operator's account.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, quote

import msgspec

from laidian.errors import BadRequest

MAX_MODEL_CHARS = 200

GENERATE = "generateContent"
STREAM = "streamGenerateContent"
COUNT = "countTokens"
EMBED = "embedContent"
EMBED_BATCH = "batchEmbedContents"
VERBS = (GENERATE, STREAM, COUNT, EMBED, EMBED_BATCH)
"""What is relayed; other verbs exist (protocol.md 2.2) and are refused by the routes."""

_PATH = re.compile(
    r"/(?:v1(?:beta|alpha)?/)*(?P<kind>models|tunedModels)/(?P<name>.+):(?P<verb>[A-Za-z]+)", re.DOTALL
)
"""Any number of version prefixes: people and clients each add one (protocol.md 0.2)."""


class Target(msgspec.Struct, frozen=True):
    """What a path asks for."""

    model: str
    """Without `models/`; with `tunedModels/`."""
    verb: str
    """One of `VERBS`, or another one of Google's."""


def read_path(path: str) -> Target | None:
    """Model and verb of `…/models/{model}:{verb}`, percent signs decoded; None for any other path. A query is not looked at."""
    found = _PATH.fullmatch(path.partition("?")[0])
    if found is None:
        return None
    name = found["name"].removeprefix("models/")
    return Target(name if found["kind"] == "models" else f"tunedModels/{name}", found["verb"])


def wants_array(path: str) -> bool:
    """Whether a stream is to be a JSON array: the form without `alt=sse`. Raises BadRequest for a form that is not served."""
    query = dict(parse_qsl(path.partition("?")[2]))
    form = query.get("alt") or query.get("$alt") or "json"
    if form not in ("sse", "json"):
        raise BadRequest(
            f"`alt` must be sse or json; got {form[:32]}. Use alt=sse for a stream of events.",
            param="alt",
            code="invalid_value",
        )
    return form == "json"


def checked_model(name: str) -> str:
    """The name as it is. Raises BadRequest for one that no model can have."""
    segments = name.split("/")
    if (
        len(name) > MAX_MODEL_CHARS
        or not name.isprintable()
        or any(one in ("", ".", "..") for one in segments)
    ):
        raise BadRequest(
            f"The model in the path must be at most {MAX_MODEL_CHARS} printable characters without empty or dotted segments.",
            param="model",
            code="invalid_value",
        )
    return name


def write_path(model: str, verb: str) -> str:
    """Below an upstream's base URL. A stream is always asked for as events, whichever form the client gets."""
    resource = model if model.startswith("tunedModels/") else f"models/{model}"
    query = "?alt=sse" if verb == STREAM else ""
    return f"/{quote(resource, safe='/:@-._~')}:{verb}{query}"
