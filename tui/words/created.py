"""Words of the screen that shows a new key once, of its picture, and of a test request."""

from __future__ import annotations

from tui.words.section import Act, Section


class CreatedWords(Section, frozen=True, kw_only=True):
    title: str
    about_key: str
    limit: str
    once: str
    copied: str
    saved: str
    not_saved: str
    unused_title: str
    unused: str
    unused_ways: str

    copy: Act
    save: Act
    qr: Act
    test: Act
    done: Act
    previous: Act
    next: Act
    part: Act
    copy_settings: Act
    again: Act

    settings: str
    settings_copied: str
    settings_none: str
    part_of: str

    qr_title: str
    qr_too_small: str
    qr_too_long: str

    test_title: str
    testing: str
    test_ok: str
    test_refused: str
    test_tokens: str
    test_times: str
    test_request: str
    test_no_model: str


EN = CreatedWords(
    title="Key made: {name}",
    about_key="group {group}   quota {quota}   limit {limit}",
    limit="none",
    once="This is the only time the key is shown. Only its hash is stored.",
    copied="Sent to the terminal's clipboard. Paste it once to see that it arrived; s saves it to a file.",
    saved="Saved to {path}; only you can read it.",
    not_saved="It could not be saved to {path}: {reason}",
    unused_title="Leave without the key?",
    unused="It was neither copied nor saved, and it cannot be shown again: only rotating {name} gives a new one.",
    unused_ways="esc goes back to it.",
    copy="Copy",
    save="Save (0600)",
    qr="QR code",
    test="Test it now",
    done="Done",
    previous="Previous client",
    next="Client",
    part="Part",
    copy_settings="Copy settings",
    again="Again",
    settings="Client settings",
    settings_copied="Sent to the terminal's clipboard: settings of {client}, with the key.",
    settings_none="No client can use this key: its group has no capability.",
    part_of="{place}  ({number} of {count}, ↓ for the next)",
    qr_title="{name}: the key as a QR code",
    qr_too_small="The QR code needs {width}x{height} cells here; the terminal has {has_width}x{has_height}. s saves the key to a file.",
    qr_too_long="This key is too long for a QR code.",
    test_title="Test request: {name}",
    testing="Asking {model} …",
    test_ok="{model} answered through {upstream}",
    test_refused="No answer from {model}",
    test_tokens="{input} tokens in, {output} out, {cost}",
    test_times="first byte {first}, {total} in all",
    test_request="Request {id}",
    test_no_model="No model can be used with it now. Groups shows why.",
)
ZH = CreatedWords(
    title="密钥已创建: {name}",
    about_key="分组 {group}   额度 {quota}   上限 {limit}",
    limit="无",
    once="密钥只显示这一次。服务器只保存它的哈希。",
    copied="已发送到终端剪贴板。请粘贴一次确认; 按 s 可保存到文件。",
    saved="已保存到 {path}, 仅你可读。",
    not_saved="无法保存到 {path}: {reason}",
    unused_title="不保存密钥就离开?",
    unused="密钥既没有复制也没有保存, 而且无法再次显示: 只有更换 {name} 才能得到新的。",
    unused_ways="按 esc 返回。",
    copy="复制",
    save="保存 (0600)",
    qr="二维码",
    test="立即测试",
    done="完成",
    previous="上一客户端",
    next="客户端",
    part="部分",
    copy_settings="复制配置",
    again="再来一次",
    settings="客户端配置",
    settings_copied="已发送到终端剪贴板: {client} 的配置, 包含密钥。",
    settings_none="没有客户端能使用此密钥: 它的分组没有任何能力。",
    part_of="{place}  ({number}/{count}, ↓ 下一个)",
    qr_title="{name}: 密钥二维码",
    qr_too_small="二维码需要 {width}x{height} 格; 终端只有 {has_width}x{has_height}。按 s 可保存到文件。",
    qr_too_long="此密钥太长, 无法生成二维码。",
    test_title="测试请求: {name}",
    testing="正在询问 {model} …",
    test_ok="{model} 已由 {upstream} 回答",
    test_refused="{model} 没有回答",
    test_tokens="输入 {input} 个词元, 输出 {output} 个, {cost}",
    test_times="首字 {first}, 共 {total}",
    test_request="请求 {id}",
    test_no_model="现在没有模型可用。分组页会说明原因。",
)
