"""Words of tables: what their keys do, their title's parts, and columns that several screens have."""

from __future__ import annotations

from tui.words.section import Act, Section, Title


class TableWords(Section, frozen=True, kw_only=True):
    # What keys do
    up: Act
    down: Act
    page_up: Act
    page_down: Act
    first: Act
    last: Act
    left: Act
    right: Act
    open: Act
    filter: Act
    clear: Act
    mark: Act
    mark_all: Act
    wide: Act
    sort_previous: Act
    sort_next: Act
    sort_turn: Act
    copy: Act
    copy_row: Act

    # Parts of the title
    title_filter: str
    title_sort: str
    title_marked: str
    title_new: str
    title_wide: str

    # In place of rows
    loading: str
    none_match: str
    failed: str

    copied: str

    # Columns
    time: Title
    name: Title
    state: Title
    key: Title
    group: Title
    quota: Title
    model: Title
    upstream: Title
    path: Title
    status: Title
    input: Title
    cached: Title
    output: Title
    cost: Title
    first_byte: Title
    took: Title
    ended: Title
    client: Title
    request_id: Title
    created: Title
    requests: Title
    today: Title


EN = TableWords(
    up="Up",
    down="Down",
    page_up="Page up",
    page_down="Page down",
    first="First row",
    last="Last row",
    left="Left",
    right="Right",
    open="Open",
    filter="Filter",
    clear="Clear the filter",
    mark="Mark",
    mark_all="Mark all shown",
    wide="All columns",
    sort_previous="Sort backwards",
    sort_next="Sort",
    sort_turn="Turn the order",
    copy="Copy",
    copy_row="Copy as JSON",
    title_filter="filter: {text}",
    title_sort="sort: {column} {arrow}",
    title_marked="{count} marked",
    title_new="{count} new above",
    title_wide="all columns",
    loading="Asking …",
    none_match="Nothing matches {text}. esc clears the filter.",
    failed="This cannot be shown: {reason}",
    copied="Sent to the terminal's clipboard: {text}",
    time="Time",
    name="Name",
    state="State",
    key="Key",
    group="Group",
    quota="Quota",
    model="Model",
    upstream="Upstream",
    path="Path",
    status="Status",
    input="In",
    cached="Cached",
    output="Out",
    cost="Cost",
    first_byte="First",
    took="Took",
    ended="Ended",
    client="Client",
    request_id="Request",
    created="Created",
    requests="Requests",
    today="Today",
)
ZH = TableWords(
    up="上",
    down="下",
    page_up="上一页",
    page_down="下一页",
    first="第一行",
    last="最后一行",
    left="左",
    right="右",
    open="打开",
    filter="筛选",
    clear="清除筛选",
    mark="标记",
    mark_all="标记全部",
    wide="全部列",
    sort_previous="按左列排序",
    sort_next="排序",
    sort_turn="反转顺序",
    copy="复制",
    copy_row="复制为 JSON",
    title_filter="筛选: {text}",
    title_sort="排序: {column} {arrow}",
    title_marked="已标记 {count}",
    title_new="上方新增 {count}",
    title_wide="全部列",
    loading="正在查询 …",
    none_match="没有匹配 {text} 的内容。esc 清除筛选。",
    failed="无法显示: {reason}",
    copied="已发送到终端剪贴板: {text}",
    time="时间",
    name="名称",
    state="状态",
    key="密钥",
    group="分组",
    quota="额度",
    model="模型",
    upstream="上游",
    path="接口",
    status="状态码",
    input="输入",
    cached="缓存",
    output="输出",
    cost="费用",
    first_byte="首字",
    took="耗时",
    ended="结束",
    client="客户端",
    request_id="请求",
    created="创建",
    requests="请求数",
    today="今日",
)
