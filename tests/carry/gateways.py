"""Other gateways' data as their own programs would have written it, small."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path

NEW_API_COLUMNS = """
CREATE TABLE channels (id integer PRIMARY KEY, type integer, key text NOT NULL, open_ai_organization text, status integer DEFAULT 1,
    name text, weight integer DEFAULT 0, created_time bigint, base_url text DEFAULT '', models text, `group` varchar(64), used_quota bigint,
    model_mapping text, priority bigint DEFAULT 0, auto_ban integer DEFAULT 1, setting text, param_override text, header_override text,
    channel_info json);
CREATE TABLE tokens (id integer PRIMARY KEY, user_id integer, key varchar(128) UNIQUE, status integer DEFAULT 1, name text,
    expired_time bigint DEFAULT -1, remain_quota integer DEFAULT 0, unlimited_quota numeric, model_limits_enabled numeric, model_limits text,
    allow_ips text DEFAULT '', used_quota integer DEFAULT 0, `group` text DEFAULT '', deleted_at datetime);
CREATE TABLE users (id integer PRIMARY KEY, username text, password text, role integer, status integer, quota integer, `group` text);
CREATE TABLE options (key text PRIMARY KEY, value text);
"""
ONE_API_COLUMNS = """
CREATE TABLE channels (id integer PRIMARY KEY, type integer, key text, status integer DEFAULT 1, name text, weight integer, base_url text,
    models text, `group` varchar(32) DEFAULT 'default', model_mapping varchar(1024) DEFAULT '', priority bigint DEFAULT 0, config text);
CREATE TABLE tokens (id integer PRIMARY KEY, user_id integer, key char(48) UNIQUE, status integer DEFAULT 1, name text,
    expired_time bigint DEFAULT -1, remain_quota bigint DEFAULT 0, unlimited_quota numeric DEFAULT false, used_quota bigint, models text,
    subnet text DEFAULT '');
CREATE TABLE users (id integer PRIMARY KEY, username text, status integer DEFAULT 1, quota bigint, `group` varchar(32) DEFAULT 'default');
CREATE TABLE options (key text PRIMARY KEY, value text);
"""


def database(path: Path, columns: str, **tables: list[dict[str, object]]) -> Path:
    """An SQLite file with these rows."""
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(columns)
        for table, rows in tables.items():
            for row in rows:
                names = ", ".join(f"`{name}`" for name in row)
                marks = ", ".join("?" for _ in row)
                connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))
    return path


def new_api(path: Path, base_url: str, credential: str) -> Path:
    """Two channels of which one works, two groups, two users, and tokens of every sort."""
    return database(
        path,
        NEW_API_COLUMNS,
        channels=[
            {"id": 1, "type": 1, "key": f"{credential}\nsim-second", "name": "main", "base_url": base_url,
             "models": "gpt-5.4,gpt-5.5,quick", "group": "default,vip", "model_mapping": '{"quick": "gpt-5.4-mini"}',
             "priority": 10, "weight": 3, "channel_info": "{}"},
            {"id": 2, "type": 43, "key": "sk-deepseek", "name": "deepseek/cn", "models": "deepseek-chat", "group": "vip",
             "priority": 10, "status": 2, "param_override": '{"temperature": 0}'},
            {"id": 3, "type": 14, "key": "sk-ant", "name": "claude", "models": "claude-sonnet-4-6", "group": "vip"},
            {"id": 4, "type": 3, "key": "azure", "name": "azure", "base_url": "https://x.openai.azure.com", "group": "default"},
            {"id": 5, "type": 41, "key": "{}", "name": "vertex", "group": "default"},
        ],
        users=[
            {"id": 1, "username": "root", "status": 1, "quota": 50_000_000, "group": "default"},
            {"id": 2, "username": "friend", "status": 1, "quota": 1_250_000, "group": "vip"},
        ],
        tokens=[
            {"id": 1, "user_id": 1, "key": "A" * 48, "name": "laptop", "unlimited_quota": 1},
            {"id": 2, "user_id": 2, "key": "B" * 48, "name": "phone", "remain_quota": 500_000, "expired_time": 4_102_444_800},
            {"id": 3, "user_id": 2, "key": "C" * 48, "name": "laptop", "unlimited_quota": 1, "model_limits_enabled": 1,
             "model_limits": "gpt-5.5,gpt-5.4"},
            {"id": 4, "user_id": 2, "key": "D" * 48, "name": "bound", "unlimited_quota": 1, "allow_ips": "10.0.0.1"},
            {"id": 5, "user_id": 2, "key": "E" * 48, "name": "off", "status": 2, "unlimited_quota": 1, "group": "default"},
            {"id": 6, "user_id": 2, "key": "F" * 48, "name": "gone", "unlimited_quota": 1, "deleted_at": "2026-01-01"},
        ],
        options=[
            {"key": "GroupRatio", "value": '{"default": 1, "vip": 0.85, "unused": 2}'},
            {"key": "ModelRatio", "value": '{"gpt-5.4": 99, "house-model": 0.125}'},
            {"key": "CompletionRatio", "value": '{"house-model": 4}'},
            {"key": "CacheRatio", "value": '{"house-model": 0.1}'},
            {"key": "ModelPrice", "value": '{"mj_imagine": 0.1}'},
        ],
    )  # fmt: skip


SUB2API = {
    "accounts": [
        {"id": 1, "name": "openai", "platform": "openai", "type": "apikey", "status": "active", "priority": 1, "concurrency": 5,
         "credentials": {"api_key": "sk-one", "base_url": "https://api.openai.com"}, "schedulable": True, "proxy_id": 7},
        {"id": 2, "name": "claude max", "platform": "anthropic", "type": "oauth", "status": "active", "credentials": {"access_token": "x"}},
        {"id": 3, "name": "relay", "platform": "openai", "type": "apikey", "status": "disabled",
         "credentials": {"api_key": "sk-two", "base_url": "https://relay.example", "model_mapping": {"fast": "gpt-5.4-mini"}}},
    ],
    "proxies": [{"id": 7, "protocol": "socks5", "host": "127.0.0.1", "port": 1080, "username": "u", "password": "p"}],
    "groups": [
        {"id": 1, "name": "standard", "rate_multiplier": "1.5000", "status": "active"},
        {"id": 2, "name": "monthly", "rate_multiplier": "1", "status": "active", "daily_limit_usd": "5.00", "monthly_limit_usd": "50"},
    ],
    "account_groups": [{"account_id": 1, "group_id": 1, "priority": 1}, {"account_id": 3, "group_id": 1, "priority": 2},
                       {"account_id": 1, "group_id": 2, "priority": 1}],
    "users": [{"id": 1, "email": "a@example.com", "username": "", "balance": "12.34567890", "status": "active"}],
    "api_keys": [
        {"id": 1, "user_id": 1, "key": "sk-" + "1" * 60, "name": "work", "group_id": 1, "status": "active", "quota": "10",
         "quota_used": "2.5", "expires_at": "2099-12-31 10:00:00+00"},
        {"id": 2, "user_id": 1, "key": "sk-" + "2" * 60, "name": "plan", "group_id": 2, "status": "active"},
        {"id": 3, "user_id": 1, "key": "sk-" + "3" * 60, "name": "loose", "group_id": None, "status": "active"},
        {"id": 4, "user_id": 1, "key": "sk-" + "4" * 60, "name": "bound", "group_id": 1, "status": "active", "ip_whitelist": '["10.0.0.1"]'},
    ],
}  # fmt: skip


def sub2api_json(path: Path) -> Path:
    path.write_text(json.dumps(SUB2API))
    return path


def sub2api_dump(path: Path) -> Path:
    """The same rows as pg_dump writes them."""
    blocks = ["--\n-- PostgreSQL database dump\n--\n\nSET statement_timeout = 0;\n"]
    for table, rows in SUB2API.items():
        columns = list(dict.fromkeys(name for row in rows for name in row))
        lines = ["\t".join(_pg(row.get(name)) for name in columns) for row in rows]
        blocks.append(
            f"COPY public.{table} ({', '.join(columns)}) FROM stdin;\n" + "\n".join(lines) + "\n\\.\n\n"
        )
    path.write_text("\n".join(blocks))
    return path


def _pg(value: object) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    text = json.dumps(value) if isinstance(value, dict) else str(value)
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


LITELLM = """
model_list:
  - model_name: gpt-5.4
    litellm_params: {model: openai/gpt-5.4, api_key: os.environ/MY_OPENAI_KEY, rpm: 100}
  - model_name: fast
    litellm_params: {model: openai/gpt-5.4-mini, api_key: os.environ/MY_OPENAI_KEY}
  - model_name: house
    litellm_params:
      model: openai/house-model
      api_base: http://127.0.0.1:8000/v1
      api_key: sk-house
      input_cost_per_token: 2.5e-7
    model_info: {output_cost_per_token: 0.000001}
  - model_name: claude
    litellm_params: {model: claude-sonnet-4-6, api_key: os.environ/NOT_SET_HERE}
  - model_name: bedrock
    litellm_params: {model: bedrock/anthropic.claude}
  - model_name: "deepseek/*"
    litellm_params: {model: "deepseek/*", api_key: sk-deep}
litellm_settings:
  fallbacks: [{gpt-5.4: [fast]}]
router_settings:
  model_group_alias: {gpt-4: gpt-5.4}
general_settings:
  master_key: sk-master-1234
"""
UNI_API = """
providers:
  - provider: main
    base_url: https://relay.example/v1/chat/completions
    api: [sk-one, sk-two]
    model: [gpt-5.4, {claude-sonnet-4-6: sonnet}]
    preferences: {proxy: "socks5://127.0.0.1:1080"}
  - provider: anthropic
    base_url: https://api.anthropic.com/v1/messages
    api: sk-ant
  - provider: gemini
    base_url: https://generativelanguage.googleapis.com/v1beta
    api: AIza
    model: [gemini-2.5-pro, {gemini-2.5-pro: gemini-2.5-pro-search}]
  - provider: vertex
    project_id: x
    private_key: y
api_keys:
  - api: sk-everything-0000000000000000
    role: admin
  - api: sk-some-00000000000000000000
    name: some
    model: [gpt-5.4, sonnet]
  - api: sk-gemini-0000000000000000000
    name: gem
    model: [gemini/*]
  - api: sk-credit-0000000000000000000
    name: paid
    model: [all]
    preferences: {credits: 10}
"""
CLIPROXYAPI = """
port: 8317
auth-dir: "~/.cli-proxy-api"
api-keys: [my-own-key-1, my-own-key-2]
proxy-url: ""
gemini-api-key:
  - api-key: AIza-1
    models: [{name: gemini-2.5-flash, alias: gemini-flash}]
    excluded-models: [gemini-2.5-pro]
claude-api-key:
  - api-key: sk-ant-1
codex-api-key:
  - api-key: sk-codex
    base-url: https://www.example.com/v1
    proxy-url: socks5://127.0.0.1:1080
openai-compatibility:
  - name: openrouter
    base-url: https://openrouter.ai/api/v1
    api-key-entries: [{api-key: sk-or-1}, {api-key: sk-or-2, proxy-url: "socks5://127.0.0.1:1081"}]
    models: [{name: moonshotai/kimi-k2, alias: kimi-k2}]
"""
