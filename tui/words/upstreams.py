"""Words of the screen of upstreams, and of one upstream."""

from __future__ import annotations

from tui.words.section import Section, Title


class UpstreamsWords(Section, frozen=True, kw_only=True):
    title: str
    empty: str
    about: str
    kind: Title
    why: Title
    models: Title
    priority: Title
    in_flight: Title
    next_try: str


EN = UpstreamsWords(
    title="Upstreams ({up} of {count} serving)",
    empty="No upstream yet. Add one: laidian upstream add NAME --kind openai",
    about="The accounts behind the relay, whether each is up, and if not: why, and when it is tried again.",
    kind="Kind",
    why="Why, retry",
    models="Models",
    priority="Prio",
    in_flight="Running",
    next_try="{reason}, next try in {time}",
)
ZH = UpstreamsWords(
    title="上游 ({count} 个中 {up} 个可用)",
    empty="还没有上游。添加: laidian upstream add NAME --kind openai",
    about="中转背后的账户, 各自是否可用; 如果不可用: 原因和下次尝试时间。",
    kind="种类",
    why="原因与重试",
    models="模型",
    priority="优先级",
    in_flight="进行中",
    next_try="{reason}, {time} 后重试",
)
