"""Words of the screen of upstreams, and of one upstream."""

from __future__ import annotations

from tui.words.section import Act, Section, Title


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
    probe: Act
    probe_all: Act
    drain: Act
    reset: Act
    errors: Act
    to_models: Act
    probing: str
    probed_well: str
    probed_badly: str
    drained: str
    enabled: str
    closed: str
    choose: str
    address: str
    state_now: str
    circuit: str
    circuit_is: str
    circuit_all: str
    credentials: str
    last_probe: str
    probe_good: str
    probe_bad: str
    next_probe: str
    day: str
    day_is: str
    answered: str
    never_probed: str
    groups: str
    no_groups: str
    errors_title: str
    no_errors: str
    chart: str
    now: str


EN = UpstreamsWords(
    title="Upstreams ({up} of {count} serving)",
    empty="No upstream yet. Add one: laidian upstream add NAME --kind openai",
    about=(
        "The accounts behind the relay. UP: serves. RESTING: it failed several times in a row by "
        "its own fault (no connection, 401 or 403 of our credential, 5xx, 429), so a model of it "
        "or all of it gets no traffic until the next try; a user's own mistakes never count. NO "
        "CRED: no credential is enabled. OFF: drained by you; what runs goes on."
    ),
    kind="Kind",
    why="Why, retry",
    models="Models",
    priority="Prio",
    in_flight="Running",
    next_try="{reason}, next try in {time}",
    probe="Probe now",
    probe_all="Probe all",
    drain="Drain/enable",
    reset="Try again now",
    errors="Last errors",
    to_models="Its models",
    probing="Probing {name} …",
    probed_well="{name}: {models} models in {time}",
    probed_badly="{name}: {reason}",
    drained="{name} is drained: what runs goes on, nothing new goes there. d enables it again.",
    enabled="{name} is enabled.",
    closed="{name}: {count} circuits closed, the next request tries it.",
    choose="Choose an upstream.",
    address="Address",
    state_now="Now",
    circuit="Resting",
    circuit_is="{what}: {reason}; next try in {time}",
    circuit_all="all of it",
    credentials="Keys",
    last_probe="Probe",
    probe_good="{ago} ago: {models} models in {time}",
    probe_bad="{ago} ago: {reason}",
    next_probe="Next",
    day="24 hours",
    day_is="{share} of {requests} requests went well, {failed} failed; first byte p50 {p50}, p95 {p95}",
    answered="(another upstream answered)",
    never_probed="never; p probes it now",
    groups="Groups",
    no_groups="none names it; those without a list of their own use it",
    errors_title="Last errors",
    no_errors="none",
    chart="Time to the first byte, 24 hours: p50 and p95",
    now="now",
)
ZH = UpstreamsWords(
    title="上游 ({count} 个中 {up} 个可用)",
    empty="还没有上游。添加: laidian upstream add NAME --kind openai",
    about=(
        "中转背后的账户。正常: 提供服务。休息: 因自身原因连续失败 (无法连接、凭据 401/403、5xx、429), 其某个模型或全部在下次尝试前没有流量; "
        "用户自己的错误不计入。缺凭据: 没有启用的凭据。已禁用: 由您排空, 正在运行的会继续。"
    ),
    kind="种类",
    why="原因与重试",
    models="模型",
    priority="优先级",
    in_flight="进行中",
    next_try="{reason}, {time} 后重试",
    probe="立即探测",
    probe_all="探测全部",
    drain="排空/启用",
    reset="立即重试",
    errors="最近错误",
    to_models="其模型",
    probing="正在探测 {name} …",
    probed_well="{name}: {models} 个模型, {time}",
    probed_badly="{name}: {reason}",
    drained="{name} 已排空: 正在运行的会继续, 不再接受新请求。d 重新启用。",
    enabled="{name} 已启用。",
    closed="{name}: 已恢复 {count} 条线路, 下一个请求会尝试。",
    choose="请选择一个上游。",
    address="地址",
    state_now="现在",
    circuit="休息",
    circuit_is="{what}: {reason}; {time} 后重试",
    circuit_all="全部",
    credentials="凭据",
    last_probe="探测",
    probe_good="{ago} 前: {models} 个模型, {time}",
    probe_bad="{ago} 前: {reason}",
    next_probe="下次",
    day="24 小时",
    day_is="{requests} 次请求中 {share} 成功, {failed} 次失败; 首字节 p50 {p50}, p95 {p95}",
    answered="(由其他上游应答)",
    never_probed="从未; p 立即探测",
    groups="分组",
    no_groups="没有分组指定它; 未列出上游的分组会使用它",
    errors_title="最近错误",
    no_errors="无",
    chart="首字节时间, 24 小时: p50 与 p95",
    now="现在",
)
