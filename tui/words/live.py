"""Words of the screen of live requests."""

from __future__ import annotations

from tui.words.section import Act, Section


class LiveWords(Section, frozen=True, kw_only=True):
    title_following: str
    title_paused: str
    title_rate: str
    title_faults: str
    empty: str
    no_faults: str
    about: str
    running: str
    ending: str
    pause: Act
    faults: Act
    cancel: Act
    to_key: Act
    to_upstream: Act
    not_running: str
    sure: str
    told: str


EN = LiveWords(
    title_following="Live ─ ▶ following",
    title_paused="Live ─ ❚❚ PAUSED, {count} new",
    title_rate="{rate}/min ─ in flight {running}",
    title_faults="only faults",
    empty="Nothing yet. Requests appear here as they run and as they are settled.",
    no_faults="No fault among the last requests.",
    about=(
        "What runs now is on top, with its tokens and the most it can cost; below it is what "
        "ended, and why where it failed. No prompt and no answer is ever shown: they are not "
        "stored."
    ),
    running="run",
    ending="ending",
    pause="Pause",
    faults="Faults only",
    cancel="Cancel",
    to_key="Its key",
    to_upstream="Its upstream",
    not_running="This request has ended already.",
    sure="End the request of {key} for {model}? It has run for {age}; what it has used is charged.",
    told="Told to end: {id}",
)
ZH = LiveWords(
    title_following="实时 ─ ▶ 跟随中",
    title_paused="实时 ─ ❚❚ 已暂停, 新增 {count}",
    title_rate="每分钟 {rate} ─ 进行中 {running}",
    title_faults="仅故障",
    empty="暂无请求。进行中和已结算的请求会显示在这里。",
    no_faults="最近的请求没有故障。",
    about="上方是正在运行的请求、token 数和最高可能费用; 下方是已结束的请求, 失败的附有原因。绝不显示提示词和回答: 它们不被存储。",
    running="运行",
    ending="结束中",
    pause="暂停",
    faults="仅故障",
    cancel="取消请求",
    to_key="所属密钥",
    to_upstream="所用上游",
    not_running="该请求已经结束。",
    sure="结束 {key} 对 {model} 的请求? 已运行 {age}; 已使用的部分会被计费。",
    told="已要求结束: {id}",
)
