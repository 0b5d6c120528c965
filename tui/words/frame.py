"""Words of the frame around every screen: header, tabs, keys, banner, help, palette."""

from __future__ import annotations

from tui.words.section import Act, Section, Tab


class FrameWords(Section, frozen=True, kw_only=True):
    # The header
    serving: str
    stopping: str
    connecting: str
    away_short: str
    up_for: str
    keys: str
    one_key: str

    # The tabs
    tab_dashboard: Tab
    tab_keys: Tab
    tab_groups: Tab
    tab_quotas: Tab
    tab_upstreams: Tab
    tab_models: Tab
    tab_live: Tab
    tab_usage: Tab
    tab_doctor: Tab
    tab_settings: Tab

    # What keys do
    help: Act
    palette: Act
    command: Act
    jump: Act
    back: Act
    quit: Act
    refresh: Act
    theme: Act
    language: Act
    next_pane: Act
    previous_pane: Act
    close: Act
    go_dashboard: Act
    go_keys: Act
    go_groups: Act
    go_quotas: Act
    go_upstreams: Act
    go_models: Act
    go_live: Act
    go_usage: Act
    go_doctor: Act
    go_settings: Act
    scroll_up: Act
    scroll_down: Act
    page_up: Act
    page_down: Act

    # While the server is away
    away: str
    again_in: str
    seen_at: str
    refused: str
    not_a_laidian: str
    other_version: str
    not_now: str

    # A terminal that is too small
    enlarge: str

    # Help
    help_here: str
    help_everywhere: str
    help_closes: str

    # Palette
    palette_prompt: str
    palette_none: str
    palette_key: str
    palette_upstream: str
    palette_model: str
    palette_group: str
    palette_quota: str
    palette_narrow: str

    # Jump
    jump_prompt: str

    # Notices
    again_to_quit: str
    theme_is: str
    theme_dark: str
    theme_light: str
    theme_ansi: str


EN = FrameWords(
    serving="serving",
    stopping="stopping",
    connecting="connecting …",
    away_short="not answering",
    up_for="up {time}",
    keys="{count} keys",
    one_key="1 key",
    tab_dashboard="Dash",
    tab_keys="Keys",
    tab_groups="Groups",
    tab_quotas="Quotas",
    tab_upstreams="Upstr",
    tab_models="Models",
    tab_live="Live",
    tab_usage="Usage",
    tab_doctor="Doctor",
    tab_settings="Setup",
    help="Help",
    palette="Palette",
    command="Command",
    jump="Jump",
    back="Back",
    quit="Quit",
    refresh="Look now",
    theme="Theme",
    language="中文",
    next_pane="Next pane",
    previous_pane="Previous pane",
    close="Close",
    go_dashboard="Dashboard",
    go_keys="Keys",
    go_groups="Groups",
    go_quotas="Quotas",
    go_upstreams="Upstreams",
    go_models="Models and prices",
    go_live="Live requests",
    go_usage="Usage",
    go_doctor="Doctor",
    go_settings="Settings",
    scroll_up="Up",
    scroll_down="Down",
    page_up="Page up",
    page_down="Page down",
    away="The server does not answer: {reason}",
    again_in="Trying again in {seconds} s (r: now).",
    seen_at="Below is what was seen at {time}.",
    refused="The admin token is refused: {reason} Renew the token file; it is read again at every try.",
    not_a_laidian="{reason} Use the dashboard of the server's own version.",
    other_version="The server is LaiDian {server}, this dashboard is {own}: some of what you see may be missing.",
    not_now="Not now: the server does not answer.",
    enlarge="Enlarge to 80x20 (now {width}x{height})",
    help_here="Here",
    help_everywhere="Everywhere",
    help_closes="esc closes.",
    palette_prompt="Type what you want: a screen, an action, a key, an upstream, a model",
    palette_none="Nothing is called that.",
    palette_key="key",
    palette_upstream="upstream",
    palette_model="model",
    palette_group="group",
    palette_quota="quota",
    palette_narrow="{screen}: only {text}",
    jump_prompt="Press a letter to go there, esc to stay",
    again_to_quit="ctrl+c again leaves; q, too.",
    theme_is="Theme: {name}",
    theme_dark="dark",
    theme_light="light",
    theme_ansi="the terminal's own colours",
)
ZH = FrameWords(
    serving="运行中",
    stopping="正在停止",
    connecting="正在连接 …",
    away_short="没有响应",
    up_for="已运行 {time}",
    keys="{count} 个密钥",
    one_key="1 个密钥",
    tab_dashboard="总览",
    tab_keys="密钥",
    tab_groups="分组",
    tab_quotas="额度",
    tab_upstreams="上游",
    tab_models="模型",
    tab_live="实时",
    tab_usage="用量",
    tab_doctor="诊断",
    tab_settings="设置",
    help="帮助",
    palette="命令面板",
    command="命令",
    jump="跳转",
    back="返回",
    quit="退出",
    refresh="立即刷新",
    theme="主题",
    language="English",
    next_pane="下一区域",
    previous_pane="上一区域",
    close="关闭",
    go_dashboard="总览",
    go_keys="密钥",
    go_groups="分组",
    go_quotas="额度",
    go_upstreams="上游",
    go_models="模型与价格",
    go_live="实时请求",
    go_usage="用量",
    go_doctor="诊断",
    go_settings="设置",
    scroll_up="向上",
    scroll_down="向下",
    page_up="上一页",
    page_down="下一页",
    away="服务器没有响应: {reason}",
    again_in="{seconds} 秒后重试 (r: 立即)。",
    seen_at="以下是 {time} 的数据。",
    refused="管理令牌被拒绝: {reason} 请更新令牌文件, 每次重试都会重新读取。",
    not_a_laidian="{reason} 请使用与服务器版本相同的面板。",
    other_version="服务器是 LaiDian {server}, 本面板是 {own}: 部分内容可能缺失。",
    not_now="暂时不行: 服务器没有响应。",
    enlarge="请放大到 80x20 (现在 {width}x{height})",
    help_here="本页",
    help_everywhere="任何地方",
    help_closes="按 esc 关闭。",
    palette_prompt="输入你想要的: 页面、操作、密钥、上游、模型",
    palette_none="没有这样的名称。",
    palette_key="密钥",
    palette_upstream="上游",
    palette_model="模型",
    palette_group="分组",
    palette_quota="额度",
    palette_narrow="{screen}: 仅 {text}",
    jump_prompt="按字母跳转, esc 取消",
    again_to_quit="再按一次 ctrl+c 退出; q 也可以。",
    theme_is="主题: {name}",
    theme_dark="深色",
    theme_light="浅色",
    theme_ansi="终端自身颜色",
)
