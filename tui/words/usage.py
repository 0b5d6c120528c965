"""Words of the usage explorer."""

from __future__ import annotations

from tui.words.section import Act, Section, Title


class UsageWords(Section, frozen=True, kw_only=True):
    title: str
    empty: str
    about: str
    range: Act
    group: Act
    metric: Act
    compare: Act
    export: Act
    column_before: Act
    column_after: Act
    narrow_to: Act
    range_24h: str
    range_yesterday: str
    range_7d: str
    range_30d: str
    range_today: str
    range_all: str
    range_bucket: str
    by_time: str
    by_key: str
    by_model: str
    by_group: str
    by_upstream: str
    by_status: str
    metric_cost: str
    metric_requests: str
    metric_tokens: str
    metric_failed: str
    chart: str
    now: str
    totals: str
    times: str
    compared: str
    share: Title
    failed: Title
    tokens: Title
    export_title: str
    export_says: str
    export_write: Act
    exported: str
    export_exists: str
    export_failed: str
    export_format: str


EN = UsageWords(
    title="Requests, newest first",
    empty="No requests in this time.",
    about=(
        "Every request, accepted or refused, newest first; above them what they add up to. A "
        "filter is words that stand in a request's id, model, error or client, or key:, model:, "
        "group:, upstream:, status:, ended:, client:, kind: with a value."
    ),
    range="Range",
    group="Group by",
    metric="Metric",
    compare="Compare",
    export="Export",
    column_before="Column before",
    column_after="Column after",
    narrow_to="Only this",
    range_24h="24 hours",
    range_yesterday="yesterday",
    range_7d="7 days",
    range_30d="30 days",
    range_today="today",
    range_all="all time",
    range_bucket="from {start} to {end}",
    by_time="by time",
    by_key="by key",
    by_model="by model",
    by_group="by group",
    by_upstream="by upstream",
    by_status="by status",
    metric_cost="money",
    metric_requests="requests",
    metric_tokens="tokens",
    metric_failed="failed",
    chart="Usage ─ {range} ─ {by} ─ {metric}",
    now="now",
    totals=(
        "{cost}   {requests} requests, {failed} failed, {refused} refused   in {input} (cached "
        "{cached})  out {output}"
    ),
    times="first byte p50 {first50} p95 {first95}   in all p50 {all50} p95 {all95}",
    compared="before: {cost} ({change})   {requests} requests ({requests_change})",
    share="Share",
    failed="Failed",
    tokens="Tokens",
    export_title="Export {what}",
    export_says="Into which file? .csv or .jsonl says the format. It is written for you alone (0600).",
    export_write="Write",
    exported="{count} requests in {file}",
    export_exists="{file} exists already; choose another name.",
    export_failed="{file} cannot be written: {reason}",
    export_format="{file} ends neither with .csv nor with .jsonl.",
)
ZH = UsageWords(
    title="请求, 最新在前",
    empty="此时间内没有请求。",
    about=(
        "所有请求 (接受或拒绝), 最新在前; 上方是合计。筛选可以是请求编号、模型、错误或客户端中的文字, 或 key:, model:, group:, upstream:, "
        "status:, ended:, client:, kind: 加上值。"
    ),
    range="时间范围",
    group="分组方式",
    metric="指标",
    compare="与上期对比",
    export="导出",
    column_before="前一列",
    column_after="后一列",
    narrow_to="仅此项",
    range_24h="24 小时",
    range_yesterday="昨天",
    range_7d="7 天",
    range_30d="30 天",
    range_today="今天",
    range_all="全部时间",
    range_bucket="{start} 至 {end}",
    by_time="按时间",
    by_key="按密钥",
    by_model="按模型",
    by_group="按分组",
    by_upstream="按上游",
    by_status="按状态码",
    metric_cost="费用",
    metric_requests="请求数",
    metric_tokens="Token",
    metric_failed="失败",
    chart="用量 ─ {range} ─ {by} ─ {metric}",
    now="现在",
    totals=(
        "{cost}   {requests} 次请求, {failed} 次失败, {refused} 次拒绝   输入 {input} (缓存 {cached})  输出 "
        "{output}"
    ),
    times="首字节 p50 {first50} p95 {first95}   总耗时 p50 {all50} p95 {all95}",
    compared="上期: {cost} ({change})   {requests} 次请求 ({requests_change})",
    share="占比",
    failed="失败",
    tokens="Token",
    export_title="导出 {what}",
    export_says="保存到哪个文件? 扩展名 .csv 或 .jsonl 决定格式。仅您可读 (0600)。",
    export_write="写入",
    exported="{file} 中有 {count} 条请求",
    export_exists="{file} 已存在; 请换一个名称。",
    export_failed="无法写入 {file}: {reason}",
    export_format="{file} 的扩展名不是 .csv 或 .jsonl。",
)
