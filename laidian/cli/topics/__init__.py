"""The texts of `laidian help TOPIC`: the program carries its own manual.

A topic that lists what the program has (settings, commands, codes, metrics) is held against it by a test. Topics are imported when they
are asked for.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable

TOPICS = {
    "commands": ("basics.commands", "every command, one line each"),
    "exit-codes": ("basics.exit_codes", "what a command's end means"),
    "environment": ("basics.environment", "variables it listens to"),
    "formatting": ("basics.formatting", "tables, JSON, CSV, money and times"),
    "config": ("basics.config", "config.toml, every setting with its default"),
    "keys": ("guides.keys", "other keys for the dashboard"),
    "clients": ("basics.clients", "what each client program wants"),
    "errors": ("errors.text", "every error code, whose fault, what to do"),
    "metrics": ("metrics.text", "what /metrics tells"),
    "money": ("guides.money", "holds, settlements, prices, quotas"),
    "backup": ("guides.backup", "what to keep, and how to come back"),
    "upgrade": ("guides.upgrade", "a new version, and the way back"),
    "import": ("guides.coming", "coming from another gateway"),
    "reconcile": ("guides.reconcile", "is the upstream honest?"),
    "security": ("guides.security", "what is protected from whom, and what is not"),
}
"""Name to where it is and what it is about."""


def topic(name: str) -> str:
    module, _, function = TOPICS[name][0].partition(".")
    text: Callable[[], str] = getattr(importlib.import_module(f"laidian.cli.topics.{module}"), function)
    return text()
