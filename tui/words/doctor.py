"""Words of the doctor."""

from __future__ import annotations

from tui.words.section import Section, Title


class DoctorWords(Section, frozen=True, kw_only=True):
    title: str
    about: str
    check: Title
    found: Title
    ledger_clean: str
    empty: str


EN = DoctorWords(
    title="Doctor",
    about="Whether the ledger adds up and the instance is sound, and what to do where it is not.",
    check="Check",
    found="Found",
    ledger_clean="adds up: {records} records, {quotas} quotas, {keys} keys",
    empty="Nothing was checked yet.",
)
ZH = DoctorWords(
    title="诊断",
    about="账目是否平衡、实例是否健康, 以及该如何处理。",
    check="检查",
    found="结果",
    ledger_clean="平衡: {records} 条记录, {quotas} 个额度, {keys} 个密钥",
    empty="尚未检查。",
)
