"""Words of the screen of models and prices, of a price's form, and of the price book."""

from __future__ import annotations

from tui.words.section import Act, Label, Section, Title


class ModelsWords(Section, frozen=True, kw_only=True):
    title: str
    empty: str
    about: str
    kinds: Title
    images: Title
    served: Title
    now: Title
    requests: Title
    spent: Title
    why: Title

    state_up: str
    state_resting: str
    state_unpriced: str
    state_no_upstream: str
    state_no_group: str

    # What keys do
    price: Act
    retire: Act
    book: Act
    test: Act
    to_usage: Act
    adopt: Act

    # The pane below
    no_price: str
    price_from: str
    price_of: str
    above: str
    tier: str
    example: str
    example_none: str
    served_by: str
    nobody: str
    groups: str
    last_day: str
    limits: str

    # A price's form
    price_title: str
    input: Label
    cached: Label
    cache_write: Label
    output: Label
    more: Label
    from_when: Label
    rate_hint: str
    more_hint: str
    from_hint: str
    needs_rate: str
    diff_title: str
    diff_same: str
    diff_line: str
    diff_now: str
    diff_later: str
    diff_kept: str
    set: str
    retire_title: str
    retire_effect: str
    retired: str
    none_own: str

    # The book
    book_title: str
    book_same: str
    book_no_change: str
    book_state: str
    book_change: Title
    book_before: Title
    book_after: Title
    book_used: Title
    change_added: str
    change_removed: str
    change_changed: str
    adopt_title: str
    adopt_effect: str
    adopt_kept: str
    adopted: str


EN = ModelsWords(
    title="Models {count} ({available} available), USD per 1 M tokens",
    empty="No model yet: add an upstream (5) and probe it.",
    about=(
        "Every model that an upstream can be said to serve, or that somebody asked for: its price, who serves it, and if it cannot be "
        "had, why. A model without a price is refused, never free."
    ),
    kinds="Kinds",
    images="Image",
    served="Served by",
    now="Now",
    requests="24 h",
    spent="Spent 24 h",
    why="Why",
    state_up="UP",
    state_resting="RESTING",
    state_unpriced="NO PRICE",
    state_no_upstream="NOBODY",
    state_no_group="NO GROUP",
    price="Price",
    retire="Own price off",
    book="Price book",
    test="Test",
    to_usage="Its requests",
    adopt="Adopt",
    no_price="No price, so it is refused. e sets one.",
    price_from="Price since {at} by {source}",
    price_of="Price by {source} of {date}",
    above="above {tokens} tokens",
    tier="service tier {tier}",
    example="Example: 1,000 tokens in and 500 out cost {cost} (1x)",
    example_none="Example: not priced by tokens",
    served_by="Served by",
    nobody="nobody",
    groups="Groups",
    last_day="Last 24 h",
    limits="Context {context}, answer {output} tokens",
    price_title="Price of {model}, USD per 1 M",
    input="Input",
    cached="Cached input",
    cache_write="Cache write",
    output="Output",
    more="More",
    from_when="Holds from",
    rate_hint="Empty: there is no rate for it, and what uses it costs as the receipt says.",
    more_hint="unit=price: images=40000000 input>200000=2.50 input@flex=0.60",
    from_hint="Now, when empty; or a date or time to come: 2027-01-01.",
    needs_rate="At least one rate is needed. P takes a price of your own away.",
    diff_title="Change the price of {model}?",
    diff_same="Nothing is another than before.",
    diff_line="{unit}: {before} -> {after}",
    diff_now="It holds from the next request on.",
    diff_later="It holds from {at} on.",
    diff_kept="What was charged stays charged; every receipt keeps the price it was made with.",
    set="The price of {model} is set.",
    retire_title="Take your own price of {model} away?",
    retire_effect="The price book's holds from the next request on; without one the model is refused.",
    retired="Your own price of {model} is gone.",
    none_own="{model} has no price of your own; the price book's holds.",
    book_title="Price book: {count} changes from {from_source} to {to_source}",
    book_same="The adopted book is the one that came with this program: {source}.",
    book_no_change="No price of {from_source} is another in {to_source}.",
    book_state="adopted {source} of {date}, {models} models",
    book_change="Change",
    book_before="Before",
    book_after="After",
    book_used="Used",
    change_added="new",
    change_removed="gone",
    change_changed="changed",
    adopt_title="Adopt {source}?",
    adopt_effect="{count} prices change, {used} of them of models that were used here.",
    adopt_kept="Prices of your own go before the book's and stay.",
    adopted="{source} is adopted: {models} models.",
)
ZH = ModelsWords(
    title="模型 {count} ({available} 个可用), 美元/百万词元",
    empty="还没有模型: 请添加上游 (5) 并探测。",
    about=(
        "上游可能提供的、或有人请求过的每个模型: 价格、由谁提供, 以及不可用的原因。没有价格的模型会被拒绝, 绝不免费。"
    ),
    kinds="种类",
    images="图像",
    served="服务者",
    now="现在",
    requests="24 小时",
    spent="24 小时花费",
    why="原因",
    state_up="正常",
    state_resting="休息",
    state_unpriced="无价格",
    state_no_upstream="无上游",
    state_no_group="无分组",
    price="价格",
    retire="取消自定价",
    book="价目表",
    test="测试",
    to_usage="它的请求",
    adopt="采用",
    no_price="没有价格, 因此会被拒绝。按 e 设置。",
    price_from="价格自 {at} 起, 来源 {source}",
    price_of="价格来源 {source}, {date}",
    above="超过 {tokens} 词元",
    tier="服务级别 {tier}",
    example="示例: 输入 1,000、输出 500 词元花费 {cost} (1x)",
    example_none="示例: 不按词元计价",
    served_by="服务者",
    nobody="无",
    groups="分组",
    last_day="最近 24 小时",
    limits="上下文 {context}, 回答 {output} 词元",
    price_title="{model} 的价格, 美元/百万",
    input="输入",
    cached="缓存输入",
    cache_write="缓存写入",
    output="输出",
    more="其他",
    from_when="生效时间",
    rate_hint="留空: 没有这一项的价格, 使用时按收据所述计费。",
    more_hint="单位=价格: images=40000000 input>200000=2.50 input@flex=0.60",
    from_hint="留空即现在; 或将来的日期时间: 2027-01-01。",
    needs_rate="至少需要一项价格。按 P 可取消自定价。",
    diff_title="更改 {model} 的价格?",
    diff_same="没有任何变化。",
    diff_line="{unit}: {before} -> {after}",
    diff_now="从下一个请求起生效。",
    diff_later="从 {at} 起生效。",
    diff_kept="已收取的不变; 每张收据保留当时的价格。",
    set="{model} 的价格已设置。",
    retire_title="取消 {model} 的自定价?",
    retire_effect="从下一个请求起使用价目表的价格; 如果没有, 模型会被拒绝。",
    retired="{model} 的自定价已取消。",
    none_own="{model} 没有自定价; 使用价目表的价格。",
    book_title="价目表: 从 {from_source} 到 {to_source} 有 {count} 处变化",
    book_same="已采用的价目表就是程序自带的: {source}。",
    book_no_change="{from_source} 与 {to_source} 的价格没有差别。",
    book_state="已采用 {source}, {date}, {models} 个模型",
    book_change="变化",
    book_before="之前",
    book_after="之后",
    book_used="用过",
    change_added="新增",
    change_removed="移除",
    change_changed="改变",
    adopt_title="采用 {source}?",
    adopt_effect="{count} 个价格会变化, 其中 {used} 个是这里用过的模型。",
    adopt_kept="自定价优先于价目表, 保持不变。",
    adopted="已采用 {source}: {models} 个模型。",
)
