"""Words of the screen of groups."""

from __future__ import annotations

from tui.words.section import Section, Title


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


EN = GroupsWords(
    title="Groups {count}",
    empty="No groups yet. Make one: laidian group create NAME",
    about=(
        "What the keys of a group may use: upstreams in order, models, capabilities, multiplier, rate limits."
    ),
    keys="Keys",
    multiplier="Mult",
    upstreams="Upstreams",
    all_upstreams="all",
    capabilities="Capabilities",
    per_minute="Req/min",
    models="Models",
    all_models="all",
)
ZH = GroupsWords(
    title="分组 {count}",
    empty="还没有分组。创建: laidian group create NAME",
    about="分组中的密钥可以使用什么: 上游顺序、模型、能力、倍率、速率限制。",
    keys="密钥",
    multiplier="倍率",
    upstreams="上游",
    all_upstreams="全部",
    capabilities="能力",
    per_minute="每分钟",
    models="模型",
    all_models="全部",
)
