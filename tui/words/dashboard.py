"""Words of the dashboard."""

from __future__ import annotations

from tui.words.section import Section, Title


class DashboardWords(Section, frozen=True, kw_only=True):
    about: str
    requests: str
    tokens: str
    spend: str
    errors: str
    hour_ago: str
    yesterday: str
    errors_of: str
    last_error: str
    upstreams: str
    no_upstream: str
    top_keys: str
    no_keys: str
    attention: str
    attention_count: str
    nothing: str
    live: str
    no_records: str
    up_24h: Title
    p50: Title
    p95: Title
    failed: Title
    per_minute: Title
    hour: Title
    spent: Title
    share: Title
    what: Title


EN = DashboardWords(
    about=(
        "How it goes now: traffic, money, upstreams, who spends most, what needs you, and what "
        "runs. enter on a line leads to it: from Attention to the place where it is fixed."
    ),
    requests="Requests/min",
    tokens="Tokens/min",
    spend="Spend today",
    errors="Errors 5 min",
    hour_ago="{change} vs 1 h ago",
    yesterday="{change} vs yesterday",
    errors_of="{count} of {all}",
    last_error="last {status}",
    upstreams="Upstreams ({up} of {count} serving)",
    no_upstream="None yet: 5, then n",
    top_keys="Top keys today",
    no_keys="No requests today.",
    attention="Attention",
    attention_count="Attention ({count})",
    nothing="Nothing needs you.",
    live="Live ─ in flight {running}, {held} held",
    no_records="No requests yet.",
    up_24h="Up 24h",
    p50="p50",
    p95="p95",
    failed="Err 1h",
    per_minute="Req/min",
    hour="60 min",
    spent="Spent",
    share="Share",
    what="What",
)
ZH = DashboardWords(
    about='当前状况: 流量、费用、上游、花费最多的密钥、需要处理的事项和正在运行的请求。在一行上按 enter 前往对应位置: 从"待处理"前往修复处。',
    requests="请求/分钟",
    tokens="Token/分钟",
    spend="今日花费",
    errors="5 分钟错误",
    hour_ago="{change} 对比 1 小时前",
    yesterday="{change} 对比昨天",
    errors_of="{count}/{all}",
    last_error="最近 {status}",
    upstreams="上游 ({count} 个中 {up} 个可用)",
    no_upstream="还没有: 按 5, 再按 n",
    top_keys="今日花费最多",
    no_keys="今天没有请求。",
    attention="待处理",
    attention_count="待处理 ({count})",
    nothing="一切正常。",
    live="实时 ─ 进行中 {running}, 预留 {held}",
    no_records="还没有请求。",
    up_24h="24h 可用",
    p50="p50",
    p95="p95",
    failed="1h 错误",
    per_minute="每分钟",
    hour="60 分钟",
    spent="花费",
    share="占比",
    what="事项",
)
