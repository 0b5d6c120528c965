"""Every refusal of the admin API in one shape: {"error": {"code", "message", "param"}}."""

from __future__ import annotations

import math
import re
import sys
import traceback
from typing import Any, cast

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from laidian.admin.schema import ErrorAnswer, ErrorBody
from laidian.admin.service.reading import problem
from laidian.errors import (
    BadRequest,
    BodyTooLarge,
    Bug,
    LaidianError,
    MethodNotAllowed,
    NotFound,
    Unauthenticated,
)

_Request = Request[Any, Any, Any]
_MISSING = re.compile(r"Missing required \w+ parameter '(\w+)'")


def refused(_: _Request, error: LaidianError) -> Response[ErrorAnswer]:
    """A refusal of our own."""
    return _answer(error)


def not_understood(request: _Request, error: HTTPException) -> Response[ErrorAnswer]:
    """What Litestar refuses: bodies and parameters that do not fit, paths that are not there."""
    if isinstance(error, ValidationException):
        return _answer(_misfit(request, error))
    if error.status_code == 404:
        return _answer(no_route(request.method, request.url.path))
    if error.status_code == 405:
        return _answer(MethodNotAllowed(f"{request.url.path[:200]} does not take {request.method}."))
    if error.status_code == 413:
        return _answer(BodyTooLarge("The body is larger than anything this API takes."))
    if error.status_code == 400:
        return _answer(BadRequest(f"The body is not valid JSON: {error.detail}.", code="invalid_json"))
    refusal = BadRequest(str(error.detail))
    refusal.status = error.status_code
    return _answer(refusal)


def unreadable(_: _Request, error: Exception) -> Response[ErrorAnswer]:
    """Two things that msgspec says of a body in words of its own: nested beyond its limit, and not UTF-8."""
    why = "nested too deeply" if isinstance(error, RecursionError) else "not UTF-8 text"
    return _answer(BadRequest(f"The body is not valid JSON: it is {why}.", code="invalid_json"))


def failed(_: _Request, error: Exception) -> Response[ErrorAnswer]:
    """Ours: the trace goes to stderr, a sentence to the operator."""
    traceback.print_exception(error, file=sys.stderr)
    return _answer(Bug("LaiDian failed on its own; the cause is in the server's log."))


def no_route(method: str, path: str) -> NotFound:
    return NotFound(
        f"There is no {method} {path[:200]}. GET /admin/v1/openapi.json lists what there is.",
        code="unknown_url",
    )


def _misfit(request: _Request, error: ValidationException) -> BadRequest:
    cause = error.__cause__
    if not isinstance(cause, msgspec.ValidationError):
        missing = _MISSING.search(error.detail)
        return BadRequest(error.detail, param=missing[1] if missing else None)
    text = str(cause)
    if text == "Object missing required field `data`":
        return BadRequest("The body is empty; send a JSON object.", code="invalid_json")
    # Litestar decodes the body as one field, `data`, beside the parameters
    plain = msgspec.ValidationError(text.replace("`$.data", "`$").replace("`key in $.data", "`key in $"))
    signature = request.route_handler.parsed_fn_signature.parameters
    body = signature["data"].annotation if "data" in signature else ErrorBody
    return problem(plain, cast(type[msgspec.Struct], body))


def _answer(error: LaidianError) -> Response[ErrorAnswer]:
    headers = {"cache-control": "no-store"}
    if error.retry_after_s is not None:
        headers["retry-after"] = str(max(1, math.ceil(error.retry_after_s)))
    if isinstance(error, Unauthenticated):
        headers["www-authenticate"] = "Bearer"
    answer = ErrorAnswer(error=ErrorBody(code=error.code, message=error.message, param=error.param))
    return Response(answer, status_code=error.status, headers=headers, media_type="application/json")
