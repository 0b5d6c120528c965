"""One tree for every refusal and failure that a person or a client gets to read.

LaidianError
├── CallerError            the request is at fault
│   ├── BadRequest         400  malformed or contradictory input
│   ├── Unauthenticated    401  no key, or not a key of ours
│   ├── Forbidden          403  a valid credential used from the wrong place
│   ├── NotFound           404  model, route or object that this caller cannot have
│   ├── MethodNotAllowed   405
│   ├── BodyTimeout        408  the body did not arrive in time
│   ├── Conflict           409  the name exists, or the thing is in use
│   ├── BodyTooLarge       413
│   ├── UnsupportedMedia   415
│   └── Limited            429  a limit of the caller was reached
│       ├── RateLimited         requests, tokens or concurrent requests; passes with time
│       └── QuotaExhausted      money; passes when the operator or the window adds some
├── OperatorError          the set-up is at fault
│   └── ModelUnpriced      404  no price, so it is refused rather than served free
├── UpstreamFailure        a provider is at fault
│   ├── UpstreamRefused    4xx  the provider's own verdict on this request, handed through
│   ├── UpstreamBroken     502  unreachable or nonsense, after failover
│   ├── NoUpstream         503  nothing that serves this model works now
│   └── UpstreamSilent     504
└── RelayFailure           LaiDian is at fault
    ├── StorageDown        503  the database cannot be written, so nothing is relayed
    ├── Stopping           503  the server is draining
    └── Bug                500

The class says status, code and whose fault; the message is a sentence with the values and the next step.
Messages never hold a credential. How an error looks on the wire is the dialect's business.
"""


class LaidianError(Exception):
    """Base of the tree. `message` is for the reader; the attributes below are for the wire."""

    status: int = 500
    """HTTP status."""
    code: str = "internal_error"
    """Stable, machine-readable; documented in the README's table of codes."""
    type: str = "server_error"
    """OpenAI's `error.type` (protocol.md section 5.1)."""
    fault: str = "relay"
    """Whose fault: caller, operator, upstream or relay."""
    retry: bool | None = None
    """What `x-should-retry` says; None leaves the header out."""

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        retry_after_s: float | None = None,
        retry: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after_s = retry_after_s
        if code is not None:
            self.code = code
        if retry is not None:
            self.retry = retry


class CallerError(LaidianError):
    fault = "caller"
    type = "invalid_request_error"


class BadRequest(CallerError):
    status = 400
    code = "invalid_request"


class Unauthenticated(CallerError):
    status = 401
    code = "invalid_api_key"


class Forbidden(CallerError):
    status = 403
    code = "insufficient_permissions"


class NotFound(CallerError):
    status = 404
    code = "not_found"


class MethodNotAllowed(CallerError):
    status = 405
    code = "method_not_allowed"


class BodyTimeout(CallerError):
    status = 408
    code = "request_timeout"


class Conflict(CallerError):
    status = 409
    code = "conflict"


class BodyTooLarge(CallerError):
    status = 413
    code = "request_too_large"


class UnsupportedMedia(CallerError):
    status = 415
    code = "unsupported_media_type"


class Limited(CallerError):
    status = 429


class RateLimited(Limited):
    code = "rate_limit_exceeded"
    type = "rate_limit_error"
    retry = True


class QuotaExhausted(Limited):
    code = "insufficient_quota"
    type = "insufficient_quota"
    retry = False


class OperatorError(LaidianError):
    fault = "operator"


class ModelUnpriced(OperatorError):
    status = 404
    code = "model_not_priced"
    type = "invalid_request_error"


class EndedByOperator(OperatorError):
    """A running request that the operator broke off. No 5xx: Codex repeats one thirty times, and it would run away again."""

    status = 403
    code = "ended_by_operator"
    type = "permission_error"
    retry = False


class UpstreamFailure(LaidianError):
    fault = "upstream"


class UpstreamRefused(UpstreamFailure):
    """The provider judged the request itself (400, 404, 413, 422 …): same status, its message, nothing retried."""

    fault = "caller"
    type = "invalid_request_error"

    def __init__(self, status: int, message: str, *, code: str, param: str | None, type_: str) -> None:
        super().__init__(message, param=param, code=code)
        self.status = status
        self.type = type_


class UpstreamBroken(UpstreamFailure):
    status = 502
    code = "upstream_error"
    retry = False


class NoUpstream(UpstreamFailure):
    status = 503
    code = "no_available_channel"
    type = "service_unavailable_error"


class UpstreamLimited(UpstreamFailure):
    """Every upstream that could serve the request is rate limited by its provider."""

    status = 429
    code = "rate_limit_exceeded"
    type = "rate_limit_error"
    retry = True


class UpstreamSilent(UpstreamFailure):
    status = 504
    code = "upstream_timeout"
    type = "timeout_error"


class RelayFailure(LaidianError):
    pass


class StorageDown(RelayFailure):
    status = 503
    code = "storage_unavailable"
    type = "service_unavailable_error"


class Stopping(RelayFailure):
    status = 503
    code = "server_stopping"
    type = "service_unavailable_error"
    retry = True


class Bug(RelayFailure):
    pass
