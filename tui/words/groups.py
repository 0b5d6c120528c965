"""Words of the screen of groups, and of a group's form."""

from __future__ import annotations

from tui.words.section import Act, Label, Section, Title


class GroupsWords(Section, frozen=True, kw_only=True):
    title: str
    empty: str
    about: str
    keys: Title
    multiplier: Title
    upstreams: Title
    all_upstreams: str
    capabilities: Title
    per_minute: Title
    models: Title
    all_models: str
    all_capabilities: str

    # What keys do
    new: Act
    edit: Act
    capabilities_key: Act
    to_keys: Act
    turn: Act
    delete: Act

    # Who serves what
    serving: str
    serving_none: str
    served_by: Title
    why_not: Title

    # The form
    new_title: str
    edit_title: str
    name_label: Label
    name_hint: str
    upstreams_label: Label
    upstreams_hint: str
    allow_label: Label
    allow_hint: str
    deny_label: Label
    deny_hint: str
    aliases_label: Label
    aliases_hint: str
    capabilities_label: Label
    capabilities_hint: str
    capabilities_title: str
    multiplier_label: Label
    multiplier_hint: str
    requests_label: Label
    tokens_label: Label
    parallel_label: Label
    count_hint: str
    abort_label: Label
    abort_hint: str
    abort_cancel: str
    abort_drain: str

    # What is asked and said
    saved: str
    is_on: str
    is_off: str
    deleted: str
    delete_title: str
    delete_effect: str
    in_use_title: str
    in_use: str
    in_use_more: str
    in_use_move: str


EN = GroupsWords(
    title="Groups {count}",
    empty="No groups yet. n makes one.",
    about=(
        "What the keys of a group may use: upstreams in order, models, capabilities, multiplier, rate limits. The lower table shows who "
        "would serve each model now: 1 is tried first, equal numbers share. A multiplier other than 1x is marked ≠."
    ),
    keys="Keys",
    multiplier="Mult",
    upstreams="Upstreams",
    all_upstreams="all",
    capabilities="Capabilities",
    per_minute="Req/min",
    models="Models",
    all_models="all",
    all_capabilities="all",
    new="New",
    edit="Edit",
    capabilities_key="Capabilities",
    to_keys="Its keys",
    turn="Off/on",
    delete="Delete",
    serving="{name}: who serves what now ({up} of {count} models)",
    serving_none="No upstream of this group is known to serve any model. 5 probes them.",
    served_by="Served by",
    why_not="Why not",
    new_title="New group",
    edit_title="Group {name}",
    name_label="Name",
    name_hint="Only this is needed.",
    upstreams_label="Upstreams",
    upstreams_hint="a,b: a first, then b; a+b: shared. Empty: all, by their own priority.",
    allow_label="Models",
    allow_hint="Names or patterns, gpt-5* gemini-*. Empty: all.",
    deny_label="But not",
    deny_hint="Names or patterns that are left out.",
    aliases_label="Aliases",
    aliases_hint="gpt=gpt-5.4 fast=gpt-5.4-mini: what keys ask for, and what is meant.",
    capabilities_label="Capabilities",
    capabilities_hint="Some of: {names}. Empty: all.",
    capabilities_title="Capabilities of {name}",
    multiplier_label="Multiplier",
    multiplier_hint="1x: keys pay the published price.",
    requests_label="Requests/min",
    tokens_label="Tokens/min",
    parallel_label="At a time",
    count_hint="Of each key. Empty: no limit.",
    abort_label="On hang-up",
    abort_hint="What happens to a request whose client is gone.",
    abort_cancel="cancel the upstream's",
    abort_drain="read it to its end",
    saved="Group {name} is saved.",
    is_on="Group {name} is on.",
    is_off="Group {name} is off: its keys are refused.",
    deleted="Group {name} is deleted.",
    delete_title="Delete group {name}",
    delete_effect="No key uses it. Usage records keep its name.",
    in_use_title="{name} is in use",
    in_use="{count} keys use it, so it cannot be deleted: {names}",
    in_use_more=" and {count} more",
    in_use_move="Move them first: K shows them; there * marks all of them and g puts them into another group.",
)
ZH = GroupsWords(
    title="分组 {count}",
    empty="还没有分组。按 n 创建。",
    about=(
        "分组中的密钥可以使用什么: 上游顺序、模型、能力、倍率、速率限制。下表显示每个模型现在由谁提供: 1 最先尝试, 数字相同则分担。"
        "不是 1x 的倍率以 ≠ 标记。"
    ),
    keys="密钥",
    multiplier="倍率",
    upstreams="上游",
    all_upstreams="全部",
    capabilities="能力",
    per_minute="每分钟",
    models="模型",
    all_models="全部",
    all_capabilities="全部",
    new="新建",
    edit="编辑",
    capabilities_key="能力",
    to_keys="它的密钥",
    turn="停用/启用",
    delete="删除",
    serving="{name}: 现在由谁提供 ({up}/{count} 个模型)",
    serving_none="已知此分组的上游不提供任何模型。按 5 探测上游。",
    served_by="服务者",
    why_not="原因",
    new_title="新建分组",
    edit_title="分组 {name}",
    name_label="名称",
    name_hint="只有这一项必填。",
    upstreams_label="上游",
    upstreams_hint="a,b: 先 a 后 b; a+b: 分担。留空: 全部, 按各自优先级。",
    allow_label="模型",
    allow_hint="名称或通配符, 如 gpt-5* gemini-*。留空: 全部。",
    deny_label="排除",
    deny_hint="要排除的名称或通配符。",
    aliases_label="别名",
    aliases_hint="gpt=gpt-5.4 fast=gpt-5.4-mini: 密钥请求的名称与实际模型。",
    capabilities_label="能力",
    capabilities_hint="可选: {names}。留空: 全部。",
    capabilities_title="{name} 的能力",
    multiplier_label="倍率",
    multiplier_hint="1x: 密钥按公布价格付费。",
    requests_label="每分钟请求",
    tokens_label="每分钟词元",
    parallel_label="同时请求",
    count_hint="每个密钥。留空: 不限。",
    abort_label="客户端断开",
    abort_hint="客户端断开后如何处理请求。",
    abort_cancel="取消上游请求",
    abort_drain="读完上游回答",
    saved="分组 {name} 已保存。",
    is_on="分组 {name} 已启用。",
    is_off="分组 {name} 已停用: 它的密钥会被拒绝。",
    deleted="分组 {name} 已删除。",
    delete_title="删除分组 {name}",
    delete_effect="没有密钥使用它。用量记录保留它的名称。",
    in_use_title="{name} 正在使用",
    in_use="{count} 个密钥在使用它, 不能删除: {names}",
    in_use_more=" 以及另外 {count} 个",
    in_use_move="请先移走: 按 K 显示它们, 再按 * 全部标记, 按 g 移到其他分组。",
)
