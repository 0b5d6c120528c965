"""Words of the doctor."""

from __future__ import annotations

from tui.words.section import Act, Section, Title


class DoctorWords(Section, frozen=True, kw_only=True):
    title: str
    about: str
    check: Title
    found: Title
    empty: str
    again: Act
    explain: Act
    copy_fix: Act
    ledger: Act
    why: str
    fix: str
    no_fix: str
    checking: str
    ledger_clean: str
    ledger_differs: str


EN = DoctorWords(
    title="Doctor: {count} checks, {ok} ✓ {warn} ▲ {fail} ✕, at {at}",
    about="Whether the instance is sound, and what to do where it is not. The same checks are laidian doctor --json.",
    check="Check",
    found="Found",
    empty="Nothing was checked yet.",
    again="Run again",
    explain="Explain",
    copy_fix="Copy the fix",
    ledger="Replay the ledger",
    why="Found",
    fix="What to do",
    no_fix="Nothing is to be done here.",
    checking="Checking …",
    ledger_clean="The ledger adds up: {records} records, {quotas} quotas, {keys} keys.",
    ledger_differs="The ledger does not add up, {count} differences. {first}",
)
ZH = DoctorWords(
    title="诊断: {count} 项检查, {ok} ✓ {warn} ▲ {fail} ✕, {at}",
    about="实例是否健康, 以及该如何处理。相同的检查: laidian doctor --json。",
    check="检查",
    found="结果",
    empty="尚未检查。",
    again="重新检查",
    explain="说明",
    copy_fix="复制处理方法",
    ledger="核对账目",
    why="结果",
    fix="如何处理",
    no_fix="这里无需处理。",
    checking="正在检查 …",
    ledger_clean="账目平衡: {records} 条记录, {quotas} 个额度, {keys} 个密钥。",
    ledger_differs="账目不平衡, 有 {count} 处差异。{first}",
)
