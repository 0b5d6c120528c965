"""Words of the settings: what this instance is, how it is set, and what was changed."""

from __future__ import annotations

from tui.words.section import Act, Section, Title


class SettingsWords(Section, frozen=True, kw_only=True):
    title: str
    about: str
    setting: Title
    value: Title
    changed: Title
    show_settings: Act
    show_journal: Act
    show_versions: Act
    journal: str
    journal_empty: str
    who: Title
    what: Title
    action: Title
    no_file: str
    versions: str
    version: str
    own_version: str
    base_url: str
    data: str
    schema: str
    workers: str
    sqlite: str
    price_book: str
    empty: str


EN = SettingsWords(
    title="Settings: {count}, {changed} set by {file}",
    about=(
        "The settings that this instance runs with; • marks those that config.toml or the environment changed. "
        "They are changed there, and hold from the next start on. J shows who changed what of keys, upstreams and prices; v the versions."
    ),
    setting="Setting",
    value="Value",
    changed="Set",
    show_settings="Settings",
    show_journal="Journal",
    show_versions="Versions",
    journal="What was changed, newest first",
    journal_empty="Nothing was changed yet.",
    who="Who",
    what="What",
    action="Action",
    no_file="no file",
    versions="This instance",
    version="Version of the server",
    own_version="Version of the dashboard",
    base_url="Address for clients",
    data="Data folder",
    schema="Schema",
    workers="Workers",
    sqlite="SQLite",
    price_book="Price book",
    empty="Asking …",
)
ZH = SettingsWords(
    title="设置: {count} 项, {changed} 项由 {file} 设置",
    about=(
        "本实例运行时的设置; • 标记由 config.toml 或环境变量改动的项。请在那里修改, 下次启动后生效。"
        "按 J 查看谁改动了密钥、上游和价格; 按 v 查看版本。"
    ),
    setting="设置",
    value="值",
    changed="改动",
    show_settings="设置",
    show_journal="操作记录",
    show_versions="版本",
    journal="操作记录, 最新在前",
    journal_empty="还没有改动。",
    who="谁",
    what="内容",
    action="操作",
    no_file="无文件",
    versions="本实例",
    version="服务器版本",
    own_version="面板版本",
    base_url="客户端地址",
    data="数据目录",
    schema="数据结构",
    workers="工作进程",
    sqlite="SQLite",
    price_book="价目表",
    empty="正在查询 …",
)
