"""Words of states, and of how a request ended. What is unknown to this catalogue is shown as the server wrote it."""

from __future__ import annotations

from tui.words.section import Section, State


class StateWords(Section, frozen=True, kw_only=True):
    up: State
    slow: State
    resting: State
    down: State
    no_credential: State
    disabled: State
    draining: State
    deleted: State
    active: State
    near: State
    expired: State
    used_up: State

    complete: str
    client_closed: str
    upstream_fault: str
    refused: str
    cancelled: str
    cut: str
    lost: str


EN = StateWords(
    up="UP",
    slow="SLOW",
    resting="RESTING",
    down="DOWN",
    no_credential="NO CRED",
    disabled="OFF",
    draining="DRAINING",
    deleted="DELETED",
    active="ON",
    near="NEAR",
    expired="EXPIRED",
    used_up="EMPTY",
    complete="complete",
    client_closed="client left",
    upstream_fault="upstream fault",
    refused="refused",
    cancelled="cancelled",
    cut="cut off",
    lost="lost",
)
ZH = StateWords(
    up="正常",
    slow="缓慢",
    resting="休息",
    down="故障",
    no_credential="缺凭据",
    disabled="已禁用",
    draining="排空中",
    deleted="已删除",
    active="启用",
    near="将尽",
    expired="已过期",
    used_up="已耗尽",
    complete="完成",
    client_closed="客户端断开",
    upstream_fault="上游故障",
    refused="被拒绝",
    cancelled="已取消",
    cut="被截断",
    lost="丢失",
)
