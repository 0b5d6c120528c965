"""The wire types of the admin API, shared by the server, the command line and the dashboard.

Owns the shapes, and the bounds of numbers and texts as far as a type can say them: no rule, no I/O. The rule a newcomer would
break: no secret in a type that is read. `KeyCreated` alone brings one to the reader; every type that carries one hides it in its
`repr`.

How values are written, everywhere:
- Money is decimal text in US dollars ("0.018622"), exact; `*_usd`. A multiplier is text too: "1x", "1.25x".
- A time is read as ISO 8601 in UTC ("2026-11-22T10:00:00Z"). Where one is written, it may also be a date ("2026-12-31"), a duration
  from now ("30d", "12h", "90m") or epoch seconds or milliseconds; see `When`. In `since` and `until` a duration goes back from now.
- Things are addressed by name. A key also by its id, by the start of its display form ("sk-AbCd") or by the whole credential.
- In an edit, a field that is left out (`UNSET`) stays as it is, and null removes the value where null is allowed.
- Lists of names are arrays; a group's upstreams are one text: `a,b` in order, `a+b` sharing by weight, empty for all.

Paths, below /admin/v1 (`{name}` percent-encoded; every answer is JSON; errors are `ErrorAnswer` with the status of the error):

    GET    /status                                -> Status
    GET    /overview                              -> Overview, the dashboard's first screen
    GET    /doctor                                -> Doctor
    GET    /settings                              -> Settings
    POST   /test                       Trial      -> TrialOutcome
    GET    /events                                -> text/event-stream of Event; `Last-Event-ID` continues
    GET    /operations?limit=&cursor=             -> Page[Operation], newest first
    GET    /audit                                 -> AuditReport
    GET    /keys                                  -> list[Key], every one by name
    POST   /keys                       KeyCreate  -> 201 KeyCreated
    GET    /keys/{key}                            -> Key
    PATCH  /keys/{key}                 KeyEdit    -> Key
    POST   /keys/{key}/rotate                     -> KeyCreated
    DELETE /keys/{key}                            -> Key as it was
    GET    /groups                                -> list[Group]
    POST   /groups                     GroupCreate -> 201 Group
    GET    /groups/{name}                         -> Group
    PATCH  /groups/{name}              GroupEdit  -> Group
    DELETE /groups/{name}                         -> Group as it was
    GET    /groups/{name}/serving                 -> GroupServing, who serves what now
    GET    /snippets?key=|group=&model=           -> list[Snippet]; with neither, of `default` or the only group
    GET    /quotas                                -> list[Quota]
    POST   /quotas                     QuotaCreate -> 201 Quota
    GET    /quotas/{name}                         -> Quota
    PATCH  /quotas/{name}              QuotaEdit  -> Quota
    DELETE /quotas/{name}                         -> Quota as it was
    GET    /quotas/{name}/credits                 -> list[Credit], newest first
    POST   /quotas/{name}/credits      TopUp      -> 201 Quota
    GET    /upstreams                             -> list[Upstream]
    POST   /upstreams                  UpstreamCreate -> 201 Upstream
    GET    /upstreams/{name}                      -> Upstream
    PATCH  /upstreams/{name}           UpstreamEdit -> Upstream
    DELETE /upstreams/{name}                      -> Upstream as it was
    POST   /upstreams/{name}/credentials            CredentialCreate -> 201 Upstream
    PATCH  /upstreams/{name}/credentials/{label}    CredentialEdit   -> Upstream (a new `api_key` rotates it)
    DELETE /upstreams/{name}/credentials/{label}                     -> Upstream
    POST   /upstreams/{name}/probe                -> Probe
    GET    /upstreams/{name}/probes?limit=        -> list[Probe], newest first
    GET    /upstreams/{name}/models               -> list[UpstreamModel]
    GET    /upstreams/{name}/health               -> UpstreamHealth
    GET    /upstreams/{name}/errors?limit=        -> list[UpstreamError], newest first
    GET    /circuits                              -> list[Circuit]
    POST   /circuits/reset?upstream=              -> CircuitsReset
    GET    /models                                -> list[Model]
    GET    /prices                                -> list[Price], the operator's own
    POST   /prices                     PriceSet   -> 201 Price
    GET    /prices/find?model=                    -> PriceFound
    DELETE /prices?model=                         -> list[Price] that were retired
    GET    /prices/book                           -> PriceBookState
    GET    /prices/book/diff                      -> PriceDiff
    POST   /prices/book/adopt          BookAdopt  -> PriceBookState
    GET    /usage?since=&until=&key=&model=&group=&upstream=&ended=&status=&request_id=&operation=&client=&text=&kind=
              &limit=&cursor=&at=                 -> Page[UsageRecord], newest first; `at`: a moment to begin at
    GET    /usage/summary?by=&since=&until=&…     -> UsageSummary (the same filters)
    GET    /usage/export?…                        -> UsageRecord, one JSON document a line (application/x-ndjson)
    GET    /usage/{request_id}                    -> UsageDetail, with the receipt
    GET    /live                                  -> list[LiveRequest]
    DELETE /live/{request_id}                     -> LiveRequest that was told to end
    POST   /carry                      Carry      -> Carried; a trial run unless it says `apply`
    GET    /openapi.json
"""

from __future__ import annotations

from laidian.admin.schema.carry import (
    Carried,
    CarriedKey,
    CarriedKind,
    CarriedOutcome,
    CarriedThing,
    Carry,
)
from laidian.admin.schema.doctor import (
    Check,
    Doctor,
    Setting,
    Settings,
    Trial,
    TrialOutcome,
)
from laidian.admin.schema.errors import (
    ErrorAnswer,
    ErrorBody,
)
from laidian.admin.schema.groups import (
    Group,
    GroupCreate,
    GroupEdit,
    GroupServing,
    ServedModel,
    ServingCell,
)
from laidian.admin.schema.instance import (
    AuditReport,
    Difference,
    FirstStart,
    Provisioned,
    SqliteState,
    Status,
    UpstreamStatus,
)
from laidian.admin.schema.keys import (
    Key,
    KeyCreate,
    KeyCreated,
    KeyEdit,
    KeyQuery,
)
from laidian.admin.schema.live import (
    Changed,
    CircuitMoved,
    Ended,
    Event,
    Gap,
    Heard,
    LiveRequest,
    ProbeMade,
    Progress,
    Refused,
    Started,
    Stats,
    Told,
)
from laidian.admin.schema.operations import Operation
from laidian.admin.schema.overview import (
    Attention,
    Card,
    Cards,
    Overview,
    Screen,
    Setup,
    TopKey,
    UpstreamRow,
)
from laidian.admin.schema.page import Page
from laidian.admin.schema.presets import PRESETS, Preset
from laidian.admin.schema.prices import (
    BookAdopt,
    Model,
    ModelServer,
    Price,
    PriceBookState,
    PriceChange,
    PriceDiff,
    PriceFound,
    PriceSet,
    Rate,
)
from laidian.admin.schema.quotas import (
    Credit,
    Quota,
    QuotaCreate,
    QuotaEdit,
    QuotaWindow,
    TopUp,
)
from laidian.admin.schema.snippets import Snippet, SnippetPart
from laidian.admin.schema.upstreams import (
    Circuit,
    CircuitsReset,
    Credential,
    CredentialCreate,
    CredentialEdit,
    LatencyPoint,
    Probe,
    Upstream,
    UpstreamCreate,
    UpstreamEdit,
    UpstreamError,
    UpstreamHealth,
    UpstreamModel,
)
from laidian.admin.schema.usage import (
    Attempt,
    Receipt,
    ReceiptLine,
    UsageDetail,
    UsageQuery,
    UsageRecord,
    UsageRow,
    UsageSummary,
)
from laidian.admin.schema.words import (
    CAPABILITIES,
    AbortPolicy,
    Aliases,
    Count,
    Grouping,
    KeyState,
    Name,
    Origin,
    Pattern,
    Patterns,
    QuotaKind,
    QuotaState,
    Rank,
    Seconds,
    SecretText,
    Text,
    UpstreamKind,
    UpstreamState,
    Weight,
    When,
    WindowKind,
)

__all__ = [
    "CAPABILITIES",
    "PRESETS",
    "AbortPolicy",
    "Aliases",
    "Attempt",
    "Attention",
    "AuditReport",
    "BookAdopt",
    "Card",
    "Cards",
    "Carried",
    "CarriedKey",
    "CarriedKind",
    "CarriedOutcome",
    "CarriedThing",
    "Carry",
    "Changed",
    "Check",
    "Circuit",
    "CircuitMoved",
    "CircuitsReset",
    "Count",
    "Credential",
    "CredentialCreate",
    "CredentialEdit",
    "Credit",
    "Difference",
    "Doctor",
    "Ended",
    "ErrorAnswer",
    "ErrorBody",
    "Event",
    "FirstStart",
    "Gap",
    "Group",
    "GroupCreate",
    "GroupEdit",
    "GroupServing",
    "Grouping",
    "Heard",
    "Key",
    "KeyCreate",
    "KeyCreated",
    "KeyEdit",
    "KeyQuery",
    "KeyState",
    "LatencyPoint",
    "LiveRequest",
    "Model",
    "ModelServer",
    "Name",
    "Operation",
    "Origin",
    "Overview",
    "Page",
    "Pattern",
    "Patterns",
    "Preset",
    "Price",
    "PriceBookState",
    "PriceChange",
    "PriceDiff",
    "PriceFound",
    "PriceSet",
    "Probe",
    "ProbeMade",
    "Progress",
    "Provisioned",
    "Quota",
    "QuotaCreate",
    "QuotaEdit",
    "QuotaKind",
    "QuotaState",
    "QuotaWindow",
    "Rank",
    "Rate",
    "Receipt",
    "ReceiptLine",
    "Refused",
    "Screen",
    "Seconds",
    "SecretText",
    "ServedModel",
    "ServingCell",
    "Setting",
    "Settings",
    "Setup",
    "Snippet",
    "SnippetPart",
    "SqliteState",
    "Started",
    "Stats",
    "Status",
    "Text",
    "Told",
    "TopKey",
    "TopUp",
    "Trial",
    "TrialOutcome",
    "Upstream",
    "UpstreamCreate",
    "UpstreamEdit",
    "UpstreamError",
    "UpstreamHealth",
    "UpstreamKind",
    "UpstreamModel",
    "UpstreamRow",
    "UpstreamState",
    "UpstreamStatus",
    "UsageDetail",
    "UsageQuery",
    "UsageRecord",
    "UsageRow",
    "UsageSummary",
    "Weight",
    "When",
    "WindowKind",
]
