"""Words of the screen of quotas."""

from __future__ import annotations

from tui.words.section import Section, Title


class QuotasWords(Section, frozen=True, kw_only=True):
    title: str
    empty: str
    about: str
    kind: Title
    left: Title
    spent: Title
    held: Title
    windows: Title
    keys: Title
    resets: Title
    unlimited: str
    kind_prepaid: str
    kind_plan: str
    kind_unlimited: str


EN = QuotasWords(
    title="Quotas {count}",
    empty="No quotas yet. Make one: laidian quota create NAME",
    about=(
        "What keys may spend together: a prepaid balance, a plan with limits per 5 h, day, week or "
        "month, or without limit."
    ),
    kind="Kind",
    left="Left",
    spent="Spent",
    held="Held",
    windows="Windows",
    keys="Keys",
    resets="Resets in",
    unlimited="no limit",
    kind_prepaid="prepaid",
    kind_plan="plan",
    kind_unlimited="unlimited",
)
ZH = QuotasWords(
    title="额度 {count}",
    empty="还没有额度。创建: laidian quota create NAME",
    about="密钥共同可以花费多少: 预付余额, 或按 5 小时、日、周、月限额的套餐, 或不限。",
    kind="种类",
    left="剩余",
    spent="已花费",
    held="预留",
    windows="周期",
    keys="密钥",
    resets="重置于",
    unlimited="不限",
    kind_prepaid="预付",
    kind_plan="套餐",
    kind_unlimited="不限",
)
