"""Words of the dashboard."""

from __future__ import annotations

from tui.words.section import Section


class DashboardWords(Section, frozen=True, kw_only=True):
    about: str
    in_flight: str
    held: str
    spend_today: str
    requests: str
    failed: str
    keys: str
    upstreams: str
    no_upstream: str
    latest: str
    no_records: str


EN = DashboardWords(
    about="How it goes now: traffic, money, upstreams, who spends most, what needs you, and what runs.",
    in_flight="In flight",
    held="{amount} held",
    spend_today="Spend today",
    requests="{count} requests",
    failed="{count} failed",
    keys="Keys",
    upstreams="Upstreams {up}/{count}",
    no_upstream="None yet: laidian upstream add",
    latest="Latest requests (UTC)",
    no_records="No requests yet.",
)
ZH = DashboardWords(
    about="当前状况: 流量、费用、上游、花费最多的密钥、需要处理的事项和正在运行的请求。",
    in_flight="进行中",
    held="预留 {amount}",
    spend_today="今日花费",
    requests="{count} 次请求",
    failed="{count} 次失败",
    keys="密钥",
    upstreams="上游 {up}/{count}",
    no_upstream="还没有: laidian upstream add",
    latest="最近请求 (UTC)",
    no_records="还没有请求。",
)
