"""Words of forms, questions and of taking back."""

from __future__ import annotations

from tui.words.section import Act, Section


class FormWords(Section, frozen=True, kw_only=True):
    send: Act
    do: Act
    previous: Act
    next: Act
    undo: Act

    sending: str
    type_name: str
    not_the_name: str
    undo_for: str
    undone: str
    needed: str
    no_number: str
    several_done: str
    several_refused: str
    yes: str
    no: str


EN = FormWords(
    send="Do it",
    do="Do it",
    previous="Previous",
    next="Next",
    undo="Undo",
    sending="Asking the server …",
    type_name="Type {name} and press enter:",
    not_the_name="That is not it. Type {name} to do this, or press esc:",
    undo_for="u takes it back ({seconds} s).",
    undone="Taken back.",
    needed="This is needed.",
    no_number="A whole number above 0 is needed here, or nothing.",
    several_done="{count} done.",
    several_refused="{count} refused. {name}: {reason}",
    yes="yes",
    no="no",
)
ZH = FormWords(
    send="执行",
    do="执行",
    previous="上一个",
    next="下一个",
    undo="撤销",
    sending="正在询问服务器 …",
    type_name="输入 {name} 并按回车:",
    not_the_name="不一致。输入 {name} 以执行, 或按 esc:",
    undo_for="按 u 撤销 ({seconds} 秒内)。",
    undone="已撤销。",
    needed="必填。",
    no_number="这里需要大于 0 的整数, 或留空。",
    several_done="已完成 {count} 个。",
    several_refused="{count} 个被拒绝。{name}: {reason}",
    yes="是",
    no="否",
)
