"""Words of the screen of live requests."""

from __future__ import annotations

from tui.words.section import Section


class LiveWords(Section, frozen=True, kw_only=True):
    title: str
    empty: str
    about: str
    running: str


EN = LiveWords(
    title="Live",
    empty="Nothing yet. Requests appear here as they run and as they are settled.",
    about=(
        "What runs now, on top, with its money so far; below it, what was settled. No prompt and "
        "no answer is ever shown: they are not stored."
    ),
    running="run",
)
ZH = LiveWords(
    title="实时",
    empty="暂无请求。进行中和已结算的请求会显示在这里。",
    about="上方是正在运行的请求和目前的费用, 下方是已结算的请求。绝不显示提示词和回答: 它们不被存储。",
    running="运行",
)
