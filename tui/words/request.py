"""Words of one request: its receipt, what was tried, how it ended."""

from __future__ import annotations

from tui.words.section import Act, Section


class RequestWords(Section, frozen=True, kw_only=True):
    title: str
    about: str
    choose: str
    when: str
    who: str
    who_is: str
    asked: str
    asked_as: str
    stream: str
    client: str
    tried: str
    tried_none: str
    tried_after: str
    times: str
    times_are: str
    times_total: str
    tokens: str
    tokens_are: str
    known_upstream: str
    known_estimated: str
    known_none: str
    cost: str
    cost_line: str
    cost_sum: str
    charged: str
    charged_is: str
    shortfall: str
    price: str
    error: str
    ended: str
    bodies: str
    bodies_are: str
    copy_id: Act
    copy_json: Act
    to_key: Act
    to_upstream: Act
    newer: Act
    older: Act


EN = RequestWords(
    title="Request {id}",
    about=(
        "One request: who asked, which upstreams were tried, how it ended, and every line of what it cost."
    ),
    choose="Choose a request.",
    when="When",
    who="Key",
    who_is="{key}, group {group}, quota {quota}",
    asked="Asked",
    asked_as="{asked}, which here is {model}",
    stream="streamed",
    client="Client",
    tried="Tried",
    tried_none="no upstream was asked",
    tried_after="{outcome} {status} after {time}",
    times="Took",
    times_are="{total} in all, first byte after {first}",
    times_total="{total} in all",
    tokens="Tokens",
    tokens_are="in {input} (cached {cached})   out {output}",
    known_upstream="as the upstream reported",
    known_estimated="estimated: the upstream did not report it",
    known_none="nothing was used",
    cost="Cost",
    cost_line="{quantity} {unit} x ${rate}/M",
    cost_sum="multiplier {multiplier}",
    charged="Charged",
    charged_is="{amount}; {held} had been held and was released",
    shortfall="{amount} more than the quota had: your loss",
    price="Price",
    error="Error",
    ended="Ended",
    bodies="Bodies",
    bodies_are="never stored",
    copy_id="Copy id",
    copy_json="Copy as JSON",
    to_key="Its key",
    to_upstream="Its upstream",
    newer="Newer",
    older="Older",
)
ZH = RequestWords(
    title="请求 {id}",
    about="一次请求: 谁发起、尝试了哪些上游、如何结束, 以及费用的每一行。",
    choose="请选择一个请求。",
    when="时间",
    who="密钥",
    who_is="{key}, 分组 {group}, 额度 {quota}",
    asked="请求",
    asked_as="{asked}, 在此为 {model}",
    stream="流式",
    client="客户端",
    tried="尝试",
    tried_none="未请求任何上游",
    tried_after="{outcome} {status}, 用时 {time}",
    times="耗时",
    times_are="共 {total}, 首字节 {first}",
    times_total="共 {total}",
    tokens="Token",
    tokens_are="输入 {input} (缓存 {cached})   输出 {output}",
    known_upstream="由上游报告",
    known_estimated="估算: 上游未报告",
    known_none="没有用量",
    cost="费用",
    cost_line="{quantity} {unit} x ${rate}/M",
    cost_sum="倍率 {multiplier}",
    charged="扣费",
    charged_is="{amount}; 预留的 {held} 已释放",
    shortfall="超出额度 {amount}: 由您承担",
    price="价格",
    error="错误",
    ended="结束",
    bodies="内容",
    bodies_are="从不存储",
    copy_id="复制编号",
    copy_json="复制为 JSON",
    to_key="所属密钥",
    to_upstream="所用上游",
    newer="较新",
    older="较旧",
)
