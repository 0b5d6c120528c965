"""Words of the screen of keys, of a key's own screen, and of what is done to keys."""

from __future__ import annotations

from tui.words.section import Act, Label, Section, Title


class KeysWords(Section, frozen=True, kw_only=True):
    title: str
    empty: str
    about: str
    limit: Title
    last_used: Title
    expires: Title
    display: Title
    in_flight: Title

    # What keys do
    new: Act
    edit: Act
    turn: Act
    balance: Act
    rotate: Act
    delete: Act
    group: Act
    quota: Act
    test: Act

    # Forms
    new_title: str
    edit_title: str
    name: Label
    group_label: Label
    quota_label: Label
    limit_label: Label
    expires_label: Label
    name_hint: str
    group_hint: str
    quota_hint: str
    limit_hint: str
    expires_hint: str
    amount: Label
    note: Label
    amount_hint: str
    note_hint: str
    balance_title: str
    balance_above: str
    balance_several: str
    no_balance: str
    limit_by: Label
    limit_by_hint: str
    group_title: str
    quota_title: str

    # Questions
    rotate_title: str
    rotate_effect: str
    rotate_once: str
    delete_title: str
    delete_effect: str
    delete_running: str
    delete_records: str
    delete_several: str
    turn_several: str
    no_excluding: str

    # What was done
    is_off: str
    is_on: str
    deleted: str
    topped_up: str
    limit_raised: str
    saved: str

    # A key's own screen
    never: str
    facts: str
    own_limit: str
    no_limit: str
    of_limit: str
    left: str
    resets: str
    shared: str
    quota_state: str
    per_day: str
    models: str
    models_none: str
    latest: str
    latest_none: str
    history: str
    history_none: str
    served: Title
    why_not: Title
    who: Title
    what: Title
    gone: str


EN = KeysWords(
    title="Keys {count}",
    empty="No keys yet. n makes one; it is shown once.",
    about=(
        "Who may call, what each has spent, and what is left. NEAR: 90 % or more of its own limit is used. EMPTY: all of it. "
        "A filter finds names, prefixes and groups; state:near, group:team and quota:trial narrow it further."
    ),
    limit="Spent/limit",
    last_used="Last used",
    expires="Expires",
    display="Prefix",
    in_flight="Running",
    new="New",
    edit="Edit",
    turn="Off/on",
    balance="Add balance",
    rotate="Rotate",
    delete="Delete",
    group="Group",
    quota="Quota",
    test="Test it now",
    new_title="New key",
    edit_title="Key {name}",
    name="Name",
    group_label="Group",
    quota_label="Quota",
    limit_label="Own limit, $",
    expires_label="Expires",
    name_hint="Whose it is. Only this is needed.",
    group_hint="What it may use.",
    quota_hint="What it spends from; several keys may share one.",
    limit_hint="What this key may spend in all, whatever its quota has left. Empty: no limit of its own.",
    expires_hint="30d, 2026-12-31 or a time; empty: never.",
    amount="Amount, $",
    note="Note",
    amount_hint="In US dollars, 10 or 2.50; a minus takes back.",
    note_hint="Kept with the payment.",
    balance_title="Add balance",
    balance_above="Quota {quota} has {left} left; {count} keys share it.",
    balance_several="Each of these quotas gets the amount: {names}",
    no_balance="{name} spends from {quota}, which has no balance, and has no limit of its own. e gives it one.",
    limit_by="Raise limit by, $",
    limit_by_hint="{name} may spend {limit} in all and has spent {spent}.",
    group_title="Group of {name}",
    quota_title="Quota of {name}",
    rotate_title="Rotate {name}",
    rotate_effect="The key {display} stops working at once: whoever uses it gets 401 until the new one is in place.",
    rotate_once="The new key is shown once. Group, quota, limit and history stay.",
    delete_title="Delete {name}",
    delete_effect="Every request with {display} is refused with 401 from now on.",
    delete_running="{count} requests in flight are answered to their end.",
    delete_records="Its usage records and the {spent} it spent stay in the books.",
    delete_several="{count} keys: {names}. Every request with them is refused with 401 from now on; their usage records stay in the books.",
    turn_several="These are turned off, and every request with them is refused with 401: {names}",
    no_excluding="the list of keys leaves nothing out: !{text} cannot be asked for.",
    is_off="{name} is off.",
    is_on="{name} is on.",
    deleted="{name} is deleted.",
    topped_up="{quota} has {left} left now.",
    limit_raised="{name} may spend {limit} in all now.",
    saved="{name} is saved.",
    never="never",
    facts="last used {used} ago   made {made} ago   expires {expires}   {running} running",
    own_limit="Own limit",
    no_limit="no limit",
    of_limit="{spent} of {limit}",
    left="{left} left",
    resets="resets in {time}",
    shared="quota {name}, {count} keys",
    quota_state="Quota",
    per_day="Spend a day, 30 days: {total}",
    models="Models now: {up} of {count}",
    models_none="Its group lets no model through.",
    latest="Latest requests",
    latest_none="It was never used.",
    history="Changes",
    history_none="Nothing is noted of it.",
    served="Served by",
    why_not="Why not",
    who="Who",
    what="What",
    gone="This key is no more.",
)
ZH = KeysWords(
    title="密钥 {count}",
    empty="还没有密钥。按 n 创建, 密钥只显示一次。",
    about=(
        "谁可以调用、已花费多少、还剩多少。将尽: 自身上限已用 90 % 以上。已耗尽: 全部用完。"
        "筛选可匹配名称、前缀和分组; state:near、group:team、quota:trial 可进一步缩小范围。"
    ),
    limit="花费/上限",
    last_used="上次使用",
    expires="到期",
    display="前缀",
    in_flight="进行中",
    new="新建",
    edit="编辑",
    turn="停用/启用",
    balance="充值",
    rotate="更换",
    delete="删除",
    group="分组",
    quota="额度",
    test="立即测试",
    new_title="新建密钥",
    edit_title="密钥 {name}",
    name="名称",
    group_label="分组",
    quota_label="额度",
    limit_label="自身上限, $",
    expires_label="到期",
    name_hint="属于谁。只有这一项必填。",
    group_hint="可以使用什么。",
    quota_hint="从哪里扣费; 多个密钥可以共用一个额度。",
    limit_hint="不论额度还剩多少, 此密钥总共最多花费多少。留空: 没有自身上限。",
    expires_hint="30d、2026-12-31 或时间; 留空: 永不到期。",
    amount="金额, $",
    note="备注",
    amount_hint="美元, 如 10 或 2.50; 负数为扣回。",
    note_hint="与充值记录一起保存。",
    balance_title="充值",
    balance_above="额度 {quota} 还剩 {left}; {count} 个密钥共用。",
    balance_several="以下每个额度都会增加该金额: {names}",
    no_balance="{name} 使用的 {quota} 没有余额, 自身也没有上限。按 e 设置上限。",
    limit_by="上限增加, $",
    limit_by_hint="{name} 总共可花费 {limit}, 已花费 {spent}。",
    group_title="{name} 的分组",
    quota_title="{name} 的额度",
    rotate_title="更换 {name}",
    rotate_effect="密钥 {display} 立即失效: 在换上新密钥之前, 使用者会收到 401。",
    rotate_once="新密钥只显示一次。分组、额度、上限和历史保持不变。",
    delete_title="删除 {name}",
    delete_effect="从现在起, 使用 {display} 的请求都会以 401 拒绝。",
    delete_running="{count} 个进行中的请求会继续完成。",
    delete_records="它的用量记录和已花费的 {spent} 仍保留在账上。",
    delete_several="{count} 个密钥: {names}。从现在起, 使用它们的请求都会以 401 拒绝; 用量记录仍保留在账上。",
    turn_several="以下密钥将被停用, 使用它们的请求都会以 401 拒绝: {names}",
    no_excluding="密钥列表不支持排除: !{text}。",
    is_off="{name} 已停用。",
    is_on="{name} 已启用。",
    deleted="{name} 已删除。",
    topped_up="{quota} 现在还剩 {left}。",
    limit_raised="{name} 现在总共可花费 {limit}。",
    saved="{name} 已保存。",
    never="永不",
    facts="上次使用 {used} 前   创建于 {made} 前   到期 {expires}   {running} 个进行中",
    own_limit="自身上限",
    no_limit="不限",
    of_limit="{spent} / {limit}",
    left="剩余 {left}",
    resets="{time} 后重置",
    shared="额度 {name}, {count} 个密钥",
    quota_state="额度",
    per_day="每日花费, 30 天: {total}",
    models="当前可用模型: {up} / {count}",
    models_none="它的分组不允许任何模型。",
    latest="最近请求",
    latest_none="从未使用过。",
    history="变更记录",
    history_none="没有记录。",
    served="服务者",
    why_not="原因",
    who="谁",
    what="内容",
    gone="此密钥已不存在。",
)
