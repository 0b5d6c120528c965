"""sub2api: it keeps PostgreSQL, so what is read is a plain pg_dump, or JSON with its tables' rows by their names.

Read in its source, seen 2026-11: Wei-Shaw/sub2api backend/ent/schema (account.go, account_group.go, group.go, api_key.go, user.go,
proxy.go). The JSON may also be what its console exports of accounts. Keys are stored whole. Balances and limits are US dollars. An
account of a person (OAuth, setup token, cookie) is no API credential and is not carried over.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from laidian.admin.schema import UpstreamKind, WindowKind
from laidian.cli.carry.bag import Bag, nano, number
from laidian.cli.carry.documents import items, json_of, mapping, pg_tables, text_of, words
from laidian.errors import BadRequest

TABLES = ("accounts", "account_groups", "groups", "api_keys", "users", "proxies")
KINDS: dict[str, UpstreamKind] = {
    "anthropic": "anthropic",
    "claude": "anthropic",
    "openai": "openai",
    "gemini": "gemini",
}
WINDOWS: tuple[tuple[str, WindowKind], ...] = (
    ("daily_limit_usd", "day"),
    ("weekly_limit_usd", "week"),
    ("monthly_limit_usd", "month"),
)
Row = dict[str, Any]


def read(path: Path) -> Bag:
    """Raises BadRequest for a file that holds none of its tables."""
    text = text_of(path)
    if text.lstrip().startswith(("{", "[")):
        document = json_of(text, path)
        whole = mapping(document) or {"accounts": document}
        whole = mapping(whole.get("data")) or whole
        tables = {name: [mapping(row) for row in items(whole.get(name))] for name in TABLES}
        tables = {name: rows for name, rows in tables.items() if rows}
    else:
        tables = pg_tables(text, TABLES)
    if not tables:
        raise BadRequest(
            f"{path} holds none of sub2api's tables ({', '.join(TABLES)}). Make a plain dump: pg_dump --data-only DATABASE > FILE"
        )
    bag = Bag("sub2api")
    _Reading(bag, tables).all()
    return bag


class _Reading:
    def __init__(self, bag: Bag, tables: Mapping[str, list[Row]]) -> None:
        self.bag = bag
        self.tables = {
            name: [row for row in rows if not row.get("deleted_at")] for name, rows in tables.items()
        }
        self.users = {str(row.get("id")): row for row in self.tables.get("users", ())}
        self.proxies = {str(row.get("id")): row for row in self.tables.get("proxies", ())}
        self.upstreams: dict[str, str] = {}
        self.groups: dict[str, str] = {}
        self.plans: dict[str, dict[WindowKind, str]] = {}
        self.quotas: dict[tuple[str, str], str] = {}

    def all(self) -> None:
        for account in self.tables.get("accounts", ()):
            self.account(account)
        for group in self.tables.get("groups", ()):
            self.group(group)
        for key in self.tables.get("api_keys", ()):
            self.key(key)

    def account(self, row: Row) -> None:
        name, platform = (
            str(row.get("name") or f"account-{row.get('id')}"),
            str(row.get("platform") or "").lower(),
        )
        how = str(row.get("type") or "").lower().replace("_", "").replace("-", "")
        kind, credentials = KINDS.get(platform), mapping(row.get("credentials"))
        if how not in ("apikey", "upstream"):
            self.bag.leave(
                "upstream", name, f"it is a person's login ({row.get('type')}), not an API credential"
            )
            return
        if kind is None:
            self.bag.leave("upstream", name, f"its platform {platform} is not spoken here")
            return
        base, models = str(credentials.get("base_url") or ""), mapping(credentials.get("model_mapping"))
        ours = "compatible" if kind == "openai" and base and "api.openai.com" not in base else kind
        fit = self.bag.upstream(
            name,
            ours,
            base,
            words(credentials.get("api_key")),
            models=[model for model in models if "*" not in model],
            aliases={
                public: str(model)
                for public, model in models.items()
                if public != model and "*" not in public
            },
            priority=int(row.get("priority") or 0),
            max_concurrent=int(row.get("concurrency") or 0) or None,
            proxy=self.proxy(row.get("proxy_id")),
            enabled=str(row.get("status") or "active") == "active"
            and _true(row.get("schedulable"), usual=True),
        )
        self.upstreams[str(row.get("id"))] = fit

    def proxy(self, proxy_id: object) -> str:
        row = self.proxies.get(str(proxy_id))
        if not row:
            return ""
        login = f"{row['username']}:{row.get('password') or ''}@" if row.get("username") else ""
        return f"{row.get('protocol') or 'http'}://{login}{row.get('host')}:{row.get('port')}"

    def group(self, row: Row) -> None:
        number_, name = str(row.get("id")), str(row.get("name") or f"group-{row.get('id')}")
        members = [
            (int(link.get("priority") or 0), self.upstreams[str(link.get("account_id"))])
            for link in self.tables.get("account_groups", ())
            if str(link.get("group_id")) == number_ and str(link.get("account_id")) in self.upstreams
        ]
        ranks: dict[int, list[str]] = {}
        for priority, upstream in members:
            ranks.setdefault(priority, []).append(upstream)
        if not members:
            self.bag.leave(
                "group",
                name,
                "none of its accounts came over, so its keys may use every upstream until you say which",
            )
        multiplier = number(row.get("rate_multiplier"))
        self.groups[number_] = self.bag.group(
            name,
            upstreams=",".join("+".join(ranks[priority]) for priority in sorted(ranks)),
            multiplier="1x" if multiplier is None else f"{multiplier:f}x",
            enabled=str(row.get("status") or "active") == "active",
        )
        limits: dict[WindowKind, str] = {
            window: f"{limit:f}" for column, window in WINDOWS if (limit := number(row.get(column)))
        }
        if limits:
            self.plans[number_] = limits

    def quota(self, user_id: str, group_id: str) -> str:
        """A user's balance; in a group with limits, a plan of their own."""
        plan = self.plans.get(group_id)
        place = (user_id, group_id if plan else "")
        if place not in self.quotas:
            user = self.users.get(user_id, {})
            name = str(user.get("username") or user.get("email") or f"user-{user_id}")
            enabled = str(user.get("status") or "active") == "active"
            if plan:
                self.quotas[place] = self.bag.quota(
                    f"{name} in {self.groups[group_id]}", balance_nano=None, limits_usd=plan, enabled=enabled
                )
            else:
                balance = nano(user.get("balance")) or 0
                self.quotas[place] = self.bag.quota(
                    name, balance_nano=balance, note="balance at sub2api", enabled=enabled
                )
        return self.quotas[place]

    def key(self, row: Row) -> None:
        name, credential = str(row.get("name") or f"key-{row.get('id')}"), str(row.get("key") or "").strip()
        if not credential:
            self.bag.leave("key", name, "its credential is empty")
            return
        group_id, user_id = str(row.get("group_id")), str(row.get("user_id"))
        enabled = str(row.get("status") or "active") == "active"
        if group_id not in self.groups:
            self.bag.leave("key", name, "it has no group: it comes over disabled, until you give it one")
            enabled = False
        if any(words(_list(row.get(column))) for column in ("ip_whitelist", "ip_blacklist")):
            self.bag.leave(
                "key", name, "it is bound to addresses, which keys here are not: it comes over disabled"
            )
            enabled = False
        limit, used = nano(row.get("quota")) or 0, nano(row.get("quota_used")) or 0
        if group_id not in self.groups:
            self.groups[group_id] = self.bag.group("default")
        self.bag.key(
            name,
            credential,
            group=self.groups[group_id],
            quota=self.quota(user_id, group_id),
            limit_nano=limit - used if limit else None,
            expires_at=_moment(row.get("expires_at")),
            enabled=enabled,
        )


def _true(value: object, *, usual: bool) -> bool:
    return usual if value is None else value in (True, "t", "true", 1)


def _list(value: object) -> object:
    """A JSON array may still be text."""
    if isinstance(value, str) and value.startswith("["):
        return json_of(value, Path("ip list"))
    return value


def _moment(value: object) -> str | None:
    """PostgreSQL writes `2026-12-31 10:00:00+00`."""
    text = str(value or "").strip()
    if not text:
        return None
    text = text.replace(" ", "T", 1)
    return f"{text}:00" if text[-3:-2] in "+-" else text
