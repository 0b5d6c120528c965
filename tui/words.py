"""The words on screen, in English and simplified Chinese. A test keeps both catalogues alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

Language = Literal["en", "zh"]


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """Every text the screens show; `{…}` are filled with str.format."""

    serving: str
    stopping: str
    connecting: str
    up_for: str
    in_flight: str
    spend_today: str
    keys: str
    upstreams: str
    latest: str
    held: str
    requests: str
    failed: str
    no_upstream: str
    no_records: str
    away: str
    again_in: str
    seen: str
    help: str
    quit: str
    help_text: str
    state_up: str
    state_resting: str
    state_no_credential: str
    state_disabled: str
    state_deleted: str
    column_time: str
    column_key: str
    column_model: str
    column_upstream: str
    column_status: str
    column_in: str
    column_out: str
    column_cost: str
    column_took: str


ENGLISH = Words(
    serving="serving",
    stopping="stopping",
    connecting="connecting …",
    up_for="up {time}",
    in_flight="In flight",
    spend_today="Spend today",
    keys="Keys",
    upstreams="Upstreams",
    latest="Latest requests (UTC)",
    held="{amount} held",
    requests="{count} requests",
    failed="{count} failed",
    no_upstream="None yet:",
    no_records="No requests yet.",
    away="The server does not answer: {reason}",
    again_in="Trying again in {seconds} s.",
    seen="Below is what was seen {seconds} s ago.",
    help="Help",
    quit="Quit",
    help_text=(
        "q   quit\n?   this help\n\n"
        "The picture is renewed every second. All of it is there as commands, too:\n\n"
        "laidian status           what works now, and why not\n"
        "laidian usage tail       requests as they are settled\n"
        "laidian usage show ID    a request with its receipt\n"
        "laidian --help           everything\n\n"
        "esc closes."
    ),
    state_up="UP",
    state_resting="RESTING",
    state_no_credential="NO CREDENTIAL",
    state_disabled="OFF",
    state_deleted="DELETED",
    column_time="Time",
    column_key="Key",
    column_model="Model",
    column_upstream="Upstream",
    column_status="Status",
    column_in="In",
    column_out="Out",
    column_cost="Cost",
    column_took="Took",
)
CHINESE = Words(
    serving="运行中",
    stopping="正在停止",
    connecting="正在连接 …",
    up_for="已运行 {time}",
    in_flight="进行中",
    spend_today="今日花费",
    keys="密钥",
    upstreams="上游",
    latest="最近请求 (UTC)",
    held="预留 {amount}",
    requests="{count} 次请求",
    failed="{count} 次失败",
    no_upstream="还没有上游:",
    no_records="还没有请求。",
    away="服务器没有响应: {reason}",
    again_in="{seconds} 秒后重试。",
    seen="以下是 {seconds} 秒前的数据。",
    help="帮助",
    quit="退出",
    help_text=(
        "q   退出\n?   帮助\n\n"
        "画面每秒刷新一次。所有内容也可以用命令查看:\n\n"
        "laidian status           现在什么可用, 为什么不可用\n"
        "laidian usage tail       实时显示已结算的请求\n"
        "laidian usage show ID    一次请求及其账单明细\n"
        "laidian --help           全部命令\n\n"
        "按 esc 关闭。"
    ),
    state_up="正常",
    state_resting="休息",
    state_no_credential="缺少凭据",
    state_disabled="已禁用",
    state_deleted="已删除",
    column_time="时间",
    column_key="密钥",
    column_model="模型",
    column_upstream="上游",
    column_status="状态",
    column_in="输入",
    column_out="输出",
    column_cost="费用",
    column_took="耗时",
)
CATALOGUES: Mapping[Language, Words] = {"en": ENGLISH, "zh": CHINESE}


def language_of(environment: Mapping[str, str]) -> Language:
    """LAIDIAN_LANG, then the usual variables; English where none speaks of Chinese."""
    for name in ("LAIDIAN_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(name):
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"
