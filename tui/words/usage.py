"""Words of the usage explorer."""

from __future__ import annotations

from tui.words.section import Section


class UsageWords(Section, frozen=True, kw_only=True):
    title: str
    empty: str
    about: str


EN = UsageWords(
    title="Requests, newest first",
    empty="No requests in this time.",
    about="Every request that was accepted or refused, newest first.",
)
ZH = UsageWords(
    title="请求, 最新在前",
    empty="此时间内没有请求。",
    about="所有被接受或拒绝的请求, 最新在前。",
)
