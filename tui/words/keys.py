"""Words of the screen of keys, of a key's own screen, and of what is done to keys."""

from __future__ import annotations

from tui.words.section import Section, Title


class KeysWords(Section, frozen=True, kw_only=True):
    title: str
    empty: str
    about: str
    limit: Title
    last_used: Title
    expires: Title
    display: Title
    in_flight: Title


EN = KeysWords(
    title="Keys {count} ({active} active)",
    empty="No keys yet. Make one: laidian key create NAME",
    about=(
        "Who may call, what each has spent, and what is left. A key is known by its name; its "
        "secret was shown once."
    ),
    limit="Spent/limit",
    last_used="Last used",
    expires="Expires",
    display="Prefix",
    in_flight="Running",
)
ZH = KeysWords(
    title="密钥 {count} (启用 {active})",
    empty="还没有密钥。创建: laidian key create NAME",
    about="谁可以调用、已花费多少、还剩多少。密钥以名称区分, 密钥本身只显示过一次。",
    limit="花费/上限",
    last_used="上次使用",
    expires="到期",
    display="前缀",
    in_flight="进行中",
)
