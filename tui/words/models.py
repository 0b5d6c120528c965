"""Words of the screen of models and prices."""

from __future__ import annotations

from tui.words.section import Section, Title


class ModelsWords(Section, frozen=True, kw_only=True):
    title: str
    empty: str
    about: str
    upstreams: Title
    priced: Title
    has_price: str
    no_price: str


EN = ModelsWords(
    title="Models {count} ({available} available), USD per million tokens",
    empty="No models yet: add an upstream and probe it.",
    about="Every model that an upstream can be said to serve, its price, and whether it works now.",
    upstreams="Served by",
    priced="Price",
    has_price="priced",
    no_price="no price: refused",
)
ZH = ModelsWords(
    title="模型 {count} (可用 {available}), 每百万 token 美元",
    empty="还没有模型: 添加上游并探测。",
    about="上游提供的所有模型、价格, 以及现在是否可用。",
    upstreams="提供者",
    priced="价格",
    has_price="有价格",
    no_price="无价格: 拒绝",
)
