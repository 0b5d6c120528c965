"""Words of the settings: what this instance is."""

from __future__ import annotations

from tui.words.section import Section, Title


class SettingsWords(Section, frozen=True, kw_only=True):
    title: str
    about: str
    setting: Title
    value: Title
    version: str
    base_url: str
    data: str
    schema: str
    workers: str
    sqlite: str
    price_book: str
    empty: str


EN = SettingsWords(
    title="This instance",
    about=(
        "What this instance is and where its data lie. Settings are changed in config.toml and "
        "with laidian config."
    ),
    setting="Setting",
    value="Value",
    version="Version",
    base_url="Address for clients",
    data="Data folder",
    schema="Schema",
    workers="Workers",
    sqlite="SQLite",
    price_book="Price book",
    empty="Asking …",
)
ZH = SettingsWords(
    title="本实例",
    about="本实例的信息和数据位置。设置请修改 config.toml 或使用 laidian config。",
    setting="设置",
    value="值",
    version="版本",
    base_url="客户端地址",
    data="数据目录",
    schema="数据结构",
    workers="工作进程",
    sqlite="SQLite",
    price_book="价格表",
    empty="正在查询 …",
)
