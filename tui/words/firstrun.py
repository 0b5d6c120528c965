"""Words of the first run's checklist."""

from __future__ import annotations

from tui.words.section import Act, Section


class FirstRunWords(Section, frozen=True, kw_only=True):
    title: str
    about: str
    do: Act
    hide: Act

    server: str
    server_no_url: str
    upstream: str
    upstream_about: str
    upstream_done: str
    probe: str
    probe_about: str
    probe_done: str
    group: str
    group_about: str
    group_done: str
    quota: str
    quota_about: str
    quota_done: str
    key: str
    key_about: str
    key_done: str
    test: str
    test_about: str
    test_done: str
    no_upstream: str
    no_key: str


EN = FirstRunWords(
    title="Set up LaiDian",
    about="Enter opens a step; it is ticked when the server says that it is done.",
    do="Do this step",
    hide="Hide this",
    server="Server answers on {url}",
    server_no_url="config.toml has no server.public_url: clients elsewhere need it",
    upstream="Add an upstream",
    upstream_about="OpenAI, Gemini, Anthropic, any relay",
    upstream_done="{count} added",
    probe="Probe it",
    probe_about="asks it for its models; costs nothing",
    probe_done="{count} models can be had now",
    group="Check the group",
    group_about="what keys may use",
    group_done="{count} there",
    quota="Check the quota",
    quota_about="what keys may spend",
    quota_done="{count} there",
    key="Make the first key",
    key_about="shown once, with ready client settings",
    key_done="{count} made",
    test="Send a test request",
    test_about="through the whole path, at its cost",
    test_done="a request was answered and paid",
    no_upstream="Add an upstream first.",
    no_key="Make a key first.",
)
ZH = FirstRunWords(
    title="设置 LaiDian",
    about="按回车打开步骤; 服务器确认完成后自动打勾。",
    do="执行此步骤",
    hide="隐藏",
    server="服务器在 {url} 上响应",
    server_no_url="config.toml 没有 server.public_url: 其他机器上的客户端需要它",
    upstream="添加上游",
    upstream_about="OpenAI、Gemini、Anthropic 或中转",
    upstream_done="已添加 {count} 个",
    probe="探测上游",
    probe_about="询问它有哪些模型; 不花钱",
    probe_done="现在可用 {count} 个模型",
    group="检查分组",
    group_about="密钥可以使用什么",
    group_done="已有 {count} 个",
    quota="检查额度",
    quota_about="密钥可以花费多少",
    quota_done="已有 {count} 个",
    key="创建第一个密钥",
    key_about="只显示一次, 附带客户端配置",
    key_done="已创建 {count} 个",
    test="发送测试请求",
    test_about="走完整条路径, 显示真实费用",
    test_done="已有请求得到回答并结算",
    no_upstream="请先添加上游。",
    no_key="请先创建密钥。",
)
