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
    GET    /audit                                 -> AuditReport
    GET    /keys                                  -> list[Key]
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
    GET    /circuits                              -> list[Circuit]
    POST   /circuits/reset?upstream=              -> CircuitsReset
    GET    /prices                                -> list[Price], the operator's own
    POST   /prices                     PriceSet   -> 201 Price
    GET    /prices/find?model=                    -> PriceFound
    DELETE /prices?model=                         -> list[Price] that were retired
    GET    /prices/book                           -> PriceBookState
    GET    /prices/book/diff                      -> PriceDiff
    POST   /prices/book/adopt          BookAdopt  -> PriceBookState
    GET    /usage?since=&until=&key=&model=&group=&upstream=&ended=&status=&request_id=&limit=&cursor=
                                                  -> Page[UsageRecord], newest first
    GET    /usage/summary?by=&since=&until=&…     -> UsageSummary (the same filters)
    GET    /usage/export?…                        -> UsageRecord, one JSON document a line (application/x-ndjson)
    GET    /usage/{request_id}                    -> UsageDetail, with the receipt
    GET    /live                                  -> list[LiveRequest]
    DELETE /live/{request_id}                     -> LiveRequest that was told to end
    GET    /openapi.json
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Generic, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

T = TypeVar("T")

When = str | int
"""A moment as people write it: ISO 8601, a date, a duration from now ("30d"), epoch seconds or milliseconds."""

Name = Annotated[str, Meta(max_length=64)]
"""1 to 64 printable characters without `/`, no blanks around; an upstream's without `,` and `+` too."""
Pattern = Annotated[str, Meta(min_length=1, max_length=200)]
"""A model name, or a shell pattern of model names."""
Patterns = Annotated[tuple[Pattern, ...], Meta(max_length=1000)]
Aliases = Annotated[dict[Pattern, Pattern], Meta(max_length=1000)]
Text = Annotated[str, Meta(max_length=500)]
Count = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Rank = Annotated[int, Meta(ge=-1_000_000, le=1_000_000)]
Weight = Annotated[int, Meta(ge=0, le=1_000_000)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]
SecretText = Annotated[str, Meta(max_length=4096)]

QuotaKind = Literal["prepaid", "plan", "unlimited"]
WindowKind = Literal["5h", "day", "week", "month"]
UpstreamKind = Literal["openai", "gemini", "anthropic", "compatible"]
AbortPolicy = Literal["cancel", "drain"]
KeyState = Literal["active", "disabled", "expired", "used_up", "deleted"]
"""used_up: the key's own limit is reached; see the quota for the quota's."""
QuotaState = Literal["active", "disabled", "expired", "used_up", "deleted"]
UpstreamState = Literal["up", "resting", "no_credential", "disabled", "deleted"]
"""resting: some circuit is open, so part of the traffic does not go there now. disabled: drains, what runs goes on."""
Grouping = Literal["day", "model", "key", "group", "upstream"]
Origin = Literal["book", "operator", "config"]


class _Secretive:
    """Keeps what a struct carries in out of tracebacks and logs."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"

    def __rich_repr__(self) -> Iterator[str]:
        yield "…"


# Keys


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A client credential as everybody may see it."""

    id: int
    name: str
    display: str
    """`sk-AbCd…wXyZ`."""
    group: str
    quota: str
    enabled: bool
    state: KeyState
    expires_at: str | None
    """None: never."""
    limit_usd: str | None
    """What this key may spend in all, whatever its quota has left; None: no limit of its own."""
    left_usd: str | None
    """Of the key's own limit; None: no limit."""
    spent_usd: str
    held_usd: str
    """Set aside for requests in flight."""
    in_flight: int
    requests_today: int
    """Begun since 00:00 UTC and settled."""
    spent_today_usd: str
    last_used_at: str | None
    created_at: str


class KeyCreate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    name: Name
    group: str | None = None
    """None: `default`, or the only group there is."""
    quota: str | None = None
    """None: `unlimited`, or the only quota there is."""
    limit_usd: str | None = None
    expires_at: When | None = None
    enabled: bool = True


class KeyEdit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Name | UnsetType = UNSET
    group: str | UnsetType = UNSET
    quota: str | UnsetType = UNSET
    limit_usd: str | UnsetType | None = UNSET
    expires_at: When | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET


class KeyCreated(_Secretive, msgspec.Struct, frozen=True, kw_only=True):
    """A new credential, readable here and never again."""

    key: Key
    secret: str


# Groups


class Group(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    enabled: bool
    upstreams: str
    """`a,b` in order, `a+b` sharing; empty: all, by their own priority."""
    allow: tuple[str, ...]
    """Shell patterns of model names; empty: all."""
    deny: tuple[str, ...]
    aliases: dict[str, str]
    """Public model name to the name that is priced and routed."""
    capabilities: tuple[str, ...]
    multiplier: str
    requests_per_minute: int | None
    """Of each key; None: no limit."""
    tokens_per_minute: int | None
    concurrent_requests: int | None
    on_abort: AbortPolicy
    from_config: bool
    """Provisioned by config.toml: change it there."""
    keys: int
    """Keys that use it."""
    created_at: str


class GroupCreate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    name: Name
    upstreams: str = ""
    allow: Patterns = ()
    deny: Patterns = ()
    aliases: Aliases = {}
    capabilities: tuple[str, ...] | None = None
    """None: every one."""
    multiplier: str = "1x"
    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None
    concurrent_requests: Count | None = None
    on_abort: AbortPolicy = "cancel"
    enabled: bool = True


class GroupEdit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Name | UnsetType = UNSET
    upstreams: str | UnsetType = UNSET
    allow: Patterns | UnsetType = UNSET
    deny: Patterns | UnsetType = UNSET
    aliases: Aliases | UnsetType = UNSET
    """Replaces them all."""
    capabilities: tuple[str, ...] | UnsetType | None = UNSET
    multiplier: str | UnsetType = UNSET
    requests_per_minute: Count | UnsetType | None = UNSET
    tokens_per_minute: Count | UnsetType | None = UNSET
    concurrent_requests: Count | UnsetType | None = UNSET
    on_abort: AbortPolicy | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


# Quotas


class QuotaWindow(msgspec.Struct, frozen=True, kw_only=True):
    """One limit of a plan, as it stands now."""

    kind: WindowKind
    limit_usd: str
    spent_usd: str
    held_usd: str
    left_usd: str
    started_at: str | None
    """None: a 5 h window that the next request opens."""
    resets_at: str | None


class Quota(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    kind: QuotaKind
    enabled: bool
    state: QuotaState
    expires_at: str | None
    credited_usd: str | None
    """All credits together; None unless prepaid."""
    spent_usd: str
    held_usd: str
    left_usd: str | None
    """Of the balance, or of the tightest window; None: unlimited."""
    windows: tuple[QuotaWindow, ...]
    keys: int
    """Keys that use it."""
    created_at: str


class QuotaCreate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    name: Name
    kind: QuotaKind | None = None
    """None: prepaid with a balance, plan with limits."""
    balance_usd: str | None = None
    """The first credit of a prepaid quota."""
    limits_usd: dict[WindowKind, str] = {}
    """Of a plan: at least one."""
    expires_at: When | None = None
    note: Text = ""
    """Kept with the first credit."""
    enabled: bool = True


class QuotaEdit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The kind of a quota never changes; a balance changes by `TopUp`."""

    name: Name | UnsetType = UNSET
    limits_usd: dict[WindowKind, str] | UnsetType = UNSET
    """Replaces them all."""
    expires_at: When | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET


class TopUp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    amount_usd: str
    """Negative takes back, at most what is left."""
    note: Text = ""


class Credit(msgspec.Struct, frozen=True, kw_only=True):
    """One payment into a prepaid quota, or one taken back."""

    quota: str
    amount_usd: str
    note: str
    at: str


# Upstreams


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """A credential without the secret, which nobody can read again."""

    label: str
    fingerprint: str
    """First 8 hex digits of its SHA-256: tells two apart and is useless otherwise."""
    enabled: bool
    created_at: str


class Circuit(msgspec.Struct, frozen=True, kw_only=True):
    """An upstream, or part of one, that gets no traffic now."""

    upstream: str
    credential: str
    """Label; empty: whatever the credential."""
    model: str
    """The upstream's own name; empty: whatever the model."""
    state: Literal["open", "half_open"]
    """half_open: the time is over, and the next request tries it."""
    open_until: str
    failures: int
    """In a row."""
    reason: str
    changed_at: str


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """One check of an upstream: its model list was asked for."""

    upstream: str
    at: str
    ok: bool
    status: int | None
    """HTTP status; None: no answer came."""
    duration_ms: int
    models: int | None
    """How many it listed; None: no list."""
    reason: str
    """Why it failed; empty when ok."""


class Upstream(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    kind: UpstreamKind
    base_url: str
    enabled: bool
    state: UpstreamState
    priority: int
    """Lower is tried first."""
    weight: int
    max_concurrent: int | None
    proxy: str
    """Egress proxy without its credentials, `socks5://host:1080`; empty: none."""
    models: tuple[str, ...]
    """Shell patterns of what it serves; empty: what a probe found."""
    aliases: dict[str, str]
    """Our name of a model to its own."""
    discovered: int
    """How many models the last successful probe listed."""
    credentials: tuple[Credential, ...]
    circuits: tuple[Circuit, ...]
    groups: tuple[str, ...]
    """Groups that name it."""
    in_flight: int
    """Requests it is answering now, of all workers as far as known."""
    last_probe: Probe | None
    connect_timeout_s: float
    first_byte_timeout_s: float
    idle_timeout_s: float
    from_config: bool
    """Provisioned by config.toml: change it there."""
    created_at: str


class CredentialCreate(
    _Secretive, msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    api_key: SecretText
    label: Name = ""
    """Empty: `key-1`, `key-2` …"""


class CredentialEdit(_Secretive, msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    api_key: SecretText | UnsetType = UNSET
    """Replaces the secret at once; the old one is gone."""
    label: Name | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class UpstreamCreate(
    _Secretive, msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    name: Name
    kind: UpstreamKind
    base_url: Text = ""
    """Empty: the provider's public endpoint. A missing `/v1` is added."""
    credentials: tuple[CredentialCreate, ...] = ()
    models: Patterns = ()
    aliases: Aliases = {}
    priority: Rank = 0
    weight: Weight = 1
    max_concurrent: Count | None = None
    proxy: SecretText = ""
    """`http://user:password@host:port`, `socks5://…` or `socks5h://…`."""
    connect_timeout_s: Seconds = 10.0
    first_byte_timeout_s: Seconds = 300.0
    idle_timeout_s: Seconds = 300.0
    enabled: bool = True


class UpstreamEdit(_Secretive, msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Name | UnsetType = UNSET
    base_url: Text | UnsetType = UNSET
    models: Patterns | UnsetType = UNSET
    aliases: Aliases | UnsetType = UNSET
    """Replaces them all."""
    priority: Rank | UnsetType = UNSET
    weight: Weight | UnsetType = UNSET
    max_concurrent: Count | UnsetType | None = UNSET
    proxy: SecretText | UnsetType = UNSET
    """Empty: none."""
    connect_timeout_s: Seconds | UnsetType = UNSET
    first_byte_timeout_s: Seconds | UnsetType = UNSET
    idle_timeout_s: Seconds | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class UpstreamModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model that an upstream can be said to serve."""

    model: str
    """Our name."""
    upstream_model: str
    """Its own name."""
    known_from: Literal["configured", "alias", "probe"]
    priced: bool
    """Without a price it is refused."""


class CircuitsReset(msgspec.Struct, frozen=True, kw_only=True):
    reset: int
    """Circuits that were open or half-open and are closed now."""


# Prices


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    unit: str
    """input, cached_input, cache_write, output, reasoning, images …"""
    usd_per_million: str
    service_tier: str = "default"
    above_input_tokens: int = 0
    """Holds for prompts longer than this."""


class Price(msgspec.Struct, frozen=True, kw_only=True):
    model: str
    """A name, or a shell pattern in the operator's own."""
    origin: Origin
    source: str
    source_date: str
    version: str
    """Names this very price on receipts."""
    effective_from: str | None
    """None: since ever."""
    rates: tuple[Rate, ...]
    context_tokens: int | None
    max_output_tokens: int | None


class PriceSet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    model: Pattern
    rates: dict[str, str]
    """Unit to USD per million: {"input": "1.25", "output": "10"}. A service tier and a prompt length may follow the unit:
    "input@flex", "input>200000", "output@priority>200000"."""
    source: Text = "operator"
    source_date: str = ""
    """YYYY-MM-DD; empty: today."""
    effective_from: When | None = None
    """None: now."""
    context_tokens: Count | None = None
    max_output_tokens: Count | None = None


class PriceFound(msgspec.Struct, frozen=True, kw_only=True):
    """What would price a model now."""

    model: str
    price: Price | None
    reason: str
    """Why this one, or why none and what to do."""


class PriceBookState(msgspec.Struct, frozen=True, kw_only=True):
    source: str
    """Adopted book, "genai-prices 0.2.3"; empty: none yet."""
    source_date: str
    adopted_at: str | None
    models: int
    shipped_source: str
    """The book that came with this program."""
    shipped_source_date: str
    differs: bool
    """The shipped book is another one; `diff` shows what would change."""


class PriceChange(msgspec.Struct, frozen=True, kw_only=True):
    provider: str
    model: str
    effective_from: str
    """Day, or empty: since ever."""
    change: Literal["added", "removed", "changed"]
    before: tuple[Rate, ...]
    after: tuple[Rate, ...]
    note: str
    """What else differs: names it answers to, output limit; empty when nothing does."""
    used: bool
    """Some usage record of ours was priced with this model of the book."""


class PriceDiff(msgspec.Struct, frozen=True, kw_only=True):
    from_source: str
    to_source: str
    changes: tuple[PriceChange, ...]
    """Those of used models first."""


class BookAdopt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    source: str
    """The shipped book's source as the diff showed it: nobody adopts what they did not see."""


# Usage


class UsageQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which records; empty filters nothing. On the wire these are query parameters."""

    since: str = ""
    """A `When`; a duration goes back from now: "24h"."""
    until: str = ""
    key: str = ""
    model: str = ""
    group: str = ""
    upstream: str = ""
    ended: str = ""
    status: str = ""
    """"429", "4xx", "5xx", "ok" (below 400) or "error" (400 and above, and lost ones)."""
    request_id: str = ""
    """Its beginning."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One upstream that was tried for a request."""

    upstream: str
    credential: str
    outcome: str
    """`ok`, or the kind of fault."""
    status: int
    duration_ms: int
    message: str


class UsageRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One accepted request."""

    request_id: str
    key: str
    group: str
    quota: str
    upstream: str
    """Empty: none answered."""
    operation: str
    model: str
    asked_model: str
    """As the client named it, before the group's alias."""
    upstream_model: str
    stream: bool
    started_at: str
    """With milliseconds."""
    first_byte_ms: int | None
    duration_ms: int
    status: int
    """HTTP status; 0: the process died."""
    ended: str
    """complete, client_closed, upstream_fault, refused, cancelled, cut, lost."""
    error_code: str
    usage_from: Literal["upstream", "estimated", "none"]
    input_tokens: int
    """All classes of the prompt, cached ones included."""
    cached_tokens: int
    """Of these, read from the provider's cache."""
    output_tokens: int
    """All classes of the answer, reasoning included."""
    usage: dict[str, int]
    """Quantities by unit, only those above 0; disjoint."""
    multiplier: str
    cost_usd: str
    """What was charged."""
    shortfall_usd: str
    """What it cost beyond what the quota still had: the operator's loss."""
    client: str


class ReceiptLine(msgspec.Struct, frozen=True, kw_only=True):
    unit: str
    quantity: int
    usd_per_million: str
    """Before the multiplier."""
    cost_usd: str
    """quantity x rate x multiplier, rounded once."""


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The price calculation of a request; the lines add up to `amount_usd`."""

    lines: tuple[ReceiptLine, ...]
    """Empty where the price knew no rate for a unit: then the amount is what was held."""
    multiplier: str
    amount_usd: str
    charged_usd: str
    """The amount less the shortfall."""
    service_tier: str
    note: str
    """What stood in for a missing rate, or why the amount is not the sum of the lines; empty when nothing did."""
    price_version: str
    price_source: str
    price_source_date: str


class UsageDetail(msgspec.Struct, frozen=True, kw_only=True):
    record: UsageRecord
    receipt: Receipt
    held_usd: str
    """What had been set aside."""
    attempts: tuple[Attempt, ...]


class UsageRow(msgspec.Struct, frozen=True, kw_only=True):
    """Records added up."""

    name: str
    """Day (YYYY-MM-DD, UTC), model, or name of key, group or upstream; empty in the total."""
    requests: int
    failed: int
    """With a status of 400 or above, or lost."""
    estimated: int
    """Whose usage the upstream did not report."""
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    cost_usd: str
    shortfall_usd: str


class UsageSummary(msgspec.Struct, frozen=True, kw_only=True):
    by: Grouping
    rows: tuple[UsageRow, ...]
    """Days: newest first; the others: dearest first."""
    total: UsageRow


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    items: tuple[T, ...]
    next: str | None
    """Give it back as `cursor` for the following page; None: this was the last."""


class LiveRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request in flight: its hold."""

    request_id: str
    worker: str
    key: str
    group: str
    quota: str
    operation: str
    model: str
    asked_model: str
    upstream: str
    """Empty: none has answered yet, as far as known."""
    stream: bool
    started_at: str
    age_ms: int
    input_tokens: int
    """Likely."""
    output_tokens: int
    """Likely, so far; noted every two seconds."""
    held_usd: str
    multiplier: str


# The instance


class SqliteState(msgspec.Struct, frozen=True, kw_only=True):
    version: str
    wal_reset_bug: bool
    """Older than 3.51.3, whose change log names the fix."""
    verdict: str


class UpstreamStatus(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    kind: UpstreamKind
    state: UpstreamState
    reason: str
    """Why it is not up; empty when it is."""
    until: str | None
    """Of the next try."""
    in_flight: int


class Status(msgspec.Struct, frozen=True, kw_only=True):
    version: str
    pid: int
    """Of the worker that answered."""
    workers: int
    """Alive now."""
    uptime_s: int
    base_url: str
    """For clients: ends with /v1."""
    data: str
    """The data folder."""
    schema: int
    catalog_version: int
    sqlite: SqliteState
    upstreams: tuple[UpstreamStatus, ...]
    keys: int
    """Not deleted."""
    in_flight: int
    held_usd: str
    requests_today: int
    """Begun since 00:00 UTC and settled."""
    failed_today: int
    spent_today_usd: str
    price_book: str
    stopping: bool


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Something in the ledger that does not add up."""

    check: str
    subject: str
    expected: str
    found: str
    message: str


class AuditReport(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger replayed."""

    clean: bool
    at: str
    quotas: int
    keys: int
    windows: int
    records: int
    holds: int
    credited_usd: str
    spent_usd: str
    held_usd: str
    shortfall_usd: str
    records_amount_usd: str
    orphaned_holds: int
    """Of dead workers; the orphan rule settles them at the next start or by another worker."""
    estimated_records: int
    lost_records: int
    unpriced_records: int
    """Charged at the hold because the price had no rate for a unit used: not recomputable, and said so."""
    differences: tuple[Difference, ...]
    """The first ones; `differences_total` counts all."""
    differences_total: int


# What a first start and a provisioning did


class FirstStart(_Secretive, msgspec.Struct, frozen=True, kw_only=True):
    """What the first start made, for the text it prints once."""

    price_book: str
    group: str
    quota: str
    upstreams: tuple[str, ...]
    """Made from variables of the environment."""
    key: KeyCreated | None
    """None: no upstream was found, so there is no key yet."""


class Provisioned(msgspec.Struct, frozen=True, kw_only=True):
    """What config.toml changed at this start; names with their kind, `upstream openai`."""

    created: tuple[str, ...]
    updated: tuple[str, ...]
    disabled: tuple[str, ...]
    """Vanished from the file."""


# Errors


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    code: str
    message: str
    param: str | None


class ErrorAnswer(msgspec.Struct, frozen=True, kw_only=True):
    error: ErrorBody
