"""Words of the screen of quotas, and of a quota's forms."""

from __future__ import annotations

from tui.words.section import Act, Label, Section, Title


class QuotasWords(Section, frozen=True, kw_only=True):
    title: str
    empty: str
    about: str
    kind: Title
    left: Title
    spent: Title
    held: Title
    windows: Title
    keys: Title
    resets: Title
    unlimited: str
    kind_prepaid: str
    kind_plan: str
    kind_unlimited: str
    window_5h: str
    window_day: str
    window_week: str
    window_month: str

    # What keys do
    new: Act
    edit: Act
    balance: Act
    assign: Act
    simulate: Act
    to_keys: Act
    turn: Act
    delete: Act

    # The forms
    new_title: str
    edit_title: str
    name_label: Label
    name_hint: str
    kind_label: Label
    kind_hint: str
    balance_label: Label
    balance_hint: str
    limit_5h: Label
    limit_day: Label
    limit_week: Label
    limit_month: Label
    limit_hint: str
    only_prepaid: str
    only_plan: str

    # The pane below
    near: str
    keys_on_it: str
    keys_more: str
    no_keys: str
    credits: str
    will_unused: str
    will_gone: str
    will_end: str
    will_last: str
    will_endless: str

    # A key that starts now
    simulate_title: str
    now_prepaid: str
    now_unlimited: str
    now_window: str
    now_opens: str
    now_then: str
    now_shared: str
    now_expires: str
    now_refused: str

    # What is asked and said
    assign_title: str
    assign_none: str
    not_prepaid: str
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


EN = QuotasWords(
    title="Quotas {count}",
    empty="No quotas yet. n makes one.",
    about=(
        "What keys may spend together: a prepaid balance, a plan with limits per 5 h, day, week or "
        "month, or without limit. A forecast goes on from what was spent so far; it is a guess."
    ),
    kind="Kind",
    left="Left",
    spent="Spent",
    held="Held",
    windows="Windows",
    keys="Keys",
    resets="Resets in",
    unlimited="no limit",
    kind_prepaid="prepaid",
    kind_plan="plan",
    kind_unlimited="unlimited",
    window_5h="5 h",
    window_day="day",
    window_week="week",
    window_month="month",
    new="New",
    edit="Edit",
    balance="Add balance",
    assign="Assign keys",
    simulate="Simulate",
    to_keys="Its keys",
    turn="Off/on",
    delete="Delete",
    new_title="New quota",
    edit_title="Quota {name}",
    name_label="Name",
    name_hint="Name and kind are needed; a plan needs a limit, too.",
    kind_label="Kind",
    kind_hint="prepaid: a balance; plan: limits that begin again; unlimited. It stays what it is.",
    balance_label="Balance, $",
    balance_hint="The first payment of a prepaid quota. Empty: none yet.",
    limit_5h="Per 5 hours, $",
    limit_day="Per day, $",
    limit_week="Per week, $",
    limit_month="Per month, $",
    limit_hint="Of a plan: at least one. 5 hours begin with the first request, the others in UTC.",
    only_prepaid="Only a prepaid quota has a balance.",
    only_plan="Only a plan has limits that begin again.",
    near="{name}: the keys on it",
    keys_on_it="Spent by its keys:",
    keys_more="and {count} more; K shows all",
    no_keys="No key is on it. a puts some on it.",
    credits="Payments:",
    will_unused="nothing was spent of it yet",
    will_gone="used up",
    will_end="at this pace used up {at} UTC, in {time}",
    will_last="at this pace {percent}% used when it begins again",
    will_endless="without limit",
    simulate_title="A key that starts now on {name}",
    now_prepaid="It has {left} until that is used up; nothing comes back by itself.",
    now_unlimited="It may spend without limit, unless the key has one of its own.",
    now_window="Per {window}: {left} of {limit} until {at} UTC, in {time}.",
    now_opens="Per {window}: {limit}, beginning with its first request.",
    now_then="Then {limit} again, and so on.",
    now_shared="{count} keys spend from it together, so it may be less.",
    now_expires="It expires {at} UTC; after that its keys are refused with 403.",
    now_refused="Nothing: the quota is {state}, and its keys are refused.",
    assign_title="Put keys on {name}",
    assign_none="No key was marked.",
    not_prepaid="{name} has no balance. e changes its limits.",
    saved="Quota {name} is saved.",
    is_on="Quota {name} is on.",
    is_off="Quota {name} is off: its keys are refused.",
    deleted="Quota {name} is deleted.",
    delete_title="Delete quota {name}",
    delete_effect="No key uses it. {spent} were spent from it; usage records keep its name. What is left of it, {left}, is gone.",
    in_use_title="{name} is in use",
    in_use="{count} keys spend from it, so it cannot be deleted: {names}",
    in_use_more=" and {count} more",
    in_use_move="Move them first: K shows them; there * marks all of them and Q puts them on another quota.",
)
ZH = QuotasWords(
    title="额度 {count}",
    empty="还没有额度。按 n 创建。",
    about=(
        "密钥共同可以花费多少: 预付余额, 或按 5 小时、日、周、月限额的套餐, 或不限。"
        "预测按目前的花费速度推算, 只是估计。"
    ),
    kind="种类",
    left="剩余",
    spent="已花费",
    held="预留",
    windows="周期",
    keys="密钥",
    resets="重置于",
    unlimited="不限",
    kind_prepaid="预付",
    kind_plan="套餐",
    kind_unlimited="不限",
    window_5h="5 小时",
    window_day="日",
    window_week="周",
    window_month="月",
    new="新建",
    edit="编辑",
    balance="充值",
    assign="分配密钥",
    simulate="模拟",
    to_keys="它的密钥",
    turn="停用/启用",
    delete="删除",
    new_title="新建额度",
    edit_title="额度 {name}",
    name_label="名称",
    name_hint="名称和种类必填; 套餐还需要至少一个限额。",
    kind_label="种类",
    kind_hint="预付: 余额; 套餐: 会重置的限额; 不限。种类不可更改。",
    balance_label="余额, $",
    balance_hint="预付额度的首次充值。留空: 暂无。",
    limit_5h="每 5 小时, $",
    limit_day="每日, $",
    limit_week="每周, $",
    limit_month="每月, $",
    limit_hint="套餐至少需要一个。5 小时从第一次请求开始, 其他按 UTC。",
    only_prepaid="只有预付额度有余额。",
    only_plan="只有套餐有会重置的限额。",
    near="{name}: 使用它的密钥",
    keys_on_it="各密钥花费:",
    keys_more="另有 {count} 个; 按 K 显示全部",
    no_keys="没有密钥使用它。按 a 分配。",
    credits="充值记录:",
    will_unused="尚未花费",
    will_gone="已用完",
    will_end="按此速度将于 {at} UTC 用完, 还有 {time}",
    will_last="按此速度重置时将用到 {percent}%",
    will_endless="不限",
    simulate_title="现在开始使用 {name} 的密钥",
    now_prepaid="可用 {left}, 用完为止; 不会自动恢复。",
    now_unlimited="花费不限, 除非密钥自身有上限。",
    now_window="每{window}: 到 {at} UTC 为止还有 {left}, 共 {limit}, 还有 {time}。",
    now_opens="每{window}: {limit}, 从第一次请求开始。",
    now_then="之后又有 {limit}, 依此类推。",
    now_shared="{count} 个密钥共同使用, 因此可能更少。",
    now_expires="到期 {at} UTC; 之后它的密钥会以 403 拒绝。",
    now_refused="没有: 额度{state}, 它的密钥会被拒绝。",
    assign_title="把密钥分配到 {name}",
    assign_none="没有标记密钥。",
    not_prepaid="{name} 没有余额。按 e 修改限额。",
    saved="额度 {name} 已保存。",
    is_on="额度 {name} 已启用。",
    is_off="额度 {name} 已停用: 它的密钥会被拒绝。",
    deleted="额度 {name} 已删除。",
    delete_title="删除额度 {name}",
    delete_effect="没有密钥使用它。已花费 {spent}; 用量记录保留它的名称。剩余的 {left} 将作废。",
    in_use_title="{name} 正在使用",
    in_use="{count} 个密钥在使用它, 不能删除: {names}",
    in_use_more=" 以及另外 {count} 个",
    in_use_move="请先移走: 按 K 显示它们, 再按 * 全部标记, 按 Q 换到其他额度。",
)
