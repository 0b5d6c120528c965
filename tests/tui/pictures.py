"""Which pictures there are, and of what: every screen and every dialog has one, which `test_pictures.py` holds against the code.

A screen that always looks alike is named by its class (`Request`). A dialog whose title and lines come from whoever makes it (a form, a
question, a choice) is named by that function, as Python calls it (`tui.dialogs.key.new_key`).
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from textual.screen import Screen

import tui
from tui.dialog import Dialog
from tui.tops import TOPS

PICTURES = {
    "dashboard": "Dashboard",
    "first_run": "Dashboard",
    "keys": "Keys",
    "key": "KeyDetail",
    "key_form": "tui.dialogs.key.new_key",
    "key_created": "Created",
    "key_unused": "tui.screens.created.Created.action_leave",
    "key_qr": "QrCode",
    "key_edit": "tui.dialogs.key.edit_key",
    "key_group": "tui.dialogs.key.put_on",
    "key_limit": "tui.dialogs.key._raise_limit",
    "key_rotate": "tui.dialogs.key_acts.rotate",
    "key_delete": "tui.dialogs.key_acts.delete.<locals>.push",
    "key_off": "Keys",
    "key_test": "Tried",
    "keys_off": "tui.screens.keys.Keys.action_turn",
    "keys_delete": "tui.screens.keys.Keys.action_delete",
    "groups": "Groups",
    "group_form": "tui.dialogs.group.group_form",
    "group_capabilities": "tui.screens.groups.Groups.action_capabilities",
    "group_in_use": "tui.screens.groups.Groups._ask_delete Told",
    "group_delete": "tui.screens.groups.Groups._ask_delete TypeName",
    "quotas": "Quotas",
    "quota_form": "tui.dialogs.quota.new_quota",
    "quota_edit": "tui.dialogs.quota.edit_quota",
    "quota_top_up": "tui.dialogs.key.top_up",
    "quota_assign": "tui.screens.quotas.Quotas._assign",
    "quota_simulate": "tui.screens.quotas.Quotas.action_simulate",
    "quota_in_use": "tui.screens.quotas.Quotas._ask_delete Told",
    "quota_delete": "tui.screens.quotas.Quotas._ask_delete TypeName",
    "upstreams": "Upstreams",
    "upstream": "UpstreamScreen",
    "upstream_add": "AddUpstream",
    "upstream_edit": "tui.dialogs.upstream.edit_upstream",
    "upstream_credential": "tui.dialogs.upstream.credential_form",
    "upstream_delete": "tui.dialogs.upstream_acts.delete.<locals>.push",
    "models": "Models",
    "price_form": "tui.dialogs.price.price_form",
    "price_difference": "tui.screens.models.Models._wanted",
    "price_retire": "tui.screens.models.Models.action_retire",
    "price_book": "Book",
    "price_adopt": "tui.screens.book.Book.action_adopt",
    "live": "Live",
    "live_faults": "Live",
    "live_cancel": "tui.screens.live.Live.action_cancel",
    "usage": "Usage",
    "usage_by_model": "Usage",
    "export": "Export",
    "request": "Request",
    "doctor": "Doctor",
    "doctor_check": "tui.screens.doctor.Doctor.on_paged_table_opened",
    "settings": "Settings",
    "versions": "Settings",
    "help": "Help",
    "palette": "Palette",
    "jump": "Jump",
}


def classes() -> list[type[Screen[Any]]]:
    """Every screen and dialog that is shown, so without those that are only there to be inherited from."""
    found: dict[type[Screen[Any]], None] = {}
    for module in pkgutil.walk_packages(tui.__path__, "tui."):
        for thing in vars(importlib.import_module(module.name)).values():
            if isinstance(thing, type) and issubclass(thing, Screen) and thing.__module__.startswith("tui."):
                found[thing] = None
    tops = {type(top.make()) for top in TOPS}
    bases = {base for one in found for base in one.__mro__[1:]}
    made = {name for name, _ in _made()}
    return [one for one in found if one in tops or one.__name__ in made or one not in bases]


def is_filled_in(one: type[Screen[Any]]) -> bool:
    """Whether its maker gives it title and lines."""
    given = inspect.signature(one.__init__).parameters
    return (
        issubclass(one, Dialog)
        and "title" in given
        and ("lines" in given or "fields" in given or "choices" in given)
    )


def wanted() -> set[str]:
    """What has to have a picture, as `PICTURES` names it."""
    shown = classes()
    filled = {one.__name__ for one in shown if is_filled_in(one)}
    makers: dict[str, set[str]] = {}
    for name, maker in _made():
        if name in filled:
            makers.setdefault(maker, set()).add(name)
    found = {one.__name__ for one in shown if not is_filled_in(one)}
    for maker, names in makers.items():
        found |= {maker} if len(names) == 1 else {f"{maker} {name}" for name in names}
    return found


def _made() -> Iterator[tuple[str, str]]:
    """Every call of a name in `tui`, and the function that it stands in."""
    for root in tui.__path__:
        for path in sorted(Path(root).rglob("*.py")):
            parts = path.relative_to(Path(root).parent).with_suffix("").parts
            yield from _calls(ast.parse(path.read_text()), ".".join(parts))


def _calls(node: ast.AST, at: str) -> Iterator[tuple[str, str]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield from _calls(child, f"{at}.{child.name}")
            continue
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = ".<locals>" if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else ""
            yield from _calls(child, f"{at}{inner}.{child.name}")
            continue
        if isinstance(child, ast.Call):
            called = child.func.value if isinstance(child.func, ast.Subscript) else child.func
            if isinstance(called, ast.Name):
                yield called.id, at
        yield from _calls(child, at)


@contextlib.contextmanager
def makers_noted() -> Iterator[None]:
    """Within it every dialog knows which function made it."""
    plain = Dialog.__init__

    def noting(self: Dialog[Any]) -> None:
        plain(self)
        frame = sys._getframe(1)
        while frame.f_code.co_name == "__init__" and frame.f_back is not None:
            frame = frame.f_back
        self.made_by = f"{frame.f_globals['__name__']}.{frame.f_code.co_qualname}"  # pyright: ignore[reportAttributeAccessIssue]

    Dialog.__init__ = noting  # pyright: ignore[reportAttributeAccessIssue]
    try:
        yield
    finally:
        Dialog.__init__ = plain


def named(screen: Screen[Any]) -> set[str]:
    """The names in `PICTURES` that a picture of this screen may have."""
    kind = type(screen)
    if not is_filled_in(kind):
        return {kind.__name__}
    maker: str = screen.made_by  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
    return {maker, f"{maker} {kind.__name__}"}
